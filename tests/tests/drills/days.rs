//! What takes days: limits of marketing, nights, budgets, webhooks that come
//! late. Everybody's clock is put forward.

use super::{HOURS, PARKING};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::{
    shop::Shop,
    stage::{BEN, DAY, HOUR, Line, Stage},
};

/// How a campaign's message looks to the customer.
const OFFER: &str = "template spring_sale in en";
const MINUTE: Duration = Duration::from_secs(60);

fn phone(number: u64) -> String {
    (447_700_900_100 + number).to_string()
}

/// The shop at an hour, with `more` in its settings, and customers who wrote
/// more than a day ago.
async fn open(line: Line, hour: u64, more: &str, customers: u64) -> Stage {
    let settings = |shop: &Shop| {
        shop.add_talker();
        let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
        shop.write("switchboard.toml", &(toml + more));
    };
    let stage = Stage::at(hour, line, |_| {}, settings).await;
    for number in 0..customers {
        let new = json!({"name": format!("Customer {number}"), "number": phone(number)});
        stage.post("/sim/phones", new).await;
        stage.says(&phone(number), "parking").await;
    }
    for number in 0..customers {
        assert_eq!(stage.sees(&phone(number), 1).await, [PARKING], "{line:?}");
    }
    stage.pass(DAY + HOUR).await;
    stage
}

/// Sends `spring_sale` to all, as a promotion of this name, in a minute's time.
async fn campaign(stage: &Stage, name: &str) {
    stage.promote(name, "template = \"spring_sale\"\nparameters = [\"friend\"]").await;
}

/// The last message's state and reason, once it is as wished.
async fn last(stage: &Stage, phone: &str, wish: &str) -> String {
    let is = |lines: &[String]| lines.last().is_some_and(|line| line.contains(wish));
    stage.until_messages(phone, is).await.pop().unwrap()
}

/// Waits until the contact's last turn says so.
async fn turn_says(stage: &Stage, phone: &str, words: &str) {
    let path = format!("/api/v1/contacts/lookup?phone={phone}");
    stage.until(&path, |seen| seen["turns"][0].to_string().contains(words)).await;
}

/// How often it was tried to send the customer a template.
async fn tries(stage: &Stage, phone: &str) -> usize {
    let chat = stage.chat(phone).await;
    let template = |one: &&Value| one["by"] == "business" && one["kind"] == "template";
    chat.iter().filter(template).count()
}

