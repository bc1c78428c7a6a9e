//! Runs a case on the real plugin host and says how the outcome differs from
//! what is expected.
// For the lead: `switchboard::cases` takes this file's place.

use super::stage::{NOW, draft_of, step, text_message};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use switchboard::{
    model::*,
    plugin::{ConfigureError, Plugin},
    turn::{Draft, Step, StepError},
};

/// A folder with an event and what is expected of it.
pub struct Case(PathBuf);

/// The cases in a folder, in the order of their names.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found.into_iter().map(Case).collect()
}

impl Case {
    pub fn name(&self) -> String {
        self.0.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn file(&self, name: &str) -> Option<Value> {
        let text = fs::read_to_string(self.0.join(name)).ok()?;
        let value = match name.ends_with(".toml") {
            true => toml::from_str(&text).unwrap(),
            false => serde_json::from_str(&text).unwrap(),
        };
        Some(value)
    }

    /// What came out otherwise than expected; none if nothing did.
    pub async fn run(&self, plugin: &Arc<Plugin>) -> Option<String> {
        let mut expected = self.file("expected.json").expect("expected.json");
        let outcome = self.outcome(plugin).await;
        if expected.get("verdict").is_some() && expected.get("effects").is_none() {
            expected["effects"] = json!([]);
        }
        for (key, expected) in expected.as_object().unwrap() {
            let is = &outcome[key];
            let same = match key.as_str() {
                "error" => {
                    is.as_str().is_some_and(|said| said.contains(expected.as_str().unwrap()))
                }
                "stored" => expected["contact"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(key, value)| is.get(key) == Some(value)),
                _ => is == expected,
            };
            if !same {
                return Some(format!("{key} is not {expected} in {outcome}"));
            }
        }
        None
    }

    async fn outcome(&self, plugin: &Arc<Plugin>) -> Value {
        let rules = self.file("rules.toml").or(self.file("rules.json")).unwrap_or(json!({}));
        // The machine may be busy; how fast it is, is measured elsewhere.
        let mut config = step("loyalty");
        config.limits.time_ms = 30_000;
        config.limits.configure_ms = 30_000;
        let configured = match plugin.configure(&config, &rules).await {
            Ok(configured) => configured,
            Err(ConfigureError::Rules(problems)) => {
                let told = problems.into_iter();
                let told = told.map(|told| json!({ "path": told.path, "message": told.message }));
                return json!({ "problems": told.collect::<Vec<_>>() });
            }
            Err(ConfigureError::Failed(failure)) => return json!({ "failed": failure }),
        };
        let Some(event) = self.file("event.json") else { return json!({}) };
        let draft = || {
            let mut draft = draft_of(kind(&event), &config);
            self.prepare(&mut draft);
            draft
        };
        // Twice, maybe in one instance: what it keeps in memory must not matter.
        let once = told(configured.run(draft()).await);
        let again = told(configured.run(draft()).await);
        assert_eq!(once, again, "{}: the second time", self.name());
        once
    }

    fn prepare(&self, draft: &mut Draft) {
        let contact = self.file("contact.json").unwrap_or_default();
        for tag in contact["tags"].as_array().into_iter().flatten() {
            let tag = Effect::Tag { name: tag.as_str().unwrap().into(), expires: None };
            draft.contact.as_mut().unwrap().apply(&tag, "test", NOW);
        }
        let stored = self.file("stored.json").unwrap_or_default();
        for (key, value) in stored["contact"].as_object().into_iter().flatten() {
            draft.kv_set(KvScope::Contact, key, value.as_str().unwrap().into(), None).unwrap();
        }
    }
}

fn told((draft, verdict): (Draft, Result<Verdict, StepError>)) -> Value {
    let stored = draft.kv.iter().map(|((_, key), write)| {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        (key.clone(), write.value.as_ref().map(text).into())
    });
    match verdict {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(verdict) => json!({
            "verdict": match verdict { Verdict::Continue => "continue", Verdict::Stop => "stop" },
            "effects": draft.effects.iter().map(effect).collect::<Vec<_>>(),
            "stored": Value::Object(stored.collect()),
            "because": draft.because,
        }),
    }
}

/// The kinds of event that the shared cases have.
fn kind(event: &Value) -> EventKind {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if let timer @ Value::Object(_) = &event["timer"] {
        let (name, payload) = (text(&timer["name"]), text(&timer["payload"]));
        return EventKind::TimerFired { step: "loyalty".into(), name, payload, due: NOW };
    }
    let (kind, body) = event["message"].as_object().unwrap().iter().next().unwrap();
    let content = match kind.as_str() {
        "text" => Content::Text(text(body)),
        "choice" => Content::Choice(Choice { id: text(&body["id"]), title: text(&body["title"]) }),
        "media" => Content::Media(Media {
            kind: MediaKind::Image,
            id: text(&body["id"]),
            mime_type: text(&body["mime_type"]),
            caption: Some(text(&body["caption"])),
            filename: None,
        }),
        _ => Content::Other { kind: kind.clone(), json: body.to_string() },
    };
    EventKind::Message(Message { content, ..text_message("") })
}

/// The kinds of effect that the shared cases expect.
fn effect(effect: &Effect) -> Value {
    let moment = |at: &Millis| jiff::Timestamp::from_millisecond(*at as i64).unwrap().to_string();
    match effect {
        Effect::Send { to: None, message: Outgoing::Text(text) } => {
            json!({ "reply": { "text": text } })
        }
        Effect::Tag { name, expires } => {
            json!({ "tag": { "name": name, "expires": expires.as_ref().map(moment) } })
        }
        Effect::Untag { name } => json!({ "untag": name }),
        Effect::SetTimer { name, due, payload } => {
            json!({ "set_timer": { "name": name, "due": moment(due), "payload": payload } })
        }
        Effect::Note { text } => json!({ "note": text }),
        other => json!(format!("{other:?}")),
    }
}
