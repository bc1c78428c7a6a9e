//! In a contact's lane: what happened that a promotion waits for.
//!
//! A message tells most of it. What no message tells (a tag that an operator
//! set, a birthday) is noticed when the promotion's daily broadcast looks.

use crate::{
    Promo, Run,
    best_hour::Hours,
    campaign::leave_out,
    moment::recipient_zone,
    plan,
    rules::{Happening, Promotion, When},
    write,
};
use std::collections::BTreeMap;
use switchboard_plugin::*;

/// Which tags the contact had when we last looked, by the promotion that waits
/// for it: `{"welcome-vip": false}`.
const TAGS: &str = "tags";

/// When the contact wrote last; none if never. Not for turns of a message.
pub fn last_message() -> Option<Instant> {
    contact::last_seen().or_else(contact::first_seen)
}

impl Promo {
    /// Takes note of a message. Whatever it leads to is a timer's, even without
    /// a wait, so that the answer to the message comes first.
    pub(crate) fn heed(&self, message: &Message) -> Result<(), String> {
        // WhatsApp's own words, and what is about a message of before.
        if matches!(message.kind(), "notice" | "edit" | "revoked" | "welcome" | "reaction") {
            return Ok(());
        }
        let promos = || self.0.promos.values().filter(|promo| promo.enabled);
        if promos().any(|promo| promo.at_best_hour) {
            Hours::load().count(&recipient_zone())?;
        }
        for promo in promos() {
            let When::After { what, wait } = &promo.when else { continue };
            let happened = match what {
                Happening::Tag(tag) => promo.has_new_tag(tag)?,
                Happening::Order => message.kind() == "order",
                Happening::Silence => true,
            };
            if happened {
                promo.follow(*what == Happening::Silence, business::now(), *wait)?;
            }
        }
        Ok(())
    }

    /// A broadcast has come to this contact.
    pub(crate) fn reach(&self, run: Run) -> Result<(), String> {
        let Some(promo) = self.0.promos.get(&run.promo) else { return self.deliver(run) };
        match &promo.when {
            When::At(_) | When::Every(_) => self.deliver(run),
            When::Yearly { attribute, time } => match day_of(attribute, &run.local) {
                Ok(day) => self.deliver(Run { local: format!("{day}T{time}:00"), ..run }),
                Err(reason) => {
                    leave_out(&promo.id, &reason);
                    Ok(())
                }
            },
            When::After { what, wait } => promo.look(what, *wait),
        }
    }
}

impl Promotion {
    /// Waits from `at` on.
    fn follow(&self, silently: bool, at: Instant, wait: Instant) -> Result<(), String> {
        let local = business::local_time(at, &business::zone())?;
        let due = at + wait;
        // A silence begins anew with each message: no news.
        if !silently {
            let until = business::local_time(due, &business::zone())?;
            because(format!("`{}` waits: until {until}", self.id));
        }
        self.set_timer(due, &Run { promo: self.id.clone(), local, due: Some(due) })
    }

    /// Notices what no message told.
    fn look(&self, what: &Happening, wait: Instant) -> Result<(), String> {
        let now = business::now();
        let reason = match what {
            Happening::Tag(tag) if self.has_new_tag(tag)? => return self.follow(false, now, wait),
            Happening::Tag(tag) => format!("`{tag}` has not been set anew"),
            Happening::Order => "it waits for an order".into(),
            Happening::Silence => match last_message() {
                Some(last) if last + wait > now => return self.follow(true, last, wait),
                Some(_) => "the contact was silent for longer when the rule came".into(),
                None => "the contact has never written".into(),
            },
        };
        leave_out(&self.id, &reason);
        Ok(())
    }

    /// Whether the contact has got the tag since the last look. Who had it when
    /// the rule came has not.
    fn has_new_tag(&self, tag: &str) -> Result<bool, String> {
        let Some(since) = plan::since(&self.id) else { return Ok(false) };
        let stored = kv::get(Scope::Contact, TAGS);
        let stored = stored.and_then(|json| serde_json::from_slice(&json).ok());
        let mut had: BTreeMap<String, bool> = stored.unwrap_or_default();
        let has = contact::has_tag(tag);
        let before = had.insert(self.id.clone(), has);
        if before == Some(has) {
            return Ok(false);
        }
        kv::set(Scope::Contact, TAGS, write(&had)?.as_bytes(), None)?;
        // One who came after the rule can't have had it before.
        let is_new = || contact::first_seen().is_some_and(|first| first >= since);
        Ok(has && (before == Some(false) || is_new()))
    }
}

/// The date of the look if it is the contact's day, else why not.
fn day_of<'a>(attribute: &str, look: &'a str) -> Result<&'a str, String> {
    let day = look.get(..10).unwrap_or_default();
    let Some(value) = contact::attribute(attribute) else {
        return Err(format!("the contact has no `{attribute}`"));
    };
    let own = month_and_day(&value);
    let own = own.ok_or_else(|| format!("the contact's `{attribute}` is no date"))?;
    // Who was born on 29 February celebrates on the 28th in other years.
    let leap = day.get(..4).is_some_and(|year| is_date(&format!("{year}-02-29")));
    let own = if own == "02-29" && !leap { "02-28" } else { &own };
    if day.get(5..) == Some(own) { Ok(day) } else { Err("it is not the contact's day".into()) }
}

/// `05-17` of `05-17`, `1990-05-17` or `1990-05-17T08:00:00`.
fn month_and_day(value: &str) -> Option<String> {
    let date = value.trim().split('T').next().unwrap_or_default();
    let day = if date.len() > 5 { date.get(date.len() - 5..)? } else { date };
    // A leap year has every day.
    is_date(&format!("2024-{day}")).then(|| day.to_owned())
}

fn is_date(date: &str) -> bool {
    date.len() == 10 && business::instant_of(&format!("{date}T00:00:00"), "UTC").is_ok()
}
