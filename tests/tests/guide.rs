//! docs/plugins.md, followed to the letter: its commands, in its order, in an
//! empty folder, for each language.

use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};
use switchboard::author::Language;
use switchboard_tests::{client, repository, server};

const PHONE: &str = "15550000001";
/// The exit code of a command that misses something on this machine.
const CANNOT_START: i32 = 3;

/// The shell commands of the section "In ten minutes", as they stand there.
fn commands(language: Language) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("docs/plugins.md")).unwrap();
    let (_, section) = text.split_once("## In ten minutes").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let commands: Vec<String> = blocks
        .by_ref()
        .flat_map(str::lines)
        .map(|line| line.replace("--lang python", &format!("--lang {language}")))
        .collect();
    assert!(commands.iter().any(|line| line.contains(&format!("--lang {language}"))));
    commands
}

/// Runs a line as the reader would, with the program on the PATH.
fn shell(line: &str, folder: &Path) -> Output {
    let program = server::binary();
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    Command::new("sh")
        .args(["-ec", line])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Writes as the customer and waits for the bot's answer.
async fn ask(chat: &str, words: &str, answer: &str) {
    let url = format!("{chat}/sim/phones/{PHONE}/send");
    let body = json!({ "kind": "text", "body": words });
    assert!(client().post(url).json(&body).send().await.unwrap().status().is_success());
    let url = format!("{chat}/sim/sent");
    for _ in 0..3_000 {
        let sent: Value = client().get(&url).send().await.unwrap().json().await.unwrap();
        if sent["messages"].to_string().contains(answer) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the bot never said {answer:?}");
}

/// Left, which is said aloud, where this machine lacks what the language needs.
async fn follow(language: Language) {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = None;
    for line in commands(language) {
        if line.trim() == "switchboard demo" {
            demo = Some(server::Server::demo(&folder.path().join("switchboard-demo")));
            continue;
        }
        // Not for ever, and not waiting for an edit.
        let once = if line.contains("plugin dev") { format!("{line} --once") } else { line };
        let output = shell(&once, folder.path());
        let lacks = output.status.code() == Some(CANNOT_START)
            && told(&output).contains("is not installed");
        if lacks && std::env::var_os("CI").is_none() {
            return eprintln!("SKIPPED: {language}: {}", told(&output));
        }
        assert!(output.status.success(), "{once}\n{}", told(&output));
    }
    let (_demo, chat) = demo.expect("the guide starts the demo");
    ask(&chat, "Hello there", "Hello! What can I do for you?").await;
    // The shop's own plugins go on answering.
    ask(&chat, "Can I order a birthday cake?", "Cakes to order need two days.").await;
    change(language, folder.path()).await;
    ask(&chat, "Hello again", "We have rye bread today.").await;
}

/// The guide's second half: an edit that a case objects to, and its blessing.
async fn change(language: Language, folder: &Path) {
    let source = match language {
        Language::Rust => "src/lib.rs",
        Language::Typescript => "src/plugin.ts",
        Language::Python => "app.py",
        Language::Go => "main.go",
        Language::C => "plugin.c",
    };
    let path = folder.join("bonus").join(source);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("What can I do for you?", "We have rye bread today."))
        .unwrap();
    let refused = shell("switchboard plugin dev bonus --once", folder);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("rye bread"), "{}", told(&refused));
    let blessed = shell("switchboard plugin test bonus --bless", folder);
    assert!(blessed.status.success(), "{}", told(&blessed));
    let live = shell("switchboard plugin dev bonus --once", folder);
    assert!(live.status.success(), "{}", told(&live));
}

macro_rules! guides {
    ($($name:ident: $language:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                follow(Language::$language).await;
            }
        )*
    };
}

guides! {
    in_rust: Rust,
    in_typescript: Typescript,
    in_python: Python,
    in_go: Go,
    in_c: C,
}
