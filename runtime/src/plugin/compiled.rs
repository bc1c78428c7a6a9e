//! Compiled code on disk, so that a restart compiles nothing.
//!
//! One file per component and engine, named by the hashes of both, with a
//! checksum of its content within. What is damaged or of another version is
//! compiled again.

use sha2::{Digest, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};
use wasmtime::{Engine, component::Component};

/// The first bytes of a file: what it is, and the version of this form.
const MAGIC: &[u8; 8] = b"swbcwsm1";
const CHECKSUM: usize = 32;

/// The SHA-256 of a component's bytes.
pub type ComponentHash = [u8; 32];

pub fn hash(bytes: &[u8]) -> ComponentHash {
    Sha256::digest(bytes).into()
}

/// A folder that the host alone writes.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, readable by the owner alone.
    pub fn new(path: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self(path))
    }

    fn file(&self, engine: &Engine, hash: &ComponentHash) -> PathBuf {
        let mut compatibility = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut compatibility);
        self.0.join(format!("{}-{:016x}.cwasm", hex::encode(hash), compatibility.finish()))
    }

    /// The compiled component, if there is an undamaged one.
    pub fn load(&self, engine: &Engine, hash: &ComponentHash) -> Option<Component> {
        let path = self.file(engine, hash);
        let file = fs::read(&path).ok()?;
        let Some(code) = intact(&file) else {
            tracing::warn!(path = %path.display(), "compiled plugin is damaged: compiling again");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled plugin does not fit");
                None
            }
        }
    }

    /// Keeps a compiled component. Failing costs only time at the next start.
    pub fn keep(&self, engine: &Engine, hash: &ComponentHash, component: &Component) {
        let path = self.file(engine, hash);
        if let Err(error) = write(&path, component) {
            tracing::warn!(path = %path.display(), %error, "compiled plugin could not be kept");
        }
    }
}

fn intact(file: &[u8]) -> Option<&[u8]> {
    let (checksum, code) = file.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
    (Sha256::digest(code).as_slice() == checksum).then_some(code)
}

/// Under another name first, so that nobody reads half a file.
fn write(path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&Sha256::digest(&code));
    file.extend_from_slice(&code);
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, file)?;
    Ok(fs::rename(&temporary, path)?)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` runs whatever machine code it is given, so the
    // bytes must be what `Component::serialize` wrote. They come from a file
    // that `keep` wrote in a folder which only this program's user can write;
    // their checksum shows that they were not damaged since; the file's name
    // holds the component's hash and the engine's compatibility hash, and
    // wasmtime itself refuses code of another version or configuration. Who
    // can write there as this user can replace the program as well.
    unsafe { Component::deserialize(engine, code) }
}
