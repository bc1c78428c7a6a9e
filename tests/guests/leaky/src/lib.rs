//! Keeps what contacts write in a static and answers with it: what must never
//! reach the next contact. Its rules say what it does in `configure`.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};
use switchboard_plugin::*;

#[derive(serde::Deserialize, Default)]
struct Rules {
    greeting: String,
    /// Prints, and so holds the host's output open.
    #[serde(default)]
    print: bool,
    /// MB of memory to fill.
    #[serde(default)]
    fill: usize,
}

struct Leaky {
    greeting: String,
    filled: Vec<u8>,
}

static LAST: Mutex<String> = Mutex::new(String::new());
static CONFIGURED: AtomicU32 = AtomicU32::new(0);

impl Plugin for Leaky {
    type Rules = Rules;
    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        if rules.print {
            println!("configuring");
        }
        CONFIGURED.fetch_add(1, Ordering::Relaxed);
        let noise = |at: usize| (at as u8).wrapping_mul(31) | 1;
        let filled = (0..rules.fill * 1024 * 1024).map(noise).collect();
        Ok(Self { greeting: rules.greeting, filled })
    }
    fn on_message(&self, message: Message) -> Outcome {
        let words = message.words().unwrap_or_default().to_owned();
        let before = std::mem::replace(&mut *LAST.lock().unwrap(), words);
        let before = if before.is_empty() { "nothing" } else { &before };
        reply(format!("{}: {before}", self.greeting))?;
        because(format!(
            "configured {} times, {} bytes",
            CONFIGURED.load(Ordering::Relaxed),
            self.filled.len()
        ));
        println!("it can still print");
        Ok(Stop)
    }
}
export!(Leaky);
