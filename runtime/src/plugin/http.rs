//! Requests that a plugin makes within a turn. The only place from which
//! anything leaves for a plugin: each request is held against the step's
//! grants and limits, is given what the plugin must not see, and its answer is
//! searched for that. Must not retry, follow redirects, or log where within a
//! host a request went.

mod address;
mod client;
mod credential;
mod pattern;
mod reach;
mod request;

pub use client::Clients;
pub use pattern::HostPattern;
pub use reach::Reach;

use super::{
    bindings::switchboard::plugin::http::{self, Request, Response},
    host::Host,
    step::RuleProblem,
};
use crate::{
    clock::Stopwatch,
    config::{Grants, Limits, StepConfig},
    model::{Exchange, HttpRequest, HttpResponse, LogLevel},
    turn::{Draft, Network},
};
use request::Checked;
use reqwest::{Client, Url};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

const NO_TURN: &str = "nothing may be asked of other machines before an event is handled";
/// Bytes of one turn's exchanges that are kept for running it again: sixty-four
/// turns at once hold 32 MB.
const KEPT_BYTES: usize = 512 * 1024;

/// What is wrong with a step's grants, each with its place in them. The words
/// hold nothing that the owner wrote.
pub fn check_grants(grants: &Grants) -> Vec<RuleProblem> {
    Reach::read(grants).err().unwrap_or_default()
}

/// What a step has for its requests, the same in every turn.
pub struct Outlet {
    reach: Reach,
    /// None where nothing is granted.
    client: Option<Client>,
    limits: Limits,
}

impl Outlet {
    /// Error: what is wrong with the grants.
    pub fn new(step: &StepConfig, clients: &Clients) -> Result<Arc<Self>, String> {
        let reach = Reach::read(&step.grants).map_err(|problems| {
            let told = |it: &RuleProblem| format!("grants{} {}", it.path, it.message);
            problems.iter().map(told).collect::<Vec<_>>().join("; ")
        })?;
        let client = match reach.is_nothing() {
            true => None,
            false => clients.with(&reach.named)?,
        };
        Ok(Arc::new(Self { reach, client, limits: step.limits.clone() }))
    }

    /// For one turn.
    pub fn line(self: &Arc<Self>) -> Line {
        Line { outlet: self.clone(), calls: 0, spent: Duration::ZERO }
    }
}

/// One turn's use of an outlet.
pub struct Line {
    outlet: Arc<Outlet>,
    calls: usize,
    /// What its requests have taken so far.
    pub spent: Duration,
}

/// How a request came to nothing.
enum Failure {
    /// In words for the plugin.
    Told(String),
    /// The answer held the credential that the host had added.
    Revealed,
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self::Told(words)
    }
}

impl Line {
    /// The longest that the requests of the turn may take, all together.
    pub fn limit(&self) -> Duration {
        Duration::from_millis(self.outlet.limits.http_ms)
    }

    /// Counts a request. Its index in the turn.
    fn count(&mut self) -> Result<usize, String> {
        let limit = self.outlet.limits.http_calls;
        if self.calls >= limit {
            return Err(format!("a turn may send {limit} HTTP requests (`http_calls`)"));
        }
        self.calls += 1;
        Ok(self.calls - 1)
    }

