//! What a contact asks about most of late: its preference, as an attribute and,
//! where the owner wants it, a tag.

use crate::{
    moment::DAY_MS,
    rules::{Preferences, Topic},
    state::{Points, State},
};
use switchboard_plugin::text::Text;
use switchboard_plugin::*;

pub struct Topics {
    topics: Vec<(Topic, Vec<Text>)>,
    preferences: Preferences,
}

impl Topics {
    pub fn new(topics: Vec<Topic>, preferences: Preferences) -> Self {
        let ready = |topic: Topic| {
            let words = topic.words.iter().map(|phrase| Text::new(phrase)).collect();
            (topic, words)
        };
        Self { topics: topics.into_iter().map(ready).collect(), preferences }
    }

    pub fn hear(&self, words: &Text, now: Instant, state: &mut State) -> Result<(), String> {
        state.topics.retain(|name, _| self.named(name).is_some());
        let mut asked = false;
        for (topic, phrases) in &self.topics {
            if phrases.iter().any(|phrase| words.contains(phrase)) {
                let known = state.topics.entry(topic.name.clone()).or_default();
                *known = Points { points: self.points(known, now) + 1.0, at: now };
                asked = true;
            }
        }
        let gone = state.prefers.as_deref().is_some_and(|name| self.named(name).is_none());
        if gone || asked {
            self.choose(now, state)?;
        }
        Ok(())
    }

    /// A topic has to lead to take another's place: at a tie it stays.
    fn choose(&self, now: Instant, state: &mut State) -> Result<(), String> {
        let points = |name: &str| state.topics.get(name).map_or(0.0, |it| self.points(it, now));
        let before = state.prefers.as_deref().and_then(|name| self.named(name));
        let mut leads = before;
        for (topic, _) in &self.topics {
            let of = points(&topic.name);
            let ahead = leads.is_none_or(|leader| of > points(&leader.name));
            if of >= self.preferences.least && ahead {
                leads = Some(topic);
            }
        }
        let name = leads.map(|topic| topic.name.clone());
        let tag = leads.and_then(|topic| topic.tag.clone());
        let attribute = &self.preferences.attribute;
        if name != state.prefers {
            match leads {
                Some(topic) => {
                    let of = points(&topic.name);
                    because(format!("{attribute} = {}: {of:.1} questions of late", topic.name));
                    set_attribute(attribute, &topic.name)?;
                }
                None => {
                    because(format!("{attribute} is taken away: its topic is gone"));
                    clear_attribute(attribute)?;
                }
            }
        }
        if tag != state.prefers_tag {
            if let Some(old) = state.prefers_tag.as_deref().filter(|tag| contact::has_tag(tag)) {
                because(format!("- {old}: no longer what it asks about most"));
                untag(old)?;
            }
            if let (Some(new), Some(topic)) = (&tag, &name) {
                because(format!("+ {new}: asks about `{topic}` most"));
                self::tag(new)?;
            }
        }
        (state.prefers, state.prefers_tag) = (name, tag);
        Ok(())
    }

    fn named(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().map(|(topic, _)| topic).find(|topic| topic.name == name)
    }

    /// As they stand now: half of them after each half-life.
    fn points(&self, of: &Points, now: Instant) -> f64 {
        let days = now.saturating_sub(of.at) as f64 / DAY_MS as f64;
        of.points * (-days / self.preferences.half_life_days).exp2()
    }
}
