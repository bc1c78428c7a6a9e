//! A refusal as the Graph API words it. Pure.

use crate::simulator::errors::{self, Problem};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal of the Graph API.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    pub problem: Problem,
    subcode: Option<u32>,
    kind: &'static str,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, subcode: None, kind: "OAuthException" }
    }
}

impl Refusal {
    pub fn new(code: u32, details: impl AsRef<str>) -> Self {
        Problem::new(code, details.as_ref()).into()
    }

    /// What Meta says of an id that is none of the token's.
    pub fn no_object(method: &str, id: &str) -> Self {
        let title = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded \
             due to missing permissions, or does not support this operation"
        );
        let problem = Problem { code: 100, title, details: String::new() };
        Self { problem, subcode: Some(33), kind: "GraphMethodException" }
    }

    fn body(&self, trace: &str) -> Value {
        let Problem { code, title, details } = &self.problem;
        let mut error = json!({
            "message": match (code, self.subcode) {
                (0 | 190, _) => details.clone(),
                (_, Some(_)) => title.clone(),
                (_, None) => format!("(#{code}) {title}"),
            },
            "type": self.kind,
            "code": code,
            "fbtrace_id": trace,
        });
        if let Some(error) = error.as_object_mut() {
            if let Some(subcode) = self.subcode {
                error.insert("error_subcode".into(), subcode.into());
            } else if ![0, 190].contains(code) {
                let details = json!({ "messaging_product": "whatsapp", "details": details });
                error.insert("error_data".into(), details);
            }
        }
        json!({ "error": error })
    }

    pub fn into_response(self, serial: u64) -> Response {
        let http = errors::find(self.problem.code).map_or(400, |known| known.http);
        let status = StatusCode::from_u16(http).unwrap_or(StatusCode::BAD_REQUEST);
        let body = self.body(&format!("Asimulated{serial:012}"));
        (status, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_metas() {
        let body = Refusal::new(131009, "text is too long").body("A1");
        assert_eq!(
            body,
            json!({"error": {
                "message": "(#131009) Parameter value is not valid",
                "type": "OAuthException", "code": 131009, "fbtrace_id": "A1",
                "error_data": {"messaging_product": "whatsapp", "details": "text is too long"},
            }})
        );
        let body = Refusal::no_object("post", "7").body("A1");
        assert_eq!(body["error"]["error_subcode"], 33);
        assert_eq!(body["error"]["code"], 100);
    }
}
