//! One campaign to twenty thousand, and all that may happen to it on one day:
//! the process is killed, the operator pauses it, WhatsApp pauses its template
//! and fails some of its messages, customers stop marketing. Nobody gets it
//! twice, and the funnel is right at every moment.
//!
//! With all its pauses and three kills it sent 231 a second, unoptimised, on two
//! cores that had twice as much other work; with seven times as much, 77. It takes
//! 100 seconds of processor time, the simulator's share included. `SEED=7` draws
//! other moments, and `SWITCHBOARD_DRILL_CONTACTS=2000` makes it short.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, Instant},
};
use switchboard::{
    clock::{Clock, SimulatedClock},
    model::*,
    simulator::{NewPhone, Retry, Settings, SimulatorConfig, templates_of},
    store::{SledOptions, Store, open_sled},
};
use switchboard_tests::{
    client,
    shop::{CHAIN, Shop},
    stage::Stage,
};

const CONTACTS: u64 = 20_000;
/// Another number of contacts, and a number from which the moments are drawn at
/// which things happen.
const CROWD: &str = "SWITCHBOARD_DRILL_CONTACTS";
const SEED: &str = "SEED";
/// Contacts written at once.
const BATCH: u64 = 1_000;
/// Customers who stop marketing together.
const STOPPING: u64 = 60;
/// Messages that WhatsApp takes and then fails, of each kind.
const FAILING: u64 = 40;
const CODES: [u64; 2] = [131_049, 131_026];
/// What one message costs, in cents.
const CENTS: u64 = 7;
const OFFER: &str = r#"[{"name": "offer", "language": "en", "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Come again!"}]}]"#;
/// Requests under way at once, at most.
const CUT_OFF: u64 = 512;
/// How often something is looked for that must come.
const PATIENCE: usize = 1_500;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

fn phone(number: u64) -> String {
    (447_700_000_000 + number).to_string()
}

// The morning: everybody is there.

/// Contacts as an import would leave them, before the server starts.
fn fill(shop: &Shop, count: u64) {
    let data = shop.path("data/store");
    std::fs::create_dir_all(&data).unwrap();
    let filled = std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let store = open_sled(&data, &SledOptions { cache_mb: 64, reserve_mb: 0 }).unwrap();
            for first in (0..count).step_by(BATCH as usize) {
                import(&*store, first..(first + BATCH).min(count)).await;
            }
        });
    });
    filled.join().unwrap();
}

async fn import(store: &dyn Store, numbers: Range<u64>) {
    let happening = |number: u64| Happening {
        channel: ChannelId::new("main"),
        dedup: format!("import {number}"),
        sender: Some(Sender { phone: Some(phone(number)), ..Sender::default() }),
        kind: EventKind::Message(Message::new(
            format!("wamid.import{number}"),
            1,
            Content::Text("hello".into()),
        )),
        raw: String::new(),
    };
    let accepted = store.accept(numbers.map(happening).collect(), 1).await.unwrap();
    let commits = accepted.into_iter().map(async |accepted| {
        let Accepted::New(turn) = accepted else { panic!("a duplicate") };
        let mut contact = store.next_in_lane(&turn.lane).await.unwrap().unwrap().contact.unwrap();
        contact.apply(&Effect::Tag { name: "vip".into(), expires: None }, "import", 1);
        let commit = TurnCommit { contact: Some(contact), ..TurnCommit::new(turn) };
        assert!(store.commit(commit, 1).await.unwrap());
    });
    futures::future::join_all(commits).await;
}

/// Sends as fast as it can, to a WhatsApp that takes as much.
fn configured(shop: &Shop, count: u64) {
    let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
    let price = format!("[budget]\nprice = {{ marketing = 0.{CENTS:02} }}\n\n[[channel]]");
    let rate = format!("messages_per_second = {}", (count / 20).clamp(50, 1_000));
    let toml = toml
        .replace("[[channel]]", &price)
        // Of fewer, too, some are left when something happens.
        .replace("messages_per_second = 1000", &rate)
        // What was sent just before a kill is told of after the restart, with
        // growing pauses while nobody listened.
        .replace("grace_seconds = 3", "grace_seconds = 15")
        .replace("phone_number_id = ", "business_account_id = \"1020\"\nphone_number_id = ");
    shop.write("switchboard.toml", &toml);
    // A step that takes too long leaves its member out, as it should; here it
    // would say that the machine is busy.
    let patient = "limits = { time_ms = 10000 }\nrules = ";
    shop.write("chains/default.toml", &CHAIN.replace("rules = ", patient));
    fill(shop, count);
}

