//! How often the matcher finds the right answer, on a folder with the real
//! questions of BANKING77 (`banking77_train.csv`, `banking77_test.csv`):
//!
//! `cargo run -p faq --release --example matching -- FOLDER [test]`
//!
//! Without `test`, a fifth of the training file is asked and the rest learned:
//! that is for changing constants. With it, the test file is asked: only to
//! report what constants that are settled come to.

// It may stop at the first thing that is wrong, and speaks.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use faq::matching::{Ask, Found, How, Questions, THRESHOLD};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// A question and what it is about.
type Example = (String, String);

const SEEDS: u64 = 5;
/// Of the split into what is learned and what is asked.
const SPLIT_SEED: u64 = 7;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder");
    let is_test = arguments.next().is_some_and(|word| word == "test");
    let mut rules = shuffled(examples(&folder, "banking77_train.csv"), SPLIT_SEED);
    let asked = if is_test {
        examples(&folder, "banking77_test.csv")
    } else {
        rules.split_off(rules.len() * 4 / 5)
    };
    println!("{} examples, {} asked, split with seed {SPLIT_SEED}\n", rules.len(), asked.len());
    for (lines, seeds) in [(usize::MAX, 1), (10, SEEDS), (5, SEEDS)] {
        measure(&rules, &asked, lines, seeds);
    }
}

fn measure(rules: &[Example], asked: &[Example], lines: usize, seeds: u64) {
    let (mut results, mut configure, mut find) = (Vec::new(), 0.0, 0.0);
    for seed in 1..=seeds {
        let (names, all) = sample(rules, lines, seed, &BTreeSet::new());
        let began = Instant::now();
        let questions = questions(&all);
        configure += began.elapsed().as_secs_f64() * 1e3 / seeds as f64;
        let began = Instant::now();
        results.extend(asked.iter().map(|(text, about)| {
            let found = best(&questions, text);
            (found.score, names.get(found.answer) == Some(about))
        }));
        find += began.elapsed().as_secs_f64() * 1e6 / (asked.len() as u64 * seeds) as f64;
    }
    let right = results.iter().filter(|(_, right)| *right).count();
    let title = if lines == usize::MAX { "all".into() } else { lines.to_string() };
    println!(
        "{title} lines per answer, seeds 1 to {seeds}: {:.3} right; configured in {configure:.0} ms, {find:.0} µs each",
        right as f64 / results.len() as f64
    );
    results.sort_by(|a, b| b.0.total_cmp(&a.0));
    for percent in [50, 70, 80, 90] {
        let answered = &results[..results.len() * percent / 100];
        let wrong = answered.iter().filter(|(_, right)| !right).count();
        println!(
            "  {percent} % answered (from {:.2} on): {:.1} % of the answers wrong",
            answered.last().map_or(0.0, |(score, _)| *score),
            wrong as f64 * 100.0 / answered.len() as f64
        );
    }
    outside(rules, asked, lines);
}

/// A quarter of what is asked has no answer in the rules.
fn outside(rules: &[Example], asked: &[Example], lines: usize) {
    let abouts: BTreeSet<&String> = rules.iter().map(|(_, about)| about).collect();
    let left_out: BTreeSet<&str> =
        shuffled(abouts.into_iter().collect(), 1).into_iter().take(19).map(|it| &it[..]).collect();
    let (names, all) = sample(rules, lines, 1, &left_out);
    let questions = questions(&all);
    let (mut known, mut unknown) = ([0; 3], [0; 2]);
    for (text, about) in asked {
        let found = best(&questions, text);
        let answered = found.score >= THRESHOLD;
        if left_out.contains(&about[..]) {
            unknown[usize::from(answered)] += 1;
        } else {
            let right = names.get(found.answer) == Some(about);
            known[if answered { 1 + usize::from(right) } else { 0 }] += 1;
        }
    }
    let [silent, wrong, right] = known;
    println!(
        "  without 19 of the answers, threshold {THRESHOLD}: of {} with an answer {right} right, {wrong} wrong, \
         {silent} silent; of {} without one {} silent\n",
        silent + wrong + right,
        unknown[0] + unknown[1],
        unknown[0]
    );
}

fn best(questions: &Questions, text: &str) -> Found {
    let none = Found { answer: usize::MAX, score: 0.0, how: String::new() };
    questions.find(text, &|_| true).into_iter().next().unwrap_or(none)
}

/// At most so many lines of each answer, and the answers' names.
fn sample(
    rules: &[Example],
    lines: usize,
    seed: u64,
    without: &BTreeSet<&str>,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut by_answer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (text, about) in shuffled(rules.to_vec(), seed) {
        if without.contains(&about[..]) {
            continue;
        }
        let of = by_answer.entry(about).or_default();
        if of.len() < lines {
            of.push(text);
        }
    }
    by_answer.into_iter().unzip()
}

fn questions(answers: &[Vec<String>]) -> Questions {
    let ask = |text| Ask { text, how: How::Learned };
    let asks: Vec<Vec<Ask<'_>>> =
        answers.iter().map(|lines| lines.iter().map(|line| ask(&line[..])).collect()).collect();
    Questions::new(&asks, &[]).map_err(|problems| format!("{problems:?}")).expect("lines")
}

fn examples(folder: &str, file: &str) -> Vec<Example> {
    let reader = csv::Reader::from_path(format!("{folder}/{file}"));
    let rows = reader.expect("a file").into_deserialize();
    rows.map(|row| row.expect("a text and what it is about")).collect()
}

/// In an order that depends on the seed alone.
fn shuffled<T>(mut all: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for last in (1..all.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        all.swap(last, (state % (last as u64 + 1)) as usize);
    }
    all
}
