//! A running server whose plugin is replaced by the same in each language,
//! while a customer goes on buying and asking.

use super::built;
use serde_json::json;
use std::time::Duration;
use switchboard::author::Language;
use switchboard_tests::{
    meta::{Graph, envelope, post_webhook, text_from},
    now_seconds,
    server::Server,
    shop::Shop,
};

const CHAIN: &str = r#"
[[step]]
name = "loyalty"
plugin = "plugins/loyalty.wasm"
limits = { time_ms = 10000, configure_ms = 60000 }
"#;
const PHONE: &str = "18885550001";
/// For a component to go live: a large one takes a busy machine minutes.
const LIVE: usize = 6_000;

struct Customer<'a> {
    graph: &'a Graph,
    server: &'a Server,
    purchases: usize,
    questions: usize,
}

impl Customer<'_> {
    async fn posts(&self, body: &[u8]) {
        assert_eq!(
            post_webhook(&self.server.public, "main", body).await.map(|status| status.as_u16()),
            Ok(200)
        );
    }

    /// Waits for the answer, and holds it to be the one.
    async fn answered(&self, words: &str) {
        let sent = self.graph.wait_for(self.purchases + self.questions).await;
        assert_eq!(sent.last().unwrap().text(), words);
    }

    async fn buys(&mut self) {
        self.purchases += 1;
        let message = json!({
            "from": PHONE, "id": format!("wamid.buy{}", self.purchases), "type": "order",
            "timestamp": now_seconds().to_string(),
            "order": { "catalog_id": "77", "product_items": [
                { "product_retailer_id": "tea", "quantity": 1, "item_price": 7.5, "currency": "EUR" }
            ] },
        });
        let contacts = json!([{ "profile": { "name": "Test" }, "wa_id": PHONE }]);
        self.posts(&envelope(json!({ "contacts": contacts, "messages": [message] }))).await;
        let points = 10 * self.purchases;
        self.answered(&format!("Thank you! You now have {points} points.")).await;
    }

    async fn asks(&mut self) {
        self.questions += 1;
        let id = format!("wamid.ask{}", self.questions);
        self.posts(&text_from(PHONE, &id, "How many points have I?")).await;
        self.answered(&format!("You have {} points.", 10 * self.purchases)).await;
    }
}

async fn generation(server: &Server) -> serde_json::Value {
    server.admin_get("/readyz").await["generation"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_go_on_counting_whatever_language_counts_them() {
    let components: Vec<_> = tokio::task::block_in_place(|| {
        let of = |language| Some((language, built(language)?.component));
        Language::ALL.into_iter().filter_map(of).collect()
    });
    let [(first, component), others @ ..] = &components[..] else { return };
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    shop.write("chains/default.toml", CHAIN);
    shop.write("plugins/placeholder", "");
    let place = shop.path("plugins/loyalty.wasm");
    std::fs::copy(component, &place).unwrap();
    let server = Server::start(&shop);
    graph.give_receipts(&server.public);
    let mut customer = Customer { graph: &graph, server: &server, purchases: 0, questions: 0 };
    customer.buys().await;
    customer.asks().await;
    let mut languages = vec![*first];
    for (language, component) in others {
        let before = generation(&server).await["generation"].clone();
        let new = place.with_extension("new~");
        std::fs::copy(component, &new).unwrap();
        std::fs::rename(&new, &place).unwrap();
        let mut live = false;
        for _ in 0..LIVE {
            // Nobody waits for a plugin to be compiled.
            customer.buys().await;
            let now = generation(&server).await;
            assert_eq!(now["problems"], json!([]), "{language}");
            live = now["generation"] != before;
            if live {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(live, "{language} never went live");
        customer.buys().await;
        customer.asks().await;
        languages.push(*language);
    }
    let sent = graph.wait_for(customer.purchases + customer.questions).await;
    assert_eq!(sent.len(), customer.purchases + customer.questions, "each is answered once");
    eprintln!("{} purchases counted by {languages:?}, one after the other", customer.purchases);
}
