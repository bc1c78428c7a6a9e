//! What happens in a case, as `event.json` writes it.

use super::{effect::ButtonForm, moment::Moment};
use crate::model::{
    Choice, Content, EventKind, Location, Media, MediaKind, Message, Millis, News, Operator,
    Reaction, Receipt, ReceiptState,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// One of the first six, and what stands around it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<ReceivedForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<BroadcastForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Moment>,
    /// The business's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneForm>,
    /// The event's place in its lane, which the ids of its messages show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// Messages that steps before this one have sent in the turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneForm {
    Contact,
    Channel,
}

/// A message from the contact: one content, by its kind, and what is said of
/// the message beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct ReceivedForm {
    content: Content,
    id: Option<String>,
    replies_to: Option<String>,
    referral: Option<Value>,
    forwarded: bool,
    sent_at: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerForm {
    name: String,
    #[serde(default)]
    payload: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BroadcastForm {
    id: String,
    #[serde(default)]
    payload: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptForm {
    state: ReceiptState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<(u32, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorForm {
    resume: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountForm {
    field: String,
}

const KINDS: &str = "`message`, `timer`, `broadcast`, `receipt`, `operator`, `account`";
const MESSAGE_ID: &str = "wamid.1";

impl EventForm {
    /// The event as the host has it, for the step `step`. Error: what is
    /// wrong with it, beginning with the key.
    pub fn kind(&self, step: &str, now: Millis) -> Result<EventKind, String> {
        let found = [
            self.message.as_ref().map(|it| Ok(EventKind::Message(it.message(now)))),
            self.timer.as_ref().map(|it| {
                let (name, payload) = (it.name.clone(), it.payload.clone());
                let due = it.due.map_or(now, |due| due.0);
                Ok(EventKind::TimerFired { step: step.into(), name, payload, due })
            }),
            self.broadcast.as_ref().map(|it| {
                let (id, payload) = (it.id.clone(), it.payload.clone());
                Ok(EventKind::Broadcast { step: step.into(), id, payload })
            }),
            self.receipt.as_ref().map(|it| it.receipt(now).map(EventKind::Receipt)),
            self.operator
                .as_ref()
                .map(|it| Ok(EventKind::Operator(Operator::Resume { by: it.resume.clone() }))),
            self.account
                .as_ref()
                .map(|it| Ok(EventKind::Account { field: it.field.clone(), news: News::Other })),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(kind), None) => kind,
            (Some(_), Some(_)) => Err(format!("says that two things happen; one of {KINDS}")),
            (None, _) => Err(format!("does not say what happens: one of {KINDS} is needed")),
        }
    }

    /// Without what stands around it.
    pub fn of_kind(kind: &EventKind, now: Millis) -> Self {
        let mut form = Self::default();
        match kind.clone() {
            EventKind::Message(it) => form.message = Some(ReceivedForm::of(it, now)),
            EventKind::Receipt(it) => form.receipt = Some(ReceiptForm::of(it)),
            EventKind::TimerFired { step: _, name, payload, due } => {
                let due = (due != now).then_some(Moment(due));
                form.timer = Some(TimerForm { name, payload, due });
            }
            EventKind::Broadcast { step: _, id, payload } => {
                form.broadcast = Some(BroadcastForm { id, payload });
            }
            EventKind::Operator(Operator::Resume { by }) => {
                form.operator = Some(OperatorForm { resume: by });
            }
            EventKind::Account { field, .. } => form.account = Some(AccountForm { field }),
        }
        form
    }
}

impl ReceiptForm {
    fn receipt(&self, now: Millis) -> Result<Receipt, String> {
        let send = self.send.as_deref().filter(|send| !send.is_empty()).map(str::parse);
        Ok(Receipt {
            message_id: self.message_id.clone().unwrap_or_else(|| MESSAGE_ID.into()),
            send: send.transpose().map_err(|why: String| format!("receipt.send: {why}"))?,
            state: self.state,
            at: now,
            error: self.error.clone(),
            pricing: None,
            free_until: None,
        })
    }

    fn of(receipt: Receipt) -> Self {
        Self {
            state: receipt.state,
            send: receipt.send.map(|send| send.to_string()),
            message_id: Some(receipt.message_id),
            error: receipt.error,
        }
    }
}

impl ReceivedForm {
    fn message(&self, now: Millis) -> Message {
        Message {
            id: self.id.clone().unwrap_or_else(|| MESSAGE_ID.into()),
            sent_at: self.sent_at.map_or(now, |at| at.0),
            content: self.content.clone(),
            replies_to: self.replies_to.clone(),
            referral: self.referral.as_ref().map(Value::to_string),
            forwarded: self.forwarded,
            product: None,
        }
    }

    pub fn sent_at(&self) -> Option<Millis> {
        self.sent_at.map(|at| at.0)
    }

    fn of(message: Message, now: Millis) -> Self {
        Self {
            content: message.content,
            id: Some(message.id),
            replies_to: message.replies_to,
            referral: message.referral.map(|text| json_of(&text)),
            forwarded: message.forwarded,
            sent_at: (message.sent_at != now).then_some(Moment(message.sent_at)),
        }
    }
}

/// What is no JSON after all stays text.
pub fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaForm {
    kind: MediaKind,
    #[serde(default = "media_id")]
    id: String,
    #[serde(default = "mime_type")]
    mime_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
}

fn media_id() -> String {
    "media.1".into()
}
fn mime_type() -> String {
    "application/octet-stream".into()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationForm {
    latitude: f64,
    longitude: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReactionForm {
    message_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emoji: Option<String>,
}

impl TryFrom<Map<String, Value>> for ReceivedForm {
    type Error = String;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, String> {
        let form = Self {
            id: take(&mut map, "id")?,
            replies_to: take(&mut map, "replies_to")?,
            referral: map.remove("referral").filter(|value| !value.is_null()),
            forwarded: take(&mut map, "forwarded")?.unwrap_or_default(),
            sent_at: take(&mut map, "sent_at")?,
            content: Content::Text(String::new()),
        };
        let kinds: Vec<String> = map.keys().cloned().collect();
        let mut contents = map.into_iter();
        match (contents.next(), contents.next()) {
            (Some((kind, body)), None) => Ok(Self { content: content(kind, body)?, ..form }),
            (None, _) => Err("message: has no content, such as `text`".into()),
            (Some(_), Some(_)) => Err(format!(
                "message: has one content, not several: `{}`; beside it may stand `id`, \
                 `replies_to`, `referral`, `forwarded`, `sent_at`",
                kinds.join("`, `")
            )),
        }
    }
}

fn take<T: DeserializeOwned>(map: &mut Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    match map.remove(key) {
        Some(value) => read(key, value),
        None => Ok(None),
    }
}

fn read<T: DeserializeOwned>(key: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("message.{key}: {error}"))
}

fn content(kind: String, body: Value) -> Result<Content, String> {
    Ok(match kind.as_str() {
        "text" => Content::Text(read("text", body)?),
        "choice" => {
            let ButtonForm { id, title } = read("choice", body)?;
            Content::Choice(Choice { id, title })
        }
        "media" => {
            let MediaForm { kind, id, mime_type, caption, filename } = read("media", body)?;
            Content::Media(Media {
                kind,
                id,
                mime_type,
                caption,
                filename,
                url: None,
                sha256: None,
            })
        }
        "location" => {
            let LocationForm { latitude, longitude, name, address } = read("location", body)?;
            Content::Location(Location { latitude, longitude, name, address })
        }
        "reaction" => {
            let ReactionForm { message_id, emoji } = read("reaction", body)?;
            Content::Reaction(Reaction { message_id, emoji })
        }
        _ => Content::Other { kind, json: body.to_string() },
    })
}

impl From<ReceivedForm> for Map<String, Value> {
    fn from(form: ReceivedForm) -> Self {
        let (kind, body) = match form.content {
            Content::Text(text) => ("text".into(), json!(text)),
            Content::Choice(it) => {
                ("choice".into(), json!(ButtonForm { id: it.id, title: it.title }))
            }
            Content::Media(Media { kind, id, mime_type, caption, filename, .. }) => {
                ("media".into(), json!(MediaForm { kind, id, mime_type, caption, filename }))
            }
            Content::Location(Location { latitude, longitude, name, address }) => {
                ("location".into(), json!(LocationForm { latitude, longitude, name, address }))
            }
            Content::Reaction(Reaction { message_id, emoji }) => {
                ("reaction".into(), json!(ReactionForm { message_id, emoji }))
            }
            other => {
                let json = other.json().unwrap_or_default();
                (other.kind().to_owned(), json_of(&json))
            }
        };
        let mut map = Map::new();
        map.insert(kind, body);
        let beside = [
            ("id", form.id.map(Value::from)),
            ("replies_to", form.replies_to.map(Value::from)),
            ("referral", form.referral),
            ("forwarded", form.forwarded.then_some(Value::Bool(true))),
            ("sent_at", form.sent_at.map(|at| json!(at))),
        ];
        let said = beside.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        map.extend(said);
        map
    }
}

#[cfg(test)]
mod tests;
