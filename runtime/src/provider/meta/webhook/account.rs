//! What changes of the account mean, by their field. What means nothing to the
//! host is told to the operator in words.

use super::{owned, seconds, text};
use crate::model::{AccountNews, News, NumberNews, TemplateNews, moment};
use serde_json::Value;

/// `account`: the id of the account that it is about.
pub(super) fn news(field: &str, value: &Value, account: Option<&str>) -> News {
    match field {
        "message_template_status_update"
        | "message_template_quality_update"
        | "message_template_components_update"
        | "template_category_update" => template(field, value),
        "phone_number_quality_update" | "business_capability_update" => number(value),
        "account_update" => standing(value, account),
        "business_username_update" | "business_username_updates" => username(value),
        "history" => history(value),
        "account_review_update" => told(value, "the account was reviewed", "decision"),
        "phone_number_name_update" => told(value, "the display name was reviewed", "decision"),
        "account_alerts" => alert(value),
        "security" => told(value, "the number's two-step PIN", "event"),
        _ => News::Other,
    }
}

/// Meta's errors about no message.
pub(super) fn errors(errors: &Value) -> News {
    match first_error(errors) {
        Some((code, words)) => News::Remark(format!("meta reports error {code}: {words}")),
        None => News::Other,
    }
}

/// The first code of a list of errors, with Meta's words: the details where
/// there are any.
pub(super) fn first_error(errors: &Value) -> Option<(u32, String)> {
    let error = errors.get(0)?;
    let code = error.get("code")?;
    let code = match code.as_str() {
        Some(text) => text.parse().ok()?,
        None => u32::try_from(code.as_u64()?).ok()?,
    };
    let details = error.get("error_data").and_then(|more| text(more, "details"));
    let words = details.or_else(|| text(error, "message")).or_else(|| text(error, "title"));
    Some((code, words.unwrap_or_default().to_owned()))
}

fn told(value: &Value, what: &str, name: &str) -> News {
    match text(value, name) {
        Some(how) => News::Remark(format!("{what}: {}", plain(how))),
        None => News::Other,
    }
}

/// `PRIMARY_INACTIVITY` as words.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

fn template(field: &str, value: &Value) -> News {
    let named =
        owned(value, "message_template_name").zip(owned(value, "message_template_language"));
    let Some((name, language)) = named else { return News::Other };
    let within = |group: &str, name: &str| value.get(group).and_then(|group| owned(group, name));
    let reason = within("rejection_info", "reason")
        .or_else(|| within("other_info", "description"))
        .or_else(|| owned(value, "reason").filter(|reason| reason != "NONE"));
    News::Template(TemplateNews {
        name,
        language,
        status: owned(value, "event"),
        quality: owned(value, "new_quality_score"),
        category: owned(value, "new_category")
            .or_else(|| owned(value, "message_template_category")),
        changed: field == "message_template_components_update",
        reason,
    })
}

fn number(value: &Value) -> News {
    let limits = [
        "max_daily_conversations_per_business",
        "max_daily_conversation_per_phone",
        "current_limit",
    ];
    let number = NumberNews {
        event: owned(value, "event"),
        quality: owned(value, "quality_rating"),
        daily_contacts: limits.iter().find_map(|name| limit(value.get(name)?)),
    };
    match number == NumberNews::default() {
        true => News::Other,
        false => News::Number(number),
    }
}

/// A number, or a name such as `TIER_250`, `TIER_10K`, `TIER_UNLIMITED`.
fn limit(value: &Value) -> Option<i64> {
    let Some(name) = value.as_str() else { return value.as_i64() };
    let name = name.trim_start_matches("TIER_");
    if name == "UNLIMITED" {
        return Some(-1);
    }
    match name.strip_suffix('K') {
        Some(thousands) => thousands.parse::<i64>().ok()?.checked_mul(1_000),
        None => name.parse().ok(),
    }
}

