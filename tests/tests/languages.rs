//! One plugin in five languages: built from source, held to the same cases,
//! and taking over from each other in a running server.

#[path = "languages/run.rs"]
mod run;
#[path = "plugin/stage.rs"]
#[allow(dead_code, reason = "the stage of other tests, too")]
mod stage;
#[path = "languages/swap.rs"]
mod swap;

use std::{path::PathBuf, sync::Arc};
use switchboard::{
    author::{self, BuildError, Built, Language},
    config::Env,
    plugin::{Plugin, Source},
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
    let cases = run::cases(&examples().join("cases"));
    assert!(cases.len() >= 14, "{} cases", cases.len());
    let mut differences = Vec::new();
    for case in &cases {
        if let Some(difference) = case.run(&plugin).await {
            differences.push(format!("{}: {difference}", case.name()));
        }
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
