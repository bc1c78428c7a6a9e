//! A linear model: how much each feature speaks for each answer.
//!
//! It begins with what the lines of an answer have in common (their mean),
//! which is what serves where lines are few. Then each line that is not told
//! from other answers by a margin moves the weights, towards its own answer
//! and away from the strongest rival: the dual of a support vector machine
//! for many classes, one line and one rival at a time. Rivals are sought once,
//! by the means, so that a pass costs little.

use super::words::Vector;

/// How far the mean counts beside what is learned.
const START: f32 = 2.5;
/// How far ahead of its rivals a line's own answer is to be.
const MARGIN: f32 = 1.0;
/// How much one line may move the weights.
const MOST: f32 = 1.5;
const PASSES: usize = 6;
/// So many rivals of a line are looked at.
const RIVALS: usize = 10;
/// So many answers are weighed for a message.
pub const CANDIDATES: usize = 16;
/// The most learned weights: 16 MB. With more, features of many answers share one.
const SLOTS: usize = 1 << 22;

pub struct Model {
    answers: usize,
    /// Per feature where its part of `means` begins; one more at the end.
    begins: Vec<u32>,
    /// By feature: the answers that have it, and how much of it.
    means: Vec<(u32, f32)>,
    /// What was learned beyond, by feature and answer.
    learned: Vec<f32>,
}

impl Model {
    pub fn new(lines: &[(usize, Vector)], answers: usize, features: usize) -> Self {
        let slots = (features * answers).max(1).next_power_of_two().min(SLOTS);
        let (begins, means) = means(lines, answers, features);
        let mut model = Self { answers, begins, means, learned: vec![0.0; slots] };
        model.learn(lines);
        model
    }

    /// The likeliest answers with their scores, best first.
    pub fn candidates(&self, vector: &Vector, may: &dyn Fn(usize) -> bool) -> Vec<(usize, f32)> {
        let mut sums = vec![0.0; self.answers];
        let mut best = self.nearest(vector, &mut sums, CANDIDATES, may);
        for (answer, score) in &mut best {
            *score = START * *score + self.learned(vector, *answer);
        }
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        best
    }

    pub fn score(&self, vector: &Vector, answer: usize) -> f32 {
        let mean = |feature: u32| {
            let row = self.row(feature);
            let at = row.binary_search_by_key(&(answer as u32), |(answer, _)| *answer);
            at.ok().and_then(|at| row.get(at)).map_or(0.0, |(_, mean)| *mean)
        };
        let near: f32 = vector.iter().map(|(feature, value)| value * mean(*feature)).sum();
        START * near + self.learned(vector, answer)
    }

    /// The answers with the nearest means.
    fn nearest(
        &self,
        vector: &Vector,
        sums: &mut [f32],
        most: usize,
        may: &dyn Fn(usize) -> bool,
    ) -> Vec<(usize, f32)> {
        sums.fill(0.0);
        for (feature, value) in vector {
            for (answer, mean) in self.row(*feature) {
                if let Some(sum) = sums.get_mut(*answer as usize) {
                    *sum += value * mean;
                }
            }
        }
        let mut best: Vec<(usize, f32)> = Vec::with_capacity(most + 1);
        let mut least = 0.0;
        for (answer, sum) in sums.iter().enumerate() {
            if *sum > least && may(answer) {
                let at = best.partition_point(|(_, other)| other >= sum);
                best.insert(at, (answer, *sum));
                best.truncate(most);
                if best.len() == most {
                    least = best.last().map_or(0.0, |(_, sum)| *sum);
                }
            }
        }
        best
    }

    fn row(&self, feature: u32) -> &[(u32, f32)] {
        let at = |feature: usize| self.begins.get(feature).map_or(0, |begin| *begin as usize);
        let feature = feature as usize;
        self.means.get(at(feature)..at(feature + 1)).unwrap_or_default()
    }

    fn slot(&self, feature: u32, answer: usize) -> usize {
        (feature as usize * self.answers + answer) & (self.learned.len() - 1)
    }

    fn learned(&self, vector: &Vector, answer: usize) -> f32 {
        let weight = |feature| self.learned.get(self.slot(feature, answer)).copied();
        vector.iter().map(|(feature, value)| value * weight(*feature).unwrap_or(0.0)).sum()
    }

    fn move_by(&mut self, vector: &Vector, answer: usize, step: f32) {
        for (feature, value) in vector {
            let slot = self.slot(*feature, answer);
            if let Some(weight) = self.learned.get_mut(slot) {
                *weight += step * value;
            }
        }
    }

