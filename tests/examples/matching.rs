//! What the FAQ matcher costs in the sandbox, beside the same code run
//! natively: all training questions of BANKING77 as rules, its test questions
//! asked.
//!
//! `cargo run --release -p switchboard-tests --example matching`

#[path = "../tests/plugin/stage.rs"]
mod stage;

use faq::matching::{Ask, How, Questions};
use serde_json::{Value, json};
use stage::*;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use switchboard_tests::corpus;

const ASKED: usize = 500;
const SETTLE_S: u64 = 30;

#[tokio::main]
async fn main() {
    let Some(folder) = corpus("faq") else { return };
    let read = |file: &str| -> Vec<(String, String)> {
        let reader = csv::Reader::from_path(folder.join(file)).expect("a file");
        reader.into_deserialize().map(|row| row.expect("a row")).collect()
    };
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (text, about) in read("banking77_train.csv") {
        answers.entry(about).or_default().push(text);
    }
    let asked: Vec<String> = read("banking77_test.csv")
        .into_iter()
        .step_by(6)
        .map(|(text, _)| text)
        .take(ASKED)
        .collect();

    let ask = |text| Ask { text, how: How::Learned };
    let asks: Vec<Vec<Ask<'_>>> =
        answers.values().map(|of| of.iter().map(|line| ask(&line[..])).collect()).collect();
    let began = Instant::now();
    let questions = Questions::new(&asks, &[]).map_err(|_| "lines").expect("lines");
    let native = began.elapsed().as_secs_f64() * 1e3;
    let began = Instant::now();
    for text in &asked {
        questions.find(text, &|_| true);
    }
    let native_find = began.elapsed().as_secs_f64() * 1e6 / asked.len() as f64;

    let plugins = plugins();
    let plugin = plugins.load(&bundled("faq")).await.expect("a plugin");
    // Until the better code is there, which is made beside what runs.
    tokio::time::sleep(Duration::from_secs(SETTLE_S)).await;
    let answer = |(id, ask): (&String, &Vec<String>)| json!({"id": id, "ask": ask, "say": "x"});
    let full: Vec<Value> = answers.iter().map(answer).collect();
    // Answers each message too, with nothing to learn.
    let any = json!([{"id": "any", "ask": [{ "regex": "." }], "say": "x"}]);
    let (empty, empty_turn) = sandbox(&plugin, json!({ "answer": any }), &asked).await;
    let (all, turn) = sandbox(&plugin, json!({ "answer": full }), &asked).await;
    let (configure, find) = (all - empty, turn - empty_turn);
    println!("{} lines, {} messages", asks.iter().flatten().count(), asked.len());
    println!("            native     sandbox   ratio");
    println!("configure {native:>6.0} ms  {configure:>7.0} ms  {:>6.1}", configure / native);
    println!("message   {native_find:>6.0} µs  {find:>7.0} µs  {:>6.1}", find / native_find);
    println!(
        "(the sandbox beyond what it costs with one rule for all: {empty:.1} ms, {empty_turn:.0} µs)"
    );
}

/// How long to configure (ms), and how long a message takes (µs).
async fn sandbox(
    plugin: &std::sync::Arc<switchboard::plugin::Plugin>,
    rules: Value,
    asked: &[String],
) -> (f64, f64) {
    let mut config = step("faq");
    config.isolation = switchboard::config::Isolation::Warm;
    let mut configured = Vec::new();
    let mut turns = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let step = plugin.configure(&config, &rules).await.expect("configured");
        configured.push(began.elapsed().as_secs_f64() * 1e3);
        for text in asked {
            let draft = says(text);
            let began = Instant::now();
            step.run(draft).await;
            turns.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    (median(configured), median(turns))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
