//! Vectors of Twilio's own libraries, made anew, and what must not pass.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// What Twilio would send in the header.
fn sign(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let fields = Fields::form(&encoded(fields));
    let mac = mac(token, url, &in_order(&fields)).unwrap();
    STANDARD.encode(mac.finalize().into_bytes())
}

fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

struct Call {
    public_url: &'static str,
    path: String,
    query: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Call {
    fn new(query: &str, signature: &str, body: &[u8]) -> Self {
        let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        Self {
            public_url: "https://bot.example.com",
            path: "/webhooks/main".into(),
            query: query.into(),
            headers: HashMap::from([(HEADER.to_owned(), signature.to_owned()), kind]),
            body: body.into(),
        }
    }

    fn json(mut self) -> Self {
        self.headers.insert("content-type".into(), "application/json; charset=utf-8".into());
        self
    }

    fn verify(&self, tokens: &[&str]) -> Result<(), Denied> {
        let tokens: Vec<String> = tokens.iter().map(|token| (*token).to_owned()).collect();
        let webhook = Webhook {
            route: Default::default(),
            headers: &self.headers,
            path: &self.path,
            query: &self.query,
            body: &self.body,
        };
        verify(webhook, self.public_url, &tokens)
    }
}

const URL: &str = "https://bot.example.com/webhooks/main";
const FIELDS: [(&str, &str); 4] =
    [("To", "whatsapp:+1555"), ("Body", "a & b ü 😀"), ("NumMedia", "0"), ("Label", "")];

#[test]
fn a_signature_computed_by_hand_is_the_same() {
    // printf 'https://bot.example.com/webhooks/mainBodyhiFromwhatsapp:+1555' |
    //   openssl dgst -sha1 -hmac s3cret -binary | base64
    let by_hand = "yyMoLgoLd49dD10e21oBlfzF10g=";
    assert_eq!(sign("s3cret", URL, &[("From", "whatsapp:+1555"), ("Body", "hi")]), by_hand);
}

#[test]
fn any_of_several_tokens_will_do() {
    let body = encoded(&FIELDS);
    for token in ["old", "new"] {
        let call = Call::new("", &sign(token, URL, &FIELDS), &body);
        assert_eq!(call.verify(&["old", "new"]), Ok(()));
        assert_eq!(call.verify(&["other"]), Err(Denied::WrongSignature));
        assert_eq!(call.verify(&[]), Err(Denied::WrongSignature));
    }
    let mut bare = Call::new("", "", &body);
    assert_eq!(bare.verify(&["old"]), Err(Denied::WrongSignature));
    bare.headers.remove(HEADER);
    assert_eq!(bare.verify(&["old"]), Err(Denied::NoSignature));
}

#[test]
fn the_order_of_fields_and_repeated_ones_do_not_matter() {
    let twice = [("B", "2"), ("A", "x"), ("B", "1"), ("B", "2")];
    let call = Call::new("", &sign("t", URL, &twice), b"A=x&B=1&B=2");
    assert_eq!(call.verify(&["t"]), Ok(()));
    assert_eq!(
        call.verify(&["t"]),
        Call::new("", &sign("t", URL, &twice), b"B=2&B=1&A=x").verify(&["t"])
    );
    // An empty value counts by its name.
    let call = Call::new("", &sign("t", URL, &[("A", "x"), ("E", "")]), b"A=x");
    assert_eq!(call.verify(&["t"]), Err(Denied::WrongSignature));
}

#[test]
fn the_address_may_be_signed_with_its_port_and_its_query_in_two_spellings() {
    let body = encoded(&FIELDS);
    let call = |public_url, query: &str, url: &str| {
        let call = Call::new(query, &sign("t", url, &FIELDS), &body);
        Call { public_url, ..call }.verify(&["t"])
    };
    let base = "https://bot.example.com";
    for (public_url, query, url, fine) in [
        (base, "", "https://bot.example.com:443/webhooks/main", true),
        (base, "", "https://bot.example.com/webhooks/main", true),
        (base, "", "http://bot.example.com/webhooks/main", false),
        (base, "", "https://bot.example.com:8443/webhooks/main", false),
        (base, "", "https://evil.example.com/webhooks/main", false),
        (base, "", "https://bot.example.com/webhooks/other", false),
        (base, "x=1", "https://bot.example.com/webhooks/main", false),
        (base, "x=1", "https://bot.example.com/webhooks/main?x=1", true),
        (base, "a=x+y&b=%7e", "https://bot.example.com/webhooks/main?a=x+y&b=%7e", true),
        (base, "a=x+y&b=%7e", "https://bot.example.com/webhooks/main?a=x%20y&b=~", true),
        ("https://bot.example.com:8443", "", "https://bot.example.com:8443/webhooks/main", true),
        ("https://bot.example.com:8443", "", "https://bot.example.com/webhooks/main", true),
        ("http://127.0.0.1:80", "", "http://127.0.0.1/webhooks/main", true),
        ("http://[::1]:9000", "", "http://[::1]:9000/webhooks/main", true),
        ("http://[::1]", "", "http://[::1]:80/webhooks/main", true),
        ("https://h.example/bots", "", "https://h.example/bots/webhooks/main", true),
        ("", "", "/webhooks/main", false),
    ] {
        let expected = if fine { Ok(()) } else { Err(Denied::WrongSignature) };
        assert_eq!(call(public_url, query, url), expected, "{public_url} {query} {url}");
    }
}

#[test]
fn headers_of_proxies_count_for_nothing() {
    let mut call =
        Call::new("", &sign("t", "https://evil.example/webhooks/main", &FIELDS), &encoded(&FIELDS));
    for name in ["host", "x-forwarded-host", "forwarded"] {
        call.headers.insert(name.into(), "evil.example".into());
    }
    assert_eq!(call.verify(&["t"]), Err(Denied::WrongSignature));
}

#[test]
fn a_body_that_is_no_form_is_vouched_for_by_its_hash() {
    let body = br#"{"MessageSid":"SM1"}"#;
    let query = format!("bodySHA256={}", hex::encode(Sha256::digest(body)));
    let signature = sign("t", &format!("{URL}?{query}"), &[]);
    assert_eq!(Call::new(&query, &signature, body).json().verify(&["t"]), Ok(()));
    let other = Call::new(&query, &signature, br#"{"MessageSid":"SM2"}"#).json();
    assert_eq!(other.verify(&["t"]), Err(Denied::WrongSignature));
    // Without the hash nothing says whose body it is.
    let bare = Call::new("", &sign("t", URL, &[]), body).json();
    assert_eq!(bare.verify(&["t"]), Err(Denied::WrongSignature));
    // Nor may a form borrow the signature of such an address.
    let form = Call::new(&query, &signature, b"MessageSid=SM1");
    assert_eq!(form.verify(&["t"]), Err(Denied::WrongSignature));
}

#[test]
fn without_a_body_the_address_is_all() {
    let query = "MessageSid=SM1&From=whatsapp%3A%2B1555";
    let signature = sign("t", &format!("{URL}?{query}"), &[]);
    assert_eq!(Call::new(query, &signature, b"").verify(&["t"]), Ok(()));
    let other = Call::new(&query.replace("SM1", "SM2"), &signature, b"");
    assert_eq!(other.verify(&["t"]), Err(Denied::WrongSignature));
}

/// Puts another letter in the place of one.
fn other(text: &str, at: usize) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let place = at % letters.len();
    letters[place] = if letters[place] == 'q' { 'z' } else { 'q' };
    letters.into_iter().collect()
}

proptest! {
    #[test]
    fn any_changed_letter_spoils_it(
        names in proptest::collection::btree_set("[A-Za-p]{1,8}", 1..6),
        value in "\\PC{1,20}",
        query in "[a-p]{1,5}=[a-p]{1,5}",
        at in any::<usize>(),
    ) {
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
        let url = format!("{URL}?{query}");
        let signature = sign("token", &url, &fields);
        let good = Call::new(&query, &signature, &encoded(&fields));
        prop_assert_eq!(good.verify(&["token"]), Ok(()));
        let denied = Err(Denied::WrongSignature);
        // A name, a value, the path, the query, the token, the signature.
        let mut changed = fields.clone();
        let which = at % fields.len();
        let name = other(fields[which].0, at);
        changed[which].0 = &name;
        prop_assert_eq!(&Call { body: encoded(&changed), ..Call::new(&query, &signature, b"") }.verify(&["token"]), &denied);
        let mut changed = fields.clone();
        let words = other(&value, at);
        changed[which].1 = &words;
        prop_assert_eq!(&Call::new(&query, &signature, &encoded(&changed)).verify(&["token"]), &denied);
        let path = other("/webhooks/main", at);
        prop_assert_eq!(&Call { path, ..Call::new(&query, &signature, &good.body) }.verify(&["token"]), &denied);
        prop_assert_eq!(&Call::new(&other(&query, at), &signature, &good.body).verify(&["token"]), &denied);
        prop_assert_eq!(&good.verify(&[&other("token", at)]), &denied);
        let bent = other(&signature, at);
        prop_assert_eq!(&Call::new(&query, &bent, &good.body).verify(&["token"]), &denied);
    }
}
