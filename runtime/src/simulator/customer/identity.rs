//! Who a customer is, and what changes it: another number, another user id, a
//! number that is hidden. And what comes from the phone without a message:
//! calls, choices about promotions, being out of reach.

use super::{Drawn, add};
use crate::simulator::{Shared, deliver, names, receipts, state::World};
use serde_json::{Value, json};

/// A message that WhatsApp itself writes.
fn system(content: Value) -> Drawn {
    let mut drawn = Drawn::new("system", content);
    drawn.opens_window = false;
    drawn.system = true;
    drawn
}

pub fn change_number(world: &mut World, phone: usize, number: &str) -> Result<Drawn, String> {
    let new = names::digits(number).ok_or_else(|| format!("{number:?} is not a phone number"))?;
    let before = world.phone(phone).ok_or("no such phone")?.who.clone();
    let Some(old) = before.number.clone() else {
        return Err("this phone has no number to change".into());
    };
    let mut after = before.clone();
    // A new number makes a new user id.
    after.user_id = names::user_id("US", &new);
    after.number = Some(new.clone());
    world.rename(phone, after.clone())?;
    let (name, id) = (&before.name, &after.user_id);
    if before.hidden {
        return Ok(user_id_changed(&before.user_id, id, name));
    }
    let mut drawn = system(json!({
        "body": format!("User {name} changed from {old} to {new}"),
        "type": "user_changed_number",
        "wa_id": new,
        "user_id": id,
        "previous_user_id": before.user_id,
    }));
    drawn.wire.insert("from".into(), old.into());
    Ok(drawn)
}

pub fn change_user_id(world: &mut World, phone: usize, serial: u64) -> Result<Drawn, String> {
    let before = world.phone(phone).ok_or("no such phone")?.who.clone();
    let mut after = before.clone();
    after.user_id = names::user_id("US", &format!("{} {serial}", before.user_id));
    world.rename(phone, after.clone())?;
    Ok(user_id_changed(&before.user_id, &after.user_id, &before.name))
}

fn user_id_changed(old: &str, new: &str, name: &str) -> Drawn {
    system(json!({
        "body": format!("User {name} changed from {old} to {new}"),
        "type": "user_changed_user_id",
        "user_id": new,
        "previous_user_id": old,
    }))
}

/// From now on the bot sees a username and a user id alone. It hears of it
/// with a message, since WhatsApp announces nothing.
pub fn hide_number(
    world: &mut World,
    phone: usize,
    username: Option<&str>,
) -> Result<Drawn, String> {
    let mut who = world.phone(phone).ok_or("no such phone")?.who.clone();
    let made_up = || who.name.to_lowercase().replace(' ', ".");
    let given = username.map(|name| name.trim().trim_start_matches('@').to_owned());
    who.username = given.or(who.username.clone()).or_else(|| Some(made_up()));
    who.hidden = true;
    world.rename(phone, who)?;
    Ok(Drawn::new("text", json!({"body": "I have a username now"})))
}

pub fn show_number(world: &mut World, phone: usize) -> Result<Drawn, String> {
    let mut who = world.phone(phone).ok_or("no such phone")?.who.clone();
    if who.number.is_none() {
        return Err("this phone has no number to show".into());
    }
    who.hidden = false;
    world.rename(phone, who)?;
    Ok(Drawn::new("text", json!({"body": "You can see my number again"})))
}

pub fn change_device(
    world: &mut World,
    phone: usize,
    serial: u64,
    now: u64,
) -> Result<Drawn, String> {
    let who = &world.phone(phone).ok_or("no such phone")?.who;
    let mut drawn = system(json!({
        "body": format!("{}'s security code changed", who.name),
        "type": "customer_identity_changed",
    }));
    let identity = json!({"acknowledged": true, "hash": format!("simulated{serial}"),
        "created_timestamp": (now / 1_000).to_string()});
    drawn.wire.insert("identity".into(), identity);
    add_sender(&mut drawn, who.shown_number());
    Ok(drawn)
}

fn add_sender(drawn: &mut Drawn, number: Option<&str>) {
    if let Some(number) = number {
        drawn.wire.insert("from".into(), number.into());
    }
}

