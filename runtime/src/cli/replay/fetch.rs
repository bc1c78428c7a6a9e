//! Reads the recorded turns of a running `serve`, page by page.

use super::super::admin::Admin;
use crate::model::{Millis, Trace};
use serde::Deserialize;

/// Contacts of one page.
const CONTACTS: usize = 500;
/// Turns of one page: with what they ran on, 32 KB each at most.
const TURNS: usize = 100;
/// Behind the last turn of any lane.
const END: u64 = 1 << 53;

/// Whose turns they are.
pub(super) struct Lane {
    /// `c17`, `@main`
    pub name: String,
    pub phone: Option<String>,
}

/// All that there are: of contacts, of those that have become one, of channels.
pub(super) async fn lanes(admin: &Admin, channels: &[String]) -> anyhow::Result<Vec<Lane>> {
    #[derive(Deserialize)]
    struct Page {
        contacts: Vec<Contact>,
    }
    #[derive(Deserialize)]
    struct Contact {
        id: String,
        phone: Option<String>,
        merged: Vec<String>,
    }
    let of_channel = |id: &String| Lane { name: format!("@{id}"), phone: None };
    let mut lanes: Vec<Lane> = channels.iter().map(of_channel).collect();
    let mut after = String::new();
    loop {
        let page: Page = admin.get(&format!("/api/v1/contacts?limit={CONTACTS}{after}")).await?;
        for Contact { id, phone, merged } in &page.contacts {
            let names = merged.iter().chain([id]);
            lanes.extend(names.map(|name| Lane { name: name.clone(), phone: phone.clone() }));
        }
        match page.contacts.last() {
            Some(last) if page.contacts.len() == CONTACTS => after = format!("&after={}", last.id),
            _ => return Ok(lanes),
        }
    }
}

/// A lane's turns from `since` on, in their order.
pub(super) async fn turns(admin: &Admin, lane: &Lane, since: Millis) -> anyhow::Result<Vec<Trace>> {
    #[derive(Deserialize)]
    struct Page {
        turns: Vec<Trace>,
    }
    let (mut all, mut before) = (Vec::new(), END);
    loop {
        let name = &lane.name;
        let path = format!("/api/v1/lanes/{name}/turns?whole=true&limit={TURNS}&before={before}");
        let page: Page = admin.get(&path).await?;
        let full = page.turns.len() == TURNS;
        let last = page.turns.last().map(|trace| (trace.turn.seq, trace.at));
        all.extend(page.turns.into_iter().filter(|trace| trace.at >= since));
        match last {
            Some((seq, at)) if full && at >= since => before = seq,
            _ => break,
        }
    }
    all.reverse();
    Ok(all)
}
