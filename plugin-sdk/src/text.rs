//! One way to compare words for every plugin: case, accents, punctuation,
//! width and spacing do not count.
//!
//! Scripts written without spaces (Chinese, Japanese, Thai …) have no words
//! to find, so each of their characters is a word here; a phrase of them is
//! found wherever its characters follow each other.

use unicode_normalization::UnicodeNormalization;

/// A text in its comparable form: words joined by single spaces, with a space
/// at either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(String);

impl Text {
    pub fn new(text: &str) -> Self {
        // Most texts need none of it, and rules have thousands of them.
        if text.is_ascii() {
            return Self::ascii(text);
        }
        // Compatibility forms apart, marks off, then together again: Hangul
        // and kana that decomposed become what they were.
        let plain: String = text.nfkd().filter(|c| !is_mark(*c)).nfc().collect();
        let mut out = String::with_capacity(plain.len() + 2);
        out.push(' ');
        for c in plain.chars().flat_map(char::to_lowercase) {
            match c {
                // Written together: don't, o'clock.
                '\'' | '\u{2019}' | '\u{02bc}' => {}
                'ß' => out.push_str("ss"),
                'ς' => out.push('σ'),
                _ if stands_alone(c) => {
                    end_word(&mut out);
                    out.push(c);
                    out.push(' ');
                }
                // Not a mark we take off: the vowels of Indic scripts.
                _ if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => {
                    out.push(c);
                }
                _ => end_word(&mut out),
            }
        }
        end_word(&mut out);
        Self(out)
    }

    fn ascii(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        out.push(' ');
        for c in text.bytes() {
            match c {
                b'\'' => {}
                _ if c.is_ascii_alphanumeric() => out.push(char::from(c.to_ascii_lowercase())),
                _ => end_word(&mut out),
            }
        }
        end_word(&mut out);
        Self(out)
    }

    /// Without the spaces at the ends.
    pub fn as_str(&self) -> &str {
        self.0.trim_matches(' ')
    }
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }
    /// Whether `phrase` occurs from one word's beginning to another's end. An
    /// empty phrase occurs nowhere.
    pub fn contains(&self, phrase: &Text) -> bool {
        !phrase.is_empty() && self.0.contains(&phrase.0)
    }
}

fn end_word(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Accents and vowel points that people leave out: Latin, Greek and Cyrillic
/// marks, Hebrew and Arabic points, the joiners, the variation selectors.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0591}'..='\u{05bd}' | '\u{05bf}'..='\u{05c7}'
        | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{0640}' | '\u{200b}'..='\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{00ad}')
}

/// Characters of scripts that are written without spaces between words.
pub fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e01}'..='\u{0eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Burmese, Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' // kana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_is_taken_off() {
        for (text, plain) in [
            ("  What are your OPENING hours?! ", "what are your opening hours"),
            ("¿Cuándo abrís?", "cuando abris"),
            ("Ｆｕｌｌ　ｗｉｄｔｈ ①", "full width 1"),
            ("Don’t / dont / don't", "dont dont dont"),
            ("STRASSE Straße", "strasse strasse"),
            ("Ёлка и Йод", "елка и иод"),
            ("营业时间?", "营 业 时 间"),
            ("iPhone手机 ok", "iphone 手 机 ok"),
            ("안녕하세요", "안녕하세요"),
            ("がぎぐ", "が ぎ ぐ"),
            ("नमस्ते", "नमस्ते"),
            ("a\u{200d}b 👍🏽 c", "ab c"),
            ("", ""),
        ] {
            assert_eq!(Text::new(text).as_str(), plain, "{text}");
        }
    }

    #[test]
    fn phrases_are_found_whole() {
        let holds = |text, phrase| Text::new(text).contains(&Text::new(phrase));
        assert!(holds("Please STOP, now", "stop"));
        assert!(!holds("unstoppable", "stop"));
        assert!(holds("do you have opening hours", "Opening Hours"));
        assert!(!holds("opening your hours", "opening hours"));
        assert!(holds("我想投诉你们", "投诉"));
        assert!(!holds("投一诉", "投诉"));
        assert!(!holds("anything", "?!"));
    }
}