/// The customer's own card.
pub fn share_number(
    world: &mut World,
    phone: usize,
    asked_by: Option<&str>,
) -> Result<Drawn, String> {
    if let Some(id) = asked_by {
        let asked = world.message_mut(id).ok_or("no such message to answer")?;
        asked.tapped = Some("contact".into());
    }
    let who = &world.phone(phone).ok_or("no such phone")?.who;
    let Some(number) = &who.number else {
        return Err("this phone has no number to share".into());
    };
    let mut card = json!({
        "name": {"formatted_name": who.name, "first_name": who.name},
        "phones": [{"phone": format!("+{number}"), "wa_id": number, "type": "CELL"}],
    });
    // Only an answer to a request is marked as one.
    add(&mut card, "origin", Some(if asked_by.is_some() { "contact_request" } else { "other" }));
    let mut drawn = Drawn::new("contacts", json!([card]));
    drawn.quotes = asked_by.map(str::to_owned);
    Ok(drawn)
}

/// A call that nobody takes: it rings, and ends. Returns the call's id.
///
/// # Errors
/// No such phone, or the wire has no calls.
pub fn call(sim: &Shared, phone: usize) -> Result<String, String> {
    let now = sim.now();
    let who = {
        let mut world = sim.world();
        let caller = world.phone_mut(phone).ok_or("no such phone")?;
        caller.last_inbound = Some(now);
        caller.who.clone()
    };
    let id = format!("wacid.simulated{:010}", sim.serial());
    let event = |event: &str| {
        let mut call = json!({
            "id": id,
            "to": sim.config.display_phone_number,
            "from_user_id": who.user_id,
            "event": event,
            "direction": "USER_INITIATED",
            "timestamp": (now / 1_000).to_string(),
        });
        add(&mut call, "from", who.shown_number());
        if event == "terminate" {
            add(&mut call, "status", Some("FAILED"));
        } else if let Some(call) = call.as_object_mut() {
            call.insert("session".into(), json!({"sdp_type": "offer", "sdp": "v=0"}));
        }
        sim.news_parcel("calls", Some(&who), "calls", json!([call]))
    };
    let (Some(rings), Some(ends)) = (event("connect"), event("terminate")) else {
        return Err("this wire has no calls".into());
    };
    let sim = sim.clone();
    tokio::spawn(async move {
        deliver::post(&sim, rings).await;
        deliver::post(&sim, ends).await;
    });
    Ok(id)
}

/// The customer stops promotions, or wants them again.
///
/// # Errors
/// No such phone.
pub fn preference(sim: &Shared, phone: usize, stop: bool) -> Result<(), String> {
    let now = sim.now();
    let who = {
        let mut world = sim.world();
        let chooser = world.phone_mut(phone).ok_or("no such phone")?;
        chooser.stopped_marketing = stop;
        let who = chooser.who.clone();
        sim.publish(|| json!({"type": "phone", "phone": world.phone_json(phone)}));
        who
    };
    let (value, verb) = if stop { ("stop", "stop") } else { ("resume", "resume") };
    let mut chosen = json!({
        "user_id": who.user_id,
        "detail": format!("User requested to {verb} marketing messages"),
        "category": "marketing_messages",
        "value": value,
        "timestamp": now / 1_000,
    });
    add(&mut chosen, "wa_id", who.shown_number());
    let news = sim.news_parcel("user_preferences", Some(&who), "user_preferences", json!([chosen]));
    if let Some(parcel) = news {
        let sim = sim.clone();
        tokio::spawn(async move { deliver::post(&sim, parcel).await });
    }
    Ok(())
}

/// The phone is out of reach, or back: then it gets what waited for it.
///
/// # Errors
/// No such phone.
pub async fn presence(sim: &Shared, phone: usize, online: bool) -> Result<usize, String> {
    {
        let mut world = sim.world();
        world.phone_mut(phone).ok_or("no such phone")?.offline = !online;
        sim.publish(|| json!({"type": "phone", "phone": world.phone_json(phone)}));
    }
    Ok(if online { receipts::deliver_waiting(sim, phone).await } else { 0 })
}
