//! A business folder as typed values. Every limit is named here, with its
//! unit. The only place that reads the environment.

mod business;
mod chain;

pub use business::{
    Business, ChannelConfig, Http, ProviderKind, Retention, StoreBackend, StoreConfig, Turns,
};
pub use chain::{ChainConfig, Grants, Isolation, Limits, OnError, StepConfig};
