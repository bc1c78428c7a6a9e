//! How campaigns look on a terminal.

use serde_json::Value;

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(of: &Value, key: &str) -> u64 {
    of.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn array<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A tally with its sum.
fn tally(of: &Value, key: &str) -> (u64, Vec<(String, u64)>) {
    let all = of.get(key).and_then(Value::as_object).into_iter().flatten();
    let mut all: Vec<(String, u64)> =
        all.map(|(name, count)| (name.clone(), count.as_u64().unwrap_or_default())).collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (all.iter().map(|(_, count)| count).sum(), all)
}

/// `spring  running, reached 120 so far  (channel main, step promo)`.
pub fn list(found: &Value) -> Vec<String> {
    let campaigns = array(found, "campaigns");
    if campaigns.is_empty() {
        return vec!["no campaign has begun yet".into()];
    }
    campaigns.iter().map(head).collect()
}

fn head(campaign: &Value) -> String {
    let reached_all = campaign.get("reached_all").and_then(Value::as_bool).unwrap_or_default();
    let so_far = if reached_all { "" } else { " so far" };
    format!(
        "{}  {}, reached {}{so_far}  (channel {}, step {})",
        text(campaign, "id"),
        text(campaign, "state"),
        number(campaign, "reached"),
        text(campaign, "channel"),
        text(campaign, "step"),
    )
}

/// The funnel, each line what it is of the one above.
pub fn show(found: &Value) -> Vec<String> {
    let nothing = Value::Null;
    let part = |key| found.get(key).unwrap_or(&nothing);
    let mut lines = vec![head(part("campaign"))];
    funnel(part("funnel"), &mut lines);
    if number(found, "unknown") > 0 {
        let unknown = number(found, "unknown");
        lines.push(format!("{unknown:>8}  reached before this was kept"));
    }
    for (name, one) in part("variants").as_object().into_iter().flatten() {
        lines.push(String::new());
        lines.push(format!("variant {name}"));
        funnel(one, &mut lines);
    }
    lines
}

fn funnel(of: &Value, lines: &mut Vec<String>) {
    let mut line = |depth: usize, count: u64, what: &str| {
        lines.push(format!("{:indent$}{count:>8}  {what}", "", indent = depth * 2));
    };
    line(0, number(of, "audience"), "contacts reached");
    let mut parts = |depth, key: &str, what: &str| {
        let (sum, all) = tally(of, key);
        if sum > 0 {
            line(depth, sum, what);
            all.iter().for_each(|(reason, count)| line(depth + 1, *count, reason));
        }
    };
    parts(1, "left_out", "left out");
    parts(1, "queued", "with a message that waits");
    parts(1, "refused", "with a message that a rule forbade");
    parts(1, "failed", "with a message that failed");
    let steps = [
        (1, "waiting", "whose turn is yet to come"),
        (1, "accepted", "with a message that WhatsApp took"),
        (2, "sent", "sent"),
        (2, "delivered", "on the phone"),
        (2, "read", "read"),
        (2, "clicked", "tapped a button"),
        (2, "replied", "wrote within 72 hours"),
        (2, "converted", "reached the goal"),
    ];
    for (depth, key, what) in steps {
        if !["waiting", "converted"].contains(&key) || number(of, key) > 0 {
            line(depth, number(of, key), what);
        }
    }
    for (key, what) in [("charged", "cost so far"), ("expected", "what waits will cost")] {
        for (currency, amount) in of.get(key).and_then(Value::as_object).into_iter().flatten() {
            lines.push(format!("{what}: {amount} {currency}"));
        }
    }
    lines.extend(unpriced(of));
}

/// `17 messages have no price in `[budget]` (+49 marketing: 17)`.
fn unpriced(of: &Value) -> Option<String> {
    let (sum, all) = tally(of, "unpriced");
    let all: Vec<_> = all.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
    let told = || format!("{sum} messages have no price in `[budget]` ({})", all.join(", "));
    (sum > 0).then(told)
}

/// What came of a command.
pub fn done(found: &Value) -> Vec<String> {
    let id = text(found, "id");
    match found.get("again") {
        None => vec![format!("the campaign `{id}` is {} now", text(found, "state"))],
        Some(_) => vec![format!(
            "the campaign `{id}`: {} failed messages are tried again, {} are not: their reason does not pass, or \
             they may have arrived",
            number(found, "again"),
            number(found, "left"),
        )],
    }
}

/// Who would get it, what it would cost, and when.
pub fn dry_run(found: &Value) -> Vec<String> {
    let campaign = found.get("campaign").unwrap_or(&Value::Null);
    let (id, begins) = (text(campaign, "id"), text(found, "begins"));
    let (channel, step, zone) =
        (text(campaign, "channel"), text(campaign, "step"), text(found, "zone"));
    let mut lines =
        vec![format!("{id}  would begin {begins} {zone}  (channel {channel}, step {step})")];
    let mut line = |depth: usize, count: u64, what: &str| {
        lines.push(format!("{:indent$}{count:>8}  {what}", "", indent = depth * 2));
    };
    let seen = match found.get("cut_short").and_then(Value::as_bool) {
        Some(true) => "contacts were looked at; then it took too long",
        _ => "contacts in the segment",
    };
    line(0, number(found, "audience"), seen);
    let mut parts = |key: &str, what: &str| {
        let (sum, all) = tally(found, key);
        if sum > 0 {
            line(1, sum, what);
            all.iter().for_each(|(reason, count)| line(2, *count, reason));
        }
    };
    parts("left_out", "left out");
    parts("refused", "with a message that a rule forbids");
    line(1, number(found, "recipients"), "would get it");
    for (key, what) in [("held", "held first: "), ("variants", "variant ")] {
        let (_, all) = tally(found, key);
        all.iter().for_each(|(name, count)| line(2, *count, &format!("{what}{name}")));
    }
    line(2, number(found, "opened"), "written to first, outside the 24-hour window");
    for (currency, amount) in found.get("cost").and_then(Value::as_object).into_iter().flatten() {
        lines.push(format!("would cost {amount} {currency}"));
    }
    lines.extend(unpriced(found));
    match (text(found, "first_leaves"), text(found, "last_leaves")) {
        ("", _) => lines.push("nothing would leave".into()),
        (first, last) => lines.push(format!("the first leaves {first}, the last {last}")),
    }
    if let Some(why) = found.get("paused").and_then(Value::as_str) {
        lines.push(format!("nothing leaves this channel now: {why}"));
    }
    lines
}

/// `c17  failed: not on WhatsApp (131026)`.
pub fn members(page: &Value) -> Vec<String> {
    let one = |member: &Value| {
        let reason = member.get("reason").and_then(Value::as_str);
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}  {}{reason}", text(member, "contact"), text(member, "state"))
    };
    array(page, "members").iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_funnel_reads_from_the_top_down() {
        let found = json!({
            "campaign": {"id": "spring", "channel": "main", "step": "promo", "state": "paused",
                         "reached": 9, "reached_all": false},
            "funnel": {"audience": 7, "left_out": {"no consent": 1, "hold-out": 2}, "waiting": 0,
                       "failed": {"not on WhatsApp (131026)": 1}, "accepted": 3, "sent": 3,
                       "delivered": 2, "read": 1, "clicked": 0, "replied": 1,
                       "charged": {"EUR": 0.33}},
            "unknown": 2,
            "variants": {"a": {"audience": 4}},
        });
        let lines = show(&found);
        assert_eq!(
            lines[..9],
            [
                "spring  paused, reached 9 so far  (channel main, step promo)",
                "       7  contacts reached",
                "         3  left out",
                "           2  hold-out",
                "           1  no consent",
                "         1  with a message that failed",
                "           1  not on WhatsApp (131026)",
                "         3  with a message that WhatsApp took",
                "           3  sent",
            ]
            .map(String::from)
        );
        assert!(lines.contains(&"cost so far: 0.33 EUR".into()), "{lines:#?}");
        assert!(lines.contains(&"       2  reached before this was kept".into()), "{lines:#?}");
        assert_eq!(list(&json!({"campaigns": []})), ["no campaign has begun yet"]);
    }
}
