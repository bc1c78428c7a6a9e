//! The rules, one by one and against each other.

use super::*;
use proptest::prelude::*;

const HOUR: Millis = 3_600_000;
const NOW: Millis = 1_790_000_000_000;

fn channel() -> ChannelId {
    ChannelId::new("main")
}

/// Of Germany, with an open window.
fn ann() -> Contact {
    let mut contact = Contact::new(ContactId(1));
    contact.phone = Some("4915112345678".into());
    contact.saw_message(&channel(), NOW - HOUR);
    contact
}

fn silent() -> Contact {
    Contact { last_inbound: Default::default(), ..ann() }
}

fn rules() -> Rules {
    Rules { window_margin_ms: 300_000, handoff_ms: 12 * HOUR, ..Rules::default() }
}

fn template(category: Category) -> Outgoing {
    Outgoing::Template(Template::new("sale", "en", category, vec![]))
}

fn marketing() -> Outgoing {
    template(Category::Marketing)
}

fn text() -> Outgoing {
    Outgoing::Text("hi".into())
}

fn rule_with(contact: &Contact, message: &Outgoing, facts: &Facts, rules: &Rules) -> Option<Rule> {
    let channel = channel();
    let (channel, in_handoff) = (&channel, asked_in_handoff(contact, NOW, rules));
    let request = Request { contact, channel, message, campaign: false, in_handoff, now: NOW };
    match may_leave(&request, facts, rules) {
        Ruling::Leave => None,
        Ruling::Wait { rule, until, .. } => {
            assert!(until > NOW);
            Some(rule)
        }
        Ruling::Refused { rule, .. } => Some(rule),
    }
}

fn rule(contact: &Contact, message: &Outgoing, rules: &Rules) -> Option<Rule> {
    rule_with(contact, message, &Facts::default(), rules)
}

#[test]
fn a_restricted_account_sends_no_template_of_any_kind() {
    let facts = Facts { restricted_until: Some(NOW + HOUR), ..Facts::default() };
    let rule = |contact: &Contact, message: &Outgoing, facts: &Facts| {
        rule_with(contact, message, facts, &rules())
    };
    for category in [Category::Marketing, Category::Utility, Category::Authentication] {
        for contact in [ann(), silent()] {
            assert_eq!(rule(&contact, &template(category), &facts), Some(Rule::Restricted));
            assert_eq!(rule(&contact, &template(category), &Facts::default()), None);
        }
    }
    assert_eq!(rule(&ann(), &text(), &facts), None, "answers leave");
    // What will never leave does not wait for it.
    assert_eq!(rule(&silent(), &text(), &facts), Some(Rule::Window));
}

#[test]
fn the_window_is_for_free_form_and_has_a_margin() {
    let mut contact = ann();
    for (ago, expected) in [(0, None), (86_099_999, None), (86_100_000, Some(Rule::Window))] {
        contact.last_inbound.insert(channel(), NOW - ago);
        assert_eq!(rule(&contact, &text(), &rules()), expected, "{ago}");
        assert_eq!(rule(&contact, &marketing(), &rules()), None);
    }
    assert_eq!(rule(&silent(), &text(), &rules()), Some(Rule::Window));
    // Free of charge is not allowed.
    let free = Contact { free_until: [(channel(), NOW + HOUR)].into(), ..silent() };
    assert_eq!(rule(&free, &text(), &rules()), Some(Rule::Window));
}

#[test]
fn nobody_writes_to_nowhere() {
    let nowhere = Contact { phone: None, ..ann() };
    let read = Outgoing::Read { message_id: "w".into(), typing: false };
    for message in [text(), marketing(), read.clone()] {
        assert_eq!(rule(&nowhere, &message, &rules()), Some(Rule::Address));
    }
    let by_id = Contact { bsuid: Some("DE.1".into()), ..nowhere };
    assert_eq!(rule(&by_id, &text(), &rules()), None);
    assert_eq!(rule(&silent(), &read, &rules()), None);
}

#[test]
fn consent_is_for_marketing_alone() {
    let (by, at, proof) = (String::new(), NOW, String::new());
    let out = Consent::OptedOut { by: by.clone(), at, proof: proof.clone() };
    let yes = Consent::OptedIn { by, at, proof };
    let strict = Rules { opt_in: true, ..rules() };
    for (consent, usual, asked_for) in [
        (Consent::Unknown, None, Some(Rule::Consent)),
        (yes, None, None),
        (out, Some(Rule::Consent), Some(Rule::Consent)),
    ] {
        let contact = Contact { consent, ..ann() };
        assert_eq!(rule(&contact, &marketing(), &rules()), usual);
        assert_eq!(rule(&contact, &marketing(), &strict), asked_for);
        assert_eq!(rule(&contact, &template(Category::Utility), &strict), None);
        assert_eq!(rule(&contact, &text(), &strict), None);
    }
}