    fn learn(&mut self, lines: &[(usize, Vector)]) {
        let mut sums = vec![0.0; self.answers];
        let mut pupils: Vec<Pupil> = Vec::with_capacity(lines.len());
        for (answer, vector) in lines {
            let rivals = self.nearest(vector, &mut sums, RIVALS + 1, &|_| true);
            let own = sums.get(*answer).copied().unwrap_or(0.0);
            let rivals = rivals.into_iter().filter(|(rival, _)| rival != answer);
            let rivals =
                rivals.map(|(answer, mean)| Rival { answer, mean, learned: 0.0, moved: 0.0 });
            pupils.push(Pupil { own, spent: 0.0, rivals: rivals.take(RIVALS).collect() });
        }
        let mut order = shuffled(lines.len());
        for _ in 0..PASSES {
            // A line that moved nothing is not looked at again.
            order.retain(|line| match (lines.get(*line), pupils.get_mut(*line)) {
                (Some((answer, vector)), Some(pupil)) => self.correct(*answer, vector, pupil),
                _ => false,
            });
        }
    }

    /// Moves the weights if the line is not told by the margin. Whether it did.
    fn correct(&mut self, answer: usize, vector: &Vector, pupil: &mut Pupil) -> bool {
        let own = START * pupil.own + self.learned(vector, answer);
        // Feature by feature, since the weights of one lie side by side.
        pupil.rivals.iter_mut().for_each(|rival| rival.learned = 0.0);
        for (feature, value) in vector {
            for rival in &mut pupil.rivals {
                let weight = self.learned.get(self.slot(*feature, rival.answer));
                rival.learned += value * weight.copied().unwrap_or(0.0);
            }
        }
        let mut strongest: Option<(f32, &mut Rival)> = None;
        for rival in &mut pupil.rivals {
            let score = START * rival.mean + rival.learned;
            if strongest.as_ref().is_none_or(|(most, _)| score > *most) {
                strongest = Some((score, rival));
            }
        }
        let Some((score, rival)) = strongest else { return false };
        let lacks = MARGIN - (own - score);
        let step = (lacks / 2.0).min(MOST - pupil.spent).max(-rival.moved);
        if step.abs() < 1e-3 {
            return false;
        }
        rival.moved += step;
        pupil.spent += step;
        let rival = rival.answer;
        self.move_by(vector, answer, step);
        self.move_by(vector, rival, -step);
        true
    }
}

/// A line while the model learns from it.
struct Pupil {
    /// How near its answer's mean is.
    own: f32,
    /// How far it has moved the weights, all rivals together.
    spent: f32,
    rivals: Vec<Rival>,
}

struct Rival {
    answer: usize,
    mean: f32,
    /// What the line's learned weights for it come to.
    learned: f32,
    moved: f32,
}

/// The mean of each answer's lines, of length 1, by feature.
fn means(
    lines: &[(usize, Vector)],
    answers: usize,
    features: usize,
) -> (Vec<u32>, Vec<(u32, f32)>) {
    let mut of: Vec<Vec<&Vector>> = vec![Vec::new(); answers];
    for (answer, vector) in lines {
        if let Some(of) = of.get_mut(*answer) {
            of.push(vector);
        }
    }
    let mut sum = vec![0.0_f32; features];
    let mut entries: Vec<(u32, u32, f32)> = Vec::new();
    for (answer, vectors) in (0_u32..).zip(of) {
        let mut held: Vec<u32> = Vec::new();
        for (feature, value) in vectors.into_iter().flatten() {
            let Some(sum) = sum.get_mut(*feature as usize) else { continue };
            if *sum == 0.0 {
                held.push(*feature);
            }
            *sum += value;
        }
        let mut square = 0.0;
        for feature in &held {
            square += sum.get(*feature as usize).map_or(0.0, |sum| sum * sum);
        }
        let scale = 1.0 / f32::max(square, f32::EPSILON).sqrt();
        for feature in held {
            let Some(sum) = sum.get_mut(feature as usize) else { continue };
            entries.push((feature, answer, *sum * scale));
            *sum = 0.0;
        }
    }
    // Sorted by feature, and within one by answer, as they came.
    let mut begins = vec![0_u32; features + 1];
    for (feature, ..) in &entries {
        if let Some(count) = begins.get_mut(*feature as usize + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for begin in &mut begins {
        total += *begin;
        *begin = total;
    }
    let mut next = begins.clone();
    let mut sorted = vec![(0, 0.0); entries.len()];
    for (feature, answer, mean) in entries {
        let Some(next) = next.get_mut(feature as usize) else { continue };
        if let Some(place) = sorted.get_mut(*next as usize) {
            *place = (answer, mean);
        }
        *next += 1;
    }
    (begins, sorted)
}

/// The numbers below `n` in an order that is the same each time.
fn shuffled(n: usize) -> Vec<usize> {
    let mut keyed: Vec<(u64, usize)> =
        (0..n).map(|at| ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), at)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, at)| at).collect()
}
