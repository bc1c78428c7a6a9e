//! Meta's WhatsApp Cloud API. Owns its wire form: signatures, webhooks, send
//! requests, limits and error codes. No I/O and no clock; what it returns is in
//! our own words.

mod errors;
mod fit;
mod media;
mod render;
pub(super) mod sender;
mod signature;
mod templates;
mod webhook;

use super::{
    Answer, Auth, Body, Denied, ErrorClass, Malformed, MediaPlace, MediaRequest, Method, Provider,
    Request, Taken, TemplatePage, TemplateTrouble, Upload, Webhook, split,
};
use crate::{
    config::ChannelConfig,
    model::{ChannelId, Happening, Media, MediaKind, OutboxItem, Outgoing},
};
use std::fmt;

/// One business number at Meta.
pub struct Meta {
    phone_number_id: String,
    business_account_id: Option<String>,
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
            business_account_id: channel.business_account_id.clone().filter(|id| !id.is_empty()),
            api_url: channel.api_url.trim_end_matches('/').to_owned(),
            access_token: channel.access_token.expose().to_owned(),
            app_secrets: secrets.map(str::to_owned).collect(),
            verify_token: channel.verify_token.expose().to_owned(),
        }
    }
}

impl Meta {
    fn url(&self, endpoint: &str) -> String {
        format!("{}/{}/{endpoint}", self.api_url, self.phone_number_id)
    }

    fn get(&self, url: String, auth: Auth) -> Request {
        Request { method: Method::Get, url, auth, body: Body::Empty }
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
            url: self.url(render::endpoint(&item.message)),
            auth: Auth::Bearer(self.access_token.clone()),
            body: Body::Json(render::body(item)),
        }
    }

    fn upload(&self, _: MediaKind, mime: &str) -> Option<Upload> {
        let fields = vec![("messaging_product", "whatsapp".into()), ("type", mime.into())];
        let auth = Auth::Bearer(self.access_token.clone());
        Some(Upload { url: self.url("media"), auth, fields, file: "file" })
    }

    fn uploaded(&self, status: u16, body: &[u8]) -> Answer {
        errors::uploaded(status, body)
    }

    fn blames_upload(&self, code: u32) -> bool {
        errors::blames_upload(code)
    }

    fn classify(&self, status: u16, body: &[u8]) -> Answer {
        errors::classify(status, body)
    }

    fn media_request(&self, media: &Media) -> Result<MediaRequest, String> {
        let url = media::address(&self.api_url, &media.id, &self.phone_number_id)?;
        Ok(MediaRequest::Ask(self.get(url, Auth::Bearer(self.access_token.clone()))))
    }

    fn media_place(&self, body: &[u8]) -> Result<MediaPlace, String> {
        let said = media::read(body)?;
        media::check(&said.url, &self.api_url)?;
        let request = self.get(said.url, Auth::Bearer(self.access_token.clone()));
        let (bytes, sha256) = (said.bytes, said.sha256);
        Ok(MediaPlace { request, bytes, sha256, mime_type: said.mime_type })
    }

    fn media_redirect(&self, location: &str) -> Result<Request, String> {
        media::check(location, &self.api_url)?;
        Ok(self.get(location.to_owned(), Auth::None))
    }

    fn explain(&self, code: u32, text: &str) -> (ErrorClass, String) {
        errors::explain(code, text)
    }

    fn template_account(&self) -> Option<&str> {
        self.business_account_id.as_deref()
    }

    fn ask_templates(&self, after: Option<&str>) -> Option<Request> {
        let account = self.business_account_id.as_deref()?;
        Some(templates::ask(&self.api_url, &self.access_token, account, after))
    }

    fn read_templates(&self, status: u16, body: &[u8]) -> Result<TemplatePage, TemplateTrouble> {
        templates::read(status, body)
    }
}
