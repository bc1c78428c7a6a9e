//! Puts a plugin into a business folder while its author works on it: the
//! component, and a step for it where no chain names it yet. The folder's own
//! text stays as it is.

use crate::config::write_whole;
use std::{
    fs,
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

/// What was done, in the folder's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// `plugins/loyalty.wasm`.
    pub plugin: String,
    /// The chain that a step was added to; none if one was there.
    pub added_to: Option<PathBuf>,
}

/// Copies a component to `plugins/<name>.wasm` of the business folder, whole
/// or not at all, and makes sure that `chains/<chain>.toml` has a step for it:
/// before the one with `faq`, which has an answer for everything, else before
/// the last. Error: the folder or the chain is not there or can't be
/// written.
pub fn place(component: &Path, business: &Path, name: &str, chain: &str) -> Result<Placed> {
    let plugin = format!("plugins/{name}.wasm");
    let chains = business.join("chains");
    let named = chain_files(&chains)?.iter().any(|text| text.contains(&format!("\"{plugin}\"")));
    let file = chains.join(format!("{chain}.toml"));
    let text = match named {
        true => None,
        false => Some(fs::read_to_string(&file).map_err(|error| told(&file, &error))?),
    };
    // The component first: a step without its file would be a problem.
    let place = business.join(&plugin);
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    replace(&place, &fs::read(component).map_err(|error| told(component, &error))?)?;
    let added_to = match text {
        None => None,
        Some(text) => {
            replace(&file, with_step(&text, name, &plugin).as_bytes())?;
            Some(PathBuf::from(format!("chains/{chain}.toml")))
        }
    };
    Ok(Placed { plugin, added_to })
}

fn chain_files(chains: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(chains).map_err(|error| told(chains, &error))?;
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| fs::read_to_string(&path).map_err(|error| told(&path, &error)))
        .collect()
}

/// The text with a step before the one that answers everything and its comment.
fn with_step(text: &str, name: &str, plugin: &str) -> String {
    let step = format!("[[step]]\nname = \"{name}\"\nplugin = \"{plugin}\"\n\n");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let faq = lines.iter().position(|line| line.trim() == "plugin = \"faq\"");
    let begun = lines.iter().take(faq.unwrap_or(lines.len()));
    let place = begun.rev().position(|line| line.trim() == "[[step]]");
    let Some(place) = place.map(|back| faq.unwrap_or(lines.len()) - 1 - back) else {
        return format!("{text}\n{step}");
    };
    let comment = lines.iter().take(place).rev().take_while(|line| line.starts_with('#')).count();
    let (before, after) = lines.split_at(place - comment);
    format!("{}{step}{}", before.concat(), after.concat())
}

fn replace(place: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(place, bytes).map_err(|error| told(place, &error))
}

fn told(path: &Path, error: &Error) -> Error {
    let message = match error.kind() {
        ErrorKind::NotFound => format!("{} is not there", path.display()),
        _ => format!("{}: {error}", path.display()),
    };
    Error::new(error.kind(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_added_before_what_answers_everything() {
        let text = "[[step]]\nplugin = \"a\"\n\n# Answers.\n[[step]]\nplugin = \"faq\"\n\n\
                    [[step]]\nplugin = \"hours\"\n";
        let with = with_step(text, "mine", "plugins/mine.wasm");
        let order: Vec<_> = with.lines().filter(|line| line.starts_with("plugin")).collect();
        let named = ["a", "plugins/mine.wasm", "faq", "hours"];
        assert_eq!(order, named.map(|name| format!("plugin = \"{name}\"")));
        assert!(with.contains("\n\n# Answers.\n[[step]]\nplugin = \"faq\""), "{with}");
    }

    #[test]
    fn a_step_is_added_once_and_before_the_last() {
        let root = tempfile::tempdir().unwrap();
        let shop = root.path();
        fs::create_dir(shop.join("chains")).unwrap();
        let chain = shop.join("chains/default.toml");
        let before = "# All.\n\n[[step]]\nname = \"a\"\n\n# Last.\n[[step]]\nname = \"b\"\n";
        fs::write(&chain, before).unwrap();
        let component = shop.join("new.wasm");
        fs::write(&component, b"component").unwrap();
        let placed = place(&component, shop, "bonus", "default").unwrap();
        assert_eq!(placed.added_to, Some("chains/default.toml".into()));
        let after = "# All.\n\n[[step]]\nname = \"a\"\n\n[[step]]\nname = \"bonus\"\n\
                     plugin = \"plugins/bonus.wasm\"\n\n# Last.\n[[step]]\nname = \"b\"\n";
        assert_eq!(fs::read_to_string(&chain).unwrap(), after);
        assert_eq!(fs::read(shop.join("plugins/bonus.wasm")).unwrap(), b"component");
        let again = place(&component, shop, "bonus", "default").unwrap();
        assert_eq!(again, Placed { plugin: "plugins/bonus.wasm".into(), added_to: None });
        assert_eq!(fs::read_to_string(&chain).unwrap(), after);
        let error = place(&component, shop, "other", "nowhere").unwrap_err().to_string();
        assert!(error.contains("nowhere.toml is not there"), "{error}");
        assert!(!shop.join("plugins/other.wasm").exists());
    }
}
