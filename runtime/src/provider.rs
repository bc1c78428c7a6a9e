//! The wire forms of the providers: bytes in, values out. No I/O.

mod codes;
pub mod meta;
mod places;
mod split;
pub mod twilio;

use crate::model::*;
use std::collections::HashMap;

/// Why a webhook was turned away. Said to nobody but the metrics: an answer
/// that explains would help a forger.
#[derive(thiserror::Error, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    #[error("no signature")]
    NoSignature,
    #[error("wrong signature")]
    WrongSignature,
    #[error("wrong verify token")]
    WrongToken,
}

/// A webhook as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// Which of the channel's addresses it came to.
    pub route: WebhookRoute,
    /// Header names in lower case.
    pub headers: &'a HashMap<String, String>,
    /// As it was asked for: `/webhooks/main`.
    pub path: &'a str,
    /// Without the `?`.
    pub query: &'a str,
    /// The exact bytes: signatures are over these.
    pub body: &'a [u8],
}

/// `/webhooks/{channel}`, or `/webhooks/{channel}/status`, to which Twilio sends
/// receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookRoute {
    #[default]
    Main,
    Status,
}

/// What a provider wants to read when its webhook was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub content_type: &'static str,
    pub body: &'static str,
}

/// A body that could not be read at all.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
#[error("{0}")]
pub struct Malformed(pub String);

/// One HTTP request to the provider, with the channel's credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub auth: Auth,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// How the request says who sends it.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    None,
    Bearer(String),
    Basic { user: String, password: String },
}

/// Without its secrets.
impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Empty,
    Json(serde_json::Value),
    Form(Vec<(String, String)>),
}

/// Where a file goes, as a form of several parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    pub url: String,
    pub auth: Auth,
    /// The parts beside the file.
    pub fields: Vec<(&'static str, String)>,
    /// The name of the part with the file.
    pub file: &'static str,
}

/// What the provider's answer to a send means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken. The id is empty for what has none (read marks).
    Sent { message_id: String },
    /// Not taken. The reason is in plain words, with the code.
    Refused { class: ErrorClass, code: Option<u32>, reason: String },
}

/// A page of the account's templates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplatePage {
    pub forms: Vec<TemplateForm>,
    /// Entries that could not be read.
    pub unread: usize,
    /// Where the next page begins; none: this was the last.
    pub next: Option<String>,
}

/// What the channel's own settings say of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTemplate {
    /// The provider's id.
    pub id: String,
    pub category: Option<Category>,
}

/// Why a page could not be read. The reason is in plain words, with the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateTrouble {
    pub class: ErrorClass,
    pub reason: String,
}

/// How a file that a customer sent is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaRequest {
    /// The answer says where the file is; `media_place` reads it.
    Ask(Request),
    /// The answer is the file, or a redirect to it.
    Get(Request),
}

/// Where a file is, and what the provider says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaPlace {
    pub request: Request,
    pub bytes: Option<u64>,
    /// In hexadecimal.
    pub sha256: Option<String>,
    pub mime_type: Option<String>,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Passing trouble: again, with growing pauses from a second on.
    Retry,
    /// Trouble that mostly stays: again a few times, as `Retry`.
    RetryFew,
    /// Again once, and no more.
    RetryOnce,
    /// A limit counted over an hour or so, of this message's kind alone: again,
    /// with pauses from a minute on.
    RetrySlow,
    /// The number sends too fast: again, and all of the channel slower for a
    /// while.
    Throttled,
    /// The account's calls of this hour are used up: the channel rests, from a
    /// minute on.
    CallLimit,
    /// Too many contacts blocked or reported the number: the channel rests for
    /// hours.
    SpamLimit,
    /// No further contact may be written to first today.
    TierUsed,
    /// Too much to this one contact: again after 4^n seconds.
    PairLimit,
    /// Nothing can leave this channel until a person acts (token, payment,
    /// policy): keep everything, try again now and then, and say so.
    PauseChannel,
    /// The template rests or is not approved yet: its messages wait until the
    /// provider says that it is approved.
    PauseTemplate,
    /// Trying again would not help.
    Permanent,
    /// Outside the window: only a template may go.
    NeedsTemplate,
    /// The provider spares this contact marketing: none for a day at least.
    MarketingCap,
    /// The contact has stopped marketing: record it.
    OptedOut,
    /// Of no message: for the operator to read.
    Notice,
}