    async fn ask(
        &mut self,
        draft: &Draft,
        index: usize,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Failure> {
        let request = Checked::of(request)?;
        self.outlet.reach.check(&request.url, &draft.step)?;
        let Some(left) = self.limit().checked_sub(self.spent).filter(|left| !left.is_zero()) else {
            return Err(self.out_of_time().into());
        };
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let watch = Stopwatch::start();
        let done = timeout(left, self.outlet.send(draft, index, request)).await;
        let took = watch.elapsed();
        self.spent += took;
        let done = done.unwrap_or_else(|_| Err(self.out_of_time().into()));
        let status = done.as_ref().map(|answer| answer.status).ok();
        tracing::info!(
            step.name = &*draft.step,
            http.host = host,
            http.status = status,
            duration_ms = took.as_millis() as u64,
            "a plugin's request"
        );
        done
    }

    fn out_of_time(&self) -> String {
        let ms = self.outlet.limits.http_ms;
        format!("no answer came within {ms} ms, which all requests of a turn share (`http_ms`)")
    }
}

impl Outlet {
    async fn send(
        &self,
        draft: &Draft,
        index: usize,
        mut request: Checked,
    ) -> Result<HttpResponse, Failure> {
        let Some(client) = &self.client else {
            return Err("there is no network here: nothing leaves".to_owned().into());
        };
        // The same when the turn runs again, another in every other: lanes
        // count from one again where the data were thrown away.
        let event = draft.event();
        let key = format!("{}-{}-{index}-{}", event.id, draft.step, event.accepted_at);
        request.name_it(&key)?;
        let credential = self.reach.credential(&request.url);
        if let Some(credential) = credential {
            credential.add_to(&mut request.headers);
        }
        let answer = client::fetch(client, request, self.limits.http_kb * 1024).await?;
        let Some(credential) = credential else { return Ok(answer) };
        if client::is_packed(&answer) {
            let words = "the answer is packed (`content-encoding`), so it can't be searched for \
                         the credential that was sent";
            return Err(words.to_owned().into());
        }
        let mut headers = answer.headers.iter();
        let revealed = credential.is_in(&answer.body)
            || headers.any(|(_, value)| credential.is_in(value.as_bytes()));
        if revealed { Err(Failure::Revealed) } else { Ok(answer) }
    }
}

impl http::Host for Host {
    async fn send(&mut self, request: Request) -> Result<Response, String> {
        let (Some(draft), Some(line)) = (&mut self.draft, &mut self.line) else {
            return Err(NO_TURN.into());
        };
        let Request { method, url, headers, body } = request;
        let request = HttpRequest { method, url, headers, body };
        let index = line.count()?;
        let (known, asked) = match &mut draft.network {
            Network::Granted => (None, 0),
            Network::Recorded(exchanges) => (Some(recorded(exchanges, &request)), 0),
            Network::Resumed { exchanges, asked } => (take(exchanges, &request), *asked),
            Network::Closed(why) => (Some(Err((*why).to_owned())), 0),
        };
        let answer = match known {
            Some(answer) => answer,
            None => match line.ask(draft, asked + index, &request).await {
                Ok(answer) => Ok(answer),
                Err(Failure::Told(words)) => Err(words),
                Err(Failure::Revealed) => Err(withhold(draft, &request)),
            },
        };
        keep(draft, request, &answer);
        answer.map(|HttpResponse { status, headers, body }| Response { status, headers, body })
    }
}

/// Tells the owner, who may want another credential now. The words for the
/// plugin.
fn withhold(draft: &mut Draft, request: &HttpRequest) -> String {
    let host = Url::parse(&request.url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let host = host.unwrap_or_default();
    tracing::warn!(
        step.name = &*draft.step,
        http.host = host,
        "an answer repeated the step's credential, and was withheld from the plugin"
    );
    let words = format!(
        "the answer of {host} repeats the credential that the host had added, so it is withheld"
    );
    draft.log(LogLevel::Warn, &words);
    words
}

fn recorded(exchanges: &mut Vec<Exchange>, request: &HttpRequest) -> Result<HttpResponse, String> {
    take(exchanges, request).unwrap_or_else(|| {
        let body = if request.body.is_empty() { "" } else { " with this body" };
        Err(format!("no recorded answer for {} {}{body}", request.method, request.url))
    })
}

/// The answer to the same request: with the same body, or one of which none is
/// recorded. Each is good once, but the last of them again and again.
fn take(
    exchanges: &mut Vec<Exchange>,
    request: &HttpRequest,
) -> Option<Result<HttpResponse, String>> {
    let exact = |it: &Exchange| it.answers(request) && it.request.body == request.body;
    let open = |it: &Exchange| it.answers(request) && it.request.body.is_empty();
    let (place, more) = match exchanges.iter().position(exact) {
        Some(place) => (place, exchanges.iter().filter(|it| exact(it)).count() > 1),
        None => {
            (exchanges.iter().position(open)?, exchanges.iter().filter(|it| open(it)).count() > 1)
        }
    };
    if more {
        Some(exchanges.remove(place).response)
    } else {
        Some(exchanges.get(place)?.response.clone())
    }
}

/// Headers that hold what lets one in, whoever set them.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/// As it may be kept and shown.
fn without_secrets(headers: &[(String, String)]) -> Vec<(String, String)> {
    let kept = |(name, value): &(String, String)| {
        let secret = SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        (name.clone(), if secret { "[withheld]".into() } else { value.clone() })
    };
    headers.iter().map(kept).collect()
}

/// Keeps what was asked and told with the turn's inputs, while there is room.
fn keep(draft: &mut Draft, mut request: HttpRequest, answer: &Result<HttpResponse, String>) {
    request.headers = without_secrets(&request.headers);
    let mut answer = answer.clone();
    if let Ok(answer) = &mut answer {
        answer.headers = without_secrets(&answer.headers);
    }
    let kept = &mut draft.inputs.exchanges;
    let held: usize = kept.iter().map(Exchange::bytes).sum();
    let exchange = Exchange { request, response: answer };
    if held + exchange.bytes() <= KEPT_BYTES {
        kept.push(exchange);
    } else {
        let words = "an HTTP exchange is too large to be kept for running the turn again";
        draft.log(LogLevel::Debug, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, body: &str) -> HttpRequest {
        let url = "https://api.example/graph".into();
        HttpRequest { method: method.into(), url, headers: Vec::new(), body: body.into() }
    }

    fn answered(request: HttpRequest, body: &str) -> Exchange {
        let response = HttpResponse { status: 200, headers: Vec::new(), body: body.into() };
        Exchange { request, response: Ok(response) }
    }

    #[test]
    fn each_request_has_its_own_recorded_answer() {
        let mut known = vec![
            answered(asked("POST", "first"), "1"),
            answered(asked("POST", "second"), "2"),
            answered(asked("GET", ""), "3"),
            answered(asked("GET", ""), "4"),
        ];
        let mut ask = |method: &str, body: &str| {
            let answer = recorded(&mut known, &asked(method, body));
            answer.map(|answer| String::from_utf8(answer.body).unwrap())
        };
        assert_eq!(ask("POST", "second").unwrap(), "2");
        assert_eq!(ask("POST", "first").unwrap(), "1");
        // In order, and the last one again and again.
        assert_eq!(
            [ask("GET", ""), ask("GET", ""), ask("GET", "")],
            ["3", "4", "4"].map(|it| Ok(it.into()))
        );
        // A recorded request without a body stands for any.
        assert_eq!(ask("GET", "odd").unwrap(), "4");
        assert!(ask("POST", "third").unwrap_err().contains("with this body"));
    }

    #[test]
    fn what_lets_one_in_is_not_kept() {
        let header = |name: &str| (name.to_owned(), "s3cret".to_owned());
        let kept =
            without_secrets(&[header("Authorization"), header("accept"), header("Set-Cookie")]);
        assert_eq!(kept.iter().filter(|(_, value)| value == "[withheld]").count(), 2);
        assert_eq!(kept[1], header("accept"));
    }
}
