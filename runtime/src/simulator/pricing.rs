//! What a message costs, by its kind and the windows that are open. Pure.

use super::{state::Millis, templates::Category};
use serde::Serialize;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Pricing {
    pub billable: bool,
    pub category: &'static str,
    /// `regular`, `free_customer_service` or `free_entry_point`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the free entry point closes, if one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_until: Option<Millis>,
}

/// What is known of a message when it is taken.
#[derive(Clone, Copy, Debug)]
pub struct Sold {
    pub template: bool,
    /// None for a template that is not registered: a promotion, say.
    pub category: Option<Category>,
    pub window_open: bool,
    pub free_until: Option<Millis>,
    /// Answers and in-window utility templates cost too, as is told of
    /// October 2026.
    pub service_charged: bool,
}

impl Sold {
    pub fn price(self) -> Pricing {
        let category = match (self.template, self.category) {
            (false, _) => "service",
            (true, Some(Category::Utility)) => "utility",
            (true, Some(Category::Authentication)) => "authentication",
            (true, Some(Category::Marketing) | None) => "marketing",
        };
        if self.free_until.is_some() {
            let (kind, category) = ("free_entry_point", "referral_conversion");
            return Pricing { billable: false, category, kind, free_until: self.free_until };
        }
        let in_window = category == "service" || (category == "utility" && self.window_open);
        let free = in_window && !self.service_charged;
        let kind = if free { "free_customer_service" } else { "regular" };
        Pricing { billable: !free, category, kind, free_until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_category_and_windows() {
        let answer = Sold {
            template: false,
            category: None,
            window_open: true,
            free_until: None,
            service_charged: false,
        };
        let is = |sold: Sold| {
            let Pricing { billable, category, kind, .. } = sold.price();
            (billable, category, kind)
        };
        let utility = Sold { template: true, category: Some(Category::Utility), ..answer };
        assert_eq!(is(answer), (false, "service", "free_customer_service"));
        assert_eq!(is(utility), (false, "utility", "free_customer_service"));
        let closed = Sold { window_open: false, ..utility };
        assert_eq!(is(closed), (true, "utility", "regular"));
        let sale = Sold { category: Some(Category::Marketing), ..utility };
        assert_eq!(is(sale), (true, "marketing", "regular"));
        assert_eq!(is(Sold { service_charged: true, ..answer }), (true, "service", "regular"));
        let free = Sold { free_until: Some(9), ..sale };
        assert_eq!(is(free), (false, "referral_conversion", "free_entry_point"));
    }
}
