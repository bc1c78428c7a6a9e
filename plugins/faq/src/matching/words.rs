//! From a text to a vector: its words with the known words they resemble,
//! and pairs of neighbouring words. What a word weighs is how rare it is in
//! the lines of the rules.
//!
//! Two words resemble each other by the pieces of two to five characters they
//! share, so that a plural, another tense and a slip of the finger come near
//! the known word, in any language, without a stemmer. Pieces are looked at
//! once for a word and not once for each text: texts are many, words are few.
//! In scripts without spaces a character is a word (see `Text`), and pairs of
//! characters do nearly what a dictionary does, without its megabytes.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};
use switchboard_plugin::text::Text;

/// Features and how much of each, by number, none twice.
pub type Vector = Vec<(u32, f32)>;
type Fast<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// A word as the rules know it.
#[derive(Clone, Debug)]
pub enum Word {
    Known(u32),
    /// An unknown one, with the known ones it resembles, the nearest first.
    Strange(Vector),
}

/// The words of the rules' lines.
pub struct Words {
    ids: Fast<String, u32>,
    /// How rare a feature is: words first, then pairs.
    rarity: Vec<f32>,
    /// The weight of a word in no line.
    rarest: f32,
    /// By word: the others that it resembles, 0 to 1.
    alike: Vec<Vector>,
    /// So many words, the first ones, are common.
    common: usize,
    /// By word: what it begins with, so that pairs do not depend on endings.
    stems: Vec<u64>,
    pairs: Fast<u64, u32>,
    pieces: Fast<u64, Vec<u32>>,
    /// By word: the length of its vector of pieces.
    lengths: Vec<f32>,
}

/// Words that tell little, whatever the rules.
const COMMON: &str = "a an and are at be can could do does for from have hello hey hi how i id im \
    in is it like me my need of on or our please tell thank thanks that the there this to us want \
    was we what whats when where will with would you your yours good morning afternoon evening \
    any some also just if so but hola buenos buenas dias tardes bonjour bonsoir hallo guten tag ola bom dia \
    de del el en es la las lo los por que un una y o e as os um uma le les des du et est je vous \
    der die das und ist ich ein eine и в на с у я что как это не \
    من في على هل ما \
    请 问 是 的 吗 呢 了 你 我 们 您 什 么 は の を に が で す か ま え て く だ さ い た 教";

/// A common word counts for so much of what it would.
const COMMON_COUNTS: f32 = 0.5;
/// From here on, words resemble each other.
const RESEMBLES: f32 = 0.35;
/// How much the words resembled count beside the word itself.
const RESEMBLED: f32 = 0.5;
/// At most so many of them.
const MOST_ALIKE: usize = 4;
/// From here on, an unknown word is taken for the known one in pairs.
const SAME: f32 = 0.45;
/// So many letters of a word stand for it in pairs.
const STEM: usize = 5;
/// A piece in more words than this tells nothing of them.
const SHARED: usize = 150;
/// The share of pairs in a vector's square.
const PAIRS: f32 = 0.2;

impl Words {
    /// Learns from the lines. Returns itself and what each line is.
    pub fn new(lines: &[&Text]) -> (Self, Vec<Vec<Word>>) {
        let mut words = Self {
            ids: Fast::default(),
            rarity: Vec::new(),
            rarest: 1.0 + (lines.len() as f32 + 1.0).ln(),
            alike: Vec::new(),
            common: 0,
            stems: Vec::new(),
            pairs: Fast::default(),
            pieces: Fast::default(),
            lengths: Vec::new(),
        };
        // Known whatever the rules, so that none of them counts as strange.
        for word in COMMON.split_whitespace() {
            words.number(word);
        }
        let common = words.ids.len();
        let read: Vec<Vec<Word>> = lines.iter().map(|line| words.learn(line)).collect();
        words.weigh(&read, common);
        words.compare();
        (words, read)
    }

    fn learn(&mut self, line: &Text) -> Vec<Word> {
        line.words().map(|word| Word::Known(self.number(word))).collect()
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = self.ids.len() as u32;
        self.ids.insert(word.to_owned(), id);
        self.stems.push(stem(word));
        id
    }