/// Stopped by: the account disabled or deleted, the business gone from the API,
/// messages restricted. Mended by: the account reinstated or verified, the
/// business back.
fn standing(value: &Value, account: Option<&str>) -> News {
    let Some(event) = text(value, "event") else { return News::Other };
    let within = |group: &str, name: &str| value.get(group).and_then(|group| text(group, name));
    let news = |stopped, reason: &str| {
        let (reason, account) = (reason.to_owned(), account.map(str::to_owned));
        News::Account(AccountNews { stopped, reason, account, ..AccountNews::default() })
    };
    let (stopped, mended) = (|reason: &str| news(true, reason), |reason: &str| news(false, reason));
    match (event, within("ban_info", "waba_ban_state")) {
        ("DISABLED_UPDATE", Some("DISABLE")) => stopped("meta disabled the account"),
        ("DISABLED_UPDATE", Some("REINSTATE")) => mended("meta reinstated the account"),
        ("DISABLED_UPDATE", Some(state)) => {
            let date = within("ban_info", "waba_ban_date").unwrap_or("a date that is not said");
            News::Remark(format!("the account: {} on {date}", plain(state)))
        }
        ("ACCOUNT_DELETED", _) => stopped("the account was deleted"),
        ("ACCOUNT_OFFBOARDED", _) => stopped("the business left the API"),
        ("ACCOUNT_RECONNECTED", _) => mended("the business is back on the API"),
        ("VERIFIED_ACCOUNT", _) => mended("the account was verified"),
        ("PARTNER_REMOVED", _) => match within("disconnection_info", "reason") {
            Some(reason) => stopped(&format!("the number was disconnected: {}", plain(reason))),
            None => News::Remark("the account is shared with a partner no more".into()),
        },
        ("ACCOUNT_RESTRICTION", _) => restriction(value, account),
        ("ACCOUNT_VIOLATION", _) => {
            let kind = within("violation_info", "violation_type").map_or_else(String::new, plain);
            News::Remark(format!("meta found a breach of its policy: {kind}"))
        }
        (event, _) => News::Remark(plain(event)),
    }
}

/// Restrictions end by themselves; nobody tells when they have. Where answers are
/// not restricted, only templates are: nothing else reaches who has not written.
fn restriction(value: &Value, account: Option<&str>) -> News {
    let all = value.get("restriction_info").and_then(Value::as_array).into_iter().flatten();
    let (mut stopped, mut templates_only) = (false, true);
    let (mut last, mut reasons) = (None, Vec::new());
    for one in all {
        let kind = text(one, "restriction_type").unwrap_or("RESTRICTED");
        let what = match kind {
            "RESTRICTED_BIZ_INITIATED_MESSAGING" => {
                stopped = true;
                "no messages to contacts who have not written".to_owned()
            }
            "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" => {
                (stopped, templates_only) = (true, false);
                "no answers to contacts who write".to_owned()
            }
            kind => plain(kind),
        };
        let until = seconds(one, "expiration");
        if kind.ends_with("_INITIATED_MESSAGING") {
            last = last.max(until);
        }
        let until = until.and_then(moment);
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        reasons.push(format!("{what}{until}"));
    }
    let reason = format!("meta restricts the account: {}", reasons.join("; "));
    match stopped {
        true => {
            let account = account.map(str::to_owned);
            News::Account(AccountNews { stopped, reason, templates_only, until: last, account })
        }
        false => News::Remark(reason),
    }
}

fn alert(value: &Value) -> News {
    // Older alerts stand in the value itself.
    let alert = value.get("alert_info").unwrap_or(value);
    let parts = ["alert_severity", "alert_status", "alert_type"];
    let mut told: Vec<String> =
        parts.iter().filter_map(|name| text(alert, name)).map(plain).collect();
    told.extend(owned(alert, "alert_description"));
    match told.is_empty() {
        true => News::Other,
        false => News::Remark(format!("an alert of meta: {}", told.join(", "))),
    }
}

fn username(value: &Value) -> News {
    match (text(value, "status"), owned(value, "username")) {
        (Some("deleted"), _) => News::Username(None),
        (Some("approved"), Some(name)) => News::Username(Some(name)),
        (Some(status), name) => {
            let name = name.unwrap_or_default();
            News::Remark(format!("the business's username `{name}`: {}", plain(status)))
        }
        (None, _) => News::Other,
    }
}

/// What the phone app held before the number came to the API: pieces of it, or
/// the refusal to share it.
fn history(value: &Value) -> News {
    let Some(piece) = value.pointer("/history/0") else { return News::Other };
    if let Some((code, words)) = piece.get("errors").and_then(first_error) {
        return News::Remark(format!("the phone app's history is not shared: {code}: {words}"));
    }
    let of = |name: &str| piece.pointer(&format!("/metadata/{name}")).and_then(Value::as_u64);
    let (phase, order, progress) = (of("phase"), of("chunk_order"), of("progress"));
    let part = |what: &str, number: Option<u64>| number.map(|number| format!("{what} {number}"));
    let told = [part("phase", phase), part("piece", order), part("per cent", progress)];
    let told: Vec<String> = told.into_iter().flatten().collect();
    News::Remark(format!("the phone app's history: {}", told.join(", ")))
}

#[cfg(test)]
mod tests;
