//! What a rules file holds. What a schema cannot say of it is in `check`.

use crate::said::{Label, Said};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// For whoever's language is unknown or has no texts.
    pub language: Option<String>,
    pub threshold: Option<f32>,
    pub did_you_mean: Option<Said>,
    pub greeting: Option<Said>,
    pub greeting_after_days: Option<u32>,
    pub fallback: Option<Said>,
    /// At other times, and for others, it is as if there were none.
    pub fallback_when: Option<When>,
    pub fallback_buttons: Vec<Button>,
    pub fallback_at_most: Option<u32>,
    pub cannot_hear: Option<Said>,
    pub handoff_after: Option<u32>,
    pub handoff_say: Option<Said>,
    pub follow_up_minutes: Option<u32>,
    pub synonym: Vec<Synonym>,
    pub answer: Vec<Answer>,
}

/// Words that mean the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synonym {
    pub words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub id: String,
    /// On the button that offers it.
    pub title: Option<Label>,
    pub ask: Vec<Line>,
    pub say: Said,
    #[serde(default)]
    pub buttons: Vec<Button>,
    pub list: Option<List>,
    pub media: Option<Media>,
    pub footer: Option<Label>,
    pub when: Option<When>,
    /// Answers that are open to questions only right after this one.
    #[serde(default)]
    pub follow_up: Vec<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    /// Hands the conversation to a person, for this reason.
    pub handoff: Option<String>,
    #[serde(default = "yes")]
    pub stop: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Line {
    Learned(String),
    Exact { exact: String },
    Prefix { prefix: String },
    Regex { regex: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    pub id: String,
    pub title: Label,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// On the button that opens it.
    pub label: Label,
    pub rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub id: String,
    pub title: Label,
    pub description: Option<Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub kind: String,
    pub link: Option<String>,
    pub id: Option<String>,
    pub file: Option<String>,
    pub filename: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// While the business is open, or while it is closed.
    pub open: Option<bool>,
    pub all: Vec<String>,
    pub any: Vec<String>,
    pub none: Vec<String>,
    pub channels: Vec<String>,
}

impl Rules {
    pub fn position(&self, id: &str) -> Option<usize> {
        self.answer.iter().position(|answer| answer.id == id)
    }

    /// Every text that may differ by language, with its place.
    pub fn texts(&self) -> Vec<(String, &Said)> {
        let own = [
            ("greeting", &self.greeting),
            ("fallback", &self.fallback),
            ("cannot_hear", &self.cannot_hear),
            ("handoff_say", &self.handoff_say),
            ("did_you_mean", &self.did_you_mean),
        ];
        let own =
            own.into_iter().filter_map(|(key, said)| Some((format!("/{key}"), said.as_ref()?)));
        let answers = self.answer.iter().enumerate();
        own.chain(answers.map(|(at, answer)| (format!("/answer/{at}/say"), &answer.say))).collect()
    }

    /// Every label, with its place.
    pub fn labels(&self) -> Vec<(String, &Label)> {
        let mut labels = buttons("/fallback_buttons", &self.fallback_buttons);
        for (at, answer) in self.answer.iter().enumerate() {
            let place = format!("/answer/{at}");
            labels.extend(answer.title.iter().map(|title| (format!("{place}/title"), title)));
            labels.extend(answer.footer.iter().map(|footer| (format!("{place}/footer"), footer)));
            labels.extend(buttons(&format!("{place}/buttons"), &answer.buttons));
            let Some(list) = &answer.list else { continue };
            labels.push((format!("{place}/list/label"), &list.label));
            for (at, row) in list.rows.iter().enumerate() {
                let place = format!("{place}/list/rows/{at}");
                labels.push((format!("{place}/title"), &row.title));
                let more = row.description.iter();
                labels.extend(more.map(|more| (format!("{place}/description"), more)));
            }
        }
        labels
    }
}

fn buttons<'a>(place: &str, buttons: &'a [Button]) -> Vec<(String, &'a Label)> {
    let title = |(at, button): (usize, &'a Button)| (format!("{place}/{at}/title"), &button.title);
    buttons.iter().enumerate().map(title).collect()
}
