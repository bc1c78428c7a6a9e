//! Which sends the simulator takes, and with which error it refuses the others.

use super::*;
use serde_json::json;

fn check(kind: &str, content: Value) -> Result<(), (u32, String)> {
    let sent = json!({"messaging_product": "whatsapp", "to": "1650 555-1234", "type": kind,
        kind: content});
    body(sent.to_string().as_bytes())
        .map(|_| ())
        .map_err(|refusal| (refusal.problem.code, refusal.problem.details))
}

fn fine(kind: &str, content: Value) {
    assert_eq!(check(kind, content.clone()), Ok(()), "{content}");
}

fn refused(code: u32, name: &str, kind: &str, content: Value) {
    let (got, details) = check(kind, content.clone()).expect_err(&content.to_string());
    assert_eq!((got, details.contains(name)), (code, true), "{details}");
}

#[test]
fn text_is_limited_in_characters_not_bytes() {
    fine("text", json!({"body": "é".repeat(4_096)}));
    refused(131009, "body", "text", json!({"body": "é".repeat(4_097)}));
    refused(131008, "body", "text", json!({"body": ""}));
    refused(131008, "text", "text", Value::Null);
    refused(131051, "fax", "fax", json!({}));
}

#[test]
fn buttons_and_lists_have_their_limits() {
    let button =
        |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let buttons = |buttons: Vec<Value>| {
        let action = json!({"buttons": buttons});
        json!({"type": "button", "body": {"text": "?"}, "action": action})
    };
    fine("interactive", buttons(vec![button("a", "A"), button("b", "B"), button("c", "C")]));
    refused(131009, "buttons", "interactive", buttons(vec![]));
    refused(131009, "title", "interactive", buttons(vec![button("a", &"x".repeat(21))]));
    refused(131009, "unique", "interactive", buttons(vec![button("a", "A"), button("a", "B")]));
    let list = |rows: usize, sections: usize| {
        let rows = |s: usize| -> Vec<Value> {
            (0..rows).map(|r| json!({"id": format!("{s}-{r}"), "title": "row"})).collect()
        };
        let sections: Vec<Value> =
            (0..sections).map(|s| json!({"title": "part", "rows": rows(s)})).collect();
        json!({"type": "list", "body": {"text": "?"},
            "action": {"button": "Choose", "sections": sections}})
    };
    fine("interactive", list(10, 1));
    fine("interactive", list(1, 10));
    refused(131009, "rows", "interactive", list(11, 1));
    refused(131009, "rows", "interactive", list(6, 2));
    refused(131009, "sections", "interactive", list(1, 11));
}

#[test]
fn media_location_contacts_reactions_and_templates() {
    fine("image", json!({"link": "https://x.test/a.jpg", "caption": "a"}));
    refused(131008, "link", "image", json!({"caption": "a"}));
    refused(131009, "caption", "audio", json!({"id": "1", "caption": "a"}));
    fine("location", json!({"latitude": 52.5, "longitude": "13.4"}));
    refused(131009, "latitude", "location", json!({"latitude": 91, "longitude": 0}));
    fine("contacts", json!([{"name": {"formatted_name": "A B", "first_name": "A"}}]));
    refused(131009, "first_name", "contacts", json!([{"name": {"formatted_name": "A"}}]));
    fine("reaction", json!({"message_id": "wamid.1", "emoji": ""}));
    let template = |name: &str, text: &str| {
        json!({"name": name, "language": {"code": "en"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": text}]}]})
    };
    fine("template", template("spring_sale", "Ana"));
    refused(132001, "Spring", "template", template("Spring Sale", "Ana"));
    refused(131008, "text", "template", template("spring_sale", ""));
    refused(131008, "language", "template", json!({"name": "a"}));
}

#[test]
fn the_recipient_is_a_number_or_a_user_id() {
    let to = |extra: Value| {
        let mut sent = json!({"messaging_product": "whatsapp", "text": {"body": "a"}});
        sent.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match body(sent.to_string().as_bytes()) {
            Ok(Body::Send(send)) => Ok(send.target),
            Ok(Body::Read { .. }) => unreachable!(),
            Err(refusal) => Err(refusal.problem.code),
        }
    };
    let user = "US.13491208655302741918";
    assert_eq!(to(json!({"to": "+1 650"})), Err(131009));
    assert_eq!(to(json!({"to": "+1 6505"})), Ok(Target::Number("16505".into())));
    assert_eq!(to(json!({"recipient": user})), Ok(Target::User(user.into())));
    assert_eq!(to(json!({"to": "16505", "recipient": user})), Ok(Target::Number("16505".into())));
    assert_eq!(to(json!({"to": user})), Ok(Target::Lost));
    assert_eq!(to(json!({})), Err(100));
}

#[test]
fn real_requests_are_accepted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/whatsapp/send");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: no real requests at {folder}");
        return;
    };
    let (mut checked, mut refused) = (0, Vec::new());
    for file in files.map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("messages_post__send") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        // Placeholders of the documentation, made into what they stand for.
        let text = text
            .replace("http(s)://", "https://")
            .replace("\"<https", "\"https")
            .replace("template-name", "template_name")
            .replace("language-and-locale-code", "en_US")
            .replace("<HEADER_TYPE>", "text")
            .replace("<TEMPLATE_NAME>", "template_name");
        let mut request = serde_json::from_str::<Value>(&text).unwrap()["request"].take();
        if request["to"].as_str().is_none_or(|to| names::digits(to).is_none()) {
            request["to"] = "16505551234".into();
        }
        // One sample leaves its type out.
        if request["type"].is_null() && request["interactive"].is_object() {
            request["type"] = "interactive".into();
        }
        if let Err(refusal) = body(request.to_string().as_bytes()) {
            refused.push(format!("{name}: {}", refusal.problem.details));
        }
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
    assert!(refused.is_empty(), "{refused:#?}");
}
