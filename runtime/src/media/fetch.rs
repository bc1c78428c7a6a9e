//! One try at one file: ask where it is, go there, write it down. Follows
//! redirects only where the provider says so, and takes no more than is
//! allowed.

use super::{
    bytes,
    shelf::{Part, Shelf},
};
use crate::{
    model::{Media, MediaHere, Millis, media_hash},
    outbox::build,
    provider::{Answer, ErrorClass, MediaPlace, MediaRequest, Provider, Request},
};
use reqwest::{Client, Response, StatusCode, Url, header};
use std::{error::Error, time::Duration};

const CONNECT: Duration = Duration::from_secs(10);
/// The longest silence: a host that says nothing for so long has forgotten.
const SILENCE: Duration = Duration::from_secs(20);
/// An answer that says where a file is has a few hundred bytes.
const ANSWER_BYTES: usize = 64 * 1024;
/// How often one try asks for an address anew because the last one was dead.
const ASKS: u32 = 3;
const REDIRECTS: u32 = 3;
/// The pause before trying again what is nobody's fault.
pub(super) const WAIT_MS: Millis = 60_000;

/// How a try came to nothing.
pub(super) enum Trouble {
    /// No further try would do better.
    Gone(String),
    /// One more try, and no more.
    Once(String),
    Again(String),
    /// It is not the file's fault: a full disk, a channel that is stopped.
    /// Such tries are not counted.
    Wait(String),
}

pub(super) struct Fetched {
    pub part: Part,
    /// Its moment is not known yet.
    pub here: MediaHere,
}

pub(super) fn client() -> reqwest::Result<Client> {
    // An error says that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        .build()
}

pub(super) struct Fetch<'a> {
    pub client: &'a Client,
    pub provider: &'a dyn Provider,
    pub shelf: &'a Shelf,
    /// The largest file in bytes.
    pub limit: u64,
}

