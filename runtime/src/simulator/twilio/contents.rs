//! The world's templates as Twilio has them: Contents with a sid, whose values
//! stand in one row, whatever part they fill.

use super::{codes::Refusal, messages, sid};
use crate::simulator::{
    Shared,
    templates::{Category, Format, Review, Template, kind, replaced, variables},
};
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const PAGE: usize = 50;
const PAGE_MAX: usize = 1_000;
/// What a picture above a text is, since a Content has its files within it.
const FILES: &str = "https://files.example/header";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Wanted {
    page_size: Option<usize>,
    page_token: Option<String>,
}

/// `GET /v1/ContentAndApprovals`, by its pages.
pub async fn list(
    State(sim): State<Shared>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let account = match messages::authorise(&sim, &headers) {
        Ok(account) => account.sid.clone(),
        Err(refusal) => return refusal.into_answer(),
    };
    let size = wanted.page_size.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let start = wanted
        .page_token
        .as_deref()
        .map_or(Some(0), |token| token.strip_prefix("PT")?.parse().ok());
    let Some(start): Option<usize> = start else {
        return Refusal::new(20_422, "PageToken").into_answer();
    };
    let all: Vec<Value> = {
        let world = sim.world();
        world.templates.iter().filter(|one| fits(one)).map(|one| entry(one, &account)).collect()
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (page, end) = (start / size, start + size);
    let at = |page: usize, token: String| {
        format!("http://{host}/v1/ContentAndApprovals?PageSize={size}&Page={page}{token}")
    };
    let next = (end < all.len()).then(|| at(page + 1, format!("&PageToken=PT{end}")));
    let contents: Vec<Value> = all.into_iter().skip(start).take(size).collect();
    let meta = json!({
        "page": page, "page_size": size, "key": "contents", "next_page_url": next,
        "first_page_url": at(0, String::new()), "previous_page_url": null,
    });
    Json(json!({"contents": contents, "meta": meta})).into_response()
}

/// The sid of a template's Content.
pub fn sid_of(template: &Template) -> String {
    sid("HX", 0, template.id)
}

/// The template of a Content; none if this wire has no such form.
pub fn find(sim: &Shared, sid: &str) -> Option<Template> {
    let world = sim.world();
    world.templates.iter().find(|one| fits(one) && sid_of(one) == sid).cloned()
}

fn components(template: &Template) -> impl Iterator<Item = (String, &Map<String, Value>)> {
    template.components.iter().filter_map(Value::as_object).map(|one| (kind(one), one))
}

fn text<'a>(value: &'a Map<String, Value>, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn buttons(component: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let list = component.get("buttons").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

/// No cards and no offers: they have no sends on this wire.
fn fits(template: &Template) -> bool {
    !components(template).any(|(kind, _)| kind == "CAROUSEL" || kind == "LIMITED_TIME_OFFER")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Body,
    Button(usize),
}

/// A value of the row, and where it goes.
struct Slot<'a> {
    place: Place,
    /// What the template itself calls it.
    own: &'a str,
    name: String,
}

fn row<'a>(template: &'a Template) -> Vec<Slot<'a>> {
    let mut slots: Vec<Slot<'a>> = Vec::new();
    let mut put = |place: Place, own: &'a str| {
        let named = template.format == Format::Named && !matches!(place, Place::Button(_));
        let name = if named { own.to_owned() } else { (slots.len() + 1).to_string() };
        slots.push(Slot { place, own, name });
    };
    for (kind, component) in components(template) {
        match kind.as_str() {
            "HEADER" => variables(text(component, "text"))
                .into_iter()
                .for_each(|own| put(Place::Header, own)),
            "BODY" => {
                let own = variables(text(component, "text"));
                own.into_iter().for_each(|own| put(Place::Body, own));
            }
            "BUTTONS" => {
                for (at, button) in buttons(component).enumerate() {
                    match self::kind(button).as_str() {
                        "URL" => variables(text(button, "url"))
                            .into_iter()
                            .for_each(|own| put(Place::Button(at), own)),
                        "COPY_CODE" => put(Place::Button(at), ""),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    slots
}

/// A part's text with the names that its values have in the row.
fn renamed(text: &str, place: Place, row: &[Slot<'_>]) -> String {
    let of_place = row.iter().filter(|slot| slot.place == place);
    let names: Vec<(&str, String)> =
        of_place.map(|slot| (slot.own, format!("{{{{{}}}}}", slot.name))).collect();
    replaced(text, &names)
}

fn entry(template: &Template, account: &str) -> Value {
    let row = row(template);
    let (kind, content) = match template.category {
        Category::Authentication => ("whatsapp/authentication", code(template)),
        Category::Marketing | Category::Utility => content(template, &row),
    };
    let defaults: Map<String, Value> = row.into_iter().map(|slot| (slot.name, "".into())).collect();
    let status = match template.status {
        Review::Pending | Review::InAppeal => "pending",
        Review::Approved | Review::Flagged => "approved",
        Review::Rejected => "rejected",
        Review::Paused => "paused",
        Review::Disabled => "disabled",
    };
    let reason = if template.status == Review::Rejected { template.reason.as_str() } else { "" };
    json!({
        "sid": sid_of(template),
        "account_sid": account,
        "friendly_name": template.name,
        "language": template.language,
        "variables": defaults,
        "types": {kind: content},
        "approval_requests": {
            "type": "whatsapp",
            "name": template.name,
            "category": template.category,
            "content_type": kind,
            "status": status,
            "rejection_reason": reason,
            "allow_category_change": true,
        },
    })
}

/// WhatsApp's own text, with a button that copies the code.
fn code(template: &Template) -> Value {
    let label = components(template).flat_map(|(_, one)| buttons(one)).map(|one| text(one, "text"));
    let label = label.into_iter().next().unwrap_or("Copy code");
    json!({"add_security_recommendation": true,
        "actions": [{"type": "COPY_CODE", "copy_code_text": label}]})
}

/// By the plainest type that has room for it.
fn content(template: &Template, row: &[Slot<'_>]) -> (&'static str, Value) {
    let (mut content, mut actions, mut kinds) = (Map::new(), Vec::new(), Vec::new());
    for (kind, component) in components(template) {
        let text = text(component, "text");
        match kind.as_str() {
            "HEADER" => match file(component) {
                Some((_, file)) => drop(content.insert("media".into(), json!([file]))),
                None => {
                    let text = renamed(text, Place::Header, row);
                    content.insert("header_text".into(), text.into());
                }
            },
            "BODY" => {
                content.insert("body".into(), renamed(text, Place::Body, row).into());
            }
            "FOOTER" => {
                content.insert("footer".into(), text.into());
            }
            "BUTTONS" => {
                for (at, button) in buttons(component).enumerate() {
                    kinds.push(self::kind(button));
                    actions.push(action(button, at, row));
                }
            }
            _ => {}
        }
    }
    let alone = content.len() == 1;
    let replies = kinds.iter().all(|kind| kind == "QUICK_REPLY");
    let kind = match (alone, actions.is_empty()) {
        (true, true) => "twilio/text",
        (true, false) if replies => "twilio/quick-reply",
        (true, false) if !kinds.iter().any(|kind| kind == "QUICK_REPLY") => "twilio/call-to-action",
        _ => "whatsapp/card",
    };
    if !actions.is_empty() {
        content.insert("actions".into(), actions.into());
    }
    (kind, content.into())
}

fn action(button: &Map<String, Value>, at: usize, row: &[Slot<'_>]) -> Value {
    let (kind, title) = (kind(button), text(button, "text"));
    let name = row.iter().find(|slot| slot.place == Place::Button(at)).map(|slot| &slot.name);
    match kind.as_str() {
        "URL" => {
            let url = renamed(text(button, "url"), Place::Button(at), row);
            json!({"type": kind, "title": title, "url": url})
        }
        "COPY_CODE" => {
            let code = name.map(|name| format!("{{{{{name}}}}}"));
            json!({"type": kind, "title": title, "code": code})
        }
        "PHONE_NUMBER" => {
            json!({"type": kind, "title": title, "phone": text(button, "phone_number")})
        }
        _ => json!({"type": kind, "title": title, "id": title}),
    }
}

/// The kind of a header that is a file, and where that is.
fn file(header: &Map<String, Value>) -> Option<(&'static str, String)> {
    let (kind, ending) = match text(header, "format").to_ascii_uppercase().as_str() {
        "IMAGE" => ("image", "jpg"),
        "VIDEO" | "GIF" => ("video", "mp4"),
        "DOCUMENT" => ("document", "pdf"),
        _ => return None,
    };
    Some((kind, format!("{FILES}.{ending}")))
}

/// A template with the values of a row, in the world's form.
pub fn message(template: &Template, values: &Map<String, Value>) -> Value {
    let mut sent = Vec::new();
    let of = |name: &str| values.get(name).and_then(Value::as_str);
    for (kind, component) in components(template) {
        let file = file(component).filter(|_| kind == "HEADER");
        if let Some((kind, link)) = file {
            let parameter = json!({"type": kind, kind: {"link": link}});
            sent.push(json!({"type": "header", "parameters": [parameter]}));
        }
        if kind == "BUTTONS" && template.category == Category::Authentication {
            let parameter = json!({"type": "text", "text": of("1").unwrap_or_default()});
            sent.push(
                json!({"type": "button", "sub_type": "url", "index": 0, "parameters": [parameter]}),
            );
        }
    }
    for slot in row(template) {
        let Some(text) = of(&slot.name) else { continue };
        let parameter = json!({"type": "text", "parameter_name": slot.own, "text": text});
        sent.push(match slot.place {
            Place::Header => json!({"type": "header", "parameters": [parameter]}),
            Place::Body => json!({"type": "body", "parameters": [parameter]}),
            Place::Button(at) => {
                let parameter = match slot.own {
                    "" => json!({"type": "coupon_code", "coupon_code": text}),
                    _ => parameter,
                };
                json!({"type": "button", "index": at, "parameters": [parameter]})
            }
        });
    }
    json!({
        "name": template.name,
        "language": {"code": template.language},
        "components": sent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::templates::{Draft, Templates, fill};

    fn template(category: &str, format: &str, components: Value) -> Template {
        let draft = json!({
            "name": "sale", "language": "en", "category": category, "status": "APPROVED",
            "parameter_format": format, "components": components,
        });
        let draft: Draft = serde_json::from_value(draft).unwrap();
        draft.check().unwrap();
        Templates::default().add(draft).unwrap().clone()
    }

    /// Its type, its content, and what a customer sees of it with these values.
    fn seen(template: &Template, values: Value) -> (String, Value, Option<Value>) {
        let entry = entry(template, "AC1");
        let (kind, content) = entry["types"].as_object().unwrap().iter().next().unwrap();
        let filled = fill(template, &message(template, values.as_object().unwrap()));
        (kind.clone(), content.clone(), filled.ok().map(|filled| json!(filled)))
    }

    #[test]
    fn the_parts_of_a_template_share_one_row() {
        let whole = template(
            "MARKETING",
            "POSITIONAL",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
                {"type": "BODY", "text": "{{1}} is {{2}} off. {{1}}!"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Stop"},
                    {"type": "URL", "text": "Look", "url": "https://x.test/{{1}}"},
                    {"type": "COPY_CODE", "text": "Copy", "example": "A"}]},
            ]),
        );
        let values = json!({"1": "Ana", "2": "Tea", "3": "half", "4": "tea", "5": "T50"});
        let (kind, content, filled) = seen(&whole, values);
        assert_eq!(
            (kind.as_str(), &content["header_text"]),
            ("whatsapp/card", &json!("For {{1}}"))
        );
        assert_eq!(content["body"], "{{2}} is {{3}} off. {{2}}!");
        assert_eq!(content["actions"][1]["url"], "https://x.test/{{4}}");
        assert_eq!(content["actions"][2]["code"], "{{5}}");
        let filled = filled.unwrap();
        assert_eq!(
            (&filled["header"]["text"], &filled["body"]),
            (&json!("For Ana"), &json!("Tea is half off. Tea!"))
        );
        assert_eq!(filled["buttons"][1]["payload"], "https://x.test/tea");
        assert_eq!(filled["buttons"][2]["payload"], "T50");
        assert_eq!(seen(&whole, json!({"1": "Ana"})).2, None, "Twilio says 63028");
    }

    #[test]
    fn the_plainest_type_is_taken() {
        let body = json!({"type": "BODY", "text": "Hi {{who}}"});
        let with = |more: Value| {
            let buttons = json!({"type": "BUTTONS", "buttons": more});
            template("UTILITY", "NAMED", json!([body, buttons]))
        };
        let kind = |template: &Template| seen(template, json!({"who": "Ana"})).0;
        let plain = template("UTILITY", "NAMED", json!([body]));
        assert_eq!(seen(&plain, json!({"who": "Ana"})).2.unwrap()["body"], "Hi Ana");
        assert_eq!(kind(&plain), "twilio/text");
        assert_eq!(
            kind(&with(json!([{"type": "QUICK_REPLY", "text": "a"}]))),
            "twilio/quick-reply"
        );
        let phone = json!([{"type": "PHONE_NUMBER", "text": "a", "phone_number": "+1"}]);
        assert_eq!(kind(&with(phone)), "twilio/call-to-action");
        let picture =
            template("UTILITY", "NAMED", json!([{"type": "HEADER", "format": "IMAGE"}, body]));
        let (kind, content, filled) = seen(&picture, json!({"who": "Ana"}));
        assert_eq!(
            (kind.as_str(), &content["media"][0]),
            ("whatsapp/card", &json!("https://files.example/header.jpg"))
        );
        assert!(filled.is_some());
        let code = template(
            "AUTHENTICATION",
            "POSITIONAL",
            json!([
                {"type": "BODY", "text": "{{1}} is your code"},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "text": "Copy", "otp_type": "COPY_CODE"}]},
            ]),
        );
        let (kind, content, filled) = seen(&code, json!({"1": "123"}));
        assert_eq!(
            (kind.as_str(), &content["actions"][0]["copy_code_text"]),
            ("whatsapp/authentication", &json!("Copy"))
        );
        assert_eq!(filled.unwrap()["buttons"][0]["payload"], "123");
    }
}
