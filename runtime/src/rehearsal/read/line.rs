//! One line of a chat, with those that belong to it.

use super::super::{
    chat::{Customer, Expected, Happens, Sent, Told},
    said::Pattern,
};
use crate::model::{MediaKind, Millis, ReceiptState};
use jiff::civil::DateTime;

pub(super) enum Read {
    At(DateTime),
    Channel(String),
    Loosely,
    Customer(Customer),
    Told(Told),
}

type Line = Result<Read, String>;

/// Words with which lines begin, so that no customer can bear them.
const TAKEN: [&str; 15] = [
    "at",
    "bot",
    "channel",
    "customer",
    "delivered",
    "failed",
    "handoff",
    "loosely",
    "no",
    "note",
    "operator",
    "others",
    "read",
    "resumed",
    "until",
];

const ALLOWED: &str = "allowed are `Ann: words`, `Ann taps TITLE`, `Ann sends KIND`, `bot: words`, \
`bot to Ann: words`, `bot: nothing`, `bot template NAME`, `+2h`, `until 2026-12-24 09:00`, `delivered`, \
`read`, `failed CODE`, `Ann has tags a, b`, `Ann lacks tag a`, `Ann has NAME VALUE`, `Ann wants marketing`, \
`Ann wants no marketing`, `handoff`, `no handoff`, `note: words`, `operator resumes`; above them `at`, \
`channel`, `customer` and `loosely`";

pub(super) fn line(line: &str, below: &[&str]) -> Line {
    let line = line.trim_end();
    let (word, rest) = split(line);
    let read = match word {
        "at" => Read::At(moment(rest)?),
        "channel" if !rest.is_empty() => Read::Channel(rest.into()),
        "loosely" if rest.is_empty() => Read::Loosely,
        "customer" => Read::Customer(customer(rest)?),
        _ => Read::Told(told(line, word, rest, below)?),
    };
    if !below.is_empty() && !takes_lines(&read) {
        return Err("the indented lines below belong to nothing that is said".into());
    }
    Ok(read)
}

fn takes_lines(read: &Read) -> bool {
    matches!(
        read,
        Read::Told(
            Told::Happens(Happens::Says { .. })
                | Told::Expected(Expected::Message { .. } | Expected::Note { .. })
        )
    )
}

fn told(line: &str, word: &str, rest: &str, below: &[&str]) -> Result<Told, String> {
    if let Some(wait) = line.strip_prefix('+') {
        return Ok(Told::Happens(Happens::Wait(span(wait)?)));
    }
    // `handoff: why` and `bot: words` begin with a word and a colon too.
    match word.trim_end_matches(':') {
        "bot" => bot(line, below).map(Told::Expected),
        "until" => Ok(Told::Happens(Happens::Until(moment(rest)?))),
        "delivered" | "read" | "failed" => receipt(word, rest).map(Told::Happens),
        "operator" => match split(rest) {
            ("resumes", who) => Ok(Told::Happens(Happens::Resumed { who: named(who)? })),
            _ => Err("an operator `resumes`: `operator resumes`, `operator resumes Ann`".into()),
        },
        "handoff" | "note" => held(line, below).map(Told::Expected),
        "no" => match split(rest) {
            ("handoff", who) => {
                let who = named(who.strip_prefix("of ").unwrap_or(who))?;
                Ok(Told::Expected(Expected::Handoff { who, reason: None }))
            }
            _ => Err(format!("it is no line of a chat: {ALLOWED}")),
        },
        _ => customers_line(line, word, rest, below),
    }
}

/// `Ann: words`, `Ann taps …`, `Ann has …`
fn customers_line(line: &str, word: &str, rest: &str, below: &[&str]) -> Result<Told, String> {
    if let Some((who, text)) = line.split_once(':')
        && !who.contains(char::is_whitespace)
    {
        let who = name(who)?;
        let text = words(text, below).join("\n").trim().to_owned();
        if text.is_empty() {
            return Err(format!("what does {who} say? Words stand behind the colon"));
        }
        return Ok(Told::Happens(Happens::Says { who, text }));
    }
    let (verb, object) = split(rest);
    let who = || name(word);
    Ok(match (verb, object) {
        ("taps", title) if !title.is_empty() => {
            let title = title.trim_start_matches('[').trim_end_matches(']').to_owned();
            Told::Happens(Happens::Taps { who: who()?, title })
        }
        ("sends", what) if !what.is_empty() => {
            Told::Happens(Happens::Sends { who: who()?, what: sent(what)? })
        }
        ("wants", "marketing" | "no marketing") => {
            Told::Expected(Expected::Consent { who: who()?, wanted: object == "marketing" })
        }
        ("has" | "lacks", object) => match split(object) {
            ("tag" | "tags", tags) if !tags.is_empty() => {
                let tags = tags.split(',').map(|tag| tag.trim().to_owned()).collect();
                Told::Expected(Expected::Tags { who: who()?, tags, there: verb == "has" })
            }
            (attribute, value) if verb == "has" && !value.is_empty() => {
                let (name, value) = (attribute.to_owned(), value.to_owned());
                Told::Expected(Expected::Attribute { who: who()?, name, value })
            }
            _ => return Err(format!("it is no line of a chat: {ALLOWED}")),
        },
        _ => return Err(format!("it is no line of a chat: {ALLOWED}")),
    })
}

