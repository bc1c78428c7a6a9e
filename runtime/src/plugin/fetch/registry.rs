//! Plugins in OCI registries, as the Wasm ecosystem keeps them: a manifest
//! with one layer, the component; cosign's signature beside it.
//!
//! The library's names and types, but our own requests: its client reads
//! manifests of any length and follows any redirect.

use super::{
    COMPONENT_BYTES, FetchError, Fetched, credentials, signature,
    web::{Answer, Web, is_loopback, may_follow},
};
use crate::{
    config::{Env, PublicKey, digest, is_digest},
    model::plain,
};
use oci_client::{
    Reference,
    manifest::{OciDescriptor, OciImageManifest, OciManifest},
};
use reqwest::Url;
use serde::Deserialize;

/// What a component's layer is called: by the CNCF's Wasm OCI artifact, by
/// older tools, by hand.
const LAYER_TYPES: [&str; 5] = [
    "application/wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    "application/vnd.bytecodealliance.component.v1+wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
];
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json";
const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// The largest manifest, in bytes, that registries themselves take.
const MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// The largest payload of a signature, in bytes: it has about 250.
const PAYLOAD_BYTES: u64 = 64 * 1024;
/// Signatures of one plugin that are looked at.
const SIGNATURES: usize = 32;
/// The largest answer with a token, in bytes.
const TOKEN_BYTES: u64 = 256 * 1024;

/// Gets the component that `reference` names. With `keys`, one of them must
/// have signed its manifest.
pub async fn pull(
    reference: &Reference,
    keys: &[PublicKey],
    env: &Env,
) -> Result<Fetched, FetchError> {
    let mut session = Session::new(reference, env)?;
    let wanted = reference.digest().or(reference.tag()).unwrap_or("latest");
    let (manifest, manifest_digest) =
        session.manifest(wanted).await?.success().and_then(|answer| {
            let found = checked(&answer, reference.digest())?;
            Ok((session.parse(&answer)?, found))
        })?;
    // Before the component: what nobody has signed is not even fetched.
    let signed_by = match keys {
        [] => None,
        _ => Some(session.signer(&manifest_digest, keys).await?),
    };
    let layer = session.component_layer(&manifest)?;
    let bytes = session.blob(layer, COMPONENT_BYTES).await?;
    Ok(Fetched { digest: digest(&bytes), bytes, manifest: Some(manifest_digest), signed_by })
}

/// The digest of a manifest's bytes, compared with those it is said to have.
fn checked(answer: &Answer, asked: Option<&str>) -> Result<String, FetchError> {
    let found = digest(&answer.body);
    let said = answer.header("docker-content-digest").filter(|said| is_digest(said));
    for expected in [asked, said].into_iter().flatten() {
        if expected != found {
            let (what, expected) = (answer.url.clone(), expected.into());
            return Err(FetchError::WrongDigest { what, expected, found });
        }
    }
    Ok(found)
}

