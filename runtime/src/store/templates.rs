//! The copies of the providers' templates, by account: what was read last, and
//! what webhooks have told since.

use super::{Result, engine::Order, key, view::View};
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const WHAT: &str = "template";

/// Of the copy as a whole.
#[derive(Default, Serialize, Deserialize)]
struct StoredCopy {
    read_at: Option<Millis>,
    wanted: bool,
}

fn stored(view: &View<'_>, account: &str) -> Result<StoredCopy> {
    Ok(view.read(WHAT, &key::template_copy(account))?.unwrap_or_default())
}

pub fn copy(view: &View<'_>, account: &str) -> Result<TemplateCopy> {
    let StoredCopy { read_at, wanted } = stored(view, account)?;
    let mut forms: Vec<TemplateForm> =
        view.list(WHAT, &key::templates_of(account), Order::Forward, usize::MAX)?;
    forms.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
    Ok(TemplateCopy { read_at, wanted, forms })
}

/// Puts `forms`, whose reading began at `began`, in the place of the copy.
/// Writes only what differs.
pub fn replace(
    view: &mut View<'_>,
    account: &str,
    forms: Vec<TemplateForm>,
    began: Millis,
) -> Result<()> {
    let mut kept = HashSet::new();
    for form in forms {
        let place = key::template(account, &form.name, &form.language);
        let old: Option<TemplateForm> = view.read(WHAT, &place)?;
        let form = match &old {
            Some(old) => form.after(old, began),
            None => form,
        };
        if old.as_ref() != Some(&form) {
            view.write(WHAT, place.clone(), &form)?;
        }
        kept.insert(place);
    }
    let places: Result<Vec<Vec<u8>>> = view
        .range(&key::templates_of(account), Order::Forward)
        .map(|pair| pair.map(|(place, _)| place))
        .collect();
    for place in places? {
        if !kept.contains(&place) {
            view.delete_long(place)?;
        }
    }
    let copy = StoredCopy { read_at: Some(began), wanted: false };
    view.write(WHAT, key::template_copy(account), &copy)
}

/// Takes what a webhook told. What the copy lacks, or has in an old wording, is
/// to be read.
pub fn take(view: &mut View<'_>, account: &str, news: &TemplateNews, now: Millis) -> Result<()> {
    let place = key::template(account, &news.name, &news.language);
    let known: Option<TemplateForm> = view.read(WHAT, &place)?;
    if known.is_none() || news.changed {
        let copy = StoredCopy { wanted: true, ..stored(view, account)? };
        view.write(WHAT, key::template_copy(account), &copy)?;
    }
    if let Some(mut form) = known {
        form.take(news, now);
        view.write(WHAT, place, &form)?;
    }
    Ok(())
}
