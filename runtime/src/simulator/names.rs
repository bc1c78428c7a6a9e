//! Ids in the forms that WhatsApp gives them. Pure.

use sha2::{Digest as _, Sha256};

/// A message id: base64 over the phone and a number that is never given twice.
pub fn wamid(phone: &str, by_customer: bool, salt: u32, number: u64) -> String {
    let phone: String = phone.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let mut bytes = vec![0x1c, 0x18, phone.len() as u8];
    bytes.extend_from_slice(phone.as_bytes());
    bytes.extend_from_slice(&[0x15, 0x02, 0x00, if by_customer { 0x12 } else { 0x11 }, 0x18, 0x12]);
    bytes.extend_from_slice(format!("{salt:08X}{number:010X}").as_bytes());
    bytes.push(0);
    format!("wamid.{}", base64(&bytes))
}

/// The business-scoped id of a number or of a username: the same in each run,
/// so that a bot with a memory knows the phone again.
pub fn user_id(country: &str, of: &str) -> String {
    let digest = Sha256::digest(of.as_bytes());
    let number = digest.iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    // 20 digits, as in Meta's samples.
    format!("{country}.1{number:020}")
}

/// A conversation's id: the same for all messages of one free entry point.
pub fn conversation(message: &str, until: u64) -> String {
    // A message's id begins with its phone's.
    let phone: String = message.chars().take(24).collect();
    let digest = Sha256::digest(format!("{phone} {until}"));
    hex::encode(digest.get(..16).unwrap_or_default())
}

/// `US.13491208655302741918`, or with `.ENT.` for a parent id.
pub fn is_user_id(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.chars().all(|letter| letter.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// A phone number's digits, or none if there is anything else in it than
/// what people put between digits.
pub fn digits(text: &str) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_digit() || " +-().".contains(letter);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // E.164: at most 15 digits.
    (text.chars().all(plain) && (5..=15).contains(&digits.len())).then_some(digits)
}

pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place) & 63) as usize);
            let pad = place > chunk.len();
            text.push(if pad { '=' } else { letter.map_or('=', |byte| *byte as char) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_standard() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn ids_look_like_whatsapps() {
        assert!(wamid("16505551234", true, 7, 1).starts_with("wamid.HBgLMTY1MDU1NTEyMzQVAgASGBI"));
        assert_ne!(wamid("1", true, 7, 1), wamid("1", true, 7, 2));
        assert!(is_user_id(&user_id("US", "16505551234")));
        assert_eq!(user_id("US", "1"), user_id("US", "1"));
        assert!(is_user_id("US.ENT.11815799212886844830"));
        assert!(!is_user_id("16505551234"));
        assert!(!is_user_id("US."));
        assert_eq!(digits("+1 (650) 555-1234").as_deref(), Some("16505551234"));
        assert_eq!(digits("US.13491208655302741918"), None);
    }
}
