//! Switchboard: a chatbot runtime for WhatsApp whose behaviour is plugins.
//!
//! The modules, in the order in which data flows. What may name what is
//! checked by `tests/tests/tidy.rs`.

// The command line, and what it starts.
pub mod app;
pub mod cli;
// Ground: the business folder, time, the nouns.
pub mod calendar;
pub mod clock;
pub mod config;
pub mod model;
pub mod sample;
pub mod traffic;
pub mod wake;
// In: from a webhook to an event in a lane.
pub mod ingress;
pub mod provider;
pub mod store;
// Turns: from an event to a commit.
pub mod cases;
pub mod dispatch;
pub mod dry_run;
pub mod generation;
pub mod plugin;
pub mod policy;
pub mod rehearsal;
pub mod reload;
pub mod templates;
pub mod turn;
// Out: from a commit to the network, or to the next event.
pub mod media;
pub mod outbox;
pub mod timers;
// For people.
pub mod author;
pub mod console;
pub mod simulator;
pub mod telemetry;
