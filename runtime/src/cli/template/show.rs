//! How `template show` looks.

use super::{Template, table};
use serde::Deserialize;

/// What a template has, as the API shows it.
#[derive(Deserialize)]
pub struct Form {
    named: bool,
    /// Of all parts together, where values are given in one row.
    row: Option<Vec<String>>,
    parts: Parts,
    footer: Option<String>,
    offer_expires: Option<bool>,
    cards: Vec<Parts>,
}

#[derive(Deserialize)]
struct Parts {
    header: Option<String>,
    header_text: Option<String>,
    body: Option<String>,
    placeholders: Vec<String>,
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
struct Button {
    label: String,
    kind: String,
    url: Option<String>,
}

pub fn lines(head: &Template, form: &Form) -> Vec<String> {
    let quality = head.quality.as_deref().unwrap_or("unknown").to_lowercase();
    let mut lines = vec![format!("{}, quality {quality}", table::state(head))];
    // In a row they are said once, of the whole.
    let how = form.row.is_none().then_some(form.named);
    lines.extend(of_parts(&form.parts, how));
    lines.extend(form.footer.as_ref().map(|footer| format!("  footer: {footer}")));
    lines.extend(form.offer_expires.map(|expires| match expires {
        true => "  offer: each message says when it ends".to_owned(),
        false => "  offer: without an end".to_owned(),
    }));
    for (number, card) in form.cards.iter().enumerate() {
        lines.push(format!("  card {}", number + 1));
        lines.extend(of_parts(card, how).into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(form.row.as_ref().and_then(|row| values(row, form.named)));
    lines
}

fn values(places: &[String], named: bool) -> Option<String> {
    let how = if named { "by name" } else { "by place" };
    let names: Vec<String> = places.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    (!names.is_empty()).then(|| format!("  values, {how}: {}", names.join(", ")))
}

/// `named`: how the part takes its values; none: it has none of its own.
fn of_parts(parts: &Parts, named: Option<bool>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(parts.header.as_ref().map(|kind| match &parts.header_text {
        Some(text) => format!("  header: {text}"),
        None => format!("  header: [{kind}]"),
    }));
    let body = parts.body.iter().flat_map(|body| body.lines());
    lines.extend(body.map(|line| format!("  | {line}")));
    lines.extend(named.and_then(|named| values(&parts.placeholders, named)));
    for (index, Button { label, kind, url }) in parts.buttons.iter().enumerate() {
        let url = url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        lines.push(format!("  button {index}: [{label}] {kind}{url}"));
    }
    lines
}
