//! Twilio's wire: the interface that a bot calls, and webhooks as Twilio writes
//! and signs them. It reads and writes bytes; what they do to the world is the
//! world's.

mod account;
mod check;
mod codes;
mod contents;
mod media;
mod messages;
pub mod webhook;

use super::Shared;
use axum::{
    Router,
    http::Uri,
    response::Response,
    routing::{get, post},
};
use codes::Refusal;

pub use codes::is_known;

/// The account that the bot sends with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// Signs the webhooks, and is the password of the interface.
    pub auth_token: String,
    /// `MG…`: what a bot may name in the number's place.
    pub messaging_service_sid: Option<String>,
}

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(messages::send))
        .route("/2010-04-01/Accounts/{account}/Messages/{message}/Media/{id}", get(media::download))
        .route("/2010-04-01/Accounts/{account}", get(account::account))
        .route("/v2/Channels/Senders", get(account::senders))
        .route("/v1/Services/{service}", get(account::service))
        .route("/v3/Indicators/Typing.json", post(messages::typing))
        .route("/v1/ContentAndApprovals", get(contents::list))
        .fallback(unknown_path)
}

async fn unknown_path(uri: Uri) -> Response {
    let why = format!("The requested resource {} was not found", uri.path());
    Refusal::new(20_404, why).into_answer()
}

/// A sid in Twilio's form.
pub fn sid(prefix: &str, salt: u32, number: u64) -> String {
    format!("{prefix}{salt:08x}{number:024x}")
}
