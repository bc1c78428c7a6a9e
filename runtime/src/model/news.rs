//! What an account event means: a template, the number, the account, a call,
//! or what a person at the business did on the phone.

use super::{ChannelId, Message, Millis, moment};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What an account event means to the host.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum News {
    /// Nothing; the operator can read it.
    #[default]
    Other,
    /// Nothing to the host either, in plain words for the operator.
    Remark(String),
    /// In the words of the template's own list.
    Template(TemplateNews),
    /// The number's quality or its limits.
    Number(NumberNews),
    /// The contact used WhatsApp's own switch for marketing messages.
    Marketing { wanted: bool },
    /// The contact called. A call opens the window as a message does.
    Call {
        id: String,
        /// When it began, as far as the provider says.
        at: Millis,
        /// It ended and nobody had answered.
        missed: bool,
    },
    /// A person at the business answered from the phone app.
    Echo(Box<Message>),
    /// The account can't send, or not all, or can again.
    Account(AccountNews),
    /// The business's own name for all changed; none: it was given up.
    Username(Option<String>),
}

/// A template changed at the provider.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateNews {
    pub name: String,
    pub language: String,
    /// `APPROVED`, `PAUSED`, `DISABLED`, `REJECTED`, …
    pub status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: Option<String>,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: Option<String>,
    /// Its text changed: it has to be read anew.
    pub changed: bool,
    pub reason: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberNews {
    /// The provider's word for what happened: `ONBOARDING`,
    /// `THROUGHPUT_UPGRADE`, `DOWNGRADE`, …
    pub event: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`.
    pub quality: Option<String>,
    /// How many contacts the business may write to first within 24 hours; -1
    /// for no limit.
    pub daily_contacts: Option<i64>,
}

/// Whether the account can send.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountNews {
    /// False: it can again.
    pub stopped: bool,
    /// In plain words.
    pub reason: String,
    /// Templates alone are stopped: answers may leave.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub templates_only: bool,
    /// When it ends by itself, if the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// The provider's id of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// An account that can't send, or not all, as it has said itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stoppage {
    /// At whose address the news came.
    pub channel: ChannelId,
    pub at: Millis,
    pub news: AccountNews,
}

impl Stoppage {
    /// The shortest for which Meta forbids templates.
    const TEMPLATES_MS: Millis = 24 * 3_600_000;

    /// When it is over though nobody says so; none: only a message that gets
    /// through can tell.
    pub fn ends(&self) -> Option<Millis> {
        let after = || self.at.saturating_add(Self::TEMPLATES_MS);
        self.news.until.or_else(|| self.news.templates_only.then(after))
    }
}

/// An account event as its turn's trace keeps it for the operator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccountChange {
    pub field: String,
    pub news: News,
    /// As the provider sent it, up to `AccountChange::RAW_BYTES`.
    pub raw: String,
    /// Of the whole of it.
    pub raw_bytes: usize,
}

impl AccountChange {
    /// Bytes of a body that are kept. A change takes some hundred; a piece of
    /// the phone app's history may take megabytes.
    pub const RAW_BYTES: usize = 256 * 1024;

    pub fn new(field: &str, news: &News, raw: &str) -> Self {
        let kept = raw.get(..raw.floor_char_boundary(Self::RAW_BYTES)).unwrap_or(raw);
        let (field, news) = (field.to_owned(), news.clone());
        Self { field, news, raw: kept.to_owned(), raw_bytes: raw.len() }
    }
}

impl News {
    /// Whether it is about a person whom we may not know yet, and who has to
    /// be known from now on.
    pub fn makes_contact(&self) -> bool {
        match self {
            Self::Marketing { .. } | Self::Call { .. } | Self::Echo(_) => true,
            Self::Other
            | Self::Remark(_)
            | Self::Template(_)
            | Self::Number(_)
            | Self::Account(_)
            | Self::Username(_) => false,
        }
    }

    /// It in our JSON, under its key; none where there is nothing to say.
    pub fn json(&self) -> Option<(&'static str, Value)> {
        Some(match self {
            Self::Other => return None,
            Self::Remark(text) => ("remark", json!(text)),
            Self::Template(template) => ("template", json!(template)),
            Self::Number(number) => ("number", json!(number)),
            Self::Marketing { wanted } => ("marketing", json!({ "wanted": wanted })),
            Self::Call { id, at, missed } => {
                ("call", json!({ "id": id, "at": at, "missed": missed }))
            }
            Self::Echo(message) => ("echo", echo(message)),
            Self::Account(account) => ("account", json!(account)),
            Self::Username(name) => ("username", json!(name)),
        })
    }

    /// In plain words, without what a contact wrote.
    pub fn in_words(&self) -> String {
        match self {
            Self::Other => "something that means nothing to the bot".into(),
            Self::Remark(text) => text.clone(),
            Self::Template(template) => template.in_words(),
            Self::Number(number) => number.in_words(),
            Self::Marketing { wanted: true } => "the contact wants marketing messages".into(),
            Self::Marketing { wanted: false } => "the contact stopped marketing messages".into(),
            Self::Call { at, missed, .. } => {
                let at = moment(*at).map_or_else(String::new, |at| format!(" at {at}"));
                let missed = if *missed { ", and nobody answered" } else { "" };
                format!("the contact called{at}{missed}")
            }
            Self::Echo(message) => {
                format!("a person used the phone app: {}", message.content.kind())
            }
            Self::Account(account) => account.in_words(),
            Self::Username(Some(name)) => format!("the business's username is `{name}`"),
            Self::Username(None) => "the business has no username any more".into(),
        }
    }
}

/// The message with its content under that content's own key.
fn echo(message: &Message) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), json!(message.id));
    map.insert("sent_at".into(), json!(message.sent_at));
    if let Some(quoted) = &message.replies_to {
        map.insert("replies_to".into(), json!(quoted));
    }
    map.insert(message.content.key().into(), message.content.body());
    Value::Object(map)
}

impl AccountNews {
    fn in_words(&self) -> String {
        let what = match (self.stopped, self.templates_only) {
            (true, false) => "sending is stopped",
            (true, true) => "sending templates is stopped",
            (false, _) => "sending is possible",
        };
        format!("{what}: {}", self.reason)
    }
}

impl TemplateNews {
    fn in_words(&self) -> String {
        let of = |what: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{what}{value}"))
        };
        let parts = [
            of("", &self.status),
            of("quality ", &self.quality),
            of("category ", &self.category),
            self.changed.then(|| "its text changed".to_owned()),
            of("because: ", &self.reason),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("template `{}` ({}): {}", self.name, self.language, parts.join(", "))
    }
}

impl NumberNews {
    fn in_words(&self) -> String {
        let limit = self.daily_contacts.map(|limit| match limit {
            ..0 => "no limit of contacts to write to first".to_owned(),
            limit => format!("{limit} contacts to write to first in 24 hours"),
        });
        let quality = self.quality.as_ref().map(|quality| format!("quality {quality}"));
        let parts: Vec<String> =
            [self.event.clone(), quality, limit].into_iter().flatten().collect();
        format!("the number: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Content;

    #[test]
    fn news_are_told_in_words_and_in_json() {
        let template = TemplateNews {
            name: "sale".into(),
            language: "de".into(),
            status: Some("PAUSED".into()),
            reason: Some("low quality".into()),
            ..TemplateNews::default()
        };
        let news = News::Template(template);
        assert_eq!(news.in_words(), "template `sale` (de): PAUSED, because: low quality");
        assert_eq!(news.json().unwrap().1["status"], "PAUSED");
        let number = NumberNews { daily_contacts: Some(-1), ..NumberNews::default() };
        assert_eq!(number.in_words(), "the number: no limit of contacts to write to first");
        let said = Message::new("wamid.1", 5_000, Content::Text("a secret".into()));
        let echo = News::Echo(Box::new(said));
        assert_eq!(echo.in_words(), "a person used the phone app: text");
        let json = json!({"id": "wamid.1", "sent_at": 5_000, "text": "a secret"});
        assert_eq!(echo.json(), Some(("echo", json)));
        assert_eq!(News::Other.json(), None);
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let raw = "ü".repeat(AccountChange::RAW_BYTES);
        let kept = AccountChange::new("history", &News::Other, &raw);
        assert_eq!((kept.raw.len(), kept.raw_bytes), (AccountChange::RAW_BYTES, raw.len()));
        assert_eq!(AccountChange::new("x", &News::Other, "{}").raw, "{}");
        let odd = format!("a{raw}");
        assert_eq!(AccountChange::new("x", &News::Other, &odd).raw.len() % 2, 1);
    }
}
