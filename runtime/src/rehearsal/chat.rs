//! A written chat as values.

use super::said::Pattern;
use crate::model::{MediaKind, Millis, ReceiptState};
use jiff::civil::DateTime;
use std::path::PathBuf;

/// A file of chats, with its text as it stands.
#[derive(Clone, Debug)]
pub struct ChatFile {
    pub path: PathBuf,
    pub text: String,
    pub chats: Vec<Chat>,
}

#[derive(Clone, Debug)]
pub struct Chat {
    pub title: String,
    /// Of its title, counted from 1.
    pub line: usize,
    /// The last line of its settings, or of its title.
    pub(super) top: usize,
    pub(super) settings: Settings,
    pub(super) lines: Vec<Line>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub at: Option<DateTime>,
    pub channel: Option<String>,
    pub customers: Vec<Customer>,
    /// Messages that are not told are passed over.
    pub loosely: bool,
}

/// Somebody of whom the business knows before anything happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    pub name: String,
    pub phone: Option<String>,
    pub tags: Vec<String>,
    pub attributes: Vec<(String, String)>,
    /// Whether marketing is welcome, where that is known.
    pub consent: Option<bool>,
}

/// One thing told, from its first line to its last.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub first: usize,
    pub last: usize,
    pub told: Told,
}

#[derive(Clone, Debug)]
pub(super) enum Told {
    Happens(Happens),
    Expected(Expected),
}

#[derive(Clone, Debug)]
pub(super) enum Happens {
    Says {
        who: String,
        text: String,
    },
    Taps {
        who: String,
        title: String,
    },
    Sends {
        who: String,
        what: Sent,
    },
    Wait(Millis),
    Until(DateTime),
    /// Of the last message to `who`; none: who spoke last.
    Receipt {
        who: Option<String>,
        state: ReceiptState,
        code: Option<u32>,
    },
    Resumed {
        who: Option<String>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Sent {
    Media {
        kind: MediaKind,
        caption: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
    },
    /// Products and how many of each.
    Order(Vec<(u64, String)>),
}

#[derive(Clone, Debug)]
pub(super) enum Expected {
    Message {
        to: Option<String>,
        message: Pattern,
    },
    Nothing {
        to: Option<String>,
    },
    Tags {
        who: String,
        tags: Vec<String>,
        there: bool,
    },
    Attribute {
        who: String,
        name: String,
        value: String,
    },
    Consent {
        who: String,
        wanted: bool,
    },
    /// With a reason that fits; none: nobody has the conversation but the bot.
    Handoff {
        who: Option<String>,
        reason: Option<String>,
    },
    Note {
        who: Option<String>,
        text: String,
    },
}
