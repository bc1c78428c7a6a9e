//! Choices that were written out with numbers: keeps what was asked last, and
//! knows which text is an answer to it.

use crate::model::*;
use unicode_normalization::UnicodeNormalization;

/// A question stands as long as the window in which it was asked.
const STANDS_MS: Millis = 24 * 3_600_000;

/// The question that stands once a message is sent: one that was written out, or
/// none. Outer none: the message asks nothing, and leaves it.
pub(super) fn by(channel: &ChannelId, message: &Outgoing, now: Millis) -> Option<Option<Asked>> {
    match message {
        Outgoing::Numbered { choices, .. } => {
            let (channel, choices) = (channel.clone(), choices.clone());
            Some(Some(Asked { channel, choices, at: now }))
        }
        Outgoing::Buttons { .. } | Outgoing::List { .. } => Some(None),
        Outgoing::Text(_)
        | Outgoing::Template(_)
        | Outgoing::Media(_)
        | Outgoing::Location(_)
        | Outgoing::Contacts(_)
        | Outgoing::Link(_)
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_)
        | Outgoing::Reaction { .. }
        | Outgoing::Read { .. } => None,
    }
}

/// The choice that a text names, by its number or its title. The question is
/// answered then: a number that comes later is a number.
pub(super) fn answer(
    contact: &mut Contact,
    channel: &ChannelId,
    text: &str,
    now: Millis,
) -> Option<Choice> {
    let asked = contact.asked.as_ref()?;
    if asked.channel != *channel || now > asked.at.saturating_add(STANDS_MS) {
        return None;
    }
    let words = plain(text);
    let by_number = number(&words).and_then(|number| asked.choices.get(number.checked_sub(1)?));
    let mut titled = asked.choices.iter().filter(|choice| plain(&choice.title) == words);
    let chosen = match (by_number, titled.next(), titled.next()) {
        (Some(choice), None, _) | (None, Some(choice), None) => choice.clone(),
        (Some(one), Some(other), None) if one == other => one.clone(),
        // It could mean one or the other, or it is no answer.
        (Some(_), Some(_), _) | (None, _, _) => return None,
    };
    contact.asked = None;
    Some(chosen)
}

/// In lower case, with common digits and single blanks.
fn plain(text: &str) -> String {
    /// What makes an emoji of a digit: `3️⃣`.
    const KEYCAP: [char; 2] = ['\u{fe0f}', '\u{20e3}'];
    let signs = text.nfkc().filter(|sign| !KEYCAP.contains(sign)).map(digit);
    let lower: String = signs.flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A digit of another script as the common one. Full-width and circled ones
/// are that already, after normalisation.
fn digit(sign: char) -> char {
    /// The zeros of the scripts with digits of their own that people write in.
    const ZEROS: [char; 18] =
        ['٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០', '᠐'];
    let value = ZEROS
        .iter()
        .find_map(|zero| (u32::from(sign)).checked_sub(u32::from(*zero)).filter(|it| *it < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(sign)
}

/// `3`, `3.`, `(3)`, `#3`, `no 3`, `nr. 3`, `option 3`.
fn number(words: &str) -> Option<usize> {
    const BEFORE: [&str; 6] = ["number", "option", "nr", "no", "#", "("];
    const BETWEEN: [char; 3] = ['.', ':', ' '];
    const AFTER: [char; 6] = ['.', ')', '!', ',', '。', ' '];
    let rest = BEFORE.iter().find_map(|word| words.strip_prefix(word));
    let rest = rest.map_or(words, |rest| rest.trim_start_matches(BETWEEN));
    let digits = rest.trim_end_matches(AFTER);
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests;
