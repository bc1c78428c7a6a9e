//! The lines themselves: which of them are in a message as a whole, and how
//! alike the nearest one of an answer is. It serves where lines are few and
//! short, of which there is little to learn.

use super::words::{Word, Words};
use std::ops::Range;
use switchboard_plugin::text::{Text, stands_alone};

pub struct Lines {
    lines: Vec<Line>,
    /// By answer: its lines.
    of: Vec<Range<usize>>,
    /// By word: the lines whose rarest word it is. A line can only be in a
    /// message as a whole if that one is.
    by_rarest: Vec<Vec<u32>>,
}

struct Line {
    answer: usize,
    text: Text,
    /// Its words, each once, and what they weigh: those that tell something,
    /// `telling` in number, before the common ones.
    words: Vec<(u32, f32)>,
    telling: usize,
    weight: f32,
    /// Some word is a character that only tells with its neighbours.
    is_run: bool,
}

/// All of a line is in the message.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Whole {
    /// All of its words that tell something, in any order; how many.
    Words(usize),
    /// As it stands; how many words.
    Phrase(usize),
}

/// A message, ready to be held against lines.
pub struct Said<'a> {
    text: &'a Text,
    /// By word of the rules: how surely the message has it, 0 to 1.
    has: Vec<f32>,
    words: Vec<u32>,
    /// What its words weigh.
    weight: f32,
    /// How much of what its telling words weigh is in words the rules know, 0 to 1.
    pub known: f32,
}

/// A word that resembles another so much is taken for it.
const TAKEN_FOR: f32 = 0.5;
/// That all words of a line are somewhere in a message is little: it must be
/// about them. One that is a single word is meant to be found anywhere.
const ABOUT: f32 = 0.6;

impl<'a> Said<'a> {
    pub fn new(text: &'a Text, read: &[Word], words: &Words) -> Self {
        let mut said = Self {
            text,
            has: vec![0.0; words.words()],
            words: Vec::new(),
            weight: 0.0,
            known: 0.0,
        };
        // What its words weigh that are not common.
        let mut telling = 0.0;
        for word in read {
            let (weight, known) = match word {
                Word::Known(id) if said.has(*id) == 1.0 => continue,
                Word::Known(id) => {
                    said.hear(*id, 1.0);
                    words.alike(*id).iter().for_each(|(other, alike)| said.hear(*other, *alike));
                    (words.rarity(*id), if words.is_common(*id) { None } else { Some(1.0) })
                }
                Word::Strange(alike) => {
                    alike.iter().for_each(|(other, alike)| said.hear(*other, *alike));
                    match alike.first().filter(|(_, alike)| *alike >= TAKEN_FOR) {
                        Some((id, alike)) => (words.rarity(*id), Some(*alike)),
                        None => (words.rarest(), Some(0.0)),
                    }
                }
            };
            said.weight += weight;
            if let Some(known) = known {
                telling += weight;
                said.known += known * weight;
            }
        }
        said.known = if telling == 0.0 { 1.0 } else { said.known / telling };
        said
    }

    fn hear(&mut self, word: u32, sure: f32) {
        if sure < TAKEN_FOR {
            return;
        }
        if let Some(has) = self.has.get_mut(word as usize) {
            if *has == 0.0 {
                self.words.push(word);
            }
            *has = has.max(sure);
        }
    }

    fn has(&self, word: u32) -> f32 {
        self.has.get(word as usize).copied().unwrap_or(0.0)
    }
}

impl Lines {
    /// In the order of answers.
    pub fn new(lines: Vec<(usize, Text, Vec<Word>)>, answers: usize, words: &Words) -> Self {
        let mut of = vec![0..0; answers];
        let mut by_rarest = vec![Vec::new(); words.words()];
        let line = |(at, (answer, text, read)): (usize, (usize, Text, Vec<Word>))| {
            if let Some(of) = of.get_mut(answer) {
                *of = if of.start == of.end { at..at + 1 } else { of.start..at + 1 };
            }
            let line = Line::new(answer, text, &read, words);
            let rarest = line.telling().iter().max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some(lines) = rarest.and_then(|(word, _)| by_rarest.get_mut(*word as usize)) {
                lines.push(at as u32);
            }
            line
        };
        let lines = lines.into_iter().enumerate().map(line).collect();
        Self { lines, of, by_rarest }
    }

    /// The answers of which a line is in the message as a whole.
    pub fn whole(&self, said: &Said<'_>) -> Vec<(usize, Whole)> {
        let lines = said.words.iter().filter_map(|word| self.by_rarest.get(*word as usize));
        let mut found: Vec<(usize, Whole)> = Vec::new();
        for line in lines.flatten().filter_map(|at| self.lines.get(*at as usize)) {
            let Some(whole) = line.whole(said) else { continue };
            match found.iter_mut().find(|(answer, _)| *answer == line.answer) {
                Some((_, known)) if *known >= whole => {}
                Some((_, known)) => *known = whole,
                None => found.push((line.answer, whole)),
            }
        }
        found
    }

    /// How alike the nearest line of the answer is, 0 to 1.
    pub fn nearest(&self, answer: usize, said: &Said<'_>) -> f32 {
        let of = self.of.get(answer).cloned().unwrap_or_default();
        let lines = self.lines.get(of).unwrap_or_default();
        lines.iter().map(|line| line.alike(said)).fold(0.0, f32::max)
    }
}

impl Line {
    fn new(answer: usize, text: Text, read: &[Word], words: &Words) -> Self {
        let known = |word: &Word| if let Word::Known(id) = word { Some(*id) } else { None };
        let mut ids: Vec<u32> = read.iter().filter_map(known).collect();
        ids.sort_unstable_by_key(|id| (words.is_common(*id), *id));
        ids.dedup();
        // Where all are common, they are what there is.
        let telling = match ids.iter().filter(|id| !words.is_common(**id)).count() {
            0 => ids.len(),
            some => some,
        };
        let words: Vec<(u32, f32)> = ids.into_iter().map(|id| (id, words.rarity(id))).collect();
        let weight = words.iter().map(|(_, weight)| weight).sum();
        let is_run = text.as_str().chars().any(stands_alone);
        Self { answer, text, words, telling, weight, is_run }
    }

    /// The words that tell something.
    fn telling(&self) -> &[(u32, f32)] {
        self.words.get(..self.telling).unwrap_or_default()
    }

    fn alike(&self, said: &Said<'_>) -> f32 {
        let shared: f32 = self.words.iter().map(|(word, weight)| weight * said.has(*word)).sum();
        let share = shared / self.weight.max(f32::EPSILON);
        let relevant = (shared / said.weight.max(f32::EPSILON)).min(1.0);
        (share * relevant).sqrt().min(1.0)
    }

    fn whole(&self, said: &Said<'_>) -> Option<Whole> {
        if !self.telling().iter().all(|(word, _)| said.has(*word) > 0.0) {
            return None;
        }
        let written = self.text.words().count();
        if said.text.contains(&self.text) {
            return Some(Whole::Phrase(written));
        }
        let about = written == 1 || self.alike(said) >= ABOUT;
        (about && !self.is_run).then_some(Whole::Words(self.telling))
    }
}
