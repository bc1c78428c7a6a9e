//! What is said of an account's templates, whoever keeps the list.

use super::finding::Finding;
use std::collections::BTreeMap;

const CHECK: &str = "templates";
/// Names told of one state.
const NAMED: usize = 5;

/// The states in which nothing can be sent, and what to do then.
const UNFIT: [(&str, &str); 3] = [
    (
        PAUSED,
        "what needs a paused one waits: Meta lets it go on by itself, but edit it or write \
         to fewer people, as the third pause is for good",
    ),
    (DISABLED, "what needs a disabled one fails: make another, and name it in the rules"),
    (
        "rejected",
        "a rejected one can't be sent: see why in the WhatsApp Manager or Twilio's console, then \
         edit or delete it",
    ),
];
const PAUSED: &str = "paused";
const DISABLED: &str = "disabled";

/// How many there are in each state, and by name those that can't be sent.
/// `all` is names with states, as the provider has them.
pub fn finding<'a>(all: impl Iterator<Item = (String, Option<&'a str>)>) -> Finding {
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, state) in all {
        let state = state.unwrap_or("of no state").to_lowercase().replace('_', " ");
        states.entry(state).or_default().push(name);
    }
    if states.is_empty() {
        return Finding::good(CHECK, "none: outside the 24-hour window nothing can be sent");
    }
    let told: Vec<String> = states.iter().map(|(state, names)| in_words(state, names)).collect();
    let (said, of) = (told.join(", "), |state| states.contains_key(state));
    let todo: Vec<&str> =
        UNFIT.iter().filter(|(state, _)| of(*state)).map(|(_, todo)| *todo).collect();
    match (todo.is_empty(), of(PAUSED) || of(DISABLED)) {
        (true, _) => Finding::good(CHECK, said),
        // They were sent before Meta took them away.
        (false, true) => Finding::bad(CHECK, said, todo.join("; ")),
        // Never approved: whether anything needs it, only the owner knows.
        (false, false) => Finding::unknown(CHECK, said).todo(todo.join("; ")),
    }
}

/// `1 paused: spring_sale (en)`; names only where something is to be done.
fn in_words(state: &str, names: &[String]) -> String {
    let words = format!("{} {state}", names.len());
    if !UNFIT.iter().any(|(unfit, _)| *unfit == state) {
        return words;
    }
    let more = if names.len() > NAMED { ", …" } else { "" };
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    format!("{words}: {}{more}", named.join(", "))
}
