//! What goes wrong: by itself as with WhatsApp, and on demand.

use super::world::{ANA, TOKEN, World, code};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn outside_the_window_only_templates_arrive() {
    let mut world = World::new().await;
    let template = json!({"to": ANA, "type": "template",
        "template": {"name": "sale", "language": {"code": "en"}}});
    assert_eq!(world.send(template.clone()).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    world.hello(ANA).await;
    world.said("inside").await;
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);

    let later = format!("/sim/phones/{ANA}/window");
    world.post(&later, json!({"hours": 25})).await;
    let id = world.said("outside").await;
    let failed = world.receipt().await;
    assert_eq!((&failed["status"], &failed["id"]), (&json!("failed"), &json!(id)));
    assert_eq!(failed["errors"][0]["code"], 131047);
    assert_eq!(failed["errors"][0]["title"], "Re-engagement message");
    assert_eq!(failed["recipient_id"], ANA);
    assert!(failed.get("recipient_user_id").is_none());
    assert_eq!(world.send(template).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);

    world.set(json!({"window_error": "sync"})).await;
    assert_eq!(code(&world.say("outside").await), (400, 131047));
    world.hello(ANA).await;
    assert_eq!(world.say("inside again").await.0, 200);
}

#[tokio::test]
async fn the_46th_message_at_once_to_one_person_is_refused() {
    let mut world = World::with(|config| config.settings.messages_per_second = 0).await;
    world.hello(ANA).await;
    for n in 0..45 {
        assert_eq!(world.say("x").await.0, 200, "{n}");
    }
    assert_eq!(code(&world.say("x").await), (400, 131056));
    world.post("/sim/phones", json!({"number": "16505550000"})).await;
    let other = json!({"to": "16505550000", "text": {"body": "x"}});
    assert_eq!(world.send(other).await.0, 200, "another person has a limit of their own");
    world.set(json!({"pair_limit": false})).await;
    assert_eq!(world.say("x").await.0, 200);
}

#[tokio::test]
async fn more_messages_than_a_second_holds_are_refused() {
    // So slow that the test cannot be.
    let mut world = World::with(|config| config.settings.messages_per_second = 1).await;
    world.hello(ANA).await;
    let mut refused = 0;
    for _ in 0..10 {
        let answer = world.say("x").await;
        if answer.0 != 200 {
            assert_eq!(code(&answer), (400, 130429));
            refused += 1;
        }
    }
    assert!(refused >= 1);
}

#[tokio::test]
async fn every_error_code_comes_with_its_status_and_body() {
    let mut world = World::with(|config| config.settings.pair_limit = false).await;
    world.hello(ANA).await;
    let state = world.get("/sim/state").await;
    let codes = state["codes"].as_array().unwrap();
    assert!(codes.len() > 50);
    for known in codes {
        let fault = json!({"kind": "error", "code": known["code"], "count": 1});
        world.post("/sim/faults", fault).await;
        let (status, body) = world.say("x").await;
        assert_eq!(u64::from(status), known["http"].as_u64().unwrap(), "{known}");
        let error = &body["error"];
        assert_eq!(error["code"], known["code"]);
        assert_eq!(error["type"], "OAuthException");
        assert!(error["fbtrace_id"].is_string());
        if ![0, 190].contains(&known["code"].as_u64().unwrap()) {
            assert_eq!(error["error_data"]["messaging_product"], "whatsapp");
        }
    }
    for (code, http) in [(190, 401), (130429, 400), (131056, 400), (131057, 500), (132001, 404)] {
        let known = codes.iter().find(|known| known["code"] == code).unwrap();
        assert_eq!(known["http"], http, "{code}");
    }
    assert_eq!(world.get("/sim/sent").await["total"], 0, "nothing was accepted");
    assert_eq!(world.say("fine").await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
}

#[tokio::test]
async fn a_fault_spoils_as_many_sends_as_told() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.post("/sim/faults", json!({"kind": "error", "code": 131016, "count": 2})).await;
    world.post("/sim/faults", json!({"kind": "http_500"})).await;
    assert_eq!(code(&world.say("x").await), (500, 131016));
    assert_eq!(code(&world.say("x").await), (500, 131016));
    assert_eq!(world.say("x").await, (500, Value::Null));
    assert_eq!(world.say("x").await.0, 200);
    world.statuses(2).await;

    world.post("/sim/faults", json!({"kind": "failed", "code": 131049})).await;
    world.said("promotion").await;
    let failed = world.receipt().await;
    assert_eq!(
        (&failed["status"], &failed["errors"][0]["code"]),
        (&json!("failed"), &json!(131049))
    );

    let fault = json!({"kind": "error", "code": 131056, "phone": "16505550000", "count": 5});
    world.post("/sim/faults", fault).await;
    assert_eq!(world.say("not for this phone").await.0, 200);
    world.http.delete(world.base.clone() + "/sim/faults").send().await.unwrap();
    assert_eq!(world.get("/sim/faults").await, json!([]));
}