/// What the same promotion would come to a year from now, by its dry run.
async fn foretell(stage: &Stage, keys: &str, count: u64) {
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year() + 1;
    let rules = std::fs::read_to_string(stage.shop.path("rules/promo.toml")).unwrap();
    let later = format!(
        "\n[[promo]]\nid = \"later\"\nlanguage = \"en\"\nat = \"{year}-06-01T10:00:00\"\nzone = \"UTC\"\n{keys}\n"
    );
    stage.shop.replace("rules/promo.toml", &format!("{rules}{later}"));
    let planned = |turns: &Value| turns.to_string().contains("`later` is planned");
    stage.until("/api/v1/lanes/@main/turns", planned).await;
    let since = Instant::now();
    let told = stage.server().admin_get("/api/v1/campaigns/later/dry-run").await;
    eprintln!("the dry run of {count} takes {:.1?}", since.elapsed());
    for key in ["audience", "recipients", "messages", "opened"] {
        assert_eq!(number(&told, key), count, "{key}: {told:#}");
    }
    let cents = (told["cost"]["USD"].as_f64().unwrap() * 100.0).round() as u64;
    assert_eq!((cents, told["cut_short"].as_bool()), (count * CENTS, Some(false)), "{told:#}");
}

struct Day {
    stage: Stage,
    count: u64,
    /// The campaign, as it stands in addresses.
    id: String,
    /// Who has stopped marketing.
    stopped: BTreeSet<String>,
    /// Who has stopped it before the offer had left.
    spared: BTreeSet<String>,
}

impl Day {
    async fn begin(count: u64) -> Self {
        let simulator = |config: &mut SimulatorConfig| {
            config.templates = templates_of(OFFER).unwrap();
            let known = |number| NewPhone { number: Some(phone(number)), ..NewPhone::default() };
            config.phones = (0..count).map(known).collect();
            let retry = Retry { attempts: 5_000, ..config.settings.retry };
            config.settings = Settings { messages_per_second: 0, retry, ..config.settings.clone() };
        };
        let stage = Stage::with(simulator, |shop| configured(shop, count)).await;
        for number in 0..2 * FAILING {
            let (code, phone) = (CODES[number as usize % 2], failing(number, count));
            stage.fault(json!({"kind": "failed", "code": code, "phone": phone})).await;
        }
        let keys = "template = \"offer\"\ncategory = \"marketing\"\nto = { all = [\"vip\"] }";
        foretell(&stage, keys, count).await;
        stage.promote("crowd", keys).await;
        let begun = |found: &Value| found["campaigns"][0]["id"].is_string();
        let found = stage.until("/api/v1/campaigns", begun).await;
        let id = found["campaigns"][0]["id"].as_str().unwrap();
        let id = id.replace(':', "%3A").replace('@', "%40");
        Self { stage, count, id, stopped: BTreeSet::new(), spared: BTreeSet::new() }
    }

    // What is seen of it.

    /// How many sends WhatsApp has taken, answers included.
    async fn taken(&self) -> u64 {
        number(&self.stage.get("/sim/sent?limit=0").await, "total")
    }

