//! Plays a chat: makes happen what it says happens, and holds what comes
//! against what it tells.

use super::{
    Rehearsal,
    chat::{Chat, ChatFile, Customer, Expected, Happens, Line, Sent, Told},
    facts,
    said::{Pattern, Said, choices},
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
    /// What the bot said, in the chat's own words where they fit.
    pub came: Vec<Vec<String>>,
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

    // What happens.

    fn sender(&self, name: &str) -> Sender {
        let known = self.customers.iter().position(|customer| customer.name == name);
        let known = known.and_then(|at| Some((at, self.customers.get(at)?)));
        let phone = known.and_then(|(_, customer)| customer.phone.clone());
        // Numbers that Britain keeps for fiction.
        let made_up = || format!("447700900{:03}", known.map_or(0, |(at, _)| at + 1) % 1_000);
        let (name, portfolio) = (Some(name.to_owned()), self.portfolio.clone());
        let phone = Some(phone.unwrap_or_else(made_up));
        Sender { phone, name, portfolio, ..Sender::default() }
    }

    fn happening(&mut self, sender: Option<Sender>, kind: EventKind) -> Happening {
        self.happened += 1;
        let dedup = format!("chat-{}", self.happened);
        Happening { channel: self.channel.clone(), dedup, sender, kind, raw: String::new() }
    }

    async fn meet(&mut self, customer: &Customer) -> Result<(), StoreError> {
        let content = Content::Text(String::new());
        let kind = EventKind::Message(Message::new("before", self.rehearsal.now(), content));
        let happening = self.happening(Some(self.sender(&customer.name)), kind);
        let told = customer.clone();
        let id = self.rehearsal.meet(happening, move |contact, now| {
            facts::known(contact, &told, now);
        });
        if let Some(id) = id.await? {
            self.contacts.insert(customer.name.clone(), id);
        }
        Ok(())
    }

    async fn happens(&mut self, line: &Line, happens: &Happens) -> Result<(), Stopped> {
        let now = self.rehearsal.now();
        match happens {
            Happens::Says { who, text } => {
                self.says(who, Content::Text(text.clone()), None).await?;
            }
            Happens::Sends { who, what } => {
                let content = self.content(what);
                self.says(who, content, None).await?;
            }
            Happens::Taps { who, title } => {
                let (choice, of) = self.offered(line, who, title)?;
                self.says(who, Content::Choice(choice), of).await?;
            }
            Happens::Wait(span) => self.rehearsal.wait_until(now + span).await?,
            Happens::Until(at) => {
                let then = moment_in(*at, &self.zone);
                let then = then.ok_or_else(|| Stopped::Told(plain(line.first, too_far(*at))))?;
                if then < now {
                    let what = "it is later than that already, and time goes forward alone";
                    return Err(Stopped::Told(plain(line.first, what)));
                }
                self.rehearsal.wait_until(then).await?;
            }
            Happens::Receipt { who, state, code } => {
                let who = self.whom(line, who.as_ref())?;
                let last = self.heard.get(&who).and_then(|items| items.last());
                let item = last.ok_or_else(|| {
                    Stopped::Told(plain(line.first, format!("nothing has gone to {who} yet")))
                })?;
                let receipt = Receipt {
                    message_id: item.message_id.clone().unwrap_or_default(),
                    send: Some(item.id.clone()),
                    state: *state,
                    at: now,
                    error: code.map(|code| (code, String::new())),
                    pricing: None,
                    free_until: None,
                };
                let happening = self.happening(None, EventKind::Receipt(receipt));
                self.rehearsal.happen(happening).await?;
                self.rehearsal.settle().await?;
            }
            Happens::Resumed { who } => {
                let who = self.whom(line, who.as_ref())?;
                let contact = self.contact(line, &who)?;
                let resume = Operator::Resume { by: "operator".into() };
                let happening =
                    self.happening(Some(Sender::of(contact)), EventKind::Operator(resume));
                self.rehearsal.happen(happening).await?;
                self.rehearsal.settle().await?;
            }
        }
        Ok(())
    }

    async fn says(
        &mut self,
        who: &str,
        content: Content,
        replies_to: Option<String>,
    ) -> Result<(), StoreError> {
        if !self.customers.iter().any(|customer| customer.name == who) {
            self.customers.push(Customer::new(who));
        }
        let sender = self.sender(who);
        let id = format!("wamid.chat.{}", self.happened + 1);
        let message = Message::new(id, self.rehearsal.now(), content);
        let kind = EventKind::Message(Message { replies_to, ..message });
        let happening = self.happening(Some(sender), kind);
        let turn = self.rehearsal.happen(happening).await?;
        if let Some(contact) = turn.and_then(|turn| turn.lane.contact()) {
            self.contacts.insert(who.to_owned(), contact);
        }
        self.spoke = Some(who.to_owned());
        self.rehearsal.settle().await
    }

    fn content(&self, sent: &Sent) -> Content {
        match sent {
            Sent::Media { kind, caption } => Content::Media(Media {
                kind: *kind,
                id: format!("media.chat.{}", self.happened + 1),
                mime_type: facts::mime(*kind).into(),
                caption: caption.clone(),
                filename: None,
                url: None,
                sha256: None,
            }),
            Sent::Location { latitude, longitude, name } => Content::Location(Location {
                latitude: *latitude,
                longitude: *longitude,
                name: name.clone(),
                address: None,
            }),
            Sent::Order(items) => {
                let item = |(quantity, product): &(u64, String)| OrderItem {
                    product: product.clone(),
                    quantity: *quantity,
                    price: 1.0,
                    currency: "EUR".into(),
                };
                let items = items.iter().map(item).collect();
                Content::Order(Order { catalog: "catalog".into(), text: None, items })
            }
        }
    }

    /// The choice of this title that stands in the customer's chat, the newest
    /// first, and the id of its message.
    fn offered(
        &self,
        line: &Line,
        who: &str,
        title: &str,
    ) -> Result<(Choice, Option<String>), Stopped> {
        let items = self.heard.get(who).map(Vec::as_slice).unwrap_or_default();
        let mut offered = Vec::new();
        for item in items.iter().rev() {
            if let Outgoing::Template(_) = item.message {
                // Its buttons stand at the provider, and send their title.
                let choice = Choice { id: title.into(), title: title.into() };
                return Ok((choice, item.message_id.clone()));
            }
            for choice in choices(&item.message) {
                if choice.title == title {
                    return Ok((choice, item.message_id.clone()));
                }
                offered.push(format!("[{}]", choice.title));
            }
        }
        let what = match offered.is_empty() {
            true => format!("{who} was offered nothing to tap"),
            false => format!("{who} was not offered `{title}`, but: {}", offered.join(" ")),
        };
        Err(Stopped::Told(plain(line.first, what)))
    }

    fn hear(&mut self) {
        for item in self.rehearsal.take_left() {
            let name = self.contacts.iter().find(|(_, id)| **id == item.contact);
            let name = name.map_or_else(|| item.contact.to_string(), |(name, _)| name.clone());
            let Some(said) = Said::of(&item.message) else { continue };
            self.open.push((name.clone(), said));
            self.heard.entry(name).or_default().push(item);
        }
    }

    // What is told.

    fn whom(&self, line: &Line, to: Option<&String>) -> Result<String, Stopped> {
        let what = "nobody has spoken yet: say whom it is about, as in `bot to Ann:`";
        let who = to.or(self.spoke.as_ref()).cloned();
        who.ok_or_else(|| Stopped::Told(plain(line.first, what)))
    }

    fn contact(&self, line: &Line, who: &str) -> Result<ContactId, Stopped> {
        self.contacts.get(who).copied().ok_or_else(|| {
            let what = format!("{who} has neither written nor is a `customer` of this chat");
            Stopped::Told(plain(line.first, what))
        })
    }

    fn source(&self, first: usize, last: usize) -> Vec<String> {
        let lines = self.source.get(first - 1..last).unwrap_or_default();
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    /// As a chat tells it of `who`.
    fn written(&self, who: &str, said: &Said) -> Vec<String> {
        match self.spoke.as_deref() == Some(who) {
            true => said.written("bot"),
            false => said.written(&format!("bot to {who}")),
        }
    }

    async fn expected(&mut self, line: &Line, expected: &Expected) -> Result<(), Stopped> {
        match expected {
            Expected::Message { to, message } => {
                let who = self.whom(line, to.as_ref())?;
                self.block.told.push((line.first, line.last));
                self.message(line, &who, message).await?;
            }
            Expected::Nothing { to } => {
                let who = self.whom(line, to.as_ref())?;
                self.block.told.push((line.first, line.last));
                let open = std::mem::take(&mut self.open);
                let (came, rest): (Vec<_>, Vec<_>) =
                    open.into_iter().partition(|(to, _)| *to == who);
                self.open = rest;
                for (who, said) in came {
                    let came = self.written(&who, &said);
                    self.block.came.push(came.clone());
                    self.differs(line, "the bot was to say nothing", came, &who).await?;
                }
            }
            Expected::Tags { who, .. }
            | Expected::Attribute { who, .. }
            | Expected::Consent { who, .. } => self.fact(line, who.clone(), expected).await?,
            Expected::Handoff { who, .. } | Expected::Note { who, .. } => {
                let who = self.whom(line, who.as_ref())?;
                self.fact(line, who, expected).await?;
            }
        }
        Ok(())
    }

    /// Holds the next message to `who` against what is told; loosely, the next
    /// that fits.
    async fn message(&mut self, line: &Line, who: &str, told: &Pattern) -> Result<(), Stopped> {
        let fits = |(to, said): &(String, Said)| *to == who && told.fits(said);
        let next = match self.loosely {
            true => self.open.iter().position(fits),
            false => self.open.iter().position(|(to, _)| *to == who),
        };
        let Some(next) = next else {
            return self.differs(line, "the bot did not say it", Vec::new(), who).await;
        };
        let entry = self.open.remove(next);
        if fits(&entry) {
            self.block.came.push(self.source(line.first, line.last));
            return Ok(());
        }
        let came = self.written(who, &entry.1);
        self.block.came.push(came.clone());
        self.differs(line, "the bot said something else", came, who).await
    }

    async fn differs(
        &mut self,
        line: &Line,
        what: &str,
        came: Vec<String>,
        who: &str,
    ) -> Result<(), Stopped> {
        self.block.differs = true;
        let expected = self.source(line.first, line.last);
        let because = self.because(who).await?;
        let (line, what) = (line.first, what.into());
        let of_bot = true;
        self.differences.push(Difference { line, what, expected, came, because, of_bot });
        Ok(())
    }

    async fn fact(&mut self, line: &Line, who: String, expected: &Expected) -> Result<(), Stopped> {
        let id = self.contact(line, &who)?;
        let Some(contact) = self.rehearsal.store.contact(id).await? else { return Ok(()) };
        let generation = self.rehearsal.generation();
        let rules = crate::turn::policy_rules(&generation.business);
        if let Some(came) = facts::differs(&contact, expected, self.rehearsal.now(), &rules) {
            let expected = self.source(line.first, line.last);
            let because = self.because(&who).await?;
            let (line, what) = (line.first, "it is not so".into());
            let (came, of_bot) = (vec![format!("{who} {came}")], false);
            self.differences.push(Difference { line, what, expected, came, because, of_bot });
        }
        Ok(())
    }

    /// Ends a block: what was not told of it is a difference.
    async fn close(&mut self) -> Result<(), Stopped> {
        for (who, said) in std::mem::take(&mut self.open) {
            if self.loosely {
                continue;
            }
            let came = self.written(&who, &said);
            self.block.came.push(came.clone());
            self.block.differs = true;
            let because = self.because(&who).await?;
            let (line, what) = (self.block.after, "the bot said what is not told".into());
            let (expected, of_bot) = (Vec::new(), true);
            self.differences.push(Difference { line, what, expected, came, because, of_bot });
        }
        self.blocks.push(std::mem::take(&mut self.block));
        Ok(())
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
