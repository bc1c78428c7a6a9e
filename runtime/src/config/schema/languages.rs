//! Texts in several languages, of which one lacks a language that others have:
//! nothing is wrong with it, and somebody reads another language there.

use super::{PROBLEMS, Schema};
use crate::config::{Document, Problem};
use serde_json::Value;
use std::collections::BTreeSet;

/// The keyword with which a schema says of a table that it holds a text in
/// several languages, each under its tag.
const LANGUAGES: &str = "x-languages";

impl Schema {
    /// What is likely to be an oversight, in the order of the lines. The
    /// document keeps to the schema.
    pub fn remarks(&self, document: &Document) -> Vec<Problem> {
        let tables = self.tables(document);
        let all: BTreeSet<&str> = tables.iter().flat_map(|(_, tags)| tags).copied().collect();
        let remark = |(place, tags): &(String, BTreeSet<&str>)| {
            let lacks: Vec<String> = all.difference(tags).map(|tag| format!("`{tag}`")).collect();
            let message = format!("lacks {}, in which other texts are", lacks.join(", "));
            (!lacks.is_empty()).then(|| document.problem(place, message))
        };
        let mut remarks: Vec<Problem> = tables.iter().filter_map(remark).collect();
        remarks.sort_by_key(|remark| remark.line);
        remarks.truncate(PROBLEMS);
        remarks
    }

    /// Where the document has a text in several languages, and in which: all
    /// that would be wrong if none were allowed.
    fn tables<'a>(&self, document: &'a Document) -> Vec<(String, BTreeSet<&'a str>)> {
        let bare = without(&self.root);
        if bare == self.root {
            return Vec::new();
        }
        let Ok(bare) = Self::parse(bare) else { return Vec::new() };
        let places = bare.validator.iter_errors(document.value());
        let places: BTreeSet<String> = places.map(|it| it.instance_path().to_string()).collect();
        let table = |place: String| {
            let tags = document.value().pointer(&place)?.as_object()?;
            Some((place, tags.keys().map(String::as_str).collect()))
        };
        places.into_iter().filter_map(table).collect()
    }
}

/// The schema with nothing in the place of such tables.
fn without(schema: &Value) -> Value {
    match schema {
        Value::Object(table) if table.get(LANGUAGES) == Some(&Value::Bool(true)) => {
            Value::Bool(false)
        }
        Value::Object(table) => {
            table.iter().map(|(key, part)| (key.clone(), without(part))).collect()
        }
        Value::Array(items) => items.iter().map(without).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    fn remarks(text: &str) -> Vec<String> {
        let schema = json!({
            "properties": {
                "greeting": {"$ref": "#/$defs/text"},
                "answer": {"items": {"properties": {"say": {"$ref": "#/$defs/text"}}}},
                "more": {"type": "object"}
            },
            "$defs": {"text": {"anyOf": [
                {"type": "string"},
                {"type": "object", "x-languages": true, "additionalProperties": {"type": "string"}}
            ]}}
        });
        let document = Document::parse(Path::new("rules/r.toml"), text).unwrap();
        let schema = Schema::parse(schema).unwrap();
        assert_eq!(schema.check(&document), []);
        schema.remarks(&document).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_language_that_others_have_is_missed() {
        let text = "greeting = { en = \"Hi\", zh = \"你好\" }\n[[answer]]\nsay.en = \"Yes\"\n\
            [[answer]]\nsay = \"No\"\n[[answer]]\nsay = { zh = \"好\", de = \"Ja\", en = \"Yes\" }\n";
        assert_eq!(
            remarks(text),
            [
                "rules/r.toml:1: greeting: lacks `de`, in which other texts are",
                "rules/r.toml:3: answer[0].say: lacks `de`, `zh`, in which other texts are",
            ]
        );
        let same = "greeting.en = \"Hi\"\nmore = { a = 1 }\n[[answer]]\nsay.en = \"Yes\"\n";
        assert_eq!(remarks(same), [""; 0]);
        assert_eq!(remarks("greeting = \"Hi\"\n"), [""; 0]);
    }
}
