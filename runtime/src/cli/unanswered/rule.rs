//! A rule to paste: a group of questions as an `[[answer]]` of faq.

use super::{Group, likeness::telling, text::Text};
use std::{collections::HashSet, fmt::Write};

/// More wordings than this teach little.
const ASKS: usize = 8;
/// What the plugin takes of one, in characters.
const ASK_CHARS: usize = 500;
const ID_CHARS: usize = 40;

/// Names each group, and no two alike.
pub fn name(groups: &mut [Group], texts: &[Text]) {
    let mut taken = HashSet::new();
    for group in groups {
        let words = telling(texts, &group.members).join("-");
        let words: String = words.chars().take(ID_CHARS).collect();
        let words = if words.is_empty() { "question".into() } else { words };
        let numbered = |n: usize| if n == 1 { words.clone() } else { format!("{words}-{n}") };
        group.id = (1..).map(numbered).find(|id| taken.insert(id.clone())).unwrap_or(words);
    }
}

/// The rule as TOML, with what is to be said left empty: rules are refused
/// until it is written.
pub fn toml(group: &Group) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut rule = format!("[[answer]]\nid = {}\nask = [\n", text(&group.id));
    for wording in group.wordings.iter().take(ASKS) {
        let ask: String = wording.text.chars().take(ASK_CHARS).collect();
        let often =
            if wording.count > 1 { format!(" # {} times", wording.count) } else { String::new() };
        // Into a `String` it cannot fail.
        let _ = writeln!(rule, "  {},{often}", text(&ask));
    }
    if let Some(more @ 1..) = group.wordings.len().checked_sub(ASKS) {
        let _ = writeln!(rule, "  # and in {more} other ways");
    }
    rule.push_str("]\nsay = \"\"");
    rule
}
