//! Which question a message asks.
//!
//! Three kinds of evidence come together in one score from 0 to 1: a linear
//! model learned from all lines (`model`), the nearest single line (`lines`),
//! and what is beyond doubt: the line itself, or the whole of it within the
//! message. All is computed when the rules are loaded; a message is then looked
//! up by its words, so that the time hardly depends on how many rules there are.

mod lines;
mod model;
mod synonyms;
mod words;

use lines::{Lines, Said, Whole};
use model::Model;
use regex::{Regex, RegexBuilder};
use std::collections::HashMap;
use switchboard_plugin::text::Text;
use synonyms::Synonyms;
use words::{Sum, Vector, Words};

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
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub text: &'a str,
    pub how: How,
}

/// An answer and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub answer: usize,
    /// 0 to 1, comparable from rule to rule: about how often such an answer is right.
    pub score: f32,
    pub how: String,
}

/// From this score on, an answer is given.
pub const THRESHOLD: f32 = 0.5;
/// From this score on, and below the threshold, an answer may be offered.
pub const PERHAPS: f32 = 0.2;
/// Sure answers whose scores are not further apart are alike.
pub const CLOSE: f32 = 0.05;

/// At most so many answers are found: what fits in three buttons.
const MOST: usize = 3;
/// Less sure than this is not worth a word.
const LEAST: f32 = 0.05;
/// Of so many answers the nearest line is looked for.
const COMPARED: usize = 4;
/// How much the nearest line counts beside the linear model.
const NEAR: f32 = 0.5;

/// How much it counts that a line is in the message as it stands, and that all
/// of its words are.
const PHRASE: f32 = 0.15;
const WORDS: f32 = 0.05;

/// The lines that customers might write, of all answers.
pub struct Questions {
    words: Words,
    model: Model,
    lines: Lines,
    exact: HashMap<Text, Vec<usize>>,
    prefixes: Vec<(usize, Text)>,
    patterns: Vec<(usize, Regex)>,
    synonyms: Synonyms,
}

/// What speaks for an answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// The model's score and the nearest line's together.
    pub total: f32,
    /// How far ahead of the strongest rival that is.
    pub ahead: f32,
    /// How alike the nearest line is, 0 to 1.
    pub near: f32,
    /// How much of the message's weight the rules know, 0 to 1.
    pub known: f32,
    /// A line that is in the message as a whole.
    pub whole: Option<Whole>,
}

