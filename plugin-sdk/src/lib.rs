//! What a Switchboard plugin written in Rust depends on.
//!
//! A plugin is a function from an event to effects. Implement [`Plugin`], name
//! the type in [`export!`], build for `wasm32-wasip2`:
//!
//! ```
//! use switchboard_plugin::*;
//!
//! #[derive(serde::Deserialize, Default)]
//! struct Rules {
//!     greeting: String,
//! }
//!
//! struct Hello(Rules);
//!
//! impl Plugin for Hello {
//!     type Rules = Rules;
//!     fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
//!         Ok(Self(rules))
//!     }
//!     fn on_message(&self, message: Message) -> Outcome {
//!         if !message.words().is_some_and(|words| words.contains("hello")) {
//!             return Ok(Continue);
//!         }
//!         reply(self.0.greeting.as_str())?;
//!         Ok(Stop)
//!     }
//! }
//!
//! export!(Hello);
//! # fn main() {
//! # let plugin = testing::configure::<Hello>(r#"{"greeting": "Hi!"}"#).unwrap();
//! # assert_eq!(testing::Stage::default().says(&plugin, "hello?").replies(), ["Hi!"]);
//! # }
//! ```
//!
//! The plugin reads through [`contact`], [`event`], [`business`] and [`kv`], and
//! acts through functions such as [`reply`] and [`tag()`]. Nothing happens
//! before the host commits the turn: an `Err` drops everything. Only [`http`]
//! reaches further at once, and only to hosts that the owner has granted; and
//! [`media`] reads the files that the contact has sent.
//!
//! Natively, the same functions reach the recorder in [`testing`], so that
//! `cargo test` tests a plugin without building it for the sandbox.

mod effects;
pub mod http;
pub mod media;
pub mod messages;
mod plugin;
pub mod template;
pub mod text;
mod values;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

/// The README's plugin is one that compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Generated from `wit/`. Not for use by hand: what a plugin needs is named
/// at the root.
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin",
        additional_derives: [Clone, PartialEq],
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: "export_world",
        default_bindings_module: "switchboard_plugin::bindings",
    });
}

#[cfg(target_arch = "wasm32")]
use bindings::switchboard::plugin as host;
#[cfg(not(target_arch = "wasm32"))]
use testing::host;

pub use bindings::exports::switchboard::plugin::guest::Verdict::{self, Continue, Stop};
pub use bindings::switchboard::plugin::types::{
    Broadcast, Buttons, Capability, Category, Choice, Content, Descriptor, Event, Instant,
    Location, Media, MediaSource, Message, Options, Other, Outgoing, OutgoingMedia, Parameter,
    Problem, Reaction, Receipt, Row, Scope, Section, Segment, Template, Timer,
};
pub use effects::*;
pub use host::{business, contact, event, kv, log};
pub use plugin::{Outcome, Plugin, configure, describe};
