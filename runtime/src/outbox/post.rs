//! One HTTP request to a provider, and how far it got.

use crate::{
    clock::Stopwatch,
    provider::{Auth, Body, Method, Request},
};
use std::{error::Error, time::Duration};

/// How long one request may take in all. What is unheard of after it may or
/// may not have been sent.
pub(super) const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// A provider's answers have a few hundred bytes.
const ANSWER_BYTES: usize = 256 * 1024;

/// How a request ended.
#[derive(Debug)]
pub(super) enum Reply {
    Answer {
        status: u16,
        body: Vec<u8>,
    },
    /// It never reached the provider.
    NotSent(String),
    /// It may have reached the provider.
    Lost(String),
    /// It can't be sent as it is, now or later.
    Unfit(String),
    /// No provider was asked: it counts as taken, by this id.
    Rehearsed(String),
}

/// The client for all requests: encrypted by ring, no redirects (they would
/// carry the token elsewhere), connections kept.
pub fn client() -> reqwest::Result<reqwest::Client> {
    // An error says that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(REQUEST)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The provider's request in the client's form.
pub fn build(client: &reqwest::Client, request: &Request) -> reqwest::RequestBuilder {
    let sent = match request.method {
        Method::Get => client.get(&request.url),
        Method::Post => client.post(&request.url),
        Method::Delete => client.delete(&request.url),
    };
    let sent = authorized(sent, &request.auth);
    match &request.body {
        Body::Empty => sent,
        Body::Json(json) => sent.json(json),
        Body::Form(fields) => sent.form(fields),
    }
}

pub(super) fn authorized(request: reqwest::RequestBuilder, auth: &Auth) -> reqwest::RequestBuilder {
    match auth {
        Auth::None => request,
        Auth::Bearer(token) => request.bearer_auth(token),
        Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
    }
}

pub(super) async fn post(client: reqwest::Client, request: Request) -> (Reply, Duration) {
    let watch = Stopwatch::start();
    let reply = match sent(build(&client, &request)).await {
        Ok(answer) => read(answer).await,
        Err(reply) => reply,
    };
    (reply, watch.elapsed())
}

/// Error: how far the request got.
pub(super) async fn sent(request: reqwest::RequestBuilder) -> Result<reqwest::Response, Reply> {
    let reply = match request.send().await {
        Ok(answer) => return Ok(answer),
        Err(error) if error.is_builder() => Reply::NotSent(format!(
            "the request can't be made, check the channel's `api_url` and `access_token`: {}",
            cause(&error)
        )),
        Err(error) if error.is_connect() => {
            Reply::NotSent(format!("the provider can't be reached: {}", cause(&error)))
        }
        Err(error) if error.is_timeout() => {
            Reply::Lost(format!("no answer came within {} seconds", REQUEST.as_secs()))
        }
        Err(error) => {
            Reply::Lost(format!("the connection broke before the answer: {}", cause(&error)))
        }
    };
    Err(reply)
}

pub(super) async fn read(mut answer: reqwest::Response) -> Reply {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) | Ok(None) => return Reply::Answer { status, body },
            Err(_) if (200..300).contains(&status) => {
                return Reply::Lost("the connection broke within the answer".into());
            }
            Err(_) => return Reply::Answer { status, body },
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
