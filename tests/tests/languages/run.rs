//! Runs a case on the real plugin host and says how the outcome differs from
//! what is expected.
// For the lead: `switchboard::cases` takes this file's place.

use super::stage::{NOW, draft_of, step, text_message};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use switchboard::{
    model::*,
    plugin::{ConfigureError, Plugin},
    store::{Commit, Store},
    turn::{Draft, Step},
};

pub struct Case {
    pub name: String,
    folder: std::path::PathBuf,
}

pub fn cases(folder: &Path) -> Vec<Case> {
    let mut found: Vec<Case> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|folder| Case {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder,
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
