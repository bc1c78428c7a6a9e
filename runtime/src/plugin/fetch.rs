//! Plugins from elsewhere: registries, web servers, files. Owns getting the
//! bytes, bounded and checked against digests and signatures. Must not write
//! anything, nor run what it gets.

mod credentials;
mod registry;
mod signature;
mod web;

use super::load::COMPONENT_MB;
use crate::config::{Env, PublicKey, digest};
use oci_client::Reference;
use reqwest::Url;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The largest component, in bytes.
const COMPONENT_BYTES: u64 = COMPONENT_MB * 1024 * 1024;
/// The largest detached signature, in bytes: it has about a hundred.
const SIGNATURE_BYTES: u64 = 16 * 1024;

/// Why a plugin was not had, in words for its owner.
#[derive(thiserror::Error, Debug)]
pub enum FetchError {
    #[error("`{what}` {reason}")]
    NoSource { what: String, reason: String },
    #[error("{what} can't be read: {reason}")]
    Unreadable { what: String, reason: String },
    #[error("{what} could not be fetched: {reason}")]
    Unreachable { what: String, reason: String },
    #[error("{what} answered {status}{reason}")]
    Refused { what: String, status: u16, reason: String },
    #[error("{registry} asks who you are: {reason}")]
    NotAuthorized { registry: String, reason: String },
    #[error("{what} is larger than {limit} bytes, which are allowed")]
    TooBig { what: String, limit: u64 },
    #[error("{what} is not what was asked for: expected {expected}, and it is {found}")]
    WrongDigest { what: String, expected: String, found: String },
    #[error("{what} is not a plugin: {reason}")]
    NotAPlugin { what: String, reason: String },
    #[error(
        "{what} is not signed: there is no {looked_for}, and a key is asked for (`plugins.keys`, `--key`)"
    )]
    Unsigned { what: String, looked_for: String },
    #[error(
        "{what} is not signed by a key that is trusted here ({keys}): the signature was made with \
         another key, or what it was made for was changed since"
    )]
    WrongKey { what: String, keys: String },
    #[error("{what} has a signature that was made for something else: {reason}")]
    WrongPayload { what: String, reason: String },
}

impl FetchError {
    /// Whether something was had and turned away, rather than not had.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::TooBig { .. }
            | Self::WrongDigest { .. }
            | Self::NotAPlugin { .. }
            | Self::Unsigned { .. }
            | Self::WrongKey { .. }
            | Self::WrongPayload { .. } => true,
            Self::NoSource { .. }
            | Self::Unreadable { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::NotAuthorized { .. } => false,
        }
    }
}

/// Where a plugin is had from.
#[derive(Clone, Debug)]
pub enum Origin {
    Registry(Reference),
    Web(Url),
    File(PathBuf),
}

impl Origin {
    /// `oci://registry/repository:tag`, `https://…` or a path, which begins at
    /// `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, FetchError> {
        let no = |reason: String| FetchError::NoSource { what: text.into(), reason };
        if let Some(reference) = text.strip_prefix("oci://") {
            let example = "such as `oci://ghcr.io/acme/loyalty:1.4`";
            let reference: Reference = reference
                .parse()
                .map_err(|error| no(format!("is not a reference {example}: {error}")))?;
            if reference.digest().is_some_and(|digest| !crate::config::is_digest(digest)) {
                return Err(no("has a digest that is not `sha256:` and 64 digits".into()));
            }
            return Ok(Self::Registry(reference));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::File(folder.join(text)));
        };
        if !["https", "http"].contains(&scheme) {
            return Err(no(
                "begins neither with `oci://` nor with `https://`, nor is a path".into()
            ));
        }
        let url = Url::parse(text).map_err(|error| no(format!("is not an address: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(no("has a password in it, which would end up in plugins.lock".into()));
        }
        web::may_fetch(&url).map_err(no)?;
        Ok(Self::Web(url))
    }

    /// The same thing, whatever a tag has come to mean since.
    pub fn exactly(&self, manifest: &str) -> Self {
        match self {
            Self::Registry(reference) => {
                Self::Registry(reference.clone_with_digest(manifest.into()))
            }
            Self::Web(url) => Self::Web(url.clone()),
            Self::File(path) => Self::File(path.clone()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "oci://{reference}"),
            Self::Web(url) => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A component as it came.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    /// `sha256:…` of the bytes.
    pub digest: String,
    /// Of the registry's manifest, where it came from one.
    pub manifest: Option<String>,
    /// The fingerprint of the key that signed it; none if none was asked for.
    pub signed_by: Option<String>,
}

/// Gets a component. With `keys`, one of them must have signed it.
pub async fn fetch(origin: &Origin, keys: &[PublicKey], env: &Env) -> Result<Fetched, FetchError> {
    match origin {
        Origin::Registry(reference) => registry::pull(reference, keys, env).await,
        Origin::Web(url) => from_web(url, keys).await,
        Origin::File(path) => from_file(path, keys).await,
    }
}

async fn from_web(url: &Url, keys: &[PublicKey]) -> Result<Fetched, FetchError> {
    let web = web::Web::new(url)?;
    let bytes = web.get(url, &[], COMPONENT_BYTES).await?.success()?.body;
    let mut signed_by = None;
    if !keys.is_empty() {
        let mut beside = url.clone();
        beside.set_path(&format!("{}.sig", url.path()));
        let answer = web.get(&beside, &[], SIGNATURE_BYTES).await?;
        if answer.status == 404 {
            let (what, looked_for) = (url.to_string(), beside.to_string());
            return Err(FetchError::Unsigned { what, looked_for });
        }
        let signature = answer.success()?.body;
        signed_by = Some(signature::detached(url.as_str(), &bytes, &signature, keys)?);
    }
    Ok(Fetched { digest: digest(&bytes), bytes, manifest: None, signed_by })
}

async fn from_file(path: &Path, keys: &[PublicKey]) -> Result<Fetched, FetchError> {
    let bytes = read(path, COMPONENT_BYTES).await?;
    let mut signed_by = None;
    if !keys.is_empty() {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".sig");
        let beside = PathBuf::from(beside);
        let what = path.display().to_string();
        if !beside.exists() {
            let looked_for = beside.display().to_string();
            return Err(FetchError::Unsigned { what, looked_for });
        }
        let signature = read(&beside, SIGNATURE_BYTES).await?;
        signed_by = Some(signature::detached(&what, &bytes, &signature, keys)?);
    }
    Ok(Fetched { digest: digest(&bytes), bytes, manifest: None, signed_by })
}

async fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FetchError> {
    let what = || path.display().to_string();
    let unreadable =
        |error: std::io::Error| FetchError::Unreadable { what: what(), reason: error.to_string() };
    if tokio::fs::metadata(path).await.map_err(unreadable)?.len() > limit {
        return Err(FetchError::TooBig { what: what(), limit });
    }
    tokio::fs::read(path).await.map_err(unreadable)
}

#[cfg(test)]
mod tests;