async fn metric(stage: &Stage, line: &str) {
    let metrics = stage.server().metrics().await;
    assert!(metrics.lines().any(|one| one == line), "{line}\n{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_spares_some_and_others_have_stopped_marketing() {
    for line in Line::BOTH {
        let stage = open(line, 9, "", 4).await;
        let [spared, stopped, refused, well] = [0, 1, 2, 3].map(phone);
        for (kind, code, phone) in [
            ("failed", 131_049, &spared),
            ("failed", 131_050, &stopped),
            ("error", 131_050, &refused),
        ] {
            stage.fault(json!({"kind": kind, "code": code, "phone": phone})).await;
        }
        campaign(&stage, "monday").await;
        assert_eq!(stage.sees(&well, 2).await, [PARKING, OFFER], "{line:?}");
        let (spare, stop) = match line {
            Line::Meta => ("(error 131049", "(error 131050"),
            Line::Twilio => ("(error 63049", "(error 21610"),
        };
        let said = last(&stage, &spared, "failed").await;
        assert!(said.contains("spare") && said.contains(spare), "{line:?}: {said}");
        for phone in [&stopped, &refused] {
            let said = last(&stage, phone, "failed").await;
            assert!(said.contains("has stopped"), "{line:?}: {said}");
            assert_eq!(said.matches(stop).count(), 1, "{line:?}: {said}");
            let path = format!("/api/v1/contacts/lookup?phone={phone}");
            let out = |seen: &Value| seen["contact"]["consent"]["marketing"] == "opted-out";
            let seen = stage.until(&path, out).await;
            assert_eq!(seen["contact"]["consent"]["by"], "whatsapp", "{line:?}");
        }
        // The same day again: who was spared waits, who has stopped is left alone.
        stage.pass(HOUR).await;
        campaign(&stage, "again").await;
        assert_eq!(stage.sees(&well, 3).await[2], OFFER);
        let held = last(&stage, &spared, "(rule `spared`)").await;
        assert!(held.starts_with("waiting: WhatsApp spares"), "{line:?} {held}");
        for phone in [&stopped, &refused] {
            turn_says(&stage, phone, "stopped marketing").await;
        }
        // Whoever asks is answered.
        for phone in [&spared, &stopped, &refused] {
            stage.says(phone, "when do you open?").await;
            assert_eq!(stage.sees(phone, 2).await, [PARKING, HOURS], "{line:?}");
        }
        assert_eq!(tries(&stage, &spared).await, 1, "{line:?}");
        metric(&stage, "switchboard_outbox_ruled_total{rule=\"spared\"} 1").await;
        stage.pass(DAY).await;
        assert_eq!(stage.sees(&spared, 3).await[2], OFFER, "{line:?}");
        assert_eq!(stage.saw(&stopped).await, [PARKING, HOURS], "{line:?}");
        assert_eq!(stage.saw(&refused).await, [PARKING, HOURS], "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_waits_for_the_morning_where_the_customer_lives() {
    for line in Line::BOTH {
        let stage = open(line, 20, "[policy]\nquiet = \"21:00-09:00\"\n", 3).await;
        let [here, tokyo, new_york] = [0, 1, 2].map(phone);
        for (phone, zone) in [(&tokyo, "Asia/Tokyo"), (&new_york, "America/New_York")] {
            stage.says(phone, &format!("I live in {zone}")).await;
            stage.sees(phone, 2).await;
        }
        // It is after 22:00 at the shop, the early evening in New York, and
        // after 7:00 in Tokyo.
        stage.pass(HOUR).await;
        campaign(&stage, "night").await;
        assert_eq!(stage.sees(&new_york, 3).await[2], OFFER, "{line:?}");
        for phone in [&here, &tokyo] {
            let held = last(&stage, phone, "(rule `quiet`)").await;
            assert!(held.contains("quiet hours"), "{held}");
        }
        stage.says(&here, "when do you open?").await;
        assert_eq!(stage.sees(&here, 2).await, [PARKING, HOURS], "an answer waits for nobody");
        stage.pass(2 * HOUR).await;
        assert_eq!(stage.sees(&tokyo, 3).await[2], OFFER, "{line:?}");
        for _ in 0..9 {
            stage.pass(HOUR).await;
        }
        assert_eq!(stage.sees(&here, 3).await[2], OFFER, "{line:?}");
        // Each at 9:00, and not before.
        for (phone, hour) in [(&tokyo, 0), (&here, 9)] {
            let at = stage.arrived(phone).await[2]["at"].as_u64().unwrap();
            assert_eq!(at / 3_600_000 % 24, hour, "{line:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_holds_the_second_offer_of_its_span() {
    for line in Line::BOTH {
        let stage = open(line, 9, "[policy]\nmarketing_cap = \"1 per 2 days\"\n", 1).await;
        let ann = phone(0);
        campaign(&stage, "first").await;
        assert_eq!(stage.sees(&ann, 2).await, [PARKING, OFFER]);
        stage.pass(DAY).await;
        campaign(&stage, "second").await;
        let refused = last(&stage, &ann, "refused").await;
        assert!(refused.contains("`policy.marketing_cap`"), "{line:?}: {refused}");
        assert!(refused.contains("(rule `cap`)"), "{line:?}: {refused}");
        stage.says(&ann, "when do you open?").await;
        assert_eq!(stage.sees(&ann, 3).await[2], HOURS, "{line:?}");
        metric(&stage, "switchboard_outbox_ruled_total{rule=\"cap\"} 1").await;
        // The first one is out of the span, and the second never left.
        stage.pass(DAY).await;
        campaign(&stage, "third").await;
        assert_eq!(stage.sees(&ann, 4).await[3], OFFER, "{line:?}");
        assert_eq!(tries(&stage, &ann).await, 2, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_money_ends_amid_a_campaign_and_it_goes_on_the_next_day() {
    const BUDGET: &str =
        "[budget]\ncurrency = \"EUR\"\nper_day = 0.5\nprice = { marketing = 0.1 }\n";
    for line in Line::BOTH {
        let stage = open(line, 9, BUDGET, 8).await;
        campaign(&stage, "dear").await;
        let (mut got, mut held) = (Vec::new(), Vec::new());
        for number in 0..8 {
            let settled = |lines: &[String]| {
                lines.len() == 2 && (lines[1] == "delivered" || lines[1].contains("(rule"))
            };
            let said = stage.until_messages(&phone(number), settled).await.pop().unwrap();
            match said.starts_with("waiting") {
                true => held.push((phone(number), said)),
                false => got.push(phone(number)),
            }
        }
        assert_eq!((got.len(), held.len()), (5, 3), "{line:?}: {held:?}");
        for (_, said) in &held {
            assert!(
                said.contains("`budget.per_day`") && said.contains("(rule `budget`)"),
                "{said}"
            );
        }
        let spending = stage.server().admin_get("/api/v1/spending").await;
        assert_eq!((&spending["today"], &spending["per_day"]), (&json!(0.5), &json!(0.5)));
        metric(&stage, "switchboard_outbox_ruled_total{rule=\"budget\"} 3").await;
        // Who asks is answered, whatever is spent.
        stage.says(&held[0].0, "when do you open?").await;
        assert_eq!(stage.sees(&held[0].0, 2).await, [PARKING, HOURS], "{line:?}");
        // Until midnight nothing more leaves.
        stage.pass(12 * HOUR).await;
        for (phone, _) in &held {
            assert_eq!(tries(&stage, phone).await, 0, "{line:?}");
        }
        stage.pass(2 * HOUR).await;
        for (phone, _) in &held {
            let count = if *phone == held[0].0 { 3 } else { 2 };
            let saw = stage.sees(phone, count).await;
            assert_eq!(saw[count - 1], OFFER, "{line:?}: {saw:?}");
        }
        let today = |spending: &Value| spending["today"] == json!(0.3);
        stage.until("/api/v1/spending", today).await;
        for phone in &got {
            assert_eq!(tries(&stage, phone).await, 1, "{line:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_come_five_hours_late_and_in_the_wrong_order() {
    for line in Line::BOTH {
        let stage = Stage::at(9, line, |_| {}, Shop::add_talker).await;
        let written = stage.now();
        stage.set(json!({"messages": {"hold": true}})).await;
        for text in ["parking", "when do you open?", "I live in Europe/Berlin"] {
            stage.says(BEN, text).await;
            stage.pass(MINUTE).await;
        }
        stage.pass(5 * HOUR).await;
        assert_eq!(stage.saw(BEN).await, [""; 0]);
        stage.set(json!({"messages": {"hold": false}})).await;
        stage.post("/sim/receipts/release", json!({"newest_first": true})).await;
        let mut saw = stage.sees(BEN, 3).await;
        saw.sort();
        assert_eq!(saw, ["Europe/Berlin it is.", PARKING, HOURS], "{line:?}: none is lost");
        let seen = stage.contact(BEN).await;
        assert_eq!(seen["contact"]["message_count"], 3, "{line:?}");
        if line == Line::Meta {
            // By the newest message's own time, less the margin of five minutes:
            // Twilio says none.
            let end = seen["contact"]["window_open_until"].as_u64().unwrap();
            let newest = written + 2 * 60_000;
            let wished = newest + DAY.as_millis() as u64 - 5 * 60_000;
            assert!(end.abs_diff(wished) < 30_000, "{end}, and not {wished}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_comes_when_the_window_has_closed() {
    for line in Line::BOTH {
        let stage = open(line, 9, "", 1).await;
        let ann = phone(0);
        stage.set(json!({"messages": {"hold": true}})).await;
        stage.says(&ann, "when do you open?").await;
        stage.pass(DAY + HOUR).await;
        stage.set(json!({"messages": {"hold": false}})).await;
        stage.post("/sim/receipts/release", json!({})).await;
        match line {
            // The message has its time, so nothing is tried.
            Line::Meta => turn_says(&stage, &ann, "24-hour window").await,
            // It has none, so only the refusal tells.
            Line::Twilio => {
                let said = last(&stage, &ann, "failed").await;
                assert!(said.contains("63016") && said.contains("24 hours"), "{said}");
            }
        }
        assert_eq!(stage.saw(&ann).await, [PARKING], "{line:?}");
        assert_eq!(stage.contact(&ann).await["contact"]["message_count"], 2, "{line:?}");
        // A template may go, and what is written now is answered.
        campaign(&stage, "back").await;
        assert_eq!(stage.sees(&ann, 2).await[1], OFFER, "{line:?}");
        stage.says(&ann, "parking").await;
        assert_eq!(stage.sees(&ann, 3).await[2], PARKING, "{line:?}");
    }
}
