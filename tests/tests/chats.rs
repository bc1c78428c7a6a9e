//! Chats: those of the samples go as told, and what does not is said so that an
//! owner sees why.

#[path = "chats/hours.rs"]
mod hours;
#[path = "chats/samples.rs"]
mod samples;

use std::{fs, path::Path, process::Command};
use switchboard_tests::{server::binary, shop::text};

/// Exit code and what was said. Without any of the folder's secrets.
fn told(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(binary());
    for name in switchboard::sample::VARIABLES {
        command.env_remove(name);
    }
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

struct Bakery {
    keep: tempfile::TempDir,
}

impl Bakery {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let kind = switchboard::sample::SampleKind::Shop;
        let language = switchboard::sample::SampleLanguage::En;
        switchboard::sample::write(&keep.path().join("shop"), kind, language, None).unwrap();
        Self { keep }
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.keep.path().join("shop").join(file)
    }

    fn chats(&self, text: &str) {
        fs::remove_dir_all(self.path("chats")).unwrap();
        fs::create_dir(self.path("chats")).unwrap();
        fs::write(self.path("chats/a.chat"), text).unwrap();
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.path(file)).unwrap();
        assert!(before.contains(from), "{file} has no `{from}`");
        fs::write(self.path(file), before.replace(from, to)).unwrap();
    }

    fn test(&self, more: &[&str]) -> (i32, String) {
        let folder = self.path("");
        let arguments: Vec<&str> = ["test", text(&folder)].iter().chain(more).copied().collect();
        told(&arguments)
    }
}

/// The rules that the tagger comes with, as they are.
#[test]
fn the_taggers_own_rules_hold_for_months() {
    let bakery = Bakery::new();
    let rules = switchboard_tests::repository().join("plugins/tagger/rules.toml");
    fs::copy(rules, bakery.path("rules/tagger.toml")).unwrap();
    let step = "[[step]]\nname = \"tagger\"\nplugin = \"tagger\"\nrules = \"rules/tagger.toml\"\n\
                grants = { broadcast = true }\n";
    fs::write(bakery.path("chains/default.toml"), step).unwrap();
    bakery.chats(include_str!("chats/tags.chat"));
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("8 chats, all as told\n"), "{said}");
}

#[test]
fn a_rule_that_changes_is_noticed() {
    let bakery = Bakery::new();
    bakery.change("rules/faq.toml", "7:30 to 18:00, Monday", "8:00 to 18:00, Monday");
    bakery.change("rules/tagger.toml", "expires_days = 30\n", "expires_days = 60\n");
    bakery.change("rules/promo.toml", "lemon cake", "carrot cake");
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn what_the_bot_says_can_be_written_anew() {
    let bakery = Bakery::new();
    bakery.change("rules/faq.toml", "7:30 to 18:00, Monday", "8:00 to 18:00, Monday");
    let before = fs::read_to_string(bakery.path("chats/questions.chat")).unwrap();
    let (code, said) = bakery.test(&["questions.chat", "--bless"]);
    assert_eq!(code, 0, "{said}");
    let after = fs::read_to_string(bakery.path("chats/questions.chat")).unwrap();
    assert!(after.contains("  We are open 8:00 to 18:00, Monday to Saturday."), "{after}");
    // The rest stands as it was written, dots and all.
    let kept = |text: &str| text.split_once("== A complaint").unwrap().1.to_owned();
    assert_eq!(kept(&before), kept(&after));
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 0, "{said}");
}

/// Where one of several was told something else, `bot to Ben: nothing` was
/// lost, and what had not come was left out.
#[test]
fn who_is_told_nothing_stays_when_it_is_written_anew() {
    let bakery = Bakery::new();
    bakery.change("rules/promo.toml", "lemon cake", "carrot cake");
    let before = fs::read_to_string(bakery.path("chats/promotions.chat")).unwrap();
    let (code, said) = bakery.test(&["promotions.chat", "--bless"]);
    assert_eq!(code, 0, "{said}");
    let after = fs::read_to_string(bakery.path("chats/promotions.chat")).unwrap();
    assert_eq!(after, before.replace("lemon cake", "carrot cake"));
    let customers = "\
at 2027-03-19 12:00
customer Ann: tag cake-lover
customer Ben: tag cake-lover, tag complaint
";
    for (told, came) in [
        (
            "bot to Ben template spring_cakes\n",
            "bot to Ben: nothing\nbot to Ann template spring_cakes: carrot cake | 20 March\n",
        ),
        (
            "bot to Ann: nothing\nbot to Ben: *\nbot to Ben: *\n",
            "bot to Ann template spring_cakes: carrot cake | 20 March\nbot to Ben: nothing\n",
        ),
    ] {
        let happens = format!("{customers}\n== a\nuntil 2027-03-20 10:01\n");
        bakery.chats(&format!("{happens}{told}"));
        let (code, said) = bakery.test(&["--bless"]);
        assert_eq!(code, 0, "{said}");
        let after = fs::read_to_string(bakery.path("chats/a.chat")).unwrap();
        assert_eq!(after, format!("{happens}{came}"));
        let (code, said) = bakery.test(&[]);
        assert_eq!(code, 0, "{said}");
    }
}

