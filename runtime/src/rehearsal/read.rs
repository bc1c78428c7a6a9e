//! Reads `.chat` files. Every mistake is said with file, line and what was
//! allowed.

mod line;

pub use line::{customer, moment, span};

use super::chat::{Chat, ChatFile, Line, Settings};
use line::Read;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A line that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    pub file: PathBuf,
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

/// Reads a file's text. Settings above the first chat are those of all its
/// chats. Error: every line that can't be read.
pub fn read(path: &Path, text: &str) -> Result<ChatFile, Vec<Unreadable>> {
    let mut reader = Reader::default();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let first = at;
        at += 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let more = continuation(lines.get(at..).unwrap_or_default());
        at += more;
        let below = lines.get(first + 1..at).unwrap_or_default();
        reader.take(first + 1, at, line, below);
    }
    let mut problems = reader.problems;
    if reader.chats.is_empty() && problems.is_empty() {
        problems.push((1, "there is no chat: one begins with `== its title`".into()));
    }
    if problems.is_empty() {
        return Ok(ChatFile { path: path.into(), text: text.into(), chats: reader.chats });
    }
    let file = path.to_owned();
    Err(problems
        .into_iter()
        .map(|(line, message)| Unreadable { file: file.clone(), line, message })
        .collect())
}

/// How many lines belong to the one above: those that are indented, and empty
/// ones between them.
fn continuation(lines: &[&str]) -> usize {
    let mut taken = 0;
    for (index, line) in lines.iter().enumerate() {
        match line {
            line if line.trim().is_empty() => {}
            line if line.starts_with([' ', '\t']) => taken = index + 1,
            _ => break,
        }
    }
    taken
}

#[derive(Default)]
struct Reader {
    common: Settings,
    chats: Vec<Chat>,
    problems: Vec<(usize, String)>,
}

impl Reader {
    fn take(&mut self, first: usize, last: usize, line: &str, below: &[&str]) {
        if let Err(message) = self.try_take(first, last, line, below) {
            self.problems.push((first, message));
        }
    }

    fn try_take(
        &mut self,
        first: usize,
        last: usize,
        line: &str,
        below: &[&str],
    ) -> Result<(), String> {
        if line.starts_with([' ', '\t']) {
            return Err("it is indented, but there is nothing above that it could belong to".into());
        }
        if let Some(title) = line.strip_prefix("==") {
            return self.begin(first, title.trim().trim_end_matches("==").trim());
        }
        let read = line::line(line, below)?;
        let settings = match self.chats.last_mut() {
            Some(chat) => &mut chat.settings,
            None => &mut self.common,
        };
        match read {
            Read::At(at) => settings.at = Some(at),
            Read::Channel(channel) => settings.channel = Some(channel),
            Read::Loosely => settings.loosely = true,
            Read::Customer(customer) => {
                // A chat's own takes the place of the file's.
                settings.customers.retain(|known| known.name != customer.name);
                settings.customers.push(customer);
            }
            Read::Told(told) => {
                let Some(chat) = self.chats.last_mut() else {
                    return Err("it stands above the first chat, where settings alone may stand: \
                                a chat begins with `== its title`"
                        .into());
                };
                chat.lines.push(Line { first, last, told });
                return Ok(());
            }
        }
        match self.chats.last_mut() {
            Some(chat) if !chat.lines.is_empty() => {
                Err("a setting stands above what happens in the chat".into())
            }
            Some(chat) => {
                chat.top = last;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn begin(&mut self, line: usize, title: &str) -> Result<(), String> {
        if title.is_empty() {
            return Err("a chat needs a title: `== Ann asks for the hours`".into());
        }
        if self.chats.iter().any(|chat| chat.title == title) {
            return Err(format!("another chat of this file has the title `{title}`"));
        }
        let (title, settings) = (title.to_owned(), self.common.clone());
        self.chats.push(Chat { title, line, top: line, settings, lines: Vec::new() });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
