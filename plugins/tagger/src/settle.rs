//! What becomes of each tag in a turn, once its rules have been asked.

use crate::{
    moment::DAY_MS,
    rule::{Rule, Turn},
    state::Done,
};
use std::collections::BTreeSet;
use switchboard_plugin::*;

pub struct Settled<'a> {
    pub turn: &'a Turn<'a>,
    pub looked_at: &'a BTreeSet<String>,
    pub done: Done,
}

impl Settled<'_> {
    /// Of several rules of a tag that fit, the last one decides.
    pub fn tag(&mut self, rules: &[Rule]) -> Result<(), String> {
        let Some(name) = rules.first().map(|rule| rule.tag.name.as_str()) else { return Ok(()) };
        let fit: Vec<(&Rule, String)> =
            rules.iter().filter_map(|rule| rule.fits(self.turn).map(|why| (rule, why))).collect();
        let stands = fit.iter().any(|(rule, _)| !rule.tag.remove && !rule.tag.renews());
        if !stands {
            self.done.stood.remove(name);
        }
        // A rule that cools down is as if it did not fit, so that others may; but
        // what it holds, it holds.
        let ready = |(rule, _): &&(&Rule, String)| rule.tag.holds() || !self.cools(rule);
        let Some((rule, why)) = fit.iter().rev().find(ready) else {
            return self.no_longer(name, "the rule no longer fits");
        };
        if rule.tag.remove {
            self.done.held.remove(name);
            if stands {
                // Else it would be back with the next message.
                self.done.stood.insert(name.into());
            }
            if contact::has_tag(name) {
                self.remove(name, why)?;
                self.note_act(rule);
            }
            return Ok(());
        }
        match rule.tag.renews() {
            true => self.renew(rule, why),
            false => self.begin(rule, why),
        }
    }

    /// By a message, or for so long from now: each time that it fits.
    fn renew(&mut self, rule: &Rule, why: &str) -> Result<(), String> {
        let name = rule.tag.name.as_str();
        self.done.stood.remove(name);
        let held = self.done.held.remove(name);
        if contact::has_tag(name) && rule.tag.expires_days.is_none() && !held {
            // Setting it again would only blur since when it is there.
            return Ok(());
        }
        self.set(rule, why)
    }

    /// By what the contact is: once, when it begins to fit.
    fn begin(&mut self, rule: &Rule, why: &str) -> Result<(), String> {
        let (name, holds) = (rule.tag.name.as_str(), rule.tag.holds());
        if !holds {
            self.done.held.remove(name);
        }
        // Whoever took it away meanwhile had a reason; and someone else's tag is
        // not ours to take away again.
        if self.done.stood.contains(name) || self.cools(rule) || contact::has_tag(name) {
            return Ok(());
        }
        self.done.stood.insert(name.into());
        if holds {
            self.done.held.insert(name.into());
        }
        self.set(rule, why)
    }

    fn set(&mut self, rule: &Rule, why: &str) -> Result<(), String> {
        let (name, now) = (rule.tag.name.as_str(), self.turn.moment.now);
        match rule.expires(now) {
            Some(at) => {
                let days = at.saturating_sub(now).div_ceil(DAY_MS);
                let plural = if days == 1 { "" } else { "s" };
                because(format!("+ {name} for {days} day{plural}: {why}"));
                tag_until(name, at)?;
                if self.looked_at.contains(name) {
                    self.done.ends.insert(name.into(), at);
                }
            }
            None => {
                because(format!("+ {name}: {why}"));
                tag(name)?;
                self.done.ends.remove(name);
            }
        }
        self.note_act(rule);
        Ok(())
    }

    fn no_longer(&mut self, name: &str, why: &str) -> Result<(), String> {
        if self.done.held.remove(name) && contact::has_tag(name) {
            self.remove(name, why)?;
        }
        Ok(())
    }

    fn remove(&mut self, name: &str, why: &str) -> Result<(), String> {
        because(format!("- {name}: {why}"));
        self.done.ends.remove(name);
        untag(name)
    }

    /// Tags whose rules are gone can't be taken away by them any more.
    pub fn forget(&mut self, tags: &[Vec<Rule>]) -> Result<(), String> {
        let named = |name: &str, wanted: fn(&Rule) -> bool| {
            tags.iter().flatten().any(|rule| rule.tag.name == name && wanted(rule))
        };
        for name in self.done.held.clone() {
            if !named(&name, |rule| rule.tag.holds()) {
                self.no_longer(&name, "its rule is gone")?;
            }
        }
        let (now, looked_at) = (self.turn.moment.now, self.looked_at);
        let done = &mut self.done;
        done.stood.retain(|name| named(name, |rule| !rule.tag.renews()));
        done.ends.retain(|name, at| *at > now && looked_at.contains(name));
        done.acted.retain(|act, _| {
            named(act.get(1..).unwrap_or_default(), |rule| rule.tag.cooldown_days.is_some())
        });
        Ok(())
    }

    fn cools(&self, rule: &Rule) -> bool {
        rule.cools_until(&self.done).is_some_and(|until| self.turn.moment.now < until)
    }

    fn note_act(&mut self, rule: &Rule) {
        if rule.tag.cooldown_days.is_some() {
            self.done.acted.insert(rule.act(), self.turn.moment.now);
        }
    }
}
