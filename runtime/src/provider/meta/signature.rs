//! Whether Meta sent this: the signature of a webhook and the test of its
//! address. Every comparison of a secret takes the same time whatever is wrong.

use crate::provider::Denied;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write;

/// The header that holds the signature, in lower case.
pub(super) const HEADER: &str = "x-hub-signature-256";

/// `header` is `sha256=` and the lower-case hex HMAC of the exact body under
/// any of the secrets.
///
/// Meta signs the escaped form of a payload and sends that form. In case a
/// delivery comes unescaped, a body with other than ASCII in it gets a second
/// try in its escaped form.
pub(super) fn verify(header: &str, body: &[u8], secrets: &[String]) -> Result<(), Denied> {
    let signature = decode(header).ok_or(Denied::WrongSignature)?;
    if secrets.iter().any(|secret| signed(&signature, body, secret)) {
        return Ok(());
    }
    let escaped = escape(body).ok_or(Denied::WrongSignature)?;
    match secrets.iter().any(|secret| signed(&signature, &escaped, secret)) {
        true => {
            tracing::debug!("a webhook's signature was over the escaped form of its body");
            Ok(())
        }
        false => Err(Denied::WrongSignature),
    }
}

/// Answers `hub.challenge` if `hub.verify_token` is ours.
pub(super) fn challenge(query: &str, verify_token: &str) -> Result<String, Denied> {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| percent_decode(key) == name).map(|(_, value)| percent_decode(value))
    };
    let token = value("hub.verify_token").unwrap_or_default();
    let subscribes = value("hub.mode").is_some_and(|mode| mode == "subscribe");
    if verify_token.is_empty() || !same(&token, verify_token) || !subscribes {
        return Err(Denied::WrongToken);
    }
    value("hub.challenge").ok_or(Denied::WrongToken)
}

fn decode(header: &str) -> Option<Vec<u8>> {
    let digits = header.strip_prefix("sha256=")?;
    // Meta writes lower case. One spelling only, so that a signature is one text.
    let one_spelling = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    one_spelling.then(|| hex::decode(digits).ok()).flatten()
}

fn mac(key: &[u8], message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac)
}

fn signed(signature: &[u8], body: &[u8], secret: &str) -> bool {
    mac(secret.as_bytes(), body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

/// Compares under a MAC, which takes the same time wherever the texts differ.
fn same(given: &str, ours: &str) -> bool {
    let ours = mac(b"verify token", ours.as_bytes()).map(|mac| mac.finalize().into_bytes());
    let given = mac(b"verify token", given.as_bytes());
    given.zip(ours).is_some_and(|(given, ours)| given.verify_slice(&ours).is_ok())
}

/// The body with `\uXXXX` in place of everything that is not ASCII. None if
/// that changes nothing, or the body is not text.
fn escape(body: &[u8]) -> Option<Vec<u8>> {
    if body.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String can't fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    Some(escaped.into_bytes())
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                match digit(high).zip(digit(low)) {
                    Some((high, low)) => {
                        bytes.push((high * 16 + low) as u8);
                        rest = after;
                    }
                    None => bytes.push(b'%'),
                }
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sign(body: &[u8], secret: &str) -> String {
        let tag = mac(secret.as_bytes(), body).unwrap().finalize().into_bytes();
        format!("sha256={}", hex::encode(tag))
    }

    fn secrets(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        let body = br#"{"text":"caf\u00e9 a@b https:\/\/x"}"#;
        let both = secrets(&["old", "new"]);
        assert_eq!(verify(&sign(body, "old"), body, &both), Ok(()));
        assert_eq!(verify(&sign(body, "new"), body, &both), Ok(()));
        assert_eq!(verify(&sign(body, "other"), body, &both), Err(Denied::WrongSignature));
        assert_eq!(verify(&sign(body, ""), body, &[]), Err(Denied::WrongSignature));
    }

    #[test]
    fn an_unescaped_body_may_be_signed_in_its_escaped_form() {
        let body = "{\"text\":\"é 😀\"}".as_bytes();
        let escaped = br#"{"text":"\u00e9 \ud83d\ude00"}"#;
        assert_eq!(verify(&sign(escaped, "s"), body, &secrets(&["s"])), Ok(()));
        assert_eq!(verify(&sign(body, "s"), body, &secrets(&["s"])), Ok(()));
        // Not the other way round: the bytes that came are what counts.
        let denied = verify(&sign(body, "s"), escaped, &secrets(&["s"]));
        assert_eq!(denied, Err(Denied::WrongSignature));
    }

    #[test]
    fn odd_headers_are_wrong() {
        let good = sign(b"{}", "s");
        let shouted = good.to_uppercase();
        let cut = &good[..good.len() - 2];
        let long = format!("{good}00");
        let sha1 = good.replace("sha256=", "sha1=");
        for header in ["", "sha256=", "sha256=zz", &shouted, cut, &long, &sha1] {
            let denied = verify(header, b"{}", &secrets(&["s"]));
            assert_eq!(denied, Err(Denied::WrongSignature), "{header}");
        }
    }

    #[test]
    fn the_challenge_comes_back_for_the_right_token() {
        let ask = |query: &str| challenge(query, "a b/ü");
        let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a+b%2F%C3%BC";
        assert_eq!(ask(good).unwrap(), "1158201444");
        assert_eq!(ask(&good.replace("hub.", "hub%2E")).unwrap(), "1158201444");
        for bad in [
            "",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=a+b",
            "hub.mode=subscribe&hub.challenge=1",
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=a+b%2F%C3%BC",
            "hub.mode=subscribe&hub.verify_token=a+b%2F%C3%BC",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=%",
        ] {
            assert_eq!(ask(bad), Err(Denied::WrongToken), "{bad}");
        }
        let empty = challenge("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", "");
        assert_eq!(empty, Err(Denied::WrongToken));
    }

    proptest! {
        #[test]
        fn one_flipped_bit_spoils_it(body in "\\PC{1,60}", at in any::<usize>(), bit in 0..8u8) {
            let secrets = secrets(&["s"]);
            let (good, body) = (sign(body.as_bytes(), "s"), body.into_bytes());
            prop_assert_eq!(verify(&good, &body, &secrets), Ok(()));
            let mut other = body.clone();
            other[at % body.len()] ^= 1 << bit;
            prop_assert!(verify(&good, &other, &secrets).is_err());
            let mut header = good.into_bytes();
            let place = at % header.len();
            header[place] ^= 1 << bit;
            let header = String::from_utf8_lossy(&header).into_owned();
            prop_assert!(verify(&header, &body, &secrets).is_err());
        }
    }
}
