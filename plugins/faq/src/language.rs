//! Which language a contact is answered in.

use crate::{rules::Rules, said::Language};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use switchboard_plugin::{Instant, Scope, business, contact, kv, text::Text};
use whatlang::{Detector, Lang};

/// The languages of the rules' texts, ready to choose from.
pub struct Languages {
    default: String,
    tags: BTreeSet<String>,
    detector: Detector,
    /// The words of the texts that are in each.
    words: BTreeMap<String, HashSet<String>>,
}

/// What the contact was last sure to write in.
const KEPT: &str = "language";
const KEPT_FOR_MS: Instant = 90 * 24 * 3_600_000;

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
        let known = tags.iter().filter_map(|tag| lang(tag)).collect();
        Self { default, tags, detector: Detector::with_allowlist(known), words }
    }

    /// The language, and how it was found; nothing to tell where the texts
    /// are in one language. `words` are the message's.
    pub fn choose(&self, words: Option<&str>) -> Result<(Language, Option<&'static str>), String> {
        if self.tags.len() < 2 {
            return Ok((self.named(&self.default), None));
        }
        let preferred = contact::language().and_then(|language| self.offered(&language));
        if let Some(tag) = preferred {
            return Ok((self.named(tag), Some("as the contact prefers")));
        }
        if let Some(tag) = words.and_then(|words| self.detected(words)) {
            if self.kept() != Some(tag) {
                let until = business::now().saturating_add(KEPT_FOR_MS);
                kv::set(Scope::Contact, KEPT, tag.as_bytes(), Some(until))?;
            }
            return Ok((self.named(tag), Some("as the message is")));
        }
        if let Some(tag) = self.kept() {
            return Ok((self.named(tag), Some("as an earlier message was")));
        }
        let alike = words.and_then(|words| self.alike(words));
        Ok(match alike {
            Some(tag) => (self.named(tag), Some("as the words are of its texts")),
            None => (self.named(&self.default), Some("for want of a better one")),
        })
    }

    fn named(&self, tag: &str) -> Language {
        Language { tag: tag.into(), default: self.default.clone() }
    }

    /// The language of the rules that a tag asks for: itself, else one with
    /// the same beginning.
    fn offered(&self, tag: &str) -> Option<&str> {
        let same =
            |a: &str, b: &str| a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"));
        let exact = self.tags.iter().find(|own| same(own, tag));
        let near = || self.tags.iter().find(|own| same(primary(own), primary(tag)));
        exact.or_else(near).map(String::as_str)
    }

    /// Sure by its script or by how it is written.
    fn detected(&self, words: &str) -> Option<&str> {
        let found = self.detector.detect(words).filter(|found| found.is_reliable())?;
        self.tags.iter().find(|tag| lang(tag) == Some(found.lang())).map(String::as_str)
    }

    fn kept(&self) -> Option<&str> {
        let kept = kv::get(Scope::Contact, KEPT)?;
        self.tags.iter().find(|tag| tag.as_bytes() == kept).map(String::as_str)
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

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// The detector's name of a language; none for one it does not know.
fn lang(tag: &str) -> Option<Lang> {
    /// Two letters as in a language tag, three as in ISO 639-3.
    const CODES: &str = "af afr am amh ar ara az aze be bel bg bul bn ben ca cat cs ces da dan de deu \
        el ell en eng eo epo es spa et est fa pes fi fin fr fra gu guj he heb hi hin hr hrv hu hun \
        hy hye id ind it ita ja jpn jv jav ka kat km khm kn kan ko kor la lat lt lit lv lav mk mkd \
        ml mal mr mar my mya nb nob ne nep nl nld no nob or ori pa pan pl pol pt por ro ron ru rus \
        si sin sk slk sl slv sn sna sr srp sv swe ta tam te tel th tha tk tuk tl tgl tr tur uk ukr \
        ur urd uz uzb vi vie yi yid zh cmn zu zul";
    let primary = primary(tag).to_ascii_lowercase();
    let mut codes = CODES.split_ascii_whitespace();
    while let (Some(two), Some(three)) = (codes.next(), codes.next()) {
        if two == primary {
            return Lang::from_code(three);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_the_detectors_languages() {
        for (tag, name) in [
            ("en", Some(Lang::Eng)),
            ("pt-BR", Some(Lang::Por)),
            ("zh_CN", Some(Lang::Cmn)),
            ("xx", None),
        ] {
            assert_eq!(lang(tag), name, "{tag}");
        }
        // Each code of the table is one it knows.
        let tags = "af am ar az be bg bn ca cs da de el en eo es et fa fi fr gu he hi hr hu hy id it \
            ja jv ka km kn ko la lt lv mk ml mr my nb ne nl no or pa pl pt ro ru si sk sl sn sr sv \
            ta te th tk tl tr uk ur uz vi yi zh zu";
        for tag in tags.split_whitespace() {
            assert!(lang(tag).is_some(), "{tag}");
        }
    }
}
