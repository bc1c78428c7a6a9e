//! Twilio's channels through the real binary with the real plugins, and real
//! bodies through the provider.

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::json;
use std::collections::HashMap;
use switchboard::{
    config::{ChannelConfig, ProviderKind},
    model::{ChannelId, EventKind},
    provider::{Denied, Provider, Webhook, WebhookRoute, twilio::Twilio},
    simulator::{self, NewPhone, Settings, SimulatorConfig, TwilioAccount, Wire},
};
use switchboard_tests::{
    corpus, eventually, meta,
    server::Server,
    shop::{Shop, switchboard_toml},
    twilio::{
        ACCOUNT, Api, CONTENT, Fields, NUMBER, PUBLIC_URL, Sent, TOKEN, post_webhook, sign,
        text_from,
    },
};

/// A shop with a channel of each provider.
async fn start() -> (Api, meta::Graph, Shop, Server) {
    start_beside(&[("main", "1060")]).await
}

/// A shop with a channel of Twilio's, and these of Meta's.
async fn start_beside(others: &[(&str, &str)]) -> (Api, meta::Graph, Shop, Server) {
    let (api, graph) = (Api::start().await, meta::Graph::start().await);
    let shop = Shop::new(&graph.url);
    let mut toml = switchboard_toml(&graph.url, others, "");
    toml += &format!(
        "\n[[channel]]\nid = \"tw\"\nprovider = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\n\
         auth_token = [\"new\", \"{TOKEN}\"]\nnumber = \"{NUMBER}\"\npublic_url = \"{PUBLIC_URL}\"\n\
         api_url = \"{}\"\ngrace_seconds = 3\ntemplates = {{ we_are_sorry = \"{CONTENT}\" }}\n",
        api.url
    );
    shop.write("switchboard.toml", &toml);
    let server = Server::start(&shop);
    (api, graph, shop, server)
}

async fn tell(server: &Server, fields: &Fields) {
    let answer = post_webhook(&server.public, "/webhooks/tw", fields).await.unwrap();
    assert_eq!(answer, (StatusCode::OK, "text/xml".into(), "<Response/>".into()));
}

/// Waits until the contact has a message in this state; the message.
async fn settled(server: &Server, phone: &str, state: &str) -> serde_json::Value {
    let mut messages = serde_json::Value::Null;
    for _ in 0..1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let seen = server.lookup(phone).await;
        let Some(id) = seen["contact"]["id"].as_str() else { continue };
        messages = server.admin_get(&format!("/api/v1/contacts/{id}/messages")).await;
        let all = messages["messages"].as_array().into_iter().flatten();
        if let Some(message) = all.into_iter().find(|message| message["state"] == state) {
            return message.clone();
        }
    }
    panic!("no {state}: {messages}");
}

