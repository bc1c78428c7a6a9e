//! `plugins.lock`: which bytes each fetched plugin has, and where they came
//! from. Owns its form and the check that the folder keeps to it; must not
//! fetch anything.

use super::{BUSINESS_FILE, Document, Found, Problem, PublicKey, Trust, words};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

/// Beside `switchboard.toml`.
pub const LOCK_FILE: &str = "plugins.lock";
const FOLDER: &str = "plugins";
/// Of the file's form.
const FORM: u32 = 1;
const HEAD: &str = "\
# Which plugins this business has fetched, and their exact bytes. Written by
# `switchboard plugin add`; keep it in git. Missing files are fetched by
# `switchboard plugin add --restore --to FOLDER`.
";

/// The plugins of one business that were fetched, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pub pins: BTreeMap<String, Pin>,
}

/// One plugin: the file `plugins/<name>.wasm`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// As [`is_plugin_name`] takes it.
    pub name: String,
    /// `oci://…`, `https://…` or a path, relative to the business folder.
    pub source: String,
    /// What the plugin says of itself.
    pub version: String,
    /// `sha256:…` of the component's bytes.
    pub digest: String,
    /// `sha256:…` of the registry's manifest, so that a tag that was moved
    /// since makes no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The fingerprint of the key whose signature was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Pin>,
}

impl Pin {
    /// Relative to the business folder.
    pub fn file(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("{}.wasm", self.name))
    }

    /// Puts the plugin's bytes in place, whole.
    pub fn place(&self, folder: &Path, bytes: &[u8]) -> io::Result<()> {
        std::fs::create_dir_all(folder.join(FOLDER))?;
        write_whole(&folder.join(self.file()), bytes)
    }
}

/// `sha256:…` of bytes, as everybody writes it.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Whether it is what [`digest`] makes.
pub fn is_digest(text: &str) -> bool {
    let small_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(small_hex))
}

/// What [`is_plugin_name`] takes.
pub const PLUGIN_NAME: &str = "small letters and digits in words joined by `-`, 64 bytes at most";

/// Whether a plugin, and so its file, may be called so.
pub fn is_plugin_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 64 && text.split('-').all(|part| !part.is_empty() && part.chars().all(word))
}

impl Lock {
    /// That of a business; empty where there is no file.
    pub fn read(folder: &Path) -> Result<Self, Vec<Problem>> {
        let text = match std::fs::read_to_string(folder.join(LOCK_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                let message = format!("can't be read: {}", words::of_io(&error));
                return Err(vec![Problem::of_file(LOCK_FILE, message)]);
            }
        };
        let written: Written = toml::from_str(&text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start));
            let line = line.map(|before| before.matches('\n').count() + 1);
            vec![Problem { line, ..Problem::of_file(LOCK_FILE, words::of_toml(&error, &text)) }]
        })?;
        if written.version != FORM {
            let message =
                format!("has the form {}, and this version reads the form {FORM}", written.version);
            return Err(vec![Problem::of_file(LOCK_FILE, message)]);
        }
        Self::checked(written.plugins)
    }

    fn checked(pins: Vec<Pin>) -> Result<Self, Vec<Problem>> {
        let mut lock = Self::default();
        let mut problems = Vec::new();
        for (index, pin) in pins.into_iter().enumerate() {
            let mut wrong = |key: &str, message: &str| {
                let key = format!("plugin[{index}].{key}");
                problems.push(Problem { key, ..Problem::of_file(LOCK_FILE, message) });
            };
            if !is_plugin_name(&pin.name) {
                wrong("name", &format!("is no plugin's name: {PLUGIN_NAME}"));
            }
            if !is_digest(&pin.digest) {
                wrong("digest", "is not `sha256:` and 64 hexadecimal digits");
            }
            if pin.manifest.as_ref().is_some_and(|digest| !is_digest(digest)) {
                wrong("manifest", "is not `sha256:` and 64 hexadecimal digits");
            }
            if lock.pins.contains_key(&pin.name) {
                wrong("name", "is here twice");
            }
            lock.pins.insert(pin.name.clone(), pin);
        }
        if problems.is_empty() { Ok(lock) } else { Err(problems) }
    }

    /// Writes it whole: sorted by name, so that the same pins make the same
    /// file.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let written = Written { version: FORM, plugins: self.pins.values().cloned().collect() };
        let text = toml::to_string(&written).map_err(io::Error::other)?;
        write_whole(&folder.join(LOCK_FILE), format!("{HEAD}{text}").as_bytes())
    }

    /// The pin of a plugin's file, as a step names it.
    pub fn of_file(&self, file: &str) -> Option<&Pin> {
        let plain: PathBuf =
            Path::new(file).components().filter(|part| *part != Component::CurDir).collect();
        self.pins.values().find(|pin| pin.file() == plain)
    }
}

