//! Makes happen what a chat says happens.

use super::{Player, Stopped, moment_in, plain, too_far};
use crate::{
    model::*,
    rehearsal::{
        chat::{Customer, Happens, Line, Sent},
        facts,
        said::{Said, choices},
    },
    store::StoreError,
};

impl Player<'_> {
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

    pub(super) async fn meet(&mut self, customer: &Customer) -> Result<(), StoreError> {
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

    pub(super) async fn happens(&mut self, line: &Line, happens: &Happens) -> Result<(), Stopped> {
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

    pub(super) async fn says(
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

    pub(super) fn hear(&mut self) {
        for item in self.rehearsal.take_left() {
            let name = self.contacts.iter().find(|(_, id)| **id == item.contact);
            let name = name.map_or_else(|| item.contact.to_string(), |(name, _)| name.clone());
            let Some(said) = Said::of(&item.message) else { continue };
            self.open.push((name.clone(), said));
            self.heard.entry(name).or_default().push(item);
        }
    }
}