    /// Numbers the pairs that occur more than once, and weighs all.
    fn weigh(&mut self, lines: &[Vec<Word>], common: usize) {
        let mut held = vec![0_u32; self.ids.len()];
        let mut last = vec![u32::MAX; self.ids.len()];
        let mut pairs: Fast<u64, (u32, u32)> = Fast::default();
        for (at, line) in (0..).zip(lines) {
            for word in line {
                let Word::Known(id) = word else { continue };
                let (Some(held), Some(last)) =
                    (held.get_mut(*id as usize), last.get_mut(*id as usize))
                else {
                    continue;
                };
                if *last != at {
                    (*held, *last) = (*held + 1, at);
                }
            }
            for pair in self.pairs_of(line) {
                let (held, last) = pairs.entry(pair).or_insert((0, u32::MAX));
                if *last != at {
                    (*held, *last) = (*held + 1, at);
                }
            }
        }
        let mut repeated: Vec<(u64, u32)> =
            pairs.into_iter().map(|(pair, (held, _))| (pair, held)).collect();
        // Few lines, and one is all there is.
        let least = if lines.len() < 400 { 1 } else { 2 };
        repeated.retain(|(_, held)| *held >= least);
        repeated.sort_unstable();
        for (pair, count) in repeated {
            self.pairs.insert(pair, held.len() as u32);
            held.push(count);
        }
        let all = lines.len() as f32 + 1.0;
        self.rarity = held.iter().map(|held| 1.0 + (all / (*held as f32 + 1.0)).ln()).collect();
        self.rarity.iter_mut().take(common).for_each(|rarity| *rarity *= COMMON_COUNTS);
        self.common = common;
    }

    fn compare(&mut self) {
        let mut words: Vec<(&str, u32)> = self.ids.iter().map(|(w, id)| (&w[..], *id)).collect();
        words.sort_unstable_by_key(|(_, id)| *id);
        let pieces: Vec<Vec<u64>> = words.iter().map(|(word, _)| pieces(word)).collect();
        for (id, pieces) in (0_u32..).zip(&pieces) {
            for piece in pieces {
                self.pieces.entry(*piece).or_default().push(id);
            }
        }
        self.lengths = pieces.iter().map(|of| self.length(of)).collect();
        let mut sum = Sum::new(pieces.len());
        let alike = (0..).zip(&pieces).map(|(id, of)| self.resembled(of, Some(id), &mut sum));
        self.alike = alike.collect();
    }

    fn piece_rarity(&self, held: usize) -> f32 {
        1.0 + ((self.ids.len() as f32 + 1.0) / (held as f32 + 1.0)).ln()
    }

    fn length(&self, pieces: &[u64]) -> f32 {
        let square = |piece| self.piece_rarity(self.pieces.get(piece).map_or(0, Vec::len)).powi(2);
        pieces.iter().map(square).sum::<f32>().sqrt()
    }

    /// The known words that share pieces, but for `not`.
    fn resembled(&self, pieces: &[u64], not: Option<u32>, sum: &mut Sum) -> Vector {
        let length = self.length(pieces);
        for piece in pieces {
            let Some(held) = self.pieces.get(piece).filter(|held| held.len() <= SHARED) else {
                continue;
            };
            let weight = self.piece_rarity(held.len()).powi(2);
            held.iter().for_each(|word| sum.add(*word, weight));
        }
        let other = |word: u32| self.lengths.get(word as usize).copied().unwrap_or(1.0);
        let alike = sum.take().map(|(word, shared)| (word, shared / (length * other(word))));
        let mut alike: Vector =
            alike.filter(|(word, alike)| *alike >= RESEMBLES && Some(*word) != not).collect();
        alike.sort_by(|a, b| b.1.total_cmp(&a.1));
        alike.truncate(MOST_ALIKE);
        alike
    }

    /// A text in known words.
    pub fn read(&self, text: &Text) -> Vec<Word> {
        let read = |word: &str| match self.ids.get(word) {
            Some(id) => Word::Known(*id),
            None => {
                let mut sum = Sum::new(self.words());
                Word::Strange(self.resembled(&pieces(word), None, &mut sum))
            }
        };
        text.words().map(read).collect()
    }