/// Puts a file in place whole: who reads it meanwhile, such as a running
/// server, sees what was there before or what comes now.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that nobody takes it for a part of the business; and of this
    // process, so that two that write at once do not mix.
    let new = path.with_file_name(format!(".{name}.{}.new~", std::process::id()));
    let written = std::fs::File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&new, path));
    if placed.is_err() {
        // What matters is the first error.
        let _ = std::fs::remove_file(&new);
    }
    placed
}

/// The lock and the keys of a folder, and whether its plugins keep to them. A
/// step whose plugin does not is not sound, so that nobody runs it.
pub(super) fn check(found: &mut Found) {
    let trust = found.business.as_ref().map(|business| business.plugins.clone());
    let trust = trust.unwrap_or_default();
    let keys = keys(found, &trust);
    match Lock::read(&found.path) {
        Ok(lock) => found.lock = lock,
        Err(problems) => {
            // Nothing is known of what may run.
            found.problems.extend(problems);
            for chain in found.chains.values_mut() {
                for (step, sound) in chain.config.steps.iter().zip(&mut chain.sound) {
                    *sound &= step.plugin_file().is_none();
                }
            }
            return;
        }
    }
    let mut digests = BTreeMap::new();
    let mut problems = Vec::new();
    for chain in found.chains.values_mut() {
        let steps = chain.config.steps.iter().zip(&mut chain.sound).enumerate();
        for (index, (step, sound)) in steps {
            let Some(file) = step.plugin_file() else { continue };
            let place = Place { document: &chain.document, index, file };
            let pin = found.lock.of_file(file);
            let problem = match pin {
                Some(pin) => place.keeps_to(pin, &found.path, &keys, trust.keys.len(), || {
                    digests.entry(pin.name.clone()).or_insert_with(|| {
                        std::fs::read(found.path.join(file)).map(|bytes| digest(&bytes)).ok()
                    })
                }),
                None if trust.require_lock && *sound => Some(place.not_locked()),
                None => None,
            };
            if let Some(problem) = problem {
                *sound = false;
                problems.push(problem);
            }
        }
    }
    // That a file is missing is said once, with how to get it.
    let told = |problem: &Problem| {
        problems.iter().any(|ours: &Problem| ours.file == problem.file && ours.key == problem.key)
    };
    found.problems.retain(|problem| !told(problem));
    found.problems.extend(problems);
}

/// The trusted keys; what is wrong with them is a problem.
fn keys(found: &mut Found, trust: &Trust) -> Vec<PublicKey> {
    let mut keys = Vec::new();
    for (index, file) in trust.keys.iter().enumerate() {
        match PublicKey::read(&found.path.join(file)) {
            Ok(key) => keys.push(key),
            Err(why) => {
                let pointer = format!("/plugins/keys/{index}");
                let message = format!("`{file}` {why}");
                let problem = match &found.document {
                    Some(document) => document.problem(&pointer, message),
                    None => Problem::of_file(BUSINESS_FILE, message),
                };
                found.problems.push(problem);
            }
        }
    }
    keys
}

/// Where a step names a plugin's file.
struct Place<'a> {
    document: &'a Document,
    index: usize,
    file: &'a str,
}

