//! Tables and properties of the pattern.

use super::*;
use proptest::prelude::*;

fn pattern(text: &str) -> HostPattern {
    HostPattern::parse(text).unwrap_or_else(|why| panic!("{text} {why}"))
}

fn matches(text: &str, url: &str) -> bool {
    pattern(text).matches(&url.parse().unwrap())
}

#[test]
fn what_is_granted() {
    for (grant, url) in [
        ("api.example.com", "https://api.example.com/a?b#c"),
        ("API.Example.com", "https://api.EXAMPLE.com:443"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example", "https://BÜCHER.example/"),
        ("*.example.com", "https://a.example.com"),
        ("*.example.com", "https://a.b.example.com"),
        ("*.shop.example:8443", "https://x.shop.example:8443/"),
        ("http://10.0.0.5:3000", "http://10.0.0.5:3000/"),
        ("http://127.0.0.1:80", "http://2130706433/"),
        ("http://127.0.0.1", "http://0177.0.0.1/"),
        ("http://127.0.0.1", "http://0x7f.1/"),
        ("[2001:DB8::1]", "https://[2001:db8:0::1]/"),
    ] {
        assert!(matches(grant, url), "{grant} {url}");
    }
}

#[test]
fn what_is_not() {
    for (grant, url) in [
        ("api.example.com", "http://api.example.com"),
        ("api.example.com", "https://api.example.com:8443"),
        ("api.example.com", "https://api.example.com."),
        ("api.example.com", "https://a.api.example.com"),
        ("api.example.com", "https://api.example.com.evil.example"),
        ("http://api.example.com", "https://api.example.com"),
        ("*.example.com", "https://example.com"),
        ("*.example.com", "https://evilexample.com"),
        ("*.example.com", "https://a.example.com.evil.example"),
        ("*.example.com", "https://.example.com"),
        ("http://127.0.0.1", "http://localhost"),
        ("http://127.0.0.1", "http://[::ffff:127.0.0.1]"),
        ("http://127.0.0.1", "http://[::1]"),
    ] {
        let url: Result<Url, _> = url.parse();
        assert!(!url.is_ok_and(|url| pattern(grant).matches(&url)), "{grant}");
    }
}

#[test]
fn what_is_no_pattern() {
    for (text, words) in [
        ("", "is not a host"),
        ("*", "may have `*.` only"),
        ("*.*", "may have `*.` only"),
        ("a*.example.com", "may have `*.` only"),
        ("a.*.example.com", "may have `*.` only"),
        ("*.com", "is too wide"),
        ("*.", "is not a host"),
        ("*.10.0.0.5", "before an address"),
        ("api.example.com/orders", "without a path"),
        ("https://api.example.com/", "without a path"),
        ("api.example.com?x", "without a path"),
        ("user:secret@api.example.com", "a user or a password"),
        ("ftp://api.example.com", "`https://` or `http://`"),
        ("api.example.com:0", "no port from 1"),
        ("api.example.com:70000", "is not a host"),
        ("api example.com", "is not a host"),
        ("api..example.com", "is not a host"),
        ("api.example.com.", "is not a host"),
        ("2130706433", "is the address 127.0.0.1"),
        ("0x7f.1:80", "is the address 127.0.0.1"),
        ("[::1", "is not a host"),
    ] {
        let told = HostPattern::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(told.contains(words), "{text}: {told}");
    }
    assert!(HostPattern::parse(&"a".repeat(301)).unwrap_err().contains("301 bytes"));
}

#[test]
fn one_covers_another() {
    for (wide, narrow, covers) in [
        ("a.example", "a.example", true),
        ("*.b.example", "a.b.example", true),
        ("*.b.example", "*.b.example", true),
        ("*.b.example", "*.a.b.example", true),
        ("*.a.b.example", "*.b.example", false),
        ("*.b.example", "b.example", false),
        ("a.example", "a.example:444", false),
        ("a.example", "http://a.example:443", false),
    ] {
        assert_eq!(pattern(wide).covers(&pattern(narrow)), covers, "{wide} {narrow}");
    }
}

fn label() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,6}"
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(
        text in r"(https?://)?(\*\.)?[a-z0-9.:\[\]*-]{1,20}(:[0-9]{1,5})?"
    ) {
        if let Ok(one) = HostPattern::parse(&text) {
            prop_assert_eq!(HostPattern::parse(&one.to_string()), Ok(one));
        }
    }

    #[test]
    fn anything_may_be_asked(text in ".{0,60}") {
        let _ = HostPattern::parse(&text);
    }

    #[test]
    fn a_domain_holds_what_ends_in_it(
        domain in prop::collection::vec(label(), 2..4),
        front in prop::collection::vec(label(), 0..4),
        port in 1_u16..,
    ) {
        let domain = domain.join(".");
        let below = pattern(&format!("*.{domain}:{port}"));
        let host: Vec<&str> = front.iter().map(String::as_str).chain([domain.as_str()]).collect();
        let url: Url = format!("https://{}:{port}/x", host.join(".")).parse().unwrap();
        prop_assert_eq!(below.matches(&url), !front.is_empty());
        // Glued to it without a dot, it is another domain.
        let glued: Url = format!("https://x{domain}:{port}/").parse().unwrap();
        prop_assert!(!below.matches(&glued));
        let exact = HostPattern::of_url(&url).unwrap();
        prop_assert!(exact.matches(&url));
        prop_assert_eq!(below.covers(&exact), below.matches(&url));
    }
}
