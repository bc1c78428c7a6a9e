//! Lanes: events in order, taken from the front only. So the waiting ones are a
//! run of numbers without gaps, and a lane is three numbers; which lanes have
//! events is read off the events themselves, and no index can disagree.

use super::{
    Result,
    codec::{corrupt, numbers, read_numbers},
    contacts, counts,
    engine::{Order, Span},
    key::{self, Count, Kind, Reader},
    merge,
    view::View,
};
use crate::model::*;

struct State {
    /// The first event that waits, if it is below `next`.
    head: u64,
    /// The number the next event gets.
    next: u64,
    /// Turns that began with the head and did not commit.
    attempts: u64,
}

impl State {
    fn read(view: &View<'_>, lane: &Lane) -> Result<Self> {
        let [head, next, attempts] = match view.get(&key::lane(lane))? {
            Some(value) => read_numbers("lane", &value)?,
            None => [1, 1, 0],
        };
        Ok(Self { head, next, attempts })
    }
    fn write(&self, view: &mut View<'_>, lane: &Lane) -> Result<()> {
        view.put(key::lane(lane), numbers([self.head, self.next, self.attempts]))
    }
    fn is_empty(&self) -> bool {
        self.head == self.next
    }
    fn has_head(&self, turn: &TurnId) -> bool {
        self.head == turn.seq && !self.is_empty()
    }
}

/// Puts what happened at the end of a lane, or of the one of whoever the lane's
/// contact has become.
pub fn append(
    view: &mut View<'_>,
    lane: Lane,
    happening: Happening,
    now: Millis,
) -> Result<EventId> {
    let id = place_for(view, lane)?;
    add(view, id, happening, (None, 0), now)
}

fn add(
    view: &mut View<'_>,
    id: EventId,
    happening: Happening,
    (member, tries): (Option<Membership>, u32),
    now: Millis,
) -> Result<EventId> {
    let Happening { channel, sender, kind, raw, dedup: _ } = happening;
    let (accepted_at, attempts) = (now, 0);
    let id_of = id.clone();
    let event =
        Event { id: id_of, channel, sender, kind, raw, accepted_at, attempts, member, tries };
    view.add("event", key::event(&id), &event)?;
    Ok(id)
}

/// In the lane of whoever the lane's contact has become.
fn place_for(view: &mut View<'_>, lane: Lane) -> Result<EventId> {
    let lane = match lane {
        Lane::Contact(id) => Lane::Contact(merge::follow(view, id)?),
        Lane::Channel(_) => lane,
    };
    take_place(view, lane)
}

/// The place behind the lane's last event.
fn take_place(view: &mut View<'_>, lane: Lane) -> Result<EventId> {
    let mut state = State::read(view, &lane)?;
    if state.is_empty() {
        counts::up(view, Count::Lanes)?;
    }
    let id = EventId { lane, seq: state.next };
    state.next += 1;
    state.write(view, &id.lane)?;
    Ok(id)
}

/// Moves the events that wait in a lane to the end of another, in their order.
/// A turn that runs on one of them is none of its lane's any more: it will not
/// commit, and runs again where the event now is.
pub fn join(view: &mut View<'_>, from: &Lane, to: &Lane) -> Result<()> {
    let old = State::read(view, from)?;
    if old.is_empty() {
        return Ok(());
    }
    let idle = State::read(view, to)?.is_empty();
    for seq in old.head..old.next {
        let old = EventId { lane: from.clone(), seq };
        let mut event = event(view, &old)?;
        view.delete_long(key::event(&old))?;
        event.id = take_place(view, to.clone())?;
        view.add("event", key::event(&event.id), &event)?;
    }
    State { head: old.next, next: old.next, attempts: 0 }.write(view, from)?;
    counts::down(view, Count::Lanes)?;
    if idle {
        // What was the first is the first again, with what it has cost so far.
        let state = State { attempts: old.attempts, ..State::read(view, to)? };
        state.write(view, to)?;
    }
    Ok(())
}

/// As `append`, for what the host itself makes happen: maybe to a campaign's
/// member, maybe after so many tries.
pub fn append_own(
    view: &mut View<'_>,
    lane: Lane,
    channel: &ChannelId,
    kind: EventKind,
    carried: (Option<Membership>, u32),
    now: Millis,
) -> Result<EventId> {
    let (dedup, raw) = (String::new(), String::new());
    let happening = Happening { channel: channel.clone(), dedup, sender: None, kind, raw };
    let id = place_for(view, lane)?;
    add(view, id, happening, carried, now)
}

pub fn is_head(view: &View<'_>, turn: &TurnId) -> Result<bool> {
    Ok(State::read(view, &turn.lane)?.has_head(turn))
}

/// Removes the head that `turn` is.
pub fn remove_head(view: &mut View<'_>, turn: &TurnId) -> Result<()> {
    let mut state = State::read(view, &turn.lane)?;
    view.delete_long(key::event(turn))?;
    state.head += 1;
    state.attempts = 0;
    if state.is_empty() {
        counts::down(view, Count::Lanes)?;
    }
    state.write(view, &turn.lane)
}

/// Zero if the turn is not its lane's next.
pub fn count_attempt(view: &mut View<'_>, turn: &TurnId) -> Result<u32> {
    let mut state = State::read(view, &turn.lane)?;
    if !state.has_head(turn) {
        return Ok(0);
    }
    state.attempts += 1;
    state.write(view, &turn.lane)?;
    Ok(u32::try_from(state.attempts).unwrap_or(u32::MAX))
}

pub fn event(view: &View<'_>, id: &EventId) -> Result<Event> {
    let event = view.read("event", &key::event(id))?;
    event.ok_or_else(|| corrupt("event", format!("{id} is missing")))
}

pub fn next(view: &View<'_>, lane: &Lane) -> Result<Option<Snapshot>> {
    let state = State::read(view, lane)?;
    if state.is_empty() {
        return Ok(None);
    }
    let mut event = event(view, &EventId { lane: lane.clone(), seq: state.head })?;
    event.attempts = u32::try_from(state.attempts).unwrap_or(u32::MAX);
    let contact = match lane.contact() {
        Some(id) => Some(contacts::read(view, id)?.unwrap_or_else(|| Contact::new(id))),
        None => None,
    };
    Ok(Some(Snapshot { event, contact }))
}

/// One seek for each lane, however many events it has.
pub fn ready(view: &View<'_>, after: Option<&Lane>, limit: usize) -> Result<Vec<Lane>> {
    let mut rest = key::all(Kind::Event);
    if let Some(lane) = after {
        rest.from = key::events_of(lane).to;
    }
    let mut lanes = Vec::new();
    while lanes.len() < limit {
        let Some((found, _)) = view.first(&rest, Order::Forward)? else { break };
        let lane = Reader::of_key(&found).lane().ok_or_else(|| corrupt("lane", "a broken key"))?;
        rest = Span { from: key::events_of(&lane).to, to: rest.to };
        lanes.push(lane);
    }
    Ok(lanes)
}
