//! What WhatsApp does to templates and to the account in its own time:
//! reviews, decisions, pauses that end, and the webhooks that tell of each.

use super::{
    Shared,
    account::Account,
    deliver,
    settings::ReviewOutcome,
    templates::{Decision, Draft, News, Review},
};
use serde_json::{Value, json};

/// Takes a template in. Unless it comes with its status, its review follows
/// after the time in the settings.
///
/// # Errors
/// What is wrong with it.
pub fn submit(sim: &Shared, draft: Draft) -> Result<Value, String> {
    draft.check()?;
    let made = sim.world().templates.add(draft.clone())?.listed();
    if draft.status.is_some() {
        tell_page(sim);
    } else {
        review(sim, draft, 0);
    }
    Ok(made)
}

/// Puts an edited template in the place of the one before, to be reviewed.
///
/// # Errors
/// There is none to edit.
pub fn resubmit(sim: &Shared, draft: Draft) -> Result<(), String> {
    let version = {
        let mut world = sim.world();
        let template = world.templates.find_mut(&draft.name, &draft.language);
        let template = template.ok_or("there is no such template")?;
        template.edit(&draft);
        template.version
    };
    review(sim, draft, version);
    Ok(())
}

fn review(sim: &Shared, draft: Draft, version: u64) {
    tell_page(sim);
    let (outcome, wait) = {
        let settings = &sim.world().settings;
        (settings.template_review, settings.template_review_ms)
    };
    let (status, reason) = match (outcome, draft.fault()) {
        (ReviewOutcome::Hold, _) => return,
        (ReviewOutcome::Approve, None) => (Review::Approved, None),
        (ReviewOutcome::Approve | ReviewOutcome::Reject, Some((reason, _))) => {
            (Review::Rejected, Some(reason))
        }
        (ReviewOutcome::Reject, None) => (Review::Rejected, Some("TAG_CONTENT_MISMATCH")),
    };
    let reason = reason.map(str::to_owned);
    let decision = Decision { status: Some(status), reason, ..Decision::default() };
    later(sim, draft.name, draft.language, version, wait, decision);
}

/// Decides on a template, tells the bot, and ends a pause when its time comes.
/// None if there is no such template.
pub fn decide(sim: &Shared, name: &str, language: &str, decision: Decision) -> Option<Value> {
    let (news, listed, version, pause) = {
        let now = sim.now();
        let mut world = sim.world();
        let template = world.templates.find_mut(name, language)?;
        let news = template.decide(decision, now);
        let paused = template.pause().filter(|_| !news.is_empty());
        (news, template.listed(), template.version, paused)
    };
    tell(sim, news);
    tell_page(sim);
    if let Some(pause) = pause {
        let end = Decision { status: Some(Review::Approved), ..Decision::default() };
        later(sim, name.to_owned(), language.to_owned(), version, pause, end);
    }
    Some(listed)
}

/// Decides then, unless something else was decided before.
fn later(
    sim: &Shared,
    name: String,
    language: String,
    version: u64,
    wait: u64,
    decision: Decision,
) {
    let sim = sim.clone();
    tokio::spawn(async move {
        if !sim.pause(wait).await {
            return;
        }
        let same = {
            let world = sim.world();
            world.templates.find(&name, &language).is_some_and(|one| one.version == version)
        };
        if same {
            decide(&sim, &name, &language, decision);
        }
    });
}

/// Changes the account and tells the bot what Meta would tell.
///
/// # Errors
/// A change that the account cannot take.
pub fn change_account(sim: &Shared, changes: &Value) -> Result<Account, String> {
    let (account, news) = {
        let now = sim.now();
        let mut world = sim.world();
        let after = world.account.patched(changes)?;
        let (number, name) = (&sim.config.display_phone_number, &sim.config.business_name);
        let news = after.news_since(&world.account, number, name, now);
        world.account = after.clone();
        (after, news)
    };
    sim.publish(|| json!({"type": "account", "account": account}));
    tell(sim, news);
    Ok(account)
}

/// Sends webhooks of the account, one after the other.
pub fn tell(sim: &Shared, news: Vec<News>) {
    let parcels: Vec<_> =
        news.into_iter().filter_map(|(field, value)| sim.account_parcel(field, value)).collect();
    let sim = sim.clone();
    tokio::spawn(async move {
        for parcel in parcels {
            deliver::post(&sim, parcel).await;
        }
    });
}

pub fn tell_page(sim: &Shared) {
    sim.publish(|| {
        let world = sim.world();
        json!({"type": "templates",
            "templates": world.templates.iter().map(|one| one.listed()).collect::<Vec<_>>()})
    });
}
