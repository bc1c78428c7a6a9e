//! Public keys that plugins are signed with. Owns reading them and their
//! fingerprints; must not fetch anything.

use super::words;
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The largest file of a key, in bytes: cosign's have 178.
const KEY_BYTES: u64 = 16 * 1024;

/// An ECDSA P-256 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `sha256:…` of its DER form: the same for every way to write the key.
    pub fingerprint: String,
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads a PEM file, as `cosign generate-key-pair` writes it. Error: what
    /// is wrong, for the end of a sentence that names the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let unreadable = |error| format!("can't be read: {}", words::of_io(&error));
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > KEY_BYTES {
            return Err(format!("has {size} bytes, and a key has {KEY_BYTES} at most"));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        if text.contains("PRIVATE KEY") {
            return Err("is a private key: the public one is needed, such as `cosign.pub`".into());
        }
        Self::parse(&text)
    }

    pub fn parse(pem: &str) -> Result<Self, String> {
        let wrong = || {
            "is not a public key that is known here: ECDSA P-256 in PEM is, as \
             `cosign generate-key-pair` makes it"
                .to_owned()
        };
        let key = VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| wrong())?;
        let der = key.to_public_key_der().map_err(|_| wrong())?;
        let fingerprint = format!("sha256:{}", hex::encode(Sha256::digest(der.as_bytes())));
        Ok(Self { fingerprint, key })
    }

    /// Whether this key made `signature` (ASN.1 DER) over `bytes`.
    pub fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature)
            .is_ok_and(|signature| self.key.verify(bytes, &signature).is_ok())
    }
}
