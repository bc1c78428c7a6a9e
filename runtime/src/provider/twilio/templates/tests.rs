//! Twilio's lists in its own form.

use super::*;
use serde_json::json;

fn page(body: &Value) -> TemplatePage {
    read(200, body.to_string().as_bytes()).unwrap()
}

fn entry(kind: &str, content: Value) -> Value {
    json!({
        "date_created": "2025-03-31T15:50:24Z", "date_updated": "2025-04-01T08:00:00Z",
        "sid": "HX0123456789abcdef0123456789abcdef",
        "account_sid": "AC0123456789abcdef0123456789abcdef",
        "friendly_name": "Ours, second try", "language": "en",
        "variables": {"1": "Ann", "2": "shoes"},
        "types": {kind: content},
        "approval_requests": {
            "type": "whatsapp", "name": "order_ready", "category": "UTILITY",
            "content_type": kind, "status": "approved", "rejection_reason": "",
            "allow_category_change": true,
        },
    })
}

fn form_of(kind: &str, content: Value) -> TemplateForm {
    let mut page = page(&json!({"contents": [entry(kind, content)], "meta": {}}));
    assert_eq!((page.forms.len(), page.unread), (1, 0));
    page.forms.remove(0)
}

fn row_of(form: &TemplateForm) -> Vec<&str> {
    form.row.as_ref().unwrap().iter().map(String::as_str).collect()
}

#[test]
fn a_content_goes_by_the_name_that_whatsapp_knows() {
    let form = form_of("twilio/text", json!({"body": "Hi {{1}}, your {{2}}. Bye {{1}}"}));
    assert_eq!(form.id, "HX0123456789abcdef0123456789abcdef");
    assert_eq!((form.name.as_str(), form.language.as_str()), ("order_ready", "en"));
    assert_eq!((form.category, form.named), (Some(Category::Utility), false));
    assert!(form.is_live() && form.reason.is_none());
    assert_eq!(row_of(&form), ["1", "2"]);
    // One that was never handed in has its own name alone, and may not go.
    let mut draft = entry("twilio/text", json!({"body": "a"}));
    for approval in [Value::Null, json!({"status": "unsubmitted"})] {
        draft["approval_requests"] = approval;
        let draft = page(&json!({"contents": [draft]})).forms.remove(0);
        assert_eq!((draft.name.as_str(), draft.category), ("Ours, second try", None));
        assert_eq!(draft.status, TemplateStatus::Unsubmitted);
        assert!(!draft.is_live());
    }
    // Of what has no name nothing is known.
    draft["friendly_name"] = "".into();
    assert_eq!(page(&json!({"contents": [draft, {}, 1]})).unread, 3);
}

#[test]
fn only_what_is_approved_may_go() {
    for (word, live) in [
        ("approved", true),
        ("pending", false),
        ("received", false),
        ("unsubmitted", false),
        ("rejected", false),
        ("paused", false),
        ("disabled", false),
    ] {
        let mut one = entry("twilio/text", json!({"body": "a"}));
        one["approval_requests"]["status"] = word.into();
        one["approval_requests"]["rejection_reason"] = "a variable at the end".into();
        let form = page(&json!({"contents": [one]})).forms.remove(0);
        assert_eq!(form.is_live(), live, "{word}");
        assert!(!matches!(form.status, TemplateStatus::Other(_)), "{word}");
        assert_eq!(form.reason.as_deref(), Some("a variable at the end"));
    }
}

