//! Cases in files, and packed into one document.

use super::form::{Case, Expected, StepForm};
use crate::config::{Document, list, read_calendar};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The largest file of a case, in bytes: cases are read by people.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The most that a component may carry along, in bytes of JSON: every host
/// that loads it reads them.
const PACKED_BYTES: usize = 4 * 1024 * 1024;
/// Cases of one plugin.
const CASES: usize = 1_000;

const FILES: [&str; 9] = [
    "event.json",
    "contact.json",
    "calendar.toml",
    "rules.toml",
    "rules.json",
    "stored.json",
    "http.json",
    "step.toml",
    "expected.json",
];

#[derive(thiserror::Error, Debug)]
pub enum CaseError {
    #[error("{path} can't be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} can't be written: {source}")]
    Unwritable { path: PathBuf, source: std::io::Error },
    /// The reason begins with the line where there is one.
    #[error("{path}{reason}")]
    Malformed { path: PathBuf, reason: String },
    #[error("the cases have {bytes} bytes as JSON, and {limit} are allowed in a component")]
    TooLarge { bytes: usize, limit: usize },
    #[error("there are {cases} cases, and {limit} are allowed")]
    TooMany { cases: usize, limit: usize },
    #[error("the embedded cases can't be read: {0}")]
    Embedded(String),
}

/// The cases in `folder`, in the order of their names: each folder in it is
/// one. None at all if `folder` is not there.
pub fn read(folder: &Path) -> Result<Vec<Case>, CaseError> {
    let mut names = Vec::new();
    for name in entries(folder)? {
        if folder.join(&name).is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    let (cases, limit) = (names.len(), CASES);
    if cases > limit {
        return Err(CaseError::TooMany { cases, limit });
    }
    names.sort();
    names.into_iter().map(|name| read_case(&folder.join(&name), name)).collect()
}

fn entries(folder: &Path) -> Result<Vec<String>, CaseError> {
    let unreadable = |source| CaseError::Unreadable { path: folder.into(), source };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in listed {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn read_case(folder: &Path, name: String) -> Result<Case, CaseError> {
    let malformed = |file: &str, reason| CaseError::Malformed { path: folder.join(file), reason };
    for found in entries(folder)? {
        let known = FILES.contains(&found.as_str());
        if !known && !found.starts_with('.') && !found.ends_with(".md") && !found.ends_with('~') {
            let reason = format!(": is no file of a case; there are {}", FILES.join(", "));
            return Err(malformed(&found, reason));
        }
    }
    let document = |file: &str| -> Result<Option<Document>, CaseError> {
        if !folder.join(file).exists() {
            return Ok(None);
        }
        let read = Document::read(folder, Path::new(file));
        read.map(Some).map_err(|problem| at(folder, &problem.to_string()))
    };
    let step = document("step.toml")?;
    if let Some(step) = &step {
        StepForm::read(step).map_err(|why| at(folder, &why))?;
    }
    let calendar = document("calendar.toml")?;
    if let Some(calendar) = &calendar {
        let zone = "UTC";
        read_calendar(calendar, None, zone).map_err(|wrong| at(folder, &list(&wrong)))?;
    }
    let rules = match (document("rules.toml")?, document("rules.json")?) {
        (Some(_), Some(_)) => {
            let reason = ": stands beside rules.toml; one of them is needed".into();
            return Err(malformed("rules.json", reason));
        }
        (toml, json) => toml.or(json),
    };
    let value = |document: Document| document.value().clone();
    let case = Case {
        name,
        event: json(folder, "event.json")?,
        contact: json(folder, "contact.json")?,
        calendar: calendar.map(value),
        rules: rules.map(value),
        stored: json(folder, "stored.json")?,
        http: json(folder, "http.json")?,
        step: step.map(value),
        expected: json(folder, "expected.json")?,
    };
    case.check().map_err(|why| at(folder, &why))?;
    Ok(case)
}

/// A reason that begins with its file's name.
fn at(folder: &Path, reason: &str) -> CaseError {
    CaseError::Malformed { path: folder.join(""), reason: reason.into() }
}

fn json<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Option<T>, CaseError> {
    let path = folder.join(file);
    let size = match fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CaseError::Unreadable { path, source }),
    };
    if size > FILE_BYTES {
        let reason = format!(": has {size} bytes, and {FILE_BYTES} are allowed");
        return Err(CaseError::Malformed { path, reason });
    }
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(CaseError::Unreadable { path, source }),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| CaseError::Malformed { path, reason: in_words(&error) })
}

