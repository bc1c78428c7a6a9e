//! Which language a contact is answered in.

use crate::{rules::Rules, said::Language};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use switchboard_plugin::{contact, text::Text};

/// The languages of the rules' texts, ready to choose from.
pub struct Languages {
    default: String,
    tags: Vec<String>,
    /// The words of the texts that are in each.
    words: BTreeMap<String, HashSet<String>>,
}

impl Languages {
    pub fn new(rules: &Rules) -> Self {
        let mut tags = BTreeSet::new();
        let mut words: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        for (_, said) in rules.texts() {
            for tag in said.languages() {
                let beneath = format!("/{tag}");
                let own = |(place, text): (String, _)| {
                    let rest = place.strip_prefix(&beneath)?;
                    (rest.is_empty() || rest.starts_with('/')).then_some(text)
                };
                let of_tag = words.entry(tag.to_owned()).or_default();
                for text in said.texts().into_iter().filter_map(own) {
                    of_tag.extend(Text::new(text).words().map(str::to_owned));
                }
                tags.insert(tag.to_owned());
            }
        }
        for (_, label) in rules.labels() {
            tags.extend(label.languages().into_iter().map(str::to_owned));
        }
        let default = rules.language.clone().unwrap_or_default();
        Self { default, tags: tags.into_iter().collect(), words }
    }

    /// The language, and how it was found; nothing to tell where the texts
    /// are in one language. `words` are the message's.
    pub fn choose(&self, words: Option<&str>) -> (Language, Option<&'static str>) {
        if self.tags.len() < 2 {
            return (self.named(&self.default), None);
        }
        if let Some(tag) = contact::language_among(&self.tags) {
            // Preferences go first: one for this language is why.
            let preferred = contact::language().is_some_and(|it| primary(&it) == primary(&tag));
            let how = if preferred { "as the contact prefers" } else { "as the contact writes" };
            return (self.named(&tag), Some(how));
        }
        match words.and_then(|words| self.alike(words)) {
            Some(tag) => (self.named(tag), Some("as the words are of its texts")),
            None => (self.named(&self.default), Some("for want of a better one")),
        }
    }

    fn named(&self, tag: &str) -> Language {
        Language { tag: tag.into(), default: self.default.clone() }
    }

    /// The one language whose texts share the most words with the message.
    fn alike(&self, words: &str) -> Option<&str> {
        let text = Text::new(words);
        let shared =
            |own: &HashSet<String>| text.words().filter(|word| own.contains(*word)).count();
        let mut counts: Vec<(usize, &str)> =
            self.words.iter().map(|(tag, own)| (shared(own), tag.as_str())).collect();
        counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        match counts.as_slice() {
            [(most, tag), (next, _), ..] if most > next => Some(tag),
            _ => None,
        }
    }
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase()
}
