//! Twilio's WhatsApp. Owns its wire form: signatures, webhooks, send requests,
//! limits and error codes. No I/O and no clock: its webhooks bear no times, so
//! what it returns has 0 in their place, which ingress fills in.

mod errors;
mod fields;
mod fit;
mod render;
mod sender;
mod signature;
mod templates;
mod webhook;

use super::{
    Answer, Auth, Body, Denied, ErrorClass, Malformed, MediaRequest, Method, OwnTemplate, Provider,
    Request, Taken, TemplatePage, TemplateTrouble, Webhook, places, split,
};
use crate::{
    config::{ChannelConfig, ContentConfig},
    model::{ChannelId, Happening, Media, OutboxItem, Outgoing, Template},
};
use std::{collections::BTreeMap, fmt};

/// Where Twilio keeps files; the credential goes to the first alone.
const FILES: [&str; 1] = [".twilio.com"];
/// Where it sends on to: its own network for files, and the storage behind it.
const REDIRECTED: [&str; 3] = [".twilio.com", ".twiliocdn.com", "s3-external-1.amazonaws.com"];

/// One business number, or one messaging service, at Twilio.
pub struct Twilio {
    channel: String,
    account_sid: String,
    auth_tokens: Vec<String>,
    /// Who sends: the key, or the account with its first token.
    sends_as: Auth,
    number: Option<String>,
    messaging_service_sid: Option<String>,
    public_url: String,
    hosts: Hosts,
    templates: BTreeMap<String, ContentConfig>,
}

/// Without its secrets.
impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").field("account_sid", &self.account_sid).finish()
    }
}

/// The interfaces, each on a host of its own.
struct Hosts {
    api: String,
    messaging: String,
    content: String,
}

impl Hosts {
    /// `https://api.twilio.com` has its neighbours by name, also in a region
    /// (`api.dublin.ie1.twilio.com`); anything else answers for all.
    fn beside(api: &str) -> Self {
        let beside = |name: &str| {
            let (scheme, rest) = api.split_once("://")?;
            let rest = rest.strip_prefix("api.").filter(|rest| rest.ends_with("twilio.com"))?;
            Some(format!("{scheme}://{name}.{rest}"))
        };
        let of = |name: &str| beside(name).unwrap_or_else(|| api.to_owned());
        Self { api: api.to_owned(), messaging: of("messaging"), content: of("content") }
    }
}

impl Twilio {
    /// Empty tokens never match anything, so that a setting left blank can't
    /// open the door.
    pub fn new(channel: &ChannelConfig) -> Self {
        let tokens = channel.auth_token.iter().map(|token| token.expose());
        let auth_tokens: Vec<String> =
            tokens.filter(|token| !token.is_empty()).map(str::to_owned).collect();
        let account_sid = channel.account_sid.clone().unwrap_or_default();
        let (user, password) = match (&channel.api_key, &channel.api_secret) {
            (Some(key), Some(secret)) => (key.clone(), secret.expose().to_owned()),
            _ => (account_sid.clone(), auth_tokens.first().cloned().unwrap_or_default()),
        };
        let public_url = channel.public_url.as_deref().unwrap_or_default();
        Self {
            channel: channel.id.clone(),
            account_sid,
            auth_tokens,
            sends_as: Auth::Basic { user, password },
            number: channel.number.clone(),
            messaging_service_sid: channel.messaging_service_sid.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            hosts: Hosts::beside(channel.api_base()),
            templates: channel.templates.clone(),
        }
    }

    /// What the settings have for a template: by name and language, else by name.
    fn own(&self, name: &str, language: &str) -> Option<&ContentConfig> {
        let exact = format!("{name}/{language}");
        self.templates.get(&exact).or_else(|| self.templates.get(name))
    }

    /// The Content sid of a template: as the settings have it, else as it was
    /// found in the account's list.
    fn content_sid<'a>(&'a self, template: &'a Template) -> Option<&'a str> {
        let own = self.own(&template.name, &template.language).map(ContentConfig::sid);
        own.or(template.id.as_deref())
    }
}

impl Provider for Twilio {
    /// Twilio tests no addresses.
    fn challenge(&self, _query: &str) -> Result<String, Denied> {
        Err(Denied::WrongToken)
    }

    fn verify(&self, webhook: Webhook<'_>) -> Result<(), Denied> {
        signature::verify(webhook, &self.public_url, &self.auth_tokens)
    }

    /// An answer in words would go to the contact, so it is empty.
    fn taken(&self) -> Taken {
        Taken { content_type: "text/xml", body: "<Response/>" }
    }

    fn parse(
        &self,
        webhook: Webhook<'_>,
        here: &ChannelId,
        channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    ) -> Result<Vec<Happening>, Malformed> {
        // A service has numbers that no channel names.
        let ours = |number: &str| {
            self.messaging_service_sid.is_some() || self.number.as_deref() == Some(number)
        };
        let channel_of =
            |number: &str| channel_of(number).or_else(|| ours(number).then(|| here.clone()));
        webhook::parse(webhook, here, &channel_of)
    }

    fn fit(&self, message: Outgoing) -> Result<Vec<Outgoing>, String> {
        fit::fit(message, |template| self.content_sid(template).is_some())
    }

    fn render(&self, item: &OutboxItem) -> Request {
        render::request(self, item)
    }

    fn classify(&self, status: u16, body: &[u8]) -> Answer {
        errors::classify(status, body)
    }

    /// A webhook names the address itself.
    fn media_request(&self, media: &Media) -> Result<MediaRequest, String> {
        let url = media.url.as_deref().ok_or("the message names no address for it")?;
        places::check(url, &self.hosts.api, &FILES)?;
        let (url, auth) = (url.to_owned(), self.sends_as.clone());
        Ok(MediaRequest::Get(Request { method: Method::Get, url, auth, body: Body::Empty }))
    }

    fn media_redirect(&self, location: &str) -> Result<Request, String> {
        places::check(location, &self.hosts.api, &REDIRECTED)?;
        let url = location.to_owned();
        Ok(Request { method: Method::Get, url, auth: Auth::None, body: Body::Empty })
    }

    fn own_template(&self, name: &str, language: &str) -> Option<OwnTemplate> {
        let own = self.own(name, language)?;
        Some(OwnTemplate { id: own.sid().to_owned(), category: own.category() })
    }

    fn template_account(&self) -> Option<&str> {
        Some(&*self.account_sid).filter(|sid| !sid.is_empty())
    }

    fn ask_templates(&self, after: Option<&str>) -> Option<Request> {
        Some(templates::ask(&self.hosts.content, self.sends_as.clone(), after))
    }

    fn read_templates(&self, status: u16, body: &[u8]) -> Result<TemplatePage, TemplateTrouble> {
        templates::read(status, body)
    }

    fn explain(&self, code: u32, text: &str) -> (ErrorClass, String) {
        errors::explain(code, text)
    }
}

#[cfg(test)]
mod tests;