/// `bot: words`, `bot to Ann: words`, `bot template sale: 20 %`, `bot: nothing`
fn bot(line: &str, below: &[&str]) -> Result<Expected, String> {
    let rest = line.strip_prefix("bot").unwrap_or(line);
    let (head, text) = head(rest);
    let head = head.trim();
    let (to, what) = match head.strip_prefix("to ") {
        Some(rest) => {
            let (who, what) = split(rest);
            (Some(name(who)?), what)
        }
        None => (None, head),
    };
    if what.is_empty() && text.is_some_and(|text| text.trim() == "nothing") && below.is_empty() {
        return Ok(Expected::Nothing { to });
    }
    let lines = text.map(|text| {
        let mut lines = words(text, below);
        // Buttons alone may stand below an empty line of words.
        if lines.first().is_some_and(String::is_empty) {
            lines.remove(0);
        }
        lines
    });
    match (lines, what) {
        (None, "") => Err("what does the bot say? `bot: words`, or `bot: nothing`".into()),
        (None, _) if !below.is_empty() => {
            Err("a colon is missing before what it says: `bot template sale: 20 %`".into())
        }
        (Some(lines), "") if lines.is_empty() => {
            Err("what does the bot say? `bot: words`, or `bot: nothing`".into())
        }
        (lines, what) => {
            Ok(Expected::Message { to, message: Pattern { what: what.into(), lines } })
        }
    }
}

/// Up to the colon that ends it: one before a space or at the end, so that
/// addresses keep theirs.
fn head(text: &str) -> (&str, Option<&str>) {
    match text.split_once(": ") {
        Some((head, text)) => (head, Some(text)),
        None => match text.strip_suffix(':') {
            Some(head) => (head, Some("")),
            None => (text, None),
        },
    }
}

/// `handoff`, `handoff of Ann: why`, `note: words`
fn held(line: &str, below: &[&str]) -> Result<Expected, String> {
    let (head, text) = head(line);
    let (word, of) = split(head);
    let who = named(of.strip_prefix("of ").unwrap_or(of))?;
    let text = text.map(|text| words(text, below).join("\n"));
    match (word, text) {
        ("handoff", text) if below.is_empty() => {
            Ok(Expected::Handoff { who, reason: Some(text.unwrap_or_else(|| "...".into())) })
        }
        ("note", Some(text)) => Ok(Expected::Note { who, text }),
        ("note", None) => Err("what does the note say? `note: words`".into()),
        _ => Err(format!("it is no line of a chat: {ALLOWED}")),
    }
}

/// What is said: behind the colon, and in the lines below.
fn words(text: &str, below: &[&str]) -> Vec<String> {
    std::iter::once(text).chain(below.iter().copied()).map(|line| line.trim().to_owned()).collect()
}

fn receipt(word: &str, rest: &str) -> Result<Happens, String> {
    let (code, rest) = match (word, split(rest)) {
        ("failed", (code, rest)) => {
            let number = code
                .parse()
                .map_err(|_| "a failure has the provider's code: `failed 131049`".to_owned())?;
            (Some(number), rest)
        }
        _ => (None, rest),
    };
    let state = match word {
        "delivered" => ReceiptState::Delivered,
        "read" => ReceiptState::Read,
        _ => ReceiptState::Failed,
    };
    let who = rest.strip_prefix("to ").or_else(|| rest.strip_prefix("by ")).unwrap_or(rest);
    Ok(Happens::Receipt { who: named(who)?, state, code })
}

