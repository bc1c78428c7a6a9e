//! Who we are at a registry: what `docker login` has left. Owns reading
//! docker's `config.json`; must not ask anybody, nor run helper programs.

use crate::config::Env;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// A name and a password. `Debug` shows neither.
#[derive(PartialEq, Eq)]
pub struct Login {
    name: String,
    password: String,
}

impl Login {
    /// The value of an `Authorization` header.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.name, self.password)))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

/// The login for `registry`. Error: why there is none, for the owner.
pub fn find(registry: &str, env: &Env) -> Result<Login, String> {
    let Some(path) = path(env) else {
        return Err("and neither DOCKER_CONFIG nor HOME says where logins are kept".into());
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!(
                "no login is kept for it; `docker login {registry}` or `oras login {registry}` \
                 writes one into {}",
                path.display()
            ));
        }
        Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
    };
    in_file(registry, &text, &path)
}

fn path(env: &Env) -> Option<PathBuf> {
    let folder = match env.get("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env.get("HOME").filter(|home| !home.is_empty())?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

fn in_file(registry: &str, text: &str, path: &Path) -> Result<Login, String> {
    let path = path.display();
    // Without what it holds: that is secret.
    let file: File = serde_json::from_str(text)
        .map_err(|error| format!("{path} is not docker's config.json (line {})", error.line()))?;
    let known = [
        registry.to_owned(),
        format!("https://{registry}"),
        format!("https://{registry}/v1/"),
        format!("https://{registry}/v2/"),
    ];
    let entry = known.iter().find_map(|name| file.auths.get(name));
    if let Some(login) = entry.and_then(Entry::login) {
        return Ok(login);
    }
    let helper = file.helpers.get(registry).or(file.store.as_ref());
    Err(match helper {
        Some(helper) => format!(
            "the login is kept by docker's helper `{helper}`, which is not asked; put it into the \
             `auths` of {path}"
        ),
        None => format!("{path} has no login for it; `docker login {registry}` makes one"),
    })
}

impl Entry {
    fn login(&self) -> Option<Login> {
        if let (Some(name), Some(password)) = (&self.username, &self.password) {
            return Some(Login { name: name.clone(), password: password.clone() });
        }
        let plain = STANDARD.decode(self.auth.as_deref()?.trim()).ok()?;
        let plain = String::from_utf8(plain).ok()?;
        let (name, password) = plain.split_once(':')?;
        Some(Login { name: name.into(), password: password.trim_end_matches('\0').into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found_as_docker_keeps_them() {
        let path = Path::new("config.json");
        let auth = STANDARD.encode("ann:se:cret");
        let ann = Login { name: "ann".into(), password: "se:cret".into() };
        for name in ["r.example:5000", "https://r.example:5000", "https://r.example:5000/v1/"] {
            let text = format!(r#"{{"auths": {{"{name}": {{"auth": "{auth}"}}}}}}"#);
            assert_eq!(in_file("r.example:5000", &text, path).as_ref(), Ok(&ann), "{name}");
            assert!(in_file("r.example", &text, path).unwrap_err().contains("no login for it"));
        }
        let text = r#"{"auths": {"r": {"username": "ann", "password": "se:cret"}}}"#;
        assert_eq!(in_file("r", text, path), Ok(ann));
        let helped = r#"{"auths": {"r": {}}, "credsStore": "desktop"}"#;
        assert!(in_file("r", helped, path).unwrap_err().contains("helper `desktop`"));
        let broken = in_file("r", r#"{"auths": {"r": "secret"}}"#, path).unwrap_err();
        assert!(broken.contains("line 1") && !broken.contains("secret"), "{broken}");
    }

    #[test]
    fn docker_config_goes_before_home() {
        let env = Env::from([("HOME", "/home/ann")]);
        assert_eq!(path(&env), Some("/home/ann/.docker/config.json".into()));
        let env = Env::from([("HOME", "/home/ann"), ("DOCKER_CONFIG", "/etc/d")]);
        assert_eq!(path(&env), Some("/etc/d/config.json".into()));
        assert!(find("r", &Env::default()).unwrap_err().contains("DOCKER_CONFIG"));
    }
}
