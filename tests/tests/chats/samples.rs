//! The samples: their chats go as told, and tell of every answer, label and
//! promotion, so that none changes unnoticed.

use super::told;
use serde_json::Value;
use std::{fs, path::PathBuf};
use switchboard::sample::{
    self,
    SampleKind::{self, Hotel, Restaurant, Shop},
    SampleLanguage::{self, En, Zh},
};
use switchboard_tests::shop::text;

const SAMPLES: [(SampleKind, SampleLanguage); 6] =
    [(Shop, En), (Shop, Zh), (Restaurant, En), (Restaurant, Zh), (Hotel, En), (Hotel, Zh)];

struct Sample {
    _keep: tempfile::TempDir,
    folder: PathBuf,
    /// For messages.
    which: String,
}

impl Sample {
    fn new((kind, language): (SampleKind, SampleLanguage)) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().join("business");
        sample::write(&folder, kind, language, None).unwrap();
        Self { _keep: keep, folder, which: format!("{kind:?} {language:?}") }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    fn chats(&self) -> String {
        let files = fs::read_dir(self.folder.join("chats")).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    /// The values of a key at the beginning of a line.
    fn values(&self, file: &str, key: &str) -> Vec<String> {
        let begins = format!("{key} = \"");
        let text = self.read(file);
        let lines = text.lines().filter_map(|line| line.strip_prefix(&begins)?.strip_suffix('"'));
        lines.map(Into::into).collect()
    }
}

#[test]
fn all_chats_of_all_samples_go_as_told() {
    for sample in SAMPLES.map(Sample::new) {
        let (code, said) = told(&["test", text(&sample.folder)]);
        assert_eq!(code, 0, "{}: {said}", sample.which);
        assert!(said.ends_with(" chats, all as told\n"), "{said}");
    }
}

/// Puts `<id>` before what each answer says.
fn marked(rules: &str) -> String {
    let mut id = "";
    let mut marked = String::new();
    for line in rules.lines() {
        id = line.strip_prefix("id = \"").and_then(|it| it.strip_suffix('"')).unwrap_or(id);
        let begins = ["say = \"\"\"", "say = \"", "say.zh = \"", "say.en = \""];
        let said = begins.iter().find_map(|it| Some((it, line.strip_prefix(it)?)));
        marked += &said.map_or(line.into(), |(begins, text)| format!("{begins}<{id}> {text}"));
        marked += "\n";
    }
    marked
}

#[test]
fn an_answer_of_a_sample_that_changes_is_noticed() {
    for sample in SAMPLES.map(Sample::new) {
        let rules = "rules/faq.toml";
        fs::write(sample.folder.join(rules), marked(&sample.read(rules))).unwrap();
        let (code, said) = told(&["test", text(&sample.folder), "--json"]);
        assert_eq!(code, 1, "{}: {said}", sample.which);
        let report: Value = serde_json::from_str(&said).unwrap();
        let chats = report["chats"].as_array().unwrap().iter();
        let differences = chats.flat_map(|chat| chat["differences"].as_array().unwrap());
        let came: String = differences.map(|it| it["came"].to_string()).collect();
        let ids = sample.values(rules, "id");
        let unnoticed: Vec<_> =
            ids.iter().filter(|id| !came.contains(&format!("<{id}>"))).collect();
        assert!(unnoticed.is_empty(), "{}: no chat tells of {unnoticed:?}", sample.which);
        assert!(ids.len() >= 12, "{ids:?}");
    }
}

#[test]
fn every_label_and_promotion_of_a_sample_is_told_of() {
    for sample in SAMPLES.map(Sample::new) {
        let chats = sample.chats();
        let has = |line: &&str| line.contains(" has tag");
        let labels: Vec<_> =
            chats.lines().filter(has).flat_map(|it| it.split([' ', ','])).collect();
        for label in sample.values("rules/tagger.toml", "name") {
            let topic = chats.contains(&format!(" has prefers {label}\n"));
            assert!(topic || labels.contains(&label.as_str()), "{}: {label}", sample.which);
        }
        for template in sample.values("rules/promo.toml", "template") {
            let sent = chats.contains(&format!(" template {template}: "));
            assert!(sent, "{}: {template}", sample.which);
            let described = sample.read("README.md").contains(&format!("| `{template}`"));
            assert!(described, "{}: {template} is not in README.md", sample.which);
        }
    }
}
