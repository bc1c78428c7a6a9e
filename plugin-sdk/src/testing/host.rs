//! The imports of the contract as the test kit answers them: the same modules
//! and signatures as those generated for the sandbox.

use super::{Effect, calendar::Calendar, key, language, with, zones};
use crate::{Instant, Outgoing, Scope, Segment, Terms};

/// The contact whose lane this turn runs in. Reads see what this turn has
/// already changed.
pub mod contact {
    use super::*;

    /// Our own id, never reused. Empty in a channel's lane.
    pub fn id() -> String {
        with(|run| if run.stage.channel_lane { String::new() } else { "c1".into() })
    }
    /// The name on the contact's profile.
    pub fn name() -> Option<String> {
        with(|run| run.stage.contact.name.clone())
    }
    /// A language tag such as `en` or `pt-BR`, if one is known.
    pub fn language() -> Option<String> {
        with(|run| run.stage.contact.language.clone())
    }
    /// Which of these tags to answer the contact in: the one that `language`
    /// asks for, else the one that the message is surely written in, else the
    /// one that an earlier message surely was. None: not known.
    pub fn language_among(tags: &[String]) -> Option<String> {
        with(|run| {
            if run.stage.channel_lane {
                return None;
            }
            let (person, now) = (&mut run.stage.contact, run.stage.now);
            let (preferred, words) = (person.language.as_deref(), run.words.as_deref());
            language::language_among(tags, preferred, words, &mut person.written, now)
                .map(str::to_owned)
        })
    }
    /// An IANA time zone, if one is known.
    pub fn zone() -> Option<String> {
        with(|run| run.stage.contact.zone.clone())
    }
    /// All tags that have not expired, in alphabetical order.
    pub fn tags() -> Vec<String> {
        with(|run| run.stage.contact.tags.iter().cloned().collect())
    }
    pub fn has_tag(name: &str) -> bool {
        with(|run| run.stage.contact.tags.contains(name))
    }
    /// A named value that a plugin or an operator has set.
    pub fn attribute(name: &str) -> Option<String> {
        with(|run| run.stage.contact.attributes.get(name).cloned())
    }
    /// `unknown`, `opted-in` or `opted-out`, for marketing.
    pub fn marketing_consent() -> String {
        with(|run| match run.stage.contact.consent.as_str() {
            "" => "unknown".into(),
            consent => consent.into(),
        })
    }
    /// Until when any kind of message may be sent; none when only templates
    /// may leave.
    pub fn window_open_until() -> Option<Instant> {
        with(|run| run.stage.window_end())
    }
    /// When the contact's first message came.
    pub fn first_seen() -> Option<Instant> {
        with(|run| run.stage.contact.first_seen)
    }
    /// When the message before this one came. None on first contact.
    pub fn last_seen() -> Option<Instant> {
        with(|run| {
            let person = &run.stage.contact;
            if run.on_message { person.previous_seen } else { person.last_seen }
        })
    }
    /// How many messages the contact has sent, this one included.
    pub fn message_count() -> u64 {
        with(|run| run.stage.contact.message_count)
    }
    /// Whether a person is answering, so that the bot should keep silent.
    pub fn in_handoff() -> bool {
        with(|run| run.stage.contact.in_handoff)
    }
}

/// More of the event than its record holds.
pub mod event {
    use super::*;

    /// The event as the provider sent it, as JSON; `{}` where it sent none.
    pub fn raw() -> String {
        with(|run| run.stage.raw.clone())
    }
    /// The provider's id of the message that this one answers.
    pub fn replies_to() -> Option<String> {
        None
    }
    /// The advertisement or post that brought the contact here, as JSON.
    pub fn referral() -> Option<String> {
        with(|run| run.stage.referral.clone())
    }
    /// Whether the message was forwarded.
    pub fn forwarded() -> bool {
        false
    }
}

/// The business, its clock and its channel.
pub mod business {
    use super::*;