/// Each thing that can differ, once.
const DIFFERENT: &str = "\
customer Cleo: wants no marketing, city Bonn

== something else
Ann: When do you open?
bot: Never.

== more than is told
Ann: When do you open?

== less than is told
Ann: When do you open?
bot: ...
  ...
bot: And goodbye.
Ann: Where are you?
bot: nothing

== facts
Ann: I want to complain
bot: ...
  ...
Ann has tags complaint, vip
Ann lacks tag complaint
Ann wants marketing
Cleo has city Berlin
Cleo has street Mill Lane
Cleo wants marketing
handoff: angry
note: angry
no handoff

== nothing to tap
Ann: Where are you?
bot: ...
  ...
Ann taps Prices

== nobody to speak of
bot: hello

== time goes forward alone
until 2020-01-01

== loosely
loosely
Ann: When do you open?
Ann: Where are you?
bot: 12 Mill Lane, ...
  ...
";

#[test]
fn every_difference_is_said_in_words() {
    let bakery = Bakery::new();
    bakery.chats(DIFFERENT);
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn differences_are_told_to_programs() {
    let bakery = Bakery::new();
    bakery.chats("== a\nAnn: When do you open?\nbot: Never.\n");
    let (code, said) = bakery.test(&["--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["ok"]), (1, &false.into()));
    let chat = &report["chats"][0];
    assert_eq!((&chat["file"], &chat["title"]), (&"chats/a.chat".into(), &"a".into()));
    let difference = &chat["differences"][0];
    assert_eq!(difference["line"], 3);
    assert_eq!(difference["expected"], serde_json::json!(["bot: Never."]));
    assert_eq!(
        difference["came"][0],
        "bot: Hello, this is Corner Bakery! Ask me about our hours, cakes and prices."
    );
    assert!(difference["because"].as_array().unwrap().len() > 1, "{difference}");
}

#[test]
fn what_cannot_be_read_or_found_is_said() {
    let bakery = Bakery::new();
    bakery.chats("== a\nAnn says hello\n");
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("chats/a.chat:2: it is no line of a chat: allowed are "), "{said}");
    let (code, said) = bakery.test(&["b.chat"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("there is no file b.chat"), "{said}");
    fs::remove_file(bakery.path("chats/a.chat")).unwrap();
    let (code, said) = bakery.test(&[]);
    assert_eq!((code, said.as_str()), (1, "there are no chats: they stand in chats/*.chat\n"));
    let (code, said) = told(&["test", text(Path::new("/nowhere"))]);
    assert_eq!(code, 1, "{said}");
}

/// Each thing that can happen, once, with what comes of it.
#[test]
fn whatever_happens_comes_to_the_plugins() {
    let bakery = Bakery::new();
    bakery.chats(
        "\
at 2027-03-19 12:00
customer Ann: tag cake-lover, phone +44 7700 900123

== all kinds of messages
Ann sends image \"our cake\"
bot: *
Ann has tag sent-photo
Ann sends location 50.73, 7.10 \"Bonn\"
bot: nothing
Ann sends voice
bot: *
Ann sends order 2 lemon-cake
bot: nothing

== receipts
until 2027-03-20 09:59
bot to Ann: nothing
until 2027-03-20 10:01
bot to Ann template spring_cakes
delivered to Ann
read by Ann
Ann taps More
bot: *

== a promotion that WhatsApp did not deliver
until 2027-03-20 10:01
bot to Ann template spring_cakes
failed 131049 to Ann
+5d
bot to Ann: nothing
",
    );
    let (code, said) = bakery.test(&[]);
    assert_eq!(code, 0, "{said}");
}
