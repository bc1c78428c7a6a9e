//! Sends each kind of message when a text asks for it, and says in words what
//! came in. What the host refuses is said as well; other texts go on.

use switchboard_plugin::*;

const COLOURS: [(&str, &str); 5] =
    [("r", "Red"), ("g", "Green"), ("b", "Blue"), ("y", "Yellow"), ("w", "White")];
/// How long `later` waits: enough for a test to close the window meanwhile.
const LATER_MS: u64 = 2_500;
/// More than any test sends.
const FILE_BYTES: usize = 1_000_000;
/// Longer than one message on any wire.
const LONG_WORDS: usize = 1_000;

struct Talker;

impl Plugin for Talker {
    type Rules = ();
    const EVENTS: &'static [&'static str] = &["message", "timer"];
    const WANTS: &'static [(&'static str, &'static str)] = &[("media", "counts their bytes")];

    fn new((): ()) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn on_message(&self, message: Message) -> Outcome {
        let quoting = event::replies_to().is_some();
        match &message.content {
            Content::Text(text) if quoting => say(format!("quoted: {text}")),
            Content::Text(text) => return command(text, &message),
            Content::Choice(choice) => say(format!("chose {}", choice.id)),
            Content::Media(file) => {
                let caption = file.caption.as_deref().unwrap_or("nothing");
                let bytes = media::whole(&file.id, FILE_BYTES)?.len();
                let (kind, mime_type) = (&file.kind, &file.mime_type);
                say(format!("{kind} of {mime_type}, {bytes} bytes, saying {caption}"));
            }
            Content::Location(place) => {
                let name = place.name.as_deref().unwrap_or("somewhere");
                say(format!("{name} at {}, {}", place.latitude, place.longitude));
            }
            Content::Reaction(reaction) => {
                say(format!("felt {}", reaction.emoji.as_deref().unwrap_or("nothing")));
            }
            Content::Other(other) => say(format!("other: {}", other.kind)),
        }
        Ok(Stop)
    }

    fn on_timer(&self, _timer: Timer) -> Outcome {
        say("Still there?");
        say(template("order_ready", Category::Utility));
        Ok(Stop)
    }
}

fn command(text: &str, message: &Message) -> Outcome {
    match text {
        "three" => say(text_with_buttons("Which one?", &choices(3))),
        "five" => say(text_with_buttons("Which one?", &choices(5))),
        "twelve" => say(twelve()),
        "long" => {
            let words: Vec<_> = (0..LONG_WORDS).map(|number| format!("word{number}")).collect();
            say(words.join(" "));
        }
        "several" => {
            say("first");
            say(place());
            say("last");
        }
        "picture" => say(picture()),
        "place" => say(place()),
        "quote" => {
            reply_to(&message.id, "This is what I mean.")?;
        }
        "react" => {
            let reaction = Reaction { message_id: message.id.clone(), emoji: Some("👍".into()) };
            say(Outgoing::Reaction(reaction));
        }
        "offer" => say(template("spring_sale", Category::Marketing)),
        "later" => set_timer("later", business::now() + LATER_MS, "")?,
        "person" => {
            say("A person will answer.");
            handoff("asked for a person")?;
        }
        other => match other.strip_prefix("I live in ") {
            Some(zone) => {
                set_attribute("zone", zone)?;
                say(format!("{zone} it is."));
            }
            None => return Ok(Continue),
        },
    }
    Ok(Stop)
}

/// A refusal is an answer too: a test shall see it.
fn say(message: impl Into<Outgoing>) {
    if let Err(words) = reply(message) {
        because(&words);
        // The words of the host always make a text.
        let _ = reply(format!("refused: {words}"));
    }
}

fn choices(count: usize) -> Vec<Choice> {
    let choice = |(id, title): &(&str, &str)| Choice { id: (*id).into(), title: (*title).into() };
    COLOURS.iter().take(count).map(choice).collect()
}

fn twelve() -> Options {
    let row = |number| Row {
        id: format!("month-{number}"),
        title: format!("Month {number}"),
        description: None,
    };
    let sections = vec![Section { title: None, rows: (1..=12).map(row).collect() }];
    Options { body: "Which one?".into(), footer: None, label: "Choose".into(), sections }
}

fn picture() -> Outgoing {
    Outgoing::Media(OutgoingMedia {
        kind: "image".into(),
        source: MediaSource::Link("https://shop.example/rye.jpg".into()),
        caption: Some("Rye bread".into()),
        filename: None,
    })
}

fn place() -> Location {
    Location {
        latitude: 52.5,
        longitude: 13.25,
        name: Some("The shop".into()),
        address: Some("Main Street 1".into()),
    }
}

fn template(name: &str, category: Category) -> Template {
    let parameters = vec![Parameter { name: None, text: "Ann".into() }];
    Template { name: name.into(), language: "en".into(), category, parameters }
}

export!(Talker);
