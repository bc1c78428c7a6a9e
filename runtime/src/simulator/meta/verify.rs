//! The verification of a webhook address, as Meta does when it is set.

use crate::simulator::{
    Shared, Sim,
    deliver::{ANSWER_BYTES, Verification, in_words},
    state::Millis,
};
use reqwest::Url;
use serde_json::json;

/// The bot may still be starting: so often is the verification tried.
const ATTEMPTS: u32 = 20;
const PAUSE_MS: Millis = 500;

/// Tries until the bot has answered in some way, or for ten seconds.
pub async fn verify_at_start(sim: Shared) {
    for attempt in 1..=ATTEMPTS {
        match challenge(&sim).await {
            Err(_) if attempt < ATTEMPTS => {}
            answer => {
                report(&sim, answer);
                return;
            }
        }
        if !sim.pause(PAUSE_MS).await {
            return;
        }
    }
}

/// Does what Meta does when a webhook address is set.
pub async fn verify(sim: &Shared) -> Verification {
    let answer = challenge(sim).await;
    report(sim, answer)
}

fn report(sim: &Sim, answer: Result<Result<(), String>, String>) -> Verification {
    let (ok, details) = match answer {
        Ok(Ok(())) => (true, "the bot gave the challenge back".to_owned()),
        Ok(Err(why)) | Err(why) => (false, why),
    };
    let verification = Verification { ok, at: sim.now(), details };
    if ok {
        tracing::info!("the bot's webhook is verified");
    } else {
        tracing::warn!("the bot's webhook is not verified: {}", verification.details);
    }
    sim.world().verification = Some(verification.clone());
    sim.publish(|| json!({"type": "verification", "verification": verification}));
    verification
}

/// The outer error: no answer at all.
async fn challenge(sim: &Sim) -> Result<Result<(), String>, String> {
    let challenge = format!("{}{}", sim.salt, sim.serial());
    let mut url: Url =
        sim.config.webhook_url.parse().map_err(|why| format!("the webhook address: {why}"))?;
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", &sim.config.verify_token);
    let answer = sim.courier.client.get(url).send().await.map_err(|why| in_words(&why))?;
    let status = answer.status().as_u16();
    if answer.content_length().is_none_or(|length| length > ANSWER_BYTES) && status == 200 {
        return Ok(Err("the answer to the verification has no short body".into()));
    }
    let body = answer.text().await.map_err(|why| in_words(&why))?;
    Ok(match (status, body.trim() == challenge) {
        (200, true) => Ok(()),
        (200, false) => Err("the bot answered 200, but not with the challenge".into()),
        (status, _) => Err(format!("the bot answered {status}: is the verify token the same?")),
    })
}