#[test]
fn each_type_has_its_parts_and_one_row_of_variables() {
    let reply = |title: &str| json!({"title": title, "id": "yes_{{3}}", "type": "QUICK_REPLY"});
    let form = form_of("twilio/quick-reply", json!({"body": "{{1}}?", "actions": [reply("Yes")]}));
    assert_eq!(form.parts.buttons[0].kind, FormButtonKind::Reply);
    assert_eq!(row_of(&form), ["1", "3"]);

    let form = form_of(
        "twilio/call-to-action",
        json!({"body": "Sale", "actions": [
            {"type": "URL", "title": "Shop", "url": "https://a.example/{{1}}"},
            {"type": "PHONE_NUMBER", "title": "Call", "phone": "+15550001111"},
            {"type": "COPY_CODE", "title": "Copy", "code": "{{2}}"},
        ]}),
    );
    let kinds: Vec<_> = form.parts.buttons.iter().map(|button| button.kind.clone()).collect();
    let link = FormButtonKind::Link("https://a.example/{{1}}".into());
    let phone = FormButtonKind::Plain("PHONE_NUMBER".into());
    assert_eq!(kinds, [link, phone, FormButtonKind::CopyCode]);
    assert_eq!(row_of(&form), ["1", "2"]);

    let form =
        form_of("twilio/media", json!({"body": "Menu", "media": ["https://x/menu.PDF?a=1"]}));
    assert_eq!(form.parts.header, FormHeader::Media(MediaKind::Document));
    let form = form_of("twilio/media", json!({"body": null, "media": ["https://x/{{11}}{{2}}"]}));
    assert_eq!(form.parts.header, FormHeader::Other("MEDIA".into()));
    assert_eq!((row_of(&form), &form.parts.body), (vec!["2", "11"], &None));

    let list =
        json!({"body": "Which?", "button": "Choose", "items": [{"item": "{{who}}", "id": "1"}]});
    let form = form_of("twilio/list-picker", list);
    assert_eq!((row_of(&form), form.named), (vec!["who"], true));
    assert_eq!(form.parts.buttons[0].label, "Choose");

    let card = json!({"title": "At {{1}}.", "subtitle": "Bye", "body": null,
        "media": ["https://x/owl.jpg"], "actions": [reply("Stop")]});
    let form = form_of("twilio/card", card);
    assert_eq!(form.parts.body.as_deref(), Some("At {{1}}."));
    assert_eq!(form.parts.header, FormHeader::Media(MediaKind::Image));
    assert_eq!(form.footer.as_deref(), Some("Bye"));

    let card = json!({"header_text": "For {{1}}", "body": "b", "footer": "f", "actions": []});
    let form = form_of("whatsapp/card", card);
    assert_eq!(form.parts.header, FormHeader::Text("For {{1}}".into()));
    assert_eq!((form.footer.as_deref(), row_of(&form)), (Some("f"), vec!["1"]));

    let code = json!({"add_security_recommendation": true, "code_expiration_minutes": 5,
        "actions": [{"type": "COPY_CODE", "copy_code_text": "Copy"}]});
    let form = form_of("whatsapp/authentication", code);
    let button = FormButton { label: "Copy".into(), kind: FormButtonKind::OneTimeCode };
    assert_eq!((row_of(&form), &form.parts.body), (vec!["1"], &None));
    assert_eq!(form.parts.buttons, [button]);

    let cards = json!({"body": "See {{1}}", "cards": [
        {"title": "One", "body": "{{2}}", "media": "https://x/1.png", "actions": [reply("A")]},
        {"title": "Two", "body": "", "media": "https://x/2.mp4", "actions": []},
    ]});
    let form = form_of("twilio/carousel", cards);
    assert_eq!((row_of(&form), form.cards.len()), (vec!["1", "2", "3"], 2));
    assert_eq!(form.cards[0].body.as_deref(), Some("One\n{{2}}"));
    assert_eq!(form.cards[1].header, FormHeader::Media(MediaKind::Video));
}

#[test]
fn of_several_forms_the_one_that_was_handed_in_counts() {
    let mut both = entry("twilio/text", json!({"body": "plain"}));
    both["types"]["whatsapp/card"] = json!({"body": "card {{1}}"});
    let body = |entry: &Value| {
        let form = page(&json!({"contents": [entry]})).forms.remove(0);
        form.parts.body.unwrap()
    };
    assert_eq!(body(&both), "plain");
    both["approval_requests"]["content_type"] = "".into();
    assert_eq!(body(&both), "card {{1}}");
}

#[test]
fn a_page_says_where_the_next_begins_and_never_on_which_host() {
    let next = |url: Value| {
        let body = json!({"contents": [], "meta": {"next_page_url": url, "page_size": 500}});
        read(200, body.to_string().as_bytes())
    };
    assert_eq!(next(Value::Null).unwrap().next, None);
    let url = "https://evil.example/v1/ContentAndApprovals?PageSize=500&Page=1&PageToken=DN%3D";
    let after = next(url.into()).unwrap().next.unwrap();
    let auth = || Auth::Bearer("t".into());
    let host = "https://content.twilio.com";
    let asked = ask(host, auth(), Some(&after)).url;
    assert_eq!(asked, format!("{host}/v1/ContentAndApprovals?PageSize=500&Page=1&PageToken=DN%3D"));
    assert_eq!(ask(host, auth(), None).url, format!("{host}/v1/ContentAndApprovals?PageSize=500"));
    // A list that breaks off is no list.
    for odd in ["https://content.twilio.com/v1", "/v1?", "/v1?a=b c", "/v1?a#b"] {
        assert!(next(odd.into()).unwrap_err().reason.contains("odd address"), "{odd}");
    }
}

#[test]
fn what_is_no_list_is_trouble_with_its_class() {
    let error = |status, body: &str| read(status, body.as_bytes()).unwrap_err();
    let denied = r#"{"code":20003,"message":"Authenticate","status":401}"#;
    let denied = error(401, denied);
    assert_eq!(denied.class, ErrorClass::PauseChannel);
    assert!(denied.reason.contains("auth_token"), "{}", denied.reason);
    assert_eq!(error(429, r#"{"code":20429,"message":"Too Many"}"#).class, ErrorClass::Retry);
    let odd = error(200, "{}");
    assert!(odd.class == ErrorClass::Retry && odd.reason.contains("no list"), "{}", odd.reason);
    assert_eq!(error(502, "<html>").class, ErrorClass::Retry);
}
