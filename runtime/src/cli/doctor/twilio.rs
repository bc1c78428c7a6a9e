//! A channel at Twilio: the account, the number and where its messages go.

use super::{
    ask::{As, Ask, Why, escaped, text},
    clock,
    finding::Finding,
    reach,
};
use crate::{config::ChannelConfig, model::Millis};
use serde_json::Value;

const TOKEN: &str = "take `account_sid` and `auth_token` from the first page of Twilio's console";
const CONSOLE: &str = "set it in Twilio's console: Messaging, Senders, WhatsApp senders";
/// Shared by all accounts, and set in the console alone.
const SANDBOX: &str = "+14155238886";

/// Twilio's interfaces with the channel's credentials. Keys may not read the
/// account, so the token goes first.
struct Api<'a> {
    ask: &'a Ask,
    user: &'a str,
    password: &'a str,
}

impl Api<'_> {
    async fn get(&self, url: &str) -> Result<(Value, Option<String>), Why> {
        let who = As::Basic { user: self.user, password: self.password };
        let answer = self.ask.get(url, who).await.map_err(Why::Unreachable)?;
        Ok((answer.json(self.password)?, answer.date))
    }
}

pub async fn examine(ask: &Ask, channel: &ChannelConfig, now: Millis) -> Vec<Finding> {
    let account = channel.account_sid.as_deref().unwrap_or_default();
    let api = match (channel.auth_token.first(), &channel.api_key, &channel.api_secret) {
        (Some(token), _, _) => Api { ask, user: account, password: token.expose() },
        (None, Some(key), Some(secret)) => Api { ask, user: key, password: secret.expose() },
        _ => return vec![Finding::bad("account", "there is no `auth_token`", TOKEN)],
    };
    let url = format!("{}/2010-04-01/Accounts/{account}.json", channel.api_base());
    let mut findings = Vec::new();
    match api.get(&url).await {
        Ok((found, date)) => {
            findings.extend(date.and_then(|date| clock::examine(&date, now)));
            findings.push(status(&found));
        }
        Err(why) => {
            findings.push(Finding::bad("account", format!("it can't be read: {why}"), TOKEN));
            findings.push(Finding::unknown("number", "not asked: the account can't be read"));
            return findings;
        }
    }
    findings.push(match (&channel.number, &channel.messaging_service_sid) {
        (_, Some(service)) => service_address(&api, channel, service).await,
        (Some(number), None) => number_address(&api, channel, number).await,
        (None, None) => Finding::bad("number", "there is none", "set the channel's `number`"),
    });
    findings.push(templates(&api, channel).await);
    findings
}

/// How many Contents there are in each state.
async fn templates(api: &Api<'_>, channel: &ChannelConfig) -> Finding {
    /// Of 500 each: more than WhatsApp lets an account have.
    const PAGES: usize = 20;
    let base = beside(channel.api_base(), "content");
    let (mut states, mut query) = (Vec::new(), "PageSize=500".to_owned());
    for _ in 0..PAGES {
        let page = match api.get(&format!("{base}/v1/ContentAndApprovals?{query}")).await {
            Ok((page, _)) => page,
            Err(why) => {
                return Finding::bad("templates", format!("they can't be read: {why}"), TOKEN);
            }
        };
        let list = page.get("contents").and_then(Value::as_array).into_iter().flatten();
        states.extend(list.map(|one| {
            let state = one.pointer("/approval_requests/status").and_then(Value::as_str);
            let of = |field| text(one, field).unwrap_or("?");
            let name = format!("{} ({})", of("friendly_name"), of("language"));
            (name, state.unwrap_or("unsubmitted").to_owned())
        }));
        let next = page.pointer("/meta/next_page_url").and_then(Value::as_str);
        match next.and_then(|url| url.split_once('?')) {
            Some((_, next)) => query = next.to_owned(),
            None => break,
        }
    }
    super::templates::finding(states.iter().map(|(name, state)| (name.clone(), Some(&**state))))
}

fn status(account: &Value) -> Finding {
    let name = text(account, "friendly_name").unwrap_or("without a name");
    match text(account, "status") {
        Some("active") => Finding::good("account", format!("{name}: active")),
        status => Finding::bad(
            "account",
            format!("{name}: {}", status.unwrap_or("of no state")),
            "see what Twilio says of it in its console",
        ),
    }
}

/// A service has one address for all its numbers.
async fn service_address(api: &Api<'_>, channel: &ChannelConfig, service: &str) -> Finding {
    let base = beside(channel.api_base(), "messaging");
    match api.get(&format!("{base}/v1/Services/{}", escaped(service))).await {
        Ok((found, _)) => {
            if found.get("use_inbound_webhook_on_number") == Some(&Value::Bool(true)) {
                return Finding::unknown("number", "the service leaves it to each number");
            }
            address(text(&found, "inbound_request_url"), channel)
        }
        Err(why) => Finding::bad(
            "number",
            format!("the service can't be read: {why}"),
            "is `messaging_service_sid` one of this account?",
        ),
    }
}

async fn number_address(api: &Api<'_>, channel: &ChannelConfig, number: &str) -> Finding {
    if number == SANDBOX {
        return Finding::unknown("number", "the sandbox tells nobody where it sends messages")
            .todo("set the address in Twilio's console: Messaging, Try it out, Sandbox settings");
    }
    let base = beside(channel.api_base(), "messaging");
    let senders =
        api.get(&format!("{base}/v2/Channels/Senders?Channel=whatsapp&PageSize=1000")).await;
    let senders = match senders {
        Ok((found, _)) => found,
        // A young interface, that not every account has.
        Err(why) => {
            return Finding::unknown("number", format!("senders can't be read: {why}"))
                .todo(CONSOLE);
        }
    };
    let all = senders.get("senders").and_then(Value::as_array);
    let id = format!("whatsapp:{number}");
    let sender = all.into_iter().flatten().find(|one| text(one, "sender_id") == Some(&id));
    let Some(sender) = sender else {
        let todo = "is `number` a WhatsApp sender of this account?";
        return Finding::bad("number", format!("{number} is none of the account's senders"), todo);
    };
    match text(sender, "status") {
        Some("ONLINE") | None => {
            address(sender.get("webhook").and_then(|hook| text(hook, "callback_url")), channel)
        }
        Some(status) => Finding::bad(
            "number",
            format!("{number} is {}", status.to_lowercase().replace([':', '_'], " ")),
            CONSOLE,
        ),
    }
}

fn address(theirs: Option<&str>, channel: &ChannelConfig) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::bad("number", "Twilio sends its messages nowhere", CONSOLE);
    };
    // Behind the `#` Twilio takes time limits.
    let bare = theirs.split('#').next().unwrap_or(theirs).trim_end_matches('/');
    match channel.public_url.as_deref().map(|public| reach::webhook(public, channel)) {
        Some(ours) if bare == ours => {
            Finding::good("number", format!("Twilio sends messages to {ours}"))
        }
        Some(ours) => Finding::bad(
            "number",
            format!("Twilio sends messages to {theirs}, and not to {ours}"),
            CONSOLE,
        ),
        None => Finding::unknown("number", format!("Twilio sends messages to {theirs}")),
    }
}

/// `https://api.twilio.com` → `https://messaging.twilio.com`, also in a region;
/// anything else answers for all.
fn beside(api: &str, name: &str) -> String {
    match api.split_once("://api.") {
        Some((scheme, rest)) if rest.ends_with("twilio.com") => format!("{scheme}://{name}.{rest}"),
        _ => api.to_owned(),
    }
}
