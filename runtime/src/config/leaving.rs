//! `[policy]` and `[budget]`: what may leave beyond what WhatsApp itself asks,
//! and for how much money.

use crate::model::{Cap, QuietHours};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What may leave, and when. Reloads.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Who gets marketing.
    pub marketing_consent: MarketingConsent,
    /// How much marketing one contact gets from all steps together, such as
    /// `2 per 7 days`; none: as much as the steps send.
    #[schemars(
        with = "Option<String>",
        regex(pattern = Cap::PATTERN),
        extend("x-allowed" = "like `2 per 7 days`: 1 to 999 in 1 to 99 days")
    )]
    pub marketing_cap: Option<Cap>,
    /// When no marketing leaves, such as `21:00-09:00`, by the clock where the
    /// contact lives.
    #[schemars(
        with = "Option<String>",
        regex(pattern = QuietHours::PATTERN),
        extend("x-allowed" = "hours like `21:00-09:00`")
    )]
    pub quiet: Option<QuietHours>,
    /// How many contacts each channel may write to first within 24 hours;
    /// none: as many as Meta allows.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub daily_contacts: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum MarketingConsent {
    /// Whoever has said yes, as far as the host knows.
    OptIn,
    /// Whoever has not said no: the yes was given elsewhere.
    #[default]
    OptOut,
}

/// What messages cost and how much may be spent. Reloads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// ISO 4217, of all amounts here.
    #[schemars(
        regex(pattern = "^[A-Z]{3}$"),
        extend("x-allowed" = "three capital letters, such as `EUR`")
    )]
    pub currency: String,
    /// What a day's messages may cost before those that the business starts
    /// wait for the next day.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub per_day: Option<f64>,
    /// As `per_day`, of a month.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub per_month: Option<f64>,
    /// What one message costs.
    pub price: Prices,
    /// Prices that differ, by calling code without the `+`.
    #[schemars(extend("propertyNames" = { "pattern": "^[1-9][0-9]{0,6}$" }))]
    pub country: BTreeMap<String, Prices>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            currency: "USD".into(),
            per_day: None,
            per_month: None,
            price: Prices::default(),
            country: BTreeMap::new(),
        }
    }
}

/// Of one message, by Meta's categories. What is left out costs nothing or, in
/// a country, what it costs elsewhere.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// A marketing template.
    #[schemars(range(min = 0, max = 1_000))]
    pub marketing: Option<f64>,
    /// A utility template.
    #[schemars(range(min = 0, max = 1_000))]
    pub utility: Option<f64>,
    /// An authentication template.
    #[schemars(range(min = 0, max = 1_000))]
    pub authentication: Option<f64>,
    /// Whatever is no template.
    #[schemars(range(min = 0, max = 1_000))]
    pub service: Option<f64>,
}
