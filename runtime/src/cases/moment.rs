//! A moment as a case writes it: RFC 3339, in UTC.

use crate::model::{Millis, moment};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment(pub Millis);

/// 2 March 2026, a Monday, 10:00 UTC: when a case happens that does not say.
pub const DEFAULT: Millis = 1_772_445_600_000;

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match moment(self.0) {
            Some(moment) => serializer.collect_str(&moment),
            // A plugin may have asked for the year one million.
            None => serializer.serialize_u64(self.0),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(u64),
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Written::deserialize(deserializer) {
            Ok(Written::Text(text)) => text,
            Ok(Written::Number(at)) => return Ok(Self(at)),
            Err(_) => return Err(D::Error::custom("a moment is text: `2026-03-02T10:00:00Z`")),
        };
        let moment = text.parse::<Timestamp>().ok();
        let at = moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok());
        at.map(Self).ok_or_else(|| {
            let needed = "is not a moment such as `2026-03-02T10:00:00Z`, from 1970 on";
            D::Error::custom(format!("`{text}` {needed}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_their_text_form() {
        assert_eq!(serde_json::to_string(&Moment(DEFAULT)).unwrap(), "\"2026-03-02T10:00:00Z\"");
        for at in [0, DEFAULT, DEFAULT + 1, u64::MAX] {
            let text = serde_json::to_string(&Moment(at)).unwrap();
            assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), Moment(at), "{text}");
        }
        let offset: Moment = serde_json::from_str("\"2026-03-02T11:00:00+01:00\"").unwrap();
        assert_eq!(offset, Moment(DEFAULT));
        for wrong in ["\"monday\"", "true", "\"1969-01-01T00:00:00Z\""] {
            let error = serde_json::from_str::<Moment>(wrong).unwrap_err().to_string();
            assert!(error.contains("2026-03-02T10:00:00Z"), "{error}");
        }
    }
}
