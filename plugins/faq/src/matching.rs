//! Which question a message asks: an index from words to the lines that hold
//! them, so that the time depends on the message and not on the rules.
//!
//! From sure to unsure: the line itself (100), the line as a phrase within the
//! message (90 to 99), all of its words (80 to 89), much the same words (50 to
//! 79). A rare word weighs more than one in every line.

use std::collections::{BTreeMap, HashMap, HashSet};
use switchboard_plugin::text::{Text, stands_alone};

/// An answer and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub answer: usize,
    /// 50 to 100.
    pub score: u32,
    pub how: &'static str,
}

/// The lines that customers might write, of all answers.
pub struct Questions {
    lines: Vec<Line>,
    /// From a term to the lines that have it.
    index: HashMap<String, Vec<usize>>,
    exact: HashMap<Text, usize>,
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
    /// `asks` yields the lines of each answer, in rule order.
    pub fn new<'a>(asks: impl Iterator<Item = &'a [String]>) -> Self {
        let mut questions =
            Self { lines: Vec::new(), index: HashMap::new(), exact: HashMap::new() };
        for (answer, asks) in asks.enumerate() {
            for ask in asks {
                questions.add(answer, Text::new(ask));
            }
        }
        questions.weigh();
        questions
    }

    fn add(&mut self, answer: usize, text: Text) {
        let terms = terms(&text, Side::Question);
        let line = self.lines.len();
        for term in &terms {
            self.index.entry(term.clone()).or_default().push(line);
        }
        // The first rule with the line keeps it.
        self.exact.entry(text.clone()).or_insert(answer);
        let words = text.words().count() as u32;
        self.lines.push(Line { answer, text, words, terms: terms.len(), weight: 0.0 });
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

    /// The best answer, and the best of another rule behind it.
    pub fn find(&self, message: &str) -> [Option<Found>; 2] {
        let text = Text::new(message);
        let mut best: BTreeMap<usize, Found> = BTreeMap::new();
        if let Some(answer) = self.exact.get(&text) {
            let found = Found { answer: *answer, score: 100, how: "is asked word for word" };
            best.insert(*answer, found);
        }
        let (hits, total) = self.hits(&text);
        for (line, hit) in hits {
            let Some(line) = self.lines.get(line) else { continue };
            if let Some(found) = line.score(&text, hit, total)
                && best.get(&line.answer).is_none_or(|known| known.score < found.score)
            {
                best.insert(line.answer, found);
            }
        }
        // In rule order, and the sort is stable: of equals, the first rule.
        let mut found: Vec<Found> = best.into_values().collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.score));
        let mut found = found.into_iter();
        [found.next(), found.next()]
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

#[derive(Clone, Copy, Default)]
struct Hit {
    terms: usize,
    weight: f32,
}

impl Line {
    fn score(&self, message: &Text, hit: Hit, total: f32) -> Option<Found> {
        let found = |score, how| Some(Found { answer: self.answer, score, how });
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
