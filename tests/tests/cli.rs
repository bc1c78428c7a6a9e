//! The commands as a person or a script meets them: what they say, and the
//! exit code.

use std::process::{Command, Output};
use switchboard_tests::{
    server::{Server, binary},
    shop::{FAQ, Shop, TOKEN, text},
};

const NOWHERE: &str = "http://127.0.0.1:9/v26.0";
const VARIABLES: [&str; 5] =
    ["WA_PHONE_NUMBER_ID", "WA_ACCOUNT_ID", "WA_TOKEN", "WA_SECRET", "WA_VERIFY"];

/// Runs a command; the variables of the sample are set only if named.
fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.args(arguments).envs(env.iter().copied()).output().unwrap()
}

/// Exit code, stdout, stderr.
fn told(arguments: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let output = run(arguments, env);
    let words = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), words(output.stdout), words(output.stderr))
}

#[test]
fn init_makes_a_folder_that_check_accepts() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("my-shop");
    let (code, said, _) = told(&["init", text(&folder)], &[]);
    assert_eq!(code, 0, "{said}");
    for file in ["switchboard.toml", "chains/default.toml", "rules/faq.toml", "README.md"] {
        assert!(folder.join(file).is_file() && said.contains(file), "{file}: {said}");
    }
    // What has to be set is said by `init`, and is what `check` misses.
    let (code, missing, _) = told(&["check", text(&folder)], &[]);
    assert_eq!(code, 1, "{missing}");
    for name in VARIABLES {
        assert!(said.contains(name) && missing.contains(name), "{name}: {missing}");
    }
    assert!(missing.ends_with("not ok: 5 problems\n"), "{missing}");
    let (code, said, error) = told(&["check", text(&folder)], &VARIABLES.map(|name| (name, "1")));
    assert_eq!((code, said.as_str()), (0, "ok: 1 channel, 0 warnings\n"), "{error}");
}

