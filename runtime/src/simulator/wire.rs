//! The wires by which a bot may be spoken to. All else in the simulator is
//! the same whichever it is; what a wire says and hears stands in its module.

use super::{
    Shared, Sim,
    deliver::{Parcel, Verification},
    message::Message,
    meta, names,
    phone::Who,
    state::Millis,
    twilio,
};
use axum::Router;
use serde_json::{Map, Value};
use std::sync::atomic::Ordering;

/// Whose API the bot is made for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Wire {
    /// The WhatsApp Cloud API.
    #[default]
    Meta,
    /// Twilio's, with the account that the bot sends with. Of the simulator's
    /// configuration it uses the business number and the webhook's address.
    Twilio(twilio::Account),
}

/// The paths that a bot calls.
pub fn routes(wire: &Wire) -> Router<Shared> {
    match wire {
        Wire::Meta => meta::routes(),
        Wire::Twilio(_) => twilio::routes(),
    }
}

/// Tries the webhook's address out, where the wire does so.
pub async fn verify_at_start(sim: Shared) {
    match sim.config.wire {
        Wire::Meta => meta::verify::verify_at_start(sim).await,
        Wire::Twilio(_) => {}
    }
}

/// None if the wire tries no addresses out.
pub async fn verify(sim: &Shared) -> Option<Verification> {
    match sim.config.wire {
        Wire::Meta => Some(meta::verify::verify(sim).await),
        Wire::Twilio(_) => None,
    }
}

impl Sim {
    /// A message id in the wire's form.
    pub fn message_id(&self, phone: &str, by_customer: bool) -> String {
        let number = self.last_id.fetch_add(1, Ordering::Relaxed);
        match self.config.wire {
            Wire::Meta => names::wamid(phone, by_customer, self.salt, number),
            Wire::Twilio(_) => twilio::sid("SM", self.salt, number),
        }
    }

    /// Whether a send over a limit is taken and fails later.
    pub fn limits_later(&self) -> bool {
        match self.config.wire {
            Wire::Meta => false,
            Wire::Twilio(_) => true,
        }
    }

    /// A customer's message on its way to the bot. `message` is in Meta's
    /// form, with its id and its time.
    pub fn message_parcel(&self, who: &Who, message: &Map<String, Value>) -> Parcel {
        match &self.config.wire {
            Wire::Meta => meta::webhook::message(self, who, message),
            Wire::Twilio(account) => twilio::webhook::message(self, account, who, message),
        }
    }

    /// How far a message of the business's got; `who` is none if nobody has
    /// the number. None if the bot did not ask to be told.
    pub fn receipt_parcel(
        &self,
        message: &Message,
        who: Option<&Who>,
        now: Millis,
    ) -> Option<Parcel> {
        match &self.config.wire {
            Wire::Meta => Some(meta::webhook::receipt(self, message, who, now)),
            Wire::Twilio(account) => twilio::webhook::receipt(self, account, message),
        }
    }

    /// News of a customer: `items` under `name`, with what a message has
    /// around it; none if the wire has no such thing.
    pub fn news_parcel(
        &self,
        field: &str,
        who: Option<&Who>,
        name: &str,
        items: Value,
    ) -> Option<Parcel> {
        match self.config.wire {
            Wire::Meta => Some(meta::webhook::news(self, field, who, name, items)),
            Wire::Twilio(_) => None,
        }
    }

    /// News of the account, as a field and its value in Meta's form; none if
    /// the wire has no such thing.
    pub fn account_parcel(&self, field: &str, value: Value) -> Option<Parcel> {
        match self.config.wire {
            Wire::Meta => Some(meta::webhook::account(self, field, value)),
            Wire::Twilio(_) => None,
        }
    }
}
