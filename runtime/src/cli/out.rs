//! The only place that prints.

use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
};

/// A line of what was asked for.
pub(super) fn line(text: impl Display) {
    // A reader that went away, such as `head`, is no failure.
    let _ = writeln!(stdout().lock(), "{text}");
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
