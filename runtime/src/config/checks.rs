//! What a schema cannot say: whether values make sense together and whether
//! what they name is there. Reads file names, never file contents.

mod channels;

use super::{
    BUNDLED, Business, ChainConfig, Document, OnError, Problem, Secret, StepConfig, words,
};
use std::{
    net::SocketAddr,
    path::{Component, Path},
};

/// Everything about `switchboard.toml` but the chains it names.
pub(super) fn business(document: &Document, business: &Business) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut push = |pointer: &str, message: Result<(), String>| {
        if let Err(message) = message {
            found.push(document.problem(pointer, message));
        }
    };
    let http = &business.http;
    let public = address(&http.public);
    let admin = address(&http.admin);
    if let (Ok(public), Ok(admin)) = (&public, &admin) {
        let same = public == admin && public.port() != 0;
        let message = "is the same address as `http.public`: each needs a port of its own";
        push("/http/admin", if same { Err(message.into()) } else { Ok(()) });
        let open = !admin.ip().is_loopback() && http.admin_token.is_none();
        let message = format!(
            "is missing, and it is needed because `http.admin` ({admin}) is open to other machines"
        );
        push("/http/admin_token", if open { Err(message) } else { Ok(()) });
    }
    push("/http/public", public.map(|_| ()));
    push("/http/admin", admin.map(|_| ()));
    push("/http/admin_token", http.admin_token.as_ref().map_or(Ok(()), secret));
    push("/store/path", not_blank(&business.store.path));
    push("/zone", zone(&business.zone, &document.quoted("/zone")));
    let all_day = business.policy.quiet.is_some_and(|quiet| quiet.from == quiet.to);
    let message = "begins and ends at the same time: leave it out for no quiet hours";
    push("/policy/quiet", if all_day { Err(message.into()) } else { Ok(()) });
    if business.channels.is_empty() {
        push("/channel", Err("at least one `[[channel]]` is needed".into()));
    }
    found.extend(channels::check(document, &business.channels));
    found.sort_by_key(|problem| problem.line);
    found
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "is not an address: an IP address and a port are needed, such as `127.0.0.1:8080`".into()
    })
}

pub(super) fn zone(name: &str, quoted: &str) -> Result<(), String> {
    if jiff::tz::TimeZone::get(name).is_ok() {
        return Ok(());
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let meant = words::suggestion(name, known.iter().map(String::as_str));
    Err(format!("{quoted} is not an IANA time zone such as `Europe/Berlin`{meant}"))
}

fn not_blank(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}

fn secret(value: &Secret) -> Result<(), String> {
    let text = value.expose();
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) && !text.trim().is_empty() {
        return Err("has a space or a line break in it".into());
    }
    not_blank(text)
}

/// One step of a chain: it can be built if nothing is found.
pub(super) fn step(
    folder: &Path,
    document: &Document,
    index: usize,
    step: &StepConfig,
) -> Vec<Problem> {
    let at = |key: &str| format!("/step/{index}/{key}");
    let mut found = Vec::new();
    if let Err(message) = plugin(folder, step, &document.quoted(&at("plugin"))) {
        found.push(document.problem(&at("plugin"), message));
    }
    if let Some(rules) = &step.rules
        && let Err(message) = inside(folder, rules, &document.quoted(&at("rules")))
    {
        found.push(document.problem(&at("rules"), message));
    }
    let reply = step.error_reply.as_deref().map(str::trim);
    if step.on_error == OnError::Reply && reply.is_none() {
        let message = "is missing, and `on_error = \"reply\"` needs it";
        found.push(document.problem(&at("error_reply"), message));
    }
    if reply == Some("") {
        found.push(document.problem(&at("error_reply"), "is empty"));
    }
    found
}

fn plugin(folder: &Path, step: &StepConfig, quoted: &str) -> Result<(), String> {
    match step.plugin_file() {
        Some(file) if file.ends_with(".wasm") => inside(folder, file, quoted),
        Some(_) => Err(format!("{quoted} must end in `.wasm`")),
        None if BUNDLED.contains(&step.plugin.as_str()) => Ok(()),
        None => Err(format!(
            "{quoted} is not one of the bundled plugins {}{} (a file of your own is named like \
             `plugins/loyalty.wasm`)",
            words::listed(BUNDLED),
            words::suggestion(&step.plugin, BUNDLED),
        )),
    }
}

/// What is odd but does no harm.
pub(super) fn warnings(document: &Document, chain: &ChainConfig) -> Vec<Problem> {
    let mut found = Vec::new();
    if chain.steps.is_empty() {
        found.push(document.problem("", "has no `[[step]]`, so nothing is answered"));
    }
    for (index, step) in chain.steps.iter().enumerate() {
        if step.error_reply.is_some() && step.on_error != OnError::Reply {
            let message = "has no effect without `on_error = \"reply\"`";
            found.push(document.problem(&format!("/step/{index}/error_reply"), message));
        }
    }
    found
}

/// That `file` is a file within `folder`, whatever links are on the way.
pub(super) fn inside(folder: &Path, file: &str, quoted: &str) -> Result<(), String> {
    let path = Path::new(file);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(plain) || file.trim().is_empty() {
        return Err(format!("{quoted} must be a path inside the business folder, without `..`"));
    }
    let real = std::fs::canonicalize(folder.join(path));
    let real = match (real, std::fs::canonicalize(folder)) {
        (Ok(real), Ok(root)) if real.starts_with(&root) => real,
        (Ok(_), Ok(_)) => return Err(format!("{quoted} leads out of the business folder")),
        (Err(error), _) | (_, Err(error)) => {
            let meant = beside(folder, path);
            return Err(format!("{quoted} can't be read: {}{meant}", words::of_io(&error)));
        }
    };
    if real.is_file() { Ok(()) } else { Err(format!("{quoted} is not a file")) }
}

/// The file that was probably meant.
fn beside(folder: &Path, missing: &Path) -> String {
    let parent = missing.parent().unwrap_or(Path::new(""));
    let entries = std::fs::read_dir(folder.join(parent)).into_iter().flatten().flatten();
    let names: Vec<String> = entries
        .filter_map(|entry| parent.join(entry.file_name()).to_str().map(str::to_owned))
        .collect();
    words::suggestion(&missing.to_string_lossy(), names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("shop");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(root.path().join("outside.toml"), "").unwrap();
        std::fs::write(folder.join("inside.toml"), "").unwrap();
        std::os::unix::fs::symlink("../outside.toml", folder.join("link.toml")).unwrap();
        std::os::unix::fs::symlink("inside.toml", folder.join("fine.toml")).unwrap();
        assert!(inside(&folder, "inside.toml", "").is_ok());
        assert!(inside(&folder, "./fine.toml", "").is_ok());
        for bad in ["link.toml", "../outside.toml", "/etc/hostname", "", ".", "none.toml"] {
            assert!(inside(&folder, bad, "").is_err(), "{bad}");
        }
    }
}