impl Questions {
    /// `answers[i]` are the lines of answer i. Error: which answer's which
    /// line, and what is wrong with it.
    pub fn new(
        answers: &[Vec<Ask<'_>>],
        synonyms: &[Vec<String>],
    ) -> Result<Self, Vec<(usize, usize, String)>> {
        let synonyms = Synonyms::new(synonyms);
        let mut exact: HashMap<Text, Vec<usize>> = HashMap::new();
        let (mut prefixes, mut patterns, mut learned) = (Vec::new(), Vec::new(), Vec::new());
        let mut problems = Vec::new();
        for (answer, asks) in answers.iter().enumerate() {
            for (line, ask) in asks.iter().enumerate() {
                let text = synonyms.read(ask.text);
                if ask.how != How::Regex && text.is_empty() {
                    problems.push((answer, line, "a question needs at least one word".into()));
                    continue;
                }
                match ask.how {
                    How::Learned => {
                        exact.entry(text.clone()).or_default().push(answer);
                        learned.push((answer, text));
                    }
                    How::Exact => exact.entry(text).or_default().push(answer),
                    How::Prefix => prefixes.push((answer, text)),
                    How::Regex => {
                        match RegexBuilder::new(ask.text).case_insensitive(true).build() {
                            Ok(pattern) => patterns.push((answer, pattern)),
                            Err(error) => {
                                let problem = format!("is no regular expression: {error}");
                                problems.push((answer, line, problem));
                            }
                        }
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let texts: Vec<&Text> = learned.iter().map(|(_, text)| text).collect();
        let (words, read) = Words::new(&texts);
        let mut sum = Sum::new(words.features());
        let vectors: Vec<(usize, Vector)> = learned
            .iter()
            .zip(&read)
            .map(|((answer, _), read)| (*answer, words.vector(read, &mut sum)))
            .collect();
        let model = Model::new(&vectors, answers.len(), words.features());
        let lines =
            learned.into_iter().zip(read).map(|((answer, text), read)| (answer, text, read));
        let lines = Lines::new(lines.collect(), answers.len(), &words);
        Ok(Self { words, model, lines, exact, prefixes, patterns, synonyms })
    }

    /// The best answers, best first, at most three, among those that `may`
    /// lets in.
    pub fn find(&self, message: &str, may: &dyn Fn(usize) -> bool) -> Vec<Found> {
        let text = self.synonyms.read(message);
        let mut found: Vec<Found> = Vec::new();
        let mut keep = |answer: usize, score: f32, how: &str| {
            if !may(answer) {
                return;
            }
            match found.iter_mut().find(|found| found.answer == answer) {
                Some(known) if known.score >= score => {}
                Some(known) => *known = Found { answer, score, how: how.into() },
                None => found.push(Found { answer, score, how: how.into() }),
            }
        };
        for answer in self.exact.get(&text).into_iter().flatten() {
            keep(*answer, 1.0, "is asked word for word");
        }
        for (answer, prefix) in &self.prefixes {
            let rest = text.as_str().strip_prefix(prefix.as_str());
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
                keep(*answer, 0.95, "is how it begins");
            }
        }
        if !self.patterns.is_empty() {
            let lower = message.to_lowercase();
            for (answer, _) in self.patterns.iter().filter(|(_, regex)| regex.is_match(&lower)) {
                keep(*answer, 0.95, "has a pattern that fits");
            }
        }
        // Whole lines are beyond doubt; which of several is meant, all evidence
        // together says, so the scores fall in its order.
        let weighed: Vec<_> = self.weigh(&text, may).into_iter().take(MOST).collect();
        for (at, (answer, evidence)) in weighed.iter().enumerate() {
            let scores = weighed.iter().skip(at).map(|(_, evidence)| evidence.score());
            keep(*answer, scores.fold(0.0, f32::max), evidence.how());
        }
        // Equals stay in order.
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.retain(|found| found.score >= LEAST);
        found.truncate(MOST);
        found
    }

    /// What speaks for the likeliest answers, best first.
    pub fn weigh(&self, text: &Text, may: &dyn Fn(usize) -> bool) -> Vec<(usize, Evidence)> {
        let read = self.words.read(text);
        let said = Said::new(text, &read, &self.words);
        let vector = self.words.vector(&read, &mut Sum::new(self.words.features()));
        let mut candidates = self.model.candidates(&vector, may);
        candidates.truncate(COMPARED);
        let wholes = self.lines.whole(&said);
        for (answer, _) in &wholes {
            if may(*answer) && !candidates.iter().any(|(known, _)| known == answer) {
                candidates.push((*answer, self.model.score(&vector, *answer)));
            }
        }
        let mut weighed: Vec<(usize, Evidence)> = candidates
            .into_iter()
            .map(|(answer, score)| {
                let whole = wholes.iter().find(|(of, _)| *of == answer).map(|(_, whole)| *whole);
                let bonus = match whole {
                    Some(Whole::Phrase(_)) => PHRASE,
                    Some(Whole::Words(_)) => WORDS,
                    None => 0.0,
                };
                let near = self.lines.nearest(answer, &said);
                let total = score + NEAR * near + bonus;
                (answer, Evidence { total, ahead: 0.0, near, known: said.known, whole })
            })
            .collect();
        weighed.sort_by(|a, b| b.1.total.total_cmp(&a.1.total).then(a.0.cmp(&b.0)));
        let first = weighed.first().map_or(0.0, |(_, best)| best.total);
        let second = weighed.get(1).map_or(0.0, |(_, next)| next.total.max(0.0));
        for (at, (_, evidence)) in weighed.iter_mut().enumerate() {
            evidence.ahead = evidence.total - if at == 0 { second } else { first };
        }
        weighed
    }
}

impl Evidence {
    fn score(self) -> f32 {
        let sure = match self.whole {
            Some(Whole::Phrase(words)) => 0.90 + 0.01 * words.min(9) as f32,
            Some(Whole::Words(words)) => 0.80 + 0.01 * words.min(9) as f32,
            None => 0.0,
        };
        // What is sure is not made surer by what is likely.
        if sure > 0.0 { sure } else { self.likely() }
    }

    fn how(self) -> &'static str {
        match self.whole {
            Some(Whole::Phrase(_)) => "is asked as a phrase",
            Some(Whole::Words(_)) => "has all its words",
            None => "is asked in like words",
        }
    }

    /// How often an answer with such evidence is right, 0 to 1.
    fn likely(self) -> f32 {
        let sum = LIKELY.ahead * self.ahead + LIKELY.near * self.near + LIKELY.known * self.known;
        (self.known / MOSTLY_KNOWN).min(1.0) / (1.0 + (UNLIKELY - sum).exp())
    }
}

/// What each kind of evidence counts, and what speaks against any answer. By a
/// logistic regression on real questions, half of them about something else,
/// with rules of 12 to 58 answers and 2 to 150 lines of each.
const LIKELY: Evidence = Evidence { total: 0.0, ahead: 3.3, near: 2.75, known: 0.9, whole: None };
const UNLIKELY: f32 = 3.2;
/// With less of it known, a message is rather about what the rules do not have,
/// however far ahead the best of a few answers is.
const MOSTLY_KNOWN: f32 = 0.6;
