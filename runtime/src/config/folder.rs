//! A whole business folder: every file read and checked, every problem kept.

use super::{
    Business, ChainConfig, Document, Env, Http, Lock, Problem, Schema, Trust, calendar, checks,
    lock, overrides, values, words,
};
use crate::{calendar::Calendar, model::Millis};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

/// The file that makes a folder a business.
pub const BUSINESS_FILE: &str = "switchboard.toml";
/// May be left out.
const CALENDAR: &str = "calendar.toml";
const CHAINS: &str = "chains";
const DEFAULT_CHAIN: &str = "default";

/// A chain with where it stands.
#[derive(Clone, Debug)]
pub struct ChainFile {
    pub config: ChainConfig,
    pub document: Document,
    /// For each step whether what it names was found in order.
    pub sound: Vec<bool>,
}

/// The calendar with where it stands.
#[derive(Clone, Debug)]
pub struct CalendarFile {
    pub calendar: Calendar,
    pub document: Document,
}

impl CalendarFile {
    /// Its days that are over.
    pub fn over(&self, now: Millis) -> Vec<Problem> {
        calendar::over(&self.document, &self.calendar, now)
    }

    /// As one that needs no other files, for around `at`.
    pub fn alone(&self, at: Millis) -> Value {
        calendar::alone(&self.document, &self.calendar, at)
    }
}

/// A folder in which everything is in order, as far as it can be said without
/// the plugins.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
    pub business: Business,
    pub document: Document,
    pub calendar: Option<CalendarFile>,
    /// By name; those that a channel uses.
    pub chains: BTreeMap<String, ChainFile>,
    /// By path, as the steps write it.
    pub rules: BTreeMap<String, Document>,
    pub warnings: Vec<Problem>,
}

impl Folder {
    /// Reads and checks `path`. Error: every problem there is.
    pub fn load(path: &Path, env: &Env) -> Result<Self, Vec<Problem>> {
        Found::read(path, env).complete()
    }
}