impl ErrorClass {
    /// Whether the same message could be taken later.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Retry
            | Self::RetryFew
            | Self::RetryOnce
            | Self::RetrySlow
            | Self::Throttled
            | Self::CallLimit
            | Self::SpamLimit
            | Self::TierUsed
            | Self::PairLimit
            | Self::PauseChannel
            | Self::PauseTemplate => true,
            Self::Permanent
            | Self::NeedsTemplate
            | Self::MarketingCap
            | Self::OptedOut
            | Self::Notice => false,
        }
    }
}

/// One business number at one provider. Implementations: `meta::Meta`,
/// `twilio::Twilio`.
pub trait Provider: Send + Sync + 'static {
    /// Answers the provider's test of the address, or denies it.
    fn challenge(&self, query: &str) -> Result<String, Denied>;
    /// Whether the provider sent this.
    fn verify(&self, webhook: Webhook<'_>) -> Result<(), Denied>;
    /// What it reads when the webhook was taken.
    fn taken(&self) -> Taken;
    /// Every message, status and change in the body. `channel_of` names the
    /// channel of a number id; what is of no number, or of one we do not have,
    /// goes to `here`.
    fn parse(
        &self,
        webhook: Webhook<'_>,
        here: &ChannelId,
        channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    ) -> Result<Vec<Happening>, Malformed>;
    /// The message as one or more that keep the provider's limits: long texts
    /// are split, too many buttons become a list, too many rows a numbered
    /// text. Error: a limit that no such change can keep, with its number.
    fn fit(&self, message: Outgoing) -> Result<Vec<Outgoing>, String>;
    /// The request that sends an item.
    fn render(&self, item: &OutboxItem) -> Request;
    /// Where a file of this kind and MIME type is uploaded. None: the provider
    /// takes no files, and `fit` refuses them.
    fn upload(&self, _kind: MediaKind, _mime: &str) -> Option<Upload> {
        None
    }
    /// What the answer to an upload means; `Sent` bears the id of the media.
    fn uploaded(&self, status: u16, body: &[u8]) -> Answer {
        self.classify(status, body)
    }
    /// Whether a refusal with this code may be for want of an uploaded file.
    fn blames_upload(&self, _code: u32) -> bool {
        false
    }
    /// What an HTTP answer means.
    fn classify(&self, status: u16, body: &[u8]) -> Answer;
    /// How to get the file of a message. Error: why it can't be had at all.
    fn media_request(&self, _media: &Media) -> Result<MediaRequest, String> {
        Err("files of this provider are not fetched".into())
    }
    /// Reads the answer to `MediaRequest::Ask`. Error: it says no place, or one
    /// that is not the provider's; no credential may go there.
    fn media_place(&self, _body: &[u8]) -> Result<MediaPlace, String> {
        Err("the provider gives no place".into())
    }
    /// Where a redirect on the way to a file leads: without credentials, and
    /// only to where the provider keeps files.
    fn media_redirect(&self, _location: &str) -> Result<Request, String> {
        Err("the provider redirects no files".into())
    }
    /// A provider's error code in plain words with what to do, and its class.
    fn explain(&self, code: u32, text: &str) -> (ErrorClass, String);
    /// What the channel's settings say of the template: it goes before the
    /// account's list.
    fn own_template(&self, _name: &str, _language: &str) -> Option<OwnTemplate> {
        None
    }
    /// Whose templates the channel uses: the account's id. None: the channel
    /// names none.
    fn template_account(&self) -> Option<&str> {
        None
    }
    /// The request for the first page of the account's templates, or the one
    /// that begins `after` a page.
    fn ask_templates(&self, _after: Option<&str>) -> Option<Request> {
        None
    }
    /// What the answer to it means.
    fn read_templates(&self, _status: u16, _body: &[u8]) -> Result<TemplatePage, TemplateTrouble> {
        Ok(TemplatePage::default())
    }
}
