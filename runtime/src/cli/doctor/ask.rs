//! Requests to providers: bounded in time and size, with the secrets taken out
//! of whatever comes back.

use anyhow::Context;
use serde_json::Value;
use std::time::Duration;

/// For one request. A provider answers within a second or two.
const WAIT: Duration = Duration::from_secs(15);
/// Of an answer. A page of templates has some 100 KB.
const BYTES: usize = 2 * 1024 * 1024;
/// A longer word in an error may be a token that was given back.
const WORD_CHARS: usize = 40;

pub struct Ask {
    client: reqwest::Client,
}

/// With what a request says who asks.
#[derive(Clone, Copy)]
pub enum As<'a> {
    Nobody,
    Bearer(&'a str),
    Basic { user: &'a str, password: &'a str },
}

/// What came back.
pub struct Answered {
    pub status: u16,
    /// The `Date` header.
    pub date: Option<String>,
    pub text: String,
}

/// Why there is no answer to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Unreachable(String),
    /// The provider's own code, where it gave one, and its words.
    Refused {
        status: u16,
        code: Option<u64>,
        words: String,
    },
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no answer: {why}"),
            Self::Refused { code: Some(code), words, .. } => write!(f, "refused: {code}: {words}"),
            Self::Refused { status, words, .. } => write!(f, "refused with {status}: {words}"),
        }
    }
}

impl Ask {
    pub fn new() -> anyhow::Result<Self> {
        // Fails only if one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(WAIT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.context("could not make an HTTP client")? })
    }

    /// Whatever the status. Error: there was no answer.
    pub async fn get(&self, url: &str, who: As<'_>) -> Result<Answered, String> {
        send(self.client.get(url), who).await
    }

    pub async fn post(&self, url: &str, who: As<'_>) -> Result<Answered, String> {
        send(self.client.post(url), who).await
    }
}

async fn send(request: reqwest::RequestBuilder, who: As<'_>) -> Result<Answered, String> {
    let request = match who {
        As::Nobody => request,
        As::Bearer(token) => request.bearer_auth(token),
        As::Basic { user, password } => request.basic_auth(user, Some(password)),
    };
    // The address may hold a token.
    let told = |error: reqwest::Error| chain(&error.without_url());
    let mut response = request.send().await.map_err(told)?;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let (status, date) = (response.status().as_u16(), date.map(str::to_owned));
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(told)? {
        body.extend_from_slice(&piece);
        if body.len() > BYTES {
            return Err(format!("it answered with more than {BYTES} bytes"));
        }
    }
    Ok(Answered { status, date, text: String::from_utf8_lossy(&body).into_owned() })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

impl Answered {
    /// The JSON of a good answer. Error: the answer was none, in words without
    /// `secret`.
    pub fn json(&self, secret: &str) -> Result<Value, Why> {
        let json = serde_json::from_str::<Value>(&self.text).ok();
        if (200..300).contains(&self.status) {
            let words = "the answer is no JSON".to_owned();
            return json.ok_or(Why::Refused { status: self.status, code: None, words });
        }
        // Meta's errors stand in `error`, Twilio's in the answer itself.
        let json = json.unwrap_or_default();
        let error = json.get("error").unwrap_or(&json);
        let words = error.get("message").and_then(Value::as_str).unwrap_or("without a word");
        let code = error.get("code").and_then(Value::as_u64);
        Err(Why::Refused { status: self.status, code, words: without(words, secret) })
    }
}

fn without(words: &str, secret: &str) -> String {
    let words = match secret {
        "" => words.to_owned(),
        secret => words.replace(secret, "…"),
    };
    let short = |word: &str| match word.chars().count() {
        0..=WORD_CHARS => word.to_owned(),
        _ => "…".to_owned(),
    };
    words.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// A text as part of an address.
pub fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A text field that is there and not empty.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Why {
        let answered = Answered { status: 400, date: None, text: text.into() };
        answered.json("hunter2").unwrap_err()
    }

    #[test]
    fn errors_are_told_without_tokens() {
        let long = "x".repeat(WORD_CHARS + 1);
        let meta = format!(r#"{{"error": {{"code": 190, "message": "Bad hunter2 and {long}."}}}}"#);
        assert_eq!(refused(&meta).to_string(), "refused: 190: Bad … and …");
        let twilio = r#"{"code": 20003, "message": "Authenticate", "status": 401}"#;
        assert_eq!(refused(twilio).to_string(), "refused: 20003: Authenticate");
        assert_eq!(refused("<html>").to_string(), "refused with 400: without a word");
        let odd = Answered { status: 200, date: None, text: "<html>".into() };
        assert!(odd.json("").is_err());
    }
}