/// What was found in a folder, sound or not, so that the plugins can be asked
/// about the rest even if something is wrong.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub business: Option<Business>,
    pub document: Option<Document>,
    pub calendar: Option<CalendarFile>,
    pub chains: BTreeMap<String, ChainFile>,
    pub rules: BTreeMap<String, Document>,
    pub lock: Lock,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl Found {
    pub fn read(path: &Path, env: &Env) -> Self {
        let mut found = Self {
            path: path.into(),
            business: None,
            document: None,
            calendar: None,
            chains: BTreeMap::new(),
            rules: BTreeMap::new(),
            lock: Lock::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        found.read_business(env);
        if found.document.is_some() || path.join(BUSINESS_FILE).is_file() {
            found.read_calendar();
            found.read_chains(env);
            found.read_rules();
            lock::check(&mut found);
        }
        found
    }

    pub fn complete(self) -> Result<Folder, Vec<Problem>> {
        match (self.business, self.document) {
            (Some(business), Some(document)) if self.problems.is_empty() => Ok(Folder {
                path: self.path,
                business,
                document,
                calendar: self.calendar,
                chains: self.chains,
                rules: self.rules,
                warnings: self.warnings,
            }),
            _ => Err(self.problems),
        }
    }

    fn read_business(&mut self, env: &Env) {
        match business(&self.path, env) {
            Ok((document, Ok(business))) => {
                self.business = Some(business);
                self.document = Some(document);
            }
            Ok((document, Err(problems))) => {
                self.problems.extend(problems);
                self.document = Some(document);
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn read_calendar(&mut self) {
        if !self.path.join(CALENDAR).exists() {
            return;
        }
        let zone = self.business.as_ref().map_or("UTC", |business| &business.zone);
        let document = match Document::read(&self.path, Path::new(CALENDAR)) {
            Ok(document) => document,
            Err(problem) => return self.problems.push(problem),
        };
        match calendar::read(&document, Some(&self.path), zone) {
            Ok(calendar) => self.calendar = Some(CalendarFile { calendar, document }),
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn read_chains(&mut self, env: &Env) {
        let present = chains_in(&self.path);
        let wanted: Vec<(String, String)> = match &self.document {
            Some(document) => chains_of(document.value()),
            // No telling which are used, so all are looked at.
            None => present.keys().map(|name| (name.clone(), String::new())).collect(),
        };
        for (name, pointer) in wanted {
            if self.chains.contains_key(&name) {
                continue;
            }
            match (present.get(&name), &self.document) {
                (Some(file), _) => self.read_chain(&name, file, env),
                (None, Some(document)) => {
                    let meant = words::suggestion(&name, present.keys().map(String::as_str));
                    let quoted = document.quoted(&pointer);
                    let shown = quoted.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
                    let file = shown.unwrap_or("…");
                    let message = format!("there is no file `{CHAINS}/{file}.toml`{meant}");
                    self.problems.push(document.problem(&pointer, message));
                }
                (None, None) => {}
            }
        }
        if let Some(document) = &self.document {
            let used = chains_of(document.value());
            let idle = present.iter().filter(|(name, _)| !used.iter().any(|(one, _)| one == *name));
            let idle = idle.map(|(_, file)| Problem::of_file(file, "no channel uses this chain"));
            self.warnings.extend(idle);
        }
        self.check_names();
    }

    fn read_chain(&mut self, name: &str, file: &Path, env: &Env) {
        let mut document = match Document::read(&self.path, file) {
            Ok(document) => document,
            Err(problem) => return self.problems.push(problem),
        };
        let unset = values::expand(&mut document, env, &self.path);
        let (wrong, config) = match Schema::of::<ChainConfig>() {
            Ok(schema) => schema.read_rest::<ChainConfig>(&document),
            Err(why) => (vec![document.problem("", why)], None),
        };
        let mut problems = unset;
        problems.extend(wrong.iter().cloned());
        let Some(config) = config else { return self.problems.extend(problems) };
        let mut sound = Vec::new();
        for (index, step) in config.steps.iter().enumerate() {
            // What else would be said of such a step may only follow from it.
            let place = format!("step[{index}]");
            if wrong.iter().any(|problem| problem.key.starts_with(&place)) {
                sound.push(false);
                continue;
            }
            let more = checks::step(&self.path, &document, index, step);
            sound.push(more.is_empty());
            problems.extend(more);
        }
        problems.sort_by_key(|problem| problem.line);
        self.problems.extend(problems);
        self.warnings.extend(checks::warnings(&document, &config));
        self.chains.insert(name.into(), ChainFile { config, document, sound });
    }

    /// Step names are unique in a business.
    fn check_names(&mut self) {
        let mut seen: HashMap<&str, Problem> = HashMap::new();
        for chain in self.chains.values() {
            for (index, step) in chain.config.steps.iter().enumerate() {
                let here = chain.document.problem(&format!("/step/{index}/name"), "");
                if let Some(first) = seen.get(step.name.as_str()) {
                    let line = first.line.map_or_else(String::new, |line| format!(":{line}"));
                    let message = format!(
                        "another step has this name ({}{line}): a name is used once in a \
                         business, because what a step remembers goes by it",
                        first.file.display(),
                    );
                    self.problems.push(Problem { message, ..here });
                } else {
                    seen.insert(&step.name, here);
                }
            }
        }
    }

    fn read_rules(&mut self) {
        for chain in self.chains.values_mut() {
            for (step, sound) in chain.config.steps.iter().zip(&mut chain.sound) {
                let Some(rules) = step.rules.as_deref().filter(|_| *sound) else { continue };
                if self.rules.contains_key(rules) {
                    continue;
                }
                let plain: PathBuf = Path::new(rules).components().collect();
                match Document::read(&self.path, plain.strip_prefix(".").unwrap_or(&plain)) {
                    Ok(document) => {
                        self.rules.insert(rules.into(), document);
                    }
                    Err(problem) => {
                        *sound = false;
                        if !self.problems.contains(&problem) {
                            self.problems.push(problem);
                        }
                    }
                }
            }
        }
    }
}

/// The listeners alone, for a command that only asks the running process: it
/// need not know the tokens of the channels. Error: what is wrong with them.
pub fn load_http(folder: &Path, env: &Env) -> Result<Http, Vec<Problem>> {
    section(folder, env, "http", |business| business.http)
}

/// `[plugins]` alone, in the same way.
pub fn load_trust(folder: &Path, env: &Env) -> Result<Trust, Vec<Problem>> {
    section(folder, env, "plugins", |business| business.plugins)
}

fn section<T: DeserializeOwned + Default>(
    folder: &Path,
    env: &Env,
    name: &str,
    of: impl Fn(Business) -> T,
) -> Result<T, Vec<Problem>> {
    let (document, business) = business(folder, env).map_err(|problem| vec![problem])?;
    let problems = match business {
        Ok(business) => return Ok(of(business)),
        Err(problems) => problems,
    };
    let variable = format!("SWITCHBOARD__{}", name.to_uppercase());
    let is_of_it = |problem: &Problem| {
        problem.key.is_empty()
            || problem.key.split(['.', '[']).next() == Some(name)
            || problem.key.starts_with(&variable)
    };
    let problems: Vec<_> = problems.into_iter().filter(is_of_it).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let written = document.value().get(name).cloned();
    let section = written.map_or_else(|| Ok(T::default()), serde_json::from_value);
    section.map_err(|error| vec![document.problem(&format!("/{name}"), error.to_string())])
}

/// `switchboard.toml` alone, for what must be known before the plugins are
/// loaded.
pub fn load_business(folder: &Path, env: &Env) -> Result<Business, Vec<Problem>> {
    let (_, business) = business(folder, env).map_err(|problem| vec![problem])?;
    business
}

type Checked<T> = Result<T, Vec<Problem>>;

fn business(folder: &Path, env: &Env) -> Result<(Document, Checked<Business>), Problem> {
    if !folder.is_dir() {
        let message = match folder.exists() {
            true => "is a file; the folder is needed in which `switchboard.toml` stands",
            false => "there is no such folder; `switchboard init` makes one",
        };
        return Err(Problem::of_file(folder, message));
    }
    if !folder.join(BUSINESS_FILE).exists() {
        let message = "there is no such file, so this is not a business folder; \
                       `switchboard init` makes one";
        return Err(Problem::of_file(BUSINESS_FILE, message));
    }
    let mut document = Document::read(folder, Path::new(BUSINESS_FILE))?;
    let schema = Schema::of::<Business>().map_err(|why| document.problem("", why))?;
    let mut problems = overrides::apply(&mut document, &schema, env);
    problems.extend(values::expand(&mut document, env, folder));
    let (wrong, business) = schema.read_rest::<Business>(&document);
    problems.extend(wrong);
    if let Some(business) = &business {
        let known = problems.clone();
        let told = |problem: &Problem| {
            known.iter().any(|other| other.key == problem.key && other.line == problem.line)
        };
        let more = checks::business(&document, business);
        problems.extend(more.into_iter().filter(|problem| !told(problem)));
    }
    problems.sort_by_key(|problem| problem.line);
    let business = business.filter(|_| problems.is_empty()).ok_or(problems);
    Ok((document, business))
}

/// The chains that the channels name, each with where it is named.
fn chains_of(business: &Value) -> Vec<(String, String)> {
    let channels = business.get("channel").and_then(Value::as_array);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let channels = channels.into_iter().flatten().enumerate();
    let named = channels.filter_map(|(index, channel)| {
        let name = match channel.get("chain") {
            Some(name) => name.as_str()?,
            None => DEFAULT_CHAIN,
        };
        // Whatever else it holds, the schema has said that it may not.
        let fine = !name.is_empty() && name.chars().all(plain);
        fine.then(|| (name.to_owned(), format!("/channel/{index}/chain")))
    });
    named.collect()
}

/// The chains there are, by name. TOML goes before JSON.
fn chains_in(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(folder.join(CHAINS)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| Path::new(CHAINS).join(entry.file_name())).collect();
    files.sort();
    let chain = |file: PathBuf| {
        let ending = file.extension()?.to_str()?;
        let name = file.file_stem()?.to_str()?.to_owned();
        (["toml", "json"].contains(&ending) && !name.starts_with('.')).then_some((name, file))
    };
    files.into_iter().filter_map(chain).collect()
}
