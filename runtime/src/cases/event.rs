//! What happens in a case, as `event.json` writes it.

mod content;
mod news;

pub use content::json_of;

use super::moment::Moment;
use crate::model::{
    Content, EventKind, Message, Millis, Operator, Pricing, ProductRef, Receipt, ReceiptState,
};
use content::take;
use news::AccountForm;
use serde::{Deserialize, Serialize};
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
    product: Option<ProductRef>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free_until: Option<Moment>,
}

/// What they did: `resume` by whom, or to a tag.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorForm {
    Resume(String),
    Tag(OperatorTag),
    Untag(OperatorTag),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorTag {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    by: String,
}

impl OperatorForm {
    fn operator(&self) -> Result<Operator, String> {
        Ok(match self.clone() {
            Self::Resume(by) => Operator::Resume { by },
            Self::Tag(OperatorTag { name, expires, why, by }) => {
                Operator::Tag { name, expires: expires.map(|at| at.0), why, by }
            }
            Self::Untag(OperatorTag { name, expires: None, why, by }) => {
                Operator::Untag { name, why, by }
            }
            Self::Untag(_) => return Err("operator: `untag` has no `expires`".into()),
        })
    }

    fn of(operator: Operator) -> Self {
        match operator {
            Operator::Resume { by } => Self::Resume(by),
            Operator::Tag { name, expires, why, by } => {
                Self::Tag(OperatorTag { name, expires: expires.map(Moment), why, by })
            }
            Operator::Untag { name, why, by } => {
                Self::Untag(OperatorTag { name, expires: None, why, by })
            }
        }
    }
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
            self.operator.as_ref().map(|it| it.operator().map(EventKind::Operator)),
            self.account
                .as_ref()
                .map(|it| Ok(EventKind::Account { field: it.field.clone(), news: it.news(now) })),
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
            EventKind::Operator(it) => form.operator = Some(OperatorForm::of(it)),
            EventKind::Account { field, news } => {
                form.account = Some(AccountForm::of(field, news, now));
            }
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
            pricing: self.pricing.clone(),
            free_until: self.free_until.map(|until| until.0),
        })
    }

    fn of(receipt: Receipt) -> Self {
        Self {
            state: receipt.state,
            send: receipt.send.map(|send| send.to_string()),
            message_id: Some(receipt.message_id),
            error: receipt.error,
            pricing: receipt.pricing,
            free_until: receipt.free_until.map(Moment),
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
            product: self.product.clone(),
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
            product: message.product,
            sent_at: (message.sent_at != now).then_some(Moment(message.sent_at)),
        }
    }
}

impl TryFrom<Map<String, Value>> for ReceivedForm {
    type Error = String;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, String> {
        let form = Self {
            id: take(&mut map, "message", "id")?,
            replies_to: take(&mut map, "message", "replies_to")?,
            referral: map.remove("referral").filter(|value| !value.is_null()),
            forwarded: take(&mut map, "message", "forwarded")?.unwrap_or_default(),
            product: take(&mut map, "message", "product")?,
            sent_at: take(&mut map, "message", "sent_at")?,
            content: Content::Text(String::new()),
        };
        let kinds: Vec<String> = map.keys().cloned().collect();
        let mut contents = map.into_iter();
        match (contents.next(), contents.next()) {
            (Some((kind, body)), None) => Ok(Self { content: content::read(&kind, body)?, ..form }),
            (None, _) => Err("message: has no content, such as `text`".into()),
            (Some(_), Some(_)) => Err(format!(
                "message: has one content, not several: `{}`; beside it may stand `id`, \
                 `replies_to`, `referral`, `forwarded`, `product`, `sent_at`",
                kinds.join("`, `")
            )),
        }
    }
}

impl From<ReceivedForm> for Map<String, Value> {
    fn from(form: ReceivedForm) -> Self {
        let (kind, body) = content::written(&form.content);
        let mut map = Map::new();
        map.insert(kind, body);
        let beside = [
            ("id", form.id.map(Value::from)),
            ("replies_to", form.replies_to.map(Value::from)),
            ("referral", form.referral),
            ("forwarded", form.forwarded.then_some(Value::Bool(true))),
            ("product", form.product.map(|product| json!(product))),
            ("sent_at", form.sent_at.map(|at| json!(at))),
        ];
        let said = beside.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        map.extend(said);
        map
    }
}

#[cfg(test)]
mod tests;
