//! What is wrong in a business folder, and where.

use crate::model::plain;
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// One thing that is wrong, in words the owner understands. Shown as
/// `rules/faq.toml:12: answer[2].say: is missing, and it is needed`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// Relative to the folder; `environment` for a variable.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: Option<usize>,
    /// `answer[2].say`, counted from 0; empty for the file as a whole.
    pub key: String,
    pub message: String,
}

impl Problem {
    /// About a file as a whole.
    pub fn of_file(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, key: String::new(), message: message.into() }
    }

    /// About a place in a file that could not be read.
    pub fn at_line(file: impl Into<PathBuf>, line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of_file(file, message) }
    }

    /// About an environment variable.
    pub fn of_variable(variable: &str, message: impl Into<String>) -> Self {
        Self { key: variable.into(), ..Self::of_file("environment", message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        // A plugin may have written it: one line, and nothing for a terminal.
        write!(f, ": {}", plain(&self.message))
    }
}

/// The problems, one a line.
pub fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