impl Fetch<'_> {
    pub async fn file(&self, media: &Media) -> Result<Fetched, Trouble> {
        self.shelf.room(0).map_err(Trouble::Wait)?;
        for _ in 0..ASKS {
            let place = self.place(media).await?;
            if let Some(bytes) = place.bytes {
                self.check_size(bytes)?;
                self.shelf.room(bytes).map_err(Trouble::Wait)?;
            }
            if let Some(answer) = self.open(&place.request).await? {
                let part = self.take(answer).await?;
                return self.check(media, &place, part);
            }
        }
        Err(Trouble::Again(format!("{ASKS} addresses for it were dead")))
    }

    async fn place(&self, media: &Media) -> Result<MediaPlace, Trouble> {
        let request = match self.provider.media_request(media).map_err(Trouble::Gone)? {
            MediaRequest::Ask(request) => request,
            MediaRequest::Get(request) => {
                return Ok(MediaPlace { request, bytes: None, sha256: None, mime_type: None });
            }
        };
        let answer = self.send(&request).await?;
        let status = answer.status();
        let body = short(answer).await?;
        if status.is_success() {
            return self.provider.media_place(&body).map_err(Trouble::Gone);
        }
        match self.provider.classify(status.as_u16(), &body) {
            Answer::Refused { class, reason, .. } => Err(trouble(class, reason)),
            Answer::Sent { .. } => Err(Trouble::Again(format!("the answer has status {status}"))),
        }
    }

    /// The answer that is the file. None: the address is dead.
    async fn open(&self, request: &Request) -> Result<Option<Response>, Trouble> {
        let mut request = request.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.send(&request).await?;
            let status = answer.status();
            if status.is_success() {
                return Ok(Some(answer));
            }
            if status.is_redirection() {
                let location = location(&request.url, &answer)?;
                request = self.provider.media_redirect(&location).map_err(Trouble::Gone)?;
                continue;
            }
            return match status {
                StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::GONE => Ok(None),
                _ => Err(Trouble::Again(format!("the file's host answered with status {status}"))),
            };
        }
        Err(Trouble::Once(format!("it was redirected more than {REDIRECTS} times")))
    }

    async fn send(&self, request: &Request) -> Result<Response, Trouble> {
        let sent = build(self.client, request).send().await;
        sent.map_err(|error| Trouble::Again(format!("no answer came: {}", cause(&error))))
    }

    fn check_size(&self, bytes: u64) -> Result<(), Trouble> {
        match bytes <= self.limit {
            true => Ok(()),
            false => Err(Trouble::Gone(format!(
                "it has more than {} bytes, which is the most that is fetched (`media.max_mb`)",
                self.limit
            ))),
        }
    }

    /// Writes the file down as it comes.
    async fn take(&self, mut answer: Response) -> Result<Part, Trouble> {
        if let Some(bytes) = answer.content_length() {
            self.check_size(bytes)?;
            self.shelf.room(bytes).map_err(Trouble::Wait)?;
        }
        let disk = |error: std::io::Error| Trouble::Wait(format!("it can't be written: {error}"));
        let mut part = self.shelf.part().await.map_err(disk)?;
        loop {
            let chunk = answer.chunk().await.map_err(|error| {
                Trouble::Again(format!(
                    "it broke off after {} bytes: {}",
                    part.bytes,
                    cause(&error)
                ))
            })?;
            let Some(chunk) = chunk else { return Ok(part) };
            self.check_size(part.bytes + chunk.len() as u64)?;
            part.write(&chunk).await.map_err(disk)?;
            if part.grown() {
                self.shelf.room(0).map_err(Trouble::Wait)?;
            }
        }
    }

    /// What came is what was meant.
    fn check(&self, media: &Media, place: &MediaPlace, part: Part) -> Result<Fetched, Trouble> {
        let (bytes, sha256) = (part.bytes, part.sha256());
        // What the answer said is newer than what the message said.
        let said = place.sha256.clone().or_else(|| media_hash(media.sha256.as_deref()?));
        if said.as_ref().is_some_and(|said| *said != sha256) {
            return Err(Trouble::Once(
                "its bytes are not those that the provider's hash names".into(),
            ));
        }
        if said.is_none() && place.bytes.is_some_and(|said| said != bytes) {
            return Err(Trouble::Once(format!(
                "it has {bytes} bytes, and the provider names more or fewer"
            )));
        }
        let mime_type = bytes::bare(place.mime_type.as_deref().unwrap_or(&media.mime_type));
        let looks_like = bytes::looks_like(&mime_type, &part.head).map(str::to_owned);
        Ok(Fetched { part, here: MediaHere { bytes, sha256, mime_type, looks_like, at: 0 } })
    }
}

fn trouble(class: ErrorClass, reason: String) -> Trouble {
    match class {
        ErrorClass::Retry
        | ErrorClass::RetryFew
        | ErrorClass::RetrySlow
        | ErrorClass::Throttled
        | ErrorClass::CallLimit
        | ErrorClass::PairLimit
        | ErrorClass::Notice => Trouble::Again(reason),
        ErrorClass::RetryOnce => Trouble::Once(reason),
        ErrorClass::PauseChannel | ErrorClass::SpamLimit => Trouble::Wait(reason),
        ErrorClass::Permanent
        | ErrorClass::PauseTemplate
        | ErrorClass::TierUsed
        | ErrorClass::NeedsTemplate
        | ErrorClass::MarketingCap
        | ErrorClass::OptedOut => Trouble::Gone(reason),
    }
}

/// Where a redirect leads, whole.
fn location(from: &str, answer: &Response) -> Result<String, Trouble> {
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let whole = to.and_then(|to| Url::parse(from).ok()?.join(to).ok());
    whole.map(String::from).ok_or_else(|| Trouble::Once("a redirect leads nowhere".into()))
}

async fn short(mut answer: Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Err(Trouble::Once("the provider's answer is too long".into())),
            Ok(None) => return Ok(body),
            Err(error) => {
                let words = format!("the provider's answer broke off: {}", cause(&error));
                return Err(Trouble::Again(words));
            }
        }
    }
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
