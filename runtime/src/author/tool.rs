//! Running the tools of others: what they are given, what is shown of what
//! they say, and what is said where one is missing.

use crate::config::Env;
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{tool} is needed {purpose} and is not installed; {advice}")]
    MissingTool { tool: &'static str, purpose: String, advice: &'static str },
    #[error("{}: {reason}", file.display())]
    Project { file: PathBuf, reason: String },
    #[error("{what} failed:\n{output}")]
    Failed { what: String, output: String },
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("what {language} has built does not make a plugin: {reason}")]
    NotAPlugin { language: super::Language, reason: String },
    #[error(transparent)]
    Cases(#[from] crate::cases::CaseError),
    #[error("there is no place for toolchains: set SWITCHBOARD_TOOLCHAINS to a folder")]
    NoPlace,
    #[error("the contract that is part of this program can't be read: {0}")]
    Contract(String),
}

/// A tool that the machine must have.
#[derive(Clone, Copy)]
pub(super) struct Needed {
    pub program: &'static str,
    /// `install Python 3.10 or later (https://…)`.
    pub advice: &'static str,
}

pub(super) const PYTHON: Needed = Needed {
    program: "python3",
    advice: "install Python 3.10 or later with pip (https://www.python.org, or your system's \
             packages python3 and python3-pip)",
};
pub(super) const NPM: Needed = Needed {
    program: "npm",
    advice: "install Node.js 20 or later, which brings npm (https://nodejs.org)",
};
pub(super) const NODE: Needed =
    Needed { program: "node", advice: "install Node.js 20 or later (https://nodejs.org)" };
pub(super) const CARGO: Needed =
    Needed { program: "cargo", advice: "install Rust with rustup (https://rustup.rs)" };
pub(super) const RUSTC: Needed = Needed { program: "rustc", advice: CARGO.advice };
pub(super) const RUSTUP: Needed = Needed {
    program: "rustup",
    advice: "install it (https://rustup.rs), or add the target wasm32-wasip2 to your Rust in the \
             way it was installed",
};

/// A command that is about to run. Its environment is the one we were given.
pub(super) struct Tool {
    command: Command,
    needed: Option<(Needed, String)>,
    what: String,
}

impl Tool {
    /// One that the machine must have, with what it is needed for.
    pub fn needed(needed: Needed, purpose: &str, env: &Env) -> Self {
        let mut tool = Self::at(Path::new(needed.program), env);
        tool.needed = Some((needed, purpose.into()));
        tool
    }

    /// One of a toolchain that was fetched.
    pub fn at(program: &Path, env: &Env) -> Self {
        let mut command = Command::new(program);
        command.env_clear().envs(env.iter().filter(|(name, _)| !disturbs(name)));
        command.stdin(Stdio::null());
        let name = program.file_name().unwrap_or(program.as_os_str());
        Self { command, needed: None, what: name.to_string_lossy().into_owned() }
    }

    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    pub fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What to call it when it fails: `type-checking with tsc`.
    pub fn called(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// Runs it to its end. What it wrote to stdout; what it says when it fails
    /// is in the error, and what it warns of otherwise is dropped.
    pub fn run(mut self) -> Result<String, BuildError> {
        let output = match (self.command.output(), self.needed) {
            (Ok(output), _) => output,
            (Err(error), Some((needed, purpose))) if error.kind() == io::ErrorKind::NotFound => {
                let (tool, advice) = (needed.program, needed.advice);
                return Err(BuildError::MissingTool { tool, purpose, advice });
            }
            (Err(error), _) => {
                return Err(BuildError::Failed { what: self.what, output: error.to_string() });
            }
        };
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            return Ok(said.into_owned());
        }
        let words = [said.trim(), complained.trim()];
        let mut words: Vec<&str> = words.into_iter().filter(|words| !words.is_empty()).collect();
        let ended = output.status.to_string();
        if words.is_empty() {
            words.push(&ended);
        }
        Err(BuildError::Failed { what: self.what, output: words.join("\n") })
    }
}

/// Whether a variable is about a build that we may be running in, and would
/// change this one.
fn disturbs(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
        "OUT_DIR",
        "LD_LIBRARY_PATH",
    ];
    const STARTS: [&str; 9] = [
        "CARGO_BIN_",
        "CARGO_BUILD_TARGET",
        "CARGO_CFG_",
        "CARGO_CRATE_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
    ];
    // Of other languages' builds: what a shell has set for another project.
    const OTHERS: [&str; 4] = ["GOOS", "GOARCH", "GOFLAGS", "PYTHONPATH"];
    NAMES.contains(&name)
        || OTHERS.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_told_from_one_that_fails() {
        let nowhere = Env::from([("PATH", "/nonexistent")]);
        let error = Tool::needed(PYTHON, "to fetch x", &nowhere).arg("-V").run().unwrap_err();
        assert!(matches!(error, BuildError::MissingTool { tool: "python3", .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("to fetch x") && told.contains("install Python"), "{told}");

        let env = Env::from([("PATH", "/bin:/usr/bin")]);
        let shell = |script: &str| Tool::at(Path::new("sh"), &env).args(["-c", script]).run();
        assert_eq!(shell("echo hi; echo warned >&2").unwrap(), "hi\n");
        let told = shell("echo out; echo err >&2; exit 3").unwrap_err().to_string();
        assert_eq!(told, "sh failed:\nout\nerr");
        assert!(shell("exit 3").unwrap_err().to_string().contains("exit status: 3"));
    }
}