    /// The channel's id from `switchboard.toml`.
    pub fn channel() -> String {
        "main".into()
    }
    /// `contact` or `channel`.
    pub fn lane() -> String {
        with(|run| if run.stage.channel_lane { "channel" } else { "contact" }.into())
    }
    /// The moment of this turn. The same all through it, also in a replay.
    pub fn now() -> Instant {
        with(|run| run.stage.now)
    }
    /// The business's IANA time zone.
    pub fn zone() -> String {
        with(|run| run.stage.zone.clone())
    }
    /// A moment as local time: `2026-12-01T10:00:00`.
    pub fn local_time(at: Instant, zone: &str) -> Result<String, String> {
        zones::local_time(at, zone)
    }
    /// The moment of a local time.
    pub fn instant_of(local: &str, zone: &str) -> Result<Instant, String> {
        zones::instant_of(local, zone)
    }
    /// The first moment after `after` that a cron expression names.
    pub fn next_occurrence(
        cron: &str,
        zone: &str,
        after: Instant,
    ) -> Result<Option<Instant>, String> {
        zones::next_occurrence(cron, zone, after)
    }
    /// Whether it is open. None: there is no calendar.
    pub fn open_at(at: Instant) -> Option<bool> {
        calendar(|calendar| Some(calendar.open_at(at)))
    }
    /// The first moment after `after` at which it opens or closes.
    pub fn next_change(after: Instant) -> Option<Instant> {
        calendar(|calendar| calendar.next_change(after))
    }
    /// The name of the day for which it is closed.
    pub fn closure_at(at: Instant) -> Option<String> {
        calendar(|calendar| calendar.closure_at(at).map(Into::into))
    }
    /// The hours in words.
    pub fn opening_hours(language: Option<&str>) -> Option<String> {
        let now = now();
        calendar(|calendar| Some(calendar.opening_hours(now, language)))
    }
    /// When it opens next after `after`, in words: `on Monday at 9:00`.
    pub fn opens(after: Instant, language: Option<&str>) -> Option<String> {
        calendar(|calendar| calendar.opens(after, language))
    }

    fn calendar<T>(ask: impl FnOnce(&Calendar) -> Option<T>) -> Option<T> {
        with(|run| run.stage.calendar.as_ref().and_then(ask))
    }
}

/// What a plugin may ask for.
pub(crate) mod effects {
    use super::*;

    type Asked<T = ()> = Result<T, String>;

    fn ask(effect: Effect) -> Asked {
        with(|run| {
            run.effects.push(effect);
            Ok(())
        })
    }

    pub fn reply(message: &Outgoing) -> Asked<String> {
        with(|run| {
            run.stage.may_leave(message)?;
            run.effects.push(Effect::Reply(message.clone()));
            Ok(format!("c1-{}-{}", run.stage.turns, run.effects.len() - 1))
        })
    }
    pub fn reply_to(message: &Outgoing, quoted: &str) -> Asked<String> {
        with(|run| {
            run.stage.may_leave(message)?;
            let (quoted, message) = (quoted.into(), message.clone());
            run.effects.push(Effect::ReplyTo { quoted, message });
            Ok(format!("c1-{}-{}", run.stage.turns, run.effects.len() - 1))
        })
    }
    pub fn send(contact: &str, message: &Outgoing) -> Asked<String> {
        with(|run| {
            run.effects.push(Effect::Send { contact: contact.into(), message: message.clone() });
            Ok(format!("c1-{}-{}", run.stage.turns, run.effects.len() - 1))
        })
    }
    pub fn mark_read(typing: bool) -> Asked {
        ask(Effect::MarkRead { typing })
    }
    pub fn tag(name: &str, expires: Option<Instant>) -> Asked {
        with(|run| {
            let person = &mut run.stage.contact;
            person.tags.insert(name.into());
            match expires {
                Some(at) => person.expiries.insert(name.into(), at),
                None => person.expiries.remove(name),
            }
        });
        ask(Effect::Tag { name: name.into(), expires })
    }
    pub fn untag(name: &str) -> Asked {
        with(|run| {
            run.stage.contact.expiries.remove(name);
            run.stage.contact.tags.remove(name)
        });
        ask(Effect::Untag(name.into()))
    }
    pub fn set_attribute(name: &str, value: Option<&str>) -> Asked {
        with(|run| {
            let person = &mut run.stage.contact;
            match value {
                Some(value) => person.attributes.insert(name.into(), value.into()),
                None => person.attributes.remove(name),
            };
            match name {
                "language" => person.language = value.map(Into::into),
                "zone" => person.zone = value.map(Into::into),
                _ => {}
            }
        });
        ask(Effect::SetAttribute { name: name.into(), value: value.map(Into::into) })
    }
    pub fn set_timer(name: &str, due: Instant, payload: &str) -> Asked {
        ask(Effect::SetTimer { name: name.into(), due, payload: payload.into() })
    }
    pub fn cancel_timer(name: &str) -> Asked {
        ask(Effect::CancelTimer(name.into()))
    }
    pub fn handoff(reason: &str) -> Asked {
        with(|run| run.stage.contact.in_handoff = true);
        ask(Effect::Handoff(reason.into()))
    }
    pub fn resume() -> Asked {
        with(|run| run.stage.contact.in_handoff = false);
        ask(Effect::Resume)
    }
    pub fn opt_in(proof: &str) -> Asked {
        with(|run| run.stage.contact.consent = "opted-in".into());
        ask(Effect::OptIn(proof.into()))
    }
    pub fn opt_out(proof: &str) -> Asked {
        with(|run| run.stage.contact.consent = "opted-out".into());
        ask(Effect::OptOut(proof.into()))
    }
    pub fn broadcast(id: &str, to: &Segment, payload: &str) -> Asked {
        let (to, terms) = (to.clone(), Terms::default());
        ask(Effect::Broadcast { id: id.into(), to, payload: payload.into(), terms })
    }
    pub fn broadcast_on(id: &str, to: &Segment, payload: &str, terms: &str) -> Asked {
        let terms = serde_json::from_str(terms).map_err(|error| error.to_string())?;
        ask(Effect::Broadcast { id: id.into(), to: to.clone(), payload: payload.into(), terms })
    }
    pub fn leave_out(reason: &str) -> Asked {
        ask(Effect::LeaveOut(reason.into()))
    }
    pub fn variant(name: &str) -> Asked {
        ask(Effect::Variant(name.into()))
    }
    pub fn note(text: &str) -> Asked {
        ask(Effect::Note(text.into()))
    }
    pub fn unanswered(question: &str) -> Asked {
        ask(Effect::Unanswered(question.into()))
    }
    pub fn because(reason: &str) {
        with(|run| run.because.push(reason.into()));
    }
}

