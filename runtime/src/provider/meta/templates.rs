//! The account's list of templates: the request for a page, and reading it.

use super::{errors, webhook::text};
use crate::{
    model::*,
    provider::{Answer, Auth, Body, ErrorClass, Method, Request, TemplatePage, TemplateTrouble},
};
use serde_json::Value;

/// Templates of one page: 6,000 of them, the most that an account can have, are
/// 60 calls of the 200 that an hour has.
const PAGE: usize = 100;
const FIELDS: &str =
    "id,name,language,status,category,quality_score,components,parameter_format,rejected_reason";
/// Of a body, the end of an address and whatever else a template says.
const TEXT_CHARS: usize = 4_096;
/// Meta allows 10 of each.
const BUTTONS: usize = 10;
const CARDS: usize = 10;

pub(super) fn ask(api_url: &str, token: &str, account: &str, after: Option<&str>) -> Request {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("fields", FIELDS).append_pair("limit", &PAGE.to_string());
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    Request {
        method: Method::Get,
        url: format!("{api_url}/{account}/message_templates?{}", query.finish()),
        auth: Auth::Bearer(token.to_owned()),
        body: Body::Empty,
    }
}

pub(super) fn read(status: u16, body: &[u8]) -> Result<TemplatePage, TemplateTrouble> {
    let list = serde_json::from_slice::<Value>(body).ok().filter(|_| (200..300).contains(&status));
    let list = list.as_ref().and_then(|body| Some((body, body.get("data")?.as_array()?)));
    let Some((body, list)) = list else {
        return Err(match (errors::classify(status, body), (200..300).contains(&status)) {
            (Answer::Refused { class, code, reason }, successful)
                if code.is_some() || !successful =>
            {
                TemplateTrouble { class, reason }
            }
            (Answer::Refused { .. } | Answer::Sent { .. }, _) => TemplateTrouble {
                class: ErrorClass::Retry,
                reason: "Meta answered with something that is no list of templates".into(),
            },
        });
    };
    let forms: Vec<TemplateForm> = list.iter().filter_map(form).collect();
    let unread = list.len() - forms.len();
    // The last page has a cursor as well, but no address of a next one.
    let paging = body.get("paging").filter(|paging| paging.get("next").is_some());
    let next = paging.and_then(|paging| text(paging.get("cursors")?, "after"));
    Ok(TemplatePage { forms, unread, next: next.map(str::to_owned) })
}

/// None for what has no name, language or status.
fn form(entry: &Value) -> Option<TemplateForm> {
    let components = list(entry, "components");
    let of = |kind: &str| components.iter().find(|one| is(one, "type", kind));
    let parts = parts(components);
    let offer = of("LIMITED_TIME_OFFER").map(|one| {
        let offer = one.get("limited_time_offer").unwrap_or(one);
        let expires = offer.get("has_expiration").and_then(Value::as_bool);
        FormOffer { text: cut(offer, "text"), expires: expires.unwrap_or(false) }
    });
    let cards = of("CAROUSEL").map(|one| list(one, "cards")).unwrap_or_default();
    let cards: Vec<FormParts> =
        cards.iter().take(CARDS).map(|card| self::parts(list(card, "components"))).collect();
    let named = match text(entry, "parameter_format") {
        Some(format) => format.eq_ignore_ascii_case("NAMED"),
        None => has_names(&parts) || cards.iter().any(has_names),
    };
    let score = entry.get("quality_score").and_then(|score| text(score, "score"));
    let reason = text(entry, "rejected_reason").filter(|reason| *reason != "NONE");
    Some(TemplateForm {
        id: text(entry, "id").unwrap_or_default().to_owned(),
        name: text(entry, "name")?.to_owned(),
        language: text(entry, "language")?.to_owned(),
        status: TemplateStatus::of(text(entry, "status")?),
        reason: reason.map(|reason| reason.to_lowercase().replace('_', " ")),
        quality: score.map(str::to_owned),
        category: text(entry, "category").and_then(Category::of),
        named,
        row: None,
        parts,
        footer: of("FOOTER").and_then(|footer| cut(footer, "text")),
        offer,
        cards,
        news_at: None,
    })
}