/// `image "caption"`, `location 50.73, 7.1 "Bonn"`, `order 2 lemon-cake, 1 bread`
fn sent(what: &str) -> Result<Sent, String> {
    let (kind, rest) = split(what);
    let (plain, quoted) = match rest.split_once('"') {
        Some((plain, quoted)) => {
            let text = quoted.strip_suffix('"').ok_or("the closing `\"` is missing")?;
            (plain.trim(), Some(text.to_owned()))
        }
        None => (rest, None),
    };
    let media = match kind {
        "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "audio" => MediaKind::Audio,
        "voice" => MediaKind::Voice,
        "document" => MediaKind::Document,
        "sticker" => MediaKind::Sticker,
        "location" => return location(plain, quoted),
        "order" => return order(plain),
        _ => {
            return Err(format!(
                "`{kind}` can't be sent: allowed are image, video, audio, voice, document and sticker \
                 (with a \"caption\"), `location 50.73, 7.10 \"Bonn\"` and `order 2 lemon-cake, 1 bread`"
            ));
        }
    };
    match plain {
        "" => Ok(Sent::Media { kind: media, caption: quoted }),
        _ => Err(format!("a caption stands in quotes: `sends {kind} \"{plain}\"`")),
    }
}

fn location(plain: &str, name: Option<String>) -> Result<Sent, String> {
    let place = plain.split_once(',').and_then(|(latitude, longitude)| {
        Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?))
    });
    let (latitude, longitude) =
        place.ok_or("a location is `location 50.73, 7.10`, with a \"name\" if it has one")?;
    Ok(Sent::Location { latitude, longitude, name })
}

fn order(plain: &str) -> Result<Sent, String> {
    let items = plain.split(',').map(|item| {
        let (count, product) = split(item.trim());
        let count = count.parse().ok().filter(|_| !product.is_empty());
        count.map(|count| (count, product.to_owned()))
    });
    let items: Option<Vec<_>> = items.collect();
    items.map(Sent::Order).ok_or_else(|| "an order is `order 2 lemon-cake, 1 bread`".into())
}

/// `Ann: language en, tag vip, phone +49…`
/// What is known of somebody: `Ann: tag vip, city Bonn`.
///
/// # Errors
/// In words, what can't be read and what was allowed.
pub fn customer(text: &str) -> Result<Customer, String> {
    let (who, facts) = text.split_once(':').unwrap_or((text, ""));
    let mut customer = Customer {
        name: name(who.trim())?,
        phone: None,
        tags: Vec::new(),
        attributes: Vec::new(),
        consent: None,
    };
    for fact in facts.split(',').map(str::trim).filter(|fact| !fact.is_empty()) {
        let (key, value) = split(fact);
        match (key, value) {
            ("wants", "marketing") => customer.consent = Some(true),
            ("wants", "no marketing") => customer.consent = Some(false),
            (_, "") => {
                return Err(format!(
                    "`{fact}` says nothing: a customer has `tag NAME`, `phone +49…`, `wants marketing`, \
                     `wants no marketing`, and attributes such as `language en` or `city Bonn`, each \
                     after a comma"
                ));
            }
            ("tag" | "tags", tags) => {
                customer.tags.extend(tags.split_whitespace().map(str::to_owned));
            }
            ("phone", phone) => customer.phone = Some(digits(phone)?),
            (name, value) => customer.attributes.push((name.into(), value.into())),
        }
    }
    Ok(customer)
}

fn digits(phone: &str) -> Result<String, String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let plain = phone.chars().all(|c| c.is_ascii_digit() || "+ -()".contains(c));
    match plain && (7..=15).contains(&digits.len()) {
        true => Ok(digits),
        false => Err(format!("`{phone}` is no phone number such as `+49 171 1234567`")),
    }
}

fn name(who: &str) -> Result<String, String> {
    if who.is_empty() || who.contains(char::is_whitespace) || TAKEN.contains(&who) {
        return Err(format!(
            "`{who}` can't be a customer's name: it is one word, and none with which other lines begin"
        ));
    }
    Ok(who.into())
}

fn named(who: &str) -> Result<Option<String>, String> {
    Some(who).filter(|who| !who.is_empty()).map(name).transpose()
}

/// A moment in the business's zone.
///
/// # Errors
/// In words, what was allowed.
pub fn moment(text: &str) -> Result<DateTime, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no moment such as `2026-12-24 09:00`, in the business's zone")
    })
}

/// `25h`, `3d`, `90s`
///
/// # Errors
/// In words, what was allowed.
pub fn span(text: &str) -> Result<Millis, String> {
    const UNITS: [(&str, Millis); 5] =
        [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 7 * 86_400_000)];
    /// Ten years.
    const MAX_MS: Millis = 3_653 * 86_400_000;
    let unit = UNITS.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, ms)));
    let span = unit.and_then(|(count, ms)| count.trim().parse::<Millis>().ok()?.checked_mul(*ms));
    span.filter(|span| (1..=MAX_MS).contains(span)).ok_or_else(|| {
        format!(
            "`{text}` is no span such as `90s`, `30m`, `25h`, `3d` or `2w`, of ten years at most"
        )
    })
}

/// The first word, and the rest.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}
