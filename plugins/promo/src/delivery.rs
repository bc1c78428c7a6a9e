//! In one recipient's lane: whether, when and what to send.

use crate::{
    Promo, Run,
    rules::{CAP_DAYS, Cap, Promotion, Quiet, Zone},
    write,
};
use serde::{Deserialize, Serialize};
use switchboard_plugin::*;

/// What a contact has been sent, the latest last.
#[derive(Serialize, Deserialize, Default)]
struct Sent(Vec<(String, Instant)>);

const SENT: &str = "sent";
/// Remembered per contact: within a turn's limits, and more than any sane cap.
const SENT_KEPT: usize = 200;
const DAY_MS: Instant = 24 * 3_600_000;

impl Promo {
    /// Sends the promotion now, later, or not at all; says which and why.
    pub(crate) fn deliver(&self, run: Run) -> Result<(), String> {
        let Some(promo) = self.0.promos.get(&run.promo) else {
            because(format!("`{}` is no longer in the rules", run.promo));
            return Ok(());
        };
        let mut sent = Sent::load();
        if let Some(reason) = promo.forbidden(&run, &sent) {
            because(format!("`{}` is not sent: {reason}", promo.id));
            return Ok(());
        }
        if let Some((due, reason)) = promo.wait(&run)? {
            because(format!("`{}` waits: {reason}", promo.id));
            return set_timer(&format!("send/{}", promo.id), due, &write(&run)?);
        }
        match promo.template() {
            Ok(template) => match reply(template) {
                Ok(_) => {
                    because(format!("`{}` for {}", promo.id, run.local));
                    sent.add(name_of(&run))
                }
                // No address, consent withdrawn: nothing that a retry mends.
                Err(refusal) => {
                    because(format!("`{}` is not sent: {refusal}", promo.id));
                    Ok(())
                }
            },
            Err(missing) => {
                because(format!("`{}` is not sent: {missing}", promo.id));
                Ok(())
            }
        }
    }
}

impl Promotion {
    /// Why this contact does not get it. Asked again after each wait, since
    /// people change.
    fn forbidden(&self, run: &Run, sent: &Sent) -> Option<String> {
        if self.category == Category::Marketing && contact::marketing_consent() == "opted-out" {
            return Some("the contact has stopped marketing messages".into());
        }
        if contact::in_handoff() {
            return Some("a person is answering".into());
        }
        if !belongs(&self.to) {
            return Some("the contact's tags have changed".into());
        }
        if sent.0.iter().any(|(name, _)| *name == name_of(run)) {
            return Some("it has been sent".into());
        }
        let cap = self.cap.filter(|cap| sent.since(cap) >= cap.count)?;
        Some(format!("the contact has had {} in {} days", cap.count, cap.window / DAY_MS))
    }

    /// Until when to wait and why, if not now.
    fn wait(&self, run: &Run) -> Result<Option<(Instant, String)>, String> {
        let (now, zone) = (business::now(), recipient_zone());
        if self.zone == Zone::Recipient {
            let due = business::instant_of(&run.local, &zone)?;
            if due > now {
                return Ok(Some((due, format!("until {} in {zone}", run.local))));
            }
        }
        let end = self.quiet.map(|quiet| quiet_end(quiet, now, &zone)).transpose()?.flatten();
        Ok(end.map(|end| (end, format!("quiet hours in {zone}"))))
    }

    fn template(&self) -> Result<Template, String> {
        let fill = |text: &String| Ok(Parameter { name: None, text: filled(text)? });
        let parameters = self.parameters.iter().map(fill).collect::<Result<_, String>>()?;
        let (name, language) = (self.template.clone(), self.language.clone());
        Ok(Template { name, language, category: self.category, parameters })
    }
}

/// A zone we cannot read counts as unknown.
fn recipient_zone() -> String {
    let known = contact::zone().filter(|zone| business::local_time(0, zone).is_ok());
    known.unwrap_or_else(business::zone)
}

/// When the quiet hours that hold at `now` end; none if none hold.
fn quiet_end(quiet: Quiet, now: Instant, zone: &str) -> Result<Option<Instant>, String> {
    let local = business::local_time(now, zone)?;
    let part = |range| local.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    let (Some(hour), Some(minute), Some(today)) = (part(11..13), part(14..16), local.get(..10))
    else {
        return Err(format!("`{local}` is not a local time"));
    };
    let minute = hour * 60 + minute;
    if !quiet.holds(minute) {
        return Ok(None);
    }
    let end = format!("T{:02}:{:02}:00", quiet.to / 60, quiet.to % 60);
    if quiet.to > minute {
        return business::instant_of(&format!("{today}{end}"), zone).map(Some);
    }
    // From noon, a day's length on is tomorrow on any day of the year.
    let noon = business::instant_of(&format!("{today}T12:00:00"), zone)?;
    let tomorrow = business::local_time(noon + DAY_MS, zone)?;
    let tomorrow = tomorrow.get(..10).unwrap_or_default();
    business::instant_of(&format!("{tomorrow}{end}"), zone).map(Some)
}

fn belongs(to: &Segment) -> bool {
    let has = |tag: &String| contact::has_tag(tag);
    to.all_of.iter().all(has)
        && (to.any_of.is_empty() || to.any_of.iter().any(has))
        && !to.none_of.iter().any(has)
}

/// Puts values in: `{name}`, `{language}` or any attribute, with what to take
/// where there is none: `{name|friend}`.
fn filled(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((place, behind)) = after.split_once('}') else { break };
        let (name, instead) = match place.split_once('|') {
            Some((name, instead)) => (name, Some(instead.to_owned())),
            None => (place, None),
        };
        let value = match name {
            "name" => contact::name(),
            "language" => contact::language(),
            name => contact::attribute(name),
        };
        let value = value.filter(|value| !value.trim().is_empty()).or(instead);
        out.push_str(before);
        out.push_str(&value.ok_or_else(|| format!("the contact has no `{name}`"))?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn name_of(run: &Run) -> String {
    format!("{}@{}", run.promo, run.local)
}

impl Sent {
    fn load() -> Self {
        let stored = kv::get(Scope::Contact, SENT);
        stored.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    fn since(&self, cap: &Cap) -> usize {
        let from = business::now().saturating_sub(cap.window);
        self.0.iter().filter(|(_, at)| *at > from).count()
    }

    fn add(&mut self, name: String) -> Result<(), String> {
        let now = business::now();
        let keep = CAP_DAYS * DAY_MS;
        self.0.retain(|(_, at)| at + keep > now);
        let surplus = (self.0.len() + 1).saturating_sub(SENT_KEPT);
        self.0.drain(..surplus);
        self.0.push((name, now));
        kv::set(Scope::Contact, SENT, write(self)?.as_bytes(), Some(now + keep))
    }
}
