//! The wires by which a bot may be spoken to. All else in the simulator is
//! the same whichever it is; what a wire says and hears stands in its module.

use super::{Shared, Sim, deliver::Parcel, message::Message, meta, phone::Who, state::Millis};
use axum::Router;
use serde_json::{Map, Value};

/// Whose API the bot is made for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Wire {
    /// The WhatsApp Cloud API.
    #[default]
    Meta,
}

/// The paths that a bot calls.
pub fn routes(wire: &Wire) -> Router<Shared> {
    match wire {
        Wire::Meta => meta::routes(),
    }
}

impl Sim {
    /// A customer's message on its way to the bot. `message` is in Meta's
    /// form, with its id and its time.
    pub fn message_parcel(&self, who: &Who, message: &Map<String, Value>) -> Parcel {
        match self.config.wire {
            Wire::Meta => meta::webhook::message(self, who, message),
        }
    }

    /// How far a message of the business's got; `who` is none if nobody has
    /// the number.
    pub fn receipt_parcel(&self, message: &Message, who: Option<&Who>, now: Millis) -> Parcel {
        match self.config.wire {
            Wire::Meta => meta::webhook::receipt(self, message, who, now),
        }
    }

    /// News of the account, as a field and its value in Meta's form; none if
    /// the wire has no such thing.
    pub fn account_parcel(&self, field: &str, value: Value) -> Option<Parcel> {
        match self.config.wire {
            Wire::Meta => Some(meta::webhook::account(self, field, value)),
        }
    }
}
