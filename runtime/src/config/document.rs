//! A TOML or JSON file as a value that remembers the line of every key, so
//! that whatever is found wrong later can be shown where it stands.

use super::{Problem, json_lines, words};
use serde_json::{Map, Number, Value};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use toml::de::{DeArray, DeTable, DeValue};

/// The largest file that is read, in bytes: rules are written by people.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A file of the business folder. Places in it go by JSON pointer
/// (`/answer/2/say`). `Debug` shows no values: they may be secret.
#[derive(Clone)]
pub struct Document {
    file: PathBuf,
    value: Value,
    lines: BTreeMap<String, usize>,
    /// What the owner wrote where a value was put in from elsewhere.
    written: BTreeMap<String, String>,
    /// The variables that stand in for keys.
    overridden: BTreeMap<String, String>,
}

impl Document {
    /// Reads `file`, a path relative to `folder`. By its ending: `.toml` or
    /// `.json`.
    pub fn read(folder: &Path, file: &Path) -> Result<Self, Problem> {
        Self::parse(file, &Self::text(folder, file)?)
    }

    /// What stands in `file`, a path relative to `folder`.
    pub(super) fn text(folder: &Path, file: &Path) -> Result<String, Problem> {
        let path = folder.join(file);
        let problem = |message: String| Problem::of_file(file, message);
        let read = || {
            let size = std::fs::metadata(&path)?.len();
            if size > FILE_BYTES { Ok(None) } else { std::fs::read(&path).map(Some) }
        };
        let bytes = read()
            .map_err(|error| problem(format!("can't be read: {}", words::of_io(&error))))?
            .ok_or_else(|| problem(format!("is larger than {FILE_BYTES} bytes")))?;
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(good).filter(|b| **b == b'\n').count();
            let message = "is not UTF-8 text: save the file with the encoding UTF-8";
            Problem::at_line(file, line, message)
        })
    }

    /// As `read`, from a text.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let (value, lines) = match file.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => parse_toml(file, text)?,
            Some("json") => parse_json(file, text)?,
            Some("yaml" | "yml") => {
                let message = "YAML is not supported: write the file as TOML, ending in `.toml`";
                return Err(Problem::of_file(file, message));
            }
            _ => {
                let message = "the name must end in `.toml` or `.json`";
                return Err(Problem::of_file(file, message));
            }
        };
        Ok(Self {
            file: file.into(),
            value,
            lines,
            written: BTreeMap::new(),
            overridden: BTreeMap::new(),
        })
    }

    /// Without a file's text: what a step without rules is configured with.
    pub fn empty(file: &Path) -> Self {
        Self {
            file: file.into(),
            value: Value::Object(Map::new()),
            lines: BTreeMap::new(),
            written: BTreeMap::new(),
            overridden: BTreeMap::new(),
        }
    }

    pub fn file(&self) -> &Path {
        &self.file
    }
    pub fn value(&self) -> &Value {
        &self.value
    }
    pub(super) fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The problem of the value or key at `pointer`, with the line of the
    /// nearest thing that has one.
    pub fn problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        if let Some(variable) = nearest(&self.overridden, pointer) {
            return Problem::of_variable(variable, message);
        }
        Problem {
            file: self.file.clone(),
            line: nearest(&self.lines, pointer).copied(),
            key: self.key(pointer),
            message: message.into(),
        }
    }

    /// `/answer/2/say` as `answer[2].say`.
    pub fn key(&self, pointer: &str) -> String {
        let mut key = String::new();
        let mut here = Some(&self.value);
        for segment in pointer.split('/').skip(1).map(unescape) {
            let index =
                segment.parse::<usize>().ok().filter(|_| !here.is_some_and(Value::is_object));
            match index {
                Some(index) => {
                    key.push_str(&format!("[{index}]"));
                    here = here.and_then(|list| list.get(index));
                }
                None => {
                    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                    let dot = if key.is_empty() { "" } else { "." };
                    let quote = if segment.chars().all(plain) { "" } else { "\"" };
                    key.push_str(&format!("{dot}{quote}{segment}{quote}"));
                    here = here.and_then(|table| table.get(&segment));
                }
            }
        }
        key
    }

    /// The value at `pointer` as it may be quoted in a message: as the owner
    /// wrote it, so that a secret that was put in stays unseen.
    pub fn quoted(&self, pointer: &str) -> String {
        /// More would hide the message.
        const CHARS: usize = 80;
        let value = || match self.value.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let text = match (self.written.get(pointer), nearest(&self.overridden, pointer)) {
            (Some(written), _) => written.clone(),
            (None, Some(_)) => return "the value".into(),
            (None, None) => value(),
        };
        let cut: String = text.chars().take(CHARS).collect();
        let dots = if cut.len() < text.len() { "…" } else { "" };
        format!("`{cut}{dots}`")
    }

    pub(super) fn note_written(&mut self, pointer: &str, written: String) {
        self.written.insert(pointer.into(), written);
    }
    pub(super) fn note_overridden(&mut self, pointer: &str, variable: &str) {
        self.overridden.insert(pointer.into(), variable.into());
    }
    pub(super) fn is_overridden(&self, pointer: &str) -> bool {
        nearest(&self.overridden, pointer).is_some()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("file", &self.file).finish_non_exhaustive()
    }
}

