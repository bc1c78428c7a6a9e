//! What changed of a contact's tags: one value per contact, the last changes in
//! it, written only by turns that change tags. Which tags there are now, its
//! document says.

use super::{Result, key, merge, view::View};
use crate::model::*;

const WHAT: &str = "history of tags";

/// The oldest first.
fn read(view: &View<'_>, id: ContactId) -> Result<Vec<TagChange>> {
    Ok(view.read(WHAT, &key::tag_history(id))?.unwrap_or_default())
}

pub fn note(view: &mut View<'_>, id: ContactId, changes: Vec<TagChange>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut all = read(view, id)?;
    all.extend(changes);
    all.drain(..all.len().saturating_sub(TAG_HISTORY_MAX));
    view.write(WHAT, key::tag_history(id), &all)
}

/// Of whoever the contact has become, the newest first.
pub fn history(view: &View<'_>, id: ContactId) -> Result<Vec<TagChange>> {
    let mut all = read(view, merge::follow(view, id)?)?;
    all.reverse();
    Ok(all)
}

/// Two contacts are one: so are their histories.
pub fn join(view: &mut View<'_>, from: ContactId, to: ContactId) -> Result<()> {
    let gone = read(view, from)?;
    view.delete_long(key::tag_history(from))?;
    if gone.is_empty() {
        return Ok(());
    }
    let mut all = read(view, to)?;
    all.extend(gone);
    all.sort_by_key(|change| change.at);
    all.drain(..all.len().saturating_sub(TAG_HISTORY_MAX));
    view.write(WHAT, key::tag_history(to), &all)
}
