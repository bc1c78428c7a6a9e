//! Who gets which variant, and who gets none so that one can compare.

use super::{
    Place,
    content::{Button, Fill, Header, Mould},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRule {
    name: String,
    share: Option<u32>,
    template: Option<String>,
    parameters: Option<Vec<String>>,
    header: Option<Header>,
    buttons: Option<Vec<Button>>,
}

/// The variants of a promotion, one without a name where there are none.
pub struct Arms {
    /// In hundredths of a percent; their people come first, so that other
    /// shares may change and they stay the same.
    hold_out: u64,
    /// Each with its name and its share in hundredths of a percent. All shares
    /// together are 10,000.
    variants: Vec<(String, u64, Mould)>,
}

/// What a contact is in.
#[derive(Debug, PartialEq)]
pub enum Arm<'a> {
    HoldOut,
    Variant(&'a str, &'a Mould),
}

/// The name of those who get none.
pub const HOLD_OUT: &str = "hold-out";
const WHOLE: u64 = 10_000;
const PERCENT: u64 = 100;

impl Arms {
    pub fn read(
        fill: Fill,
        rules: Vec<VariantRule>,
        hold_out: u32,
        place: &mut Place<'_>,
    ) -> Option<Self> {
        let hold_out = u64::from(hold_out) * PERCENT;
        if hold_out >= WHOLE {
            place.problem("hold_out", "is in percent, and somebody has to get it: 0 to 99");
            return None;
        }
        let whole = WHOLE - hold_out;
        if rules.is_empty() {
            let mould = fill.settle(place)?;
            return Some(Self { hold_out, variants: vec![(String::new(), whole, mould)] });
        }
        let shares = shares(&rules, whole, place);
        let mut variants: Vec<(String, u64, Mould)> = Vec::new();
        for (at, (rule, share)) in rules.into_iter().zip(shares?).enumerate() {
            let mut place = place.under(&format!("variant/{at}"));
            let VariantRule { name, template, parameters, header, buttons, .. } = rule;
            if name == HOLD_OUT || variants.iter().any(|(other, ..)| *other == name) {
                place.problem("name", format!("`{name}` is another's name"));
            }
            let own = Fill { template, parameters, header, buttons };
            variants.push((name, share, own.or(&fill).settle(&mut place)?));
        }
        Some(Self { hold_out, variants })
    }

    /// The arm of a contact by its number, which is always the same.
    pub fn of(&self, number: u64) -> Option<Arm<'_>> {
        let at = number % WHOLE;
        if at < self.hold_out {
            return Some(Arm::HoldOut);
        }
        let mut end = self.hold_out;
        self.variants.iter().find_map(|(name, share, mould)| {
            end += share;
            (at < end).then_some(Arm::Variant(name, mould))
        })
    }
}

/// Each variant's share of `whole`: its own, or an equal part of what those
/// with one leave.
fn shares(rules: &[VariantRule], whole: u64, place: &mut Place<'_>) -> Option<Vec<u64>> {
    let given: u64 = rules.iter().filter_map(|rule| rule.share).map(u64::from).sum();
    let given = given * PERCENT;
    let open = rules.iter().filter(|rule| rule.share.is_none()).count() as u64;
    let most = whole / PERCENT;
    let told = given / PERCENT;
    if given > whole {
        let message = format!("the shares come to {told} %; {most} % are there, less `hold_out`");
        place.problem("variant", message);
        return None;
    }
    if open == 0 && given < whole {
        place.problem("variant", format!("the shares come to {told} %, and not to {most} %"));
        return None;
    }
    if open > whole - given {
        place.problem("variant", "no share is left for those without one");
        return None;
    }
    let mut rest = whole - given;
    let mut left = open;
    let share = |rule: &VariantRule| match rule.share {
        Some(share) => u64::from(share) * PERCENT,
        None => {
            let part = rest / left.max(1);
            rest -= part;
            left = left.saturating_sub(1);
            part
        }
    };
    Some(rules.iter().map(share).collect())
}

/// A number of these words, the same on every machine and in every version:
/// FNV-1a, then a finish after which its last digits are as good as any.
pub fn number(words: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in words {
        for byte in word.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