/// Small durable state: values of at most 64 KiB under keys of at most 256
/// bytes.
pub mod kv {
    use super::*;

    pub fn get(scope: Scope, name: &str) -> Option<Vec<u8>> {
        with(|run| {
            let (value, expires) = run.stage.kv.get(&key(scope, name))?;
            expires.is_none_or(|at| at > run.stage.now).then(|| value.clone())
        })
    }
    pub fn set(
        scope: Scope,
        name: &str,
        value: &[u8],
        expires: Option<Instant>,
    ) -> Result<(), String> {
        with(|run| run.stage.kv.insert(key(scope, name), (value.into(), expires)));
        Ok(())
    }
    pub fn delete(scope: Scope, name: &str) -> Result<(), String> {
        with(|run| run.stage.kv.remove(&key(scope, name)));
        Ok(())
    }
    /// Keys that begin with `prefix`, in order, at most `limit` (1,000).
    pub fn keys(scope: Scope, prefix: &str, limit: u32) -> Vec<String> {
        with(|run| {
            let live = run.stage.kv.iter().filter(|((of_plugin, name), (_, expires))| {
                *of_plugin == (scope == Scope::Plugin)
                    && name.starts_with(prefix)
                    && expires.is_none_or(|at| at > run.stage.now)
            });
            live.map(|((_, name), _)| name.clone()).take(limit.min(1_000) as usize).collect()
        })
    }
}

/// Lines for the owner's log. Not for what customers say.
pub mod log {
    use super::with;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Level {
        Debug,
        Info,
        Warn,
        Error,
    }

    pub fn write(level: Level, message: &str) {
        with(|run| run.logs.push(format!("{level:?}: {message}").to_lowercase()));
    }
}

/// The files that the contact has sent.
pub(crate) mod media {
    use super::with;
    use crate::media::{File, State};

    pub fn info(id: &str) -> Option<File> {
        with(|run| run.stage.files.get(id).map(|(file, _)| file.clone()))
    }
    pub fn read(id: &str, offset: u64, length: u32) -> Result<Vec<u8>, String> {
        with(|run| {
            let found = run.stage.files.get(id);
            let (file, bytes) = found.ok_or_else(|| format!("there is no file `{id}`"))?;
            if file.state != State::Here {
                return Err(file.reason.clone().unwrap_or_else(|| "the file is not here".into()));
            }
            let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
            let length = length.min(1024 * 1024) as usize;
            Ok(rest.unwrap_or_default().iter().take(length).copied().collect())
        })
    }
}

/// Requests to hosts that the owner has granted.
pub(crate) mod http {
    use super::with;
    use crate::http::{Request, Response};

    pub fn send(request: &Request) -> Result<Response, String> {
        with(|run| {
            run.requests.push(request.clone());
            let Request { method, url, .. } = request;
            let mut answers = run.stage.exchanges.iter();
            match answers.find(|it| (&it.method, &it.url) == (method, url)) {
                Some(exchange) => exchange.answer.clone(),
                None => Err(format!("no recorded answer for {method} {url}")),
            }
        })
    }
}
