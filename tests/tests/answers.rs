//! A message in, an answer out, through the real binary with the real plugins.

use axum::http::StatusCode;
use futures::future::join_all;
use std::process::Command;
use switchboard_tests::{
    eventually,
    meta::{Graph, post_webhook, text_from, text_from_bsuid},
    server::{Server, binary},
    shop::{FAQ, Shop, text},
};

async fn start() -> (Graph, Shop, Server) {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start(&shop);
    graph.give_receipts(&server.public);
    (graph, shop, server)
}

async fn tell(server: &Server, phone: &str, id: &str, text: &str) {
    let body = text_from(phone, id, text);
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_tagged_and_explained() {
    let (graph, _shop, server) = start().await;
    tell(&server, "15550000001", "wamid.1", "This is terrible! When do you open?").await;
    let sent = graph.wait_for(1).await;
    assert_eq!((sent[0].to.as_str(), sent[0].text()), ("15550000001", "We are open 9 to 18."));

    let seen = server.lookup("15550000001").await;
    assert_eq!(seen["contact"]["tags"][0]["name"], "complaint");
    assert_eq!(seen["contact"]["tags"][0]["by"], "tagger");
    let turns = seen["turns"].as_array().unwrap();
    let turn = turns.iter().find(|turn| turn["event"] == "message").unwrap();
    let faq = turn["steps"].as_array().unwrap().iter().find(|s| s["step"] == "faq").unwrap();
    assert_eq!(faq["verdict"], "stop");
    assert!(faq["because"].to_string().contains("hours"), "{faq}");

    // Each tag knows why it is there.
    let id = seen["contact"]["id"].as_str().unwrap();
    let tags = server.admin_get(&format!("/api/v1/contacts/{id}/tags")).await;
    for known in [&tags["tags"][0], &tags["history"][0]] {
        assert_eq!((&known["name"], &known["by"]), (&"complaint".into(), &"tagger".into()));
        assert_eq!(known["why"], "+ complaint: `terrible` occurs");
    }
    assert_eq!(tags["history"][0]["change"], "added");

    // The receipt reaches the message's own state.
    let path = format!("/api/v1/contacts/{id}/messages");
    for _ in 0..500 {
        if server.admin_get(&path).await["messages"][0]["state"] == "sent" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no receipt: {}", server.admin_get(&path).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_an_answer_is_kept_for_the_owner() {
    let (graph, _shop, server) = start().await;
    let question = "Is there a dress code in your restaurant?";
    for (id, text) in [("1", question), ("2", "thanks"), ("3", "parking")] {
        tell(&server, "15550000001", &format!("wamid.{id}"), text).await;
    }
    eventually("the last answer", || graph.sent().iter().any(|it| it.text().contains("car park")))
        .await;
    let kept = server.admin_get("/api/v1/unanswered").await;
    let [only] = &kept["unanswered"].as_array().unwrap()[..] else { panic!("{kept}") };
    assert_eq!((&only["question"], &only["step"]), (&question.into(), &"faq".into()));
    let seen = server.lookup("15550000001").await;
    assert_eq!(only["contact"], seen["contact"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_often_becomes_a_rule() {
    let (graph, shop, server) = start().await;
    let asked = [
        ("1", "Is there a dress code in the evening?"),
        ("2", "你们有没有素食的菜？"),
        ("3", "what is the dress code"),
        ("1", "is there a dress code in the EVENING"),
        ("2", "有素食吗"),
        ("1", "thanks"),
        ("4", "Can I bring my dog?"),
    ];
    for (at, (who, words)) in asked.iter().enumerate() {
        tell(&server, &format!("1555000000{who}"), &format!("wamid.{at}"), words).await;
    }
    graph.wait_for(6).await;
    let admin = server.admin.strip_prefix("http://").unwrap();
    let run = |command: &str, more: &[&str]| {
        let mut switchboard = Command::new(binary());
        switchboard.args([command, text(&shop.folder)]).args(more);
        let output = switchboard.env("SWITCHBOARD__HTTP__ADMIN", admin).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let said = run("unanswered", &["--since", "1d"]);
    let days = said.lines().map(|line| line.split(", last on ").next().unwrap());
    insta::assert_snapshot!(days.collect::<Vec<_>>().join("\n"));
    let json = run("unanswered", &["--json", "--limit", "1"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["questions"], &json["contacts"]), (&6.into(), &4.into()));
    let [group] = &json["groups"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!((&group["questions"], &group["contacts"]), (&3.into(), &2.into()));
    // What it prints are rules: with words to say, they answer.
    let rules = said.replace("say = \"\"", "say = \"Yes.\"");
    shop.write("rules/faq.toml", &format!("{FAQ}\n{rules}"));
    run("reload", &[]);
    tell(&server, "15550000005", "wamid.new", "Whats the dress code?").await;
    assert_eq!(graph.wait_for(7).await[6].text(), "Yes.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_a_phone_number_is_answered() {
    let (graph, _shop, server) = start().await;
    let body = text_from_bsuid("CO.13491208655302741918", "wamid.1", "营业时间是什么时候？");
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    let sent = graph.wait_for(1).await;
    assert_eq!(sent[0].body["recipient"], "CO.13491208655302741918");
    assert_eq!(sent[0].body.get("to"), None, "a user id never goes into `to`");
    assert_eq!(sent[0].text(), "We are open 9 to 18.");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_of_a_webhook_get_one_answer() {
    let (graph, _shop, server) = start().await;
    let body = text_from("15550000001", "wamid.same", "parking");
    let copies = (0..50).map(|_| post_webhook(&server.public, "main", &body));
    for answer in join_all(copies).await {
        assert_eq!(answer, Ok(StatusCode::OK));
    }
    // Whatever comes later is answered later: when this is, all copies are done.
    tell(&server, "15550000001", "wamid.last", "when do you open").await;
    let sent = graph.wait_for(2).await;
    let texts: Vec<_> = sent.iter().map(|sent| sent.text()).collect();
    assert_eq!(texts, ["There is a car park behind the shop.", "We are open 9 to 18."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_contact_is_answered_in_order_while_others_are_served() {
    let (graph, _shop, server) = start().await;
    let answers = ["There is a car park behind the shop.", "We are open 9 to 18."];
    let others = (0..200).map(|n| {
        let server = &server;
        async move {
            let phone = format!("1666000{n:04}");
            tell(server, &phone, &format!("wamid.o{n}"), "parking").await;
        }
    });
    let one = async {
        for n in 0..20 {
            let text = ["parking", "When do you open?"][n % 2];
            tell(&server, "15550000001", &format!("wamid.{n}"), text).await;
        }
    };
    tokio::join!(join_all(others), one);
    let sent = graph.wait_for(220).await;
    assert_eq!(sent.len(), 220);
    let texts: Vec<_> = sent.iter().filter(|s| s.to == "15550000001").map(|s| s.text()).collect();
    let expected: Vec<_> = (0..20).map(|n| answers[n % 2]).collect();
    assert_eq!(texts, expected);
    assert!(graph.tally().values().all(|count| *count == 1 || *count == 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_word_stops_marketing() {
    let (graph, _shop, server) = start().await;
    tell(&server, "15550000001", "wamid.1", "STOP").await;
    let sent = graph.wait_for(1).await;
    assert_eq!(sent[0].text(), "You will get no more offers.");
    let seen = server.lookup("15550000001").await;
    assert_eq!(seen["contact"]["consent"]["marketing"], "opted-out");
    // The host hears it first; the plugin answers and records nothing anew.
    assert_eq!(seen["contact"]["consent"]["by"], "contact");
}

/// A promotion some seconds from now: one whose time has passed when its rule
/// is first seen is never sent.
fn sorry() -> String {
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(4);
    let at = soon.strftime("%Y-%m-%dT%H:%M:%S");
    format!(
        "[[promo]]\nid = \"sorry\"\ntemplate = \"we_are_sorry\"\nlanguage = \"en\"\n\
         category = \"marketing\"\nto = {{ all = [\"complaint\"] }}\nat = \"{at}\"\nzone = \"UTC\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_reaches_its_segment_once() {
    let (graph, shop, server) = start().await;
    tell(&server, "15550000001", "wamid.1", "terrible").await;
    tell(&server, "15550000002", "wamid.2", "parking").await;
    tell(&server, "15550000003", "wamid.3", "I complain").await;
    graph.wait_for(3).await;
    shop.replace("rules/promo.toml", &sorry());
    let templates = || graph.sent().iter().filter(|s| s.body["type"] == "template").count();
    eventually("the broadcast", || templates() >= 2).await;

    // A restart announces the rules again; nobody gets it twice.
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    let server = Server::start(&shop);
    tell(&server, "15550000002", "wamid.9", "parking").await;
    let sent = graph.wait_for(6).await;
    let mut to: Vec<_> = sent
        .iter()
        .filter(|sent| sent.body["type"] == "template")
        .map(|sent| (sent.to.as_str(), sent.body["template"]["name"].as_str().unwrap()))
        .collect();
    to.sort_unstable();
    assert_eq!(to, [("15550000001", "we_are_sorry"), ("15550000003", "we_are_sorry")]);
}