#[tokio::test]
async fn a_time_out_comes_after_the_message_was_taken() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.post("/sim/faults", json!({"kind": "timeout"})).await;
    let body = json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": "x"},
        "biz_opaque_callback_data": "s1"});
    let url = world.base.clone() + "/v26.0/1060/messages";
    let request = world.http.post(url).bearer_auth(TOKEN).json(&body);
    let error = request.timeout(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(error.is_timeout());
    let sent = world.receipt().await;
    assert_eq!(
        (&sent["status"], &sent["biz_opaque_callback_data"]),
        (&json!("sent"), &json!("s1"))
    );
}

#[tokio::test]
async fn receipts_can_be_held_turned_doubled_and_dropped() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.set(json!({"receipts": {"hold": true}})).await;
    world.said("a").await;
    world.until("/sim/state", |state| state["held"] == 2).await;
    world.nothing_more().await;
    world.post("/sim/receipts/release", json!({"newest_first": true})).await;
    assert_eq!(world.statuses(2).await, ["delivered", "sent"]);

    world.set(json!({"receipts": {"hold": false, "reorder": true}})).await;
    world.said("b").await;
    assert_eq!(world.statuses(2).await, ["delivered", "sent"]);

    world.set(json!({"receipts": {"reorder": false, "copies": 3}})).await;
    world.said("c").await;
    let expected = ["sent", "sent", "sent", "delivered", "delivered", "delivered"];
    assert_eq!(world.statuses(6).await, expected);

    world.set(json!({"receipts": {"copies": 1, "drop": true}})).await;
    let id = world.said("d").await;
    let path = format!("/sim/phones/{ANA}/messages");
    world
        .until(&path, |history| {
            let messages = history["messages"].as_array().unwrap();
            messages.iter().any(|m| m["id"] == *id && m["status"] == "delivered")
        })
        .await;
    world.nothing_more().await;
}

#[tokio::test]
async fn a_message_can_arrive_many_times_at_once() {
    let mut world = World::new().await;
    let id = world.act(ANA, json!({"kind": "text", "body": "hi", "copies": 5})).await;
    let first = world.next().await.raw;
    for _ in 0..4 {
        assert_eq!(world.next().await.raw, first);
    }
    assert!(String::from_utf8(first).unwrap().contains(&id.replace('/', "\\/")));
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_sends_get_metas_errors() {
    let world = World::new().await;
    let fine = json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": "x"}});
    let url = world.base.clone() + "/v26.0/1060/messages";
    let answer = world.http.post(&url).bearer_auth("wrong").json(&fine).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 190);
    let other = world.base.clone() + "/v26.0/999/messages";
    let answer = world.http.post(other).bearer_auth(TOKEN).json(&fine).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["error"]["code"], &body["error"]["error_subcode"]),
        (&json!(100), &json!(33))
    );
    let answer = world.http.post(&url).bearer_auth(TOKEN).body("{").send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 100);

    let cases = [
        (json!({"text": {"body": "x"}}), 100),
        (json!({"to": "me", "text": {"body": "x"}}), 131009),
        (json!({"to": "15550001060", "text": {"body": "x"}}), 131021),
        (json!({"to": ANA, "text": {"body": "x".repeat(4_097)}}), 131009),
        (json!({"to": ANA, "type": "image", "image": {}}), 131008),
        (json!({"to": ANA, "type": "fax", "fax": {}}), 131051),
        (
            json!({"to": ANA, "text": {"body": "x"}, "biz_opaque_callback_data": "x".repeat(513)}),
            131009,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&world.send(body.clone()).await), (400, expected), "{body}");
    }
    let url = world.base.clone() + "/v26.0/1060";
    let number: Value =
        world.http.get(url).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!((&number["id"], &number["quality_rating"]), (&json!("1060"), &json!("GREEN")));
}