/// What is kept for `pointer` or, failing that, for what it is part of.
fn nearest<'a, T>(map: &'a BTreeMap<String, T>, pointer: &str) -> Option<&'a T> {
    let mut pointer = pointer;
    loop {
        if let Some(found) = map.get(pointer) {
            return Some(found);
        }
        pointer = pointer.rsplit_once('/')?.0;
    }
}

/// `pointer` with one more key.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

pub(super) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

type Parsed = (Value, BTreeMap<String, usize>);

fn parse_json(file: &Path, text: &str) -> Result<Parsed, Problem> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::at_line(file, error.line().max(1), format!("can't be read as JSON: {message}"))
    })?;
    if !value.is_object() {
        return Err(Problem::of_file(file, "must hold an object: `{ … }`"));
    }
    let lines = json_lines::find(text);
    Ok((value, lines))
}

fn parse_toml(file: &Path, text: &str) -> Result<Parsed, Problem> {
    let starts = LineStarts::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let what = words::of_toml(&error, text);
        Problem::at_line(file, starts.line(span.start), format!("can't be read as TOML: {what}"))
    })?;
    let mut reader = TomlReader { file, starts, lines: BTreeMap::new() };
    let value = reader.table(table.get_ref(), "")?;
    Ok((value, reader.lines))
}

/// Byte offsets at which lines begin.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after).collect())
    }
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

struct TomlReader<'a> {
    file: &'a Path,
    starts: LineStarts,
    lines: BTreeMap<String, usize>,
}

