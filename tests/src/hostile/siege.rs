//! A real server with two numbers: innocents write to one all the time, and
//! what is hostile stands behind the other.

use super::{Case, Meets};
use crate::{
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::{NUMBER_ID, Shop, switchboard_toml},
};
use axum::http::StatusCode;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

const EVIL: &str = "evil";
const EVIL_NUMBER: &str = "6660";
/// What `on_error` says for the hostile step.
pub const SORRY: &str = "Sorry, one moment.";
/// What the step behind it, and every innocent's, answers.
pub const SERVED: &str = "There is a car park behind the shop.";
const PEACE: &str = "[[step]]\nname = \"faq-evil\"\nplugin = \"faq\"\nrules = \"rules/faq.toml\"\n";

pub struct Siege {
    pub graph: Graph,
    pub shop: Shop,
    pub server: Server,
    contacts: AtomicU64,
}

/// What came of a hostile thing.
#[derive(Clone, Debug, Default)]
pub struct Strike {
    /// Why it was not loaded.
    pub refused: Option<String>,
    pub error: Option<String>,
    /// `StepError::kind`.
    pub error_kind: Option<String>,
    /// Its reasons and its log, a line each.
    pub said: String,
    pub took: Duration,
    /// What the contact was answered.
    pub answer: String,
}

impl Siege {
    pub async fn start() -> Self {
        let graph = Graph::start().await;
        let shop = Shop::new(&graph.url);
        let numbers = [("main", NUMBER_ID), (EVIL, EVIL_NUMBER)];
        let text = switchboard_toml(&graph.url, &numbers, "");
        let evil = text.rfind("id = \"evil\"").unwrap();
        let (before, after) = text.split_at(evil);
        shop.write("switchboard.toml", &format!("{before}chain = \"evil\"\n{after}"));
        shop.write("chains/evil.toml", PEACE);
        let server = Server::start(&shop);
        graph.give_receipts(&server.public);
        Self { graph, shop, server, contacts: AtomicU64::new(0) }
    }

    /// Puts the case's step before the evil channel's own. Error: the problems.
    pub async fn arm(&self, case: &Case, step: &str) -> Result<(), String> {
        let file = format!("plugins/{step}.wasm");
        let path = self.shop.path(&file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &case.component).unwrap();
        if case.zeros > 0 {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_len(case.component.len() as u64 + case.zeros).unwrap();
        }
        self.shop.write(&format!("rules/{step}.toml"), &case.rules);
        let chain = format!(
            "[[step]]\nname = \"{step}\"\nplugin = \"{file}\"\nrules = \"rules/{step}.toml\"\n\
             on_error = \"reply\"\nerror_reply = \"{SORRY}\"\nlimits = {{ {} }}\ngrants = {{ {} }}\n\n\
             {PEACE}",
            case.limits, case.grants
        );
        self.shop.replace("chains/evil.toml", &chain);
        self.reload().await
    }

    /// Takes every hostile step away.
    pub async fn disarm(&self) {
        self.shop.replace("chains/evil.toml", PEACE);
        self.reload().await.expect("the peaceful chain loads");
    }

    /// By command, as an owner does.
    pub async fn reload(&self) -> Result<(), String> {
        let url = format!("{}/api/v1/reload", self.server.admin);
        let answer = crate::client().post(url).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        match answer["generation"].as_u64() {
            Some(_) => Ok(()),
            None => Err(answer["problems"].to_string()),
        }
    }

    /// A new contact writes to the evil number and waits for an answer.
    pub async fn strike(&self, step: &str, text: &str) -> Strike {
        self.strike_from(&self.contact(), step, text).await
    }

    /// A phone number that nobody had before.
    pub fn contact(&self) -> String {
        format!("1999{:07}", self.contacts.fetch_add(1, Ordering::SeqCst))
    }

    pub async fn strike_from(&self, phone: &str, step: &str, text: &str) -> Strike {
        let before = self.answers(phone).len();
        let id = format!("wamid.{phone}.{}", self.contacts.fetch_add(1, Ordering::SeqCst));
        let mut body: Value = serde_json::from_slice(&text_from(phone, &id, text)).unwrap();
        body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = EVIL_NUMBER.into();
        let body = serde_json::to_vec(&body).unwrap();
        assert_eq!(post_webhook(&self.server.public, EVIL, &body).await, Ok(StatusCode::OK));
        crate::eventually("an answer to who struck", || self.answers(phone).len() > before).await;
        let answer = self.answers(phone).swap_remove(before);
        let seen = self.server.lookup(phone).await;
        let turns = seen["turns"].as_array().unwrap();
        let turn = turns.iter().find(|turn| turn["event"] == "message").unwrap();
        let steps = turn["steps"].as_array().unwrap();
        let Some(of) = steps.iter().find(|it| it["step"] == step) else {
            return Strike { answer, ..Strike::default() };
        };
        Strike {
            refused: None,
            error: of["error"].as_str().map(Into::into),
            error_kind: of["error_kind"].as_str().map(Into::into),
            said: said(of),
            took: Duration::from_micros(of["duration_us"].as_u64().unwrap()),
            answer,
        }
    }

