//! Plays a chat: makes happen what it says happens (`happens`), and holds what
//! comes against what it tells (`holds`).

mod ask;
mod happens;
mod holds;

pub use ask::{Answer, Passed, Question, ask};

use super::{
    Rehearsal,
    chat::{Chat, ChatFile, Customer, Told},
    facts,
    said::Said,
};
use crate::{cases, generation::Generation, model::*, policy, store::StoreError};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How a chat went.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    pub title: String,
    pub line: usize,
    pub differences: Vec<Difference>,
    #[serde(skip)]
    pub(super) blocks: Vec<Block>,
}

/// Where it did not go as told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub line: usize,
    pub what: String,
    /// As the chat tells it; empty where it tells nothing.
    pub expected: Vec<String>,
    /// As a chat would tell it; empty where nothing came.
    pub came: Vec<String>,
    /// The reasons that the steps and the host gave.
    pub because: Vec<String>,
    /// It is about what the bot says.
    #[serde(skip)]
    pub of_bot: bool,
}

impl Played {
    /// Whether what the bot says is all that differed, so that writing it anew
    /// mends the chat.
    pub fn is_mended(&self) -> bool {
        self.differences.iter().all(|difference| difference.of_bot)
    }
}

/// Something that happens, with what is told of the bot below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// The last line of what happens.
    pub after: usize,
    /// First and last line of each message told.
    pub told: Vec<(usize, usize)>,
    /// What the bot said, or that it said nothing, to whom; in the chat's own
    /// words where they fit.
    pub came: Vec<(String, Vec<String>)>,
    pub differs: bool,
}

/// Why a chat can't go on.
enum Stopped {
    Told(Difference),
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Plays a chat of the file on a business of its own.
///
/// # Errors
/// The store in memory failed: nothing can be said of the chat.
pub async fn play(
    generation: &Arc<Generation>,
    file: &ChatFile,
    chat: &Chat,
) -> Result<Played, StoreError> {
    let mut player = match Player::new(generation, file, chat) {
        Ok(player) => player,
        Err(difference) => return Ok(player_less(chat, difference)),
    };
    match player.run(chat).await {
        Ok(()) => {}
        Err(Stopped::Told(difference)) => player.differences.push(difference),
        Err(Stopped::Store(error)) => return Err(error),
    }
    player.blocks.push(std::mem::take(&mut player.block));
    let Player { differences, blocks, .. } = player;
    Ok(Played { title: chat.title.clone(), line: chat.line, differences, blocks })
}

fn player_less(chat: &Chat, difference: Difference) -> Played {
    let (title, line) = (chat.title.clone(), chat.line);
    Played { title, line, differences: vec![difference], blocks: Vec::new() }
}

fn plain(line: usize, what: impl Into<String>) -> Difference {
    let (expected, came, because, of_bot) = Default::default();
    Difference { line, what: what.into(), expected, came, because, of_bot }
}

struct Player<'a> {
    rehearsal: Rehearsal,
    source: Vec<&'a str>,
    zone: TimeZone,
    channel: ChannelId,
    portfolio: Portfolio,
    customers: Vec<Customer>,
    loosely: bool,
    contacts: BTreeMap<String, ContactId>,
    /// Who spoke last.
    spoke: Option<String>,
    /// Counts what happens.
    happened: u32,
    /// All that left, by whom it went to.
    heard: HashMap<String, Vec<OutboxItem>>,
    /// What of it was not told yet.
    open: Vec<(String, Said)>,
    /// How far each lane had come when the block began.
    since: HashMap<Lane, u64>,
    block: Block,
    blocks: Vec<Block>,
    differences: Vec<Difference>,
}

impl<'a> Player<'a> {
    fn new(
        generation: &Arc<Generation>,
        file: &'a ChatFile,
        chat: &'a Chat,
    ) -> Result<Self, Difference> {
        let problem = |what: String| plain(chat.line, what);
        let channels = &generation.channels;
        let wanted = chat.settings.channel.as_deref().map(ChannelId::new);
        let channel = match &wanted {
            Some(id) => channels.get(id),
            None => channels.values().next(),
        };
        let channel = channel.ok_or_else(|| {
            let names: Vec<&str> = channels.keys().map(ChannelId::as_str).collect();
            problem(format!("there is no such channel; there are: {}", names.join(", ")))
        })?;
        let zone = policy::zone(&generation.business.zone).unwrap_or(TimeZone::UTC);
        let at = match chat.settings.at {
            Some(at) => moment_in(at, &zone).ok_or_else(|| problem(too_far(at)))?,
            None => cases::USUAL_MOMENT,
        };
        Ok(Self {
            rehearsal: Rehearsal::new(generation, at),
            source: file.text.lines().collect(),
            zone,
            channel: channel.id.clone(),
            portfolio: channel.config.portfolio(),
            customers: chat.settings.customers.clone(),
            loosely: chat.settings.loosely,
            contacts: BTreeMap::new(),
            spoke: None,
            happened: 0,
            heard: HashMap::new(),
            open: Vec::new(),
            since: HashMap::new(),
            block: Block { after: chat.top, ..Block::default() },
            blocks: Vec::new(),
            differences: Vec::new(),
        })
    }

    async fn run(&mut self, chat: &Chat) -> Result<(), Stopped> {
        for customer in self.customers.clone() {
            self.meet(&customer).await?;
        }
        self.rehearsal.begin().await?;
        self.hear();
        for line in &chat.lines {
            match &line.told {
                Told::Happens(happens) => {
                    self.close().await?;
                    self.block = Block { after: line.last, ..Block::default() };
                    self.note_lanes().await?;
                    self.happens(line, happens).await?;
                    self.hear();
                }
                Told::Expected(expected) => self.expected(line, expected).await?,
            }
        }
        self.close().await
    }

    // Why.

    fn lanes(&self) -> Vec<Lane> {
        let contacts = self.contacts.values().copied().map(Lane::Contact);
        contacts.chain([Lane::Channel(self.channel.clone())]).collect()
    }

    async fn note_lanes(&mut self) -> Result<(), StoreError> {
        for lane in self.lanes() {
            let last = self.rehearsal.store.traces(&lane, None, 1).await?;
            if let Some(last) = last.first() {
                self.since.insert(lane, last.turn.seq);
            }
        }
        Ok(())
    }

    /// What the turns since the block began gave as their reasons, and what
    /// became of messages that have not left.
    async fn because(&self, who: &str) -> Result<Vec<String>, StoreError> {
        let Some(contact) = self.contacts.get(who) else { return Ok(Vec::new()) };
        let own = Lane::Contact(*contact);
        let mut because = Vec::new();
        for lane in [own, Lane::Channel(self.channel.clone())] {
            let since = self.since.get(&lane).copied().unwrap_or(0);
            let traces = self.rehearsal.store.traces(&lane, None, facts::TRACES).await?;
            let new = traces.iter().filter(|trace| trace.turn.seq > since);
            new.rev().for_each(|trace| because.extend(facts::reasons(trace)));
        }
        let items = self.rehearsal.store.outbox_of(*contact, facts::TRACES).await?;
        because.extend(items.iter().rev().filter_map(facts::not_sent));
        Ok(because)
    }
}

fn moment_in(at: DateTime, zone: &TimeZone) -> Option<Millis> {
    let zoned = at.to_zoned(zone.clone()).ok()?;
    u64::try_from(zoned.timestamp().as_millisecond()).ok()
}

fn too_far(at: DateTime) -> String {
    format!("{at} is no moment from 1970 on")
}
