//! A whole stage: the real server with the real plugins, the simulator as its
//! WhatsApp, customers who write and an operator who looks. What each of them
//! saw is what tests compare.

use crate::{
    client,
    server::Server,
    shop::{NUMBER_ID, SECRET, Shop, TOKEN, VERIFY, switchboard_toml},
    twilio,
};
use serde_json::{Value, json};
use std::{net::TcpListener as Port, sync::Arc, time::Duration};
use switchboard::{
    clock::{AheadClock, Clock, SystemClock},
    simulator::{self, Draft, NewPhone, Retry, Settings, SimulatorConfig, TwilioAccount, Wire},
};
use tokio::{net::TcpListener, sync::watch};

pub const ANN: &str = "15550000001";
pub const BEN: &str = "4915112345678";
/// Shows no number: known by a user id alone.
pub const CAT: &str = "cat.no.number";
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How long something may take that must come.
const PATIENCE: usize = 1_500;
const PAUSE: Duration = Duration::from_millis(20);

/// Whose wire lies between the server and the phones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Meta,
    Twilio,
}

impl Line {
    pub const BOTH: [Self; 2] = [Self::Meta, Self::Twilio];
}

/// The templates that the account has, each with one value. On Twilio's wire
/// they are always there: nothing else may be sent by.
const TEMPLATES: [(&str, &str); 2] = [("order_ready", "UTILITY"), ("spring_sale", "MARKETING")];

pub struct Stage {
    pub shop: Shop,
    pub server: Option<Server>,
    pub sim: String,
    public: String,
    /// The server's, where the test owns it.
    clock: Option<Arc<AheadClock>>,
    stop: watch::Sender<bool>,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// With another simulator, and a business folder changed before the start.
    pub async fn with(
        simulator: impl FnOnce(&mut SimulatorConfig),
        change: impl FnOnce(&Shop),
    ) -> Self {
        Self::on(Line::Meta, simulator, change).await
    }

    /// On a wire.
    pub async fn on(
        line: Line,
        simulator: impl FnOnce(&mut SimulatorConfig),
        change: impl FnOnce(&Shop),
    ) -> Self {
        Self::set_up(line, None, simulator, change).await
    }

    /// On a wire, at this full hour of UTC, the next that comes. From then on
    /// `pass` puts everybody's clock forward; the server runs within this
    /// process.
    pub async fn at(
        hour: u64,
        line: Line,
        simulator: impl FnOnce(&mut SimulatorConfig),
        change: impl FnOnce(&Shop),
    ) -> Self {
        let clock = Arc::new(AheadClock::new(Arc::new(SystemClock)));
        let stage = Self::set_up(line, Some(Arc::clone(&clock)), simulator, change).await;
        let today = clock.now() % DAY.as_millis() as u64;
        let wished = hour * 3_600_000;
        let by = if wished > today { wished } else { wished + DAY.as_millis() as u64 } - today;
        stage.pass(Duration::from_millis(by)).await;
        stage
    }