#[test]
fn init_overwrites_nothing() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("notes");
    std::fs::write(&file, "mine").unwrap();
    for (place, why) in [(&*file, "a file of this name"), (root.path(), "not empty")] {
        let (code, said, error) = told(&["init", text(place)], &[]);
        assert_eq!((code, said.as_str()), (3, ""));
        assert!(error.contains(why) && error.contains(text(place)), "{error}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn check_reports_to_programs() {
    let shop = Shop::new(NOWHERE);
    let report = |folder: &str| {
        let (code, said, _) = told(&["check", "--json", folder], &[]);
        (code, serde_json::from_str::<serde_json::Value>(&said).unwrap())
    };
    let good = serde_json::json!({"ok": true, "problems": [], "warnings": []});
    assert_eq!(report(text(&shop.folder)), (0, good));
    shop.write("rules/faq.toml", &FAQ.replace("say =", "sayy ="));
    let (code, bad) = report(text(&shop.folder));
    assert_eq!((code, &bad["ok"]), (1, &false.into()));
    let problems = bad["problems"].as_array().unwrap();
    let unknown = problems.iter().find(|problem| problem["key"] == "answer[0].sayy").unwrap();
    assert_eq!(unknown["file"], "rules/faq.toml");
    assert_eq!(unknown["line"], 7);
    assert!(unknown["message"].as_str().unwrap().contains("did you mean `say`?"), "{unknown}");
}

#[test]
fn what_is_no_business_folder_is_told_apart() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("shop.toml");
    std::fs::write(&file, "").unwrap();
    let missing = root.path().join("missing");
    let places = [
        (&*file, "is a file"),
        (&*missing, "there is no such folder"),
        (root.path(), "not a business folder"),
    ];
    for (place, why) in places {
        for command in ["check", "serve", "reload"] {
            let (code, said, error) = told(&[command, text(place)], &[]);
            assert_eq!(code, 1, "{command}: {said}{error}");
            assert!((said + &error).contains(why), "{command} does not say `{why}`");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_says_what_runs_now() {
    let shop = Shop::new(NOWHERE);
    // `reload` need not know the secrets that `serve` was started with.
    let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
    shop.write("switchboard.toml", &toml.replace(TOKEN, "${SHOP_TOKEN}"));
    let server = Server::try_start(&shop, &[("SHOP_TOKEN", "secret")]).unwrap();
    // The folder asks for any port, so the one taken has to be named.
    let admin = server.admin.strip_prefix("http://").unwrap().to_owned();
    let env = [("SWITCHBOARD__HTTP__ADMIN", admin.as_str())];
    let (code, said, error) = told(&["reload", text(&shop.folder)], &env);
    assert_eq!(code, 0, "{said}{error}");
    assert!(said.starts_with("loaded: generation "), "{said}");
    shop.write("rules/faq.toml", &FAQ.replace("say =", "sayy ="));
    let (code, said, error) = told(&["reload", text(&shop.folder)], &env);
    assert_eq!(code, 1, "{said}{error}");
    assert!(said.contains("rules/faq.toml:7: answer[0].sayy: "), "{said}");
    assert!(said.ends_with("not loaded: the generation before goes on\n"), "{said}");
    server.kill();
    let (code, said, error) = told(&["reload", text(&shop.folder)], &env);
    assert_eq!(code, 3, "{said}{error}");
    assert!(error.contains(&format!("nothing listens at {admin}")), "{error}");
}

#[test]
fn a_folder_with_problems_is_not_served() {
    let shop = Shop::new(NOWHERE);
    shop.write("rules/faq.toml", "fallbck = \"?\"");
    let (code, said, error) = told(&["serve", text(&shop.folder)], &[]);
    assert_eq!((code, said.as_str()), (1, ""), "{error}");
    assert!(error.starts_with("rules/faq.toml:1: fallbck: unknown key"), "{error}");
    assert!(error.ends_with("not started: 1 problem\n"), "{error}");
}

#[test]
fn what_makes_no_sense_is_answered_with_what_does() {
    for (arguments, help) in [
        (&["chekc", "my-shop"][..], "'check'"),
        (&["check", "my-shop", "--jso"], "'--json'"),
        (&["serve"], "<FOLDER>"),
        (&["demo", "--public", "8080"], "127.0.0.1:8080"),
        (&["simulate", "--webhook", "3000"], "http://127.0.0.1:3000/webhook"),
        (&["init", "--sample", "pub", "my-shop"], "possible values: shop, restaurant, hotel"),
        (&[], "Commands:"),
    ] {
        let (code, said, error) = told(arguments, &[]);
        assert_eq!((code, said.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains(help), "{arguments:?}: {error}");
    }
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(Into::into).collect()
}

fn help_of(command: &[&str]) -> String {
    let (code, help, _) = told(&[command, &["--help"]].concat(), &[]);
    assert_eq!(code, 0, "{command:?}");
    help
}

#[test]
fn help_shows_what_there_is() {
    let names = listed(&help_of(&[]));
    assert_eq!(
        names,
        [
            "init",
            "check",
            "doctor",
            "serve",
            "test",
            "ask",
            "replay",
            "reload",
            "demo",
            "simulate",
            "plugin",
            "template",
            "campaign",
            "trace",
            "unanswered"
        ]
    );
    let mut commands: Vec<Vec<String>> = Vec::new();
    for name in names {
        let within = listed(&help_of(&[&name]));
        match within.is_empty() {
            true => commands.push(vec![name]),
            false => commands.extend(within.into_iter().map(|inner| vec![name.clone(), inner])),
        }
    }
    let mut examples = 0;
    for command in &commands {
        let help = help_of(&command.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = help.lines().filter(|line| line.starts_with("  "));
        for (before, example) in shown.filter_map(|line| line.split_once("switchboard ")) {
            // Behind nothing or variables, it is an example.
            if before.split_whitespace().any(|word| !word.contains('=')) {
                continue;
            }
            examples += 1;
            is_a_command(example, &commands);
        }
    }
    assert!(examples >= 20, "{examples} examples were found");
}

/// It begins with a command that there is, and its options are that one's.
fn is_a_command(example: &str, commands: &[Vec<String>]) {
    let words: Vec<&str> = example.split_whitespace().collect();
    let begins = |command: &&Vec<String>| {
        command.len() <= words.len() && command.iter().zip(&words).all(|(name, word)| name == word)
    };
    let command = commands.iter().find(begins);
    let command = command.unwrap_or_else(|| panic!("there is no `switchboard {example}`"));
    let help = help_of(&command.iter().map(String::as_str).collect::<Vec<_>>());
    for option in words.iter().filter(|word| word.starts_with("--")) {
        assert!(
            help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
            "{command:?} knows no {option}"
        );
    }
}
