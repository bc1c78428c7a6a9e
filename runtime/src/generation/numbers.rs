//! What a generation says of its numbers to those who send for them.

use super::{Channel, Generation};
use crate::{
    model::*,
    outbox::{Family, Route},
    turn,
};
use std::sync::Arc;

impl Generation {
    /// None: there is no such channel any more.
    pub fn route(&self, id: &ChannelId) -> Option<Route> {
        let channel = self.channels.get(id)?;
        Some(Route {
            provider: Arc::clone(&channel.provider),
            messages_per_second: channel.config.messages_per_second,
            grace_ms: channel.config.grace_seconds * 1_000,
            rules: turn::policy_rules(&self.business),
        })
    }

    /// A channel that is gone is of a family of its own.
    pub fn family(&self, id: &ChannelId) -> Family {
        let Some(channel) = self.channels.get(id) else {
            return Family { portfolio: Portfolio::default(), channels: vec![id.clone()] };
        };
        let portfolio = channel.config.portfolio();
        let same = |other: &&Arc<Channel>| other.config.portfolio() == portfolio;
        let channels = self.channels.values().filter(same).map(|other| other.id.clone()).collect();
        Family { portfolio, channels }
    }

    /// The channels of the account; of those that name none, the one at whose
    /// address it was told.
    pub fn concerned(&self, told: &Stoppage) -> Vec<ChannelId> {
        let is = |channel: &&Arc<Channel>| match (
            channel.provider.template_account(),
            &told.news.account,
        ) {
            (Some(ours), Some(account)) => ours == account,
            (None, _) | (_, None) => channel.id == told.channel,
        };
        self.channels.values().filter(is).map(|channel| channel.id.clone()).collect()
    }

    /// Tells each channel's lane that new rules are live, so that plugins can
    /// set their timers.
    pub fn announcement(&self, now: Millis) -> Vec<Happening> {
        let happening = |channel: &ChannelId| Happening {
            channel: channel.clone(),
            dedup: format!("rules-loaded:{now}:{}", self.number),
            sender: None,
            kind: EventKind::Account { field: "rules-loaded".into(), news: News::Other },
            raw: String::new(),
        };
        self.channels.keys().map(happening).collect()
    }
}
