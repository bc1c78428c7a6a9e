//! `switchboard replay`: what a changed folder would have done otherwise in the
//! turns that a server has recorded, with the real plugins.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use switchboard_tests::{
    meta::{Graph, envelope, post_webhook, text_from},
    now_seconds,
    server::{Server, binary},
    shop::{Shop, text},
};

/// The sample shop with some of its history.
struct Lived {
    shop: Shop,
    server: Server,
    keep: tempfile::TempDir,
}

const PHONES: [&str; 4] = ["447700900001", "447700900002", "447700900003", "447700900004"];
const SAID: [&str; 8] = [
    "When do you open?",
    "How much is a cake?",
    "My cake was stale, I want my money back!",
    "Qwertyuiop?",
    "stop",
    "你们几点开门？",
    "Are you open on Sunday?",
    "Is there parking?",
];

impl Lived {
    async fn new() -> Self {
        let graph = Graph::start().await;
        let shop = Shop::new(&graph.url);
        let keep = tempfile::tempdir().unwrap();
        let sample = keep.path().join("sample");
        let kind = switchboard::sample::SampleKind::Shop;
        switchboard::sample::write(&sample, kind, switchboard::sample::SampleLanguage::En, None)
            .unwrap();
        for folder in ["chains", "rules"] {
            copy(&sample.join(folder), &shop.path(folder));
        }
        fs::copy(sample.join("calendar.toml"), shop.path("calendar.toml")).unwrap();
        let server = Server::start(&shop);
        graph.give_receipts(&server.public);
        let lived = Self { shop, server, keep };
        for (round, words) in SAID.iter().enumerate() {
            for (index, phone) in PHONES.iter().enumerate() {
                let id = format!("wamid.{round}.{index}");
                lived.post(&text_from(phone, &id, words)).await;
            }
        }
        lived.post(&picture(PHONES[0])).await;
        lived.at_rest().await;
        lived
    }

    async fn post(&self, body: &[u8]) {
        let answer = post_webhook(&self.server.public, "main", body).await.unwrap();
        assert_eq!(answer.as_u16(), 200);
    }

    /// Until nothing waits any more.
    async fn at_rest(&self) {
        for _ in 0..1_500 {
            let status = self.server.admin_get("/api/v1/status").await;
            if status["lanes_waiting"] == 0 && status["outbox_contacts"] == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        }
        panic!("a minute has passed, and still something waits");
    }

