//! `switchboard ask`: what an owner reads of one message, with the real plugins.

use std::{fs, process::Command};
use switchboard::sample::{self, SampleKind, SampleLanguage};
use switchboard_tests::{server::binary, shop::text};

struct Bakery {
    keep: tempfile::TempDir,
}

impl Bakery {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().join("shop");
        sample::write(&folder, SampleKind::Shop, SampleLanguage::En, None).unwrap();
        Self { keep }
    }

    /// Exit code and what was said, without any of the folder's secrets.
    fn ask(&self, more: &[&str]) -> (i32, String) {
        let mut command = Command::new(binary());
        for name in sample::VARIABLES {
            command.env_remove(name);
        }
        let folder = self.keep.path().join("shop");
        let output = command.args(["ask", text(&folder)]).args(more).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let said = said + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), said)
    }
}

/// Without what takes another time each time.
fn timeless(said: &str) -> String {
    let word = |line: &str| match line.rsplit_once(", ") {
        Some((before, time)) if time.ends_with(" ms") => format!("{before}, [time]"),
        _ => line.to_owned(),
    };
    said.lines().map(word).collect::<Vec<_>>().join("\n")
}

const EVENING: &str = "2026-12-22T19:30";

#[test]
fn a_message_is_followed_step_by_step() {
    let bakery = Bakery::new();
    let question = "My cake was stale, I want my money back!";
    let (code, said) = bakery.ask(&[question, "--as", "vip,regular", "--at", EVENING]);
    assert_eq!(code, 0, "{said}");
    insta::assert_snapshot!("asked", timeless(&said));
    let stop = ["stop", "--from", "Ben: wants marketing, city Bonn", "--language", "de"];
    let (code, said) = bakery.ask(&[&stop[..], &["--at", EVENING]].concat());
    assert_eq!(code, 0, "{said}");
    insta::assert_snapshot!("stopped", timeless(&said));
}

#[test]
fn a_folder_with_problems_is_not_asked() {
    let bakery = Bakery::new();
    let chain = bakery.keep.path().join("shop/chains/default.toml");
    let text = fs::read_to_string(&chain).unwrap();
    fs::write(&chain, text.replace("plugin = \"faq\"", "plugin = \"fax\"")).unwrap();
    let (code, said) = bakery.ask(&["hi"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("chains/default.toml:"), "{said}");
}

#[test]
fn programs_read_the_same() {
    let asked = ["When do you open?", "--json", "--at", EVENING, "--as", "vip"];
    let (code, said) = Bakery::new().ask(&asked);
    assert_eq!(code, 0, "{said}");
    let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer["channel"], "main");
    assert_eq!(answer["open"], false);
    assert_eq!(answer["at"], "2026-12-22T19:30:00+00:00[Europe/London]");
    let steps = answer["steps"].as_array().unwrap();
    let verdicts: Vec<_> = steps.iter().map(|step| (&step["step"], &step["verdict"])).collect();
    let verdicts: Vec<_> = verdicts.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let wanted =
        ["\"tagger\" \"continue\"", "\"promo\" \"continue\"", "\"faq\" \"stop\"", "\"hours\" null"];
    assert_eq!(verdicts, wanted);
    assert_eq!(steps[2]["because"][1], "`hours` is asked word for word (1.00)");
    assert_eq!(steps[2]["effects"][0]["about"], "answer");
    assert!(steps[2]["duration_us"].as_u64().unwrap() > 0);
    assert!(answer["leaves"][0].as_str().unwrap().contains("We are open 7:30"), "{answer}");
    assert!(answer["known"].as_array().unwrap().contains(&"tags new, vip".into()), "{answer}");
}

#[test]
fn what_can_not_be_asked_is_said() {
    let bakery = Bakery::new();
    for (arguments, why) in [
        (&["hi", "--channel", "second"][..], "there is no such channel; there are: main"),
        (&["hi", "--at", "tomorrow"], "`tomorrow` is no moment such as `2026-12-24 09:00`"),
        (&["hi", "--from", "Ann Lee"], "`Ann Lee` can't be a customer's name"),
        (&["hi", "--from", "Ann: vip"], "`vip` says nothing: a customer has `tag NAME`"),
        (&[" "], "what is asked?"),
    ] {
        let (code, said) = bakery.ask(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
