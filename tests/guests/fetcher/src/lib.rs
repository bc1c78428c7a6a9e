//! Sends the HTTP requests that a message tells it to, and says as reasons
//! what came of each: everything that a plugin can see of an answer.

use switchboard_plugin::*;

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Rules {
    /// Sent with each request.
    headers: Vec<(String, String)>,
    /// Asked for while the rules are taken.
    at_once: Option<String>,
    /// Bytes of each request's body.
    body_bytes: usize,
}

struct Fetcher(Rules);

impl Plugin for Fetcher {
    type Rules = Rules;
    const WANTS: &'static [(&'static str, &'static str)] = &[
        ("http:api.example.com", "looks orders up"),
        ("http:*.shop.example:8443", "asks the shops"),
        ("send-to-others", "tells the owner"),
    ];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        if let Some(url) = &rules.at_once {
            http::get(url).map_err(|words| vec![Problem::new("/at_once", words)])?;
        }
        Ok(Self(rules))
    }

    /// `GET https://…`, `FOLLOW https://…` or, five times, `5 https://…`.
    fn on_message(&self, message: Message) -> Outcome {
        let words = message.words().unwrap_or_default();
        let (how, url) = words.split_once(' ').ok_or("a method and an address are needed")?;
        match (how, how.parse::<u32>()) {
            ("FOLLOW", _) => self.follow(url),
            (_, Ok(times)) => (0..times).for_each(|_| drop(self.tell("GET", url))),
            (method, Err(_)) => drop(self.tell(method, url)),
        }
        Ok(Stop)
    }
}

impl Fetcher {
    fn tell(&self, method: &str, url: &str) -> Option<http::Response> {
        let mut request = http::Request::new(method, url).body(vec![b'x'; self.0.body_bytes]);
        for (name, value) in &self.0.headers {
            request = request.header(name, value);
        }
        match request.send() {
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body);
                because(format!("{} {} {body}", answer.status, answer.body.len()));
                for (name, value) in &answer.headers {
                    because(format!("{name}: {value}"));
                }
                Some(answer)
            }
            Err(words) => {
                because(format!("error: {words}"));
                None
            }
        }
    }

    fn follow(&self, url: &str) {
        let mut next = Some(url.to_owned());
        while let Some(url) = next.take() {
            let answer = self.tell("GET", &url);
            next = answer.and_then(|answer| answer.header("location").map(str::to_owned));
        }
    }
}

export!(Fetcher);
