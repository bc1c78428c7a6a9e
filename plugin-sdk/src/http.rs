//! Requests to hosts that the owner has granted. Each is made within the turn
//! and waited for.
//!
//! ```
//! # use switchboard_plugin::*;
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     state: String,
//! }
//! fn state_of(order: &str) -> Result<String, String> {
//!     let url = format!("https://api.example.com/orders/{order}");
//!     let answer = http::Request::get(url).header("accept", "application/json").send()?;
//!     Ok(answer.success()?.json::<Order>()?.state)
//! }
//! ```

pub use crate::bindings::switchboard::plugin::http::{Request, Response};

use crate::host;
use serde::{Serialize, de::DeserializeOwned};

/// Gets what is at an address.
pub fn get(url: impl Into<String>) -> Result<Response, String> {
    Request::get(url).send()
}

impl Request {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
    /// A body as JSON, and the header that says so.
    pub fn json(self, value: &impl Serialize) -> Result<Self, String> {
        let body = serde_json::to_vec(value).map_err(|error| error.to_string())?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Any status is an answer, redirects too: they are not followed. Error:
    /// why there is none, in words.
    pub fn send(&self) -> Result<Response, String> {
        host::http::send(self)
    }
}

impl Response {
    /// The answer if its status is a 2xx.
    pub fn success(self) -> Result<Self, String> {
        match self.status {
            200..=299 => Ok(self),
            status => Err(format!("the answer has the status {status}")),
        }
    }
    /// The first header of this name, whatever its capitals.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.body).map_err(|_| "the answer is not UTF-8 text".into())
    }
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("the answer: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::{testing::Stage, *};

    #[derive(serde::Deserialize)]
    struct Order {
        state: String,
    }
    struct Orders;
    impl Plugin for Orders {
        type Rules = ();
        const WANTS: &'static [(&'static str, &'static str)] =
            &[("http:api.example.com", "looks orders up")];
        fn new((): ()) -> Result<Self, Vec<Problem>> {
            Ok(Self)
        }
        fn on_message(&self, message: Message) -> Outcome {
            let order = message.words().unwrap_or_default().to_owned();
            let found = http::get(format!("https://api.example.com/orders/{order}"))?;
            if found.status == 404 {
                let note = serde_json::json!({ "missing": order });
                let noted = http::Request::post("https://api.example.com/notes").json(&note)?;
                noted.send()?.success()?;
                reply("There is no such order.")?;
                return Ok(Stop);
            }
            reply(found.success()?.json::<Order>()?.state)?;
            Ok(Stop)
        }
    }

    #[test]
    fn a_plugin_asks_and_is_answered() {
        let mut stage = Stage::default();
        stage.answers("GET", "https://api.example.com/orders/7", 200, r#"{"state": "sent"}"#);
        stage.answers("GET", "https://api.example.com/orders/8", 404, "");
        stage.answers("POST", "https://api.example.com/notes", 204, "");
        assert_eq!(stage.says(&Orders, "7").replies(), ["sent"]);
        let turn = stage.says(&Orders, "8");
        assert_eq!(turn.replies(), ["There is no such order."]);
        let asked: Vec<_> = turn.requests.iter().map(|it| it.method.as_str()).collect();
        assert_eq!(asked, ["GET", "POST"]);
        assert_eq!(turn.requests[1].body, br#"{"missing":"8"}"#);
        let verdict = stage.says(&Orders, "9").verdict;
        let missing = "no recorded answer for GET https://api.example.com/orders/9";
        assert_eq!(verdict, Err(missing.into()));
        stage.fails("GET", "https://api.example.com/orders/9", "no answer came");
        assert_eq!(stage.says(&Orders, "9").verdict, Err("no answer came".into()));
    }

    #[test]
    fn an_answer_is_read() {
        let answer = http::Response {
            status: 302,
            headers: vec![("Location".into(), "/there".into())],
            body: vec![0xff],
        };
        assert_eq!(answer.header("location"), Some("/there"));
        assert_eq!(answer.text(), Err("the answer is not UTF-8 text".into()));
        assert_eq!(answer.success(), Err("the answer has the status 302".into()));
    }
}
