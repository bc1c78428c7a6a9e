//! Words of others made fit to be shown: of bounded length, and without
//! characters that would move a terminal's cursor or turn the reading order.

/// `text` on one line, whole.
pub fn plain(text: &str) -> String {
    plain_line(text, usize::MAX)
}

/// At most `chars` characters of `text`. Line ends and tabs stay.
pub fn plain_text(text: &str, chars: usize) -> String {
    text.chars().filter(|c| !turns_reading(*c)).map(shown).take(chars).collect()
}

/// As `plain_text`, on one line.
pub fn plain_line(text: &str, chars: usize) -> String {
    plain_text(text.trim(), chars).replace(['\n', '\t'], " ").trim().to_owned()
}

fn shown(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm:
/// right-to-left scripts are read rightly without them.
fn turns_reading(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_deceive() {
        assert_eq!(
            plain_text("a\u{1b}[2Jb\u{202E}c\r\nd\té 营业", 99),
            "a\u{FFFD}[2Jbc\u{FFFD}\nd\té 营业"
        );
        assert_eq!(plain_line(" one\ntwo\tthree ", 7), "one two");
        assert_eq!(plain_text("שלום\u{200F}!", 9), "שלום!");
        assert_eq!(plain("one\ntwo\u{1b}[2J\u{202E}"), "one two\u{FFFD}[2J");
    }
}
