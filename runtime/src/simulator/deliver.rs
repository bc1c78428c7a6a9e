//! Gets webhooks to the bot: a bounded number at once, again after growing
//! pauses when one was not answered with 200, and each attempt in the log.

use super::{Shared, Sim, errors::Problem, message::Status, receipts, state::Millis};
use crate::clock::Stopwatch;
use anyhow::{Context as _, Result};
use axum::body::Bytes;
use reqwest::{Client, redirect};
use serde::Serialize;
use serde_json::json;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Webhooks under way at once. Meta delivers concurrently too.
const AT_ONCE: usize = 64;
/// Webhooks that may wait for their turn or their next attempt; more are lost
/// and counted as given up.
const WAITING_MAX: usize = 100_000;
/// A bot that takes longer has not answered. Meta names no figure.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// Longer answers are not read, so that the connection is lost.
pub const ANSWER_BYTES: u64 = 65_536;

/// A signed request for the bot, ready to be sent as often as needed.
#[derive(Clone, PartialEq, Debug)]
pub struct Parcel {
    /// `message`, `receipt` or `account`.
    pub kind: &'static str,
    /// The message that it is about; empty for account webhooks.
    pub message: String,
    pub url: String,
    pub content_type: &'static str,
    /// The signature's header and value.
    pub signature: (&'static str, String),
    pub body: Bytes,
}

/// One attempt to deliver, for the log.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub number: u64,
    pub at: Millis,
    pub kind: &'static str,
    pub message: String,
    /// From 1.
    pub attempt: u32,
    /// What the bot answered; none if it did not.
    pub status: Option<u16>,
    pub error: Option<String>,
    pub duration_us: u64,
    /// When it is tried again; none if it arrived or was given up.
    pub retry_at: Option<Millis>,
    pub signature: String,
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
}

fn as_text<S: serde::Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(body))
}

/// How the bot answered the verification request.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Verification {
    pub ok: bool,
    pub at: Millis,
    pub details: String,
}

/// When a webhook is sent again. Meta goes on for days; a simulator need not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// Before the second attempt; each later pause is twice the one before.
    pub first_pause_ms: Millis,
    pub longest_pause_ms: Millis,
    /// Attempts in all.
    pub attempts: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first_pause_ms: 1_000, longest_pause_ms: 60_000, attempts: 10 }
    }
}

impl Retry {
    /// The pause after this attempt (from 1); none if it was the last.
    fn pause(&self, attempt: u32) -> Option<Millis> {
        let doubled = self.first_pause_ms.saturating_mul(1 << attempt.saturating_sub(1).min(30));
        (attempt < self.attempts).then(|| doubled.min(self.longest_pause_ms))
    }
}

pub struct Courier {
    pub client: Client,
    permits: Semaphore,
    waiting: AtomicUsize,
}

impl Courier {
    pub fn new() -> Result<Self> {
        // An error means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(ANSWER_TIME)
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(AT_ONCE)
            .no_proxy()
            .user_agent("facebookexternalua")
            .build()
            .context("the simulator's HTTP client could not be made")?;
        Ok(Self { client, permits: Semaphore::new(AT_ONCE), waiting: AtomicUsize::new(0) })
    }
}

/// One place among those that may wait.
struct Waiting(Shared);

