//! Which question a message asks: an index from words to the lines that hold
//! them, so that the time depends on the message and not on the rules.
//!
//! From sure to unsure: the line itself (1), the line as a phrase within the
//! message (0.90 to 0.99), all of its words (0.80 to 0.89), much the same words
//! (0.50 to 0.79). A rare word weighs more than one in every line.

use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, HashMap, HashSet};
use switchboard_plugin::text::{Text, stands_alone};

/// How a line is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By its words, also when they are asked a little differently.
    Learned,
    /// The whole message is the line.
    Exact,
    /// The message begins with it.
    Prefix,
    /// It is a pattern that fits somewhere in the message, in lower case.
    Regex,
}

/// A line that customers might write.
pub struct Ask<'a> {
    pub text: &'a str,
    pub how: How,
}

/// An answer and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub answer: usize,
    /// 0 to 1, comparable from rule to rule.
    pub score: f32,
    pub how: String,
}

/// From this score on, an answer is given.
pub const THRESHOLD: f32 = 0.5;
/// Answers whose scores are not further apart are alike.
pub const CLOSE: f32 = 0.02;

/// The lines that customers might write, of all answers.
pub struct Questions {
    lines: Vec<Line>,
    /// From a term to the lines that have it.
    index: HashMap<String, Vec<usize>>,
    fixed: Vec<Fixed>,
    /// What is read as what: the first of the words that mean the same.
    synonyms: Vec<(Text, Text)>,
}

/// A line that is not learned.
struct Fixed {
    answer: usize,
    test: Test,
}

enum Test {
    Exact(Text),
    Prefix(Text),
    Regex(Regex),
}

struct Line {
    answer: usize,
    text: Text,
    /// How many words it has as written.
    words: u32,
    terms: usize,
    /// The weights of its terms together.
    weight: f32,
}

/// Below this likeness (0 to 1) a message does not ask a question. Lower, and
/// more is answered, and more of it wrongly: a wrong answer costs more than
/// the fallback.
const ALIKE: f32 = 0.5;
/// Words so common that they tell nothing, unless a line has no others.
const STOP_WORDS: &str = "a an and are at be can could do does for from have hello hey hi i id im \
    in is it like me my need of on or our please tell thank thanks that the there this to us want \
    was we what whats will with would you your yours \
    de del el en es la las lo los por que un una y o e as os um uma le les des du et est je vous \
    der die das und ist ich ein eine \
    请 问 是 的 吗 呢 了 你 我 们 您 什 么";