    /// The turns in which one of these was said.
    async fn turns(&self, said: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for phone in PHONES {
            let contact = self.server.lookup(phone).await;
            for turn in contact["turns"].as_array().unwrap() {
                if said.contains(&turn["text"].as_str().unwrap_or_default()) {
                    found.push(turn["turn"].as_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }

    /// A copy of the folder in which a file is changed.
    fn changed(&self, file: &str, from: &str, to: &str) -> PathBuf {
        let folder = tempfile::tempdir_in(self.keep.path()).unwrap().keep();
        for name in ["chains", "rules"] {
            copy(&self.shop.path(name), &folder.join(name));
        }
        for name in ["switchboard.toml", "calendar.toml"] {
            fs::copy(self.shop.path(name), folder.join(name)).unwrap();
        }
        let before = fs::read_to_string(folder.join(file)).unwrap();
        assert!(before.contains(from), "{file} has no `{from}`");
        fs::write(folder.join(file), before.replace(from, to)).unwrap();
        folder
    }

    fn replay(&self, more: &[&str]) -> (i32, String) {
        let admin = self.server.admin.strip_prefix("http://").unwrap();
        let mut command = Command::new(binary());
        command.env("SWITCHBOARD__HTTP__ADMIN", admin);
        let output = command.args(["replay", text(&self.shop.folder)]).args(more).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), said + &String::from_utf8_lossy(&output.stderr))
    }

    fn report(&self, with: &Path) -> (i32, Value) {
        let (code, said) = self.replay(&["--since", "1h", "--with", text(with), "--json"]);
        (code, serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}")))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

fn picture(phone: &str) -> Vec<u8> {
    let media = json!({ "id": "77", "mime_type": "image/jpeg", "sha256": "00" });
    envelope(json!({
        "contacts": [{ "profile": { "name": "Test" }, "wa_id": phone }],
        "messages": [{
            "from": phone, "id": "wamid.picture", "timestamp": now_seconds().to_string(),
            "type": "image", "image": media
        }],
    }))
}

/// The turns that differ, by what it is about.
fn differing(report: &Value) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for group in report["groups"].as_array().unwrap() {
        let turns = group["turns"].as_array().unwrap();
        assert_eq!(group["times"], turns.len());
        let about = group["about"].as_str().unwrap().to_owned();
        let turns = turns.iter().map(|turn| turn.as_str().unwrap().to_owned());
        found.entry(about).or_default().extend(turns);
    }
    found.values_mut().for_each(|turns| turns.sort());
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_folder_differs_in_those_turns_alone() {
    let lived = Lived::new().await;
    let messages = PHONES.len() * SAID.len() + 1;
    // Nothing is changed but a remark.
    let (code, same) =
        lived.report(&lived.changed("rules/faq.toml", "greeting =", "#\ngreeting ="));
    assert_eq!(code, 0, "{same:#}");
    assert!(same["same"].as_u64().unwrap() >= messages as u64, "{same:#}");
    assert_eq!((&same["different"], &same["groups"]), (&json!(0), &json!([])));
    assert_eq!(differing(&same), BTreeMap::new());

    let hours = lived.turns(&[SAID[0], SAID[5], SAID[6]]).await;
    let stale = lived.turns(&[SAID[2]]).await;
    let stop = lived.turns(&[SAID[4]]).await;
    assert_eq!((hours.len(), stale.len(), stop.len()), (12, 4, 4));
    for (file, from, to, about, turns) in [
        ("rules/faq.toml", "open 7:30 to 18:00", "open 8:00 to 18:00", "answer", &hours),
        (
            "rules/tagger.toml",
            "\"awful\", \"stale\", \"money back\", ",
            "\"awful\", ",
            "tag",
            &stale,
        ),
        ("rules/promo.toml", "no more promotions from us", "no more offers", "answer", &stop),
    ] {
        let (code, report) = lived.report(&lived.changed(file, from, to));
        assert_eq!(code, 1, "{file}: {report:#}");
        assert_eq!(report["different"], turns.len(), "{file}: {report:#}");
        assert_eq!(differing(&report)[about], *turns, "{file}: {report:#}");
        let all = ["same", "different"].map(|key| report[key].as_u64().unwrap());
        let not = report["not_replayable"].as_object().unwrap().values();
        let not: u64 = not.map(|times| times.as_u64().unwrap()).sum();
        assert_eq!(all.iter().sum::<u64>() + not, report["turns"].as_u64().unwrap());
    }
    // Without the step that hears it, the question after it is answered.
    let step = "[[step]]\nname = \"promo\"\nplugin = \"promo\"\nrules = \"rules/promo.toml\"";
    let (promo, grants) = (format!("{step}\n# Nobody"), "grants = { broadcast = true }");
    let chain = fs::read_to_string(lived.shop.path("chains/default.toml")).unwrap();
    let from = &chain[chain.find(&promo).unwrap()..];
    let removed = &from[..from.find(grants).unwrap() + grants.len()];
    let (code, report) = lived.report(&lived.changed("chains/default.toml", removed, ""));
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(differing(&report)["end"], stop, "{report:#}");
    assert_eq!(differing(&report)["answer"], stop, "{report:#}");
    reads_like_this(&lived).await;
    what_is_not_recorded_is_counted(&lived).await;
}

async fn reads_like_this(lived: &Lived) {
    let (from, to) = ("Parking is behind the house.", "There is no parking.");
    let changed = lived.changed("rules/faq.toml", from, to);
    let (code, said) = lived.replay(&["--with", text(&changed)]);
    assert_eq!(code, 1, "{said}");
    let lane = lived.turns(&[SAID[7]]).await.remove(0);
    for part in [
        "4 turns: answer\n",
        "  then    | bot: 12 Mill Lane, on the corner by the bridge. Parking is behind the house.\n",
        "  now     | bot: 12 Mill Lane, on the corner by the bridge. There is no parking.\n",
        &format!("  such as {lane}: message of …001, "),
        " “Is there parking?”\n",
        "  why     | faq: `where` is asked word for word (1.00)\n",
        " the same, 4 different, ",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    // The folder that is served, as it stands on the disk before it is read.
    let (code, said) = lived.replay(&[]);
    assert_eq!(code, 0, "{said}");
    // Nothing was written.
    let (_, again) = lived.replay(&[]);
    assert_eq!(again, said);
}

async fn what_is_not_recorded_is_counted(lived: &Lived) {
    let toml = fs::read_to_string(lived.shop.path("switchboard.toml")).unwrap();
    lived.shop.replace("switchboard.toml", &format!("{toml}\n[turns]\nrecord = false\n"));
    let reload = format!("{}/api/v1/reload", lived.server.admin);
    let reloaded = switchboard_tests::client().post(reload).send().await.unwrap();
    assert_eq!(reloaded.status().as_u16(), 200);
    lived.post(&text_from(PHONES[0], "wamid.unrecorded", "When do you open?")).await;
    lived.at_rest().await;
    let (code, report) = lived.report(&lived.shop.folder);
    assert_eq!(code, 0, "{report:#}");
    let why = "was not recorded: `[turns] record` was `false`";
    assert!(report["not_replayable"][why].as_u64().unwrap() >= 1, "{report:#}");
}

#[test]
fn what_can_not_be_replayed_is_said() {
    let shop = Shop::new("http://127.0.0.1:9/v26.0");
    let broken = Shop::new("http://127.0.0.1:9/v26.0");
    broken.write("rules/faq.toml", "fallbck = \"?\"");
    let run = |more: &[&str]| {
        let mut command = Command::new(binary());
        command.env("SWITCHBOARD__HTTP__ADMIN", "127.0.0.1:9");
        let output = command.args(["replay", text(&shop.folder)]).args(more).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), said + &String::from_utf8_lossy(&output.stderr))
    };
    for (arguments, why) in [
        (&[][..], "nothing listens at 127.0.0.1:9"),
        (&["--with", text(&broken.folder)], "rules/faq.toml:1: fallbck: unknown key"),
        (&["--since", "lately"], "`lately` is no span such as `90s`"),
    ] {
        let (code, said) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
