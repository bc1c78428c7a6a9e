//! The lines of the keys of a JSON text that is known to be well formed.

use super::document::child;
use std::collections::BTreeMap;

/// By JSON pointer, counted from 1.
pub(super) fn find(text: &str) -> BTreeMap<String, usize> {
    let mut scan = Scan { rest: text, line: 1, lines: BTreeMap::new() };
    scan.value("");
    scan.lines
}

struct Scan<'a> {
    rest: &'a str,
    line: usize,
    lines: BTreeMap<String, usize>,
}

impl Scan<'_> {
    fn peek(&mut self) -> Option<char> {
        let text = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',', ':']);
        self.advance(self.rest.len() - text.len());
        self.rest.chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    /// The depth is bounded: the JSON reader has been here before.
    fn value(&mut self, pointer: &str) {
        match self.peek() {
            Some('{') => {
                self.advance(1);
                while self.peek().is_some_and(|next| next != '}') {
                    let line = self.line;
                    let place = child(pointer, &self.string());
                    self.lines.insert(place.clone(), line);
                    self.value(&place);
                }
                self.advance(1);
            }
            Some('[') => {
                self.advance(1);
                for index in 0_usize.. {
                    if self.peek().is_none_or(|next| next == ']') {
                        break;
                    }
                    let place = format!("{pointer}/{index}");
                    self.lines.insert(place.clone(), self.line);
                    self.value(&place);
                }
                self.advance(1);
            }
            Some('"') => {
                self.string();
            }
            Some(_) => {
                let end = self.rest.find([',', '}', ']', ' ', '\t', '\r', '\n']);
                self.advance(end.unwrap_or(self.rest.len()).max(1));
            }
            None => {}
        }
    }

    fn string(&mut self) -> String {
        let mut escaped = false;
        let closes = |c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        let end = self.rest.get(1..).and_then(|inner| inner.find(closes));
        let length = end.map_or(self.rest.len(), |end| end + 2);
        let text = self.rest.get(..length).and_then(|token| serde_json::from_str(token).ok());
        self.advance(length);
        text.unwrap_or_default()
    }
}