    /// What a text is compared by. Its length is 1, and less if it has words
    /// that the rules do not know.
    pub fn vector(&self, text: &[Word], sum: &mut Sum) -> Vector {
        let mut lost = 0.0;
        for word in text {
            let alike = match word {
                Word::Known(id) => {
                    sum.add(*id, self.rarity(*id));
                    self.alike(*id)
                }
                Word::Strange(alike) => alike,
            };
            let counts = if let Word::Known(_) = word { RESEMBLED } else { 1.0 };
            if let Word::Strange(alike) = word {
                let nearest = alike.first().map_or(0.0, |(_, alike)| *alike);
                lost += ((1.0 - nearest) * self.rarest).powi(2);
            }
            for (other, alike) in alike {
                sum.add(*other, counts * alike * self.rarity(*other));
            }
        }
        let mut vector = Vector::with_capacity(text.len() * 5);
        vector.extend(sum.take());
        scale(&mut vector, lost, 1.0 - PAIRS);
        let words = vector.len();
        for pair in self.pairs_of(text) {
            if let Some(id) = self.pairs.get(&pair) {
                sum.add(*id, self.rarity(*id));
            }
        }
        vector.extend(sum.take());
        scale(vector.get_mut(words..).unwrap_or_default(), 0.0, PAIRS);
        vector
    }

    /// How many words are known; their numbers are the lowest features.
    pub fn words(&self) -> usize {
        self.stems.len()
    }
    pub fn alike(&self, word: u32) -> &[(u32, f32)] {
        self.alike.get(word as usize).map_or(&[], Vec::as_slice)
    }
    pub fn features(&self) -> usize {
        self.rarity.len()
    }
    pub fn rarity(&self, id: u32) -> f32 {
        self.rarity.get(id as usize).copied().unwrap_or(0.0)
    }
    pub fn rarest(&self) -> f32 {
        self.rarest
    }
    pub fn is_common(&self, id: u32) -> bool {
        (id as usize) < self.common
    }

    fn pairs_of(&self, text: &[Word]) -> impl Iterator<Item = u64> {
        let stem = |word: &Word| {
            let id = match word {
                Word::Known(id) => *id,
                Word::Strange(alike) => alike.first().filter(|(_, alike)| *alike >= SAME)?.0,
            };
            self.stems.get(id as usize).copied()
        };
        // What a text begins with tells too: as a pair with nothing.
        let mut before = Some(0);
        text.iter().filter_map(move |word| {
            let stem = stem(word);
            let pair = before.zip(stem).map(|(before, stem)| mix(mix(1, before), stem));
            before = stem;
            pair
        })
    }
}

/// Adds up numbers by feature; made once for many sums.
pub struct Sum {
    by: Vec<f32>,
    touched: Vec<u32>,
}

impl Sum {
    pub fn new(features: usize) -> Self {
        Self { by: vec![0.0; features], touched: Vec::new() }
    }

    /// `value` is more than 0.
    fn add(&mut self, feature: u32, value: f32) {
        if let Some(sum) = self.by.get_mut(feature as usize) {
            if *sum == 0.0 {
                self.touched.push(feature);
            }
            *sum += value;
        }
    }

    /// The sums so far, in the order in which they began; then all is 0 again.
    fn take(&mut self) -> impl Iterator<Item = (u32, f32)> {
        let Self { by, touched } = self;
        touched.drain(..).filter_map(|feature| {
            by.get_mut(feature as usize).map(|sum| (feature, std::mem::take(sum)))
        })
    }
}

/// Scales so that the sum of squares, with those that are `lost`, is `square`.
fn scale(vector: &mut [(u32, f32)], lost: f32, square: f32) {
    let sum = lost + vector.iter().map(|(_, value)| value * value).sum::<f32>();
    let scale = (square / sum.max(f32::EPSILON)).sqrt();
    vector.iter_mut().for_each(|(_, value)| *value *= scale);
}

fn stem(word: &str) -> u64 {
    word.chars().take(STEM).fold(2, |hash, c| mix(hash, u64::from(c)))
}

/// The pieces of two to five characters of a word and its edges, none twice.
fn pieces(word: &str) -> Vec<u64> {
    let chars: Vec<char> =
        std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
    let mut pieces = Vec::with_capacity(chars.len() * 4);
    for size in 2..=5 {
        for window in chars.windows(size) {
            pieces.push(window.iter().fold(3, |hash, c| mix(hash, u64::from(*c))));
        }
    }
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

fn mix(hash: u64, next: u64) -> u64 {
    (hash.rotate_left(5) ^ next).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Quick, and the same on every machine. The rules are the owner's own, so
/// nobody crafts words that collide.
#[derive(Default)]
pub struct Mix(u64);
impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.0 = mix(self.0, u64::from_le_bytes(eight));
        }
    }
    fn write_u8(&mut self, n: u8) {
        self.0 = mix(self.0, u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = mix(self.0, n);
    }
}
