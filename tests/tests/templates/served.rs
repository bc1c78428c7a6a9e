//! The same through the real binary: a broadcast, the commands and the API.

use super::graph::{Graph, template};
use axum::http::StatusCode;
use serde_json::json;
use std::process::Command;
use switchboard_tests::{
    client, eventually,
    meta::{post_webhook, text_from},
    server::{Server, binary},
    shop::{Shop, text},
};

async fn start(graph: &Graph) -> (Shop, Server) {
    let shop = Shop::new(&graph.url);
    let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
    let named = "provider = \"meta\"\nbusiness_account_id = \"1020\"";
    shop.write("switchboard.toml", &toml.replace("provider = \"meta\"", named));
    let server = Server::start(&shop);
    eventually("the first reading", || graph.calls() > 0).await;
    (shop, server)
}

async fn told(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary());
    command.args(arguments);
    command.env("SWITCHBOARD__HTTP__ADMIN", server.admin.strip_prefix("http://").unwrap());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let words = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), words(output.stdout), words(output.stderr))
}

fn list() -> Vec<serde_json::Value> {
    let mut order = template("order", "de", "PAUSED", "UTILITY", "Hallo {{name}}, {{number}}");
    order["parameter_format"] = "NAMED".into();
    order["quality_score"] = json!({ "score": "RED" });
    order["components"].as_array_mut().unwrap().push(json!({ "type": "BUTTONS", "buttons": [
        { "type": "URL", "text": "Ansehen", "url": "https://shop.example/{{1}}" },
    ]}));
    vec![order, template("we_are_sorry", "en_US", "APPROVED", "MARKETING", "Sorry!")]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_show_what_the_provider_has() {
    let graph = Graph::start(list()).await;
    let (shop, server) = start(&graph).await;
    let folder = text(&shop.folder);
    let (code, said, error) = told(&server, &["template", "sync", folder]).await;
    assert_eq!(code, 0, "{said}{error}");
    assert!(said.starts_with("account 1020: 2 templates, read "), "{said}");
    let (code, said, _) = told(&server, &["template", "list", folder]).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(code, 0);
    assert_eq!(lines[0], "NAME          LANGUAGE  CATEGORY   STATUS    QUALITY");
    assert_eq!(lines[1], "order         de        utility    paused    red");
    assert_eq!(lines[2], "we_are_sorry  en_US     marketing  approved  -");
    assert!(lines[3].starts_with("account 1020: 2 templates, read "), "{said}");
    let (code, said, _) = told(&server, &["template", "show", folder, "order"]).await;
    assert_eq!(code, 0);
    for line in [
        "order (de): utility, paused, quality red",
        "  | Hallo {{name}}, {{number}}",
        "  values, by name: {{name}}, {{number}}",
        "  button 0: [Ansehen] link https://shop.example/{{1}}",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}\n{said}");
    }
    let preview = ["template", "preview", folder, "order", "--with", "name=Ann"];
    let (code, said, error) = told(&server, &preview).await;
    assert_eq!((code, said.lines().next()), (1, Some("Hallo Ann, {{number}}")));
    assert!(error.contains("not complete: the body lacks {{number}}"), "{error}");
    assert!(error.contains("not complete: button 0 lacks its value"), "{error}");
    let whole = [&preview[..], &["--with", "number=7", "--button", "0=A17"]].concat();
    let (code, said, error) = told(&server, &whole).await;
    assert_eq!(code, 0, "{error}");
    assert_eq!(said, "Hallo Ann, 7\n[Ansehen] https://shop.example/A17\n");
    let (code, _, error) = told(&server, &["template", "preview", folder, "ordr"]).await;
    assert!(code == 3 && error.contains("did you mean `order`?"), "{code} {error}");
    // A failure is said, and the copy stays.
    graph.fail(Some((401, 190)));
    let (code, said, _) = told(&server, &["template", "sync", folder]).await;
    assert_eq!(code, 1);
    assert!(said.contains("2 templates, read ") && said.contains("reading failed: "), "{said}");
    let (_, json, _) = told(&server, &["template", "list", "--json", folder]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["accounts"][0]["channels"], json!(["main"]));
    assert_eq!(json["templates"][1]["status"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_takes_the_language_that_there_is() {
    let graph = Graph::start(list()).await;
    let (shop, server) = start(&graph).await;
    let body = text_from("15550000001", "wamid.1", "terrible");
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    eventually("the answer", || graph.sent().len() == 1).await;
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(4);
    let at = soon.strftime("%Y-%m-%dT%H:%M:%S");
    let promo = |id: &str, template: &str| {
        format!(
            "[[promo]]\nid = \"{id}\"\ntemplate = \"{template}\"\nlanguage = \"en\"\n\
             category = \"utility\"\nto = {{ all = [\"complaint\"] }}\nat = \"{at}\"\nzone = \"UTC\"\n"
        )
    };
    let promos = promo("sorry", "we_are_sorry") + &promo("lost", "no_such_template");
    shop.replace("rules/promo.toml", &promos);
    eventually("the broadcast", || graph.sent().len() == 2).await;
    let sent = &graph.sent()[1]["template"];
    assert_eq!(
        (&sent["name"], &sent["language"]["code"]),
        (&json!("we_are_sorry"), &json!("en_US"))
    );
    // The trace says what was chosen, and why the other did not go.
    let mut turns = String::new();
    for _ in 0..250 {
        turns = server.lookup("15550000001").await["turns"].to_string();
        if turns.contains("no_such_template") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(turns.contains("goes in `en_US`: it is not there in `en`"), "{turns}");
    assert!(turns.contains("`we_are_sorry` is marketing, not utility"), "{turns}");
    assert!(turns.contains("the account has no template `no_such_template`"), "{turns}");
    let metrics = client().get(format!("{}/api/v1/templates", server.admin)).send().await;
    assert_eq!(metrics.unwrap().status().as_u16(), 200);
}
