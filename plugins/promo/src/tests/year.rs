//! A year of a shop, with everything at once: nobody gets more than the cap,
//! nobody is woken, nobody gets the same thing twice.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

const RULES: &str = r#"{
    "quiet": "21:00-09:00", "cap": "3 per 7 days", "zone": "recipient",
    "promo": [
        {"id": "news", "template": "t", "language": "en", "every": "0 8 * * MON,WED,FRI", "spread": "5 hours"},
        {"id": "daily", "template": "t", "language": "en", "every": "30 22 * * *", "zone": "America/New_York",
         "to": {"all": ["vip"]}, "hold_out": 20},
        {"id": "best", "template": "t", "language": "en", "every": "0 12 * * SUN", "at_best_hour": true},
        {"id": "sale", "template": "t", "language": "en", "at": "2026-10-25T02:30:00"},
        {"id": "birthday", "template": "t", "language": "en", "yearly": {"attribute": "birthday", "time": "00:30"}},
        {"id": "welcome", "template": "t", "language": "en", "after": {"tag": "vip", "wait": "36 hours"}},
        {"id": "review", "template": "t", "language": "en", "after": {"order": true, "wait": "3 hours"}},
        {"id": "back", "template": "t", "language": "en", "after": {"silence": "20 days"}}
    ]}"#;
const CAP: usize = 3;
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Not/AZone",
];
/// The channel's lane; the others are contacts.
const CHANNEL: usize = ZONES.len();

/// Numbers that look like chance, the same in each run of a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % end
    }
}

enum Happens {
    Event(Event),
    Message(Content),
    Tag(bool),
}

/// As much of a host as a promotion can see of one.
struct Shop {
    promo: Promo,
    lanes: Vec<Stage>,
    /// What is to come: when, the how manieth, in which lane.
    agenda: BTreeMap<(Instant, u64, usize), Happens>,
    timers: BTreeMap<(usize, String), (Instant, u64)>,
    broadcasts: BTreeSet<String>,
    chance: Chance,
    count: u64,
    /// When, to whom, what for.
    sent: Vec<(Instant, usize, String)>,
}

impl Shop {
    fn open(seed: u64) -> Self {
        let now = at("2026-01-01T00:00:00", "UTC");
        let lane = |lane: usize| {
            let mut stage = Stage { now, zone: "Europe/London".into(), ..Stage::default() };
            stage.channel_lane = lane == CHANNEL;
            stage.contact.zone = ZONES.get(lane).map(|zone| (*zone).into());
            stage
                .contact
                .attributes
                .insert("birthday".into(), format!("0{}-1{lane}", lane % 9 + 1));
            stage
        };
        let mut shop = Self {
            promo: configure(RULES).unwrap(),
            lanes: (0..=CHANNEL).map(lane).collect(),
            agenda: BTreeMap::new(),
            timers: BTreeMap::new(),
            broadcasts: BTreeSet::new(),
            chance: Chance(seed),
            count: 0,
            sent: Vec::new(),
        };
        let json = r#"{"field": "rules-loaded"}"#.into();
        let loaded = Event::Other(Other { kind: "account".into(), json });
        shop.expect(now, CHANNEL, Happens::Event(loaded));
        for contact in 0..CHANNEL {
            for _ in 0..40 {
                let happens = match shop.chance.below(8) {
                    0 => Happens::Tag(true),
                    1 => Happens::Tag(false),
                    2 => Happens::Message(Content::Other(Other {
                        kind: "order".into(),
                        json: "{}".into(),
                    })),
                    _ => Happens::Message(Content::Text("hi".into())),
                };
                let when = now + shop.chance.below(365 * DAY);
                shop.expect(when, contact, happens);
            }
        }
        shop
    }

    fn expect(&mut self, when: Instant, lane: usize, happens: Happens) -> u64 {
        self.count += 1;
        self.agenda.insert((when, self.count, lane), happens);
        self.count
    }

