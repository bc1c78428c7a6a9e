//! What `plugin add` says. Whatever comes from a plugin is made harmless for
//! a terminal first.

use super::Before;
use crate::{
    cli::out,
    config::{LOCK_FILE, Pin},
    model::plain,
    plugin::{self, Descriptor, Origin, Want},
};
use std::path::Path;

/// A source as `plugins.lock` keeps it: files relative to the folder where
/// they are in it, else whole, so that it is found from anywhere.
pub(super) fn source(origin: &Origin, written: &str, folder: &Path) -> String {
    match origin {
        Origin::Registry(_) | Origin::Web(_) => written.to_owned(),
        Origin::File(path) => {
            let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let inside = std::fs::canonicalize(folder)
                .ok()
                .and_then(|folder| whole.strip_prefix(folder).ok().map(Path::to_path_buf));
            inside.unwrap_or(whole).to_string_lossy().into_owned()
        }
    }
}

pub(super) fn added(folder: &Path, pin: &Pin, descriptor: &Descriptor, before: Option<&Before>) {
    let Descriptor { name, version, summary, events, wants, .. } = descriptor;
    let was = before.map(|before| format!(" (was {})", plain(&before.version)));
    let was = was.unwrap_or_default();
    out::line(format_args!("{} {}{was}: {}", plain(name), plain(version), plain(summary)));
    out::line(format_args!("  source    {}", plain(&pin.source)));
    out::line(format_args!("  digest    {}", pin.digest));
    if let Some(manifest) = &pin.manifest {
        out::line(format_args!("  manifest  {manifest}"));
    }
    match &pin.signed_by {
        Some(key) => out::line(format_args!("  signed by {key}")),
        None => out::line("  signed by nobody that was asked for (`plugins.keys` is empty)"),
    }
    out::line(format_args!("  handles   {}", events.join(", ")));
    wanted(wants, before);
    let file = pin.file();
    out::line(format_args!("written: {} and {LOCK_FILE}", folder.join(&file).display()));
    if before.is_some() {
        out::line("Steps that name the file run it from their next message on.");
        return;
    }
    out::line("\nPut it into a chain, such as chains/default.toml:\n");
    out::line(step(pin, descriptor));
}

fn wanted(wants: &[Want], before: Option<&Before>) {
    if wants.is_empty() {
        return out::line("It asks for nothing beyond the ordinary.");
    }
    out::line("It asks for:");
    for want in wants {
        let had = match before {
            // Nothing to compare with.
            None => true,
            Some(before) => before
                .descriptor
                .as_ref()
                .is_some_and(|before| before.wants.iter().any(|other| other.name == want.name)),
        };
        let new = if had { "" } else { "NEW: " };
        out::line(format_args!("  {new}{}: {}", plain(&want.name), plain(&want.reason)));
    }
}

/// The lines for a chain. What is asked for is there to be uncommented.
fn step(pin: &Pin, descriptor: &Descriptor) -> String {
    let mut text =
        format!("[[step]]\nname = \"{}\"\nplugin = \"{}\"\n", pin.name, pin.file().display());
    if descriptor.rules_schema.is_some() {
        text += &format!("rules = \"rules/{}.toml\"\n", pin.name);
    }
    if let Some(grants) = plugin::grants_line(&descriptor.wants) {
        text += &format!("# {grants}\n");
    }
    text.trim_end().to_owned()
}
