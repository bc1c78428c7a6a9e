//! A recorded turn runs again on what it read then, and on nothing else.

use super::*;
use crate::turn::{Again, again};

/// Reads `key`, asks a host, and says what it has seen.
struct Looks(&'static str, &'static str);

#[async_trait]
impl Step for Looks {
    fn name(&self) -> &str {
        "reads"
    }
    fn plugin(&self) -> &str {
        "reads 2.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let value = draft.kv_get(KvScope::Contact, self.0).await.unwrap();
        let keys = draft.kv_keys(KvScope::Contact, "", 10).await.unwrap();
        let contact = draft.contact.clone().unwrap();
        let seen = value.map_or("nothing".into(), |value| format!("{} bytes", value.len()));
        draft.because(&format!("{seen}, keys {}", keys.join(" ")));
        draft.because(&format!("{} messages at {}", contact.message_count, draft.now()));
        let Network::Recorded(known) = draft.network.clone() else { panic!("it has a network") };
        let request = HttpRequest {
            method: "GET".into(),
            url: self.1.into(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let answer = known.iter().find(|it| it.request == request);
        let response = answer.map_or(Err("none".into()), |it| it.response.clone());
        draft.inputs.exchanges.push(Exchange { request, response });
        Ran::unmeasured(draft, Ok(Verdict::Stop), self.plugin())
    }
}

const KNOWN: &str = "https://stock.example/lemon";

/// The turn as it ran then, with an answer of a host that was recorded.
async fn then() -> Trace {
    let mut trace = traced("small", true).await;
    let Recording::Whole(record) = &mut trace.recording else { panic!("it is not recorded") };
    let request = HttpRequest {
        method: "GET".into(),
        url: KNOWN.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let response = Ok(HttpResponse { status: 200, headers: Vec::new(), body: "3".into() });
    record.steps[0].inputs.exchanges = vec![Exchange { request, response }];
    trace
}

async fn now(trace: &Trace, step: Looks) -> Again {
    let Recording::Whole(record) = &trace.recording else { panic!("it is not recorded") };
    let link = ChainStep {
        step: Arc::new(step),
        on_error: OnError::Skip,
        error_reply: None,
        grants: Grants::default(),
        limits: DraftLimits { effects: 1, log_lines: 9, value_bytes: 9, kv_bytes: 9 },
        rules: String::new(),
    };
    let chain = Chain { name: "default".into(), steps: vec![link] };
    let setting = Setting {
        event: Arc::new(record.event.clone()),
        // The moment is the turn's own.
        now: 1,
        zone: "UTC".into(),
        calendar: None,
        provider: provider(),
        store: store::memory(),
        policy: Default::default(),
        templates: Default::default(),
    };
    again(trace, record, setting, &chain).await
}

#[tokio::test]
async fn what_was_read_then_is_read_again() {
    let trace = then().await;
    let again = now(&trace, Looks("small", KNOWN)).await;
    let because = &again.steps[0].because;
    // The message that came is counted once.
    let counted = format!("1 messages at {NOW}");
    assert_eq!(*because, ["20 bytes, keys large small".to_owned(), counted]);
    assert_eq!((again.unanswered, again.unknown), (vec![], vec![]));
}

#[tokio::test]
async fn what_was_not_read_then_is_told() {
    let trace = then().await;
    let again = now(&trace, Looks("large", "https://stock.example/carrot")).await;
    assert_eq!(again.steps[0].because[0], "nothing, keys large small");
    assert_eq!(again.unanswered, ["GET https://stock.example/carrot"]);
    assert_eq!(again.unknown, ["reads large"]);
}
