//! The token: whether it works, until when, and what it may; and the clock, by
//! the date of the same answer.

use super::{
    super::{
        ask::{As, Why, escaped},
        clock,
        finding::Finding,
    },
    Graph, day,
};
use crate::model::Millis;
use serde_json::Value;

pub enum Token {
    /// With the id of the app that it is of, if that is known.
    Works {
        app: Option<String>,
    },
    Useless,
    Unreachable,
}

const SCOPES: [(&str, &str); 2] = [
    ("whatsapp_business_messaging", "send messages"),
    ("whatsapp_business_management", "read templates and the account"),
];

const RENEW: &str = "make a token of a system user that never ends (Business settings, System users), \
                     and set `access_token`";
/// Days before its end in which a token's end is a fault.
const SOON_DAYS: u64 = 7;
const DAY_SECONDS: u64 = 24 * 3_600;
/// Meta's code for a token that is none, or none any more.
const NO_TOKEN: u64 = 190;

pub async fn examine(graph: &Graph<'_>, now: Millis) -> (Token, Vec<Finding>) {
    let url = format!("{}/debug_token?input_token={}", graph.base, escaped(graph.token));
    let answer = match graph.ask.get(&url, As::Bearer(graph.token)).await {
        Ok(answer) => answer,
        Err(why) => {
            let said = format!("{} gives no answer: {why}", graph.base);
            let todo = "can this machine reach the internet, and is `api_url` right?";
            return (Token::Unreachable, vec![Finding::bad("meta", said, todo)]);
        }
    };
    let mut findings: Vec<Finding> =
        answer.date.as_deref().and_then(|date| clock::examine(date, now)).into_iter().collect();
    let token = match answer.json(graph.token) {
        Ok(json) => told(json.get("data").unwrap_or(&json), now, &mut findings),
        Err(Why::Refused { code: Some(NO_TOKEN), words, .. }) => useless(&words, &mut findings),
        // Not every token may be asked about itself.
        Err(_) => tried(graph, &mut findings).await,
    };
    (token, findings)
}

fn useless(words: &str, findings: &mut Vec<Finding>) -> Token {
    findings.push(Finding::bad("token", format!("Meta does not take it: {words}"), RENEW));
    Token::Useless
}

/// Only whether it works.
async fn tried(graph: &Graph<'_>, findings: &mut Vec<Finding>) -> Token {
    match graph.get("me?fields=id").await {
        Ok(_) => {
            findings.push(Finding::good("token", "it works; when it ends, Meta does not say"));
            findings.push(Finding::unknown("rights", "Meta does not say what the token may"));
            Token::Works { app: None }
        }
        Err(Why::Refused { code: Some(NO_TOKEN), words, .. }) => useless(&words, findings),
        Err(why) => {
            findings.push(Finding::unknown("token", format!("Meta says nothing of it: {why}")));
            Token::Works { app: None }
        }
    }
}

fn told(token: &Value, now: Millis, findings: &mut Vec<Finding>) -> Token {
    if token.get("is_valid") == Some(&Value::Bool(false)) {
        let why = token.pointer("/error/message").and_then(Value::as_str);
        return useless(why.unwrap_or("it ended or was taken back"), findings);
    }
    findings.push(end(token.get("expires_at").and_then(Value::as_u64), now));
    findings.extend(rights(token));
    let app = token.get("app_id").map(|id| match id.as_str() {
        Some(text) => text.to_owned(),
        None => id.to_string(),
    });
    Token::Works { app }
}

fn end(expires: Option<u64>, now: Millis) -> Finding {
    let now = now / 1_000;
    match expires {
        None => Finding::good("token", "it works"),
        Some(0) => Finding::good("token", "it works and never ends"),
        Some(end) if end <= now => {
            Finding::bad("token", format!("it ended on {}", day(end)), RENEW)
        }
        Some(end) if end - now < SOON_DAYS * DAY_SECONDS => {
            let hours = (end - now) / 3_600;
            Finding::bad("token", format!("it ends in {hours} hours, on {}", day(end)), RENEW)
        }
        Some(end) => Finding::good("token", format!("it works until {}", day(end))),
    }
}

fn rights(token: &Value) -> Vec<Finding> {
    let Some(scopes) = token.get("scopes").and_then(Value::as_array) else {
        return vec![Finding::unknown("rights", "Meta does not say what the token may")];
    };
    let lacks = |scope: &str| !scopes.iter().any(|one| one.as_str() == Some(scope));
    let missing: Vec<Finding> = SCOPES
        .iter()
        .filter(|(scope, _)| lacks(scope))
        .map(|(scope, what)| {
            let said = format!("the token may not {what}: `{scope}` is missing");
            Finding::bad("rights", said, format!("make a token with `{scope}`"))
        })
        .collect();
    match missing.is_empty() {
        true => vec![Finding::good("rights", "it may send messages and read the account")],
        false => missing,
    }
}
