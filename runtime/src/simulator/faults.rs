//! What is to go wrong, on demand. Pure.

use super::{errors, state::Millis, twilio};
use serde::{Deserialize, Serialize};

/// Faults that may wait at once; more are refused.
const FAULTS_MAX: usize = 100;
/// Sends that one fault may spoil.
const COUNT_MAX: u32 = 1_000_000;
/// How long a client is left waiting, unless said otherwise: longer than any
/// sensible time limit.
const HANG_MS: Millis = 120_000;

/// Spoils the next sends.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    /// Meta's error code, or one of Twilio's on its wire, for `error` and
    /// `failed`; the HTTP status for `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// How many sends are still to be spoilt.
    #[serde(default = "one")]
    pub count: u32,
    /// Only sends to this phone: its number or its BSUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// For `timeout`, `hang` and `slow`: how long the client is left waiting.
    #[serde(default = "hang")]
    pub hang_ms: Millis,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Refused at once with `code`.
    Error,
    /// Accepted, then a `failed` receipt with `code`.
    Failed,
    /// Accepted and delivered, but the client gets no answer.
    Timeout,
    /// Not accepted, and the client gets no answer either.
    Hang,
    /// Accepted, and answered late.
    Slow,
    /// Not accepted: HTTP 500 with a body that is not Meta's.
    #[serde(rename = "http_500")]
    Http500,
    /// Not accepted: the HTTP status in `code`, with a body that is not Meta's.
    Http,
}

fn one() -> u32 {
    1
}

fn hang() -> Millis {
    HANG_MS
}

/// What to do to webhooks of a kind for as long as it is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Kept back until released.
    pub hold: bool,
    /// Receipts: the last one of a message first. Messages: every other one
    /// after the next.
    pub reorder: bool,
    /// Never sent.
    pub drop: bool,
    /// How many times each one is sent.
    pub copies: u32,
}

impl Default for WebhookFaults {
    fn default() -> Self {
        Self { hold: false, reorder: false, drop: false, copies: 1 }
    }
}

/// What is wrong with files for as long as it is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaFaults {
    /// The description names another hash than the file's.
    pub wrong_hash: bool,
    /// Addresses do not work.
    pub dead: bool,
    /// Before a file is handed over.
    pub slow_ms: Millis,
}

/// The faults that wait, in the order in which they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// # Errors
    /// Too many faults, a code that WhatsApp does not have, or none where one
    /// is needed.
    pub fn add(&mut self, fault: Fault) -> Result<(), String> {
        use FaultKind::{Error, Failed, Http};
        let needs_code = matches!(fault.kind, Error | Failed | Http);
        match fault.code {
            Some(status) if fault.kind == Http => {
                if !(400..=599).contains(&status) {
                    return Err("the code of an `http` fault must be from 400 to 599".into());
                }
            }
            None if needs_code => return Err("this fault needs a code".into()),
            Some(code) if errors::find(code).is_none() && !twilio::is_known(code) => {
                return Err(format!("{code} is not an error code of WhatsApp's"));
            }
            None | Some(_) => {}
        }
        if fault.count == 0 || fault.count > COUNT_MAX {
            return Err(format!("the count must be between 1 and {COUNT_MAX}"));
        }
        if self.0.len() >= FAULTS_MAX {
            return Err(format!("at most {FAULTS_MAX} faults may wait at once"));
        }
        self.0.push(fault);
        Ok(())
    }

    /// The fault that this send meets; it is then used up by one.
    pub fn take(&mut self, names: &[&str]) -> Option<Fault> {
        let meets = |fault: &Fault| fault.phone.as_deref().is_none_or(|one| names.contains(&one));
        let at = self.0.iter().position(meets)?;
        let fault = self.0.get_mut(at)?;
        let taken = fault.clone();
        fault.count -= 1;
        if fault.count == 0 {
            self.0.remove(at);
        }
        Some(taken)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_is_used_up_and_meets_only_its_phone() {
        let mut faults = Faults::default();
        let add = |faults: &mut Faults, fault| faults.add(serde_json::from_value(fault).unwrap());
        add(&mut faults, json!({"kind": "error", "code": 131056, "count": 2, "phone": "1"}))
            .unwrap();
        assert_eq!(faults.take(&["2"]), None);
        assert_eq!(faults.take(&["1", "US.1"]).unwrap().code, Some(131056));
        assert!(faults.take(&["1"]).is_some());
        assert!(faults.take(&["1"]).is_none());
        assert!(add(&mut faults, json!({"kind": "error"})).is_err());
        assert!(add(&mut faults, json!({"kind": "failed", "code": 5})).is_err());
        add(&mut faults, json!({"kind": "http_500"})).unwrap();
    }
}
