//! Grants in a business folder: what is wrong with them, and where; what a
//! plugin asks for beside what it is given.

use crate::{far::FETCHER, stage::patched};
use std::sync::Arc;
use switchboard::{
    clock::SystemClock,
    config::{Env, Problem},
    generation::{self, Generation, Occasion},
    plugin::Plugins,
};
use switchboard_tests::shop::Shop;

const ENV: [(&str, &str); 2] = [("TOKEN", "s3cret-s3cret"), ("HOST", "*.s3cret")];

fn shop(grants: &str) -> Shop {
    let shop = Shop::new("https://graph.example");
    std::fs::create_dir_all(shop.path("plugins")).unwrap();
    std::fs::write(shop.path("plugins/fetcher.wasm"), FETCHER).unwrap();
    write_chain(&shop, grants);
    shop
}

fn write_chain(shop: &Shop, grants: &str) {
    let step = "[[step]]\nname = \"fetcher\"\nplugin = \"plugins/fetcher.wasm\"\n";
    shop.write("chains/default.toml", &format!("{step}{grants}"));
}

async fn build(shop: &Shop, before: Option<&Generation>) -> Result<Generation, Vec<String>> {
    let plugins = Plugins::new(None, Arc::new(SystemClock)).unwrap();
    let occasion = before.map_or(Occasion::Check, Occasion::Reload);
    let built = generation::build(&shop.folder, &Env::from(ENV), &plugins, occasion, 1).await;
    built.map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

async fn problems(grants: &str) -> Vec<String> {
    build(&shop(grants), None).await.err().unwrap_or_else(|| panic!("{grants} is taken"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_file_line_and_key() {
    for (grants, expected) in [
        ("grants = { http = ['*'] }", "4: step[0].grants.http[0]: `*` may have `*.` only"),
        (
            "[step.grants]\nhttp = [\n  'a.example',\n  'b.example/x',\n]",
            "7: step[0].grants.http[1]: `b.example/x` must be a host without a path",
        ),
        (
            "grants = { http = ['u:p@a.example'] }",
            "4: step[0].grants.http[0]: `u:p@a.example` must not hold a user",
        ),
        (
            "grants = { private = ['10.0.0.0/8'] }",
            "4: step[0].grants.private[0]: `10.0.0.0/8` is not an IP address such as",
        ),
        (
            "[step.grants.credentials]\n'a.example' = 'bearer ${TOKEN}'",
            "5: step[0].grants.credentials.\"a.example\": is for a host that is not in `http`",
        ),
        (
            "[step.grants]\nhttp = ['a.example']\ncredentials = { 'a.example' = 'oauth ${TOKEN}' }",
            "6: step[0].grants.credentials.\"a.example\": must be `bearer TOKEN`, `basic",
        ),
        (
            "[step.grants]\nhttp = ['a.example']\ncredentials = { 'a.example' = 'bearer ${NONE}' }",
            "6: step[0].grants.credentials.\"a.example\": the environment variable `NONE` is not",
        ),
        ("grants = { http = ['${HOST}'] }", "4: step[0].grants.http[0]: `${HOST}` is too wide"),
        (
            "grants = { http = 'a.example' }",
            "4: step[0].grants.http: is a string, and a list is needed",
        ),
        (
            "grants = { credentials = { 'a.example' = 5 } }",
            "4: step[0].grants.credentials.\"a.example\": is a number, and a string is needed",
        ),
    ] {
        let found = problems(grants).await;
        let place = format!("chains/default.toml:{expected}");
        assert!(found.iter().any(|line| line.starts_with(&place)), "{place}\n{found:#?}");
        assert!(!found.iter().any(|line| line.contains("s3cret")), "{found:#?}");
    }
    let many: Vec<String> = (0..51).map(|n| format!("'h{n}.example'")).collect();
    let found = problems(&format!("grants = {{ http = [{}] }}", many.join(", "))).await;
    assert!(found[0].ends_with("has 51 items, and 50 are allowed"), "{found:?}");
}

fn warnings(generation: &Generation) -> Vec<String> {
    generation.warnings.iter().map(Problem::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_compared_with_what_is_granted() {
    let shop = shop("grants = { http = ['*.example.com', 'idle.example'] }");
    let generation = build(&shop, None).await.unwrap();
    let found = warnings(&generation);
    let expected = [
        "step[0]: the plugin asks for `http:*.shop.example:8443` (asks the shops); to allow it: \
         `\"*.shop.example:8443\"` as one more of `http` in the step's `grants`",
        "step[0]: the plugin asks for `send-to-others` (tells the owner); to allow it: \
         `send_to_others = true` in the step's `grants`",
        "step[0].grants.http[1]: is granted, but the plugin does not ask for it",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (line, expected) in found.iter().zip(expected) {
        assert!(line.ends_with(expected), "{line}");
    }
    let wants = &generation.wants["fetcher"];
    let granted: Vec<bool> = wants.wanted.iter().map(|want| want.granted).collect();
    assert_eq!((granted, &wants.unasked[..]), (vec![true, false, false], &["/http/1".into()][..]));
    // What it says to write is enough.
    let grants = "grants = { http = ['api.example.com', '*.shop.example:8443'], \
                  send_to_others = true }";
    write_chain(&shop, grants);
    assert_eq!(warnings(&build(&shop, None).await.unwrap()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_asks_for_more_runs_with_what_it_has() {
    let grants = "grants = { http = ['api.example.org', '*.shop.example:8443'], \
                  send_to_others = true }";
    let shop = shop(grants);
    let older = patched(FETCHER, "http:api.example.com", "http:api.example.org");
    std::fs::write(shop.path("plugins/fetcher.wasm"), older).unwrap();
    let first = build(&shop, None).await.unwrap();
    assert_eq!(warnings(&first), [""; 0]);
    std::fs::write(shop.path("plugins/fetcher.wasm"), FETCHER).unwrap();
    let second = build(&shop, Some(&first)).await.unwrap();
    let found = warnings(&second);
    assert!(
        found[0].contains("now also asks for `http:api.example.com` (looks orders up)"),
        "{found:#?}"
    );
    let main = second.channels.values().next().unwrap();
    assert_eq!(main.chain.steps.len(), 1);
    // Asked again, it is not news.
    let third = warnings(&build(&shop, Some(&second)).await.unwrap());
    assert!(third[0].contains("the plugin asks for `http:api.example.com`"), "{third:#?}");
}
