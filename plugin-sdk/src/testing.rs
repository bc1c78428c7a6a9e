//! Runs a plugin natively: event in, effects out. No sandbox, no host; limits
//! other than the window, consent and handoff are not imitated.
//!
//! ```
//! # use switchboard_plugin::*;
//! # struct Echo;
//! # impl Plugin for Echo {
//! #     type Rules = ();
//! #     fn new(_: ()) -> Result<Self, Vec<Problem>> { Ok(Self) }
//! #     fn on_message(&self, message: Message) -> Outcome {
//! #         reply(message.words().unwrap_or("?"))?;
//! #         Ok(Stop)
//! #     }
//! # }
//! use switchboard_plugin::testing::{Stage, configure};
//!
//! let echo = configure::<Echo>("{}").unwrap();
//! let mut stage = Stage::default();
//! stage.contact.tags.insert("vip".into());
//! let turn = stage.says(&echo, "hello");
//! assert_eq!(turn.replies(), ["hello"]);
//! assert_eq!(turn.verdict, Ok(Stop));
//! ```

pub mod host;
// The host's own reading of zones and cron expressions, so that a test and a
// turn never differ.
#[path = "../../runtime/src/plugin/zones.rs"]
mod zones;
// And of opening hours.
#[path = "../../runtime/src/calendar.rs"]
pub mod calendar;
// And of which language a contact writes in.
#[path = "../../runtime/src/model/language.rs"]
pub mod language;

pub use crate::plugin::configure;
use crate::{
    Category, Choice, Content, Event, Instant, Message, Outcome, Outgoing, Plugin, Scope, Segment,
    Template, Terms,
    http::{Request, Response},
    media::{File, State},
};
use calendar::{Calendar, Day, On};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// Who the turn is with. Kept from turn to turn, as the effects leave it.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: Option<String>,
    pub language: Option<String>,
    /// The language that a message of theirs surely was in.
    pub written: Option<language::Written>,
    pub zone: Option<String>,
    pub tags: BTreeSet<String>,
    /// Of the tags that go by themselves.
    pub expiries: BTreeMap<String, Instant>,
    pub attributes: BTreeMap<String, String>,
    /// `opted-in`, `opted-out`; empty for unknown.
    pub consent: String,
    pub first_seen: Option<Instant>,
    /// When the last message came.
    pub last_seen: Option<Instant>,
    /// And the one before it: what a plugin is told while it answers one.
    pub previous_seen: Option<Instant>,
    pub message_count: u64,
    pub in_handoff: bool,
}

/// Everything around a plugin, with fields to set up before a turn.
#[derive(Clone, Debug)]
pub struct Stage {
    pub contact: Person,
    /// Run in the channel's own lane: there is no contact.
    pub channel_lane: bool,
    pub now: Instant,
    /// The business's zone.
    pub zone: String,
    /// When the business is open. See [`Stage::opens`].
    pub calendar: Option<Calendar>,
    /// The event as the provider sent it.
    pub raw: String,
    /// What brought the contact here, as JSON.
    pub referral: Option<String>,
    pub kv: BTreeMap<(bool, String), (Vec<u8>, Option<Instant>)>,
    /// What HTTP requests are answered with: the first of the same method and
    /// address. See [`Stage::answers`].
    pub exchanges: Vec<Exchange>,
    /// The files that the contact has sent, by id. See [`Stage::has_file`].
    pub files: BTreeMap<String, (File, Vec<u8>)>,
    /// Turns run so far.
    pub turns: u64,
}

/// The answer to an HTTP request, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub method: String,
    pub url: String,
    pub answer: Result<Response, String>,
}

impl Default for Stage {
    /// A contact who has not written yet, on 2 March 2026, a Monday, at
    /// 10:00 UTC.
    fn default() -> Self {
        Self {
            contact: Person::default(),
            channel_lane: false,
            now: 1_772_445_600_000,
            zone: "UTC".into(),
            calendar: None,
            raw: "{}".into(),
            referral: None,
            kv: BTreeMap::new(),
            exchanges: Vec::new(),
            files: BTreeMap::new(),
            turns: 0,
        }
    }
}

/// What a turn came to. Without effects if the verdict is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub verdict: Outcome,
    pub effects: Vec<Effect>,
    pub because: Vec<String>,
    pub logs: Vec<String>,
    /// The HTTP requests that were sent, also if the verdict is an error.
    pub requests: Vec<Request>,
}

