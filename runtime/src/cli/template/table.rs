//! How `template list` looks on a terminal.

use super::{Account, Template};
use crate::{cli::out, model::plain_line};

const HEADINGS: [&str; 5] = ["NAME", "LANGUAGE", "CATEGORY", "STATUS", "QUALITY"];
/// Why a template has its status, at most.
const REASON_CHARS: usize = 80;

/// A row for each template.
pub fn lines(templates: &[Template]) -> Vec<String> {
    let mut rows: Vec<[String; 5]> = vec![HEADINGS.map(Into::into)];
    rows.extend(templates.iter().map(row));
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let width = |row: &[String; 5]| row.get(column).map_or(0, |cell| cell.chars().count());
        rows.iter().map(width).max().unwrap_or_default()
    });
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(template: &Template) -> [String; 5] {
    let Template { name, language, category, quality, .. } = template;
    [
        name.clone(),
        language.clone(),
        category.clone().unwrap_or_else(|| "-".into()),
        status(template),
        quality.as_deref().unwrap_or("-").to_lowercase(),
    ]
}

fn status(Template { status, reason, .. }: &Template) -> String {
    match reason {
        Some(reason) => format!("{status}: {}", plain_line(reason, REASON_CHARS)),
        None => status.clone(),
    }
}

/// `order (en): utility, approved`.
pub fn state(template: &Template) -> String {
    let Template { name, language, category, .. } = template;
    let category = category.as_deref().unwrap_or("category unknown");
    format!("{name} ({language}): {category}, {}", status(template))
}

/// How the copy of an account is.
pub fn copy(account: &Account) -> String {
    let Account { account: id, templates, age_seconds, failure } = account;
    let age = match age_seconds {
        Some(age) => format!("{}, read {} ago", out::counted(*templates, "template"), span(*age)),
        None => "no list was read yet".to_owned(),
    };
    let failure = failure.as_ref().map(|why| format!("; the last reading failed: {why}"));
    format!("account {id}: {age}{}", failure.unwrap_or_default())
}

/// `45 s`, `12 min`, `3 h`.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_can_read_it() {
        let template = |name: &str, reason: Option<&str>| Template {
            name: name.into(),
            language: "en".into(),
            category: Some("utility".into()),
            status: if reason.is_some() { "paused" } else { "approved" }.into(),
            reason: reason.map(Into::into),
            quality: reason.map(|_| "RED".into()),
        };
        assert_eq!(
            lines(&[template("order", None), template("sale", Some("low quality"))]),
            [
                "NAME   LANGUAGE  CATEGORY  STATUS               QUALITY",
                "order  en        utility   approved             -",
                "sale   en        utility   paused: low quality  red",
            ]
        );
        let account = |age, failure: Option<&str>| Account {
            account: "1020".into(),
            templates: 2,
            age_seconds: age,
            failure: failure.map(Into::into),
        };
        assert_eq!(copy(&account(Some(600), None)), "account 1020: 2 templates, read 10 min ago");
        assert_eq!(
            copy(&account(None, Some("no"))),
            "account 1020: no list was read yet; the last reading failed: no"
        );
    }
}
