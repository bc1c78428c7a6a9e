//! A turn of a running business becomes a case that passes, until the plugin
//! changes.

use super::{
    POINTS,
    commands::{project, tested, told, with_points},
    patched,
};
use axum::http::StatusCode;
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use switchboard_tests::{
    meta::{Graph, post_webhook, text_from},
    server::{Server, binary},
    shop::{Shop, text},
};

const PHONE: &str = "4915112345678";

/// `switchboard trace …` of a server on a port of its own.
fn trace(server: &Server, arguments: &[&str]) -> (i32, String) {
    let admin = server.admin.strip_prefix("http://").unwrap();
    let output = Command::new(binary())
        .arg("trace")
        .args(arguments)
        .env("SWITCHBOARD__HTTP__ADMIN", admin)
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said)
}

fn all_text(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_turn_becomes_a_case() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    with_points(&shop, POINTS);
    let server = Server::start(&shop);
    for (number, said) in ["points", "points", "When do you open?"].iter().enumerate() {
        let body = text_from(PHONE, &format!("wamid.secret{number}"), said);
        assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
        graph.wait_for(number + 1).await;
    }
    assert_eq!(graph.wait_for(3).await[1].text(), "You have 20 points, Test.");
    let my_shop = text(&shop.folder);

    let (code, said) = trace(&server, &["list", my_shop, "--contact", PHONE]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
    let second = said.lines().nth(1).unwrap();
    assert!(second.starts_with("c1 2  ") && second.contains("“points”"), "{said}");
    assert!(second.contains("points stop"), "{said}");
    let (_, all) = trace(&server, &["list", my_shop]);
    assert_eq!(all, said);

    // A step with a store: what it read and wrote is there.
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("points");
    project(&folder, POINTS);
    let to = folder.join("cases/second");
    let export = ["export", my_shop, "c1", "2", "--to", text(&to)];
    let (code, said) = trace(&server, &export);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("it passes") && said.contains("stays"), "{said}");
    let stored: Value =
        serde_json::from_str(&fs::read_to_string(to.join("stored.json")).unwrap()).unwrap();
    assert_eq!(stored["contact"]["points"], "10");
    let written = all_text(&to);
    assert!(written.contains("You have 20 points, Sam."), "{written}");
    for personal in [PHONE, "Test", "wamid.secret"] {
        assert!(!written.contains(personal), "{personal}: {written}");
    }
    let (code, said) = tested(&folder, &[]);
    assert!(code == 0 && said.starts_with("ok      second\n"), "{said}");
    let (code, said) = trace(&server, &export);
    assert!(code == 3 && said.contains("second"), "it is not overwritten: {said}");

    // The plugin changes, and the case says so.
    project(&folder, &patched(POINTS, "You have ", "You hold "));
    let (code, said) = tested(&folder, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("You have 20 points, Sam.") && said.contains("You hold 20"), "{said}");

    // A step without one, which saw the contact as it is.
    let faq = root.path().join("faq/hours");
    let (code, said) = trace(
        &server,
        &["export", my_shop, "c1", "3", "--step", "faq", "--to", text(&faq), "--keep-personal"],
    );
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("do not share") && all_text(&faq).contains(PHONE), "{said}");
    let (code, said) = told(&["plugin", "test", "faq", "--cases", text(&root.path().join("faq"))]);
    assert_eq!((code, said.as_str()), (0, "ok      hours\nfaq 0.1.0: 1 case, all ok\n"));
    what_cannot_be_exported(&server, &shop, root.path());
}

fn what_cannot_be_exported(server: &Server, shop: &Shop, root: &Path) {
    let my_shop = text(&shop.folder);
    let to = root.join("never");
    let (code, said) = trace(server, &["export", my_shop, "c1", "9", "--to", text(&to)]);
    assert!(code == 3 && said.contains("no turn c1-9"), "{said}");
    let asked = ["export", my_shop, "c1", "3", "--step", "promos", "--to", text(&to)];
    let (code, said) = trace(server, &asked);
    assert!(code == 3 && said.contains("these did: promo, tagger, points, faq"), "{said}");
    assert!(!to.exists());
    // Rules that are no longer those of the turn.
    shop.replace("rules/points.toml", "word = \"points\"\neach = 7\n");
    let to = root.join("changed");
    let (code, said) = trace(server, &["export", my_shop, "c1", "2", "--to", text(&to)]);
    assert!(code == 1 && said.contains("have changed since that turn"), "{said}");
    assert!(said.contains("does not pass") && said.contains("You have 17"), "{said}");
}
