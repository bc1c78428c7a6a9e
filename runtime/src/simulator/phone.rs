//! A customer's phone: who it is, its window, its limits. Pure.

use super::{
    limits::Bucket,
    names,
    state::{Millis, WINDOW_MS},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// In a phone's name, username or number.
const NAME_CHARS: usize = 100;

/// A phone to make: give a number, a username, or both.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPhone {
    /// The name in the customer's profile.
    pub name: String,
    /// Left out for a customer whom the business knows by username only.
    pub number: Option<String>,
    /// Without the `@`.
    pub username: Option<String>,
    /// A BSUID; made from the number or username if left out.
    pub user_id: Option<String>,
}

/// Who a customer is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    pub name: String,
    pub number: Option<String>,
    pub username: Option<String>,
    pub user_id: String,
}

impl Who {
    /// What the control API calls it: its number, else its BSUID.
    pub fn key(&self) -> &str {
        self.number.as_deref().unwrap_or(&self.user_id)
    }
}

/// A customer's phone.
#[derive(Clone, Debug)]
pub struct Phone {
    pub who: Who,
    /// When the customer last wrote; the window is open for 24 h from then.
    pub last_inbound: Option<Millis>,
    pub typing_until: Millis,
    pub unread: u32,
    pub pair: Bucket,
    /// Its messages' numbers, oldest first.
    pub history: VecDeque<u64>,
}

impl Phone {
    pub fn new(who: Who) -> Self {
        Self {
            who,
            last_inbound: None,
            typing_until: 0,
            unread: 0,
            pair: Bucket::default(),
            history: VecDeque::new(),
        }
    }

    pub fn window_open_until(&self) -> Option<Millis> {
        self.last_inbound.map(|at| at + WINDOW_MS)
    }
}

impl NewPhone {
    /// # Errors
    /// Neither number nor username, or one that is malformed.
    pub fn checked(self) -> Result<Who, String> {
        let number = match self.number.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(names::digits(text).ok_or_else(|| {
                format!("{text:?} is not a phone number: 5 to 15 digits with the country code")
            })?),
        };
        let username = self
            .username
            .map(|name| name.trim().trim_start_matches('@').to_owned())
            .filter(|name| !name.is_empty());
        let Some(of) = number.clone().or_else(|| username.clone()) else {
            return Err("a phone needs a number or a username".into());
        };
        let user_id = self.user_id.unwrap_or_else(|| names::user_id("US", &of));
        if !names::is_user_id(&user_id) {
            return Err(format!("{user_id:?} is not a business-scoped user id, e.g. US.1349"));
        }
        let name = if self.name.trim().is_empty() { of } else { self.name.trim().to_owned() };
        if [Some(&name), username.as_ref()].into_iter().flatten().any(|n| n.len() > NAME_CHARS) {
            return Err(format!("a name may have at most {NAME_CHARS} characters"));
        }
        Ok(Who { name, number, username, user_id })
    }
}
