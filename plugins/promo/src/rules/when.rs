//! When a promotion runs: at a time, again and again, every year on a day of
//! the contact's own, or after something happened to the contact.

use super::{Place, limits};
use serde::Deserialize;
use switchboard_plugin::{Instant, business};

#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// Once, at a local time.
    At(String),
    /// A cron expression.
    Every(String),
    /// On the day that an attribute names, at `HH:MM`.
    Yearly {
        attribute: String,
        time: String,
    },
    After {
        what: Happening,
        wait: Instant,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    Tag(String),
    Order,
    /// The contact has written nothing for so long; the wait is the length.
    Silence,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    Business,
    /// Each recipient's own; the business's where it is unknown.
    Recipient,
    Named(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    tag: Option<String>,
    #[serde(default)]
    order: bool,
    silence: Option<String>,
    wait: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Yearly {
    attribute: String,
    time: String,
}

const SCHEDULES: &str = "one of `at`, `every`, `yearly` and `after` says when";

impl When {
    pub fn read(
        at: Option<String>,
        every: Option<String>,
        after: Option<After>,
        yearly: Option<Yearly>,
        place: &mut Place<'_>,
    ) -> Option<Self> {
        let given = [
            ("at", at.is_some()),
            ("every", every.is_some()),
            ("yearly", yearly.is_some()),
            ("after", after.is_some()),
        ];
        let given: Vec<&str> =
            given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        if let [first, second, ..] = given[..] {
            place.problem(second, format!("`{first}` is there already: {SCHEDULES}"));
        }
        if let Some(at) = &at
            && let Err(message) = business::instant_of(at, "UTC")
        {
            place.problem("at", message);
        }
        if let Some(every) = &every
            && let Some(message) = wrong_cron(every)
        {
            place.problem("every", message);
        }
        let yearly = yearly.map(|yearly| yearly.settle(&mut place.under("yearly")));
        let after = after.and_then(|after| after.settle(&mut place.under("after")));
        if given.is_empty() {
            place.problem("", format!("has no time: {SCHEDULES}"));
        }
        at.map(Self::At).or(every.map(Self::Every)).or(yearly).or(after)
    }
}

fn wrong_cron(cron: &str) -> Option<String> {
    match business::next_occurrence(cron, "UTC", 0) {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!("`{cron}` never comes")),
        Err(message) => Some(message),
    }
}

impl Yearly {
    fn settle(self, place: &mut Place<'_>) -> When {
        let Self { attribute, time } = self;
        let minutes = limits::minutes(&time);
        if minutes.is_none() {
            place.problem("time", format!("`{time}` is not a time of day such as `10:00`"));
        }
        let minutes = minutes.unwrap_or_default();
        When::Yearly { attribute, time: format!("{:02}:{:02}", minutes / 60, minutes % 60) }
    }
}

impl After {
    fn settle(self, place: &mut Place<'_>) -> Option<When> {
        let wait = place.duration("wait", self.wait.as_deref());
        let silence = place.duration("silence", self.silence.as_deref());
        let after = |what| Some(When::After { what, wait: wait.unwrap_or(0) });
        match (self.tag, self.order, self.silence) {
            (Some(tag), false, None) => after(Happening::Tag(tag)),
            (None, true, None) => after(Happening::Order),
            (None, false, Some(_)) => {
                if self.wait.is_some() {
                    place.problem("wait", "`silence` says how long it waits already");
                }
                Some(When::After { what: Happening::Silence, wait: silence? })
            }
            _ => {
                let allowed = "`tag = \"vip\"`, `order = true` or `silence = \"30 days\"`";
                place.problem("", format!("needs one of {allowed}"));
                None
            }
        }
    }
}

impl Zone {
    /// None if it is not given, or wrong.
    pub fn read(name: Option<&str>, place: &mut Place<'_>) -> Option<Self> {
        match name? {
            "business" => Some(Self::Business),
            "recipient" => Some(Self::Recipient),
            name => match business::local_time(0, name) {
                Ok(_) => Some(Self::Named(name.into())),
                Err(message) => {
                    place.problem("zone", format!("{message}, nor `business` or `recipient`"));
                    None
                }
            },
        }
    }
}
