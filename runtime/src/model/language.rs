//! Which of a few languages to answer in. Pure; also what the test kit of the
//! plugin SDK uses, so that a test and a turn agree.

use serde::{Deserialize, Serialize};
use whatlang::{Detector, Lang};

/// The language that a message surely was in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    /// A primary tag: `de`.
    pub language: String,
    /// Milliseconds since the epoch.
    pub at: u64,
}

impl Written {
    /// How long a message tells of those after it.
    const KEPT_FOR_MS: u64 = 90 * 24 * 3_600_000;

    /// Whether it still counts.
    pub fn counts_at(&self, now: u64) -> bool {
        self.at.saturating_add(Self::KEPT_FOR_MS) > now
    }
}

/// Which of `tags` to answer in: the one that `preferred` asks for, else the one
/// that `words` are surely in, else that of an earlier message. What is sure of
/// `words` is kept in `written`, for the messages to come. None: not known.
pub fn language_among<'a>(
    tags: &'a [String],
    preferred: Option<&str>,
    words: Option<&str>,
    written: &mut Option<Written>,
    now: u64,
) -> Option<&'a str> {
    if let Some(tag) = preferred.and_then(|preferred| asked_for(preferred, tags)) {
        return Some(tag);
    }
    if let Some(tag) = words.and_then(|words| surely(words, tags)) {
        let language = primary(tag).to_ascii_lowercase();
        *written = Some(Written { language, at: now });
        return Some(tag);
    }
    let earlier = written.as_ref().filter(|written| written.counts_at(now))?;
    asked_for(&earlier.language, tags)
}

/// The tag itself, else its language of no place, else of any.
fn asked_for<'a>(wanted: &str, tags: &'a [String]) -> Option<&'a str> {
    let same = |a: &str, b: &str| a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"));
    let exact = tags.iter().find(|tag| same(tag, wanted));
    let plain = || tags.iter().find(|tag| same(tag, primary(wanted)));
    let near = || tags.iter().find(|tag| same(primary(tag), primary(wanted)));
    exact.or_else(plain).or_else(near).map(String::as_str)
}

/// The one that words are in, plain by their script or by how they are written.
fn surely<'a>(words: &str, tags: &'a [String]) -> Option<&'a str> {
    let known: Vec<Lang> = tags.iter().filter_map(|tag| lang(tag)).collect();
    // Of nothing but languages that it does not know, it would choose any.
    if known.is_empty() {
        return None;
    }
    let found = Detector::with_allowlist(known).detect(words).filter(|it| it.is_reliable())?;
    tags.iter().find(|tag| lang(tag) == Some(found.lang())).map(String::as_str)
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

    fn tags(list: &[&str]) -> Vec<String> {
        list.iter().map(|tag| (*tag).to_owned()).collect()
    }

    const SPANISH: &str = "¿Podrían decirme a qué hora se sirve el desayuno mañana?";

    #[test]
    fn a_wish_goes_before_the_message_and_that_before_earlier_ones() {
        let ours = tags(&["en", "es", "zh", "pt-BR"]);
        let mut written = None;
        let mut among = |preferred, words, now| {
            language_among(&ours, preferred, Some(words), &mut written, now).map(str::to_owned)
        };
        assert_eq!(among(None, "wifi", 1), None);
        assert_eq!(among(Some("zh"), SPANISH, 1).as_deref(), Some("zh"));
        // What was not asked of the words is not kept.
        assert_eq!(among(None, "wifi", 1), None);
        assert_eq!(among(None, SPANISH, 1).as_deref(), Some("es"));
        assert_eq!(among(None, "wifi", 2).as_deref(), Some("es"));
        assert_eq!(among(Some("ja"), "wifi", 2).as_deref(), Some("es"));
        assert_eq!(among(None, "几点吃早饭", 3).as_deref(), Some("zh"));
        let end = 3 + 90 * 24 * 3_600_000;
        assert_eq!(among(None, "wifi", end - 1).as_deref(), Some("zh"));
        assert_eq!(among(None, "wifi", end), None);
    }

    #[test]
    fn a_wish_is_met_as_nearly_as_can_be() {
        let ours = tags(&["es-MX", "es", "pt_BR", "zh-CN"]);
        for (wanted, tag) in [
            ("es-mx", Some("es-MX")),
            ("es-CO", Some("es")),
            ("pt-br", Some("pt_BR")),
            ("pt", Some("pt_BR")),
            ("zh-TW", Some("zh-CN")),
            ("ja", None),
            ("", None),
        ] {
            assert_eq!(language_among(&ours, Some(wanted), None, &mut None, 0), tag, "{wanted}");
        }
        // A message in a language that is not among them tells nothing of them.
        let earlier = &mut Some(Written { language: "de".into(), at: 0 });
        assert_eq!(language_among(&ours, None, None, earlier, 1), None);
        assert_eq!(language_among(&tags(&["xx"]), None, Some(SPANISH), &mut None, 1), None);
        assert_eq!(language_among(&[], None, Some(SPANISH), &mut None, 1), None);
    }
}
