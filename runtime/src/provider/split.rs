//! Cutting a long text where a reader would: between paragraphs, else between
//! sentences, else between words.

/// The parts of `text`, each of at most `limit` characters and none empty.
/// Blanks at the cuts are lost, nothing else is.
pub(super) fn split(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some((end, _)) = rest.char_indices().nth(limit.max(1)) {
        let (part, after) = rest.split_at(cut(rest, end, limit));
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Where to cut `text`, before `end`. A cut in the first quarter would leave a
/// stump, so then the next best kind of place is taken.
fn cut(text: &str, end: usize, limit: usize) -> usize {
    let window = text.get(..end).unwrap_or(text);
    let stump = window.char_indices().nth(limit / 4).map_or(0, |(at, _)| at).max(1);
    let paragraph = window.rfind("\n\n");
    let places = [paragraph, sentence_end(text, end), last_blank(text, end)];
    let place = places.into_iter().flatten().find(|at| *at >= stump);
    place.unwrap_or_else(|| whole_sign(text, end))
}

/// Behind the last sentence that ends at `end` or before.
fn sentence_end(text: &str, end: usize) -> Option<usize> {
    let mut last = None;
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let next = at + sign.len_utf8();
        if next > end {
            break;
        }
        let follows = signs.peek().map(|(_, sign)| *sign);
        let ends = match sign {
            '。' | '！' | '？' | '\n' => true,
            // Not within 3.14 or example.com.
            '.' | '!' | '?' | '…' | '؟' | '।' => follows.is_none_or(char::is_whitespace),
            _ => false,
        };
        if ends {
            last = Some(next);
        }
    }
    last
}

/// The last blank before or right at `end`.
fn last_blank(text: &str, end: usize) -> Option<usize> {
    match text.get(end..).is_some_and(|after| after.starts_with(char::is_whitespace)) {
        true => Some(end),
        false => text.get(..end).and_then(|window| window.rfind(char::is_whitespace)),
    }
}

/// At `end`, or a little before it where `end` is within one visible sign (an
/// emoji of several characters, a letter with its accent).
fn whole_sign(text: &str, end: usize) -> usize {
    const SIGN_MAX: usize = 16;
    const JOINER: char = '\u{200d}';
    let joins = |sign: char| {
        matches!(sign, '\u{0300}'..='\u{036f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
            || sign == JOINER
    };
    let whole = |at: &usize| {
        let after = text.get(*at..).unwrap_or_default();
        let before = text.get(..*at).unwrap_or_default();
        !before.is_empty() && !before.ends_with(JOINER) && !after.starts_with(joins)
    };
    let window = text.get(..end).unwrap_or(text);
    let starts = window.char_indices().rev().map(|(at, _)| at);
    std::iter::once(end).chain(starts).take(SIGN_MAX).find(whole).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_where_a_reader_would() {
        for (text, limit, parts) in [
            ("short", 10, vec!["short"]),
            ("one two. three\n\nfour five", 20, vec!["one two. three", "four five"]),
            ("one two. three four", 14, vec!["one two.", "three four"]),
            ("costs 3.14 at a.com today", 18, vec!["costs 3.14 at", "a.com today"]),
            ("营业时间是九点。周末休息。", 10, vec!["营业时间是九点。", "周末休息。"]),
            ("真的吗？当然！好的", 5, vec!["真的吗？", "当然！好的"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            ("exactly ten", 7, vec!["exactly", "ten"]),
            ("  \n ", 4, vec![]),
            ("", 4, vec![]),
        ] {
            assert_eq!(split(text, limit), parts, "{text}");
        }
    }

    #[test]
    fn an_early_paragraph_does_not_leave_a_stump() {
        let text = format!("Hi\n\n{}", "word ".repeat(30));
        assert!(split(&text, 100)[0].chars().count() > 50);
    }

    #[test]
    fn a_sign_of_several_characters_stays_whole() {
        let family = "👩\u{200d}👩\u{200d}👧";
        let text = format!("abc{family}c");
        assert_eq!(split(&text, 6), ["abc", &format!("{family}c")]);
        assert_eq!(split("abce\u{301}f", 4), ["abc", "e\u{301}f"]);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-z。. \n\u{301}👩\u{200d}]{0,200}", limit in 1..40usize) {
            let parts = split(&text, limit);
            let signs = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(signs(&parts.concat()), signs(&text));
            for part in parts {
                prop_assert!(!part.is_empty() && part.chars().count() <= limit, "{part:?}");
            }
        }
    }
}
