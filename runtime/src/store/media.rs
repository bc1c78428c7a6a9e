//! Files that customers send: what is to be fetched, what is here, and until
//! when. The bytes are not kept here but in files beside the database.

use super::{
    Result, codec,
    engine::Order,
    key::{self, Kind},
    merge,
    view::View,
};
use crate::model::*;
use std::collections::HashSet;

/// Files that one sweep expires or forgets: it runs between other writes.
const SWEPT: usize = 250;

/// Notes that the file of a message, if it bears one, is to be fetched at once.
pub fn expect(view: &mut View<'_>, lane: &Lane, happening: &Happening, now: Millis) -> Result<()> {
    let Some(media) = happening.kind.media() else { return Ok(()) };
    let waiting = MediaState::Waiting { due: now, reason: None };
    let known = read(view, &happening.channel, &media.id)?;
    let mut file = known.clone().unwrap_or_else(|| MediaFile {
        channel: happening.channel.clone(),
        media: media.clone(),
        lanes: Vec::new(),
        accepted_at: now,
        tries: 0,
        state: waiting.clone(),
    });
    file.lanes.retain(|known| known != lane);
    file.lanes.push(lane.clone());
    let surplus = file.lanes.len().saturating_sub(MediaFile::LANES);
    file.lanes.drain(..surplus);
    // The id lives anew; what waits or is here is left to go on.
    file.accepted_at = now;
    if matches!(file.state, MediaState::Failed { .. } | MediaState::Expired { .. }) {
        (file.media, file.tries, file.state) = (media.clone(), 0, waiting);
    }
    replace(view, known.as_ref(), &file)
}

pub fn read(view: &View<'_>, channel: &ChannelId, id: &str) -> Result<Option<MediaFile>> {
    view.read("media", &key::media(channel, id))
}

/// It, with the lanes in which its contacts are by now.
pub fn current(view: &View<'_>, channel: &ChannelId, id: &str) -> Result<Option<MediaFile>> {
    read(view, channel, id)?.map(|file| followed(view, file)).transpose()
}

fn followed(view: &View<'_>, mut file: MediaFile) -> Result<MediaFile> {
    let mut lanes = Vec::new();
    for lane in std::mem::take(&mut file.lanes) {
        let lane = match lane {
            Lane::Contact(id) => Lane::Contact(merge::follow(view, id)?),
            Lane::Channel(_) => lane,
        };
        if !lanes.contains(&lane) {
            lanes.push(lane);
        }
    }
    Ok(MediaFile { lanes, ..file })
}

/// Of all that the lane's contact was, the newest first.
pub fn of_lane(view: &View<'_>, lane: &Lane, limit: usize) -> Result<Vec<MediaFile>> {
    let of = |lane: &Lane| -> Result<Vec<MediaFile>> {
        let entries = view.range(&key::media_of(lane), Order::Reverse).take(limit);
        let named = entries.map(|entry| named(view, key::read_media_lane(&entry?.0)));
        named.map(|file| followed(view, file?)).collect()
    };
    let Lane::Contact(id) = lane else { return of(lane) };
    let all = merge::all_of(view, *id)?.into_iter();
    let lists = all.map(|id| of(&Lane::Contact(id))).collect::<Result<Vec<_>>>()?;
    let most = lists.iter().map(Vec::len).sum();
    let mut files = merge::newest(lists, most, |file: &MediaFile| file.accepted_at);
    // A file that both have sent stands in both lanes.
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert((file.channel.clone(), file.media.id.clone())));
    files.truncate(limit);
    Ok(files)
}

pub fn due(view: &View<'_>, now: Millis, limit: usize) -> Result<Vec<MediaFile>> {
    listed(view, Kind::MediaDue, now, limit)
}

pub fn next(view: &View<'_>) -> Result<Option<Millis>> {
    let first = view.first(&key::all(Kind::MediaDue), Order::Forward)?;
    Ok(first.and_then(|(entry, _)| key::Reader::of_key(&entry).u64()))
}

pub fn record(view: &mut View<'_>, file: &MediaFile, state: MediaState) -> Result<bool> {
    let Some(known) = read(view, &file.channel, &file.media.id)? else { return Ok(false) };
    if !matches!(known.state, MediaState::Waiting { .. }) {
        return Ok(false);
    }
    // Another message may have come with it since it was read.
    let new = MediaFile { tries: file.tries, state, ..known.clone() };
    replace(view, Some(&known), &new)?;
    Ok(true)
}

pub fn needs(view: &View<'_>, sha256: &str) -> Result<bool> {
    Ok(view.first(&key::media_with_bytes(sha256), Order::Forward)?.is_some())
}

pub fn sweep(view: &mut View<'_>, now: Millis, keep_ms: Millis) -> Result<Vec<MediaFile>> {
    let Some(last) = now.checked_sub(keep_ms) else { return Ok(Vec::new()) };
    let old = listed(view, Kind::MediaAge, last, SWEPT)?;
    for file in &old {
        match file.state {
            MediaState::Here(_) => {
                let new = MediaFile { state: MediaState::Expired { at: now }, ..file.clone() };
                replace(view, Some(file), &new)?;
            }
            MediaState::Waiting { .. } | MediaState::Failed { .. } | MediaState::Expired { .. } => {
                unlist(view, file);
                view.delete_long(key::media(&file.channel, &file.media.id))?;
            }
        }
    }
    Ok(old)
}

/// What an index by time names up to `until`.
fn listed(view: &View<'_>, index: Kind, until: Millis, limit: usize) -> Result<Vec<MediaFile>> {
    let entries = view.range(&key::until(index, until), Order::Forward).take(limit);
    entries.map(|entry| named(view, Some(key::untimed(Kind::Media, &entry?.0)))).collect()
}

/// What an index names.
fn named(view: &View<'_>, place: Option<Vec<u8>>) -> Result<MediaFile> {
    let file = match place {
        Some(place) => view.read("media", &place)?,
        None => None,
    };
    file.ok_or_else(|| codec::corrupt("media", "an index names one that is not there"))
}

/// The only place that writes one, so that the indexes stay true.
fn replace(view: &mut View<'_>, old: Option<&MediaFile>, new: &MediaFile) -> Result<()> {
    if let Some(old) = old {
        unlist(view, old);
    }
    for entry in entries(new) {
        view.put(entry, Vec::new())?;
    }
    view.write("media", key::media(&new.channel, &new.media.id), new)
}

fn unlist(view: &mut View<'_>, file: &MediaFile) {
    for entry in entries(file) {
        view.delete(entry);
    }
}

/// Where a file stands beside its own place, by its lanes and its state.
fn entries(file: &MediaFile) -> Vec<Vec<u8>> {
    let place = key::media(&file.channel, &file.media.id);
    let lanes = file.lanes.iter();
    let mut entries: Vec<_> =
        lanes.map(|lane| key::media_lane(lane, file.accepted_at, &place)).collect();
    match &file.state {
        MediaState::Waiting { due, .. } => entries.push(key::timed(Kind::MediaDue, *due, &place)),
        MediaState::Here(here) => {
            entries.push(key::timed(Kind::MediaAge, here.at, &place));
            entries.push(key::media_bytes(&here.sha256, &place));
        }
        MediaState::Failed { at, .. } | MediaState::Expired { at } => {
            entries.push(key::timed(Kind::MediaAge, *at, &place));
        }
    }
    entries
}
