//! What the tagger does with messages, run natively.

mod odd;
mod time;

use super::*;
use moment::DAY_MS;
use proptest::prelude::*;
use switchboard_plugin::testing::{self, Effect, Stage, configure};

fn tagger(rules: &str) -> Tagger {
    configure(rules).unwrap()
}

/// Rules with one in `[[tag]]`, of the tag `t`.
fn rule(keys: &str) -> Tagger {
    tagger(&format!(r#"{{"tag": [{{"name": "t", {keys}}}]}}"#))
}

/// `+ t`, `- t`, and nothing else.
fn changes(turn: &testing::Turn) -> Vec<String> {
    let change = |effect: &Effect| match effect {
        Effect::Tag { name, .. } => Some(format!("+{name}")),
        Effect::Untag(name) => Some(format!("-{name}")),
        _ => None,
    };
    turn.effects.iter().filter_map(change).collect()
}

/// Fires our timer when it is due, if one is set.
fn pass(stage: &mut Stage, tagger: &Tagger, due: Instant) -> testing::Turn {
    stage.now = due;
    stage.handle(tagger, Event::Timer(Timer { name: TIMER.into(), payload: String::new(), due }))
}

fn kept(stage: &Stage) -> State {
    let (bytes, _) = stage.kv.values().next().unwrap();
    serde_json::from_slice(bytes).unwrap()
}

fn order(items: &str) -> Content {
    let json = format!(r#"{{"catalog": "7", "text": null, "items": [{items}]}}"#);
    Content::Other(Other { kind: "order".into(), json })
}

fn item(price: f64, quantity: u32, currency: &str) -> String {
    format!(
        r#"{{"product": "p", "quantity": {quantity}, "price": {price}, "currency": "{currency}"}}"#
    )
}

fn media(kind: &str, caption: Option<&str>) -> Content {
    Content::Media(Media {
        kind: kind.into(),
        id: "1".into(),
        mime_type: "image/jpeg".into(),
        caption: caption.map(Into::into),
        filename: None,
    })
}

#[test]
fn words_tag_and_the_reason_names_them() {
    let tagger = tagger(r#"{"tag": [{"name": "complaint", "any": ["terrible", "投诉"]}]}"#);
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "All fine").effects, []);
    let turn = stage.says(&tagger, "This is TERRIBLE!");
    assert_eq!(turn.effects, [Effect::Tag { name: "complaint".into(), expires: None }]);
    assert_eq!(turn.because, ["+ complaint: `terrible` occurs"]);
    assert_eq!(turn.verdict, Ok(Continue));
    // Again: nothing to change.
    assert_eq!(stage.says(&tagger, "我要投诉").effects, []);
    assert_eq!(Stage::default().says(&tagger, "我要投诉").effects.len(), 1);
    assert_eq!(Stage::default().says(&tagger, "terribly nice").effects, []);
}

#[test]
fn all_none_and_removal() {
    let tagger = tagger(
        r#"{"tag": [
            {"name": "order", "all": ["order", "late"], "none": ["not late"]},
            {"name": "order", "any": ["it came"], "remove": true}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "it came").effects, []);
    assert_eq!(stage.says(&tagger, "my order is not late").effects, []);
    assert_eq!(stage.says(&tagger, "my order").effects, []);
    assert_eq!(stage.says(&tagger, "late is my order").effects.len(), 1);
    assert!(stage.contact.tags.contains("order"));
    assert_eq!(stage.says(&tagger, "It came!").effects, [Effect::Untag("order".into())]);
}

#[test]
fn kinds_and_expiry() {
    let tagger = tagger(
        r#"{"tag": [
            {"name": "sent-photo", "kinds": ["image"], "expires_days": 2},
            {"name": "broken", "kinds": ["image"], "any": ["broken"]}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(stage.says(&tagger, "broken").effects, []);
    let until = stage.now + 2 * DAY_MS;
    let turn = stage.sends(&tagger, media("image", None));
    assert_eq!(turn.effects, [Effect::Tag { name: "sent-photo".into(), expires: Some(until) }]);
    // Its expiry moves.
    stage.now += DAY_MS;
    let turn = stage.sends(&tagger, media("image", Some("It arrived BROKEN")));
    assert_eq!(turn.effects.len(), 2);
    assert!(
        matches!(turn.effects[0], Effect::Tag { expires: Some(at), .. } if at == until + DAY_MS)
    );
    assert_eq!(stage.sends(&tagger, media("sticker", None)).effects, []);
}

#[test]
fn rules_that_make_no_sense_are_named_with_their_place() {
    for (rules, path, words) in [
        (r#"{"tag": [{"name": "x", "none": ["a"]}]}"#, "/tag/0", "needs something"),
        (r#"{"tag": [{"name": "x", "has_not": ["a"]}]}"#, "/tag/0", "needs something"),
        (r#"{"tag": [{"name": "y", "any": ["?"]}]}"#, "/tag/0/any/0", "one word"),
        (r#"{"tag": [{"name": "y", "regex": ["a", "(b"]}]}"#, "/tag/0/regex/1", "unclosed group"),
        (r#"{"tag": [{"name": "y", "hours": "9-5"}]}"#, "/tag/0/hours", "18:00-23:00"),
        (r#"{"tag": [{"name": "y", "usually": {}}]}"#, "/tag/0/usually", "`weekdays`"),
        (
            r#"{"tag": [{"name": "y", "usually": {"hours": "x"}}]}"#,
            "/tag/0/usually/hours",
            "18:00-23:00",
        ),
        (
            r#"{"tag": [{"name": "y", "referral": {"headline": ["!"]}}]}"#,
            "/tag/0/referral/headline/0",
            "one word",
        ),
        (
            r#"{"tag": [{"name": "y", "any": ["a"], "only_while": true}]}"#,
            "/tag/0/only_while",
            "at once",
        ),
        (
            r#"{"tag": [{"name": "y", "has": ["a"], "only_while": true, "expires_days": 1}]}"#,
            "/tag/0/only_while",
            "leave out",
        ),
        (
            r#"{"tag": [{"name": "y", "silent_days": 3, "kinds": ["image"]}]}"#,
            "/tag/0/silent_days",
            "silent",
        ),
        (
            r#"{"tag": [{"name": "y", "any": ["a"], "remove": true, "expires_days": 1}]}"#,
            "/tag/0/expires_days",
            "no end",
        ),
        (
            r#"{"tag": [{"name": "y", "any": ["a"], "within_days": 1}]}"#,
            "/tag/0/within_days",
            "`messages_min`",
        ),
        (
            r#"{"tag": [{"name": "y", "any": ["a"], "currency": "EUR"}]}"#,
            "/tag/0/currency",
            "`order_min`",
        ),
        (
            r#"{"topic": [{"name": "a", "words": ["a"]}, {"name": "a", "words": ["b"]}]}"#,
            "/topic/1/name",
            "above",
        ),
        (
            r#"{"tag": [{"name": "x", "any": ["a"]}],
                "topic": [{"name": "a", "words": ["a"], "tag": "x"}]}"#,
            "/topic/0/tag",
            "take another",
        ),
    ] {
        let problems = configure::<Tagger>(rules).err().unwrap();
        assert_eq!((problems.len(), problems[0].path.as_str()), (1, path), "{rules}");
        assert!(problems[0].message.contains(words), "{}", problems[0].message);
    }
}

#[test]
fn patterns() {
    let tagger = rule(r#""regex": ["order\\s*#?\\d{4,}", "^срочно"]"#);
    let turn = Stage::default().says(&tagger, "Where is ORDER #12345?");
    assert_eq!(turn.because, [r"+ t: /order\s*#?\d{4,}/ is found"]);
    assert_eq!(changes(&Stage::default().says(&tagger, "СРОЧНО!")), ["+t"]);
    assert_eq!(changes(&Stage::default().says(&tagger, "order 12")), [""; 0]);
    assert_eq!(changes(&Stage::default().sends(&tagger, media("image", None))), [""; 0]);
}

#[test]
fn with_a_text_or_without() {
    let (with, without) = (rule(r#""has_text": true"#), rule(r#""has_text": false"#));
    assert_eq!(changes(&Stage::default().says(&with, "a")), ["+t"]);
    assert_eq!(changes(&Stage::default().says(&without, "a")), [""; 0]);
    assert_eq!(changes(&Stage::default().sends(&with, media("image", None))), [""; 0]);
    assert_eq!(changes(&Stage::default().sends(&without, media("image", None))), ["+t"]);
}

#[test]
fn taps() {
    let tagger = rule(r#""taps": ["size:*", "yes"]"#);
    let turn = Stage::default().taps(&tagger, "size:xl", "Extra large");
    assert_eq!(turn.because, ["+ t: `size:xl` was tapped"]);
    assert_eq!(changes(&Stage::default().taps(&tagger, "yes", "Yes")), ["+t"]);
    assert_eq!(changes(&Stage::default().taps(&tagger, "yes2", "Yes")), [""; 0]);
    assert_eq!(changes(&Stage::default().says(&tagger, "yes")), [""; 0]);
}

#[test]
fn referrals() {
    let ad = r#"{"source_type": "ad", "source_id": "120", "headline": "Spring SALE!",
                 "ctwa_clid": "Aff"}"#;
    let post = r#"{"source_type": "post", "source_id": "9", "source_url": "https://fb.me/1"}"#;
    for (keys, by_ad, by_post) in [
        ("{}", true, true),
        (r#"{"ids": ["7", "120"]}"#, true, false),
        (r#"{"source": "post"}"#, false, true),
        (r#"{"headline": ["autumn", "spring sale"]}"#, true, false),
        (r#"{"click_id": true}"#, true, false),
        (r#"{"click_id": false}"#, false, true),
        (r#"{"ids": ["120"], "source": "post"}"#, false, false),
    ] {
        let tagger = rule(&format!(r#""referral": {keys}"#));
        for (referral, fits) in [(Some(ad), by_ad), (Some(post), by_post), (None, false)] {
            let mut stage = Stage { referral: referral.map(Into::into), ..Stage::default() };
            let turn = stage.says(&tagger, "hi");
            assert_eq!(changes(&turn).len(), usize::from(fits), "{keys} {referral:?}");
        }
    }
    let mut stage = Stage { referral: Some(ad.into()), ..Stage::default() };
    let turn = stage.says(&rule(r#""referral": {"source": "ad"}"#), "hi");
    assert_eq!(turn.because, ["+ t: came by the ad 120"]);
}

#[test]
fn what_an_order_comes_to() {
    let tagger = rule(r#""order_min": 50"#);
    let of = |content| Stage::default().sends(&tagger, content);
    let turn = of(order(&[item(20.5, 2, "EUR"), item(9.0, 1, "EUR")].join(",")));
    assert_eq!(turn.because, ["+ t: an order of 50.00 EUR"]);
    assert_eq!(changes(&of(order(&item(49.99, 1, "EUR")))), [""; 0]);
    // Two currencies are no sum.
    let mixed = [item(30.0, 1, "EUR"), item(30.0, 1, "USD")].join(",");
    assert_eq!(changes(&of(order(&mixed))), [""; 0]);
    assert_eq!(changes(&of(order(&item(-90.0, 1, "EUR")))), [""; 0]);
    assert_eq!(changes(&of(order("7"))), [""; 0]);
    // The others count, whatever is not known of one.
    let unknown = r#"{"product": "p", "quantity": 1, "price": null, "currency": null}"#;
    assert_eq!(changes(&of(order(&format!("{unknown}, {}", item(60.0, 1, "EUR"))))), ["+t"]);
    let euros = rule(r#""order_min": 50, "currency": "eur""#);
    assert_eq!(changes(&Stage::default().sends(&euros, order(&item(60.0, 1, "USD")))), [""; 0]);
    assert_eq!(changes(&Stage::default().sends(&euros, order(&item(60.0, 1, "EUR")))), ["+t"]);
}

#[test]
fn languages() {
    let tagger = rule(r#""languages": ["es", "pt-BR"]"#);
    for (language, fits) in
        [("es", true), ("es_MX", true), ("est", false), ("pt", false), ("pt-BR", true)]
    {
        let mut stage = Stage::default();
        stage.contact.language = Some(language.into());
        assert_eq!(changes(&stage.says(&tagger, "a")).len(), usize::from(fits), "{language}");
    }
    assert_eq!(changes(&Stage::default().says(&tagger, "a")), [""; 0]);
}

/// In the file, what is needed stands behind what needs it.
const CHAIN: &str = r#"{"tag": [
    {"name": "care", "has": ["angry-vip"], "has_not": ["staff"], "only_while": true},
    {"name": "angry-vip", "has": ["vip", "complaint"], "only_while": true},
    {"name": "complaint", "any": ["terrible"]},
    {"name": "complaint", "any": ["solved"], "remove": true},
    {"name": "vip", "any": ["every week"]}]}"#;

#[test]
fn rules_about_tags_settle_in_one_turn() {
    let (tagger, mut stage) = (tagger(CHAIN), Stage::default());
    assert_eq!(changes(&stage.says(&tagger, "I order every week")), ["+vip"]);
    let turn = stage.says(&tagger, "terrible");
    assert_eq!(changes(&turn), ["+complaint", "+angry-vip", "+care"]);
    assert_eq!(turn.because[1], "+ angry-vip: has `vip`; has `complaint`");
    assert_eq!(changes(&stage.says(&tagger, "hm")), [""; 0]);
    let turn = stage.says(&tagger, "solved");
    assert_eq!(changes(&turn), ["-complaint", "-angry-vip", "-care"]);
    assert_eq!(turn.because[2], "- care: the rule no longer fits");
    // Nothing is left behind of what is over.
    assert!(stage.kv.is_empty(), "{:?}", stage.kv);
}

#[test]
fn circles_are_found_when_the_rules_are_read() {
    let circle = |rules: &str| {
        let problems = configure::<Tagger>(rules).err().unwrap();
        (problems[0].path.clone(), problems[0].message.clone())
    };
    let (path, words) = circle(
        r#"{"tag": [{"name": "a", "has": ["b"]}, {"name": "x", "any": ["x"]},
                    {"name": "b", "has_not": ["c"], "any": ["b"]}, {"name": "c", "has": ["b"]}]}"#,
    );
    assert_eq!(path, "/tag/2/has_not");
    assert!(words.starts_with("`b` looks at `c` looks at `b`: a circle"), "{words}");
    let (path, words) = circle(r#"{"tag": [{"name": "a", "has_not": ["a"], "any": ["x"]}]}"#);
    assert_eq!((path.as_str(), words.contains("`a` looks at `a`")), ("/tag/0/has_not", true));
}

#[test]
fn of_several_rules_the_last_that_fits_decides() {
    let tagger = tagger(
        r#"{"tag": [{"name": "t", "any": ["a"]}, {"name": "t", "any": ["b"], "remove": true},
                    {"name": "t", "any": ["c"], "expires_days": 1}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(changes(&stage.says(&tagger, "a b")), [""; 0]);
    assert_eq!(changes(&stage.says(&tagger, "a")), ["+t"]);
    assert_eq!(changes(&stage.says(&tagger, "a b")), ["-t"]);
    assert_eq!(stage.says(&tagger, "a b c").because, ["+ t for 1 day: `c` occurs"]);
}

#[test]
fn what_someone_else_set_or_took_away_is_respected() {
    let tagger = rule(r#""has": ["x"], "only_while": true"#);
    let mut stage = Stage::default();
    stage.contact.tags.extend(["t".into(), "x".into()]);
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    stage.contact.tags.remove("x");
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0], "it was not ours");
    stage.contact.tags = ["x".into()].into();
    assert_eq!(changes(&stage.says(&tagger, "a")), ["+t"]);
    stage.contact.tags.remove("t");
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0], "someone took it away");
    stage.contact.tags.clear();
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    stage.contact.tags.insert("x".into());
    assert_eq!(changes(&stage.says(&tagger, "a")), ["+t"], "anew");
    // Its rule goes, and what it held with it.
    assert_eq!(changes(&stage.says(&rule(r#""any": ["b"]"#), "a")), ["-t"]);
}

proptest! {
    /// However the rules stand in the file, the same turns end with the same
    /// tags, and a turn that says nothing changes nothing more.
    #[test]
    fn the_order_of_rules_does_not_matter(
        order in Just(vec![0, 1, 2, 3, 4, 5]).prop_shuffle(),
        says in prop::collection::vec(0..16u8, 1..12),
    ) {
        // One rule a tag: between rules of one tag, order is what counts.
        let all = [
            r#"{"name": "a", "any": ["a"], "expires_days": 2}"#,
            r#"{"name": "b", "any": ["b"]}"#,
            r#"{"name": "ab", "has": ["a", "b"], "only_while": true}"#,
            r#"{"name": "not-ab", "has": ["b"], "has_not": ["ab"], "only_while": true}"#,
            r#"{"name": "c", "has": ["not-ab"], "any": ["c"]}"#,
            r#"{"name": "b-gone", "has": ["c", "ab"], "only_while": true}"#,
        ];
        let shuffled: Vec<&str> = order.iter().map(|at| all[*at]).collect();
        let rules = |all: &[&str]| tagger(&format!(r#"{{"tag": [{}]}}"#, all.join(",")));
        let (plain, shuffled) = (rules(&all), rules(&shuffled));
        let (mut one, mut other) = (Stage::default(), Stage::default());
        for says in says {
            let words: Vec<&str> =
                (0..3).filter(|bit| says & 1 << bit != 0).map(|bit| ["a", "b", "c"][bit]).collect();
            if says & 8 != 0 {
                one.now += DAY_MS;
                other.now += DAY_MS;
            }
            one.says(&plain, &words.join(" "));
            other.says(&shuffled, &words.join(" "));
            prop_assert_eq!(&one.contact.tags, &other.contact.tags);
            prop_assert!(changes(&other.says(&shuffled, "...")).is_empty());
            prop_assert!(changes(&one.says(&plain, "...")).is_empty());
        }
    }
}
