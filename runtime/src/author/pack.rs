//! Cases packed into one JSON document.
// For the lead: `crate::cases::pack` takes this module's place.

use super::{BuildError, files};
use serde_json::{Map, Value};
use std::{fs, path::Path};

const FILES: [&str; 7] = [
    "event.json",
    "contact.json",
    "rules.json",
    "rules.toml",
    "stored.json",
    "http.json",
    "step.toml",
];
const EXPECTED: &str = "expected.json";

/// The cases in a folder, in the order of their names; none if there is none.
pub(super) fn pack(folder: &Path) -> Result<Option<Vec<u8>>, BuildError> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).map_err(files::trouble(folder))? {
        let path = entry.map_err(files::trouble(folder))?.path();
        if path.join(EXPECTED).is_file() {
            cases.push(path);
        }
    }
    cases.sort();
    let packed = cases.iter().map(|path| case(path)).collect::<Result<Vec<_>, _>>()?;
    let json = || serde_json::to_vec(&packed).ok();
    Ok(if packed.is_empty() { None } else { json() })
}

fn case(folder: &Path) -> Result<Value, BuildError> {
    let mut case = Map::new();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    case.insert("name".into(), name.into());
    for file in FILES.into_iter().chain([EXPECTED]) {
        let path = folder.join(file);
        if !path.is_file() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(files::trouble(&path))?;
        let wrong = |reason: String| BuildError::Project { file: path.clone(), reason };
        let (key, form) = file.split_once('.').unwrap_or((file, "json"));
        let value: Value = match form {
            "toml" => toml::from_str(&text).map_err(|error| wrong(error.to_string()))?,
            _ => serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?,
        };
        case.insert(key.into(), value);
    }
    Ok(case.into())
}