#[tokio::test]
async fn a_number_without_whatsapp_fails_or_is_given_a_phone() {
    let mut world = World::new().await;
    let send = json!({"to": "16505550000", "text": {"body": "x"}});
    assert_eq!(world.send(send.clone()).await.0, 200);
    let failed = world.receipt().await;
    assert_eq!(failed["errors"][0]["code"], 131026);
    assert_eq!(failed["recipient_id"], "16505550000");
    world.set(json!({"unknown_numbers": "create"})).await;
    let template = json!({"to": "16505550000", "type": "template",
        "template": {"name": "sale", "language": {"code": "en"}}});
    assert_eq!(world.send(template).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    assert_eq!(world.get("/sim/phones").await["total"], 2);
}

#[tokio::test]
async fn webhooks_come_again_until_they_are_taken_or_given_up() {
    let mut world = World::new().await;
    *world.bot.refuse.lock().unwrap() = 2;
    let id = world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    let first = world.next().await.raw;
    assert_eq!(world.next().await.raw, first);
    assert_eq!(world.next().await.raw, first);
    let path = format!("/sim/phones/{ANA}/messages");
    world.until(&path, |history| history["messages"][0]["status"] == "delivered").await;
    let log = world.get("/sim/webhooks").await;
    let attempts = log["attempts"].as_array().unwrap();
    let seen: Vec<_> = attempts.iter().map(|a| (&a["attempt"], &a["status"])).collect();
    assert_eq!(
        seen,
        [(&json!(3), &json!(200)), (&json!(2), &json!(500)), (&json!(1), &json!(500))]
    );
    assert_eq!(attempts[0]["message"], *id);
    assert_eq!(attempts[0]["body"].as_str().unwrap().as_bytes(), first);
    assert!(attempts[1]["retry_at"].is_u64());

    *world.bot.refuse.lock().unwrap() = u32::MAX;
    world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    for _ in 0..4 {
        world.next().await;
    }
    let history = world.until(&path, |all| all["messages"][1]["status"] == "failed").await;
    let why = &history["messages"][1]["problem"]["details"];
    assert_eq!(why, "the bot answered 500");
    assert_eq!(world.get("/sim/state").await["counts"]["webhooks_given_up"], 1);
}

#[tokio::test]
async fn messages_can_come_twice_late_turned_round_and_after_losses() {
    let mut world = World::new().await;
    world.set(json!({"messages": {"copies": 2}})).await;
    let id = world.act(ANA, json!({"kind": "text", "body": "twice"})).await;
    for _ in 0..2 {
        assert_eq!(world.message().await["id"], *id);
    }
    world.set(json!({"messages": {"copies": 1, "hold": true}})).await;
    let first = world.act(ANA, json!({"kind": "text", "body": "1"})).await;
    let second = world.act(ANA, json!({"kind": "text", "body": "2"})).await;
    world.post("/sim/receipts/release", json!({"newest_first": true})).await;
    let got = [world.message().await["id"].clone(), world.message().await["id"].clone()];
    assert_eq!(got, [json!(second), json!(first)]);

    world.set(json!({"messages": {"hold": false, "reorder": true}})).await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(world.act(ANA, json!({"kind": "text", "body": "x"})).await);
    }
    // Three came before, so the fifth of all is the one that waits.
    assert_eq!(world.get("/sim/state").await["counts"]["received"], 6);
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(world.message().await["id"].clone());
    }
    assert_eq!(got[2], json!(sent[1]));

    // Lost on the way twice, and so hours late by WhatsApp's clock.
    let retry = json!({"first_pause_ms": 3_600_000, "longest_pause_ms": 7_200_000, "attempts": 9});
    let lossy = json!({"messages": {"reorder": false}, "lose_attempts": 2, "retry": retry});
    world.set(lossy).await;
    let id = world.act(ANA, json!({"kind": "text", "body": "late"})).await;
    let attempts = |count: usize| {
        move |log: &Value| {
            let attempts = log["attempts"].as_array().unwrap();
            attempts.iter().filter(|a| a["status"].is_null()).count() == count
        }
    };
    world.until("/sim/webhooks", attempts(1)).await;
    world.post("/sim/clock", json!({"advance_ms": 3_600_000})).await;
    world.until("/sim/webhooks", attempts(2)).await;
    world.post("/sim/clock", json!({"advance_ms": 7_200_000})).await;
    assert_eq!(world.message().await["id"], *id);
}

#[tokio::test]
async fn answers_can_be_slow_missing_or_of_any_status() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.post("/sim/faults", json!({"kind": "http", "code": 503})).await;
    assert_eq!(world.say("x").await, (503, Value::Null));
    world.post("/sim/faults", json!({"kind": "hang", "hang_ms": 1})).await;
    assert_eq!(world.say("x").await.0, 504);
    assert_eq!(world.get("/sim/sent").await["total"], 0, "neither was accepted");
    world.post("/sim/faults", json!({"kind": "slow", "hang_ms": 1})).await;
    assert_eq!(world.say("x").await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    let url = world.base.clone() + "/sim/faults";
    let wrong = json!({"kind": "http", "code": 200});
    assert_eq!(world.http.post(url).json(&wrong).send().await.unwrap().status(), 400);
}
