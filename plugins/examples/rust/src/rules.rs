//! The rules, and what can be wrong with them.

use serde_json::{Map, Value};
use switchboard_plugin::Problem;

#[derive(Debug)]
pub struct Rules {
    pub per_purchase: u64,
    pub expire_days: u64,
    pub ask: Vec<String>,
    pub answer: String,
    pub thanks: String,
}

/// Takes the rules, or says every problem they have.
pub fn read(given: &Value) -> Result<Rules, Vec<Problem>> {
    let empty = Map::new();
    let given = match given {
        // No rules at all are the default ones.
        Value::Null => &empty,
        Value::Object(given) => given,
        _ => return Err(vec![Problem::new("", "must be a table")]),
    };
    let mut rules = Rules {
        per_purchase: 10,
        expire_days: 365,
        ask: vec!["points".into()],
        answer: "You have {points} points.".into(),
        thanks: "Thank you! You now have {points} points.".into(),
    };
    let mut problems = Vec::new();
    for (key, value) in given {
        let mut complain = |path: &str, message: &str| problems.push(Problem::new(path, message));
        match key.as_str() {
            "per_purchase" => match whole(value, 1.0, i64::MAX as f64) {
                Some(number) => rules.per_purchase = number,
                None => complain("/per_purchase", "must be a whole number of at least 1"),
            },
            "expire_days" => match whole(value, 1.0, 3650.0) {
                Some(number) => rules.expire_days = number,
                None => complain("/expire_days", "must be a whole number from 1 to 3650"),
            },
            "ask" => rules.ask = read_ask(value, complain),
            "answer" => match with_points(value) {
                Some(text) => rules.answer = text,
                None => complain("/answer", "must be a text that contains {points}"),
            },
            "thanks" => match with_points(value) {
                Some(text) => rules.thanks = text,
                None => complain("/thanks", "must be a text that contains {points}"),
            },
            _ => {
                // As a JSON pointer wants it.
                let path = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
                let known = "answer, ask, expire_days, per_purchase, thanks";
                complain(&path, &format!("is not known; known are {known}"));
            }
        }
    }
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn read_ask(value: &Value, mut complain: impl FnMut(&str, &str)) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        complain("/ask", "must be a list of at least one text");
    }
    let mut ask = Vec::new();
    for (place, words) in list.iter().enumerate() {
        match words.as_str() {
            None | Some("") => {
                complain(&format!("/ask/{place}"), "must be a text that is not empty");
            }
            Some(words) => ask.push(words.to_lowercase()),
        }
    }
    ask
}

/// A number without a fraction: `10.0` is one too.
fn whole(value: &Value, from: f64, to: f64) -> Option<u64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && number >= from && number <= to).then_some(number as u64)
}

fn with_points(value: &Value) -> Option<String> {
    value.as_str().filter(|text| text.contains("{points}")).map(Into::into)
}
