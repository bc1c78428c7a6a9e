//! A turn's end: everything it writes, and its event out of the lane.

use super::{
    Parked, Result, broadcasts, contacts,
    engine::Order,
    key::{self, Kind},
    kv, lanes, members, merge, outbox, pace, stoppages, tags, templates, timers, unanswered,
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};

/// False, with nothing written, if the turn's event is not its lane's next.
pub fn commit(view: &mut View<'_>, commit: TurnCommit, now: Millis) -> Result<bool> {
    let turn = &commit.turn;
    if !lanes::is_head(view, turn)? {
        return Ok(false);
    }
    if let Some(contact) = commit.contact {
        contacts::store(view, contact)?;
    }
    if let Lane::Contact(id) = turn.lane {
        tags::note(view, id, commit.tagged)?;
    }
    for (contact, asked) in commit.asked {
        contacts::ask(view, contact, asked)?;
    }
    if let Some((receipt, failure)) = commit.receipt {
        outbox::receive(view, &receipt, failure, now)?;
    }
    for (account, news) in &commit.templates {
        templates::take(view, account, news, now)?;
    }
    for write in commit.kv {
        kv::write(view, &turn.lane, write)?;
    }
    for write in commit.timers {
        timers::write(view, write)?;
    }
    for item in commit.outbox {
        outbox::push(view, item)?;
    }
    if let Some(member) = commit.member {
        members::take_turn(view, member)?;
    }
    if let Some(wrote) = &commit.wrote {
        members::hear(view, wrote, now)?;
    }
    if let Lane::Contact(id) = turn.lane {
        members::achieve(view, id, &commit.achieved, now)?;
    }
    for broadcast in &commit.broadcasts {
        broadcasts::start(view, broadcast)?;
    }
    for question in &commit.unanswered {
        unanswered::keep(view, question)?;
    }
    if let Some(trace) = commit.trace {
        let place = key::trace(turn);
        view.put(key::timed(Kind::TraceAge, trace.at, &place), Vec::new())?;
        view.add("trace", place, &trace)?;
    }
    if let Some(reason) = commit.parked {
        park(view, turn, reason, now)?;
    }
    learn(view, turn)?;
    lanes::remove_head(view, turn)?;
    Ok(true)
}

/// Keeps what an event of a channel's lane says of its number or its account.
fn learn(view: &mut View<'_>, turn: &TurnId) -> Result<()> {
    let Lane::Channel(_) = turn.lane else { return Ok(()) };
    let event = lanes::event(view, turn)?;
    let EventKind::Account { news, .. } = event.kind else { return Ok(()) };
    match news {
        News::Number(NumberNews { daily_contacts: Some(limit), .. }) => {
            pace::learn_limit(view, &event.channel, limit)
        }
        News::Account(news) => stoppages::learn(view, &event.channel, news, event.accepted_at),
        News::Number(_)
        | News::Other
        | News::Remark(_)
        | News::Template(_)
        | News::Marketing { .. }
        | News::Call { .. }
        | News::Echo(_)
        | News::Username(_) => Ok(()),
    }
}

#[derive(Serialize, Deserialize)]
struct StoredParked {
    event: Event,
    reason: String,
}

fn park(view: &mut View<'_>, turn: &TurnId, reason: String, now: Millis) -> Result<()> {
    let event = lanes::event(view, turn)?;
    view.add("parked event", key::parked(now, turn), &StoredParked { event, reason })
}

/// The newest first.
pub fn parked(view: &View<'_>, limit: usize) -> Result<Vec<Parked>> {
    let stored = view.list("parked event", &key::all(Kind::Parked), Order::Reverse, limit)?;
    let open = |StoredParked { event, reason }| Parked { event, reason };
    Ok(stored.into_iter().map(open).collect())
}

/// A lane's traces, the newest first, before `before`. Without it, those of all
/// that the lane's contact was.
pub fn traces(
    view: &View<'_>,
    lane: &Lane,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Trace>> {
    let of = |lane: &Lane| {
        let mut span = key::traces_of(lane);
        if let Some(seq) = before {
            span.to = key::trace(&EventId { lane: lane.clone(), seq });
        }
        view.list("trace", &span, Order::Reverse, limit)
    };
    match (lane, before) {
        (Lane::Contact(id), None) => {
            let all = merge::all_of(view, *id)?.into_iter();
            let lists = all.map(|id| of(&Lane::Contact(id))).collect::<Result<Vec<_>>>()?;
            Ok(merge::newest(lists, limit, |trace: &Trace| trace.at))
        }
        _ => of(lane),
    }
}
