//! Choices that were written out with numbers: keeps what was asked last, and
//! knows which text is an answer to it.

use crate::model::*;
use unicode_normalization::UnicodeNormalization;

/// A question stands as long as the window in which it was asked.
const STANDS_MS: Millis = 24 * 3_600_000;

/// Keeps what a message to the contact asks. Another question takes the place
/// of the one before; what asks nothing leaves it.
pub(super) fn note(contact: &mut Contact, channel: &ChannelId, message: &Outgoing, now: Millis) {
    match message {
        Outgoing::Numbered { choices, .. } => {
            let (channel, choices) = (channel.clone(), choices.clone());
            contact.asked = Some(Asked { channel, choices, at: now });
        }
        Outgoing::Buttons { .. } | Outgoing::List { .. } => contact.asked = None,
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
        | Outgoing::Read { .. } => {}
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
mod tests {
    use super::*;

    fn choice(title: &str) -> Choice {
        Choice { id: title.to_lowercase(), title: title.into() }
    }

    fn asked(titles: &[&str]) -> Contact {
        let mut contact = Contact::new(ContactId(1));
        let choices = titles.iter().copied().map(choice).collect();
        let message = Outgoing::Numbered { text: "Which?".into(), choices };
        note(&mut contact, &ChannelId::new("main"), &message, 1_000);
        contact
    }

    fn chosen(contact: &Contact, text: &str) -> Option<String> {
        let mut contact = contact.clone();
        let choice = answer(&mut contact, &ChannelId::new("main"), text, 2_000);
        assert_eq!(contact.asked.is_none(), choice.is_some(), "{text}");
        choice.map(|choice| choice.title)
    }

    #[test]
    fn a_number_or_a_title_is_an_answer() {
        let contact = asked(&["Rye bread", "Oat bread", "Cake"]);
        for text in [
            "3",
            " 3 ",
            "3.",
            "3)",
            "(3)",
            "#3",
            "no 3",
            "No. 3",
            "Nr 3",
            "number 3",
            "Option 3!",
            "３",
            "③",
            "3️⃣",
            "٣",
            "۳",
            "३",
            "๓",
            "cake",
            "CAKE ",
            "№ 3",
            "3。",
        ] {
            assert_eq!(chosen(&contact, text).as_deref(), Some("Cake"), "{text}");
        }
        assert_eq!(chosen(&contact, "rye  Bread").as_deref(), Some("Rye bread"));
        for text in
            ["0", "4", "33", "3 please", "1 or 3", "-3", "3.5", "3rd", "", "bread", "no", "٣x"]
        {
            assert_eq!(chosen(&contact, text), None, "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_no_answer() {
        let contact = asked(&["2", "1", "10", "Cake", "cake"]);
        assert_eq!(chosen(&contact, "1"), None);
        assert_eq!(chosen(&contact, "10").as_deref(), Some("10"));
        assert_eq!(chosen(&contact, "cake"), None);
        assert_eq!(chosen(&contact, "4").as_deref(), Some("Cake"));
        let same = asked(&["1", "2"]);
        assert_eq!(chosen(&same, "2").as_deref(), Some("2"));
    }

    #[test]
    fn a_question_stands_for_a_day_on_its_channel_until_another() {
        let (main, other) = (ChannelId::new("main"), ChannelId::new("other"));
        let contact = asked(&["Rye"]);
        let answered =
            |channel, at| answer(&mut contact.clone(), channel, "1", 1_000 + at).is_some();
        assert!(answered(&main, STANDS_MS) && !answered(&main, STANDS_MS + 1));
        assert!(!answered(&other, 0));
        let mut contact = contact.clone();
        note(&mut contact, &main, &Outgoing::Text("Take your time".into()), 2_000);
        assert!(contact.asked.is_some());
        let (header, footer, body) = (None, None, "Sure?".to_owned());
        let buttons = Outgoing::Buttons { header, body, footer, buttons: vec![choice("Yes")] };
        note(&mut contact, &main, &buttons, 3_000);
        assert_eq!(contact.asked, None);
    }
}