/// `:3: unknown key …`.
fn in_words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let said = said.replace("unknown field", "unknown key").replace("missing field", "missing key");
    let said = said.replace("unknown variant", "unknown").replace("expected one of", "allowed are");
    match error.line() {
        0 => format!(": {said}"),
        line => format!(":{line}: {said}"),
    }
}

/// The cases in `folder`, which holds a folder for each, as the document that
/// a component carries. None if there are none.
pub fn pack(folder: &Path) -> Result<Option<Vec<u8>>, CaseError> {
    let cases = read(folder)?;
    if cases.is_empty() {
        return Ok(None);
    }
    if let Some(case) = cases.iter().find(|case| case.expected.is_none()) {
        let path = folder.join(&case.name);
        return Err(CaseError::Malformed { path, reason: ": has no expected.json".into() });
    }
    let packed =
        serde_json::to_vec(&cases).map_err(|error| CaseError::Embedded(error.to_string()))?;
    let (bytes, limit) = (packed.len(), PACKED_BYTES);
    if bytes > limit {
        return Err(CaseError::TooLarge { bytes, limit });
    }
    Ok(Some(packed))
}

/// The cases that a component carries.
pub fn unpack(packed: &[u8]) -> Result<Vec<Case>, CaseError> {
    let (bytes, limit) = (packed.len(), PACKED_BYTES);
    if bytes > limit {
        return Err(CaseError::TooLarge { bytes, limit });
    }
    let cases: Vec<Case> =
        serde_json::from_slice(packed).map_err(|error| CaseError::Embedded(error.to_string()))?;
    if cases.len() > CASES {
        return Err(CaseError::TooMany { cases: cases.len(), limit: CASES });
    }
    for case in &cases {
        let wrong = match case.check() {
            Ok(()) if case.expected.is_some() => continue,
            Ok(()) => "it has no `expected`".into(),
            Err(why) => why,
        };
        return Err(CaseError::Embedded(format!("`{}`: {wrong}", case.name)));
    }
    Ok(cases)
}

/// Writes what is expected of the case `name` in `folder`.
pub fn bless(folder: &Path, name: &str, expected: &Expected) -> Result<(), CaseError> {
    write_json(&folder.join(name).join("expected.json"), expected)
}

/// Writes a whole case into the new folder `folder`.
pub fn write(folder: &Path, case: &Case) -> Result<(), CaseError> {
    let unwritable = |source| CaseError::Unwritable { path: folder.into(), source };
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(unwritable)?;
    }
    fs::create_dir(folder).map_err(unwritable)?;
    let put = |file: &str, value: Option<Value>| match value {
        Some(value) => write_json(&folder.join(file), &value),
        None => Ok(()),
    };
    put("event.json", value(&case.event))?;
    put("contact.json", value(&case.contact))?;
    put("rules.json", case.rules.clone())?;
    put("stored.json", value(&case.stored))?;
    put("http.json", value(&case.http))?;
    put("expected.json", value(&case.expected))?;
    write_toml(&folder.join("calendar.toml"), case.calendar.as_ref())?;
    write_toml(&folder.join("step.toml"), case.step.as_ref())
}

fn write_toml(path: &Path, value: Option<&Value>) -> Result<(), CaseError> {
    let Some(value) = value else { return Ok(()) };
    let text = toml::to_string(value).map_err(|error| CaseError::Malformed {
        path: path.into(),
        reason: format!(": {error}"),
    })?;
    fs::write(path, text).map_err(|source| CaseError::Unwritable { path: path.into(), source })
}

/// Our own forms are always JSON.
fn value<T: Serialize>(part: &Option<T>) -> Option<Value> {
    part.as_ref().and_then(|part| serde_json::to_value(part).ok())
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CaseError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CaseError::Malformed {
        path: path.into(),
        reason: format!(": {error}"),
    })?;
    let written = fs::write(path, text + "\n");
    written.map_err(|source| CaseError::Unwritable { path: path.into(), source })
}

#[cfg(test)]
mod tests;
