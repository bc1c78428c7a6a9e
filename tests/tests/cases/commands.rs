//! `plugin test`, `plugin inspect`, and the check before a version goes live.

use super::{POINTS, POINTS_CASE, patched, with_cases, write_case};
use serde_json::Value;
use std::{fs, path::Path};
use switchboard::cases;
use switchboard_tests::{
    server::{Server, switchboard},
    shop::{CHAIN, Shop, text},
};

/// Exit code, stdout and stderr in one.
pub fn told(arguments: &[&str]) -> (i32, String) {
    let output = switchboard(arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// A component beside the folder of its cases.
pub fn project(folder: &Path, component: &[u8]) {
    fs::create_dir_all(folder.join("cases")).unwrap();
    fs::write(folder.join("points.wasm"), component).unwrap();
}

/// `plugin test` on it.
pub fn tested(folder: &Path, more: &[&str]) -> (i32, String) {
    let (component, cases) = (folder.join("points.wasm"), folder.join("cases"));
    told(&[&["plugin", "test", text(&component), "--cases", text(&cases)], more].concat())
}

#[test]
fn plugin_test_tells_and_blesses() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("points");
    project(&folder, POINTS);
    let (code, said) = tested(&folder, &[]);
    assert!(code == 1 && said.contains("there are no cases in"), "{said}");
    write_case(&folder.join("cases/asked"), &POINTS_CASE);
    write_case(&folder.join("cases/other"), &POINTS_CASE);
    let (code, said) = tested(&folder, &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said, "ok      asked\nok      other\npoints 0.1.0: 2 cases, all ok\n");
    // Another version, another answer.
    project(&folder, &patched(POINTS, "You have ", "You hold "));
    let (code, said) = tested(&folder, &["asked"]);
    assert!(code == 1 && said.starts_with("FAILED  asked\n"), "{said}");
    assert!(said.contains("You have 40") && said.contains("You hold 40"), "{said}");
    assert!(said.ends_with("points 0.1.0: 1 case, 1 failed\n"), "{said}");
    let (code, json) = tested(&folder, &["--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["ok"]), (1, &false.into()));
    assert_eq!(report["cases"][1]["name"], "other");
    let (code, said) = tested(&folder, &["asked", "--bless"]);
    assert!(code == 0 && said.starts_with("written asked\n"), "{said}");
    let (code, said) = tested(&folder, &[]);
    assert!(code == 1 && said.contains("ok      asked\nFAILED  other\n"), "{said}");
    // Mistakes are told with file and line.
    fs::write(folder.join("cases/asked/event.json"), "{\n\"mesage\": {}}").unwrap();
    let (code, said) = tested(&folder, &[]);
    assert!(code == 3 && said.contains("asked/event.json:2: unknown key `mesage`"), "{said}");
}

/// The component with the case of the points, packed.
fn with_own_case(root: &Path, component: &[u8]) -> Vec<u8> {
    write_case(&root.join("packed/asked"), &POINTS_CASE);
    let packed = cases::pack(&root.join("packed")).unwrap().unwrap();
    with_cases(component, &packed)
}

#[test]
fn plugin_inspect_shows_what_a_component_is() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("points.wasm");
    fs::write(&file, with_own_case(root.path(), POINTS)).unwrap();
    // Its embedded case runs.
    let (code, said) = told(&["plugin", "test", text(&file)]);
    assert!(code == 0 && said.starts_with("ok      asked\n"), "{said}");
    let (code, said) = told(&["plugin", "inspect", text(&file)]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "points 0.1.0: Keeps points in its store, for tests",
        "made for   switchboard:plugin 0.1.0",
        "events     message, timer",
        "cases      1 embedded: asked",
        "switchboard:plugin/kv@0.1.0 (given)",
        "exports    switchboard:plugin/guest@0.1.0",
        "made with  wit-component",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let (_, json) = told(&["plugin", "inspect", text(&file), "--json"]);
    let known: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(known["sizes"]["component"], fs::metadata(&file).unwrap().len());
    assert!(
        known["sizes"]["modules"].as_u64() > Some(0) && known["sizes"]["data"].as_u64() > Some(0)
    );
    assert_eq!(known["descriptor"]["rules_schema"]["required"][1], "each");
    let (code, schema) = told(&["plugin", "inspect", "faq", "--schema"]);
    assert!(code == 0 && schema.contains("\"answer\""), "{schema}");
    // A step of a business.
    let shop = Shop::new("http://127.0.0.1:9/v26.0");
    let (code, said) = told(&["plugin", "inspect", text(&shop.path("tagger"))]);
    assert!(code == 0 && said.starts_with("tagger 0.1.0"), "{said}");
    // What would be refused is shown as far as it goes.
    let strange = patched(POINTS, "wasi:io/poll@0.2", "wasi:io/gold@0.2");
    fs::write(&file, strange).unwrap();
    let (code, said) = told(&["plugin", "inspect", text(&file)]);
    assert!(code == 1 && said.contains("refused    "), "{said}");
    assert!(said.contains("wasi:io/gold") && said.contains("(NOT given)"), "{said}");
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let (code, said) = told(&["plugin", "inspect", text(&file)]);
    assert!(code == 1 && said.contains("core WebAssembly module"), "{said}");
}

pub fn with_points(shop: &Shop, component: &[u8]) {
    let step = "\n[[step]]\nname = \"points\"\nplugin = \"plugins/points.wasm\"\n\
                rules = \"rules/points.toml\"\n";
    let (before, faq) = CHAIN.split_at(CHAIN.rfind("[[step]]").unwrap());
    shop.write("rules/points.toml", "word = \"points\"\neach = 10\n");
    fs::create_dir_all(shop.path("plugins")).unwrap();
    fs::write(shop.path("plugins/points.wasm"), component).unwrap();
    shop.write("chains/default.toml", &format!("{before}{step}\n{faq}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_its_own_cases_does_not_go_live() {
    let shop = Shop::new("http://127.0.0.1:9/v26.0");
    let good = with_own_case(&shop.folder, POINTS);
    let bad = with_own_case(&shop.folder, &patched(POINTS, "You have ", "You hold "));
    fs::remove_dir_all(shop.path("packed")).unwrap();
    with_points(&shop, &bad);
    let (code, said) = told(&["check", text(&shop.folder)]);
    assert_eq!(code, 1, "{said}");
    for part in [
        "chains/default.toml:",
        "plugin: 1 of the plugin's 1 own cases failed: `asked`",
        "You have 40 points",
        "You hold 40 points",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    with_points(&shop, &good);
    let (code, said) = told(&["check", text(&shop.folder)]);
    assert!(code == 0 && said.contains("ok: 1 channel, 0 warnings"), "{said}");
    // Dropped into a running business, the bad one is refused: the good stays.
    let server = Server::start(&shop);
    let before = server.admin_get("/readyz").await["generation"]["generation"].clone();
    fs::write(shop.path("plugins/new~"), &bad).unwrap();
    fs::rename(shop.path("plugins/new~"), shop.path("plugins/points.wasm")).unwrap();
    let mut status = Value::Null;
    for _ in 0..3_000 {
        status = server.admin_get("/readyz").await["generation"].clone();
        if status["problems"] != serde_json::json!([]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(status["problems"].to_string().contains("own cases failed: `asked`"), "{status}");
    assert_eq!(status["generation"], before);
}