impl Questions {
    /// `answers[i]` are the lines of answer i. Error: which answer's which
    /// line, and what is wrong with it.
    pub fn new(
        answers: &[Vec<Ask<'_>>],
        synonyms: &[Vec<String>],
    ) -> Result<Self, Vec<(usize, usize, String)>> {
        let mut questions = Self {
            lines: Vec::new(),
            index: HashMap::new(),
            fixed: Vec::new(),
            synonyms: pairs(synonyms),
        };
        let mut problems = Vec::new();
        for (answer, asks) in answers.iter().enumerate() {
            for (line, ask) in asks.iter().enumerate() {
                if let Err(problem) = questions.add(answer, ask) {
                    problems.push((answer, line, problem));
                }
            }
        }
        questions.weigh();
        if problems.is_empty() { Ok(questions) } else { Err(problems) }
    }

    fn add(&mut self, answer: usize, ask: &Ask<'_>) -> Result<(), String> {
        let text = self.read(ask.text);
        if ask.how != How::Regex && text.is_empty() {
            return Err("a question needs at least one word".into());
        }
        let test = match ask.how {
            How::Learned => {
                self.learn(answer, text.clone());
                Test::Exact(text)
            }
            How::Exact => Test::Exact(text),
            How::Prefix => Test::Prefix(text),
            How::Regex => Test::Regex(
                RegexBuilder::new(ask.text)
                    .case_insensitive(true)
                    .build()
                    .map_err(|error| format!("is no regular expression: {error}"))?,
            ),
        };
        self.fixed.push(Fixed { answer, test });
        Ok(())
    }

    fn learn(&mut self, answer: usize, text: Text) {
        let terms = terms(&text, Side::Question);
        let line = self.lines.len();
        for term in &terms {
            self.index.entry(term.clone()).or_default().push(line);
        }
        let words = text.words().count() as u32;
        self.lines.push(Line { answer, text, words, terms: terms.len(), weight: 0.0 });
    }

    /// A text in which words that mean the same are the same.
    fn read(&self, text: &str) -> Text {
        let mut text = Text::new(text);
        for (word, meant) in &self.synonyms {
            if text.contains(word) {
                let spaced = format!(" {} ", text.as_str());
                let word = format!(" {} ", word.as_str());
                text = Text::new(&spaced.replace(&word, &format!(" {} ", meant.as_str())));
            }
        }
        text
    }

    fn weigh(&mut self) {
        let weights: Vec<(f32, &Vec<usize>)> =
            self.index.values().map(|lines| (self.weight(lines.len()), lines)).collect();
        let mut totals = vec![0.0; self.lines.len()];
        for (weight, lines) in weights {
            for line in lines {
                if let Some(total) = totals.get_mut(*line) {
                    *total += weight;
                }
            }
        }
        for (line, total) in self.lines.iter_mut().zip(totals) {
            line.weight = total;
        }
    }

    /// How much a term tells that stands in so many lines.
    fn weight(&self, lines: usize) -> f32 {
        (1.0 + self.lines.len() as f32 / lines.max(1) as f32).ln()
    }

    /// The best answers, best first, at most three, among those that `may`
    /// lets in.
    pub fn find(&self, message: &str, may: &dyn Fn(usize) -> bool) -> Vec<Found> {
        let text = self.read(message);
        let mut best: BTreeMap<usize, Found> = BTreeMap::new();
        let mut keep = |found: Found| {
            let known = best.get(&found.answer);
            if known.is_none_or(|known| known.score < found.score) && may(found.answer) {
                best.insert(found.answer, found);
            }
        };
        let lower = message.to_lowercase();
        for fixed in &self.fixed {
            if let Some((score, how)) = fixed.test.score(&text, &lower) {
                keep(Found { answer: fixed.answer, score, how: how.into() });
            }
        }
        let (hits, total) = self.hits(&text);
        for (line, hit) in hits {
            let Some(line) = self.lines.get(line) else { continue };
            if let Some(found) = line.score(&text, hit, total) {
                keep(found);
            }
        }
        // In rule order, and the sort is stable: of equals, the first rule.
        let mut found: Vec<Found> = best.into_values().collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(3);
        found
    }

    /// The lines that share a term with the message, and the message's weight.
    fn hits(&self, message: &Text) -> (BTreeMap<usize, Hit>, f32) {
        let mut hits: BTreeMap<usize, Hit> = BTreeMap::new();
        let mut total = 0.0;
        for term in terms(message, Side::Message) {
            let lines = self.index.get(&term).map_or(&[][..], Vec::as_slice);
            let weight = self.weight(lines.len());
            // A single character of a run only helps lines that are one.
            if !(lines.is_empty() && is_single(&term)) {
                total += weight;
            }
            for line in lines {
                let hit = hits.entry(*line).or_default();
                hit.terms += 1;
                hit.weight += weight;
            }
        }
        (hits, total)
    }
}

impl Test {
    fn score(&self, message: &Text, lower: &str) -> Option<(f32, &'static str)> {
        match self {
            Self::Exact(text) => (text == message).then_some((1.0, "is asked word for word")),
            Self::Prefix(text) => message
                .as_str()
                .strip_prefix(text.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                .then_some((0.95, "is how it begins")),
            Self::Regex(regex) => {
                regex.is_match(lower).then_some((0.95, "has a pattern that fits"))
            }
        }
    }
}

fn pairs(synonyms: &[Vec<String>]) -> Vec<(Text, Text)> {
    let of = |words: &Vec<String>| {
        let mut words = words.iter().map(|word| Text::new(word));
        let meant = words.next().unwrap_or_else(|| Text::new(""));
        words.filter(|word| !word.is_empty()).map(|word| (word, meant.clone())).collect::<Vec<_>>()
    };
    synonyms.iter().flat_map(of).collect()
}

#[derive(Clone, Copy, Default)]
struct Hit {
    terms: usize,
    weight: f32,
}

impl Line {
    fn score(&self, message: &Text, hit: Hit, total: f32) -> Option<Found> {
        let found = |score: u32, how: &str| {
            let score = score as f32 / 100.0;
            Some(Found { answer: self.answer, score, how: how.into() })
        };
        let all = hit.terms == self.terms;
        if all && message.contains(&self.text) {
            return found(90 + self.words.min(9), "is asked as a phrase");
        }
        let share = hit.weight / self.weight.max(f32::EPSILON);
        let relevant = hit.weight / total.max(f32::EPSILON);
        let alike = (share * relevant).sqrt().min(1.0);
        // One word out of a question is little: the message must be about it.
        if all && (self.terms > 1 || self.words == 1 || alike >= ALIKE) {
            return found(80 + self.terms.min(9) as u32, "has all its words");
        }
        if hit.terms < 2 || alike < ALIKE {
            return None;
        }
        found(50 + (alike * 29.0) as u32, "has most of its words")
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Question,
    Message,
}

/// What a text is compared by: its words without plural endings and, for runs
/// of characters that are written without spaces, each pair of neighbours. A
/// question that is a single such character is that character, so a message
/// has the single ones too.
fn terms(text: &Text, side: Side) -> HashSet<String> {
    let stop: HashSet<&str> = STOP_WORDS.split_whitespace().collect();
    let mut words: Vec<&str> = text.words().filter(|word| !stop.contains(word)).collect();
    if words.is_empty() {
        words = text.words().collect();
    }
    let mut terms = HashSet::new();
    for (at, word) in words.iter().enumerate() {
        if !is_single(word) {
            terms.insert(stem(word).to_owned());
            continue;
        }
        let pair = words.get(at + 1).filter(|next| is_single(next));
        let in_run = at.checked_sub(1).and_then(|at| words.get(at)).is_some_and(|w| is_single(w));
        if let Some(next) = pair {
            terms.insert(format!("{word}{next}"));
        }
        if side == Side::Message || (pair.is_none() && !in_run) {
            terms.insert((*word).to_owned());
        }
    }
    terms
}

fn is_single(term: &str) -> bool {
    let mut chars = term.chars();
    chars.next().is_some_and(stands_alone) && chars.next().is_none()
}

/// Without the plural `s` of English and its neighbours.
fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() >= 3 && !stem.ends_with(['s', 'u', 'i']) => stem,
        _ => word,
    }
}
