//! A business folder to add plugins to, plugins to add, and who signs them.

use base64::{Engine, engine::general_purpose::STANDARD};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer as _},
    pkcs8::{EncodePublicKey, LineEnding},
};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, process::Command};
use switchboard_tests::{
    server::{Server, binary},
    shop::{NUMBER_ID, Shop, switchboard_toml, text},
};

const NOWHERE: &str = "http://127.0.0.1:9/v26.0";
pub const STEP: &str = "\n[[step]]\nname = \"speechless\"\nplugin = \"plugins/speechless.wasm\"\n";

/// `speechless` 1.0.0.
pub fn first() -> Vec<u8> {
    guest("how:good")
}

/// `speechless` 2.0.0, which asks for `broadcast` and a host.
pub fn second() -> Vec<u8> {
    guest("how:more")
}

fn guest(how: &str) -> Vec<u8> {
    const GUEST: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_SPEECHLESS"));
    let at = GUEST.windows(8).position(|bytes| bytes == b"how:loop").unwrap();
    let mut bytes = GUEST.to_vec();
    bytes[at..at + 8].copy_from_slice(how.as_bytes());
    bytes
}

pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A business whose owner has a home without logins.
pub struct Stage {
    shop: Shop,
    home: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self { shop: Shop::new(NOWHERE), home: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.shop.path(file)
    }

    /// The plugin's, once it is there.
    pub fn file(&self) -> PathBuf {
        self.path("plugins/speechless.wasm")
    }

    pub fn plugin(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    pub fn write(&self, file: &str, text: &str) {
        self.shop.write(file, text);
    }

    pub fn append(&self, file: &str, more: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        self.write(file, &format!("{text}\n{more}"));
    }

    /// `switchboard.toml` with more in it.
    pub fn business(&self, extra: &str) -> String {
        switchboard_toml(NOWHERE, &[("main", NUMBER_ID)], extra)
    }

    /// A file that is not in the business folder.
    pub fn outside(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        text(&path).to_owned()
    }

    pub fn trust(&self, signers: &[&Signer]) {
        let mut names = Vec::new();
        for (index, signer) in signers.iter().enumerate() {
            names.push(format!("keys/{index}.pub"));
            self.write(&names[index], &signer.public());
        }
        self.write("switchboard.toml", &self.business(&format!("[plugins]\nkeys = {names:?}\n")));
    }

    /// What `docker login` writes.
    pub fn login(&self, registry: &str, user: &str, password: &str) {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        let config = serde_json::json!({"auths": {registry: {"auth": auth}}});
        std::fs::create_dir_all(self.home.path().join(".docker")).unwrap();
        std::fs::write(self.home.path().join(".docker/config.json"), config.to_string()).unwrap();
    }

    pub fn lock_text(&self) -> String {
        std::fs::read_to_string(self.path("plugins.lock")).unwrap()
    }

    pub fn lock(&self) -> toml::Table {
        self.lock_text().parse().unwrap()
    }

    /// Exit code, stdout, stderr of `plugin add`.
    pub fn add(&self, arguments: &[&str]) -> (i32, String, String) {
        let to = ["--to", text(&self.shop.folder)];
        self.run(&[&["plugin", "add"], arguments, &to].concat())
    }

    /// `switchboard serve` on the folder.
    pub fn serve(&self) -> Server {
        Server::start(&self.shop)
    }

    pub fn check(&self) -> (i32, String) {
        let (code, said, _) = self.run(&["check", text(&self.shop.folder)]);
        (code, said)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(binary());
        command.args(arguments).env("HOME", self.home.path()).env_remove("DOCKER_CONFIG");
        // A server of the test may run on this thread's runtime.
        let output = match tokio::runtime::Handle::try_current() {
            Ok(_) => tokio::task::block_in_place(|| command.output()),
            Err(_) => command.output(),
        };
        let output = output.unwrap();
        let words = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), words(output.stdout), words(output.stderr))
    }
}

/// Somebody with a key, as `cosign generate-key-pair` makes one.
pub struct Signer(SigningKey);

impl Signer {
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    pub fn public(&self) -> String {
        self.0.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
    }

    pub fn fingerprint(&self) -> String {
        digest(self.0.verifying_key().to_public_key_der().unwrap().as_bytes())
    }

    /// As `cosign sign-blob` writes it.
    pub fn sign(&self, bytes: &[u8]) -> String {
        let signature: DerSignature = self.0.sign(bytes);
        STANDARD.encode(signature.as_bytes())
    }
}

/// What cosign signs for something in a registry.
pub fn payload_of(manifest: &str) -> Vec<u8> {
    let payload = serde_json::json!({
        "critical": {
            "identity": {"docker-reference": "127.0.0.1/acme/speechless"},
            "image": {"docker-manifest-digest": manifest},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}
