//! The WhatsApp business account: its numbers, its templates, and the app that
//! it sends messages to.

use super::{
    super::{
        ask::{Why, text},
        finding::Finding,
    },
    Graph,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pages of 100 that are read of a list.
const PAGES: usize = 20;

const MANAGE: &str = "does the token's user have the account as an asset, and the token \
                      `whatsapp_business_management`?";

/// Whether the number is one of the account's.
pub async fn number(graph: &Graph<'_>, account: &str, number: &str) -> Finding {
    let list = graph.list(&format!("{account}/phone_numbers?fields=id&limit=100"), PAGES).await;
    match list {
        Ok(all) if all.iter().any(|one| id(one) == Some(number)) => {
            Finding::good("account", format!("{account} has the number"))
        }
        Ok(all) => Finding::bad(
            "account",
            format!("{account} has {} numbers, and {number} is none of them", all.len()),
            "are `business_account_id` and `phone_number_id` of the same account?",
        ),
        Err(why) => unread("account", account, &why),
    }
}

fn id(one: &Value) -> Option<&str> {
    one.get("id").and_then(Value::as_str)
}

fn unread(check: &'static str, account: &str, why: &Why) -> Finding {
    Finding::bad(check, format!("of {account}, this can't be read: {why}"), MANAGE)
}

/// Whether the account's messages go to the token's app: without that only
/// Meta's test button reaches us.
pub async fn subscription(
    graph: &Graph<'_>,
    account: &str,
    app: Option<&str>,
    fix: bool,
) -> Finding {
    const CHECK: &str = "subscription";
    match subscribed(graph, account, app).await {
        Ok(true) => return told(app),
        Err(why) => return unread(CHECK, account, &why),
        Ok(false) => {}
    }
    let said = format!("the account {account} sends no message to the app: none arrives");
    if !fix {
        let todo = "run `switchboard doctor --fix`, or POST to the account's `subscribed_apps`";
        return Finding::bad(CHECK, said, todo);
    }
    let mended = graph.post(&format!("{account}/subscribed_apps")).await;
    match mended {
        Ok(_) => match subscribed(graph, account, app).await {
            Ok(true) => {
                Finding::good(CHECK, format!("mended: {account} sends messages to the app"))
            }
            _ => Finding::bad(CHECK, said, "Meta took the wish, and nothing changed: try again"),
        },
        Err(why) => Finding::bad(CHECK, format!("{said}; it can't be mended: {why}"), MANAGE),
    }
}

fn told(app: Option<&str>) -> Finding {
    match app {
        Some(app) => Finding::good("subscription", format!("messages go to the app {app}")),
        None => {
            Finding::good("subscription", "messages go to an app; whether to this, is not said")
        }
    }
}

/// Of which app the token is may not be known: then any counts.
async fn subscribed(graph: &Graph<'_>, account: &str, app: Option<&str>) -> Result<bool, Why> {
    let list = graph.list(&format!("{account}/subscribed_apps?limit=100"), PAGES).await?;
    let of = |one: &Value| {
        one.get("whatsapp_business_api_data").and_then(id).or_else(|| id(one)).map(str::to_owned)
    };
    let apps: Vec<String> = list.iter().filter_map(of).collect();
    Ok(match app {
        Some(app) => apps.iter().any(|one| one == app),
        None => !apps.is_empty(),
    })
}

/// Names told of one state.
const NAMED: usize = 5;

/// How many there are in each state, and by name those that can't be sent.
pub async fn templates(graph: &Graph<'_>, account: &str) -> Finding {
    const CHECK: &str = "templates";
    let path = format!("{account}/message_templates?fields=name,language,status&limit=100");
    let all = match graph.list(&path, PAGES).await {
        Ok(all) => all,
        Err(why) => return unread(CHECK, account, &why),
    };
    let mut states: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for one in &all {
        states.entry(text(one, "status").unwrap_or("OF_NO_STATE")).or_default().push(one);
    }
    if states.is_empty() {
        return Finding::good(CHECK, "none: outside the 24-hour window nothing can be sent");
    }
    let told: Vec<String> = states.iter().map(|(state, all)| in_words(state, all)).collect();
    let (said, of) = (told.join(", "), |state| states.contains_key(state));
    let todo: Vec<&str> =
        UNFIT.iter().filter(|(state, _)| of(*state)).map(|(_, todo)| *todo).collect();
    match (todo.is_empty(), of("PAUSED") || of("DISABLED")) {
        (true, _) => Finding::good(CHECK, said),
        // They were sent before Meta took them away.
        (false, true) => Finding::bad(CHECK, said, todo.join("; ")),
        // Never approved: whether anything needs it, only the owner knows.
        (false, false) => Finding::unknown(CHECK, said).todo(todo.join("; ")),
    }
}

/// The states in which nothing can be sent, and what to do then.
const UNFIT: [(&str, &str); 3] = [
    (
        "PAUSED",
        "what needs a paused one waits: Meta lets it go on by itself, but edit it or write \
                to fewer people, as the third pause is for good",
    ),
    ("DISABLED", "what needs a disabled one fails: make another, and name it in the rules"),
    (
        "REJECTED",
        "a rejected one can't be sent: see why in the WhatsApp Manager, then edit or \
                  delete it",
    ),
];

/// `1 paused: spring_sale (en)`; names only where something is to be done.
fn in_words(state: &str, all: &[&Value]) -> String {
    let words = format!("{} {}", all.len(), state.to_lowercase().replace('_', " "));
    if !UNFIT.iter().any(|(unfit, _)| *unfit == state) {
        return words;
    }
    let name = |one: &&Value| {
        let of = |field| text(one, field).unwrap_or("?");
        format!("{} ({})", of("name"), of("language"))
    };
    let names: Vec<String> = all.iter().take(NAMED).map(name).collect();
    let more = if all.len() > NAMED { ", …" } else { "" };
    format!("{words}: {}{more}", names.join(", "))
}