#[test]
fn numbers_of_the_states_get_no_marketing() {
    for (phone, bsuid, expected) in [
        (Some("12125550100"), None, Some(Rule::UsMarketing)),
        (Some("14165550100"), None, None),
        (None, Some("US.1349"), Some(Rule::UsMarketing)),
        (None, Some("CA.1349"), None),
    ] {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let contact = Contact { phone: owned(phone), bsuid: owned(bsuid), ..ann() };
        assert_eq!(rule(&contact, &marketing(), &rules()), expected, "{phone:?} {bsuid:?}");
        assert_eq!(rule(&contact, &template(Category::Utility), &rules()), None);
    }
}

#[test]
fn a_person_silences_the_bot_and_not_the_business() {
    let mut contact = ann();
    contact.handoff = Some(Handoff { reason: "r".into(), by: "b".into(), since: NOW - 1 });
    assert_eq!(rule(&contact, &text(), &rules()), Some(Rule::Handoff));
    assert_eq!(rule(&contact, &template(Category::Utility), &rules()), None);
    // What the turn that hands over says leaves, and so does what was asked for
    // before.
    for since in [NOW, NOW + 1] {
        let handoff = Handoff { reason: "r".into(), by: "b".into(), since };
        let contact = Contact { handoff: Some(handoff), ..ann() };
        assert_eq!(rule(&contact, &text(), &rules()), None);
        assert!(in_handoff(&contact, NOW, &rules()));
    }
}

#[test]
fn caps_spare_and_tiers_hold_what_they_are_for() {
    let capped = Rules { cap: Some(Cap { count: 2, days: 7 }), ..rules() };
    let had = |marketing| Facts { marketing, ..Facts::default() };
    assert_eq!(rule_with(&ann(), &marketing(), &had(1), &capped), None);
    assert_eq!(rule_with(&ann(), &marketing(), &had(2), &capped), Some(Rule::Cap));
    assert_eq!(rule_with(&ann(), &text(), &had(9), &capped), None);

    let spared = Facts { spared_until: Some(NOW + HOUR), ..Facts::default() };
    assert_eq!(rule_with(&ann(), &marketing(), &spared, &rules()), Some(Rule::Spared));
    assert_eq!(rule_with(&ann(), &template(Category::Utility), &spared, &rules()), None);
    let over = Facts { spared_until: Some(NOW), ..Facts::default() };
    assert_eq!(rule_with(&ann(), &marketing(), &over, &rules()), None);

    let full = Facts { tier_until: Some(NOW + HOUR), ..Facts::default() };
    let with = |contact: &Contact, message: &Outgoing| rule_with(contact, message, &full, &rules());
    assert_eq!(with(&silent(), &marketing()), Some(Rule::Tier));
    assert_eq!(with(&silent(), &template(Category::Utility)), Some(Rule::Tier));
    assert_eq!(with(&silent(), &template(Category::Authentication)), None);
    assert_eq!(with(&ann(), &marketing()), None, "the window is open");
    assert_eq!(with(&ann(), &text()), None);

    let rests = Facts { template_until: Some(NOW + HOUR), ..Facts::default() };
    for category in [Category::Marketing, Category::Utility, Category::Authentication] {
        let found = rule_with(&ann(), &template(category), &rests, &rules());
        assert_eq!(found, Some(Rule::Template));
    }
}

#[test]
fn quiet_hours_go_by_the_contacts_clock() {
    // It is 14:13 in UTC and 23:13 in Tokyo.
    let hours = QuietHours::try_from("14:00-15:00".to_owned()).unwrap();
    let quiet = Rules { quiet: Some(hours), ..rules() };
    let mut contact = ann();
    // A zone that is none is as none.
    for (zone, expected) in
        [("UTC", Some(Rule::Quiet)), ("Asia/Tokyo", None), ("Mars", Some(Rule::Quiet))]
    {
        contact.attributes.insert("zone".into(), zone.into());
        assert_eq!(rule(&contact, &marketing(), &quiet), expected, "{zone}");
    }
    contact.attributes.insert("zone".into(), "UTC".into());
    for message in [text(), template(Category::Utility)] {
        assert_eq!(rule(&contact, &message, &quiet), None);
    }
}

fn with_money(per_day: f64, per_month: f64) -> Rules {
    let micros = |amount: f64| (amount * 1e6) as u64;
    let prices = |marketing| -> Prices {
        [(PriceClass::Marketing, marketing), (PriceClass::Service, 10_000)].into()
    };
    let budget = Budget {
        currency: "EUR".into(),
        per_day: Some(micros(per_day)),
        per_month: Some(micros(per_month)),
        prices: prices(100_000),
        by_country: [("4".into(), prices(50_000)), ("49".into(), prices(200_000))].into(),
    };
    Rules { budget: Some(Arc::new(budget)), ..rules() }
}