async fn report(server: &Server, sent: &Sent, state: &str, more: &[(&str, &str)]) {
    let fields = sent.state(state, more);
    let answer = post_webhook(&server.public, sent.callback(), &fields).await.unwrap();
    assert_eq!(answer.0, StatusCode::OK, "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_its_states_are_known() {
    let (api, graph, _shop, server) = start().await;
    tell(&server, &text_from("15551234567", "SM1", "When do you open?", &[])).await;
    let sent = api.wait_for(1).await.remove(0);
    assert_eq!(sent.path, format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    assert_eq!(sent.get("Body"), "We are open 9 to 18.");
    assert_eq!(sent.get("To"), "whatsapp:+15551234567");
    assert_eq!(sent.get("From"), format!("whatsapp:{NUMBER}"));
    // The first token sends; the webhook above was signed with the second.
    assert_eq!(sent.authorization, format!("Basic {}", base64(&format!("{ACCOUNT}:new"))));
    assert!(sent.callback().starts_with("/webhooks/tw/status?send=c"), "{}", sent.callback());

    // Out of order, as they may come.
    for state in ["queued", "delivered", "sent"] {
        report(&server, &sent, state, &[]).await;
    }
    settled(&server, "15551234567", "delivered").await;
    report(&server, &sent, "read", &[]).await;
    let message = settled(&server, "15551234567", "read").await;
    assert_eq!(message["message_id"], sent.sid, "{message}");
    // The other channel goes on as before.
    let body = meta::text_from("15550000002", "wamid.1", "parking");
    assert_eq!(meta::post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    graph.wait_for(1).await;
    assert_eq!(api.sent().len(), 1);
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_later_says_why() {
    let (api, _graph, _shop, server) = start().await;
    tell(&server, &text_from("15551234567", "SM1", "parking", &[])).await;
    let sent = api.wait_for(1).await.remove(0);
    report(&server, &sent, "undelivered", &[("ErrorCode", "63024")]).await;
    let message = settled(&server, "15551234567", "failed").await;
    let reason = message["reason"].as_str().unwrap();
    assert!(reason.contains("not on WhatsApp") && reason.contains("63024"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_now_is_sent_again() {
    let (api, _graph, _shop, server) = start().await;
    api.fail_next(429, 20_429);
    tell(&server, &text_from("15551234567", "SM1", "parking", &[])).await;
    assert_eq!(api.wait_for(1).await.len(), 1);
    settled(&server, "15551234567", "accepted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_of_a_webhook_get_one_answer() {
    let (api, _graph, _shop, server) = start().await;
    let fields = text_from("15551234567", "SMsame", "parking", &[]);
    let copy = async |attempt: usize| {
        let path = "/webhooks/tw";
        let answer = switchboard_tests::client()
            .post(format!("{}{path}", server.public))
            .header("x-twilio-signature", sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &fields))
            .header("i-twilio-idempotency-token", format!("token-{}", attempt / 2))
            .form(&fields);
        assert_eq!(answer.send().await.unwrap().status().as_u16(), 200);
    };
    join_all((0..50).map(copy)).await;
    // When this is answered, all copies are done.
    tell(&server, &text_from("15551234567", "SMlast", "when do you open", &[])).await;
    let texts: Vec<_> = api.wait_for(2).await.iter().map(|s| s.get("Body").to_owned()).collect();
    assert_eq!(texts, ["There is a car park behind the shop.", "We are open 9 to 18."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_twilio_did_not_sign_leaves_no_trace() {
    let (api, _graph, _shop, server) = start().await;
    let fields = text_from("15551234567", "SM1", "parking", &[]);
    let post = async |path: &str, signature: Option<String>, forwarded: bool| {
        let mut request = switchboard_tests::client().post(format!("{}{path}", server.public));
        if let Some(signature) = signature {
            request = request.header("x-twilio-signature", signature);
        }
        if forwarded {
            request = request.header("x-forwarded-proto", "https");
            request = request.header("x-forwarded-host", "evil.example");
        }
        request.form(&fields).send().await.unwrap().status().as_u16()
    };
    let signed = |token: &str, url: &str| Some(sign(token, url, &fields));
    let url = format!("{PUBLIC_URL}/webhooks/tw");
    let path = "/webhooks/tw";
    assert_eq!(post(path, None, false).await, 401);
    assert_eq!(post(path, signed("other", &url), false).await, 401);
    assert_eq!(post(path, signed("", &url), false).await, 401);
    let evil = "https://evil.example/webhooks/tw";
    assert_eq!(post(path, signed(TOKEN, evil), true).await, 401);
    // A signature is for one address alone.
    assert_eq!(post("/webhooks/tw/status", signed(TOKEN, &url), false).await, 401);
    assert_eq!(post("/webhooks/tw/status?send=c1-1-0", signed(TOKEN, &url), false).await, 401);
    assert_eq!(post("/webhooks/none", signed(TOKEN, &url), false).await, 404);
    assert!(server.lookup("15551234567").await["contact"].is_null());
    assert_eq!(post(path, signed(TOKEN, &url), true).await, 200);
    api.wait_for(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_may_come_by_get() {
    let (api, _graph, _shop, server) = start().await;
    let fields = text_from("15551234567", "SM1", "parking", &[]);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let path = format!("/webhooks/tw?{query}");
    let get = async |signature: String| {
        let request = switchboard_tests::client().get(format!("{}{path}", server.public));
        let answer = request.header("x-twilio-signature", signature).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("AAAA".into()).await.0, 403);
    let good = sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &[]);
    assert_eq!(get(good).await, (200, "<Response/>".into()));
    api.wait_for(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_and_the_simulator_speak_twilio_with_each_other() {
    let free = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulator = free().await;
    let api = format!("http://{}", simulator.local_addr().unwrap());
    let public = free().await.local_addr().unwrap();
    let shop = Shop::new(&api);
    let toml = format!(
        "[http]\npublic = \"{public}\"\nadmin = \"127.0.0.1:0\"\n\n[store]\nreserve_mb = 16\n\n\
         [[channel]]\nid = \"tw\"\nprovider = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\n\
         auth_token = [\"{TOKEN}\"]\nnumber = \"{NUMBER}\"\npublic_url = \"http://{public}\"\n\
         api_url = \"{api}\"\ngrace_seconds = 3\n"
    );
    shop.write("switchboard.toml", &toml);
    let server = Server::start(&shop);
    let config = SimulatorConfig {
        wire: Wire::Twilio(TwilioAccount {
            sid: ACCOUNT.into(),
            auth_token: TOKEN.into(),
            messaging_service_sid: None,
        }),
        webhook_url: format!("http://{public}/webhooks/tw"),
        display_phone_number: NUMBER.trim_start_matches('+').into(),
        phones: vec![NewPhone { number: Some("15551234567".into()), ..NewPhone::default() }],
        settings: Settings { auto_read: true, ..Settings::default() },
        ..SimulatorConfig::default()
    };
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(simulator::run(config, simulator, stopped));
    let act = async |body: serde_json::Value| {
        let url = format!("{api}/sim/phones/15551234567/send");
        let answer = switchboard_tests::client().post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    };
    act(json!({"kind": "text", "body": "When do you open?", "copies": 5})).await;
    settled(&server, "15551234567", "read").await;
    let url = format!("{api}/sim/sent");
    let sent = switchboard_tests::client().get(url).send().await.unwrap();
    let sent: serde_json::Value = sent.json().await.unwrap();
    assert_eq!(sent["total"], 1, "{sent}");
    assert_eq!(sent["messages"][0]["content"]["body"], "We are open 9 to 18.");
    // Who blocked the business is said so in words.
    let fault = json!({"kind": "failed", "code": 131_026});
    let url = format!("{api}/sim/faults");
    switchboard_tests::client().post(url).json(&fault).send().await.unwrap();
    act(json!({"kind": "text", "body": "parking"})).await;
    let failed = settled(&server, "15551234567", "failed").await;
    assert!(failed["reason"].as_str().unwrap().contains("error 63024"), "{failed}");
}

/// A promotion some seconds from now.
fn sorry() -> String {
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(4);
    let at = soon.strftime("%Y-%m-%dT%H:%M:%S");
    format!(
        "[[promo]]\nid = \"sorry\"\ntemplate = \"we_are_sorry\"\nlanguage = \"en\"\n\
         category = \"marketing\"\nto = {{ all = [\"complaint\"] }}\nat = \"{at}\"\nzone = \"UTC\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_goes_by_its_content_sid() {
    let (api, _graph, shop, server) = start_beside(&[]).await;
    tell(&server, &text_from("15551234567", "SM1", "terrible", &[])).await;
    api.wait_for(1).await;
    shop.replace("rules/promo.toml", &sorry());
    let templates = || api.sent().iter().filter(|one| one.get("ContentSid") == CONTENT).count();
    eventually("the template", || templates() == 1).await;
}

fn provider() -> Twilio {
    Twilio::new(&ChannelConfig {
        public_url: Some(PUBLIC_URL.into()),
        account_sid: Some(ACCOUNT.into()),
        auth_token: vec![TOKEN.into()],
        number: Some("+15550000002".into()),
        ..ChannelConfig::new("tw", ProviderKind::Twilio)
    })
}

#[test]
fn real_bodies_are_read() {
    let Some(folder) = corpus("whatsapp/payloads/twilio") else { return };
    let read = |file: &str, query: &str| {
        let body = std::fs::read(folder.join(file)).unwrap();
        let body = body.trim_ascii();
        let headers = HashMap::new();
        let (route, path) = (WebhookRoute::Status, "/webhooks/tw/status");
        let webhook = Webhook { route, headers: &headers, path, query, body };
        provider().parse(webhook, &ChannelId::new("tw"), &|_| None).unwrap()
    };
    // Of a state only these four fields are sure to be there.
    let delivered = read("status_delivered-min.form.txt", "send=c1-2-0");
    let EventKind::Receipt(receipt) = &delivered[0].kind else { panic!("{delivered:?}") };
    assert_eq!((receipt.message_id.as_str(), receipt.state.name()), ("SM123", "delivered"));
    assert_eq!(receipt.send, Some("c1-2-0".parse().unwrap()));
    // A picture by the mobile network: no answer by WhatsApp would be right.
    let picture = read("inbound_media1.form.txt", "");
    assert_eq!(picture[0].kind.name(), "account");
    assert!(picture[0].raw.contains("https://api.twilio.com/media/one"));
}

#[test]
fn signatures_of_twilios_own_libraries_are_accepted() {
    let Some(folder) = corpus("whatsapp/payloads/twilio") else { return };
    let text = std::fs::read_to_string(folder.join("signature_vectors.json")).unwrap();
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut forms = 0;
    for vector in vectors.iter().filter(|vector| vector["signature"].is_string()) {
        let url = vector["url"].as_str().unwrap();
        let rest = url.strip_prefix("https://mycompany.com").unwrap();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let params: Vec<(String, String)> =
            serde_json::from_value(vector["params"].clone()).unwrap();
        let form = |params: &[(String, String)]| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
        };
        let twilio = Twilio::new(&ChannelConfig {
            public_url: Some("https://mycompany.com".into()),
            auth_token: vec![vector["auth_token"].as_str().unwrap().into()],
            ..ChannelConfig::new("tw", ProviderKind::Twilio)
        });
        let header = vector["signature"].as_str().unwrap().to_owned();
        let headers = HashMap::from([("x-twilio-signature".to_owned(), header)]);
        let verify = |body: &str| {
            let (route, body) = (WebhookRoute::Main, body.as_bytes());
            twilio.verify(Webhook { route, headers: &headers, path, query, body })
        };
        assert_eq!(verify(&form(&params)), Ok(()), "{}", vector["name"]);
        assert_eq!(verify(&form(&params[1..])), Err(Denied::WrongSignature));
        forms += 1;
    }
    assert_eq!(forms, 3);
    let hash = vectors.iter().find(|vector| vector["bodySHA256"].is_string()).unwrap();
    let (query, body) = (
        format!("bodySHA256={}", hash["bodySHA256"].as_str().unwrap()),
        hash["body"].as_str().unwrap(),
    );
    let signature = sign(TOKEN, &format!("{PUBLIC_URL}/webhooks/tw?{query}"), &[]);
    let headers = HashMap::from([
        ("x-twilio-signature".to_owned(), signature),
        ("content-type".to_owned(), "application/json".to_owned()),
    ]);
    let verify = |body: &str| {
        let (route, path, query) = (WebhookRoute::Main, "/webhooks/tw", query.as_str());
        let webhook = Webhook { route, headers: &headers, path, query, body: body.as_bytes() };
        provider().verify(webhook)
    };
    assert_eq!(verify(body), Ok(()));
    assert_eq!(verify(&body.replace("true", "True")), Err(Denied::WrongSignature));
}
