//! Whom a campaign has reached, and what became of each. A member is a small
//! value beside its messages, written in the commits that there are anyway;
//! once it has had its time it becomes a number in its campaign's sums.

use super::{
    Result, broadcasts,
    codec::corrupt,
    engine::Order,
    key::{self, Kind},
    outbox,
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const WHAT: &str = "campaign's member";
const PAST: &str = "campaign's sums";
const LAST: &str = "contact's last campaign";

/// Sums of the members that are no longer kept, by variant.
type Past = BTreeMap<String, Funnel>;

/// What a member is called: its campaign, and the contact that was reached.
#[derive(Clone, Serialize, Deserialize)]
struct Named {
    campaign: CampaignKey,
    contact: ContactId,
}

impl Named {
    fn key(&self) -> Vec<u8> {
        key::member(&self.campaign, self.contact)
    }
}

/// Which campaign wrote to a contact last, and whether the contact has written
/// since.
#[derive(Clone, Serialize, Deserialize)]
struct Last {
    campaign: CampaignKey,
    contact: ContactId,
    #[serde(default)]
    heard: bool,
}

impl Last {
    fn named(&self) -> Named {
        Named { campaign: self.campaign.clone(), contact: self.contact }
    }
}

fn read(view: &View<'_>, named: &Named) -> Result<Option<Member>> {
    view.read(WHAT, &named.key())
}

// How it goes on.

pub fn reach(
    view: &mut View<'_>,
    campaign: &CampaignKey,
    contact: ContactId,
    now: Millis,
) -> Result<()> {
    let named = Named { campaign: campaign.clone(), contact };
    let age = key::timed(Kind::MemberAge, now, &named.key());
    view.put(age, super::codec::encode(WHAT, &named)?)?;
    view.add(WHAT, named.key(), &Member::reached(contact, now))
}

/// One more timer carries the campaign on.
pub fn timer_set(view: &mut View<'_>, timer: &Timer) -> Result<()> {
    change(view, of_timer(timer), |member| member.ahead += 1)
}

/// A timer is gone without having fired.
pub fn timer_gone(view: &mut View<'_>, timer: &Timer, why: &str) -> Result<()> {
    change(view, of_timer(timer), |member| end_one(member, why))
}

fn of_timer(timer: &Timer) -> Option<Named> {
    let Membership { campaign: id, contact } = timer.member.clone()?;
    let campaign = CampaignKey { channel: timer.channel.clone(), step: timer.key.step.clone(), id };
    Some(Named { campaign, contact })
}

/// The end of one of the member's turns.
pub fn take_turn(view: &mut View<'_>, turn: MemberTurn) -> Result<()> {
    let MemberTurn { of, step, channel, sends, left_out, variant, otherwise } = turn;
    let campaign = CampaignKey { channel, step, id: of.campaign };
    change(view, Some(Named { campaign, contact: of.contact }), |member| {
        member.sends.extend(sends);
        member.left_out = left_out.or(member.left_out.take());
        member.variant = variant.or(member.variant.take());
        end_one(member, &otherwise);
    })
}

/// One of what carried the campaign on is done.
fn end_one(member: &mut Member, otherwise: &str) {
    member.ahead = member.ahead.saturating_sub(1);
    if member.ahead == 0 && member.sends.is_empty() && member.left_out.is_none() {
        member.left_out = Some(otherwise.to_owned());
    }
}

fn change(
    view: &mut View<'_>,
    named: Option<Named>,
    change: impl FnOnce(&mut Member),
) -> Result<()> {
    let Some(named) = named else { return Ok(()) };
    // Of before members were kept, or no longer kept.
    let Some(mut member) = read(view, &named)? else { return Ok(()) };
    change(&mut member);
    view.write(WHAT, named.key(), &member)
}

// What the contact does.

/// A campaign's message is to be sent: what the contact writes next may answer
/// it.
pub fn note_sent(view: &mut View<'_>, item: &OutboxItem) -> Result<()> {
    let (Some(campaign), Some(contact)) = (item.campaign(), item.member) else { return Ok(()) };
    let last = Last { campaign, contact, heard: false };
    view.put(key::last_campaign(item.contact), super::codec::encode(LAST, &last)?)
}

/// The contact wrote: taps and answers are noted with the members they are of.
pub fn hear(view: &mut View<'_>, wrote: &Wrote, now: Millis) -> Result<()> {
    if let Some(message_id) = &wrote.tapped
        && let Some(item) = outbox::by_message_id(view, message_id)?
        && let (Some(campaign), Some(contact)) = (item.campaign(), item.member)
    {
        let clicked = |member: &mut Member| member.clicked = member.clicked.or(Some(now));
        change(view, Some(Named { campaign, contact }), clicked)?;
    }
    let Some((place, last, member)) = last(view, wrote.contact)? else { return Ok(()) };
    if last.heard {
        return Ok(());
    }
    // Not yet there, so this is no answer to it.
    let Some(delivered) = delivered(view, &member)? else { return Ok(()) };
    view.put(place, super::codec::encode(LAST, &Last { heard: true, ..last.clone() })?)?;
    if now <= delivered.saturating_add(REPLY_MS) {
        let replied = |member: &mut Member| member.replied = member.replied.or(Some(now));
        change(view, Some(last.named()), replied)?;
    }
    Ok(())
}

/// What the contact has reached may be the goal of the campaign that wrote to it
/// last.
pub fn achieve(
    view: &mut View<'_>,
    contact: ContactId,
    achieved: &[Goal],
    now: Millis,
) -> Result<()> {
    if achieved.is_empty() {
        return Ok(());
    }
    let Some((_, last, member)) = last(view, contact)? else { return Ok(()) };
    let terms = broadcasts::read(view, &last.campaign)?.map(|it| it.terms).unwrap_or_default();
    if !terms.goal.as_ref().is_some_and(|goal| achieved.contains(goal)) {
        return Ok(());
    }
    let Some(delivered) = delivered(view, &member)? else { return Ok(()) };
    if now > delivered.saturating_add(terms.within()) {
        return Ok(());
    }
    let converted = |member: &mut Member| member.converted = member.converted.or(Some(now));
    change(view, Some(last.named()), converted)
}

/// The campaign that wrote to the contact last, with its place and its member;
/// none if that is no longer kept.
fn last(view: &mut View<'_>, contact: ContactId) -> Result<Option<(Vec<u8>, Last, Member)>> {
    let place = key::last_campaign(contact);
    let Some(value) = view.get(&place)? else { return Ok(None) };
    let last: Last = super::codec::decode(LAST, &value)?;
    match read(view, &last.named())? {
        Some(member) => Ok(Some((place, last, member))),
        None => {
            view.delete(place);
            Ok(None)
        }
    }
}

/// When the member's message was on the phone: the last of them, if several.
fn delivered(view: &View<'_>, member: &Member) -> Result<Option<Millis>> {
    let mut delivered = None;
    for send in &member.sends {
        let arrived = outbox::item(view, send)?.and_then(|item| item.arrived_at);
        delivered = delivered.max(arrived);
    }
    Ok(delivered)
}

/// Two contacts become one: the one that stays answers for the other.
pub fn join(view: &mut View<'_>, from: ContactId, to: ContactId) -> Result<()> {
    let (from, to) = (key::last_campaign(from), key::last_campaign(to));
    let Some(value) = view.get(&from)? else { return Ok(()) };
    view.delete(from);
    match view.get(&to)? {
        Some(_) => Ok(()),
        None => view.put(to, value),
    }
}

// For people.

/// A page of a campaign's members, in contact order.
pub fn page(
    view: &View<'_>,
    campaign: &CampaignKey,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Members> {
    let Some(broadcast) = broadcasts::read(view, campaign)? else { return Ok(Members::default()) };
    let span = key::members_behind(campaign, after);
    let stored: Vec<Member> = view.list(WHAT, &span, Order::Forward, limit)?;
    let next = match stored.len() < limit {
        true => None,
        false => stored.last().map(|member| member.contact),
    };
    let now = |member| as_it_stands(view, member, broadcast.going);
    Ok(Members { members: stored.into_iter().map(now).collect::<Result<_>>()?, next })
}

fn as_it_stands(view: &View<'_>, member: Member, going: Going) -> Result<MemberNow> {
    let items = member.sends.iter().map(|send| outbox::with_charge(view, send));
    let items = items.collect::<Result<Vec<_>>>()?;
    Ok(MemberNow::new(member, items.into_iter().flatten().collect(), going))
}

/// The sums of those who are no longer kept one by one.
pub fn past(view: &View<'_>, campaign: &CampaignKey) -> Result<Past> {
    Ok(view.read(PAST, &key::campaign_past(campaign))?.unwrap_or_default())
}

// Upkeep.

/// A member whose entry by age was taken out becomes a number. One of
/// whom more is to come is as new.
pub fn sweep(view: &mut View<'_>, entry: &[u8], value: &[u8], now: Millis) -> Result<()> {
    let named: Named = super::codec::decode(WHAT, value)?;
    let Some(member) = read(view, &named)? else { return Ok(()) };
    let broadcast = broadcasts::read(view, &named.campaign)?;
    let broadcast = broadcast.ok_or_else(|| corrupt(WHAT, "its campaign is missing"))?;
    if !as_it_stands(view, member, broadcast.going)?.is_settled() {
        let place = key::untimed(Kind::Member, entry);
        return view.put(key::timed(Kind::MemberAge, now, &place), value.to_vec());
    }
    fold(view, &named)
}

/// A message is about to be forgotten: its member is counted while it can be.
pub fn before_forgotten(view: &mut View<'_>, item: &OutboxItem) -> Result<()> {
    match (item.campaign(), item.member) {
        (Some(campaign), Some(contact)) => fold(view, &Named { campaign, contact }),
        _ => Ok(()),
    }
}

fn fold(view: &mut View<'_>, named: &Named) -> Result<()> {
    let Some(member) = read(view, named)? else { return Ok(()) };
    let broadcast = broadcasts::read(view, &named.campaign)?;
    let going = broadcast.map_or(Going::On, |broadcast| broadcast.going);
    let one = as_it_stands(view, member, going)?;
    let mut past = past(view, &named.campaign)?;
    past.entry(one.member.variant.clone().unwrap_or_default()).or_default().count(&one);
    view.write(PAST, key::campaign_past(&named.campaign), &past)?;
    view.delete_long(named.key())
}