impl Place<'_> {
    fn problem(&self, message: String) -> Problem {
        self.document.problem(&format!("/step/{}/plugin", self.index), message)
    }

    fn not_locked(&self) -> Problem {
        self.problem(format!(
            "`{}` is not in {LOCK_FILE}, and `plugins.require_lock` asks for it: fetch it with \
             `switchboard plugin add`",
            self.file
        ))
    }

    /// `trusted` counts the keys that are configured, readable or not.
    fn keeps_to<'d>(
        &self,
        pin: &Pin,
        folder: &Path,
        keys: &[PublicKey],
        trusted: usize,
        digest: impl FnOnce() -> &'d mut Option<String>,
    ) -> Option<Problem> {
        let file = self.file;
        if !folder.join(file).exists() {
            return Some(self.problem(format!(
                "`{file}` is named in {LOCK_FILE} and is not here: \
                 `switchboard plugin add --restore --to {}` fetches it",
                folder.display()
            )));
        }
        // What can't be read is told by others.
        let there = digest().clone()?;
        if there != pin.digest {
            return Some(self.problem(format!(
                "`{file}` is not the file that {LOCK_FILE} names: expected {}, and it is {there}; \
                 to take another version, `switchboard plugin add … --update`; to go on with the \
                 file as it is, remove its entry from {LOCK_FILE}",
                pin.digest
            )));
        }
        let trusts = |by: &String| keys.iter().any(|key| key.fingerprint == *by);
        if trusted == 0 || pin.signed_by.as_ref().is_some_and(trusts) {
            return None;
        }
        let says = match &pin.signed_by {
            Some(by) => format!("was signed by the key {by}, which `plugins.keys` does not name"),
            None => "was added without a signature, and `plugins.keys` asks for one".into(),
        };
        Some(self.problem(format!(
            "`{file}` {says}: fetch it again with `switchboard plugin add … --update`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(name: &str) -> Pin {
        Pin {
            name: name.into(),
            source: "oci://registry.example/acme/loyalty:1.4".into(),
            version: "1.4.0".into(),
            digest: digest(name.as_bytes()),
            manifest: None,
            signed_by: None,
        }
    }

    #[test]
    fn the_same_pins_make_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let lock = |names: &[&str]| {
            let pins = names.iter().map(|name| ((*name).into(), pin(name))).collect();
            let lock = Lock { pins };
            lock.write(folder.path()).unwrap();
            assert_eq!(Lock::read(folder.path()).unwrap(), lock);
            std::fs::read_to_string(folder.path().join(LOCK_FILE)).unwrap()
        };
        assert_eq!(lock(&["b", "a"]), lock(&["a", "b"]));
        assert!(lock(&["a"]).starts_with("# "));
        // Nothing is left beside it.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_found_however_the_step_writes_it() {
        let lock = Lock { pins: [("a".into(), pin("a"))].into() };
        assert!(lock.of_file("plugins/a.wasm").is_some());
        assert!(lock.of_file("./plugins/./a.wasm").is_some());
        assert!(lock.of_file("plugins/b.wasm").is_none());
        assert!(lock.of_file("a.wasm").is_none());
    }

    #[test]
    fn a_wrong_lock_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            std::fs::write(folder.path().join(LOCK_FILE), text).unwrap();
            super::super::list(&Lock::read(folder.path()).unwrap_err())
        };
        let good = "version = 1\n[[plugin]]\nname = \"a\"\nsource = \"s\"\nversion = \"1\"\n";
        assert!(told("version = 2").contains("the form 2"));
        assert!(told("version = 1\nx = 1").starts_with("plugins.lock:2: unknown field"));
        let text = told(&format!("{good}digest = \"sha256:12\""));
        assert!(text.starts_with("plugins.lock: plugin[0].digest: is not `sha256:`"), "{text}");
        let text = told(&good.replace("\"a\"", "\"../a\"").replace("source", "digest='x'\nsource"));
        assert!(text.contains("plugin[0].name: is no plugin's name: small letters"), "{text}");
    }
}
