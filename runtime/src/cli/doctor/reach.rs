//! Whether the world reaches the webhook: by asking as the provider would.

use super::{
    ask::{As, Ask, escaped},
    finding::Finding,
};
use crate::config::{ChannelConfig, ProviderKind};

const CHECK: &str = "webhook";
/// Given back by a webhook that knows the verify token.
const CHALLENGE: &str = "switchboard-doctor";

pub async fn examine(ask: &Ask, channel: &ChannelConfig) -> Finding {
    let Some(public) = &channel.public_url else {
        return Finding::unknown(CHECK, "where the world reaches it is not said")
            .todo("set the channel's `public_url`, and this can be tried");
    };
    let url = webhook(public, channel);
    match channel.provider {
        ProviderKind::Meta => of_meta(ask, channel, &url).await,
        ProviderKind::Twilio => of_twilio(ask, &url).await,
    }
}

/// The channel's address in the world.
pub fn webhook(public: &str, channel: &ChannelConfig) -> String {
    format!("{}/webhooks/{}", public.trim_end_matches('/'), channel.id)
}

/// Meta's own test of an address.
async fn of_meta(ask: &Ask, channel: &ChannelConfig, url: &str) -> Finding {
    let token = escaped(channel.verify_token.expose());
    let asked =
        format!("{url}?hub.mode=subscribe&hub.challenge={CHALLENGE}&hub.verify_token={token}");
    match ask.get(&asked, As::Nobody).await {
        Ok(answer) if answer.status == 200 && answer.text.trim() == CHALLENGE => {
            Finding::good(CHECK, format!("{url} answers"))
        }
        Ok(answer) if [401, 403].contains(&answer.status) => Finding::bad(
            CHECK,
            format!("{url} does not take the verify token ({})", answer.status),
            "is another server running there, or with another `verify_token`?",
        ),
        Ok(answer) => wrong(url, answer.status),
        Err(why) => unreachable(url, &why),
    }
}

/// Twilio tests nothing; a request without a signature is turned away.
async fn of_twilio(ask: &Ask, url: &str) -> Finding {
    match ask.post(url, As::Nobody).await {
        Ok(answer) if [401, 403].contains(&answer.status) => {
            Finding::good(CHECK, format!("{url} answers, and asks for a signature"))
        }
        Ok(answer) => wrong(url, answer.status),
        Err(why) => unreachable(url, &why),
    }
}

fn wrong(url: &str, status: u16) -> Finding {
    Finding::bad(
        CHECK,
        format!("{url} answers with {status}, and not as switchboard does"),
        "have `public_url` lead to the address `http.public` of `switchboard serve`",
    )
}

fn unreachable(url: &str, why: &str) -> Finding {
    Finding::bad(
        CHECK,
        format!("{url} gives no answer: {why}"),
        "is `switchboard serve` running, and does `public_url` lead there, with a valid certificate?",
    )
}
