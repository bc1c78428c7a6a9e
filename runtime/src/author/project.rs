//! `plugin.toml`: the name, the language and the cases of a plugin's project.

use super::{BuildError, files};
use crate::config::{PLUGIN_NAME, is_plugin_name};
use serde::Deserialize;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// A folder with a plugin's source.
#[derive(Clone, Debug)]
pub struct Project {
    pub folder: PathBuf,
    /// The component is `build/<name>.wasm`.
    pub name: String,
    pub language: Language,
    /// The folder of its cases; it need not be there.
    pub cases: PathBuf,
}

/// What a plugin can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Rust,
    Typescript,
    Python,
    Go,
    C,
}

impl Language {
    pub const ALL: [Self; 5] = [Self::Rust, Self::Typescript, Self::Python, Self::Go, Self::C];

    /// As in `plugin.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Typescript => "typescript",
            Self::Python => "python",
            Self::Go => "go",
            Self::C => "c",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const FILE: &str = "plugin.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    language: Language,
    #[serde(default = "cases")]
    cases: PathBuf,
}

fn cases() -> PathBuf {
    "cases".into()
}

impl Project {
    /// Reads the project file of a folder.
    pub fn read(folder: &Path) -> Result<Self, BuildError> {
        let file = folder.join(FILE);
        let wrong = |reason: String| BuildError::Project { file: file.clone(), reason };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(wrong(
                    "is not there; it names the plugin and its language: \
                     name = \"loyalty\", language = \"python\""
                        .into(),
                ));
            }
            Err(error) => return Err(wrong(format!("can't be read: {error}"))),
        };
        let raw: Raw =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().into()))?;
        if !is_plugin_name(&raw.name) {
            let reason = format!("name: `{}` is no plugin's name: {PLUGIN_NAME}", raw.name);
            return Err(wrong(reason));
        }
        // Tools run inside the folder and are given paths into it.
        let folder = fs::canonicalize(folder).map_err(files::trouble(folder))?;
        let cases = folder.join(raw.cases);
        Ok(Self { folder, name: raw.name, language: raw.language, cases })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Project, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Project::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_project_names_itself_and_its_language() {
        let project = read("name = 'my-points'\nlanguage = 'go'").unwrap();
        assert_eq!((project.name.as_str(), project.language), ("my-points", Language::Go));
        assert_eq!(project.cases, project.folder.join("cases"));
        let project = read("name = 'a'\nlanguage = 'c'\ncases = '../x'").unwrap();
        assert!(project.cases.ends_with("../x"));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_allowed() {
        let told = read("name = 'a'\nlanguage = 'cobol'").unwrap_err();
        for word in ["plugin.toml", "cobol", "rust", "typescript", "python", "`go`", "`c`"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        for name in ["", "A", "a--b", "a b", "../a"] {
            let told = read(&format!("name = '{name}'\nlanguage = 'c'")).unwrap_err();
            assert!(told.contains("small letters"), "{told}");
        }
        assert!(read("name = 'a'\nlanguage = 'c'\ncolour = 1").unwrap_err().contains("colour"));
        let empty = tempfile::tempdir().unwrap();
        let told = Project::read(empty.path()).unwrap_err().to_string();
        assert!(told.contains("is not there"), "{told}");
    }

    #[test]
    fn each_language_is_written_as_it_is_named() {
        for language in Language::ALL {
            let text = format!("name = 'a'\nlanguage = '{language}'");
            assert_eq!(read(&text).unwrap().language, language);
        }
    }
}
