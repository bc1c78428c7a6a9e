//! The matcher on real questions of a bank's customers (BANKING77): some are
//! the rules' lines, others are asked. A guard against getting worse; what the
//! matcher comes to on the test file stands in `docs/matching.md`.

// Free in tests, and this file is one as a whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use faq::matching::{Ask, How, Questions, THRESHOLD};
use std::collections::BTreeMap;

/// How many questions are asked, how many answers are right, and how many of
/// those that are given are wrong.
#[derive(Debug)]
struct Outcome {
    asked: usize,
    right: usize,
    given_wrong: usize,
}

/// Every fifth question is asked; of the others the first `lines` of each kind
/// are learned.
fn measure(lines: usize) -> Option<Outcome> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/faq/banking77_train.csv");
    let Ok(reader) = csv::Reader::from_path(path) else {
        eprintln!("SKIPPED: there are no real questions at {path}");
        return None;
    };
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut asked = Vec::new();
    for (at, row) in reader.into_deserialize::<(String, String)>().enumerate() {
        let (text, about) = row.unwrap();
        if at % 5 == 0 {
            asked.push((text, about));
            continue;
        }
        let of = answers.entry(about).or_default();
        if of.len() < lines {
            of.push(text);
        }
    }
    let ask = |text| Ask { text, how: How::Learned };
    let asks: Vec<Vec<Ask<'_>>> =
        answers.values().map(|of| of.iter().map(|line| ask(&line[..])).collect()).collect();
    let questions = Questions::new(&asks, &[]).map_err(|problems| format!("{problems:?}")).unwrap();
    let names: Vec<&String> = answers.keys().collect();
    let mut outcome = Outcome { asked: asked.len(), right: 0, given_wrong: 0 };
    for (text, about) in &asked {
        let found = questions.find(text, &|_| true);
        match found.first() {
            Some(found) if names[found.answer] == about => outcome.right += 1,
            Some(found) if found.score >= THRESHOLD => outcome.given_wrong += 1,
            _ => {}
        }
    }
    eprintln!("{lines} lines: {outcome:?}");
    Some(outcome)
}

#[test]
fn most_are_answered_right_and_few_wrong() {
    // Lines per answer, and percent: at least right, at most wrong.
    for (lines, right, wrong) in [(usize::MAX, 89, 8), (10, 72, 10), (5, 60, 10)] {
        let Some(outcome) = measure(lines) else { return };
        assert!(outcome.right * 100 >= outcome.asked * right, "{outcome:?}");
        assert!(outcome.given_wrong * 100 <= outcome.asked * wrong, "{outcome:?}");
    }
}
