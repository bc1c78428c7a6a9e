//! Plugins: sandboxed components that judge events.
//!
//! Owns: loading, limits, the imports a component gets, its instances. Must
//! not: send, write, or know of chains; a component's requests go into the
//! turn's [`Draft`](crate::turn::Draft) and nowhere else. The only module
//! that names wasmtime.

mod bindings;
mod bundled;
mod compiled;
mod convert;
mod describe;
mod engine;
mod fetch;
mod host;
mod imports;
mod instance;
mod load;
mod output;
mod quarantine;
mod step;
mod world;
mod zones;

pub use describe::{Descriptor, Want};
pub use engine::MEMORY_MB_MAX;
pub use fetch::{FetchError, Fetched, Origin, fetch};
pub use load::{LoadError, Loads, Plugin, Plugins, Source};
pub use step::{ConfigureError, PluginStep, RuleProblem};
