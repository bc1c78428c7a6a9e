//! The number itself, as Meta sees it.

use super::{
    super::{
        ask::{Why, text},
        finding::Finding,
        reach,
    },
    Graph,
};
use crate::config::ChannelConfig;
use serde_json::Value;

const FIELDS: &str = "display_phone_number,verified_name,quality_rating,throughput,\
    code_verification_status,name_status,webhook_configuration,\
    whatsapp_business_manager_messaging_limit";
/// What every version knows.
const FEWER_FIELDS: &str = "display_phone_number,verified_name,quality_rating";
/// Meta's code for a parameter that it does not know.
const BAD_PARAMETER: u64 = 100;
/// A number's throughput before Meta raises it.
const STANDARD: u32 = 80;

pub async fn examine(graph: &Graph<'_>, channel: &ChannelConfig) -> Vec<Finding> {
    let id = &channel.phone_number_id;
    let mut read = graph.get(&format!("{id}?fields={FIELDS}")).await;
    if matches!(read, Err(Why::Refused { code: Some(BAD_PARAMETER), .. })) {
        read = graph.get(&format!("{id}?fields={FEWER_FIELDS}")).await;
    }
    let number = match read {
        Ok(number) => number,
        Err(why) => {
            let said = format!("`phone_number_id` {id} can't be read: {why}");
            let todo = "take the id (not the number itself) from WhatsApp, API setup, in the app; the \
                        token's user needs the account as an asset";
            return vec![Finding::bad("number", said, todo)];
        }
    };
    let mut findings = vec![who(&number)];
    findings.extend(quality(&number));
    findings.extend(name(&number));
    findings.extend(verification(&number));
    findings.extend(throughput(&number, channel.messages_per_second));
    findings.extend(limit(&number));
    findings.extend(address(&number, channel));
    findings
}

fn who(number: &Value) -> Finding {
    let shown = text(number, "display_phone_number").unwrap_or("a number that is not shown");
    let name = text(number, "verified_name").unwrap_or("without a name");
    Finding::good("number", format!("{shown}, {name}"))
}

fn quality(number: &Value) -> Option<Finding> {
    Some(match text(number, "quality_rating")? {
        "RED" => Finding::bad(
            "quality",
            "low: contacts block or report the number",
            "write to fewer people, and to those alone who asked for it",
        ),
        "YELLOW" => Finding::good("quality", "medium: some contacts block or report the number"),
        "GREEN" => Finding::good("quality", "high"),
        other => Finding::unknown("quality", other.to_lowercase()),
    })
}

fn name(number: &Value) -> Option<Finding> {
    Some(match text(number, "name_status")? {
        "APPROVED" | "AVAILABLE_WITHOUT_REVIEW" => Finding::good("name", "approved"),
        status @ ("DECLINED" | "EXPIRED") => Finding::bad(
            "name",
            format!("the display name is {}", status.to_lowercase()),
            "choose another in the WhatsApp Manager: without one, sending may be refused (131037)",
        ),
        other => Finding::unknown("name", format!("the display name: {}", plain(other))),
    })
}

/// A code that has expired was for the registration alone.
fn verification(number: &Value) -> Option<Finding> {
    Some(match text(number, "code_verification_status")? {
        "NOT_VERIFIED" => Finding::bad(
            "verification",
            "the number is not verified",
            "verify it by SMS or call in the WhatsApp Manager, then register it",
        ),
        _ => return None,
    })
}

fn throughput(number: &Value, wanted: u32) -> Option<Finding> {
    let level = number.get("throughput").and_then(|all| text(all, "level"))?;
    Some(match (level, wanted) {
        ("STANDARD", wanted) if wanted > STANDARD => Finding::bad(
            "throughput",
            format!("{wanted} messages a second are wanted, and Meta takes {STANDARD}"),
            format!("set `messages_per_second` to {STANDARD}"),
        ),
        (level, _) => Finding::good("throughput", level.to_lowercase()),
    })
}

fn limit(number: &Value) -> Option<Finding> {
    let limit = text(number, "whatsapp_business_manager_messaging_limit")?;
    Some(Finding::good(
        "limit",
        format!("contacts to write to first in 24 hours: {}", plain(limit)),
    ))
}

/// Where Meta sends the number's messages: the finest address that is set.
fn address(number: &Value, channel: &ChannelConfig) -> Option<Finding> {
    let set = number.get("webhook_configuration")?;
    let finest = ["phone_number", "whatsapp_business_account", "application"];
    let theirs = finest.into_iter().find_map(|name| text(set, name))?;
    let Some(public) = &channel.public_url else {
        return Some(Finding::unknown("address", format!("Meta sends messages to {theirs}")));
    };
    let ours = reach::webhook(public, channel);
    Some(match theirs.trim_end_matches('/') == ours {
        true => Finding::good("address", format!("Meta sends messages to {ours}")),
        false => Finding::bad(
            "address",
            format!("Meta sends messages to {theirs}, and not to {ours}"),
            "set the callback URL in the app's webhook form, or take the override away",
        ),
    })
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}