/// What the plugin asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Reply(Outgoing),
    ReplyTo { quoted: String, message: Outgoing },
    Send { contact: String, message: Outgoing },
    MarkRead { typing: bool },
    Tag { name: String, expires: Option<Instant> },
    Untag(String),
    SetAttribute { name: String, value: Option<String> },
    SetTimer { name: String, due: Instant, payload: String },
    CancelTimer(String),
    Handoff(String),
    Resume,
    OptIn(String),
    OptOut(String),
    Broadcast { id: String, to: Segment, payload: String, terms: Terms },
    LeaveOut(String),
    Variant(String),
    Note(String),
    Unanswered(String),
}

impl Turn {
    /// The replies as the contact reads them: a text, the body above buttons,
    /// a template's name.
    pub fn replies(&self) -> Vec<&str> {
        self.effects.iter().filter_map(spoken).collect()
    }
    /// The templates sent to the contact.
    pub fn templates(&self) -> Vec<&Template> {
        let template = |effect| match effect {
            &Effect::Reply(Outgoing::Template(ref template)) => Some(template),
            _ => None,
        };
        self.effects.iter().filter_map(template).collect()
    }
    /// Timers set, by name and moment.
    pub fn timers(&self) -> Vec<(&str, Instant)> {
        let timer = |effect| match effect {
            &Effect::SetTimer { ref name, due, .. } => Some((name.as_str(), due)),
            _ => None,
        };
        self.effects.iter().filter_map(timer).collect()
    }
}

fn hours_of(texts: &str) -> Result<Vec<calendar::Span>, String> {
    let texts: Vec<&str> = texts.split(',').collect();
    calendar::spans(texts.into_iter()).map_err(|(_, why)| why)
}

fn spoken(effect: &Effect) -> Option<&str> {
    let (Effect::Reply(message) | Effect::ReplyTo { message, .. }) = effect else { return None };
    match message {
        Outgoing::Text(text) => Some(text),
        Outgoing::Buttons(buttons) => Some(&buttons.body),
        Outgoing::Options(options) => Some(&options.body),
        Outgoing::Template(template) => Some(&template.name),
        Outgoing::Media(_) | Outgoing::Reaction(_) => None,
        Outgoing::Location(_) | Outgoing::Other(_) => None,
    }
}

