//! Signatures as cosign makes them with a key. Owns judging them; must not
//! fetch anything.

use super::FetchError;
use crate::{config::PublicKey, model::plain_line};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// What cosign signs for something in a registry, in the form that it calls
/// simple signing.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    manifest: String,
}

const KIND: &str = "cosign container image signature";

/// Judges the base64 text beside a file, as `cosign sign-blob` writes it.
/// Returns the fingerprint of the key that made it.
pub fn detached(
    what: &str,
    bytes: &[u8],
    signature: &[u8],
    keys: &[PublicKey],
) -> Result<String, FetchError> {
    let text = String::from_utf8_lossy(signature);
    signer(&text, bytes, keys).ok_or_else(|| wrong_key(what, keys))
}

/// Judges a payload and its signature: whether a trusted key has signed, and
/// signed this manifest.
pub fn of_manifest(
    what: &str,
    manifest: &str,
    payload: &[u8],
    signature: &str,
    keys: &[PublicKey],
) -> Result<String, FetchError> {
    let by = signer(signature, payload, keys).ok_or_else(|| wrong_key(what, keys))?;
    let wrong = |reason: String| FetchError::WrongPayload { what: what.into(), reason };
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|error| wrong(format!("it signs no digest of a manifest ({error})")))?;
    if payload.critical.kind != KIND {
        return Err(wrong("it is not the signature of something in a registry".into()));
    }
    let signed = payload.critical.image.manifest;
    if signed != manifest {
        let signed = plain_line(&signed, 80);
        return Err(wrong(format!("it signs {signed}, and this is {manifest}")));
    }
    Ok(by)
}

fn signer(signature: &str, bytes: &[u8], keys: &[PublicKey]) -> Option<String> {
    let signature = STANDARD.decode(signature.trim()).ok()?;
    let by = keys.iter().find(|key| key.has_signed(bytes, &signature))?;
    Some(by.fingerprint.clone())
}

fn wrong_key(what: &str, keys: &[PublicKey]) -> FetchError {
    let keys: Vec<&str> = keys.iter().map(|key| key.fingerprint.as_str()).collect();
    FetchError::WrongKey { what: what.into(), keys: keys.join(", ") }
}
