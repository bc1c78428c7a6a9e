//! What the tagger does with messages, run natively.

use super::*;
use switchboard_plugin::testing::{Effect, Stage, configure};

fn tagger(rules: &str) -> Tagger {
    configure(rules).unwrap()
}

fn media(kind: &str, caption: Option<&str>) -> Content {
    Content::Media(Media {
        kind: kind.into(),
        id: "1".into(),
        mime_type: "image/jpeg".into(),
        caption: caption.map(Into::into),
        filename: None,
    })
}

#[test]
fn words_tag_and_the_reason_names_them() {
    let tagger = tagger(r#"{"tag": [{"name": "complaint", "any": ["terrible", "投诉"]}]}"#);
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "All fine").effects, []);
    let turn = stage.says(&tagger, "This is TERRIBLE!");
    assert_eq!(turn.effects, [Effect::Tag { name: "complaint".into(), expires: None }]);
    assert_eq!(turn.because, ["+ complaint: `terrible` occurs"]);
    assert_eq!(turn.verdict, Ok(Continue));
    // Again: nothing to change.
    assert_eq!(stage.says(&tagger, "我要投诉").effects, []);
    assert_eq!(Stage::default().says(&tagger, "我要投诉").effects.len(), 1);
    assert_eq!(Stage::default().says(&tagger, "terribly nice").effects, []);
}

#[test]
fn all_none_and_removal() {
    let tagger = tagger(
        r#"{"tag": [
            {"name": "order", "all": ["order", "late"], "none": ["not late"]},
            {"name": "order", "any": ["it came"], "remove": true}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "it came").effects, []);
    assert_eq!(stage.says(&tagger, "my order is not late").effects, []);
    assert_eq!(stage.says(&tagger, "my order").effects, []);
    assert_eq!(stage.says(&tagger, "late is my order").effects.len(), 1);
    assert!(stage.contact.tags.contains("order"));
    assert_eq!(stage.says(&tagger, "It came!").effects, [Effect::Untag("order".into())]);
}

#[test]
fn kinds_and_expiry() {
    let tagger = tagger(
        r#"{"tag": [
            {"name": "sent-photo", "kinds": ["image"], "expires_days": 2},
            {"name": "broken", "kinds": ["image"], "any": ["broken"]}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "broken").effects, []);
    let until = stage.now + 2 * DAY_MS;
    let turn = stage.sends(&tagger, media("image", None));
    assert_eq!(turn.effects, [Effect::Tag { name: "sent-photo".into(), expires: Some(until) }]);
    // Its expiry moves.
    stage.now += DAY_MS;
    let turn = stage.sends(&tagger, media("image", Some("It arrived BROKEN")));
    assert_eq!(turn.effects.len(), 2);
    assert!(
        matches!(turn.effects[0], Effect::Tag { expires: Some(at), .. } if at == until + DAY_MS)
    );
    assert_eq!(stage.sends(&tagger, media("sticker", None)).effects, []);
}

#[test]
fn a_rule_that_fits_everything_is_a_mistake() {
    let problems = configure::<Tagger>(
        r#"{"tag": [{"name": "x", "none": ["a"]}, {"name": "y", "any": ["?"]}]}"#,
    );
    let paths: Vec<String> = problems.err().unwrap().into_iter().map(|p| p.path).collect();
    assert_eq!(paths, ["/tag/0", "/tag/1/any/0"]);
}
