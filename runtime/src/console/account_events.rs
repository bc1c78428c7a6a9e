//! What the providers said about the account, its templates and its numbers:
//! read from the traces of the channels' own lanes, so kept as long as these.

use super::{Answer, Console, Page, Shared};
use crate::{
    model::{ChannelId, Lane, Trace},
    store::StoreError,
};
use axum::{
    Json,
    extract::{Query, State},
    response::IntoResponse,
};
use serde_json::{Value, json};

/// Traces of one lane that are looked at. A lane holds others too: promotions,
/// reloads.
const TRACES: usize = 2_000;
/// Traces read at once.
const STRETCH: usize = 200;

/// The newest first.
pub async fn list(State(console): Shared, Query(page): Query<Page>) -> Answer {
    let limit = page.limit();
    let generation = console.reloader.current();
    let mut found = Vec::new();
    for channel in generation.channels.keys() {
        found.extend(console.account_traces(channel, limit).await?);
    }
    found.sort_by(|a, b| (b.at, &b.turn.lane, b.turn.seq).cmp(&(a.at, &a.turn.lane, a.turn.seq)));
    let events: Vec<Value> = found.iter().take(limit).filter_map(event).collect();
    Ok(Json(json!({ "account_events": events })).into_response())
}

impl Console {
    async fn account_traces(
        &self,
        channel: &ChannelId,
        limit: usize,
    ) -> Result<Vec<Trace>, StoreError> {
        let lane = Lane::Channel(channel.clone());
        let (mut found, mut before, mut read) = (Vec::new(), None, 0);
        while read < TRACES && found.len() < limit {
            let traces = self.store.traces(&lane, before, STRETCH).await?;
            let Some(last) = traces.last() else { break };
            before = Some(last.turn.seq);
            read += traces.len();
            found.extend(traces.into_iter().filter(|trace| trace.account.is_some()));
        }
        found.truncate(limit);
        Ok(found)
    }
}

fn event(trace: &Trace) -> Option<Value> {
    let change = trace.account.as_ref()?;
    Some(json!({
        "turn": trace.turn.to_string(),
        "channel": trace.channel,
        "at": trace.at,
        "field": change.field,
        "news": change.news.in_words(),
        "raw": change.raw,
        "raw_bytes": change.raw_bytes,
    }))
}
