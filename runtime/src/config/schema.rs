//! Whether a document has the form that a JSON Schema asks for: our own files'
//! schemas come from the types, a plugin's from the plugin. All that is wrong
//! is found at once and said in plain words.

mod languages;

use super::{
    Document, Problem,
    document::{child, unescape},
    words,
};
use jsonschema::{
    Draft, PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The keyword with which a schema says in words what its `pattern` allows.
const ALLOWED: &str = "x-allowed";
/// How many problems of one file are shown.
const PROBLEMS: usize = 100;

/// A schema, ready to check with.
pub struct Schema {
    root: Value,
    validator: Validator,
}

impl Schema {
    /// The schema of one of our own types.
    pub fn of<T: JsonSchema>() -> Result<Self, String> {
        Self::parse(schemars::schema_for!(T).to_value())
    }

    /// A plugin's schema (draft 2020-12). It cannot reach outside itself.
    /// Error: it is not a valid schema.
    pub fn parse(root: Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .build(&root)
            .map_err(|error| error.to_string())?;
        Ok(Self { root, validator })
    }

    /// Everything that is wrong, in the order of the lines.
    pub fn check(&self, document: &Document) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.validator.iter_errors(document.value()).take(PROBLEMS) {
            self.explain(document, &error, &mut problems);
        }
        problems.sort_by_key(|problem| problem.line);
        problems.dedup();
        problems
    }

    /// The document as a value of the type that the schema is of.
    pub fn read<T: DeserializeOwned>(&self, document: &Document) -> Result<T, Vec<Problem>> {
        let problems = self.check(document);
        if !problems.is_empty() {
            return Err(problems);
        }
        serde_json::from_value(document.value().clone())
            .map_err(|error| vec![document.problem("", error.to_string())])
    }

    /// As `read`, and if something is wrong, the value without the keys that
    /// are, so that the rest can be looked at too. None where it can't be had
    /// without them.
    pub(super) fn read_rest<T: DeserializeOwned>(
        &self,
        document: &Document,
    ) -> (Vec<Problem>, Option<T>) {
        match self.read(document) {
            Ok(value) => (Vec::new(), Some(value)),
            Err(problems) => (problems, serde_json::from_value(self.rest(document)).ok()),
        }
    }

    fn rest(&self, document: &Document) -> Value {
        let mut rest = document.value().clone();
        for error in self.validator.iter_errors(document.value()).take(PROBLEMS) {
            let place = error.instance_path().as_str();
            match error.kind() {
                Kind::AdditionalProperties { unexpected }
                | Kind::UnevaluatedProperties { unexpected } => {
                    unexpected.iter().for_each(|key| remove(&mut rest, &child(place, key)));
                }
                _ => remove(&mut rest, place),
            }
        }
        rest
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// `schema` with its reference followed, and without the `null` that
    /// stands for a key left out.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        /// A chain of references this long is a circle.
        const HOPS: usize = 16;
        let mut schema = schema;
        for _ in 0..HOPS {
            let reference = schema.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|target| target.strip_prefix('#'));
            let choices = schema.get("anyOf").and_then(Value::as_array);
            let real = |choices: &'a Vec<Value>| {
                choices.iter().find(|choice| choice.get("type") != Some(&"null".into()))
            };
            match (target.and_then(|target| self.root.pointer(target)), choices.and_then(real)) {
                (Some(next), _) | (None, Some(next)) => schema = next,
                (None, None) => return schema,
            }
        }
        schema
    }

    fn explain(&self, document: &Document, error: &ValidationError<'_>, out: &mut Vec<Problem>) {
        let place = error.instance_path().as_str();
        let mut push = |pointer: &str, message: String| {
            out.push(document.problem(pointer, message));
        };
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let known = self.keys_beside(error);
                for key in unexpected {
                    push(&child(place, key), words::unknown_key(key, &known));
                }
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                push(&child(place, key), "is missing, and it is needed".into());
            }
            Kind::Type { kind } => push(place, self.wrong_type(document, error, kind)),
            Kind::OneOfMultipleValid { .. } => {
                let forms = self.root.pointer(error.schema_path().as_str());
                let forms = forms.and_then(Value::as_array).into_iter().flatten();
                let keys = forms.filter_map(|form| form.get("required")?.get(0)?.as_str());
                let keys: Vec<&str> =
                    keys.filter(|key| error.instance().get(key).is_some()).collect();
                push(
                    place,
                    match keys.as_slice() {
                        [] => "fits more than one of the forms that are allowed here".into(),
                        keys => format!(
                            "has {}, and only one of them may be there",
                            words::listed(keys.iter().copied())
                        ),
                    },
                );
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.explain_choice(document, error, context, out);
            }
            _ => push(place, self.plain(document, error)),
        }
    }

    /// A value that fits none of several forms: if it was plainly meant as one
    /// of them, what is wrong with that one.
    fn explain_choice(
        &self,
        document: &Document,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        out: &mut Vec<Problem>,
    ) {
        let place = error.instance_path().as_str();
        let names = |error: &ValidationError<'_>| match error.kind() {
            Kind::Constant { expected_value } => vec![quoted(expected_value)],
            Kind::Enum { options } => {
                options.as_array().into_iter().flatten().map(quoted).collect()
            }
            _ => Vec::new(),
        };
        let lacks = |branch: &Vec<ValidationError<'static>>| match branch.as_slice() {
            [only] => match only.kind() {
                Kind::Required { property } => property.as_str().map(|key| format!("`{key}`")),
                _ => None,
            },
            _ => None,
        };
        let lacking: Option<Vec<String>> = context.iter().map(lacks).collect();
        if let Some(keys) = lacking.filter(|keys| keys.len() > 1) {
            return out.push(document.problem(place, format!("needs {}", keys.join(" or "))));
        }
        // Of the value itself: a key inside it belongs to one form alone.
        let here = |error: &&ValidationError<'_>| error.instance_path().as_str() == place;
        let options = context.iter().flatten().filter(here).flat_map(names);
        let options: Vec<String> = options.collect();
        let is_of_other_type = |branch: &&Vec<ValidationError<'static>>| {
            branch.iter().any(|error| {
                matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == place
            })
        };
        let meant: Vec<_> = context.iter().filter(|branch| !is_of_other_type(branch)).collect();
        match meant.as_slice() {
            _ if !options.is_empty() => {
                let message = one_of(&document.quoted(place), &options);
                out.push(document.problem(place, message));
            }
            [branch] => branch.iter().for_each(|error| self.explain(document, error, out)),
            [] if context.len() == 1 || !error.instance().is_null() => {
                let needed = context.iter().flatten().filter_map(|error| match error.kind() {
                    Kind::Type { kind } => Some(words::needed(kind)),
                    _ => None,
                });
                let needed: Vec<String> = needed.filter(|words| !words.is_empty()).collect();
                let is = words::kind(error.instance());
                let message = format!("is {is}, and {} is needed", needed.join(" or "));
                out.push(document.problem(place, message));
            }
            _ => {
                let message = "fits none of the forms that are allowed here".to_owned();
                out.push(document.problem(place, message));
            }
        }
    }

    fn wrong_type(
        &self,
        document: &Document,
        error: &ValidationError<'_>,
        kind: &TypeKind,
    ) -> String {
        let is = words::kind(error.instance());
        let message = format!("is {is}, and {} is needed", words::needed(kind));
        let place = error.instance_path().as_str();
        let items = self.beside(error).and_then(|schema| schema.get("items"));
        let of_tables = items.is_some_and(|items| self.resolve(items).get("properties").is_some());
        match (error.instance().is_object() && of_tables, document.key(place)) {
            (true, key) => format!("{message}: write `[[{key}]]` instead of `[{key}]`"),
            (false, _) => message,
        }
    }

    fn plain(&self, document: &Document, error: &ValidationError<'_>) -> String {
        let place = error.instance_path().as_str();
        let value = document.quoted(place);
        let beside = |keyword: &str| self.beside(error).and_then(|schema| schema.get(keyword));
        match error.kind() {
            Kind::Enum { options } => {
                let names: Vec<_> = options.as_array().into_iter().flatten().map(quoted).collect();
                one_of(&value, &names)
            }
            Kind::Constant { expected_value } => {
                format!("{value} is not {}", quoted(expected_value))
            }
            Kind::Minimum { .. } | Kind::Maximum { .. } => {
                match (beside("minimum"), beside("maximum")) {
                    (Some(low), Some(high)) => {
                        format!("{value} is not between {low} and {high}")
                    }
                    (Some(low), None) => format!("{value} is less than {low}"),
                    (None, Some(high)) => format!("{value} is more than {high}"),
                    (None, None) => format!("{value} is out of range"),
                }
            }
            Kind::ExclusiveMinimum { limit } => format!("{value} is not more than {limit}"),
            Kind::ExclusiveMaximum { limit } => format!("{value} is not less than {limit}"),
            Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } => "is empty".into(),
            Kind::MinLength { limit } => format!("is shorter than {limit} characters"),
            Kind::MaxLength { limit } => {
                let length = error.instance().as_str().map_or(0, |text| text.chars().count());
                format!("has {length} characters, and {limit} are allowed")
            }
            Kind::MinItems { limit } => format!("has fewer than {limit} items"),
            Kind::MaxItems { limit } => {
                let length = error.instance().as_array().map_or(0, Vec::len);
                format!("has {length} items, and {limit} are allowed")
            }
            Kind::UniqueItems => "has an item twice".into(),
            Kind::Pattern { pattern } => match beside(ALLOWED).and_then(Value::as_str) {
                Some(allowed) => format!("{value} must be {allowed}"),
                None => format!("{value} does not fit the pattern `{pattern}`"),
            },
            Kind::Format { format } => format!("{value} is not of the format `{format}`"),
            _ => error.masked_with(value).to_string(),
        }
    }

    /// The schema in which the keyword that failed stands.
    fn beside(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.root.pointer(parent)
    }

    fn keys_beside(&self, error: &ValidationError<'_>) -> Vec<&str> {
        let properties = self.beside(error).and_then(|schema| schema.get("properties"));
        let table = properties.and_then(Value::as_object);
        let mut keys: Vec<&str> =
            table.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys
    }
}

