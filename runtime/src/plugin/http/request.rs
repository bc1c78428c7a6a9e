//! A plugin's request, checked and cleaned before anything is done with it.
//! Pure.

use crate::model::HttpRequest;
use reqwest::{
    Method, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
/// What servers commonly take.
const URL_BYTES: usize = 8 * 1024;
/// Four times the largest stored value: a request carries words, not files.
const BODY_BYTES: usize = 256 * 1024;
/// Bytes and number of the headers, far more than any API asks for.
const HEADERS_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// A request that has the form of one.
pub struct Checked {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Checked {
    /// Error: what is wrong and what is allowed.
    pub fn of(request: &HttpRequest) -> Result<Self, String> {
        let body = &request.body;
        if body.len() > BODY_BYTES {
            return Err(format!(
                "the request's body has {} bytes, and {BODY_BYTES} are allowed",
                body.len()
            ));
        }
        Ok(Self {
            method: method(&request.method)?,
            url: url(&request.url)?,
            headers: headers(&request.headers)?,
            body: body.clone(),
        })
    }

    /// Whether doing it again could do more than doing it once.
    pub fn changes_something(&self) -> bool {
        ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method)
    }

    /// Names the request for the other side, unless the plugin has done so.
    pub fn name_it(&mut self, key: &str) -> Result<(), String> {
        let name = HeaderName::from_static("idempotency-key");
        if self.changes_something() && !self.headers.contains_key(&name) {
            let value = HeaderValue::from_str(key).map_err(|error| error.to_string())?;
            self.headers.insert(name, value);
        }
        Ok(())
    }
}

/// Headers that the host sets, or that concern the connection and not the
/// request. `accept-encoding` and `range` are among them because an answer
/// that is packed or cut up could not be searched for the credential.
pub fn is_of_the_host(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("proxy-")
        || matches!(
            name,
            "host"
                | "connection"
                | "keep-alive"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "content-length"
                | "expect"
                | "accept-encoding"
                | "range"
                | "user-agent"
                | "http2-settings"
        )
}

fn method(name: &str) -> Result<Method, String> {
    METHODS.into_iter().find(|method| method.as_str() == name).ok_or_else(|| {
        let known = METHODS.map(|method| method.to_string()).join(", ");
        let name: String = name.chars().take(20).collect();
        format!("`{name}` is not a method that may be used: there are {known}")
    })
}

fn url(text: &str) -> Result<Url, String> {
    if text.len() > URL_BYTES {
        return Err(format!("the address has {} bytes, and {URL_BYTES} are allowed", text.len()));
    }
    let url = Url::parse(text).map_err(|error| format!("the address can't be read: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err("the address must begin with `https://` and a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address must not hold a user or a password".into());
    }
    Ok(url)
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > HEADERS_BYTES || given.len() > HEADERS {
        return Err(format!(
            "the request has {} headers of {bytes} bytes, and {HEADERS} of {HEADERS_BYTES} are \
             allowed",
            given.len()
        ));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let known = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "a header's name may hold letters, digits and `-`".to_owned())?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the header `{known}` has a character that it can't carry"))?;
        if !is_of_the_host(&known) {
            headers.append(known, value);
        }
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let pair = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        HttpRequest {
            method: method.into(),
            url: url.into(),
            headers: headers.iter().map(pair).collect(),
            body: Vec::new(),
        }
    }

    fn refusal(request: &HttpRequest) -> String {
        Checked::of(request).err().unwrap()
    }

    #[test]
    fn what_has_not_the_form_of_a_request_is_refused() {
        for (method, url, words) in [
            ("get", "https://a.example/", "`get` is not a method"),
            ("CONNECT", "https://a.example/", "there are GET, HEAD, POST"),
            ("TRACE", "https://a.example/", "`TRACE` is not a method"),
            ("GET", "/orders", "can't be read"),
            ("GET", "ftp://a.example/", "must begin with `https://`"),
            ("GET", "file:///etc/passwd", "must begin with `https://`"),
            ("GET", "https://u@a.example/", "a user or a password"),
            ("GET", "https://a.example@127.0.0.1/", "a user or a password"),
        ] {
            let told = refusal(&request(method, url, &[]));
            assert!(told.contains(words), "{method} {url}: {told}");
        }
        let long = format!("https://a.example/{}", "x".repeat(URL_BYTES));
        assert!(refusal(&request("GET", &long, &[])).contains("bytes, and 8192 are allowed"));
        let split = refusal(&request("GET", "https://a.example/", &[("x", "a\r\nhost: b")]));
        assert!(split.contains("the header `x`"), "{split}");
        assert!(refusal(&request("GET", "https://a.example/", &[("a b", "")])).contains("letters"));
        let many = vec![("a", "b"); HEADERS + 1];
        assert!(refusal(&request("GET", "https://a.example/", &many)).contains("65 headers"));
        let mut large = request("POST", "https://a.example/", &[]);
        large.body = vec![0; BODY_BYTES + 1];
        assert!(refusal(&large).contains("body has 262145 bytes"));
    }

    #[test]
    fn the_hosts_own_headers_are_left_out() {
        let given = [
            ("Host", "evil.example"),
            ("Transfer-Encoding", "chunked"),
            ("content-length", "0"),
            ("Proxy-Authorization", "x"),
            ("Accept-Encoding", "gzip"),
            ("Range", "bytes=0-1"),
            ("Cookie", "a=b"),
            ("X-Own", "1"),
        ];
        let checked = Checked::of(&request("GET", "https://a.example/", &given)).ok().unwrap();
        let mut names: Vec<_> = checked.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-encoding", "cookie", "x-own"]);
        assert_eq!(checked.headers["accept-encoding"], "identity");
    }

    #[test]
    fn what_changes_something_has_a_name() {
        let key = |method: &str, own: &[(&str, &str)]| {
            let mut one = Checked::of(&request(method, "https://a.example/", own)).ok().unwrap();
            one.name_it("c1-4-shop-0").unwrap();
            one.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned())
        };
        assert_eq!(key("GET", &[]), None);
        assert_eq!(key("POST", &[]).as_deref(), Some("c1-4-shop-0"));
        assert_eq!(key("DELETE", &[("Idempotency-Key", "own")]).as_deref(), Some("own"));
    }
}