/// Requests about one repository, with what it takes to be let in.
struct Session<'a> {
    what: String,
    registry: &'a str,
    repository: &'a str,
    root: Url,
    web: Web,
    env: &'a Env,
    /// The value of the `Authorization` header, once it was asked for.
    authorization: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Session<'a> {
    fn new(reference: &'a Reference, env: &'a Env) -> Result<Self, FetchError> {
        let registry = reference.resolve_registry();
        let what = format!("oci://{reference}");
        let root = |scheme: &str| {
            Url::parse(&format!("{scheme}://{registry}/v2/")).map_err(|error| {
                let reason = format!("names no registry: {error}");
                FetchError::NoSource { what: what.clone(), reason }
            })
        };
        let mut at = root("https")?;
        if is_loopback(&at) {
            at = root("http")?;
        }
        let web = Web::new(&at)?;
        let repository = reference.repository();
        Ok(Self { what, registry, repository, root: at, web, env, authorization: None })
    }

    fn url(&self, kind: &str, name: &str) -> Result<Url, FetchError> {
        self.root.join(&format!("{}/{kind}/{name}", self.repository)).map_err(|error| {
            FetchError::NoSource { what: self.what.clone(), reason: error.to_string() }
        })
    }

    /// A manifest by tag or digest, whatever is answered.
    async fn manifest(&mut self, name: &str) -> Result<Answer, FetchError> {
        let url = self.url("manifests", name)?;
        self.get(&url, MANIFEST_TYPES, MANIFEST_BYTES).await
    }

    fn parse(&self, answer: &Answer) -> Result<OciImageManifest, FetchError> {
        match serde_json::from_slice(&answer.body) {
            Ok(OciManifest::Image(manifest)) => Ok(manifest),
            Ok(OciManifest::ImageIndex(_)) => Err(self.no_plugin(
                "it is an index of several; name one by its digest, `…@sha256:…`".into(),
            )),
            Err(error) => Err(self.no_plugin(format!("its manifest can't be read ({error})"))),
        }
    }

    fn no_plugin(&self, reason: String) -> FetchError {
        FetchError::NotAPlugin { what: self.what.clone(), reason }
    }

    /// The one layer that is a component.
    fn component_layer<'m>(
        &self,
        manifest: &'m OciImageManifest,
    ) -> Result<&'m OciDescriptor, FetchError> {
        let is_component = |layer: &&OciDescriptor| LAYER_TYPES.contains(&&*layer.media_type);
        let mut layers = manifest.layers.iter().filter(is_component);
        match (layers.next(), layers.next()) {
            (Some(layer), None) => Ok(layer),
            (Some(_), Some(_)) => Err(self.no_plugin("it holds more than one component".into())),
            (None, _) => {
                let has: Vec<&str> =
                    manifest.layers.iter().take(5).map(|layer| &*layer.media_type).collect();
                let has = if has.is_empty() { "nothing".into() } else { has.join(", ") };
                let reason = format!("it holds {has}, and a layer `{}` is needed", LAYER_TYPES[0]);
                Err(self.no_plugin(plain(&reason)))
            }
        }
    }

    async fn blob(&mut self, layer: &OciDescriptor, limit: u64) -> Result<Vec<u8>, FetchError> {
        if !is_digest(&layer.digest) {
            return Err(self.no_plugin("a layer's digest is not one of sha256".into()));
        }
        let url = self.url("blobs", &layer.digest)?;
        let size = u64::try_from(layer.size).unwrap_or(0);
        if size > limit {
            return Err(FetchError::TooBig { what: url.into(), limit });
        }
        // No byte more than the manifest says.
        let bytes = self.get(&url, "*/*", size).await?.success()?.body;
        let found = digest(&bytes);
        if found != layer.digest {
            let (what, expected) = (url.into(), layer.digest.clone());
            return Err(FetchError::WrongDigest { what, expected, found });
        }
        Ok(bytes)
    }

    /// Who of `keys` has signed the manifest.
    async fn signer(&mut self, manifest: &str, keys: &[PublicKey]) -> Result<String, FetchError> {
        let tag = format!("{}.sig", manifest.replace(':', "-"));
        let looked_for = format!("signature at the tag `{tag}`");
        let unsigned = FetchError::Unsigned { what: self.what.clone(), looked_for };
        let answer = self.manifest(&tag).await?;
        if answer.status == 404 {
            return Err(unsigned);
        }
        let answer = answer.success()?;
        checked(&answer, None)?;
        let signatures = self.parse(&answer)?;
        let mut failed = unsigned;
        for layer in signatures.layers.iter().take(SIGNATURES) {
            let annotations = layer.annotations.as_ref();
            let signature = annotations.and_then(|all| all.get(SIGNATURE_ANNOTATION));
            let Some(text) = signature else { continue };
            let payload = self.blob(layer, PAYLOAD_BYTES).await?;
            match signature::of_manifest(&self.what, manifest, &payload, text, keys) {
                Ok(by) => return Ok(by),
                // Ours, for something else: worse than somebody else's.
                Err(_) if matches!(failed, FetchError::WrongPayload { .. }) => {}
                Err(why) => failed = why,
            }
        }
        Err(failed)
    }

    /// A request, and again with what the registry asks for.
    async fn get(&mut self, url: &Url, accept: &str, limit: u64) -> Result<Answer, FetchError> {
        let answer = self.get_as_we_are(url, accept, limit).await?;
        if answer.status != 401 || self.authorization.is_some() {
            return self.let_in(answer);
        }
        let asked = answer.header("www-authenticate").unwrap_or_default();
        let challenge = Challenge::parse(asked);
        self.authorization = Some(match challenge {
            Challenge::Bearer { realm, service } => self.token(&realm, service.as_deref()).await?,
            Challenge::Basic => self.login()?.basic(),
            Challenge::Unknown => {
                return Err(self.not_let_in("in a way that is not known here".into()));
            }
        });
        let answer = self.get_as_we_are(url, accept, limit).await?;
        self.let_in(answer)
    }

    async fn get_as_we_are(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
    ) -> Result<Answer, FetchError> {
        let mut headers = vec![("accept", accept)];
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization));
        }
        self.web.get(url, &headers, limit).await
    }

    fn let_in(&self, answer: Answer) -> Result<Answer, FetchError> {
        if answer.status != 401 {
            return Ok(answer);
        }
        let reason = match credentials::find(self.registry, self.env) {
            Ok(_) => "it does not take the login that docker keeps for it".into(),
            Err(why) => why,
        };
        Err(self.not_let_in(reason))
    }

    fn not_let_in(&self, reason: String) -> FetchError {
        FetchError::NotAuthorized { registry: self.registry.into(), reason }
    }

    fn login(&self) -> Result<credentials::Login, FetchError> {
        credentials::find(self.registry, self.env).map_err(|why| self.not_let_in(why))
    }

    /// A token to read this repository, for whom docker says we are; for
    /// nobody in particular without a login.
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<String, FetchError> {
        let mut url = Url::parse(realm)
            .map_err(|error| self.not_let_in(format!("its address for tokens is none: {error}")))?;
        may_follow(&self.root, &url).map_err(|why| self.not_let_in(why))?;
        let scope = format!("repository:{}:pull", self.repository);
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let basic = credentials::find(self.registry, self.env).ok().map(|login| login.basic());
        let headers: Vec<(&str, &str)> =
            basic.iter().map(|basic| ("authorization", basic.as_str())).collect();
        let answer = self.let_in(self.web.get(&url, &headers, TOKEN_BYTES).await?)?.success()?;
        let token: Option<Token> = serde_json::from_slice(&answer.body).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        let token = token.ok_or_else(|| self.not_let_in("it gave no token".into()))?;
        Ok(format!("Bearer {token}"))
    }
}

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
    Unknown,
}

impl Challenge {
    pub(super) fn parse(header: &str) -> Self {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Self::Basic;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::Unknown;
        }
        match parameter(rest, "realm") {
            Some(realm) => Self::Bearer { realm, service: parameter(rest, "service") },
            None => Self::Unknown,
        }
    }
}

/// One of `name="value", …`.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if name.trim_matches([' ', ',']).eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
}
