//! Meta's WhatsApp Cloud API. Owns its wire form: signatures, webhooks, send
//! requests, limits and error codes. No I/O and no clock; what it returns is in
//! our own words.

mod errors;
mod fit;
mod render;
pub(super) mod sender;
mod signature;
mod webhook;

use super::{
    Answer, Auth, Body, Denied, ErrorClass, Malformed, Method, Provider, Request, Taken, Webhook,
    split,
};
use crate::{
    config::ChannelConfig,
    model::{ChannelId, Happening, OutboxItem, Outgoing},
};
use std::fmt;

/// One business number at Meta.
pub struct Meta {
    phone_number_id: String,
    api_url: String,
    access_token: String,
    app_secrets: Vec<String>,
    verify_token: String,
}

/// Without its secrets.
impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("phone_number_id", &self.phone_number_id).finish()
    }
}

impl Meta {
    /// Empty secrets and tokens never match anything, so that a setting left
    /// blank can't open the door.
    pub fn new(channel: &ChannelConfig) -> Self {
        let secrets = channel.app_secret.iter().map(|secret| secret.expose());
        let secrets = secrets.filter(|secret| !secret.is_empty());
        Self {
            phone_number_id: channel.phone_number_id.clone(),
            api_url: channel.api_url.trim_end_matches('/').to_owned(),
            access_token: channel.access_token.expose().to_owned(),
            app_secrets: secrets.map(str::to_owned).collect(),
            verify_token: channel.verify_token.expose().to_owned(),
        }
    }
}

impl Provider for Meta {
    fn challenge(&self, query: &str) -> Result<String, Denied> {
        signature::challenge(query, &self.verify_token)
    }

    fn verify(&self, webhook: Webhook<'_>) -> Result<(), Denied> {
        let header = webhook.headers.get(signature::HEADER).ok_or(Denied::NoSignature)?;
        signature::verify(header, webhook.body, &self.app_secrets)
    }

    fn taken(&self) -> Taken {
        Taken { content_type: "text/plain", body: "" }
    }

    fn parse(
        &self,
        webhook: Webhook<'_>,
        here: &ChannelId,
        channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    ) -> Result<Vec<Happening>, Malformed> {
        webhook::parse(webhook.body, here, channel_of)
    }

    fn fit(&self, message: Outgoing) -> Result<Vec<Outgoing>, String> {
        fit::fit(message)
    }

    fn render(&self, item: &OutboxItem) -> Request {
        Request {
            method: Method::Post,
            url: format!("{}/{}/messages", self.api_url, self.phone_number_id),
            auth: Auth::Bearer(self.access_token.clone()),
            body: Body::Json(render::body(item)),
        }
    }

    fn classify(&self, status: u16, body: &[u8]) -> Answer {
        errors::classify(status, body)
    }

    fn explain(&self, code: u32, text: &str) -> (ErrorClass, String) {
        errors::explain(code, text)
    }
}