fn has_names(parts: &FormParts) -> bool {
    let names = |text: &str| {
        placeholders(text).iter().any(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
    };
    parts.body.as_deref().is_some_and(names)
        || matches!(&parts.header, FormHeader::Text(text) if names(text))
}

fn parts(components: &[Value]) -> FormParts {
    let of = |kind: &str| components.iter().find(|one| is(one, "type", kind));
    let buttons = of("BUTTONS").map(|one| list(one, "buttons")).unwrap_or_default();
    FormParts {
        header: of("HEADER").map(header).unwrap_or_default(),
        body: of("BODY").and_then(|body| cut(body, "text")),
        buttons: buttons.iter().take(BUTTONS).map(button).collect(),
    }
}

fn header(header: &Value) -> FormHeader {
    let format = text(header, "format").unwrap_or("TEXT").to_ascii_uppercase();
    match format.as_str() {
        "TEXT" => FormHeader::Text(cut(header, "text").unwrap_or_default()),
        "IMAGE" => FormHeader::Media(MediaKind::Image),
        // Sent as a video is.
        "VIDEO" | "GIF" => FormHeader::Media(MediaKind::Video),
        "DOCUMENT" => FormHeader::Media(MediaKind::Document),
        "LOCATION" => FormHeader::Location,
        _ => FormHeader::Other(format),
    }
}

fn button(button: &Value) -> FormButton {
    let kind = text(button, "type").unwrap_or_default().to_ascii_uppercase();
    let kind = match kind.as_str() {
        "QUICK_REPLY" => FormButtonKind::Reply,
        // Older lists show the button of a code as a link.
        "URL" if button.get("otp_type").is_some() => FormButtonKind::OneTimeCode,
        "URL" => FormButtonKind::Link(cut(button, "url").unwrap_or_default()),
        "OTP" => FormButtonKind::OneTimeCode,
        "COPY_CODE" => FormButtonKind::CopyCode,
        "FLOW" => FormButtonKind::Flow,
        "CATALOG" => FormButtonKind::Catalog,
        "MPM" => FormButtonKind::Products,
        _ => FormButtonKind::Plain(kind),
    };
    FormButton { label: cut(button, "text").unwrap_or_default(), kind }
}

fn is(value: &Value, name: &str, word: &str) -> bool {
    text(value, name).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn cut(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(|text| text.chars().take(TEXT_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(body: &Value) -> TemplatePage {
        read(200, body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_page_says_where_the_next_begins() {
        let cursors = json!({"before": "b", "after": "a/1"});
        let last = json!({"data": [], "paging": {"cursors": cursors}});
        assert_eq!(page(&last).next, None);
        let more = json!({"data": [], "paging": {"cursors": cursors, "next": "https://x/y"}});
        assert_eq!(page(&more).next.as_deref(), Some("a/1"));
        let request = ask("http://x", "secret", "1020", Some("a/1"));
        assert!(request.url.starts_with("http://x/1020/message_templates?fields=id%2Cname"));
        assert!(request.url.ends_with("&limit=100&after=a%2F1"), "{}", request.url);
    }

    #[test]
    fn everything_that_a_template_can_have_is_read() {
        let entry = json!({
            "id": "7", "name": "offer", "language": "en_US", "status": "PAUSED",
            "category": "MARKETING", "parameter_format": "NAMED",
            "quality_score": {"score": "YELLOW", "date": 1},
            "components": [
                {"type": "HEADER", "format": "IMAGE", "example": {}},
                {"type": "BODY", "text": "Hi {{name}}"},
                {"type": "LIMITED_TIME_OFFER",
                 "limited_time_offer": {"text": "Soon over", "has_expiration": true}},
                {"type": "FOOTER", "text": "Bye"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "COPY_CODE", "text": "Copy"},
                    {"type": "URL", "text": "Shop", "url": "https://a.example/{{1}}"},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+1"},
                ]},
                {"type": "CAROUSEL", "cards": [{"components": [
                    {"type": "header", "format": "video"},
                    {"type": "body", "text": "One {{1}}"},
                    {"type": "buttons", "buttons": [{"type": "quick_reply", "text": "Yes"}]},
                ]}]},
            ],
        });
        let page = page(&json!({"data": [entry, {"name": "half"}]}));
        assert_eq!((page.forms.len(), page.unread), (1, 1));
        let form = &page.forms[0];
        assert_eq!(form.status, TemplateStatus::Paused);
        assert_eq!((form.quality.as_deref(), form.named), (Some("YELLOW"), true));
        assert_eq!(form.category, Some(Category::Marketing));
        assert_eq!(form.parts.header, FormHeader::Media(MediaKind::Image));
        assert_eq!(form.offer, Some(FormOffer { text: Some("Soon over".into()), expires: true }));
        let kinds: Vec<_> = form.parts.buttons.iter().map(|button| &button.kind).collect();
        let link = FormButtonKind::Link("https://a.example/{{1}}".into());
        let phone = FormButtonKind::Plain("PHONE_NUMBER".into());
        assert_eq!(kinds, [&FormButtonKind::CopyCode, &link, &phone]);
        let card = &form.cards[0];
        assert_eq!(card.header, FormHeader::Media(MediaKind::Video));
        assert_eq!(card.body.as_deref(), Some("One {{1}}"));
        assert_eq!(card.buttons[0].kind, FormButtonKind::Reply);
    }

    #[test]
    fn names_are_told_from_numbers_where_the_list_does_not_say() {
        let entry = |text: &str| {
            let components = json!([{"type": "BODY", "text": text}]);
            let head = json!({"name": "a", "language": "en", "status": "APPROVED"});
            let mut entry = head.as_object().unwrap().clone();
            entry.insert("components".into(), components);
            page(&json!({"data": [entry]})).forms[0].named
        };
        assert!(!entry("{{1}} {{2}}") && !entry("") && entry("{{1}} {{who}}"));
    }

    #[test]
    fn what_is_no_list_is_trouble_with_its_class() {
        let error = |status, body: &str| read(status, body.as_bytes()).unwrap_err();
        let limited = error(400, r#"{"error":{"code":80007,"message":"Rate limit hit"}}"#);
        assert_eq!(limited.class, ErrorClass::CallLimit, "{}", limited.reason);
        assert_eq!(error(401, r#"{"error":{"code":190}}"#).class, ErrorClass::PauseChannel);
        let odd = error(200, "{}");
        assert!(odd.class == ErrorClass::Retry && odd.reason.contains("no list"), "{}", odd.reason);
        assert_eq!(error(502, "<html>").class, ErrorClass::Retry);
    }
}
