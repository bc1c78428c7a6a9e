//! Webhooks as Meta sends them, and as nobody should.

use super::*;
use crate::model::{Choice, Content, MediaKind, Message, Pricing, Receipt, ReceiptState};
use serde_json::json;

fn here() -> ChannelId {
    ChannelId::new("main")
}

pub(super) fn read(body: &Value) -> Vec<Happening> {
    let other = |number: &str| match number {
        "1" => Some(here()),
        "2" => Some(ChannelId::new("other")),
        _ => None,
    };
    parse(body.to_string().as_bytes(), &here(), &other).unwrap()
}

pub(super) fn envelope(field: &str, value: Value) -> Value {
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": "9", "changes": [{"field": field, "value": value}]}]})
}

fn messages(list: Value) -> Vec<Happening> {
    read(&envelope("messages", json!({"metadata": {"phone_number_id": "1"}, "messages": list})))
}

fn message(extra: Value) -> Message {
    let mut whole = json!({"id": "wamid.1", "from": "15551", "timestamp": "1700000000"});
    whole.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    match messages(json!([whole])).remove(0).kind {
        EventKind::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn content_of(happening: &Happening) -> &Content {
    match &happening.kind {
        EventKind::Message(message) => &message.content,
        other => panic!("{other:?}"),
    }
}

pub(super) fn news(happening: &Happening) -> &News {
    match &happening.kind {
        EventKind::Account { news, .. } => news,
        other => panic!("{other:?}"),
    }
}

pub(super) fn field(happening: &Happening) -> &str {
    match &happening.kind {
        EventKind::Account { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_update_of_a_batch_is_read_and_routed() {
    let text = |id: &str, from: &str| json!({"id": id, "from": from, "timestamp": 5, "type": "text", "text": {"body": id}});
    let value = |number: &str, list: Value| {
        json!({"field": "messages",
               "value": {"metadata": {"phone_number_id": number}, "messages": list,
                         "contacts": [{"wa_id": "2", "profile": {"name": "Bo"}},
                                      {"wa_id": "1", "profile": {"name": "Al"}}]}})
    };
    let body = json!({"entry": [
        {"id": "9", "changes": [value("1", json!([text("a", "1"), text("b", "2")]))]},
        {"id": "9", "changes": [value("2", json!([text("c", "1")])), value("3", json!([text("d", "1")]))]},
    ]});
    let all = read(&body);
    let names: Vec<_> =
        all.iter().map(|one| one.sender.as_ref().and_then(|s| s.name.clone())).collect();
    assert_eq!(names, [Some("Al".into()), Some("Bo".into()), Some("Al".into()), None]);
    let channels: Vec<_> = all.iter().map(|one| one.channel.as_str()).collect();
    assert_eq!(channels, ["main", "main", "other", "main"]);
    assert_eq!(all[0].raw, text("a", "1").to_string());
    // A number of nobody here: kept, and in no contact's lane.
    assert_eq!(field(&all[3]), "messages for number 3");
    assert!(all[3].raw.contains("\"d\"") && all[3].sender.is_none());
}

#[test]
fn each_type_has_its_content() {
    let text = message(json!({"type": "text", "text": {"body": " hi\n"}, "context":
        {"id": "wamid.0", "from": "1"}, "referral": {"source_id": "7"}}));
    assert_eq!(text.content, Content::Text(" hi\n".into()));
    assert_eq!(text.sent_at, 1_700_000_000_000);
    assert_eq!(text.replies_to.as_deref(), Some("wamid.0"));
    assert_eq!(text.referral.as_deref(), Some(r#"{"source_id":"7"}"#));
    assert!(!text.forwarded);
    for flag in ["forwarded", "frequently_forwarded"] {
        assert!(message(json!({"type": "text", "context": {flag: true}})).forwarded);
    }
    let tap = |id: &str| Content::Choice(Choice { id: id.into(), title: "Yes".into() });
    let button = json!({"type": "button", "button": {"payload": "p", "text": "Yes"}});
    assert_eq!(message(button).content, tap("p"));
    for kind in ["button_reply", "list_reply"] {
        let reply = json!({"type": kind, kind: {"id": "y", "title": "Yes"}});
        assert_eq!(message(json!({"type": "interactive", "interactive": reply})).content, tap("y"));
    }
    for (kind, body, expected) in [
        ("image", json!({"id": "7", "caption": "c"}), MediaKind::Image),
        ("audio", json!({"id": "7"}), MediaKind::Audio),
        ("audio", json!({"id": "7", "voice": true}), MediaKind::Voice),
        ("sticker", json!({"id": "7"}), MediaKind::Sticker),
        ("document", json!({"id": "7", "filename": "f.pdf"}), MediaKind::Document),
    ] {
        let Content::Media(media) = message(json!({"type": kind, kind: body})).content else {
            panic!("{kind}");
        };
        assert_eq!((media.kind, media.id.as_str()), (expected, "7"));
    }
    let gone = json!({"type": "reaction", "reaction": {"message_id": "wamid.0"}});
    let Content::Reaction(reaction) = message(gone).content else { panic!() };
    assert_eq!((reaction.message_id.as_str(), reaction.emoji), ("wamid.0", None));
    let place = json!({"type": "location", "location": {"latitude": 1, "longitude": -2.5}});
    let Content::Location(place) = message(place).content else { panic!() };
    assert_eq!((place.latitude, place.longitude), (1.0, -2.5));
}

#[test]
fn what_has_no_form_of_ours_is_kept_by_name() {
    let finer = |kind: &str, body: Value| json!({"type": "interactive", "interactive": {"type": kind, kind: body}});
    for (extra, kind, json) in [
        (json!({"type": "order", "order": {"x": 1}}), "order", r#"{"x":1}"#),
        (json!({"type": "contacts", "contacts": []}), "contacts", "[]"),
        (json!({"type": "contacts", "contacts": [7]}), "contacts", "[7]"),
        (json!({}), "unknown", "{}"),
        (json!({"type": "text", "text": "hi"}), "text", r#""hi""#),
        (
            json!({"type": "edit", "edit": {"original_message_id": "w"}}),
            "edit",
            r#"{"original_message_id":"w"}"#,
        ),
        (json!({"type": "revoke"}), "revoke", "{}"),
        (
            finer("call_permission_reply", json!({"response": "accept"})),
            "call_permission_reply",
            r#"{"response":"accept"}"#,
        ),
        (finer("payment_method", json!({"a": 1})), "payment_method", r#"{"a":1}"#),
        (finer("nfm_reply", json!({"name": "flow"})), "nfm_reply", r#"{"name":"flow"}"#),
        (json!({"type": "interactive"}), "interactive", "{}"),
        (json!({"type": "hologram", "hologram": 3}), "hologram", "3"),
    ] {
        let expected = Content::Other { kind: kind.into(), json: json.into() };
        assert_eq!(message(extra).content, expected);
    }
}

#[test]
fn what_a_bot_may_not_see_says_why() {
    let errors = json!([{"code": 131_051, "title": "t", "error_data": {"details": "why"}}]);
    for (extra, kind, reason) in [
        (
            json!({"type": "unsupported", "unsupported": {"type": "gif"}, "errors": errors}),
            Some("gif"),
            "why",
        ),
        (json!({"type": "unsupported", "errors": errors}), None, "why"),
        (json!({"type": "unsupported"}), None, ""),
        (json!({"type": "unknown", "errors": errors}), None, "why"),
        (json!({"type": "image", "errors": [{"code": 131_052}]}), Some("image"), ""),
    ] {
        let kind = kind.map(str::to_owned);
        let expected = Content::Unsupported { kind, reason: reason.into() };
        assert_eq!(message(extra).content, expected);
    }
}

#[test]
fn baskets_and_answers_of_flows_are_read() {
    let item = |quantity: Value, price: Value| {
        json!({"type": "order", "order": {"catalog_id": "c", "text": "", "product_items":
            [{"product_retailer_id": "p", "quantity": quantity, "item_price": price,
              "currency": "EUR"}]}})
    };
    for (quantity, price) in [(json!(2), json!(3.5)), (json!("2"), json!("3.5"))] {
        let Content::Order(order) = message(item(quantity, price)).content else { panic!() };
        assert_eq!((order.text, order.items[0].quantity, order.items[0].price), (None, 2, 3.5));
    }
    for (quantity, price) in
        [(json!(-1), json!(1)), (json!(0.5), json!(1)), (json!(1), json!("NaN"))]
    {
        assert!(matches!(message(item(quantity, price)).content, Content::Other { .. }));
    }
    for (given, response) in [
        (json!("{\"b\": 1, \"a\": null}"), r#"{"a":null,"b":1}"#),
        (json!("[1]"), "[1]"),
        (json!("no json"), r#""no json""#),
        (json!({"a": 1}), r#"{"a":1}"#),
    ] {
        let flow = json!({"type": "interactive", "interactive": {"type": "nfm_reply",
            "nfm_reply": {"response_json": given, "name": "flow", "body": "Sent"}}});
        let Content::Flow(flow) = message(flow).content else { panic!() };
        assert_eq!((flow.response.as_str(), flow.name.as_deref()), (response, Some("flow")));
    }
}

#[test]
fn a_hash_is_told_in_hexadecimal() {
    let bytes = "ab".repeat(32);
    let base64 = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=";
    for (given, told) in [
        (bytes.to_uppercase().as_str(), Some(bytes.clone())),
        (base64, Some(bytes.clone())),
        (base64.trim_end_matches('='), Some(bytes.clone())),
        ("abcd", None),
        ("?", None),
    ] {
        let image = json!({"type": "image", "image": {"id": "7", "sha256": given, "url": "u"}});
        let Content::Media(media) = message(image).content else { panic!() };
        assert_eq!((media.sha256, media.url.as_deref()), (told, Some("u")), "{given}");
    }
}

#[test]
fn edits_hold_what_the_message_says_now() {
    let edit = |inner: Value| {
        let body = json!({"original_message_id": "w", "message": inner});
        message(json!({"type": "edit", "edit": body}))
    };
    let text = json!({"type": "text", "text": {"body": "new"}, "context": {"id": "q"}});
    let edited = edit(text.clone());
    let Content::Edit(new) = edited.content else { panic!() };
    assert_eq!((new.message_id.as_str(), *new.content), ("w", Content::Text("new".into())));
    assert_eq!(edited.replies_to.as_deref(), Some("q"));
    // An edit of an edit is none that we know.
    let twice = json!({"type": "edit", "edit": {"original_message_id": "w", "message": text}});
    assert!(matches!(edit(twice).content, Content::Other { kind, .. } if kind == "edit"));
}

#[test]
fn a_changed_number_belongs_to_the_contact_as_we_know_it() {
    let system = |system: Value| {
        let all = messages(
            json!([{"id": "wamid.1", "timestamp": "1", "type": "system", "system": system}]),
        );
        all[0].clone()
    };
    let told = system(json!({"type": "user_changed_user_id", "user_id": "US.2",
        "previous_user_id": "US.1", "previous_parent_user_id": "US.ENT.1"}));
    let sender = told.sender.clone().unwrap();
    assert_eq!((sender.bsuid.as_deref(), sender.phone), (Some("US.1"), None));
    assert_eq!(sender.parent_bsuid.as_deref(), Some("US.ENT.1"));
    let words = system(json!({"type": "user_changed_user_id", "user_id": "US.2",
        "body": "User Ann to from Bo changed from US.1 to US.2"}));
    assert_eq!(words.sender.unwrap().bsuid.as_deref(), Some("US.1"));
    let Content::Notice(notice) = content_of(&told) else { panic!() };
    assert_eq!(notice.now.bsuid.as_deref(), Some("US.2"));
    let old = system(json!({"type": "customer_changed_number", "new_wa_id": "15559"}));
    assert_eq!(field(&old), "message_without_sender");
    // Without the old id it is of no contact that we know.
    let unknown = system(json!({"type": "user_changed_user_id", "user_id": "US.2"}));
    assert_eq!(field(&unknown), "message_without_sender");
}

#[test]
fn group_messages_and_broken_ones_are_kept_apart() {
    let all = messages(json!([
        {"id": "wamid.1", "from": "15551", "group_id": "g", "type": "text", "text": {"body": "x"}},
        {"from": "15551", "type": "text", "text": {"body": "no id"}},
        {"id": "wamid.2", "type": "text", "text": {"body": "from nobody"}},
        7,
    ]));
    let fields: Vec<_> = all.iter().map(field).collect();
    let expected =
        ["group_message", "message_without_id", "message_without_sender", "message_without_id"];
    assert_eq!(fields, expected);
    assert!(all[0].sender.is_none() && all[1].sender.is_some());
    assert_eq!(all[3].raw, "7");
}

fn status(extra: Value) -> Happening {
    let mut whole =
        json!({"id": "wamid.1", "status": "sent", "timestamp": "5", "recipient_id": "15551"});
    whole.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let contacts = json!([{"wa_id": "15551", "user_id": "US.1", "profile": {"name": "Al"}}]);
    read(&envelope("messages", json!({"contacts": contacts, "statuses": [whole]}))).remove(0)
}

fn receipt(happening: &Happening) -> &Receipt {
    match &happening.kind {
        EventKind::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statuses_are_receipts() {
    let sent = status(json!({"biz_opaque_callback_data": "c17-4-0"}));
    assert_eq!(sent.dedup, "status:wamid.1:sent");
    assert_eq!(sent.sender.as_ref().unwrap().bsuid.as_deref(), Some("US.1"));
    assert_eq!(receipt(&sent).send, Some("c17-4-0".parse().unwrap()));
    assert_eq!(receipt(&sent).at, 5_000);
    let foreign = status(json!({"biz_opaque_callback_data": "someone's", "status": "read"}));
    assert_eq!(
        (receipt(&foreign).send.clone(), receipt(&foreign).state),
        (None, ReceiptState::Read)
    );
    let failed = status(json!({"status": "failed", "errors":
        [{"code": 131_049, "title": "t", "message": "m", "error_data": {"details": "d"}}]}));
    assert_eq!(receipt(&failed).error, Some((131_049, "d".into())));
    let group = status(json!({"recipient_type": "group", "recipient_participant_id": "15552"}));
    assert_eq!((group.dedup.as_str(), group.sender), ("status:wamid.1:sent:15552", None));
    assert_eq!(field(&status(json!({"status": "deleted"}))), "status.deleted");
    assert_eq!(field(&status(json!({"id": "", "status": "read"}))), "status.read");
    assert_eq!(field(&status(json!({"type": "payment", "status": "failed"}))), "status.failed");
}

#[test]
fn prices_and_free_windows_are_told() {
    let priced = |pricing: Value, conversation: Value| {
        receipt(&status(json!({"pricing": pricing, "conversation": conversation}))).clone()
    };
    let regular = json!({"category": "utility", "type": "regular", "pricing_model": "PMP"});
    let until =
        |origin: &str| json!({"id": "c", "expiration_timestamp": "7", "origin": {"type": origin}});
    let told = priced(regular, until("service"));
    let pricing =
        Pricing { category: "utility".into(), kind: Some("regular".into()), billable: true };
    assert_eq!((told.pricing, told.free_until), (Some(pricing), None));
    let free = json!({"category": "service", "type": "free_entry_point", "billable": false});
    assert_eq!(priced(free.clone(), until("x")).free_until, Some(7_000));
    assert!(!priced(free, json!(null)).pricing.unwrap().billable);
    assert_eq!(priced(json!(3), until("referral_conversion")).free_until, Some(7_000));
    assert_eq!(priced(json!({}), json!("odd")).pricing, None);
}

#[test]
fn account_changes_keep_their_field_and_are_known_again() {
    let change = |time: u64| {
        let mut body = envelope("account_update", json!({"event": "ACCOUNT_DELETED"}));
        body["entry"][0]["time"] = json!(time);
        read(&body).remove(0)
    };
    assert_eq!(
        (field(&change(1)), change(1).raw.as_str()),
        ("account_update", r#"{"event":"ACCOUNT_DELETED"}"#)
    );
    assert_eq!(change(1).dedup, change(1).dedup);
    assert_ne!(change(1).dedup, change(2).dedup);
}

#[test]
fn a_preference_goes_to_its_contact() {
    let value = json!({"metadata": {"phone_number_id": "2"}, "user_preferences": [
        {"wa_id": "15551", "value": "stop"}, {"user_id": "US.2", "value": "resume"},
        {"wa_id": "15551", "value": "stop", "category": "calls"}]});
    let all = read(&envelope("user_preferences", value));
    let of = |at: usize| all[at].sender.clone().unwrap();
    assert_eq!((of(0).phone.as_deref(), of(1).bsuid.as_deref()), (Some("15551"), Some("US.2")));
    assert_eq!((field(&all[0]), all[0].channel.as_str()), ("user_preferences", "other"));
    assert_eq!(all[1].raw, r#"{"user_id":"US.2","value":"resume"}"#);
    let told: Vec<_> = all.iter().map(news).collect();
    let (stop, resume) = (News::Marketing { wanted: false }, News::Marketing { wanted: true });
    assert_eq!(told, [&stop, &resume, &News::Other]);
}

#[test]
fn nothing_in_an_envelope_is_dropped() {
    for (body, expected) in [
        (envelope("messages", json!({"errors": [{"code": 131_035}]})), "errors"),
        (envelope("messages", json!({"messaging_product": "whatsapp"})), "messages"),
        (envelope("messages", json!({"messages": {"id": "x"}})), "messages.messages"),
        (envelope("messages", json!({"holograms": []})), "messages.holograms"),
        (envelope("messages", json!("odd")), "messages"),
        (envelope("calls", json!({"calls": []})), "calls"),
        (json!({"entry": [{"id": "9", "messaging": []}]}), "entry"),
        (json!({"entry": ["odd"]}), "entry"),
        (json!({"entry": [{"changes": ["odd"]}]}), "unnamed"),
    ] {
        let all = read(&body);
        assert_eq!(all.iter().map(field).collect::<Vec<_>>(), [expected], "{body}");
    }
}

#[test]
fn only_what_is_no_envelope_is_malformed() {
    let parse = |body: &str| parse(body.as_bytes(), &here(), &|_| None);
    for body in ["", "{", "[]", "{}", r#"{"entry":{}}"#, r#"{"entry":"x"}"#, "null"] {
        assert!(parse(body).is_err(), "{body}");
    }
    assert_eq!(parse(r#"{"entry":[]}"#), Ok(vec![]));
}
