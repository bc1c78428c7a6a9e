//! The same conversations on both wires, through the real server with the real
//! plugins, told by what the customer sees and the operator reads. Where the
//! wires differ stands in the table at the end alone.

use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::{
    shop::{PROMO, Shop},
    stage::{self, ANN, BEN, CAT, Line, Stage},
};

const HOURS: &str = "We are open 9 to 18.";
const PARKING: &str = "There is a car park behind the shop.";

async fn open(line: Line) -> Stage {
    Stage::on(line, |config| config.settings.read_ms = 0, with_talker).await
}

fn with_talker(shop: &Shop) {
    shop.add_talker();
    let start = "opt_in = [\"start\"]\nopt_in_reply = \"Welcome back.\"\n";
    shop.write("rules/promo.toml", &format!("{PROMO}{start}"));
}

/// Says something, and what comes next.
async fn ask(stage: &Stage, phone: &str, text: &str) -> String {
    let before = stage.saw(phone).await.len();
    stage.says(phone, text).await;
    stage.sees(phone, before + 1).await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_once_and_in_order() {
    for line in Line::BOTH {
        let stage = open(line).await;
        assert_eq!(ask(&stage, ANN, "When do you open?").await, HOURS, "{line:?}");
        for text in ["parking", "when do you open", "parking"] {
            stage.told(ANN, text).await;
        }
        assert_eq!(stage.sees(ANN, 4).await, [HOURS, PARKING, HOURS, PARKING], "{line:?}");
        // The webhook comes five times, the answer once.
        stage.act(BEN, json!({"kind": "text", "body": "parking", "copies": 5})).await;
        stage.sees(BEN, 1).await;
        assert_eq!(ask(&stage, BEN, "When do you open?").await, HOURS);
        assert_eq!(stage.saw(BEN).await, [PARKING, HOURS], "{line:?}");
        // Without a number, by the user id alone.
        assert_eq!(ask(&stage, CAT, "parking").await, PARKING, "{line:?}");
        let cat = stage.contact(CAT).await;
        assert!(cat["contact"]["phone"].is_null(), "{line:?}: {cat}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_comes_back_with_its_id() {
    for line in Line::BOTH {
        let stage = open(line).await;
        for (command, title, id) in
            [("three", "Green", "g"), ("five", "White", "w"), ("twelve", "Month 11", "month-11")]
        {
            let asked = ask(&stage, ANN, command).await;
            assert!(asked.starts_with("Which one?"), "{line:?}: {asked}");
            let before = stage.saw(ANN).await.len();
            choose(&stage, title, id).await;
            let answer = stage.sees(ANN, before + 1).await.pop().unwrap();
            assert_eq!(answer, format!("chose {id}"), "{line:?}, {command}");
        }
    }
}

/// By a tap if there is something to tap on, else by the number before it.
async fn choose(stage: &Stage, title: &str, id: &str) {
    let last = stage.arrived(ANN).await.pop().unwrap();
    if last["kind"] == "interactive" {
        let act = json!({"kind": "tap", "message": last["id"], "id": id});
        stage.act(ANN, act).await;
        return;
    }
    let text = last["content"]["body"].as_str().unwrap();
    let number = text.lines().find_map(|line| {
        let (number, rest) = line.split_once(". ")?;
        (rest == title).then(|| number.to_owned())
    });
    stage.says(ANN, &number.unwrap_or_else(|| panic!("no {title} in {text}"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_arrives_and_comes_in() {
    for line in Line::BOTH {
        let stage = open(line).await;
        // A thousand words, cut where the wire needs it, in order.
        stage.says(ANN, "long").await;
        let parts = stage.sees(ANN, differences(line).parts_of_long).await;
        let words: Vec<_> = (0..1_000).map(|number| format!("word{number}")).collect();
        assert_eq!(parts.join(" "), words.join(" "), "{line:?}");

        stage.says(BEN, "several").await;
        assert_eq!(stage.sees(BEN, 3).await, ["first", "place: The shop", "last"], "{line:?}");
        assert_eq!(ask(&stage, BEN, "picture").await, "image Rye bread", "{line:?}");
        assert_eq!(ask(&stage, BEN, "place").await, "place: The shop", "{line:?}");

        let acts = [
            (
                json!({"kind": "image", "caption": "look", "data": "/9j/4GhlbGxv"}),
                "image of image/jpeg, 9 bytes, saying look",
            ),
            (
                json!({"kind": "location", "latitude": 1.5, "longitude": -2.25, "name": "Home"}),
                "Home at 1.5, -2.25",
            ),
        ];
        for (act, answer) in acts {
            let before = stage.saw(CAT).await.len();
            stage.act(CAT, act).await;
            assert_eq!(stage.sees(CAT, before + 1).await.pop().unwrap(), answer, "{line:?}");
        }
        let last = stage.arrived(CAT).await.pop().unwrap()["id"].clone();
        let acts = [
            (json!({"kind": "reaction", "message": last, "emoji": "🎉"}), "felt 🎉"),
            (json!({"kind": "text", "body": "this one", "reply_to": last}), "quoted: this one"),
        ];
        for (act, answer) in acts {
            let before = stage.saw(CAT).await.len();
            stage.act(CAT, act).await;
            assert_eq!(stage.sees(CAT, before + 1).await.pop().unwrap(), answer, "{line:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wire_lacks_is_said_or_left_out() {
    for line in Line::BOTH {
        let (stage, expected) = (open(line).await, differences(line));
        let question = stage.says(ANN, "quote").await;
        assert_eq!(stage.sees(ANN, 1).await, ["This is what I mean."], "{line:?}");
        let answer = stage.arrived(ANN).await.pop().unwrap();
        let quoted = answer["reply_to"].as_str();
        assert_eq!(quoted, expected.quotes.then_some(question.as_str()), "{line:?}");

        let message = stage.says(BEN, "react").await;
        match expected.reaction {
            Ok(()) => {
                let felt = async || {
                    let chat = stage.chat(BEN).await;
                    let asked = chat.iter().find(|one| one["id"] == message.as_str());
                    asked.unwrap()["business_reaction"].clone()
                };
                for _ in 0..1_500 {
                    if !felt().await.is_null() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                assert_eq!(felt().await, "👍", "{line:?}");
            }
            Err(words) => {
                let said = stage.sees(BEN, 1).await.pop().unwrap();
                assert!(said.starts_with("refused: ") && said.contains(words), "{said}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_gets_no_offers_until_they_start() {
    for line in Line::BOTH {
        let stage = open(line).await;
        let gone = "You will get no more offers.";
        assert_eq!(ask(&stage, BEN, "stop").await, gone, "{line:?}");
        let refused = ask(&stage, BEN, "offer").await;
        assert!(refused.starts_with("refused: "), "{line:?}: {refused}");
        assert_eq!(stage.contact(BEN).await["contact"]["consent"]["marketing"], "opted-out");
        assert_eq!(ask(&stage, BEN, "start").await, "Welcome back.", "{line:?}");
        assert_eq!(ask(&stage, BEN, "offer").await, "template spring_sale in en", "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_over_and_gives_back() {
    for line in Line::BOTH {
        let stage = open(line).await;
        assert_eq!(ask(&stage, ANN, "person").await, "A person will answer.", "{line:?}");
        stage.says(ANN, "parking").await;
        let path = format!("/api/v1/contacts/lookup?phone={ANN}");
        let second = |seen: &Value| {
            let turns = seen["turns"].as_array().into_iter().flatten();
            turns.filter(|turn| turn["event"] == "message").count() == 2
        };
        let seen = stage.until(&path, second).await;
        assert_eq!(seen["contact"]["handoff"]["reason"], "asked for a person", "{line:?}");
        stage.resume(ANN).await;
        stage.until(&path, |seen| seen["contact"]["handoff"].is_null()).await;
        assert_eq!(ask(&stage, ANN, "When do you open?").await, HOURS, "{line:?}");
        assert_eq!(stage.saw(ANN).await, ["A person will answer.", HOURS], "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_a_template_arrives() {
    for line in Line::BOTH {
        let (stage, expected) = (open(line).await, differences(line));
        stage.says(ANN, "later").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.post(&format!("/sim/phones/{ANN}/window"), json!({"hours": 25})).await;
        assert_eq!(stage.sees(ANN, 1).await, ["template order_ready in en"], "{line:?}");
        let failed = |lines: &[String]| lines.iter().any(|line| line.starts_with("failed"));
        let lines = stage.until_messages(ANN, failed).await;
        let code = format!("error {}", expected.window);
        let line = lines.iter().find(|line| line.starts_with("failed")).unwrap();
        assert!(line.contains(&code) && line.contains("template"), "{lines:?}");
    }
}

/// A shop that has its account's list of templates, on Twilio's wire without a word
/// of them in its settings.
async fn with_list(line: Line) -> Stage {
    let change = |shop: &Shop| {
        with_talker(shop);
        let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
        let named = "provider = \"meta\"\nbusiness_account_id = \"1020\"";
        shop.write("switchboard.toml", &toml.replace("provider = \"meta\"", named));
    };
    let stage = Stage::on(line, |config| config.templates = stage::templates(), change).await;
    stage.knows_templates().await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_goes_as_the_list_has_it_and_stops_where_that_says_so() {
    for line in Line::BOTH {
        let stage = with_list(line).await;
        assert_eq!(ask(&stage, BEN, "offer").await, "template spring_sale in en", "{line:?}");
        let list = stage.server().admin_get("/api/v1/templates?name=order_ready").await;
        let order = &list["templates"][0];
        assert_eq!((&order["category"], &order["status"]), (&json!("utility"), &json!("approved")));
        assert_eq!(order["parts"]["body"], "Hello {{1}}", "{line:?}");
        stage.patch("/sim/templates/spring_sale/en", json!({"status": "PAUSED"})).await;
        stage.sync_templates().await;
        let refused = ask(&stage, BEN, "offer").await;
        assert!(refused.starts_with("refused: "), "{line:?}: {refused}");
        assert!(refused.contains("`spring_sale` (en) is paused"), "{line:?}: {refused}");
        let sent = stage.get("/sim/sent?limit=100").await;
        let sent = sent["messages"].as_array().unwrap().iter();
        assert_eq!(sent.filter(|one| one["kind"] == "template").count(), 1, "{line:?}");
        stage.patch("/sim/templates/spring_sale/en", json!({"status": "APPROVED"})).await;
        stage.sync_templates().await;
        assert_eq!(ask(&stage, BEN, "offer").await, "template spring_sale in en", "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_reads_how_far_a_message_got() {
    for line in Line::BOTH {
        let (stage, expected) = (open(line).await, differences(line));
        assert_eq!(ask(&stage, ANN, "parking").await, PARKING, "{line:?}");
        stage.until_messages(ANN, |lines| lines == ["delivered"]).await;
        stage.post(&format!("/sim/phones/{ANN}/read"), json!({})).await;
        stage.until_messages(ANN, |lines| lines == ["read"]).await;
        // Taken, and then nobody is there.
        stage.fault(json!({"kind": "failed", "code": 131_026})).await;
        stage.says(BEN, "parking").await;
        let lines = stage
            .until_messages(BEN, |lines| lines.iter().any(|line| line.starts_with("failed")))
            .await;
        let code = format!("error {}", expected.nobody);
        assert!(lines[0].contains("WhatsApp") && lines[0].contains(&code), "{line:?}: {lines:?}");
    }
}

/// What is not the same on both wires.
struct Differences {
    /// A text of 7,889 characters.
    parts_of_long: usize,
    /// Whether an answer shows what it answers.
    quotes: bool,
    /// A reaction arrives, or the host says that it can't be sent.
    reaction: Result<(), &'static str>,
    /// The provider's code for a text outside the window.
    window: u32,
    /// And for a number that is not on WhatsApp.
    nobody: u32,
}

fn differences(line: Line) -> Differences {
    match line {
        Line::Meta => Differences {
            parts_of_long: 2,
            quotes: true,
            reaction: Ok(()),
            window: 131_047,
            nobody: 131_026,
        },
        Line::Twilio => Differences {
            parts_of_long: 5,
            quotes: false,
            reaction: Err("can't be sent through Twilio"),
            window: 63_016,
            nobody: 63_024,
        },
    }
}
