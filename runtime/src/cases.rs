//! Cases: an event, a contact and rules in a folder, with what a plugin is
//! expected to make of them. Owns their form, running one on the real plugin
//! host, and saying how the outcome differs. Must not know of chains,
//! channels or files outside the case.

mod compare;
mod contact;
mod effect;
mod event;
mod export;
mod folder;
mod form;
mod moment;
mod run;
mod standins;

pub use export::{Exported, Kept, Setup, Unfit, of_turn, rules_hash, step_of};
pub use folder::{CaseError, bless, pack, read, unpack, write};
pub use form::{Case, Expected};
pub use moment::DEFAULT as USUAL_MOMENT;
pub use run::{Came, Outcome, run, run_within};

pub use crate::plugin::CASES_SECTION as SECTION;