/// The category of a template, in either of its forms.
fn category(message: &Outgoing) -> Option<Category> {
    match message {
        Outgoing::Template(template) => Some(template.category),
        Outgoing::Other(other) if other.kind == "template" => {
            let form: serde_json::Value = serde_json::from_str(&other.json).ok()?;
            match form.get("category")?.as_str()? {
                "marketing" => Some(Category::Marketing),
                "utility" => Some(Category::Utility),
                "authentication" => Some(Category::Authentication),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Stage {
    /// The contact writes a text.
    pub fn says(&mut self, plugin: &impl Plugin, text: &str) -> Turn {
        self.sends(plugin, Content::Text(text.into()))
    }
    /// The contact taps a button.
    pub fn taps(&mut self, plugin: &impl Plugin, id: &str, title: &str) -> Turn {
        self.sends(plugin, Content::Choice(Choice { id: id.into(), title: title.into() }))
    }
    /// The contact sends a message of any kind.
    pub fn sends(&mut self, plugin: &impl Plugin, content: Content) -> Turn {
        let person = &mut self.contact;
        person.message_count += 1;
        person.previous_seen = person.last_seen.or(person.first_seen);
        person.last_seen = Some(self.now);
        person.first_seen.get_or_insert(self.now);
        let id = format!("wamid.{}", person.message_count);
        self.handle(plugin, Event::Message(Message { id, sent_at: self.now, content }))
    }

    /// One turn. If it fails, the stage is as before.
    pub fn handle(&mut self, plugin: &impl Plugin, event: Event) -> Turn {
        self.turns += 1;
        let Person { tags, expiries, .. } = &mut self.contact;
        expiries.retain(|name, at| *at > self.now || !tags.remove(name));
        let (on_message, words) = match &event {
            Event::Message(message) => (true, message.words().map(str::to_owned)),
            _ => (false, None),
        };
        let running = Running { stage: self.clone(), on_message, words, ..Running::default() };
        let before = RUNNING.replace(Some(running));
        assert!(before.is_none(), "a turn within a turn");
        let verdict = plugin.handle(event);
        let running = RUNNING.take().unwrap_or_default();
        let effects = if verdict.is_ok() { running.effects } else { Vec::new() };
        if verdict.is_ok() {
            *self = running.stage;
        }
        let Running { because, logs, requests, .. } = running;
        Turn { verdict, effects, because, logs, requests }
    }

    /// From now on a request is answered like this, also if it was answered
    /// otherwise before.
    pub fn answers(&mut self, method: &str, url: &str, status: u16, body: &str) -> &mut Self {
        let response = Response { status, headers: Vec::new(), body: body.into() };
        self.exchange(method, url, Ok(response))
    }
    /// From now on a request comes to nothing, in these words.
    pub fn fails(&mut self, method: &str, url: &str, words: &str) -> &mut Self {
        self.exchange(method, url, Err(words.into()))
    }
    fn exchange(&mut self, method: &str, url: &str, answer: Result<Response, String>) -> &mut Self {
        let exchange = Exchange { method: method.into(), url: url.into(), answer };
        self.exchanges.insert(0, exchange);
        self
    }

    /// From now on the contact has sent this file, and it is here. Its hash is
    /// not worked out.
    pub fn has_file(&mut self, id: &str, mime_type: &str, bytes: &[u8]) -> &mut Self {
        let file = File {
            state: State::Here,
            mime_type: mime_type.into(),
            looks_like: None,
            bytes: bytes.len() as u64,
            sha256: String::new(),
            reason: None,
        };
        self.files.insert(id.into(), (file, bytes.to_vec()));
        self
    }
    /// As [`Stage::has_file`], but it is not to be had, for this reason.
    pub fn lacks_file(&mut self, id: &str, reason: &str) -> &mut Self {
        self.has_file(id, "", b"");
        if let Some((file, _)) = self.files.get_mut(id) {
            (file.state, file.reason) = (State::Failed, Some(reason.into()));
        }
        self
    }

    /// Sets the clock to a local time of the business's zone:
    /// `2026-03-02T10:00:00`.
    pub fn at(&mut self, local: &str) -> &mut Self {
        self.now = zones::instant_of(local, &self.zone).unwrap_or(self.now);
        self
    }

    /// From now on the business is open at these hours, in its zone:
    /// `opens(["09:00-12:30, 13:30-18:00", …, "closed"])`, from Monday to
    /// Sunday. Error: which day is wrong, and what is.
    pub fn opens(&mut self, week: [&str; 7]) -> Result<&mut Self, String> {
        let mut spans: [_; 7] = Default::default();
        for (spans, hours) in spans.iter_mut().zip(week) {
            *spans = hours_of(hours)?;
        }
        let zone = jiff::tz::TimeZone::get(&self.zone).map_err(|error| error.to_string())?;
        self.calendar = Some(Calendar::new(zone, spans, Vec::new()));
        Ok(self)
    }
    /// But on this date (`2026-12-25`, or `12-25` for every year) these hours
    /// hold, or it is `closed`. Error: [`Stage::opens`] was not called, or
    /// what is wrong.
    pub fn but_on(&mut self, date: &str, name: &str, hours: &str) -> Result<&mut Self, String> {
        let on = On::parse(date, None).map_err(|(_, why)| why)?;
        let day = Day { name: name.into(), on, spans: hours_of(hours)? };
        let calendar = self.calendar.as_mut();
        calendar.ok_or("there are no hours from which a day could differ")?.add(day);
        Ok(self)
    }

    fn may_leave(&self, message: &Outgoing) -> Result<(), String> {
        let refused = match category(message) {
            Some(category) => (category == Category::Marketing
                && self.contact.consent == "opted-out")
                .then_some("the contact has stopped marketing messages"),
            _ if self.contact.in_handoff => Some("a person is answering this contact"),
            _ if self.window_end().is_none() => Some("outside the window only templates may leave"),
            _ => None,
        };
        refused.map_or(Ok(()), |why| Err(why.into()))
    }

    fn window_end(&self) -> Option<Instant> {
        let last = self.contact.last_seen.or(self.contact.first_seen)?;
        Some(last + 24 * 3_600_000).filter(|end| *end > self.now)
    }
}

#[derive(Default)]
struct Running {
    stage: Stage,
    on_message: bool,
    /// What the contact says in the message.
    words: Option<String>,
    effects: Vec<Effect>,
    because: Vec<String>,
    logs: Vec<String>,
    requests: Vec<Request>,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Runs `f` on the turn that is running; outside of one (in
/// [`Plugin::new`]), on an empty stage whose changes are lost, as in the host.
fn with<T>(f: impl FnOnce(&mut Running) -> T) -> T {
    RUNNING.with_borrow_mut(|running| match running {
        Some(running) => f(running),
        None => f(&mut Running::default()),
    })
}

fn key(scope: Scope, key: &str) -> (bool, String) {
    (scope == Scope::Plugin, key.to_owned())
}
