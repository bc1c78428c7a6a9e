//! The WhatsApp business account: its numbers, its templates, and the app that
//! it sends messages to.

use super::{
    super::{
        ask::{Why, text},
        finding::Finding,
        templates,
    },
    Graph,
};
use serde_json::Value;

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

/// How many there are in each state, and by name those that can't be sent.
pub async fn templates(graph: &Graph<'_>, account: &str) -> Finding {
    let path = format!("{account}/message_templates?fields=name,language,status&limit=100");
    let all = match graph.list(&path, PAGES).await {
        Ok(all) => all,
        Err(why) => return unread("templates", account, &why),
    };
    let named = |one: &Value| {
        let of = |field| text(one, field).unwrap_or("?");
        format!("{} ({})", of("name"), of("language"))
    };
    templates::finding(all.iter().map(|one| (named(one), text(one, "status"))))
}
