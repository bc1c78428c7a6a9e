//! One plugin in five languages: built from source, held to the same cases,
//! and taking over from each other in a running server.

#[path = "plugin/stage.rs"]
mod stage;
#[path = "languages/swap.rs"]
mod swap;

use std::{path::PathBuf, sync::Arc};
use switchboard::{
    author::{self, BuildError, Built, Language},
    cases,
    config::{Env, Isolation},
    model::Verdict,
    plugin::{Plugin, Source},
    turn::Step,
};
use switchboard_tests::repository;

fn examples() -> PathBuf {
    repository().join("plugins/examples")
}

/// Builds an example, if it has changed. None, said aloud, where this machine
/// lacks what the language needs.
fn built(language: Language) -> Option<Built> {
    let env = Env::read();
    let say = |line: &str| eprintln!("{language}: {line}");
    match author::build(&examples().join(language.name()), &env, &say) {
        Ok(built) => {
            eprintln!("{language}: {} bytes, built anew: {}", built.bytes, built.fresh);
            Some(built)
        }
        Err(error @ BuildError::MissingTool { .. }) if env.get("CI").is_none() => {
            eprintln!("skipped: {language}: {error}");
            None
        }
        Err(error) => panic!("{language}: {error}"),
    }
}

async fn loaded(built: &Built) -> Arc<Plugin> {
    let cache = repository().join("target/languages");
    let plugins = stage::plugins_with(Some(cache), stage::clock());
    plugins.load(&Source::File(built.component.clone())).await.unwrap()
}

/// Every case, and all that differ at once.
async fn keeps_to_the_cases(language: Language) {
    let Some(built) = tokio::task::block_in_place(|| built(language)) else { return };
    let plugin = loaded(&built).await;
    let descriptor = plugin.descriptor();
    assert_eq!((descriptor.name.as_str(), descriptor.version.as_str()), ("loyalty", "0.1.0"));
    assert_eq!(descriptor.summary, "Counts purchases and tells customers their points");
    assert_eq!(descriptor.events, ["message", "timer"]);
    assert!(descriptor.rules_schema.is_none() && descriptor.wants.is_empty());
    let cases = cases::read(&examples().join("cases")).unwrap();
    assert_eq!(cases::unpack(plugin.packed_cases().unwrap()).unwrap(), cases);
    assert!(cases.len() >= 14, "{} cases", cases.len());
    let mut differences = Vec::new();
    for case in &cases {
        let outcome = cases::run(&plugin, case).await;
        differences.extend(outcome.differences.iter().map(|it| format!("{}: {it}", case.name)));
    }
    assert!(differences.is_empty(), "{language}:\n{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_keeps_to_the_cases() {
    keeps_to_the_cases(Language::Rust).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_keeps_to_the_cases() {
    keeps_to_the_cases(Language::Typescript).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_keeps_to_the_cases() {
    keeps_to_the_cases(Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn go_keeps_to_the_cases() {
    keeps_to_the_cases(Language::Go).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_keeps_to_the_cases() {
    keeps_to_the_cases(Language::C).await;
}

/// The libraries of C and Go name files, so the imports are there. Nothing is
/// behind them.
#[tokio::test(flavor = "multi_thread")]
async fn no_guest_can_open_a_file() {
    let plugin = stage::load_file(&stage::plugins(), stage::HOSTILE).await.unwrap();
    let rules = serde_json::json!({ "handle": "files" });
    let step = plugin.configure(&stage::step("hostile"), &rules).await.unwrap();
    let (draft, verdict) = step.run(stage::says("hi")).await.into_parts();
    assert_eq!(verdict, Ok(Verdict::Continue), "it lives on");
    assert_eq!(draft.because.len(), 3);
    for told in &draft.because {
        assert!(told.contains("os error"), "{told}");
    }
    assert!(!std::path::Path::new("mine").exists());
}

/// Go's collector must run where a component may call its host, and must run:
/// an instance that is kept handles any number of events.
#[tokio::test(flavor = "multi_thread")]
async fn go_can_be_kept_warm() {
    let Some(built) = tokio::task::block_in_place(|| built(Language::Go)) else { return };
    let plugin = loaded(&built).await;
    let mut config = stage::step("loyalty");
    config.isolation = Isolation::Warm;
    config.limits.time_ms = 30_000;
    let step = plugin.configure(&config, &serde_json::json!({})).await.unwrap();
    // Of which each event makes a few copies: far more than its memory.
    let words = "words ".repeat(2_000) + "points";
    for _ in 0..8_000 {
        let (_, verdict) = step.run(stage::says(&words)).await.into_parts();
        assert_eq!(verdict, Ok(Verdict::Stop));
    }
}

/// A project with one source that its language's compiler does not take.
fn refused(language: Language, file: &str, source: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let project = format!("name = 'odd'\nlanguage = '{language}'");
    std::fs::write(folder.path().join("plugin.toml"), project).unwrap();
    let file = folder.path().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, source).unwrap();
    let env = Env::read();
    let error = author::build(folder.path(), &env, &|line| eprintln!("{line}")).unwrap_err();
    assert!(!folder.path().join("build/odd.wasm").exists());
    match error {
        BuildError::MissingTool { .. } if env.get("CI").is_none() => {
            eprintln!("skipped: {error}");
            None
        }
        BuildError::Failed { .. } => Some(error.to_string()),
        error => panic!("{error}"),
    }
}

#[test]
fn what_a_compiler_complains_of_is_shown() {
    let source = "import { tag } from \"switchboard:plugin/effects@0.1.0\";\n\
                  export const guest = { handle: () => tag(7, null) };\n";
    if let Some(told) = refused(Language::Typescript, "src/plugin.ts", source) {
        assert!(told.contains("src/plugin.ts(2,") && told.contains("'string'"), "{told}");
    }
    let source = "#include \"plugin.h\"\nint x = effects_nonsense;\n";
    if let Some(told) = refused(Language::C, "odd.c", source) {
        assert!(told.contains("odd.c:2:9") && told.contains("effects_nonsense"), "{told}");
    }
}
