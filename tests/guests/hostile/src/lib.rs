//! Misbehaves as its rules say, in `configure` or in `handle`.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use switchboard_plugin::*;

#[derive(serde::Deserialize, Default)]
struct Rules {
    #[serde(default)]
    configure: String,
    #[serde(default)]
    handle: String,
}

struct Hostile(String);

impl Plugin for Hostile {
    type Rules = Rules;
    const EVENTS: &'static [&'static str] =
        &["message", "receipt", "timer", "broadcast", "operator", "account"];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        if rules.configure == "refuse" {
            return Err(vec![Problem::new("/configure", "is not to my taste")]);
        }
        if let Err(refusal) = act(&rules.configure) {
            return Err(vec![Problem::new("", refusal)]);
        }
        Ok(Self(rules.handle))
    }

    fn handle(&self, event: Event) -> Outcome {
        if self.0 == "tell" {
            because(format!("{event:?}"));
            because(event_details());
        }
        act(&self.0).map(|()| Continue)
    }
}

fn event_details() -> String {
    format!("{} {} {}", business::lane(), contact::id(), self::event::raw())
}

static CALLS: AtomicU64 = AtomicU64::new(0);

fn act(what: &str) -> Result<(), String> {
    match what {
        "loop" => loop {
            CALLS.fetch_add(1, Ordering::Relaxed);
        },
        "memory" => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 1024 * 1024]);
            }
        }
        "panic" => panic!("boom at {}", what.len()),
        "sleep" => thread::sleep(Duration::from_secs(3_600)),
        "exit" => std::process::exit(3),
        // Far more than anything that is allowed, in one value.
        "huge" => note(&"x".repeat(40 * 1024 * 1024))?,
        "many" => {
            let tags = vec!["y".repeat(1_000); 20_000];
            let to = Segment { all_of: tags, any_of: vec![], none_of: vec![] };
            broadcast("b", &to, "")?;
        }
        "effects" => {
            let refused = (0..10_000).filter(|n| tag(&format!("t{n}")).is_err()).count();
            because(format!("{refused} refused"));
        }
        "keys" => {
            let set = |n| kv::set(Scope::Contact, &format!("k{n}"), b"v", None);
            let refused = (0..10_000).filter(|n| set(*n).is_err()).count();
            let large = kv::set(Scope::Contact, "k0", &[0; 100_000], None);
            because(format!("{refused} refused; {}", large.unwrap_err()));
        }
        "logs" => {
            for n in 0..100_000 {
                log::write(log::Level::Info, &format!("line {n}"));
                because("again");
            }
        }
        "prints" => {
            for n in 0..20_000 {
                println!("line {n}");
            }
            eprintln!("one to stderr");
        }
        "error" => {
            tag("half-done")?;
            return Err("I give up".into());
        }
        "ungranted" => {
            broadcast("b", &Segment { all_of: vec![], any_of: vec![], none_of: vec![] }, "")?
        }
        "files" => {
            let told = |outcome: std::io::Result<()>| outcome.unwrap_err().to_string();
            because(told(std::fs::read("/etc/passwd").map(drop)));
            because(told(std::fs::write("mine", "a")));
            because(told(std::fs::read_dir(".").map(drop)));
        }
        "remember" => {
            let calls = CALLS.fetch_add(1, Ordering::Relaxed);
            because(format!("called {calls} times before"));
        }
        "look" => {
            let chance = RandomState::new().hash_one(7);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
            let (first, second) = (Instant::now(), Instant::now());
            let shuffled: HashMap<u32, u32> = (0..50).map(|n| (n, n)).collect();
            let order: Vec<u32> = shuffled.into_keys().collect();
            because(format!("{chance} {now} {} {order:?}", second > first));
            because(format!(
                "{} variables, {} arguments, {:?}",
                std::env::vars().count(),
                std::env::args().count(),
                std::io::stdin().lines().next().map(|line| line.is_ok()),
            ));
        }
        _ => {}
    }
    Ok(())
}

export!(Hostile);
