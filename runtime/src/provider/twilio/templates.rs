//! The account's list of templates, which are Contents at Twilio: the request
//! for a page, and reading it.

use super::errors;
use crate::{
    model::*,
    provider::{Answer, Auth, Body, ErrorClass, Method, Request, TemplatePage, TemplateTrouble},
};
use serde_json::{Map, Value};

/// Contents of one page. Twilio ends a page at 1 MB, which is about as many.
const PAGE: &str = "PageSize=500";
/// Of a body, an address and whatever else a template says.
const TEXT_CHARS: usize = 4_096;
/// WhatsApp allows 10 of each.
const BUTTONS: usize = 10;
const CARDS: usize = 10;
/// Variables of one template, over all its parts.
const VARIABLES: usize = 100;

/// `after` is the query of a page's address.
pub(super) fn ask(host: &str, auth: Auth, after: Option<&str>) -> Request {
    let url = format!("{host}/v1/ContentAndApprovals?{}", after.unwrap_or(PAGE));
    Request { method: Method::Get, url, auth, body: Body::Empty }
}

pub(super) fn read(status: u16, body: &[u8]) -> Result<TemplatePage, TemplateTrouble> {
    let odd = |what: &str| TemplateTrouble {
        class: ErrorClass::Retry,
        reason: format!("Twilio answered with {what}"),
    };
    if !(200..300).contains(&status) {
        return Err(match errors::classify(status, body) {
            Answer::Refused { class, reason, .. } => TemplateTrouble { class, reason },
            Answer::Sent { .. } => odd("a message"),
        });
    }
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let list = page.get("contents").and_then(Value::as_array);
    let list = list.ok_or_else(|| odd("something that is no list of Contents"))?;
    let forms: Vec<TemplateForm> = list.iter().filter_map(form).collect();
    let unread = list.len() - forms.len();
    let next = page.get("meta").and_then(|meta| text(meta, "next_page_url"));
    // The query alone: where it goes to, and so the credential, is ours to say.
    let query = |url: &str| {
        let (_, query) = url.split_once('?')?;
        let plain = query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        (plain && !query.is_empty()).then(|| query.to_owned())
    };
    let next = next.map(|url| query(url).ok_or_else(|| odd("an odd address of the next page")));
    Ok(TemplatePage { forms, unread, next: next.transpose()? })
}

/// None for what has no sid, name or language.
fn form(entry: &Value) -> Option<TemplateForm> {
    let approval = entry.get("approval_requests").unwrap_or(&Value::Null);
    // Asked for alone, a Content has it by its channel.
    let approval = approval.get("whatsapp").unwrap_or(approval);
    let (kind, content) = content(entry, text(approval, "content_type"));
    let row = match kind {
        // The code, which WhatsApp's own text has.
        "whatsapp/authentication" => vec!["1".to_owned()],
        _ => row(content),
    };
    Some(TemplateForm {
        id: text(entry, "sid")?.to_owned(),
        name: text(approval, "name").or(text(entry, "friendly_name"))?.to_owned(),
        language: text(entry, "language")?.to_owned(),
        status: TemplateStatus::of(text(approval, "status").unwrap_or("unsubmitted")),
        reason: text(approval, "rejection_reason").map(str::to_owned),
        quality: None,
        category: text(approval, "category").and_then(Category::of),
        named: !row.iter().all(|name| is_number(name)),
        row: Some(row),
        parts: parts(kind, content),
        footer: cut(content, "footer").or_else(|| cut(content, "subtitle")),
        offer: None,
        cards: list(content, "cards").iter().take(CARDS).map(|card| parts(kind, card)).collect(),
        news_at: None,
    })
}

/// The one of a Content's forms that WhatsApp gets, with its type: the one that
/// was handed in, else one of WhatsApp's own, else any.
fn content<'a>(entry: &'a Value, approved: Option<&str>) -> (&'a str, &'a Value) {
    let types = entry.get("types").and_then(Value::as_object);
    let find = |is: &dyn Fn(&str) -> bool| {
        types.into_iter().flatten().find(|(kind, _)| is(kind)).map(|(kind, form)| (&**kind, form))
    };
    find(&|kind| Some(kind) == approved)
        .or_else(|| find(&|kind| kind.starts_with("whatsapp/")))
        .or_else(|| find(&|_| true))
        .unwrap_or(("", &Value::Null))
}

/// All variables, wherever they stand: numbers in their order, names as they
/// come.
fn row(content: &Value) -> Vec<String> {
    fn collect(value: &Value, row: &mut Vec<String>) {
        match value {
            Value::String(text) => {
                for name in placeholders(text) {
                    if row.len() < VARIABLES && !row.iter().any(|known| known == name) {
                        row.push(name.to_owned());
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|one| collect(one, row)),
            Value::Object(fields) => fields.values().for_each(|one| collect(one, row)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut row = Vec::new();
    collect(content, &mut row);
    if row.iter().all(|name| is_number(name)) {
        row.sort_by_key(|name| (name.len(), name.clone()));
    }
    row
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the contact sees of a Content, or of a card of its carousel.
fn parts(kind: &str, content: &Value) -> FormParts {
    let media = content.get("media").map(|media| media.get(0).unwrap_or(media));
    let header = match (media.and_then(Value::as_str), cut(content, "header_text")) {
        (Some(url), _) => file(url),
        (None, Some(text)) => FormHeader::Text(text),
        (None, None) => FormHeader::None,
    };
    let (title, body) = (cut(content, "title"), cut(content, "body"));
    let body = match (title, body) {
        (Some(title), Some(body)) => Some(format!("{title}\n{body}")),
        (title, body) => title.or(body),
    };
    let actions = list(content, "actions").iter().filter_map(Value::as_object);
    let mut buttons: Vec<FormButton> =
        actions.take(BUTTONS).map(|action| button(kind, action)).collect();
    // It opens a list.
    let opens = cut(content, "button").or_else(|| cut(content, "button_text"));
    buttons.extend(
        opens.map(|label| FormButton { label, kind: FormButtonKind::Plain("LIST".into()) }),
    );
    FormParts { header, body, buttons }
}

/// By its ending, which a variable may hide.
fn file(url: &str) -> FormHeader {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "webp" => FormHeader::Media(MediaKind::Image),
        "mp4" | "3gp" | "3gpp" => FormHeader::Media(MediaKind::Video),
        "pdf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "txt" => {
            FormHeader::Media(MediaKind::Document)
        }
        _ => FormHeader::Other("MEDIA".into()),
    }
}

fn button(kind: &str, action: &Map<String, Value>) -> FormButton {
    let word = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default();
    let label = ["title", "copy_code_text"].map(word).into_iter().find(|label| !label.is_empty());
    let kind = match (kind, word("type").to_ascii_uppercase().as_str()) {
        ("whatsapp/authentication", _) => FormButtonKind::OneTimeCode,
        // Older ones say no type, and are of the only one that there was.
        (_, "QUICK_REPLY" | "") => FormButtonKind::Reply,
        (_, "URL") => FormButtonKind::Link(limited(word("url"))),
        (_, "COPY_CODE") => FormButtonKind::CopyCode,
        (_, other) => FormButtonKind::Plain(other.to_owned()),
    };
    FormButton { label: limited(label.unwrap_or_default()), kind }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// One that says something.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn cut(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(limited)
}

fn limited(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests;