    async fn set_up(
        line: Line,
        clock: Option<Arc<AheadClock>>,
        simulator: impl FnOnce(&mut SimulatorConfig),
        change: impl FnOnce(&Shop),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sim = format!("http://{}", listener.local_addr().unwrap());
        let public = free_port();
        let shop = Shop::new(&format!("{sim}/v26.0"));
        shop.write("switchboard.toml", &config(line, &sim, &public));
        change(&shop);
        let server = match &clock {
            Some(clock) => Server::within(&shop, Arc::<AheadClock>::clone(clock)),
            None => Server::start(&shop),
        };
        let mut config = SimulatorConfig {
            wire: wire(line),
            webhook_url: format!("http://{public}/webhooks/main"),
            app_secret: SECRET.into(),
            verify_token: VERIFY.into(),
            access_token: TOKEN.into(),
            phone_number_id: NUMBER_ID.into(),
            display_phone_number: twilio::NUMBER.trim_start_matches('+').into(),
            settings: Settings {
                sent_ms: 0,
                delivered_ms: 5,
                read_ms: 5,
                retry: Retry { first_pause_ms: 20, longest_pause_ms: 200, attempts: 200 },
                ..Settings::default()
            },
            phones: phones(),
            templates: match line {
                Line::Meta => Vec::new(),
                Line::Twilio => templates(),
            },
            ..SimulatorConfig::default()
        };
        simulator(&mut config);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { simulator::run(config, listener, stopped).await.unwrap() });
        let stage = Self { shop, server: Some(server), sim, public, clock, stop };
        if line == Line::Twilio {
            stage.knows_templates().await;
        }
        stage
    }

    /// Waits until the list of templates was read.
    pub async fn knows_templates(&self) {
        let known = |list: &Value| list["accounts"][0]["read_at"].is_number();
        self.until("/api/v1/templates", known).await;
    }

    /// Has the list of templates read now.
    pub async fn sync_templates(&self) {
        let url = format!("{}/api/v1/templates/sync", self.server().admin);
        let answer = client().post(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Time passes for everybody: for WhatsApp first, so that nobody is early
    /// there.
    pub async fn pass(&self, time: Duration) {
        let by = time.as_millis() as u64;
        self.post("/sim/clock", json!({"advance_ms": by})).await;
        assert!(self.clock.as_ref().unwrap().put_forward(by, u64::MAX));
    }

    /// The moment by the server's clock, in milliseconds.
    pub fn now(&self) -> u64 {
        self.clock.as_ref().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The process is killed and started again, on the same ports.
    pub fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        self.server = Some(Server::start(&self.shop));
        assert!(self.server().public.ends_with(&self.public));
    }

    // The customer's side.

    /// What a customer does, as in `docs/simulator.md`; the message's id.
    pub async fn act(&self, phone: &str, act: Value) -> String {
        let answer = self.post(&format!("/sim/phones/{}/send", self.key(phone).await), act).await;
        answer["id"].as_str().unwrap_or_default().to_owned()
    }

    pub async fn says(&self, phone: &str, text: &str) -> String {
        self.act(phone, json!({"kind": "text", "body": text})).await
    }

    /// Says something and waits until the webhook was taken, not for an answer:
    /// what is said at once may come in any order.
    pub async fn told(&self, phone: &str, text: &str) {
        let id = self.says(phone, text).await;
        for _ in 0..PATIENCE {
            let chat = self.chat(phone).await;
            if chat.iter().any(|one| one["id"] == id.as_str() && one["status"] == "delivered") {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{text} was never taken");
    }

    /// All that the customer got so far, in words, the oldest first.
    pub async fn saw(&self, phone: &str) -> Vec<String> {
        self.arrived(phone).await.iter().map(in_words).collect()
    }

    /// The same as the simulator has them.
    pub async fn arrived(&self, phone: &str) -> Vec<Value> {
        self.chat(phone).await.into_iter().filter(arrived).collect()
    }

    /// Both sides of the customer's chat, the oldest message first.
    pub async fn chat(&self, phone: &str) -> Vec<Value> {
        let path = format!("/sim/phones/{}/messages?limit=200", self.key(phone).await);
        let answer = self.get(&path).await;
        answer["messages"].as_array().or(answer.as_array()).unwrap().clone()
    }

    /// Waits until the customer has got so many messages.
    pub async fn sees(&self, phone: &str, count: usize) -> Vec<String> {
        for _ in 0..PATIENCE {
            let saw = self.saw(phone).await;
            if saw.len() >= count {
                return saw;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let log = self.server().log.lock().unwrap().clone();
        panic!("{phone} saw {:?}, and {count} were to come\n{log}", self.saw(phone).await);
    }

    /// A customer without a number is found by the user id.
    async fn key(&self, phone: &str) -> String {
        if phone.chars().all(|sign| sign.is_ascii_digit()) {
            return phone.to_owned();
        }
        let phones = self.get("/sim/phones").await;
        let phones = phones["phones"].as_array().or(phones.as_array()).unwrap().clone();
        let of = |one: &&Value| one["username"].as_str().is_some_and(|name| name.contains(phone));
        phones.iter().find(of).unwrap()["user_id"].as_str().unwrap().to_owned()
    }

    // WhatsApp's side.

    pub async fn get(&self, path: &str) -> Value {
        client().get(self.sim.clone() + path).send().await.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = client().post(self.sim.clone() + path).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub async fn patch(&self, path: &str, body: Value) {
        let answer = client().patch(self.sim.clone() + path).json(&body).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
    }

    pub async fn set(&self, settings: Value) {
        self.patch("/sim/settings", settings).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.post("/sim/faults", fault).await;
    }

    // The operator's side.

    /// Adds a promotion with these keys to the rules, and returns when it is
    /// due: in a minute of its own clock, or else soon.
    pub async fn promote(&self, name: &str, keys: &str) {
        let rules = std::fs::read_to_string(self.shop.path("rules/promo.toml")).unwrap();
        for seconds in [3, 6, 12, 24, 48] {
            let ahead = if self.clock.is_some() { 60 } else { seconds };
            let at = (self.now() + ahead * 1_000) as i64;
            let at = jiff::Timestamp::from_millisecond(at).unwrap();
            let (at, id) = (at.strftime("%Y-%m-%dT%H:%M:%S"), format!("{name}-{seconds}"));
            let promo = format!(
                "\n[[promo]]\nid = \"{id}\"\nlanguage = \"en\"\nat = \"{at}\"\nzone = \"UTC\"\n{keys}\n"
            );
            self.shop.replace("rules/promo.toml", &format!("{rules}{promo}"));
            let (planned, over) = (format!("`{id}` is planned"), format!("`{id}` has no time"));
            let told = |turns: &Value, words: &str| turns.to_string().contains(words);
            let either = |turns: &Value| told(turns, &planned) || told(turns, &over);
            // Where it took too long to load, its time has passed.
            if told(&self.until("/api/v1/lanes/@main/turns", either).await, &planned) {
                if self.clock.is_some() {
                    self.pass(Duration::from_secs(60)).await;
                }
                return;
            }
        }
        panic!("the promotion {name} was never planned");
    }

    /// The contact's messages as the operator sees them, the oldest first:
    /// state and reason.
    pub async fn messages(&self, phone: &str) -> Vec<String> {
        let contact = self.contact(phone).await;
        let id = contact["contact"]["id"].as_str().unwrap_or_default().to_owned();
        let answer = self.server().admin_get(&format!("/api/v1/contacts/{id}/messages")).await;
        let mut lines: Vec<_> =
            answer["messages"].as_array().into_iter().flatten().map(in_a_line).collect();
        lines.reverse();
        lines
    }

    /// What the operator sees of a customer, found by number or user id.
    pub async fn contact(&self, phone: &str) -> Value {
        let key = self.key(phone).await;
        let by = if key == phone { "phone" } else { "bsuid" };
        self.server().admin_get(&format!("/api/v1/contacts/lookup?{by}={key}")).await
    }

    /// Gives the conversation back to the bot.
    pub async fn resume(&self, phone: &str) {
        let contact = self.contact(phone).await;
        let id = contact["contact"]["id"].as_str().unwrap();
        let url = format!("{}/api/v1/contacts/{id}/resume", self.server().admin);
        let answer = client().post(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Waits until the operator sees what is wished for.
    pub async fn until(&self, path: &str, wish: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE {
            let answer = self.server().admin_get(path).await;
            if wish(&answer) {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{path} never as wished: {}", self.server().admin_get(path).await);
    }

    /// Waits until the contact's messages are as wished.
    pub async fn until_messages(
        &self,
        phone: &str,
        wish: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        for _ in 0..PATIENCE {
            let lines = self.messages(phone).await;
            if wish(&lines) {
                return lines;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the messages of {phone} never as wished: {:?}", self.messages(phone).await);
    }

    /// The reason for which the first channel is paused, once one is.
    pub async fn until_paused(&self) -> String {
        for _ in 0..PATIENCE {
            if let Some(reason) = self.paused().await.into_iter().next() {
                return reason;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("no channel is ever paused");
    }

    /// The reasons for which channels are paused.
    pub async fn paused(&self) -> Vec<String> {
        let ready = self.server().admin_get("/readyz").await;
        let paused = ready["paused"].as_array().into_iter().flatten();
        paused.map(|one| one["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

fn phones() -> Vec<NewPhone> {
    let phone = |name: &str, number: Option<&str>, username: Option<&str>| NewPhone {
        name: name.into(),
        number: number.map(Into::into),
        username: username.map(Into::into),
        ..NewPhone::default()
    };
    vec![
        phone("Ann", Some(ANN), None),
        // A user id begins with the country, which is that of the number.
        NewPhone { user_id: Some("DE.1000000000000001".into()), ..phone("Ben", Some(BEN), None) },
        phone("Cat", None, Some(CAT)),
    ]
}

/// `TEMPLATES` as a business hands them in.
pub fn templates() -> Vec<Draft> {
    let draft = |(name, category): &(&str, &str)| {
        let draft = json!({
            "name": name, "language": "en", "category": category, "status": "APPROVED",
            "components": [{"type": "BODY", "text": "Hello {{1}}"}],
        });
        serde_json::from_value(draft).unwrap()
    };
    TEMPLATES.iter().map(draft).collect()
}

fn wire(line: Line) -> Wire {
    match line {
        Line::Meta => Wire::Meta,
        Line::Twilio => Wire::Twilio(TwilioAccount {
            sid: twilio::ACCOUNT.into(),
            auth_token: twilio::TOKEN.into(),
            messaging_service_sid: None,
        }),
    }
}

fn config(line: Line, sim: &str, public: &str) -> String {
    let toml = match line {
        Line::Meta => switchboard_toml(&format!("{sim}/v26.0"), &[("main", NUMBER_ID)], ""),
        Line::Twilio => switchboard_toml("", &[], "") + &twilio_channel(sim, public),
    };
    toml.replacen("public = \"127.0.0.1:0\"", &format!("public = \"{public}\""), 1)
}

fn twilio_channel(sim: &str, public: &str) -> String {
    let (account, token, number) = (twilio::ACCOUNT, twilio::TOKEN, twilio::NUMBER);
    format!(
        "\n[[channel]]\nid = \"main\"\nprovider = \"twilio\"\naccount_sid = \"{account}\"\n\
         auth_token = [\"{token}\"]\nnumber = \"{number}\"\npublic_url = \"http://{public}\"\n\
         api_url = \"{sim}\"\nmessages_per_second = 1000\ngrace_seconds = 3\n"
    )
}

/// Taken for a moment: what asks for it next has to be quick.
fn free_port() -> String {
    Port::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// By the business, and on the phone.
fn arrived(message: &Value) -> bool {
    message["by"] == "business"
        && matches!(message["status"].as_str(), Some("delivered" | "read" | "played"))
}

/// A message as the customer would tell it.
fn in_words(message: &Value) -> String {
    let content = &message["content"];
    let text = |pointer: &str| content.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match message["kind"].as_str().unwrap_or_default() {
        "text" => text("/body").to_owned(),
        "interactive" => {
            let buttons = content.pointer("/action/buttons").and_then(Value::as_array);
            let titles = buttons.into_iter().flatten().map(|one| one["reply"]["title"].clone());
            let rows = content.pointer("/action/sections/0/rows").and_then(Value::as_array);
            let titles: Vec<_> =
                titles.chain(rows.into_iter().flatten().map(|row| row["title"].clone())).collect();
            format!("{} {}", text("/body/text"), Value::from(titles))
        }
        "template" => format!("template {} in {}", text("/name"), text("/language/code")),
        "location" => format!("place: {}", text("/name")),
        kind => format!("{kind} {}", text("/caption")).trim_end().to_owned(),
    }
}

fn in_a_line(message: &Value) -> String {
    let state = message["state"].as_str().unwrap_or_default();
    let reason = message["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
    format!("{state}{reason}")
}
