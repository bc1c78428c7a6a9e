//! Which values fit into a template, and what moderation does.

use super::*;

fn template(format: Format, components: Value) -> Template {
    let draft = Draft {
        name: "sale".into(),
        language: "en".into(),
        category: Category::Marketing,
        parameter_format: format,
        components: serde_json::from_value(components).unwrap(),
        status: Some(Review::Approved),
    };
    draft.check().unwrap();
    assert_eq!(draft.fault(), None);
    Templates::default().add(draft).unwrap().clone()
}

fn code(template: &Template, components: Value) -> Option<u32> {
    fill(template, &json!({"components": components})).err().map(|problem| problem.code)
}

fn body(values: &[&str]) -> Value {
    let values: Vec<_> = values.iter().map(|v| json!({"type": "text", "text": v})).collect();
    json!([{"type": "body", "parameters": values}])
}

#[test]
fn values_are_put_in_or_refused_as_by_meta() {
    let sale = template(
        Format::Positional,
        json!([{"type": "HEADER", "format": "TEXT", "text": "Sale!"},
            {"type": "BODY", "text": "Hi {{1}}, {{2}} off. {{1}}?"},
            {"type": "FOOTER", "text": "Bye"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "Look", "url": "https://x.test/{{1}}"}]}]),
    );
    let mut sent = body(&["Ana", "{{1}} %"]);
    assert_eq!(code(&sale, sent.clone()), Some(131008), "the link wants its value");
    let link = json!({"type": "button", "sub_type": "url", "index": "1",
        "parameters": [{"type": "text", "text": "7"}]});
    sent.as_array_mut().unwrap().push(link);
    let filled = fill(&sale, &json!({"components": sent})).unwrap();
    assert_eq!(filled.body, "Hi Ana, {{1}} % off. Ana?");
    assert_eq!(filled.header, Some(fill::Header::Text("Sale!".into())));
    assert_eq!(filled.buttons[0].payload.as_deref(), Some("Stop"));
    assert_eq!(filled.buttons[1].payload.as_deref(), Some("https://x.test/7"));
    for wrong in [body(&["Ana"]), body(&["Ana", "5", "6"]), json!([])] {
        assert_eq!(code(&sale, wrong), Some(132000));
    }
    assert_eq!(code(&sale, body(&["Ana", ""])), Some(131008));
    assert_eq!(code(&sale, body(&["Ana", "a\nb"])), Some(132007));
    assert_eq!(code(&sale, body(&["Ana", &"x".repeat(1_024)])), Some(132005));
    let image = json!([{"type": "body", "parameters": [{"type": "image"}, {"type": "image"}]}]);
    assert_eq!(code(&sale, image), Some(132012));
}

#[test]
fn named_values_need_their_names() {
    let hello = template(Format::Named, json!([{"type": "body", "text": "Hi {{name}}"}]));
    let named = |name: Value| {
        json!([{"type": "body", "parameters": [
            {"type": "text", "text": "Ana", "parameter_name": name}]}])
    };
    assert_eq!(code(&hello, named("name".into())), None);
    assert_eq!(code(&hello, named("".into())), Some(100));
    assert_eq!(code(&hello, body(&["Ana"])), Some(100));
    assert_eq!(code(&hello, named("nome".into())), Some(132000));
}

#[test]
fn a_picture_on_top_is_needed_and_of_the_right_kind() {
    let shown = template(
        Format::Positional,
        json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look"}]),
    );
    let header =
        |kind: &str| json!([{"type": "header", "parameters": [{"type": kind, kind: {"id": "1"}}]}]);
    assert_eq!(code(&shown, header("image")), None);
    assert_eq!(code(&shown, header("video")), Some(132012));
    assert_eq!(code(&shown, json!([])), Some(132012));
}

#[test]
fn a_review_finds_what_meta_finds() {
    let draft = |name: &str, text: &str| Draft {
        name: name.into(),
        language: "en".into(),
        category: Category::Utility,
        parameter_format: Format::Positional,
        components: vec![json!({"type": "BODY", "text": text})],
        status: None,
    };
    assert!(draft("Sale", "x").check().is_err());
    assert!(draft("sale", "").check().is_err());
    assert!(draft("sale", &"x".repeat(1_025)).check().is_err());
    assert!(draft("sale", "{{1}}{{2}} x").fault().is_some());
    assert!(draft("sale", "{{2}} x").fault().is_some());
    assert!(draft("sale", "{{1}} and {{2}}").fault().is_none());
}

#[test]
fn decisions_make_news_and_pauses_end() {
    let mut sale = template(Format::Positional, json!([{"type": "BODY", "text": "x"}]));
    let pause = Decision { status: Some(Review::Paused), ..Decision::default() };
    let news = sale.decide(pause.clone(), 0);
    assert_eq!(news[0].0, "message_template_status_update");
    assert_eq!(news[0].1["event"], "PAUSED");
    assert_eq!(sale.pause(), Some(10_800_000));
    assert_eq!(sale.may_be_sent().unwrap_err().code, 132015);
    assert!(sale.decide(pause, 0).is_empty(), "nothing is new");
    let change = Decision {
        category: Some(Category::Utility),
        quality: Some(Quality::Red),
        ..Decision::default()
    };
    let fields: Vec<_> = sale.decide(change, 0).iter().map(|news| news.0).collect();
    assert_eq!(fields, ["message_template_quality_update", "template_category_update"]);
}

#[test]
fn a_file_of_templates_is_read_in_both_forms() {
    let one = json!({"name": "a", "language": "en", "category": "UTILITY", "id": "7",
        "components": [{"type": "BODY", "text": "x"}]});
    for text in [json!([one]), json!({"data": [one]})] {
        let drafts = templates_of(&text.to_string()).unwrap();
        assert_eq!(drafts[0].status, Some(Review::Approved));
    }
    let wrong = json!([one, {"name": "B", "language": "en", "category": "UTILITY"}]);
    let why = templates_of(&wrong.to_string()).unwrap_err();
    assert!(why.starts_with("template 2 (B): the name needs"), "{why}");
    assert!(templates_of("{}").is_err());
}
