//! Templates as the provider keeps them: what a message by one has to fill, and
//! whether it may be used.

use super::{Category, MediaKind, Millis, TemplateNews};
use serde::{Deserialize, Serialize};

/// One template in one language.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TemplateForm {
    /// The provider's id.
    pub id: String,
    pub name: String,
    /// As the provider writes it: `en`, `pt_BR`.
    pub language: String,
    pub status: TemplateStatus,
    /// Why it has this status, in the provider's words.
    pub reason: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: Option<String>,
    /// None: a category that we do not know.
    pub category: Option<Category>,
    /// Whether its placeholders have names instead of numbers.
    pub named: bool,
    /// Where all values are given in one row, whatever part they fill, as at
    /// Twilio: what its placeholders are called. None: each part has its own.
    #[serde(default)]
    pub row: Option<Vec<String>>,
    pub parts: FormParts,
    pub footer: Option<String>,
    pub offer: Option<FormOffer>,
    /// Of a carousel.
    pub cards: Vec<FormParts>,
    /// When a webhook last told of it.
    #[serde(default)]
    pub news_at: Option<Millis>,
}

/// What a template and each card of its carousel have.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FormParts {
    pub header: FormHeader,
    /// With its placeholders. None: the provider keeps the text to itself.
    pub body: Option<String>,
    pub buttons: Vec<FormButton>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum FormHeader {
    #[default]
    None,
    /// With one placeholder at most.
    Text(String),
    /// An image, a video or a document, chosen with each message.
    Media(MediaKind),
    Location,
    /// A header that we do not know, by the provider's word.
    Other(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormButton {
    pub label: String,
    pub kind: FormButtonKind,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FormButtonKind {
    Reply,
    /// Its address, with a placeholder at the end or without.
    Link(String),
    CopyCode,
    /// Copies or fills in the code of an authentication template.
    OneTimeCode,
    Flow,
    Catalog,
    Products,
    /// One that takes no value, by the provider's word: `PHONE_NUMBER`.
    Plain(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormOffer {
    pub text: Option<String>,
    /// Whether each message says when it ends.
    pub expires: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TemplateStatus {
    Approved,
    /// At risk, but it may be used.
    Flagged,
    /// Never handed in to be approved.
    Unsubmitted,
    Pending,
    InAppeal,
    Paused,
    Locked,
    Rejected,
    Disabled,
    Archived,
    Deleted,
    LimitExceeded,
    /// A word that is yet to come.
    Other(String),
}

/// Whether messages by a template may leave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TemplateState {
    /// They may, as far as we know.
    #[default]
    Live,
    /// Not now; it may come back.
    Rests { reason: String },
    /// Not any more.
    Gone { reason: String },
}

/// What is known of a template when a message by it is about to leave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TemplateStanding {
    pub state: TemplateState,
    /// None: nobody has said it but the step.
    pub category: Option<Category>,
}

impl TemplateStatus {
    /// From the provider's word.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "APPROVED" | "ACTIVE" | "REINSTATED" | "UNARCHIVED" | "UNPAUSED" => Self::Approved,
            "FLAGGED" => Self::Flagged,
            "UNSUBMITTED" => Self::Unsubmitted,
            "PENDING" | "RECEIVED" => Self::Pending,
            "IN_APPEAL" | "APPEAL_REQUESTED" => Self::InAppeal,
            "PAUSED" => Self::Paused,
            "LOCKED" => Self::Locked,
            "REJECTED" => Self::Rejected,
            "DISABLED" => Self::Disabled,
            "ARCHIVED" => Self::Archived,
            "DELETED" | "PENDING_DELETION" => Self::Deleted,
            "LIMIT_EXCEEDED" => Self::LimitExceeded,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// In our words: `approved`, `in appeal`.
    pub fn word(&self) -> &str {
        match self {
            Self::Approved => "approved",
            Self::Flagged => "flagged",
            Self::Unsubmitted => "not handed in to be approved",
            Self::Pending => "pending",
            Self::InAppeal => "in appeal",
            Self::Paused => "paused",
            Self::Locked => "locked",
            Self::Rejected => "rejected",
            Self::Disabled => "disabled",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
            Self::LimitExceeded => "over the limit of templates",
            Self::Other(word) => word,
        }
    }
}

impl TemplateForm {
    /// A word we do not know stops nothing: the provider decides then.
    pub fn state(&self) -> TemplateState {
        let reason = || {
            let Self { name, language, status, .. } = self;
            let why = self.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("the template `{name}` ({language}) is {}{why}", status.word())
        };
        match self.status {
            TemplateStatus::Approved | TemplateStatus::Flagged | TemplateStatus::Other(_) => {
                TemplateState::Live
            }
            TemplateStatus::Unsubmitted
            | TemplateStatus::Pending
            | TemplateStatus::InAppeal
            | TemplateStatus::Paused
            | TemplateStatus::Locked => TemplateState::Rests { reason: reason() },
            TemplateStatus::Rejected
            | TemplateStatus::Disabled
            | TemplateStatus::Archived
            | TemplateStatus::Deleted
            | TemplateStatus::LimitExceeded => TemplateState::Gone { reason: reason() },
        }
    }

    pub fn is_live(&self) -> bool {
        self.state() == TemplateState::Live
    }

    /// Takes what a webhook tells at `now`.
    pub fn take(&mut self, news: &TemplateNews, now: Millis) {
        self.news_at = Some(now);
        if let Some(status) = &news.status {
            self.status = TemplateStatus::of(status);
            self.reason.clone_from(&news.reason);
        }
        if let Some(quality) = &news.quality {
            self.quality = Some(quality.clone());
        }
        if let Some(category) = &news.category {
            self.category = Category::of(category);
        }
    }

    /// Takes over from an older copy what a reading begun at `began` can't know
    /// better: what a webhook has told since, and why the status is as it is.
    pub fn after(mut self, old: &Self, began: Millis) -> Self {
        self.news_at = old.news_at;
        if old.news_at.is_some_and(|at| at >= began) {
            self.status = old.status.clone();
            self.reason.clone_from(&old.reason);
            self.quality.clone_from(&old.quality);
            self.category = old.category;
        } else if self.status == old.status && self.reason.is_none() {
            self.reason.clone_from(&old.reason);
        }
        self
    }
}

impl Category {
    /// From the provider's word; none for one that we do not know.
    pub fn of(word: &str) -> Option<Self> {
        match word.to_ascii_uppercase().as_str() {
            "MARKETING" => Some(Self::Marketing),
            "UTILITY" => Some(Self::Utility),
            "AUTHENTICATION" => Some(Self::Authentication),
            _ => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
            Self::Authentication => "authentication",
        }
    }
}

/// The copy of an account's templates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TemplateCopy {
    /// When it was read; none: never.
    pub read_at: Option<Millis>,
    /// A webhook told of something that it lacks.
    pub wanted: bool,
    /// By name and language.
    pub forms: Vec<TemplateForm>,
}

/// A text's placeholders, `{{1}}` or `{{name}}`, each once, in order: what
/// stands between the braces.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("{{") {
        let Some((name, behind)) = behind.split_once("}}") else { break };
        let name = name.trim();
        if !found.contains(&name) {
            found.push(name);
        }
        rest = behind;
    }
    found
}

/// The text with its placeholders replaced; those that `value` does not know
/// stay.
pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, behind)) = behind.split_once("}}") else { break };
        whole.push_str(before);
        match value(name.trim()) {
            Some(value) => whole.push_str(&value),
            None => whole.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = behind;
    }
    whole + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_once_and_in_order() {
        assert_eq!(placeholders("Hi {{name}}, {{ day }} or {{name}}? {{"), ["name", "day"]);
        assert_eq!(placeholders("}} {{1}}{{2}}"), ["1", "2"]);
        assert!(placeholders("none {here}").is_empty());
    }

    #[test]
    fn filling_keeps_what_it_does_not_know() {
        let value = |name: &str| (name == "1").then(|| "{{2}}".to_owned());
        assert_eq!(filled("a {{1}} b {{2}} c {{", value), "a {{2}} b {{2}} c {{");
    }

    #[test]
    fn every_status_reads_back_or_stays_a_word() {
        for (word, status) in [
            ("approved", TemplateStatus::Approved),
            ("PAUSED", TemplateStatus::Paused),
            ("PENDING_DELETION", TemplateStatus::Deleted),
            ("NEW_WORD", TemplateStatus::Other("NEW_WORD".into())),
        ] {
            assert_eq!(TemplateStatus::of(word), status);
        }
    }
}