    async fn until_taken(&self, wished: u64) {
        for _ in 0..PATIENCE {
            if self.taken().await >= wished {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "{wished} were to be taken, and {} were: {:#}",
            self.taken().await,
            self.look().await
        );
    }

    /// How far the offers came that WhatsApp has taken, by who got them.
    async fn offers(&self) -> BTreeMap<String, Vec<String>> {
        let (mut offers, mut after) = (BTreeMap::<_, Vec<_>>::new(), 0);
        loop {
            let sent = self.stage.get(&format!("/sim/sent?limit=5000&after={after}")).await;
            let messages = sent["messages"].as_array().unwrap();
            for message in messages.iter().filter(|message| message["kind"] == "template") {
                let text = |key: &str| message[key].as_str().unwrap().to_owned();
                offers.entry(text("phone")).or_default().push(text("status"));
            }
            if messages.is_empty() {
                return offers;
            }
            after = number(&sent, "next");
        }
    }

    /// The funnel as the operator sees it, which adds up.
    async fn look(&self) -> Value {
        let path = format!("/api/v1/campaigns/{}", self.id);
        let shown = self.stage.server().admin_get(&path).await;
        let taken = self.taken().await;
        let (campaign, funnel) = (&shown["campaign"], &shown["funnel"]);
        let audience = number(funnel, "audience");
        let tallies = ["left_out", "queued", "refused", "failed"].map(|key| sum(&funnel[key]));
        let parts = tallies.iter().sum::<u64>() + number(funnel, "waiting");
        assert_eq!(parts + number(funnel, "accepted"), audience, "{shown:#}");
        // Some may be reached while the members are counted.
        assert!((number(campaign, "reached")..=self.count).contains(&audience), "{shown:#}");
        assert!(campaign["reached_all"] == false || audience == self.count, "{shown:#}");
        let falling = ["accepted", "sent", "delivered", "read"].map(|key| number(funnel, key));
        assert!(falling.is_sorted_by(|one, next| one >= next), "{shown:#}");
        assert!(gone(funnel) <= taken, "WhatsApp has taken {taken} only: {shown:#}");
        funnel.clone()
    }

    /// Looks until it is as wished; whatever is seen adds up.
    async fn until(&self, what: &str, wish: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE {
            let since = Instant::now();
            let funnel = self.look().await;
            if wish(&funnel) {
                return funnel;
            }
            // Counting so many takes its time, and is not what is tried here.
            tokio::time::sleep(since.elapsed().max(Duration::from_millis(50)) * 2).await;
        }
        panic!("{what}: never, but {:#}", self.look().await);
    }

    /// Waits until so many at least are reached, all that has not left is held by
    /// this rule, and the funnel has as many as WhatsApp has taken. Returns both.
    async fn until_held(&self, rule: &str, reached: u64) -> (Value, BTreeMap<String, Vec<String>>) {
        let held = |funnel: &Value| {
            let (all, held) = (sum(&funnel["queued"]), funnel["queued"][rule].as_u64());
            assert!(number(funnel, "waiting") + all > 0, "too late to show anything: {funnel:#}");
            // What was under way at a kill is not looked at before its time.
            number(funnel, "audience") >= reached
                && number(funnel, "waiting") == 0
                && held.is_some_and(|held| held + CUT_OFF >= all)
        };
        for _ in 0..PATIENCE {
            let funnel = self.until(&format!("all wait by the rule `{rule}`"), held).await;
            let offers = self.offers().await;
            if offers.len() as u64 == gone(&funnel) {
                return (funnel, offers);
            }
        }
        panic!("WhatsApp and the funnel never agree: {:#}", self.look().await);
    }

    /// The end, as WhatsApp and its customers know it.
    async fn agrees(&self, end: &Value) {
        let offers = self.offers().await;
        let twice: Vec<_> = offers.iter().filter(|(_, copies)| copies.len() > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert_eq!(offers.len() as u64, gone(end), "as WhatsApp counts them: {end:#}");
        let on_phones = |copies: &&Vec<String>| copies[0] == "delivered";
        let arrived = offers.values().filter(on_phones).count() as u64;
        assert_eq!(arrived, number(end, "delivered"), "as their phones have them: {end:#}");
        // WhatsApp's failures, each under its code.
        let failed = end["failed"].as_object().unwrap();
        for code in CODES {
            let of = |(reason, _): &(&String, &Value)| reason.ends_with(&format!("({code})"));
            let counts = failed.iter().filter(of).map(|(_, count)| count.as_u64().unwrap());
            assert_eq!(counts.sum::<u64>(), FAILING, "{code}: {end:#}");
        }
        assert_eq!(sum(&end["failed"]), 2 * FAILING, "{end:#}");
        // Who said no before the offer had left got none, and is counted so.
        let got = |phone: &&String| offers.contains_key(*phone);
        assert!(!self.spared.is_empty() && !self.spared.iter().any(|phone| got(&phone)));
        let without = self.stopped.len() - self.stopped.iter().filter(got).count();
        assert_eq!(sum(&end["left_out"]) + sum(&end["refused"]), without as u64, "{end:#}");
        let mut left_out = end["left_out"].as_object().unwrap().keys();
        assert!(left_out.all(|why| why.contains("has stopped marketing messages")), "{end:#}");
        let mut refused = end["refused"].as_object().unwrap().keys();
        assert!(refused.all(|rule| rule == "consent"), "{end:#}");
        // What failed costs nothing.
        let cents = (end["charged"]["USD"].as_f64().unwrap() * 100.0).round() as u64;
        assert_eq!(cents, number(end, "accepted") * CENTS, "{end:#}");
    }

    // What happens.

    /// Some of all write that they want no more.
    async fn stop_some(&mut self) {
        let round = self.stopped.len() as u64 / STOPPING;
        let who: Vec<_> = (0..STOPPING).map(|one| stopping(one, round, self.count)).collect();
        self.stopped.extend(who.iter().cloned());
        let act = |phone: &String| json!({"phone": phone, "kind": "text", "body": "stop"});
        let acts: Vec<_> = who.iter().map(act).collect();
        self.stage.post("/sim/batch", Value::from(acts)).await;
    }

    /// Waits until each who has stopped marketing was told that it is so.
    async fn until_confirmed(&self) {
        for phone in &self.stopped {
            let mut tries = 0;
            while !self.stage.saw(phone).await.iter().any(|text| text.contains("no more offers")) {
                tries += 1;
                assert!(tries < PATIENCE, "{phone} was never told: {:#}", self.look().await);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn happens(&mut self, moment: Moment) {
        match moment {
            Moment::Stop => self.stop_some().await,
            Moment::Kill => {
                self.look().await;
                self.stage.kill_and_restart();
                self.look().await;
            }
            Moment::Pause => self.pause().await,
            Moment::Rest => self.rest().await,
        }
    }

    /// The operator pauses it. Nothing more leaves, whatever happens meanwhile.
    async fn pause(&mut self) {
        self.steer("pause").await;
        let (paused, offers) = self.until_held("campaign", 0).await;
        let before = self.stopped.clone();
        self.stop_some().await;
        self.until_confirmed().await;
        let late = |phone: &&String| !before.contains(*phone) && !offers.contains_key(*phone);
        self.spared.extend(self.stopped.iter().filter(late).cloned());
        self.stage.kill_and_restart();
        let (still, offers_then) = self.until_held("campaign", 0).await;
        // Those who stopped it may have been looked at meanwhile.
        let wait = |funnel: &Value| sum(&funnel["queued"]) + sum(&funnel["refused"]);
        assert_eq!(wait(&still), wait(&paused), "{still:#}");
        assert_eq!(offers.len(), offers_then.len(), "something left while it was paused");
        self.steer("resume").await;
    }

    /// WhatsApp pauses the template, until somebody there thinks better of it.
    async fn rest(&self) {
        self.decide("PAUSED").await;
        self.until_held("template", self.count).await;
        self.decide("APPROVED").await;
    }

    async fn steer(&self, how: &str) {
        let url = format!("{}/api/v1/campaigns/{}/{how}", self.stage.server().admin, self.id);
        let answer = client().post(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{how}: {}", answer.status());
    }

    async fn decide(&self, status: &str) {
        let decision = json!({"status": status, "reason": "low quality"});
        self.stage.patch("/sim/templates/offer/en", decision).await;
        let is = |list: &Value| list["templates"][0]["status"] == *status.to_lowercase();
        self.stage.until("/api/v1/templates", is).await;
    }
}

fn number(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("no {key} in {of}"))
}

fn sum(tally: &Value) -> u64 {
    tally.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

/// Members whose message WhatsApp has taken.
fn gone(funnel: &Value) -> u64 {
    number(funnel, "accepted") + sum(&funnel["failed"])
}

/// Spread over all, and never one of `failing`.
fn stopping(one: u64, round: u64, count: u64) -> String {
    phone(one * (count / STOPPING) / 2 * 2 + 2 * round)
}

fn failing(one: u64, count: u64) -> String {
    phone(one * (count / (2 * FAILING)) / 2 * 2 + 1)
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    Stop,
    Kill,
    Pause,
    Rest,
}

/// What happens, and after how many hundredths of all messages.
fn moments() -> Vec<(u64, Moment)> {
    use Moment::*;
    let mut all = vec![(3, Stop), (6, Kill), (12, Rest), (25, Kill), (45, Stop), (60, Pause)];
    if let Some(seed) = from_env(SEED) {
        let chance = SimulatedClock::new(0, seed);
        all.iter_mut().for_each(|(at, _)| *at = 1 + (chance.jitter() * 85.0) as u64);
        all.sort_by_key(|(at, _)| *at);
        eprintln!("by the seed {seed}: {all:?}");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_in_the_life_of_a_campaign() {
    let count = from_env(CROWD).unwrap_or(CONTACTS);
    let mut day = Day::begin(count).await;
    let began = Instant::now();
    for (share, moment) in moments() {
        day.until_taken(count * share / 100).await;
        day.happens(moment).await;
    }
    let over = |funnel: &Value| number(funnel, "waiting") + sum(&funnel["queued"]) == 0;
    let end = day.until("it ends", over).await;
    let took = began.elapsed().as_secs_f64();
    assert_eq!(number(&end, "audience"), count, "{end:#}");
    day.until_confirmed().await;
    let all = |funnel: &Value| number(funnel, "delivered") == number(funnel, "accepted");
    let end = day.until("all receipts are in", all).await;
    day.agrees(&end).await;
    let accepted = number(&end, "accepted");
    eprintln!(
        "a campaign to {count}: {accepted} got it, {:.0} a second; left out {}, refused {}, failed {}",
        accepted as f64 / took,
        end["left_out"],
        end["refused"],
        end["failed"],
    );
}
