//! Switchboard: a chatbot runtime for WhatsApp whose behaviour is plugins.
//!
//! The modules, in the order in which data flows. What may name what is
//! checked by `tests/tidy.rs`.

pub mod clock;
pub mod config;
pub mod model;
pub mod plugin;
pub mod policy;
pub mod provider;
pub mod store;
pub mod turn;