/// Takes a key out of its table. Items of lists stay: the others would move.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(table)) = value.pointer_mut(parent) {
        table.remove(&unescape(key));
    }
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn one_of(value: &str, options: &[String]) -> String {
    let options = options.iter().map(String::as_str);
    let meant = words::suggestion(value.trim_matches('`'), options.clone());
    match options.clone().count() {
        1 => format!("{value} is not allowed; allowed here: {}", words::listed(options)),
        _ => format!("{value} is not one of {}{meant}", words::listed(options)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    fn problems(schema: Value, text: &str) -> Vec<String> {
        let document = Document::parse(Path::new("rules/r.toml"), text).unwrap();
        let problems = Schema::parse(schema).unwrap().check(&document);
        problems.iter().map(Problem::to_string).collect()
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "answer": {"type": "array", "items": {"$ref": "#/$defs/Answer"}},
                "list": {"type": "array", "maxItems": 2, "uniqueItems": true},
                "days": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
                "either": {"anyOf": [
                    {"type": "string"},
                    {"$ref": "#/$defs/Answer"}
                ]},
                "mode": {"oneOf": [{"const": "fast"}, {"const": "slow"}]},
                "code": {"type": "string", "pattern": "^[a-z]+$"},
                "share": {"type": "number", "exclusiveMaximum": 1},
                "when": {"$ref": "#/$defs/When"},
            },
            "$defs": {"Answer": {
                "type": "object",
                "required": ["id", "say"],
                "additionalProperties": false,
                "properties": {
                    "id": {"type": "string", "minLength": 1, "maxLength": 5},
                    "say": {"type": "string"},
                    "rank": {"type": "integer", "minimum": 1, "maximum": 9}
                }
            }, "When": {
                "type": "object",
                "oneOf": [{"required": ["at"]}, {"required": ["every"]}]
            }}
        })
    }

    #[test]
    fn each_kind_of_mistake_is_said_plainly() {
        for (text, expected) in [
            (
                "[[answer]]\nid = \"a\"\nsayy = \"b\"\nsay = \"\"",
                "3: answer[0].sayy: unknown key `sayy`; did you mean `say`? allowed here: id, rank, say",
            ),
            ("[[answer]]\nid = \"a\"", "1: answer[0].say: is missing, and it is needed"),
            (
                "[answer]\nid = \"a\"",
                "1: answer: is a table, and a list is needed: write `[[answer]]` instead of `[answer]`",
            ),
            ("\nlist = [1, 2, 3]", "2: list: has 3 items, and 2 are allowed"),
            ("list = [1, 1]", "1: list: has an item twice"),
            ("days = 0", "1: days: `0` is less than 1"),
            ("days = \"x\"", "1: days: is a string, and a whole number is needed"),
            ("either = 1", "1: either: is a number, and a string or a table is needed"),
            ("[either]\nid = \"x\"", "1: either.say: is missing, and it is needed"),
            ("mode = \"fastt\"", "1: mode: `fastt` is not one of fast, slow; did you mean `fast`?"),
            ("code = \"A1\"", "1: code: `A1` does not fit the pattern `^[a-z]+$`"),
            ("\n[when]", "2: when: needs `at` or `every`"),
            (
                "[when]\nat = 1\nevery = 2",
                "1: when: has at, every, and only one of them may be there",
            ),
            ("share = 1.5", "1: share: `1.5` is not less than 1"),
            (
                "[[answer]]\nid = \"abcdef\"\nsay = \"\"",
                "2: answer[0].id: has 6 characters, and 5 are allowed",
            ),
            ("[[answer]]\nid = \"\"\nsay = \"\"", "2: answer[0].id: is empty"),
            (
                "[[answer]]\nid = \"a\"\nsay = \"\"\nrank = 10",
                "4: answer[0].rank: `10` is not between 1 and 9",
            ),
        ] {
            assert_eq!(problems(schema(), text), [format!("rules/r.toml:{expected}")], "{text}");
        }
    }

    #[test]
    fn all_mistakes_come_at_once_in_order() {
        let text = "zzz = 1\n[[answer]]\nid = 1\n[[answer]]\nsay = true";
        let found = problems(schema(), text);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found.is_sorted_by_key(|line| line.split(':').nth(1).unwrap().to_owned()));
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        assert!(Schema::parse(json!({"type": "strin"})).is_err());
        assert!(Schema::parse(json!({"$ref": "https://example.com/x.json"})).is_err());
        assert!(Schema::parse(json!({"pattern": "("})).is_err());
    }
}