impl TomlReader<'_> {
    fn table(&mut self, table: &DeTable<'_>, pointer: &str) -> Result<Value, Problem> {
        let mut object = Map::new();
        for (key, value) in table.iter() {
            let place = child(pointer, key.get_ref());
            self.lines.insert(place.clone(), self.starts.line(key.span().start));
            let value = self.value(value.get_ref(), &place)?;
            object.insert(key.get_ref().to_string(), value);
        }
        Ok(Value::Object(object))
    }

    fn array(&mut self, array: &DeArray<'_>, pointer: &str) -> Result<Value, Problem> {
        let mut values = Vec::with_capacity(array.len());
        for (index, item) in array.iter().enumerate() {
            let place = format!("{pointer}/{index}");
            self.lines.insert(place.clone(), self.starts.line(item.span().start));
            values.push(self.value(item.get_ref(), &place)?);
        }
        Ok(Value::Array(values))
    }

    fn value(&mut self, value: &DeValue<'_>, pointer: &str) -> Result<Value, Problem> {
        let number = match value {
            DeValue::String(text) => return Ok(Value::String(text.to_string())),
            DeValue::Boolean(yes) => return Ok(Value::Bool(*yes)),
            DeValue::Datetime(moment) => return Ok(Value::String(moment.to_string())),
            DeValue::Array(array) => return self.array(array, pointer),
            DeValue::Table(table) => return self.table(table, pointer),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(Number::from)
            }
            DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64),
        };
        number.map(Value::Number).ok_or_else(|| {
            let line = self.lines.get(pointer).copied().unwrap_or(1);
            Problem::at_line(self.file, line, "the number is too large")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> Result<Document, Problem> {
        Document::parse(Path::new("rules/a.toml"), text)
    }

    #[test]
    fn every_key_knows_its_line() {
        let text = "top = 1\n\n[[answer]]\nid = \"a\"\n\n[[answer]]\nid = \"b\"\nask = [\n  \"x\",\n  \
                    \"y\",\n]\nsome.deep = { key = 2 }\n\n[table.inner]\nz = 2026-01-02\n";
        let document = toml(text).unwrap();
        let line = |pointer: &str| document.problem(pointer, "").line;
        for (pointer, expected) in [
            ("/top", 1),
            ("/answer", 3),
            ("/answer/0", 3),
            ("/answer/0/id", 4),
            ("/answer/1", 6),
            ("/answer/1/id", 7),
            ("/answer/1/ask", 8),
            ("/answer/1/ask/0", 9),
            ("/answer/1/ask/1", 10),
            ("/answer/1/some/deep/key", 12),
            ("/table/inner", 14),
            ("/table/inner/z", 15),
            ("/answer/1/none", 6),
        ] {
            assert_eq!(line(pointer), Some(expected), "{pointer}");
        }
        assert_eq!(line("/none"), None);
        assert_eq!(document.value().pointer("/table/inner/z").unwrap(), "2026-01-02");
    }

    #[test]
    fn json_knows_lines_too() {
        let text = "{\n  \"a\": [\n    {\"b\": 1,\n     \"c/d\": \"x \\\" {\"},\n    2\n  ]\n}";
        let document = Document::parse(Path::new("a.json"), text).unwrap();
        let line = |pointer: &str| document.problem(pointer, "").line;
        for (pointer, expected) in
            [("/a", 2), ("/a/0", 3), ("/a/0/b", 3), ("/a/0/c~1d", 4), ("/a/1", 5)]
        {
            assert_eq!(line(pointer), Some(expected), "{pointer}");
        }
        assert_eq!(document.key("/a/0/c~1d"), "a[0].\"c/d\"");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let problem = |text: &str| toml(text).unwrap_err().to_string();
        for (text, expected) in [
            ("a = 1\na = 2", "rules/a.toml:2: can't be read as TOML: `a` is here twice"),
            (
                "[[answer]]\n[answer]",
                "rules/a.toml:2: can't be read as TOML: `answer` is here twice: each item of a list \
                 begins with `[[answer]]`",
            ),
            (
                "\nsay = hello",
                "rules/a.toml:2: can't be read as TOML: text must stand in quotes: \"…\"",
            ),
            ("\n\n[[answer]\n", "rules/a.toml:3: can't be read as TOML: "),
            ("x = nan", "rules/a.toml:1: the number is too large"),
        ] {
            assert!(problem(text).starts_with(expected), "{} / {expected}", problem(text));
        }
        let json = Document::parse(Path::new("a.json"), "{\n\"a\": 1,\n}").unwrap_err();
        assert_eq!(json.to_string(), "a.json:3: can't be read as JSON: trailing comma");
        let yaml = Document::parse(Path::new("a.yaml"), "").unwrap_err();
        assert!(yaml.message.contains("write the file as TOML"));
    }

    #[test]
    fn a_byte_order_mark_is_no_matter() {
        assert!(toml("\u{feff}a = 1").is_ok());
    }
}