    /// Arms, strikes and disarms.
    pub async fn try_case(&self, number: usize, case: &Case) -> Strike {
        let step = format!("case-{number}");
        let armed = self.arm(case, &step).await;
        let mut strike = self.strike(&step, case.text).await;
        strike.refused = armed.err();
        self.disarm().await;
        strike
    }

    fn answers(&self, phone: &str) -> Vec<String> {
        let sent = self.graph.sent();
        sent.iter().filter(|it| it.to == phone).map(|it| it.text().to_owned()).collect()
    }
}

fn said(step: &Value) -> String {
    let because = step["because"].as_array().unwrap().iter().filter_map(Value::as_str);
    let logs = step["logs"].as_array().unwrap().iter().filter_map(|it| it["message"].as_str());
    because.chain(logs).collect::<Vec<_>>().join("\n")
}

impl Strike {
    /// Error: what is not as the case says.
    pub fn check(&self, case: &Case) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{}: {what}: {self:?}", case.name));
        let (text, answer) = match case.meets {
            Meets::Refusal(words) => (self.refused.as_ref().map(|it| (it, words)), SERVED),
            Meets::Failure(words) => (self.error.as_ref().map(|it| (it, words)), SORRY),
            Meets::Bounded(words) => (Some((&self.said, words)), SERVED),
        };
        let Some((text, words)) = text else { return wrong("it was not stopped") };
        if !text.contains(words) {
            return wrong("it ended otherwise");
        }
        if self.refused.is_some() && !matches!(case.meets, Meets::Refusal(_)) {
            return wrong("it was not loaded");
        }
        if self.error.is_some() && !matches!(case.meets, Meets::Failure(_)) {
            return wrong("it failed");
        }
        // One that talks itself is answered by itself first.
        match self.answer == answer
            || case.name == "answers every receipt"
            || self.answer.starts_with("www")
        {
            true => Ok(()),
            false => wrong("its contact was answered otherwise"),
        }
    }
}

/// Contacts that write all the time, each once, and want an answer.
pub struct Innocents {
    stop: Arc<AtomicBool>,
    wrote: Arc<Mutex<Vec<(String, Instant)>>>,
    writers: Vec<JoinHandle<()>>,
}

impl Innocents {
    /// `writers` at once, each a message every `pause`.
    pub fn start(server: &Server, writers: usize, pause: Duration) -> Self {
        let (stop, wrote) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let writers = (0..writers).map(|writer| {
            let (stop, wrote) = (Arc::clone(&stop), Arc::clone(&wrote));
            let public = server.public.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let phone = format!("1888{writer:02}{n:06}");
                    let body = text_from(&phone, &format!("wamid.{phone}"), "parking");
                    let at = Instant::now();
                    let status = post_webhook(&public, "main", &body).await;
                    assert_eq!(status, Ok(StatusCode::OK), "an innocent was turned away");
                    wrote.lock().unwrap().push((phone, at));
                    tokio::time::sleep(pause).await;
                }
            })
        });
        let writers = writers.collect();
        Self { stop, wrote, writers }
    }

    pub fn count(&self) -> usize {
        self.wrote.lock().unwrap().len()
    }

    /// Waits until so many more than `before` have written and everybody who
    /// has was answered.
    pub async fn are_served(&self, graph: &Graph, before: usize, more: usize) {
        crate::eventually("more innocents", || self.count() >= before + more).await;
        let wrote: Vec<String> =
            self.wrote.lock().unwrap()[before..].iter().map(|(phone, _)| phone.clone()).collect();
        crate::eventually("every innocent to be answered", || {
            let answered = answered(graph);
            wrote.iter().all(|phone| answered.contains_key(phone))
        })
        .await;
    }

    /// Stops writing, waits for the last answers, and sees that each got the
    /// right one, once. How many there were.
    pub async fn end(self, graph: &Graph) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for writer in self.writers {
            writer.await.unwrap();
        }
        let wrote = self.wrote.lock().unwrap().clone();
        crate::eventually("the last innocents to be answered", || {
            let answered = answered(graph);
            wrote.iter().all(|(phone, _)| answered.contains_key(phone))
        })
        .await;
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for sent in graph.sent().iter().filter(|sent| sent.to.starts_with("1888")) {
            texts.entry(sent.to.clone()).or_default().push(sent.text().into());
        }
        for (phone, _) in &wrote {
            assert_eq!(texts[phone], [SERVED], "{phone}");
        }
        wrote.len()
    }

    /// From writing to the answer's arrival, of those who wrote in between.
    pub fn latencies(&self, graph: &Graph, from: Instant, to: Instant) -> Vec<Duration> {
        let answered = answered(graph);
        let wrote = self.wrote.lock().unwrap();
        let mut took: Vec<Duration> = wrote
            .iter()
            .filter(|(_, at)| (from..to).contains(at))
            .filter_map(|(phone, at)| Some(answered.get(phone)?.duration_since(*at)))
            .collect();
        took.sort();
        took
    }
}

fn answered(graph: &Graph) -> HashMap<String, Instant> {
    let sent = graph.sent();
    sent.into_iter().filter(|it| it.to.starts_with("1888")).map(|it| (it.to, it.at)).collect()
}
