//! The only place that prints.

use super::Exit;
use crate::{app::Failure, config::Problem};
use anyhow::Context;
use serde::Serialize;
use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
};

/// A line of what was asked for.
pub(super) fn line(text: impl Display) {
    // A reader that went away, such as `head`, is no failure.
    let _ = writeln!(stdout().lock(), "{text}");
}

/// What was asked for as JSON, for programs and for people who look at it.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).context("could not write the JSON");
    line(text.map_err(Failure::Running)?);
    Ok(())
}

/// Problems of the folder, with which a command ends.
pub(super) fn problems(problems: &[Problem]) -> Exit {
    problems.iter().for_each(line);
    Exit::Problems
}

/// A remark that is not part of it.
pub(super) fn remark(text: impl Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// An error with what led to it.
pub(super) fn error(error: &anyhow::Error) {
    remark(format_args!("error: {error}"));
    for cause in error.chain().skip(1) {
        remark(format_args!("  because: {cause}"));
    }
}

/// `1 problem`, `2 problems`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `34 KB`, `18.4 MB`: in units of 1,024, as limits are.
pub(super) fn size(bytes: impl TryInto<u64>) -> String {
    const MB: u64 = 1024 * 1024;
    match bytes.try_into().unwrap_or(u64::MAX) {
        bytes @ 0..MB => format!("{} KB", bytes.div_ceil(1024)),
        bytes => format!("{:.1} MB", bytes as f64 / MB as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_unit() {
        let told = [0_usize, 1, 34_000, 1_048_576, 19_293_798].map(size);
        assert_eq!(told, ["0 KB", "1 KB", "34 KB", "1.0 MB", "18.4 MB"]);
    }
}
