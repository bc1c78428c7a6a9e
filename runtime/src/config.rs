//! A business folder as typed values. Every limit is named here, with its
//! unit. The only place that reads the environment.
//!
//! The way of a file: `document` reads it and remembers the line of every key;
//! `overrides` and `values` put in what comes from the environment; `schema`
//! finds everything that has the wrong form; `checks` what a form cannot say;
//! `folder` does all this for a whole business and gathers the problems.

mod business;
mod chain;
mod checks;
mod document;
mod env;
mod folder;
mod json_lines;
mod overrides;
mod problem;
mod schema;
mod secret;
mod values;
mod words;

pub use business::{
    Business, ChannelConfig, Http, ProviderKind, Retention, StoreBackend, StoreConfig, Turns,
};
pub use chain::{BUNDLED, ChainConfig, Grants, Isolation, Limits, OnError, StepConfig};
pub use document::Document;
pub use env::Env;
pub use folder::{BUSINESS_FILE, ChainFile, Folder, Found, load_business};
pub use problem::{Problem, list};
pub use schema::Schema;
pub use secret::Secret;
