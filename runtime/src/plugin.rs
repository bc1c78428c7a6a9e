//! Plugins: sandboxed components that judge events.
//!
//! Owns: fetching and loading them, their code (compiled, then compiled
//! better, and snapshots with the rules inside), limits, the imports a
//! component gets, its instances, HTTP to granted hosts, and how a new version
//! takes over from the old one. Must not: send messages, write, or know of
//! chains; a component's requests go into the turn's
//! [`Draft`](crate::turn::Draft) and nowhere else, but for the HTTP requests
//! that its owner has granted. The only module that names wasmtime.

mod allowance;
mod bindings;
mod bundled;
mod code;
mod compile;
mod compiled;
mod convert;
mod describe;
mod engine;
mod fetch;
mod host;
mod http;
mod imports;
mod instance;
mod isolation;
mod load;
mod message;
mod output;
mod quarantine;
mod rollout;
mod schema;
mod sections;
mod snapshot;
mod step;
mod vitals;
mod wants;
mod world;
mod zones;

pub use code::CodeReport;
pub use describe::{Descriptor, Want};
pub use fetch::{FetchError, Fetched, Origin, fetch};
pub use http::check_grants;
pub use isolation::Isolated;
pub use load::{LoadError, Loads, Plugin, Plugins, Source};
pub use message::{ButtonForm, MessageForm};
pub use quarantine::{Condition, ConditionState};
pub use rollout::{Rollout, Version};
pub use sections::{Anatomy, CASES as CASES_SECTION, Import, Producer, Sizes, anatomy};
pub use step::{ConfigureError, PluginStep, RuleProblem};
pub use vitals::Vitals;
pub use wants::{Comparison, grants_line};
