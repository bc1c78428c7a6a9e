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
        if rules.configure == "grumble" {
            let problem = |n| Problem::new(format!("/{n}"), "no\u{1b}[2J".repeat(1_000));
            return Err((0..120).map(problem).collect());
        }
        if rules.configure == "refuse" {
            return Err(vec![Problem::new("/configure", "is not to my taste")]);
        }
        if let Err(refusal) = act(&rules.configure) {
            return Err(vec![Problem::new("", refusal)]);
        }
        Ok(Self(rules.handle))
    }

    fn handle(&self, event: Event) -> Outcome {
        if self.0 == "picky" {
            // For one contact alone.
            return match &event {
                Event::Message(message) if message.words() == Some("evil") => panic!("not you"),
                _ => Ok(Continue),
            };
        }
        if self.0 == "storm" {
            return storm(&event);
        }
        if self.0 == "echo" {
            return match event {
                Event::Message(_) | Event::Receipt(_) => reply("and again").map(|_| Continue),
                _ => Ok(Continue),
            };
        }
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

/// Sets the next timer for now, whatever happens.
fn storm(event: &Event) -> Outcome {
    if let Event::Timer(timer) = event {
        because(format!("{} after it was due", business::now() - timer.due));
    }
    set_timer("again", business::now(), "")?;
    set_timer("past", 0, "")?;
    Ok(Continue)
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "what it is for")]
fn deep(n: u64) -> u64 {
    let room = std::hint::black_box([n; 64]);
    std::hint::black_box(deep(n + 1) + room[(n % 64) as usize])
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
        "calls" => loop {
            CALLS.fetch_add(business::now(), Ordering::Relaxed);
        },
        "reads" => loop {
            let found = kv::get(Scope::Contact, "nothing").is_some();
            CALLS.fetch_add(u64::from(found), Ordering::Relaxed);
        },
        "crons" => loop {
            let none = business::next_occurrence("0 0 31 2 *", "Europe/Berlin", 0);
            CALLS.fetch_add(u64::from(none.is_ok()), Ordering::Relaxed);
        },
        "growth" => loop {
            std::mem::forget(std::hint::black_box(Box::new([1u8; 1_000])));
        },
        "recursion" => because(deep(0).to_string()),
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
        "bytes" => {
            let set = |n| kv::set(Scope::Contact, &format!("k{n}"), &[7; 60_000], None);
            let refusals: Vec<String> = (0..50).filter_map(|n| set(n).err()).collect();
            because(format!("{} refused; {}", refusals.len(), refusals[0]));
        }
        // Another 480,000 bytes each turn, of the plugin as a whole.
        "quota" => {
            let turn = kv::keys(Scope::Plugin, "", 1_000).len();
            let set = |n| kv::set(Scope::Plugin, &format!("{turn}.{n}"), &[7; 60_000], None);
            let refusals: Vec<String> = (0..8).filter_map(|n| set(n).err()).collect();
            because(format!("{turn} held; {} refused; {}", refusals.len(), refusals.concat()));
        }
        "timers" => {
            let set = |n: u64| set_timer(&format!("t{n}"), business::now() + 3_600_000 + n, "");
            let refused = (0..10_000).filter(|n| set(*n).is_err()).count();
            because(format!("{refused} refused"));
        }
        "far" => {
            let refusal = set_timer("far", u64::MAX, "").unwrap_err();
            set_timer("past", 0, "")?;
            because(refusal);
        }
        "chatter" => {
            for n in 0..10_000 {
                because(format!("{n}\u{1b}[2J\u{202e}{}", "x".repeat(5_000)));
            }
        }
        "bulk" => {
            let text = "z".repeat(30_000);
            let note = |_| {
                broadcast("b", &Segment { all_of: vec![], any_of: vec![], none_of: vec![] }, &text)
            };
            let refusal = note(()).unwrap_err();
            let sent = (0..1_000).filter(|_| reply("w".repeat(20_000)).is_ok()).count();
            because(format!("{sent} sent; {refusal}"));
        }
        "stdin" => {
            let lines = std::io::stdin().lines().count();
            because(format!("{lines} lines"));
        }
        "long error" => return Err("I give up. ".repeat(5_000)),
        "huge error" => return Err("I give up. ".repeat(1_000_000)),
        "others" => {
            let refusal = send("c1", "buy!").unwrap_err();
            because(refusal);
        }
        "stranger" => {
            send("c999999", "buy!")?;
            because(send("the-owner", "buy!").unwrap_err());
        }
        "keep" => {
            let found = kv::get(Scope::Contact, "secret");
            kv::set(Scope::Contact, "secret", b"mine", None)?;
            because(format!("found {found:?}"));
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
