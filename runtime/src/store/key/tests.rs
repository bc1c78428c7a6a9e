//! Keys order as what they name does, and are told apart.

use super::*;
use proptest::prelude::*;

fn lanes() -> impl Strategy<Value = Lane> {
    prop_oneof![
        any::<u64>().prop_map(|id| Lane::Contact(ContactId(id))),
        "[a-c\u{0}\u{1}é]{0,4}".prop_map(|id| Lane::Channel(ChannelId::new(&id))),
    ]
}

proptest! {
    #[test]
    fn keys_order_as_what_they_name(
        a in (lanes(), 0..3u64), b in (lanes(), 0..3u64), names in ("[ab\u{0}]{0,3}", "[ab\u{0}]{0,3}")
    ) {
        let id = |(lane, seq): (Lane, u64)| EventId { lane, seq };
        let (a, b) = (id(a), id(b));
        prop_assert_eq!(a.cmp(&b), event(&a).cmp(&event(&b)));
        let read = Reader::of_key(&event(&a)).lane();
        prop_assert_eq!(read.as_ref(), Some(&a.lane));
        let timer_key = |lane: Lane, name: &str| TimerKey { lane, step: name.into(), name: "n".into() };
        let (c, d) = (timer_key(a.lane, &names.0), timer_key(b.lane, &names.1));
        prop_assert_eq!(c.cmp(&d), timer(&c).cmp(&timer(&d)));
    }
}

#[test]
fn a_send_can_be_read_back() {
    for text in ["c17-4-0", "@main-12-3"] {
        let id: SendId = text.parse().unwrap();
        assert_eq!(Reader::of_value(&send_value(&id)).send(), Some(id.clone()));
        assert_eq!(Reader::of_key(&item(&id)).send(), Some(id));
    }
}

#[test]
fn an_index_by_time_leads_back_to_the_key() {
    let key = trace(&"c17-4".parse().unwrap());
    let entry = timed(Kind::TraceAge, 12, &key);
    assert_eq!(untimed(Kind::Trace, &entry), key);
    let span = until(Kind::TraceAge, 12);
    assert!(span.from < entry && entry < span.to && until(Kind::TraceAge, 11).to < entry);
}

#[test]
fn neighbouring_names_do_not_share_a_range() {
    let span = tagged("vip");
    let outside = tag("vip2", ContactId(1));
    assert!(!(span.from <= outside && outside < span.to));
    assert_ne!(
        dedup(&ChannelId::new("a"), "bc"),
        dedup(&ChannelId::new("ab"), "c"),
        "the parts of a hash are told apart"
    );
}
