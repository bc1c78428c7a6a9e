//! Questions, hours and the calendar in one chain: a bar in Berlin that is open
//! past midnight on Saturdays, told through the days on which it matters.

use super::Bakery;

const CHAIN: &str = r#"
[[step]]
name = "faq"
plugin = "faq"
rules = "rules/faq.toml"

[[step]]
name = "hours"
plugin = "hours"
rules = "rules/hours.toml"
"#;

const CALENDAR: &str = r#"
[hours]
monday = "09:00-18:00"
tuesday = "09:00-18:00"
wednesday = "09:00-18:00"
thursday = "09:00-18:00"
friday = "09:00-18:00"
saturday = "18:00-02:30"

[[day]]
name = "Christmas"
on = "12-25"
until = "12-26"
"#;

const FAQ: &str = r#"
language = "en"
greeting = "Hello! Ask away."
greeting_after_days = 30
fallback = "Pardon?"
fallback_when = { open = true }

[[answer]]
id = "parking"
ask = ["Where can I park?"]
say = "Behind the house."

[[answer]]
id = "hours"
ask = ["When are you open?"]
say = "{opening_hours}."

[[answer]]
id = "call"
ask = ["Can I call you?"]
say = "Gladly, right now."
when = { open = true }

[[answer]]
id = "call-later"
ask = ["Can I call you?"]
say = "Gladly, {opens}."
when = { open = false }
"#;

const HOURS: &str = r#"
[away]
en = "We are closed and open again {opens}."
de = "Wir öffnen {opens}."

[[closure]]
name = "Christmas"
away = "Merry Christmas! Back {opens}."
"#;

const CHATS: &str = "\
at 2027-03-19 12:00
customer Bea: language de

== Whoever is new is greeted, and whoever has been silent for long
Ann: Where can I park?
bot: Hello! Ask away.

  Behind the house.
Ann: Is there a dress code?
bot: Pardon?
Ann: Where can I park?
bot: Behind the house.
# A Sunday: nothing is said over an answer.
+30d
Ann: Where can I park?
bot: Hello! Ask away.

  Behind the house.

== While it is closed, once until it opens
until 2027-03-19 20:00
Ann: Is there a dress code?
bot: Hello! Ask away.

  We are closed and open again tomorrow at 18:00.
Ann: hello?
bot: nothing
Ann: Where can I park?
bot: Behind the house.
Ann: Can I call you?
bot: Gladly, tomorrow at 18:00.
until 2027-03-20 19:00
Ann: Is there a dress code?
bot: Pardon?
Ann: Can I call you?
bot: Gladly, right now.
until 2027-03-21 12:00
Ann: Is there a dress code?
bot: We are closed and open again tomorrow at 9:00.

== In the customer's language
until 2027-03-21 12:00
Bea: Gibt es eine Kleiderordnung?
bot: Hello! Ask away.

  Wir öffnen morgen um 9:00 Uhr.

== The night in which half past two is left out
until 2027-03-28 01:59
Ann: Is there a dress code?
bot: Hello! Ask away.

  Pardon?
+2m
Ann: Is there a dress code?
bot: We are closed and open again tomorrow at 9:00.

== The night in which half past two comes twice
until 2027-10-31 02:29
Ann: Is there a dress code?
bot: Hello! Ask away.

  Pardon?
+2m
Ann: Is there a dress code?
bot: We are closed and open again tomorrow at 9:00.
# Half past two once more.
+58m
Ann: Is there a dress code?
bot: nothing

== A holiday has words of its own
until 2027-12-24 17:00
Ann: When are you open?
bot: Hello! Ask away.

  Monday to Friday 9:00–18:00, ... (Christmas) closed.
until 2027-12-25 12:00
Ann: Is there a dress code?
bot: Merry Christmas! Back on Monday at 9:00.
# It is one closure from Friday evening to Monday.
until 2027-12-26 12:00
Ann: Is there a dress code?
bot: nothing
";

#[test]
fn the_bot_knows_when_the_business_is_open() {
    let bar = Bakery::new();
    bar.change("switchboard.toml", "zone = \"", "zone = \"Europe/Berlin\" # \"");
    for (file, text) in [
        ("chains/default.toml", CHAIN),
        ("calendar.toml", CALENDAR),
        ("rules/faq.toml", FAQ),
        ("rules/hours.toml", HOURS),
    ] {
        std::fs::write(bar.path(file), text).unwrap();
    }
    bar.chats(CHATS);
    let (code, said) = bar.test(&[]);
    assert!(code == 0 && said.ends_with("\n6 chats, all as told\n"), "{said}");
}
