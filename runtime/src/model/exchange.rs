//! An HTTP request that a plugin made within a turn, and its answer.

use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute: `https://api.example.com/orders/7`.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request as the plugin made it, without what the host adds (credentials),
/// and what came of it: the answer, or the words that the plugin was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exchange {
    pub request: HttpRequest,
    pub response: Result<HttpResponse, String>,
}

impl Exchange {
    /// Whether it tells what the request would be answered: the same one, or one
    /// to the same address of which no body is recorded.
    pub fn answers(&self, request: &HttpRequest) -> bool {
        let own = &self.request;
        let same = own.method == request.method && own.url == request.url;
        same && (own.body.is_empty() || own.body == request.body)
    }

    /// About what it takes to keep it.
    pub fn bytes(&self) -> usize {
        let of = |headers: &[(String, String)]| -> usize {
            headers.iter().map(|(name, value)| name.len() + value.len()).sum()
        };
        let HttpRequest { method, url, headers, body } = &self.request;
        let answer = match &self.response {
            Ok(HttpResponse { status: _, headers, body }) => of(headers) + body.len(),
            Err(words) => words.len(),
        };
        method.len() + url.len() + of(headers) + body.len() + answer
    }
}
