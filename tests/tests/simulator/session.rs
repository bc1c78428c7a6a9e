//! The session of `docs/simulator.md`, to the letter: the real command, the
//! commands of the text in a real shell, and the answers that it shows.

use axum::{Router, routing::get};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};
use switchboard_tests::{repository, server::binary};
use tokio::net::TcpListener;

/// Killed when dropped.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The commands and what each must answer; an empty answer is none.
fn steps(text: &str) -> Vec<(String, String)> {
    let (_, session) = text.split_once("## A session, by curl").unwrap();
    let (session, _) = session.split_once("\n## ").unwrap();
    let mut steps: Vec<(String, String)> = Vec::new();
    for block in session.split("```").skip(1).step_by(2) {
        let (kind, body) = block.split_once('\n').unwrap();
        match kind {
            "sh" => steps.push((body.to_owned(), String::new())),
            "json" => steps.last_mut().unwrap().1 = body.trim().to_owned(),
            other => panic!("a block of the kind {other:?}"),
        }
    }
    steps
}

/// Every piece between the marks, in their order, and nothing before the
/// first or after the last that has no mark beside it.
fn fits(said: &str, shown: &str) -> bool {
    let pieces: Vec<&str> = shown.split('…').collect();
    let mut rest = said;
    for (at, piece) in pieces.iter().enumerate() {
        let found = match (at, at + 1 == pieces.len()) {
            (0, _) => rest.starts_with(piece).then_some(0),
            (_, true) => rest.ends_with(piece).then(|| rest.len() - piece.len()),
            (_, false) => rest.find(piece),
        };
        let Some(place) = found else { return false };
        rest = &rest[place + piece.len()..];
    }
    pieces.len() > 1 || rest.is_empty()
}

fn start(bot: &str) -> (Simulator, String) {
    let mut child = Command::new(binary())
        .args(["simulate", "--webhook", bot, "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let simulator = Simulator(child);
    let mut lines = lines.map(Result::unwrap);
    let page = lines.find(|line| line.contains("page")).expect("it names its page");
    let address = page.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let (shown, base) =
        (lines.take(8).collect::<Vec<_>>().join("\n"), address.trim_end_matches('/'));
    for wanted in ["/v26.0", "1060", "1020", "simulator-access-token", "simulator-app-secret"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    (simulator, base.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_the_guide_goes_as_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: curl is not installed");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bot = format!("http://{}/webhook", listener.local_addr().unwrap());
    let routes = Router::new().route("/webhook", get(async || "").post(async || ""));
    tokio::spawn(axum::serve(listener, routes).into_future());
    let text = std::fs::read_to_string(repository().join("docs/simulator.md")).unwrap();
    let steps = steps(&text);
    assert!(steps.len() > 10, "{}", steps.len());
    tokio::task::spawn_blocking(move || {
        let (_simulator, base) = start(&bot);
        let mut setting = String::new();
        for (commands, shown) in steps {
            let commands = commands.replace("http://127.0.0.1:8082", &base);
            if shown.is_empty() {
                setting += &commands;
                continue;
            }
            let script = format!("{setting}{commands}");
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(fits(said.trim(), &shown), "{commands}\nsaid:  {said}\nshown: {shown}");
        }
    })
    .await
    .unwrap();
}

#[test]
fn answers_are_compared_with_their_marks() {
    assert!(fits("abc", "abc") && !fits("abcd", "abc") && !fits("xabc", "abc"));
    assert!(fits("a1c", "a…c") && !fits("a1cd", "a…c") && fits("a1cd", "a…c…"));
    assert!(fits("xxabyycz", "…ab…c…") && !fits("xxcab", "…ab…c…"));
}
