//! How much work a plugin's schema for its rules can make. A few lines that
//! refer to each other twice over take longer than anybody waits, and a long
//! chain of references needs more stack than there is; so what a schema comes
//! to is counted before anything is checked with it.

use serde_json::Value;
use std::collections::HashMap;

/// Parts of a schema that may be looked at for one value, references followed.
const STEPS: u64 = 100_000;
/// Parts within parts, references followed.
const DEPTH: u64 = 200;
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
const ANCHORS: [&str; 2] = ["$anchor", "$dynamicAnchor"];

/// Error: why it is too much, or not known how much.
pub fn check(root: &Value) -> Result<(), String> {
    let mut anchors = HashMap::new();
    collect(root, &mut anchors);
    let mut count = Count { root, anchors, known: HashMap::new() };
    let Cost { steps, .. } = count.cost(root, 0)?;
    match steps {
        0..=STEPS => Ok(()),
        _ => Err(format!(
            "its schema for the rules comes to more than {STEPS} parts when its references are \
             followed"
        )),
    }
}

#[derive(Clone, Copy, Default)]
struct Cost {
    steps: u64,
    depth: u64,
}

struct Count<'a> {
    root: &'a Value,
    anchors: HashMap<&'a str, &'a Value>,
    /// By address. None while it is counted: one that refers to itself goes
    /// only as deep as the rules do.
    known: HashMap<*const Value, Option<Cost>>,
}

fn collect<'a>(value: &'a Value, anchors: &mut HashMap<&'a str, &'a Value>) {
    for name in ANCHORS.iter().filter_map(|key| value.get(key)?.as_str()) {
        anchors.insert(name, value);
    }
    parts(value).for_each(|part| collect(part, anchors));
}

fn parts(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Box::new(std::iter::empty())
        }
    }
}

impl<'a> Count<'a> {
    fn cost(&mut self, value: &'a Value, level: u64) -> Result<Cost, String> {
        let deep = || Err(format!("its schema for the rules is more than {DEPTH} parts deep"));
        if level > DEPTH {
            return deep();
        }
        match self.known.get(&std::ptr::from_ref(value)) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Ok(Cost::default()),
            None => self.known.insert(value, None),
        };
        let mut all = Cost { steps: 1, depth: 0 };
        let targets = REFERENCES.iter().filter_map(|key| value.get(key)?.as_str());
        let targets = targets.map(|to| self.target(to)).collect::<Result<Vec<_>, _>>()?;
        for part in parts(value).chain(targets) {
            let cost = self.cost(part, level + 1)?;
            all.steps = all.steps.saturating_add(cost.steps);
            all.depth = all.depth.max(cost.depth);
        }
        all.depth += 1;
        if all.depth > DEPTH {
            return deep();
        }
        self.known.insert(value, Some(all));
        Ok(all)
    }

    fn target(&self, to: &str) -> Result<&'a Value, String> {
        let inside = to.strip_prefix('#');
        let found = inside.and_then(|name| match name.is_empty() || name.starts_with('/') {
            true => self.root.pointer(name),
            false => self.anchors.get(name).copied(),
        });
        found.ok_or_else(|| {
            let to = crate::model::plain_line(to, 64);
            format!("its schema for the rules refers to `{to}`, which is no part of it (`#/…`)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each definition refers to the next as often as `times`.
    fn chain(length: usize, times: usize) -> Value {
        let mut parts = serde_json::Map::new();
        for n in 0..length {
            let next = json!({ "$ref": format!("#/$defs/a{}", n + 1) });
            parts.insert(format!("a{n}"), json!({ "allOf": vec![next; times] }));
        }
        parts.insert(format!("a{length}"), json!({ "type": "string" }));
        json!({ "$defs": parts, "$ref": "#/$defs/a0" })
    }

    #[test]
    fn what_multiplies_is_refused() {
        assert_eq!(check(&chain(8, 2)), Ok(()));
        let error = check(&chain(40, 2)).unwrap_err();
        assert!(error.contains("more than 100000 parts"), "{error}");
        let error = check(&chain(30_000, 1)).unwrap_err();
        assert!(error.contains("200 parts deep"), "{error}");
    }

    #[test]
    fn ordinary_schemas_pass() {
        let tree = json!({ "properties": { "left": { "$ref": "#" }, "right": { "$ref": "#" } } });
        assert_eq!(check(&tree), Ok(()));
        let named = json!({ "$defs": { "a": { "$anchor": "it" } }, "items": { "$ref": "#it" } });
        assert_eq!(check(&named), Ok(()));
        for to in ["https://example.com/x", "#nowhere", "#/none", "other.json"] {
            let error = check(&json!({ "$ref": to })).unwrap_err();
            assert!(error.contains(to), "{error}");
        }
    }
}