    fn run(&mut self, end: Instant) {
        let mut turns = 0;
        while let Some(((now, number, lane), happens)) = self.agenda.pop_first() {
            if now > end {
                return;
            }
            turns += 1;
            assert!(turns < 100_000, "timers that come again and again");
            self.timers.retain(|_, (_, timer)| *timer != number);
            // One for all contacts.
            let shared: Vec<_> = self.lanes[CHANNEL].kv.clone().into_iter().collect();
            let stage = &mut self.lanes[lane];
            stage.kv.extend(shared.into_iter().filter(|((of_plugin, _), _)| *of_plugin));
            stage.now = now;
            let turn = match happens {
                Happens::Event(event) => stage.handle(&self.promo, event),
                Happens::Message(content) => {
                    let turn = stage.sends(&self.promo, content);
                    stage.contact.last_seen = Some(now);
                    turn
                }
                Happens::Tag(set) => {
                    match set {
                        true => stage.contact.tags.insert("vip".into()),
                        false => stage.contact.tags.remove("vip"),
                    };
                    continue;
                }
            };
            assert_eq!(turn.verdict, Ok(Continue));
            assert!(turn.effects.len() <= 50);
            self.take(turn, now, lane);
        }
    }

    fn take(&mut self, turn: Turn, now: Instant, lane: usize) {
        let what = turn.because.last().cloned().unwrap_or_default();
        for effect in turn.effects {
            match effect {
                Effect::Reply(_) => self.sent.push((now, lane, what.clone())),
                Effect::SetTimer { name, due, payload } => {
                    let at = due.max(now + 1_000);
                    let timer = Event::Timer(Timer { name: name.clone(), due, payload });
                    let number = self.expect(at, lane, Happens::Event(timer));
                    if let Some((at, old)) = self.timers.insert((lane, name), (at, number)) {
                        self.agenda.remove(&(at, old, lane));
                    }
                }
                Effect::Broadcast { id, to, payload, .. } if self.broadcasts.insert(id.clone()) => {
                    for contact in 0..CHANNEL {
                        let tags = &self.lanes[contact].contact.tags;
                        if to.all_of.iter().all(|tag| tags.contains(tag)) {
                            // Not all at once, and at times late.
                            let at = now + self.chance.below(30) * self.chance.below(60_000);
                            let (id, payload) = (id.clone(), payload.clone());
                            let event = Event::Broadcast(Broadcast { id, payload });
                            self.expect(at, contact, Happens::Event(event));
                        }
                    }
                }
                Effect::Broadcast { .. } | Effect::LeaveOut(_) => {}
                effect => panic!("{effect:?}"),
            }
        }
    }
}

#[test]
fn nobody_is_bothered() {
    for seed in 1..=3 {
        let mut shop = Shop::open(seed);
        shop.run(at("2027-01-01T00:00:00", "UTC"));
        let mut of_promo: BTreeMap<&str, usize> = BTreeMap::new();
        for (when, lane, what) in &shop.sent {
            let zone = if ZONES[*lane] == "Not/AZone" { "Europe/London" } else { ZONES[*lane] };
            let local = business::local_time(*when, zone).unwrap();
            let hour: u32 = local[11..13].parse().unwrap();
            assert!((9..21).contains(&hour), "seed {seed}: {what} at {local} in {zone}");
            *of_promo.entry(what.split('`').nth(1).unwrap()).or_default() += 1;
        }
        for lane in 0..CHANNEL {
            let times: Vec<_> = shop.sent.iter().filter(|(_, to, _)| *to == lane).collect();
            let mut what: Vec<_> = times.iter().map(|(_, _, what)| what).collect();
            what.sort();
            assert!(what.windows(2).all(|two| two[0] != two[1]), "seed {seed}: twice");
            for some in times.windows(CAP + 1) {
                let span = some[CAP].0 - some[0].0;
                assert!(span >= 7 * DAY, "seed {seed}: {some:?}");
            }
        }
        // And yet each of them was sent.
        assert_eq!(of_promo.len(), shop.promo.0.promos.len(), "seed {seed}: {of_promo:?}");
    }
}
