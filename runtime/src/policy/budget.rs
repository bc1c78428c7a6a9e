//! What a message costs, and whether the money reaches for it.

use super::hours;
use crate::model::{Address, Charge, Contact, Millis, PriceClass, Spending, calling_code};
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

/// What a message costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    Micros(u64),
    /// Nobody has said it: `+49 marketing`.
    Unknown(String),
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
        let price = || self.price(class, contact.phone.as_deref()).unwrap_or(0);
        let micros = if free { 0 } else { price() };
        Charge { day: hours::day(now, zone), class, currency: self.currency.clone(), micros }
    }

    /// What a message of `class` to there costs, as far as it is known. What is
    /// no template costs nothing where nobody says that it does.
    pub fn price_of(&self, class: PriceClass, to: &Address) -> Price {
        let phone = to.phone.as_deref();
        match (self.price(class, phone), class) {
            (Some(micros), _) => Price::Micros(micros),
            (None, PriceClass::Service) => Price::Micros(0),
            (None, _) => {
                let region = to.bsuid.as_deref().and_then(|id| id.split('.').next());
                let country = match (phone.and_then(calling_code), region) {
                    (Some(code), _) => format!("+{code}"),
                    (None, region) => region.unwrap_or("nowhere").to_owned(),
                };
                Price::Unknown(format!("{country} {}", class.name()))
            }
        }
    }

    /// In millionths; none if the business has not said it.
    fn price(&self, class: PriceClass, phone: Option<&str>) -> Option<u64> {
        let phone = phone.unwrap_or_default();
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
