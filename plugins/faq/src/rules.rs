//! What a rules file holds.

use serde::Deserialize;
use std::collections::HashSet;
use switchboard_plugin::{Choice, Problem, text::Text};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub greeting: Option<String>,
    pub fallback: Option<String>,
    fallback_buttons: Vec<Button>,
    pub answer: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub id: String,
    pub ask: Vec<String>,
    pub say: String,
    #[serde(default)]
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    id: String,
    title: String,
}

impl Answer {
    pub fn buttons(&self) -> Vec<Choice> {
        choices(&self.buttons)
    }
}

impl Rules {
    pub fn fallback_buttons(&self) -> Vec<Choice> {
        choices(&self.fallback_buttons)
    }

    /// What a schema cannot say.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut ids = HashSet::new();
        for (at, answer) in self.answer.iter().enumerate() {
            if !ids.insert(answer.id.as_str()) {
                let message = format!("another answer has the id `{}`", answer.id);
                problems.push(Problem::new(format!("/answer/{at}/id"), message));
            }
            for (line, ask) in answer.ask.iter().enumerate() {
                if Text::new(ask).is_empty() {
                    let path = format!("/answer/{at}/ask/{line}");
                    problems.push(Problem::new(path, "a question needs at least one word"));
                }
            }
        }
        if self.fallback.is_none() && !self.fallback_buttons.is_empty() {
            let message = "buttons need the text above them: set `fallback`";
            problems.push(Problem::new("/fallback_buttons", message));
        }
        problems
    }
}

fn choices(buttons: &[Button]) -> Vec<Choice> {
    let choice = |button: &Button| Choice { id: button.id.clone(), title: button.title.clone() };
    buttons.iter().map(choice).collect()
}
