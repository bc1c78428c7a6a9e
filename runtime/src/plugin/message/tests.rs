//! Every kind goes into its JSON and comes back; the page that shows them is
//! true; what is wrong is named with its path.

use super::*;
use crate::provider::{Provider, meta::Meta};
use serde_json::json;
use std::collections::BTreeSet;

fn provider() -> Meta {
    let config = serde_json::from_value(json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    }));
    Meta::new(&config.unwrap())
}

/// The examples of `docs/messages.md`: `{"KIND": …}` each.
fn examples() -> Vec<(String, Value)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/messages.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let example = |block: &str| {
        let json: Value =
            serde_json::from_str(block).unwrap_or_else(|why| panic!("{why}: {block}"));
        let (kind, json) = json.as_object().unwrap().iter().next().unwrap();
        (kind.clone(), json.clone())
    };
    blocks.map(example).collect()
}

#[test]
fn every_example_of_the_page_is_a_message_that_can_be_sent() {
    let mut shown = BTreeSet::new();
    for (kind, json) in examples() {
        let form =
            MessageForm::read(&kind, &json.to_string()).unwrap_or_else(|why| panic!("{why}"));
        let message = Outgoing::from(form.clone());
        assert_eq!(MessageForm::from(message.clone()), form, "{kind}");
        let back = serde_json::to_value(&form).unwrap();
        let back = back.as_object().unwrap().values().next().unwrap();
        assert_eq!(back, &json, "{kind}");
        assert_eq!(provider().fit(message.clone()), Ok(vec![message]), "{kind}");
        shown.insert(kind);
    }
    let all: BTreeSet<_> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(shown, all);
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    for (kind, json, path, said) in [
        ("lnik", "{}", "`lnik`", "there are text, buttons, list"),
        ("read", "{}", "`read`", "no kind of message"),
        ("link", "{", "the JSON of a link", "EOF"),
        ("link", r#"{"body": "b", "label": "l"}"#, "at `link`", "missing field `url`"),
        (
            "link",
            r#"{"body": "b", "label": "l", "url": "u", "colour": "red"}"#,
            "at `link.colour`",
            "unknown field `colour`",
        ),
        (
            "list",
            r#"{"body": "b", "label": "l", "sections": [{"rows": [{"id": 7, "title": "t"}]}]}"#,
            "at `list.sections[0].rows[0].id`",
            "expected a string",
        ),
        (
            "template",
            r#"{"name": "t", "language": "en", "category": "loud"}"#,
            "at `template.category`",
            "unknown variant `loud`",
        ),
        ("interactive", "[]", "at `interactive`", "expected a map"),
    ] {
        let error = MessageForm::read(kind, json).unwrap_err();
        assert!(error.contains(path) && error.contains(said), "{error}");
    }
}
