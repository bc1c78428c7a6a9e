//! The business's account: token, payment, quality, restrictions, and the
//! news that a change of them makes.

use super::{errors::Problem, settings::merge, state::Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `GET` and `POST /sim/account`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    pub token: Token,
    /// When the token stops working, in milliseconds since the Unix epoch.
    pub token_expires_at: Option<Millis>,
    pub payment: Payment,
    pub quality: Quality,
    pub restricted: Restriction,
    pub display_name: DisplayName,
    /// False: the number is not registered with WhatsApp.
    pub registered: bool,
    /// False: promotions must go by the Marketing Messages API.
    pub marketing: bool,
    /// False: the bot's app is not subscribed, and gets no webhook at all.
    pub subscribed: bool,
    /// People who may be written to first within 24 hours; 0 is no limit.
    pub daily_contacts: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Token {
    Ok,
    /// Refused with 190.
    Expired,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payment {
    Ok,
    /// Refused with 131042.
    Problem,
}

/// Of the number, or of a template.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Quality {
    Green,
    Yellow,
    Red,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restriction {
    None,
    /// Templates are refused with 368.
    Templates,
    /// Everything is refused with 368.
    All,
    /// Everything is refused with 131031.
    Locked,
    /// Everything is refused with 131048.
    Spam,
    /// Everything is refused with 131057, for maintenance.
    Maintenance,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DisplayName {
    Approved,
    /// Refused with 131037.
    Pending,
    /// Refused with 131037.
    Declined,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            token: Token::Ok,
            token_expires_at: None,
            payment: Payment::Ok,
            quality: Quality::Green,
            restricted: Restriction::None,
            display_name: DisplayName::Approved,
            registered: true,
            marketing: true,
            subscribed: true,
            daily_contacts: 0,
        }
    }
}

impl Account {
    /// This account with some of it changed.
    ///
    /// # Errors
    /// A name that it does not have, or a value that is not allowed there.
    pub fn patched(&self, changes: &Value) -> Result<Self, String> {
        let mut all = json!(self);
        merge(&mut all, changes);
        serde_json::from_value(all).map_err(|why| why.to_string())
    }

    pub fn token_works(&self, now: Millis) -> bool {
        self.token == Token::Ok && self.token_expires_at.is_none_or(|at| now < at)
    }

    /// Whether the account may send such a message at all.
    ///
    /// # Errors
    /// Why it may not.
    pub fn may_send(&self, template: bool) -> Result<(), Problem> {
        let code = match self.restricted {
            Restriction::None => None,
            Restriction::Templates => template.then_some(368),
            Restriction::All => Some(368),
            Restriction::Locked => Some(131031),
            Restriction::Spam => Some(131048),
            Restriction::Maintenance => Some(131057),
        };
        let code = match (self.registered, self.display_name, self.payment) {
            (false, ..) => Some(133010),
            (true, DisplayName::Pending | DisplayName::Declined, _) => code.or(Some(131037)),
            (true, DisplayName::Approved, Payment::Problem) => code.or(Some(131042)),
            (true, DisplayName::Approved, Payment::Ok) => code,
        };
        code.map_or(Ok(()), |code| Err(Problem::new(code, "")))
    }

    /// The limit on first messages, as a tier's name.
    pub fn tier(&self) -> String {
        match self.daily_contacts {
            0 => "TIER_UNLIMITED".into(),
            many if many % 1_000 == 0 => format!("TIER_{}K", many / 1_000),
            few => format!("TIER_{few}"),
        }
    }

    /// The webhooks that tell of what is new: field and value.
    pub fn news_since(
        &self,
        before: &Self,
        number: &str,
        name: &str,
        now: Millis,
    ) -> Vec<(&'static str, Value)> {
        let mut news = Vec::new();
        if self.quality != before.quality {
            let event = if self.quality == Quality::Red { "FLAGGED" } else { "UNFLAGGED" };
            news.push((
                "phone_number_quality_update",
                json!({"display_phone_number": number, "event": event, "current_limit": self.tier()}),
            ));
        }
        if self.daily_contacts != before.daily_contacts {
            let size = |limit| if limit == 0 { u32::MAX } else { limit };
            let more = size(self.daily_contacts) > size(before.daily_contacts);
            let most = if self.daily_contacts == 0 { -1 } else { i64::from(self.daily_contacts) };
            news.push((
                "phone_number_quality_update",
                json!({"display_phone_number": number,
                    "event": if more { "UPGRADE" } else { "DOWNGRADE" },
                    "old_limit": before.tier(), "current_limit": self.tier(),
                    "max_daily_conversations_per_business": most}),
            ));
            news.push((
                "business_capability_update",
                json!({"max_daily_conversations_per_business": most}),
            ));
        }
        if self.display_name != before.display_name && self.display_name != DisplayName::Pending {
            let approved = self.display_name == DisplayName::Approved;
            news.push((
                "phone_number_name_update",
                json!({"display_phone_number": number,
                    "decision": if approved { "APPROVED" } else { "REJECTED" },
                    "requested_verified_name": name,
                    "rejection_reason": if approved { Value::Null } else { json!("NAME_NOT_RELATED") }}),
            ));
        }
        if self.restricted != before.restricted {
            news.extend(self.restriction_news(before.restricted, now));
        }
        news
    }

    fn restriction_news(&self, before: Restriction, now: Millis) -> Option<(&'static str, Value)> {
        // Meta's first step is one day without templates.
        let until = now / 1_000 + 24 * 60 * 60;
        let value = match self.restricted {
            // Nobody tells that the others are over.
            Restriction::None if before == Restriction::Locked => {
                json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}})
            }
            Restriction::None | Restriction::Spam | Restriction::Maintenance => return None,
            Restriction::Locked => {
                json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}})
            }
            Restriction::Templates => json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": until}]}),
            Restriction::All => json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": until},
                {"restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
                    "expiration": until}]}),
        };
        Some(("account_update", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_account_refuses_sends() {
        let code = |changes: Value, template| {
            let account = Account::default().patched(&changes).unwrap();
            account.may_send(template).err().map(|problem| problem.code)
        };
        assert_eq!(code(json!({}), true), None);
        assert_eq!(code(json!({"restricted": "templates"}), true), Some(368));
        assert_eq!(code(json!({"restricted": "templates"}), false), None);
        assert_eq!(
            code(json!({"restricted": "locked", "payment": "problem"}), false),
            Some(131031)
        );
        assert_eq!(code(json!({"payment": "problem"}), false), Some(131042));
        assert_eq!(code(json!({"display_name": "pending"}), false), Some(131037));
        assert_eq!(code(json!({"registered": false}), false), Some(133010));
        assert!(Account::default().patched(&json!({"token": "lost"})).is_err());
    }

    #[test]
    fn a_token_works_until_its_time() {
        let account = Account { token_expires_at: Some(10), ..Account::default() };
        assert!(account.token_works(9) && !account.token_works(10));
        assert_eq!(Account { daily_contacts: 2_000, ..Account::default() }.tier(), "TIER_2K");
    }
}
