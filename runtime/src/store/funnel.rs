//! Adds up what became of a campaign's members, page by page, so that others
//! can read and write between.

use super::{Result, Store};
use crate::model::*;
use std::collections::BTreeMap;

/// Members read at once.
const PAGE: usize = 500;

/// A campaign with its sums.
#[derive(Clone, PartialEq, Debug)]
pub struct Funnels {
    pub broadcast: Broadcast,
    pub whole: Funnel,
    /// Of those who are in a variant.
    pub variants: BTreeMap<String, Funnel>,
}

/// None: there is no such campaign. `price` adds what is yet to be paid.
///
/// # Errors
/// As the store's.
pub async fn funnels(
    store: &dyn Store,
    key: &CampaignKey,
    price: impl Fn(&Unpaid, &mut Funnel) + Send + Sync,
) -> Result<Option<Funnels>> {
    loop {
        let Some(Campaign { broadcast, past }) = store.campaign(key).await? else {
            return Ok(None);
        };
        let mut variants = past.clone();
        let mut after = None;
        loop {
            let page = store.members(key, after, PAGE).await?;
            for one in &page.members {
                let variant = one.member.variant.clone().unwrap_or_default();
                let funnel = variants.entry(variant).or_default();
                funnel.count(one);
                one.unpaid.iter().for_each(|unpaid| price(unpaid, funnel));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // Who became a number meanwhile may have been counted twice or not at all.
        if store.campaign(key).await?.is_some_and(|now| now.past != past) {
            continue;
        }
        let mut whole = Funnel::default();
        variants.values().for_each(|funnel| whole.add(funnel));
        variants.remove("");
        return Ok(Some(Funnels { broadcast, whole, variants }));
    }
}