impl Waiting {
    fn new(sim: &Shared) -> Option<Self> {
        let before = sim.courier.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(sim.clone());
        (before < WAITING_MAX).then_some(place)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.courier.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns after the first attempt, so that what follows keeps its order;
/// later attempts go on by themselves.
pub async fn post(sim: &Shared, parcel: Parcel) {
    let Some(place) = Waiting::new(sim) else {
        give_up(sim, &parcel, "too many webhooks are waiting");
        return;
    };
    let delay = sim.world().settings.webhook_delay_ms;
    if delay > 0 && !sim.pause(delay).await {
        return;
    }
    if let Some(pause) = attempt(sim, &parcel, 1).await {
        let sim = sim.clone();
        tokio::spawn(async move {
            let _place = place;
            again(&sim, &parcel, pause).await;
        });
    }
}

async fn again(sim: &Shared, parcel: &Parcel, first_pause: Millis) {
    let mut pause = first_pause;
    let mut number = 2;
    while sim.pause(pause).await {
        match attempt(sim, parcel, number).await {
            Some(longer) => pause = longer,
            None => return,
        }
        number += 1;
    }
}

/// The pause before the next attempt; none if there is to be none.
async fn attempt(sim: &Shared, parcel: &Parcel, number: u32) -> Option<Millis> {
    // The semaphore is never closed.
    let _permit = sim.courier.permits.acquire().await.ok()?;
    let at = sim.now();
    let watch = Stopwatch::start();
    let answer = request(sim, parcel).await;
    let (status, error) = match answer {
        Ok(status) => (Some(status), None),
        Err(why) => (None, Some(why)),
    };
    let arrived = status == Some(200);
    let pause = if arrived { None } else { sim.config.retry.pause(number) };
    let delivery = Delivery {
        number: sim.serial(),
        at,
        kind: parcel.kind,
        message: parcel.message.clone(),
        attempt: number,
        status,
        error: error.clone(),
        duration_us: watch.micros(),
        retry_at: pause.map(|pause| sim.now() + pause),
        signature: parcel.signature.1.clone(),
        body: parcel.body.clone(),
    };
    {
        let mut world = sim.world();
        world.log(delivery);
        if arrived {
            world.delivered_total += 1;
        } else {
            world.attempts_failed += 1;
        }
    }
    sim.publish(|| {
        json!({"type": "webhook", "status": status, "error": error, "attempt": number,
            "again_in_ms": pause, "at": at})
    });
    if arrived {
        if parcel.kind == "message" {
            receipts::customer_message(sim, &parcel.message, Status::Delivered, None);
        }
    } else if pause.is_none() {
        let why = match status {
            Some(status) => format!("the bot answered {status}"),
            None => "the bot could not be reached".into(),
        };
        give_up(sim, parcel, &why);
    }
    pause
}

async fn request(sim: &Sim, parcel: &Parcel) -> Result<u16, String> {
    let answer = sim
        .courier
        .client
        .post(&parcel.url)
        .header("content-type", parcel.content_type)
        .header(parcel.signature.0, &parcel.signature.1)
        .body(parcel.body.clone())
        .send()
        .await
        .map_err(|why| in_words(&why))?;
    let status = answer.status().as_u16();
    if answer.content_length().is_some_and(|length| length <= ANSWER_BYTES) {
        // Read to the end, so that the connection can be used again.
        let _ = answer.bytes().await;
    }
    Ok(status)
}

pub fn in_words(why: &reqwest::Error) -> String {
    if why.is_connect() {
        "nothing listens at the webhook address".into()
    } else if why.is_timeout() {
        format!("no answer within {} seconds", ANSWER_TIME.as_secs())
    } else {
        format!("{:#}", anyhow::anyhow!(why.to_string()))
    }
}

fn give_up(sim: &Shared, parcel: &Parcel, why: &str) {
    sim.world().given_up_total += 1;
    tracing::warn!(webhook.kind = parcel.kind, "a webhook was given up: {why}");
    if parcel.kind == "message" {
        let problem =
            Problem { code: 0, title: "Webhook not delivered".into(), details: why.into() };
        receipts::customer_message(sim, &parcel.message, Status::Failed, Some(problem));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_end() {
        let retry = Retry { first_pause_ms: 10, longest_pause_ms: 35, attempts: 5 };
        let pauses: Vec<_> = (1..=5).map(|attempt| retry.pause(attempt)).collect();
        assert_eq!(pauses, [Some(10), Some(20), Some(35), Some(35), None]);
    }
}
