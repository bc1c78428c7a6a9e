//! What a message costs, and whether the money reaches for it.

use super::hours;
use crate::model::{Charge, Contact, Millis, PriceClass, Spending};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// The business's prices and bounds, in millionths of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub currency: String,
    pub per_day: Option<u64>,
    pub per_month: Option<u64>,
    pub prices: Prices,
    /// By calling code: `49`. The longest that fits counts.
    pub by_country: BTreeMap<String, Prices>,
}

/// What is not here costs nothing.
pub type Prices = BTreeMap<PriceClass, u64>;

/// What was spent and is about to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub today: u64,
    pub this_month: u64,
}

impl Spent {
    /// Of all channels. `day` is today's number.
    pub fn of(spendings: &[Spending], currency: &str, day: u32) -> Self {
        let ours = || spendings.iter().filter(|one| one.currency == currency);
        let sum = |of: &dyn Fn(&&Spending) -> bool| ours().filter(of).map(|one| one.micros).sum();
        Self {
            today: sum(&|one| one.day == day),
            this_month: sum(&|one| one.day / 100 == day / 100),
        }
    }

    pub fn add(&mut self, micros: u64) {
        self.today = self.today.saturating_add(micros);
        self.this_month = self.this_month.saturating_add(micros);
    }
}

impl Budget {
    /// What a message of `class` to this contact costs at `now`; `free`: by
    /// the provider's entry point.
    pub fn charge(
        &self,
        class: PriceClass,
        contact: &Contact,
        free: bool,
        now: Millis,
        zone: &TimeZone,
    ) -> Charge {
        let micros = if free { 0 } else { self.price(class, contact).unwrap_or(0) };
        Charge { day: hours::day(now, zone), class, currency: self.currency.clone(), micros }
    }

    /// In millionths; none if the business has not said it.
    pub fn price(&self, class: PriceClass, contact: &Contact) -> Option<u64> {
        let phone = contact.phone.as_deref().unwrap_or_default();
        let of_country = (1..=phone.len()).rev().find_map(|length| {
            let prices = self.by_country.get(phone.get(..length)?)?;
            prices.get(&class)
        });
        of_country.or_else(|| self.prices.get(&class)).copied()
    }

    /// Until when a message that costs `micros` has to wait for money, with
    /// words for it.
    pub(super) fn wait(
        &self,
        micros: u64,
        spent: Spent,
        now: Millis,
        zone: &TimeZone,
    ) -> Option<(Millis, &'static str)> {
        let over = |spent: u64, bound: Option<u64>| {
            bound.is_some_and(|bound| spent.saturating_add(micros) > bound)
        };
        if micros == 0 {
            return None;
        }
        if over(spent.this_month, self.per_month) {
            let until = hours::next_month(now, zone)?;
            return Some((until, "the month's money (`budget.per_month`) is spent"));
        }
        if over(spent.today, self.per_day) {
            return Some((
                hours::next_day(now, zone)?,
                "the day's money (`budget.per_day`) is spent",
            ));
        }
        None
    }
}
