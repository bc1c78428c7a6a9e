//! A channel at Meta: the token, the number, the account, the subscription,
//! the templates, the version and the clocks.

mod account;
mod number;
mod token;

use super::{
    ask::{As, Ask, Why},
    finding::Finding,
    versions,
};
use crate::{
    config::ChannelConfig,
    model::{Millis, moment},
};
use serde_json::Value;
use token::Token;

/// The Graph API with the channel's token.
struct Graph<'a> {
    ask: &'a Ask,
    base: &'a str,
    token: &'a str,
}

impl Graph<'_> {
    async fn get(&self, path: &str) -> Result<Value, Why> {
        let url = format!("{}/{path}", self.base);
        let answer = self.ask.get(&url, As::Bearer(self.token)).await.map_err(Why::Unreachable)?;
        answer.json(self.token)
    }

    async fn post(&self, path: &str) -> Result<Value, Why> {
        let url = format!("{}/{path}", self.base);
        let answer = self.ask.post(&url, As::Bearer(self.token)).await.map_err(Why::Unreachable)?;
        answer.json(self.token)
    }

    /// All pages of a list, up to `pages`.
    async fn list(&self, path: &str, pages: usize) -> Result<Vec<Value>, Why> {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..pages {
            let page = self.get(&format!("{path}{after}")).await?;
            all.extend(page.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
            let next = page.pointer("/paging/next").is_some();
            let cursor = page.pointer("/paging/cursors/after").and_then(Value::as_str);
            match cursor.filter(|_| next) {
                Some(cursor) => after = format!("&after={}", super::ask::escaped(cursor)),
                None => break,
            }
        }
        Ok(all)
    }
}

pub async fn examine(ask: &Ask, channel: &ChannelConfig, fix: bool, now: Millis) -> Vec<Finding> {
    let (base, token) = (channel.api_base(), channel.access_token.expose());
    let graph = Graph { ask, base, token };
    let mut findings = vec![versions::examine(base, now)];
    let (token, about) = token::examine(&graph, now).await;
    findings.extend(about);
    let app = match token {
        Token::Works { app } => app,
        // Each further question would have the same answer.
        Token::Useless => {
            let unasked = ["number", "account", "subscription", "templates"];
            let why = "not asked: the token does not work";
            findings.extend(unasked.map(|check| Finding::unknown(check, why)));
            return findings;
        }
        Token::Unreachable => return findings,
    };
    findings.extend(number::examine(&graph, channel).await);
    match &channel.business_account_id {
        Some(account) => {
            findings.push(account::number(&graph, account, &channel.phone_number_id).await);
            findings.push(account::subscription(&graph, account, app.as_deref(), fix).await);
            findings.push(account::templates(&graph, account).await);
        }
        None => findings.push(
            Finding::unknown("account", "the account's id is not said")
                .todo("set the channel's `business_account_id`: webhooks and templates go by it"),
        ),
    }
    findings
}

/// `2027-01-21`, of a time in seconds.
fn day(seconds: u64) -> String {
    let at = moment(seconds.saturating_mul(1_000));
    at.map_or_else(|| "a day that can't be read".into(), |at| at.strftime("%Y-%m-%d").to_string())
}