#[test]
fn money_holds_what_the_business_begins() {
    let rules = with_money(1.0, 10.0);
    let spent =
        |today, this_month| Facts { spent: Spent { today, this_month }, ..Facts::default() };
    let with = |facts: &Facts, message: &Outgoing| rule_with(&ann(), message, facts, &rules);
    assert_eq!(with(&spent(800_000, 0), &marketing()), None, "just enough");
    assert_eq!(with(&spent(800_001, 0), &marketing()), Some(Rule::Budget));
    assert_eq!(with(&spent(0, 9_900_000), &marketing()), Some(Rule::Budget));
    assert_eq!(with(&spent(u64::MAX, u64::MAX), &text()), None, "answers go on");
    let free = Contact { free_until: [(channel(), NOW + 1)].into(), ..ann() };
    assert_eq!(rule_with(&free, &marketing(), &spent(u64::MAX, 0), &rules), None);
}

#[test]
fn the_longest_calling_code_has_the_price() {
    let rules = with_money(1.0, 1.0);
    let channel = channel();
    let charge = |phone: &str, message: &Outgoing| {
        let contact = Contact { phone: Some(phone.into()), ..ann() };
        let (contact, now) = (&contact, NOW);
        let channel = &channel;
        Request { contact, channel, message, campaign: false, in_handoff: false, now }
            .charge(&rules)
    };
    let micros = |phone: &str| charge(phone, &marketing()).unwrap().micros;
    assert_eq!([micros("4915"), micros("4415"), micros("3315")], [200_000, 50_000, 100_000]);
    let service = charge("4915", &text()).unwrap();
    assert_eq!(
        (service.micros, service.class, service.day),
        (10_000, PriceClass::Service, 20_260_921)
    );
    assert_eq!(charge("4915", &Outgoing::Read { message_id: "w".into(), typing: true }), None);
    assert_eq!(charge("4915", &template(Category::Utility)).unwrap().micros, 0);
}

#[test]
fn sums_are_of_the_day_the_month_and_the_currency() {
    let one = |day, currency: &str, micros| Spending {
        channel: channel(),
        day,
        class: PriceClass::Marketing,
        currency: currency.into(),
        micros,
        messages: 1,
    };
    let all = [
        one(20_261_031, "EUR", 1),
        one(20_261_101, "EUR", 10),
        one(20_261_122, "EUR", 100),
        one(20_261_122, "USD", 1000),
    ];
    let spent = Spent::of(&all, "EUR", 20_261_122);
    assert_eq!(spent, Spent { today: 100, this_month: 110 });
}

proptest! {
    /// Answers to customers are held by nothing.
    #[test]
    fn nothing_of_the_businesss_own_holds_an_answer(
        tier in any::<bool>(), spent in any::<u64>(), had in any::<u32>(), from in 0..1440u16,
    ) {
        let facts = Facts {
            campaign: Going::On,
            restricted_until: None,
            template_until: None,
            spared_until: Some(NOW + HOUR),
            marketing: had,
            tier_until: tier.then_some(NOW + HOUR),
            spent: Spent { today: spent, this_month: spent },
        };
        let quiet = Some(QuietHours { from, to: (from + 1439) % 1440 });
        let rules = Rules { quiet, cap: Some(Cap { count: 1, days: 1 }), opt_in: true, ..with_money(0.0, 0.0) };
        for message in [text(), template(Category::Utility), template(Category::Authentication)] {
            prop_assert_eq!(rule_with(&ann(), &message, &facts, &rules), None);
        }
    }
}

#[test]
fn a_campaign_that_is_paused_waits_and_one_that_is_stopped_ends() {
    let of = |campaign| Facts { campaign, ..Facts::default() };
    let refused = |campaign| {
        let channel = channel();
        let (contact, message) = (ann(), text());
        let request = Request {
            contact: &contact,
            channel: &channel,
            message: &message,
            campaign: true,
            in_handoff: false,
            now: NOW,
        };
        matches!(may_leave(&request, &of(campaign), &rules()), Ruling::Refused { .. })
    };
    for message in [text(), marketing()] {
        assert_eq!(rule_with(&ann(), &message, &of(Going::On), &rules()), None);
        for going in [Going::Paused, Going::Stopped] {
            let rule = rule_with(&ann(), &message, &of(going), &rules());
            assert_eq!(rule, Some(Rule::Campaign), "{going:?}");
        }
    }
    assert!(!refused(Going::Paused) && refused(Going::Stopped));
}
