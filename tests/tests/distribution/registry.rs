//! The Docker project's registry server, on this machine.

use super::stage::{Signer, digest, payload_of};
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    manifest::{IMAGE_CONFIG_MEDIA_TYPE, OciDescriptor, OciImageManifest},
    secrets::RegistryAuth,
};
use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::Duration,
};

pub const USER: &str = "ann";
pub const PASSWORD: &str = "opensesame";
/// Of the password, by bcrypt at its lowest cost.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuQbLfdQZSxZ9gjhA5V9o8Tyc6aQRO0Qi";
const SIGNATURE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

pub struct Registry {
    /// `127.0.0.1:PORT`.
    pub address: String,
    auth: RegistryAuth,
    client: Client,
    child: Child,
    _storage: tempfile::TempDir,
}

impl Registry {
    /// One that asks for a login, or not. None, said aloud, where the program
    /// is not installed.
    pub async fn start(login: Option<()>) -> Option<Self> {
        if Command::new("docker-registry").arg("--version").output().is_err() {
            let how = "apt-get install docker-registry";
            assert!(std::env::var_os("CI").is_none(), "there is no docker-registry: {how}");
            eprintln!("SKIPPED: there is no docker-registry here ({how})");
            return None;
        }
        let storage = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let folder = storage.path().display();
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    \
             rootdirectory: {folder}/blobs\nhttp:\n  addr: {address}\n"
        );
        if login.is_some() {
            config += &format!("auth:\n  htpasswd:\n    realm: shop\n    path: {folder}/users\n");
            std::fs::write(storage.path().join("users"), format!("{USER}:{HASHED}\n")).unwrap();
        }
        let file = storage.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let mut serve = Command::new("docker-registry");
        serve.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = serve.spawn().unwrap();
        // For its side effect: the TLS that every client needs to be made.
        switchboard_tests::client();
        let config = ClientConfig { protocol: ClientProtocol::Http, ..Default::default() };
        let auth = match login {
            Some(()) => RegistryAuth::Basic(USER.into(), PASSWORD.into()),
            None => RegistryAuth::Anonymous,
        };
        let client = Client::new(config);
        let registry = Self { address, auth, client, child, _storage: storage };
        registry.wait().await;
        Some(registry)
    }

    async fn wait(&self) {
        for _ in 0..3_000 {
            if tokio::net::TcpStream::connect(&self.address).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("docker-registry did not listen within a minute");
    }

    /// As `wkg oci push` or `oras push` does; returns the source to name.
    pub async fn push(&self, repository: &str, tag: &str, component: &[u8]) -> String {
        self.push_layers(repository, tag, &[("application/wasm", component.to_vec())]).await
    }

    pub async fn push_layers(
        &self,
        repository: &str,
        tag: &str,
        layers: &[(&str, Vec<u8>)],
    ) -> String {
        let source = format!("{}/{repository}:{tag}", self.address);
        let layer =
            |(kind, bytes): &(&str, Vec<u8>)| ImageLayer::new(bytes.clone(), (*kind).into(), None);
        let layers: Vec<_> = layers.iter().map(layer).collect();
        let config =
            Config::new(b"{}".to_vec(), "application/vnd.wasm.config.v0+json".into(), None);
        let reference: Reference = source.parse().unwrap();
        self.client.push(&reference, &layers, config, &self.auth, None).await.unwrap();
        format!("oci://{source}")
    }

    pub async fn manifest_digest(&self, source: &str) -> String {
        let reference: Reference = source.strip_prefix("oci://").unwrap().parse().unwrap();
        self.client.fetch_manifest_digest(&reference, &self.auth).await.unwrap()
    }

    /// Puts a signature of `signed` where cosign puts that of `source`. With
    /// `payload`, that one goes with it instead of what was signed.
    pub async fn sign(&self, source: &str, signed: &str, signer: &Signer, payload: Option<&[u8]>) {
        let manifest = self.manifest_digest(source).await;
        let (name, _) = source.strip_prefix("oci://").unwrap().rsplit_once(':').unwrap();
        let tag = format!("{}.sig", manifest.replace(':', "-"));
        let reference: Reference = format!("{name}:{tag}").parse().unwrap();
        let signature = signer.sign(&payload_of(signed));
        let payload = payload.map_or_else(|| payload_of(signed), <[u8]>::to_vec);
        let annotations =
            BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), signature)]);
        let layers = [ImageLayer::new(payload.clone(), SIGNATURE.into(), None)];
        let config = b"{}".to_vec();
        let manifest = OciImageManifest {
            media_type: Some("application/vnd.oci.image.manifest.v1+json".into()),
            config: descriptor(IMAGE_CONFIG_MEDIA_TYPE, &config, None),
            layers: vec![descriptor(SIGNATURE, &payload, Some(annotations))],
            ..Default::default()
        };
        let config = Config::new(config, IMAGE_CONFIG_MEDIA_TYPE.into(), None);
        let pushed = self.client.push(&reference, &layers, config, &self.auth, Some(manifest));
        pushed.await.unwrap();
    }
}

fn descriptor(
    kind: &str,
    bytes: &[u8],
    annotations: Option<BTreeMap<String, String>>,
) -> OciDescriptor {
    OciDescriptor {
        media_type: kind.into(),
        digest: digest(bytes),
        size: bytes.len() as i64,
        urls: None,
        annotations,
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
