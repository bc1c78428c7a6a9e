//! The rules of what may leave, as the sender applies them.

use super::*;
use std::sync::Arc;
use switchboard::policy::{Budget, Rules, Spent};

const HOUR: Millis = 3_600_000;

impl Host {
    fn rule(&self, id: &SendId) -> Option<Rule> {
        self.store.item(id).hold.rule
    }
    /// Writes to a contact first: outside the window.
    fn open(&self, contact: u64, message: Outgoing) -> SendId {
        let id = self.put(contact, 0, message);
        self.store.kept().contacts.get_mut(&ContactId(contact)).unwrap().last_inbound.clear();
        id
    }
    async fn until_ruled(&self, id: &SendId, rule: Rule) {
        self.until(rule.name(), |host| host.rule(id) == Some(rule)).await;
        let reason = self.store.item(id).reason.unwrap();
        assert!(reason.ends_with(&format!("(rule `{}`)", rule.name())), "{reason}");
        assert!(self.outbox.metrics.ruled(rule).get() > 0);
    }
}

#[tokio::test]
async fn at_night_a_campaign_waits_and_the_answer_behind_it_leaves() {
    // It is 14:13 in UTC.
    let quiet = Some(QuietHours::try_from("14:00-15:00".to_owned()).unwrap());
    let host = host_with(80, Rules { quiet, ..rules() }).await;
    let (promo, answer) = (host.put(1, 0, sale()), host.text(1, 1));
    host.until("the answer is sent", |host| host.sent(&answer)).await;
    host.until_ruled(&promo, Rule::Quiet).await;
    let took = host.pass_until("it is sent", 60_000, |host| host.sent(&promo)).await;
    assert!((46 * 60_000..49 * 60_000).contains(&took), "{took}");
    assert_eq!(host.graph.ids(), ["c1-1-1", "c1-1-0"]);
    host.finish().await;
}

#[tokio::test]
async fn consent_country_and_cap_refuse() {
    let cap = Some(Cap { count: 2, days: 7 });
    let host = host_with(80, Rules { cap, opt_in: true, ..rules() }).await;
    let unknown = host.put(1, 0, sale());
    host.until_ruled(&unknown, Rule::Consent).await;
    let yes = |host: &Host, contact: u64, phone: &str| {
        let mut kept = host.store.kept();
        let contact =
            kept.contacts.entry(ContactId(contact)).or_insert(Contact::new(ContactId(contact)));
        contact.phone = Some(phone.into());
        let (by, proof) = ("test".into(), "yes".into());
        contact.consent = Consent::OptedIn { by, at: START, proof };
    };
    yes(&host, 2, "12125550100");
    let american = host.put(2, 0, sale());
    host.until_ruled(&american, Rule::UsMarketing).await;
    yes(&host, 3, "4915112345678");
    let ids: Vec<_> = (0..3).map(|n| host.put(3, n, sale())).collect();
    host.until_ruled(&ids[2], Rule::Cap).await;
    assert!(host.sent(&ids[0]) && host.sent(&ids[1]));
    assert!([&unknown, &american, &ids[2]].iter().all(|id| host.state(id) == SendState::Refused));
    assert_eq!(host.graph.count(), 2);
    // After the span there is room again.
    host.clock.advance(7 * 24 * HOUR);
    let late = host.put(3, 3, sale());
    host.until("it is sent", |host| host.sent(&late)).await;
    host.finish().await;
}

/// What waited for its channel counted as sent when it was asked for.
#[tokio::test]
async fn the_cap_counts_from_when_a_message_left() {
    let cap = Some(Cap { count: 1, days: 7 });
    let host = host_with(80, Rules { cap, ..rules() }).await;
    host.graph.then(&[Do::Refuse(400, 131_048)]);
    let first = host.put(1, 0, sale());
    host.pass_until("it is sent", 60_000, |host| host.sent(&first)).await;
    let left = host.store.item(&first).left_at.unwrap();
    assert!(left >= START + HOUR, "{left}");
    host.clock.advance(START + 7 * 24 * HOUR - host.clock.now());
    let second = host.put(1, 1, sale());
    host.until_ruled(&second, Rule::Cap).await;
    host.clock.advance(left + 7 * 24 * HOUR - host.clock.now());
    let third = host.put(1, 2, sale());
    host.until("it is sent", |host| host.sent(&third)).await;
    host.finish().await;
}

#[tokio::test]
async fn whom_the_provider_spares_gets_no_marketing_for_a_day() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_049)]);
    let (first, second, text) = (host.put(1, 0, sale()), host.put(1, 1, sale()), host.text(1, 2));
    host.until("the answer is sent", |host| host.sent(&text)).await;
    assert_eq!(host.state(&first), SendState::Failed);
    host.until_ruled(&second, Rule::Spared).await;
    let other = host.put(2, 0, sale());
    host.until("another contact gets it", |host| host.sent(&other)).await;
    let took = host.pass_until("it is sent", HOUR, |host| host.sent(&second)).await;
    assert_eq!(took, 24 * HOUR);
    host.finish().await;
}

#[tokio::test]
async fn no_more_contacts_than_allowed_are_written_to_first() {
    let mut host = host_with(80, Rules { daily_contacts: Some(3), ..rules() }).await;
    host.store.kept().daily_contacts.insert(channel(), 2);
    let ids: Vec<_> = (1..=4).map(|contact| host.open(contact, sale())).collect();
    host.until("two wait", |host| host.outbox.metrics.ruled(Rule::Tier).get() == 2).await;
    assert!(host.sent(&ids[0]) && host.sent(&ids[1]));
    let login = Template::new("login", "en", Category::Authentication, vec![]);
    let (code, inside, answer) =
        (host.open(5, Outgoing::Template(login)), host.put(6, 0, sale()), host.text(7, 0));
    host.until("what is no opening leaves", |host| {
        [&code, &inside, &answer].iter().all(|id| host.sent(id))
    })
    .await;
    // The code was the third; another process knows of all of them.
    host.restart(true).await;
    host.store.kept().daily_contacts.insert(channel(), -1);
    let more = host.open(8, sale());
    host.until_ruled(&more, Rule::Tier).await;
    let sent = |host: &Host| [&ids[2], &ids[3]].iter().all(|id| host.sent(id));
    let took = host.pass_until("those before leave", HOUR, sent).await;
    assert_eq!(took, 24 * HOUR);
    host.pass_until("and this one", HOUR, |host| host.sent(&more)).await;
    host.finish().await;
}

#[tokio::test]
async fn the_numbers_of_a_portfolio_share_its_tier() {
    let mut host = host(80).await;
    host.store.kept().daily_contacts.extend([(channel(), 100), (second(), 2)]);
    let first = host.open(1, sale());
    host.until("one is sent", |host| host.sent(&first)).await;
    let open = |host: &Host, contact: u64| {
        let id = host.put_on(second(), contact, 0, sale());
        host.store.kept().contacts.get_mut(&ContactId(contact)).unwrap().last_inbound.clear();
        id
    };
    let other = open(&host, 2);
    host.until("the second number sends one", |host| host.sent(&other)).await;
    let (third, fourth) = (open(&host, 3), host.open(4, sale()));
    host.until_ruled(&third, Rule::Tier).await;
    host.until_ruled(&fourth, Rule::Tier).await;
    // So it is for another process.
    host.restart(true).await;
    let fifth = host.open(5, sale());
    host.until_ruled(&fifth, Rule::Tier).await;
    host.finish().await;
}

#[tokio::test]
async fn a_tier_that_is_used_up_holds_openings_for_an_hour() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_064)]);
    let first = host.open(1, sale());
    host.until("it waits", |host| host.rule(&first) == Some(Rule::Tier)).await;
    let (second, answer) = (host.open(2, sale()), host.text(3, 0));
    host.until_ruled(&second, Rule::Tier).await;
    host.until("the answer is sent", |host| host.sent(&answer)).await;
    assert_eq!(host.graph.count(), 2);
    let sent = |host: &Host| host.sent(&first) && host.sent(&second);
    let took = host.pass_until("both are sent", 60_000, sent).await;
    assert!((HOUR..HOUR + 120_000).contains(&took), "{took}");
    host.finish().await;
}

/// 0.30 for marketing, 0.10 for answers, 1.00 a day.
fn money() -> Rules {
    let prices = [(PriceClass::Marketing, 300_000), (PriceClass::Service, 100_000)].into();
    let budget = Budget {
        currency: "EUR".into(),
        per_day: Some(1_000_000),
        per_month: None,
        prices,
        by_country: Default::default(),
    };
    Rules { budget: Some(Arc::new(budget)), ..rules() }
}

#[tokio::test]
async fn what_may_have_been_taken_counts_against_the_budget() {
    let host = host_with(80, money()).await;
    host.graph.then(&[Do::Mumble, Do::Refuse(400, 131_026), Do::Hang]);
    let ids: Vec<_> = (1..=3).map(|contact| host.put(contact, 0, sale())).collect();
    host.until("all left", |host| host.graph.count() == 3).await;
    let failed = |host: &Host| ids.iter().any(|id| host.state(id) == SendState::Failed);
    host.until("one is turned away", failed).await;
    // One is of unknown fate, one under way: each counts once.
    let more = host.put(4, 0, sale());
    host.until("it is sent", |host| host.sent(&more)).await;
    host.until("two are of unknown fate", |host| host.outbox.metrics.unknown.get() == 2).await;
    let last = host.put(5, 0, sale());
    host.until_ruled(&last, Rule::Budget).await;
    assert_eq!(host.graph.count(), 4);
    host.finish().await;
}

#[tokio::test]
async fn money_that_is_spent_holds_what_the_business_begins() {
    let host = host_with(80, money()).await;
    let spent = |micros| Spending {
        channel: channel(),
        day: 20_260_921,
        class: PriceClass::Service,
        currency: "EUR".into(),
        micros,
        messages: 1,
    };
    assert_eq!(Spent::of(&[spent(5)], "EUR", 20_260_921).today, 5);
    host.store.kept().spending = vec![spent(100_000)];
    let ids: Vec<_> = (1..=5).map(|contact| host.put(contact, 0, sale())).collect();
    host.until("two wait", |host| host.outbox.metrics.ruled(Rule::Budget).get() == 2).await;
    let count = || ids.iter().filter(|id| host.sent(id)).count();
    assert_eq!(count(), 3, "0.10 and three times 0.30 are 1.00");
    host.store.kept().spending = vec![spent(5_000_000)];
    let answer = host.text(9, 0);
    host.until("the answer is sent", |host| host.sent(&answer)).await;
    let took = host.pass_until("the day is over", 60_000, |_| count() == 5).await;
    // From 14:13:20 to midnight.
    assert!((35_200_000..35_330_000).contains(&took), "{took}");
    host.finish().await;
}

#[tokio::test]
async fn all_of_a_template_that_rests_waits_until_it_lives() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 132_015)]);
    let first = host.put(1, 0, sale());
    host.until("it rests", |host| host.rule(&first) == Some(Rule::Template)).await;
    let other = Template::new("news", "en", Category::Marketing, vec![]);
    let (second, third) = (host.put(2, 0, sale()), host.put(3, 0, Outgoing::Template(other)));
    host.until("another template is sent", |host| host.sent(&third)).await;
    host.until_ruled(&second, Rule::Template).await;
    assert_eq!(host.graph.count(), 2);
    // One tries, in vain.
    host.graph.then(&[Do::Refuse(400, 132_015)]);
    host.pass_until("it is tried", 60_000, |host| host.graph.count() == 3).await;
    host.settle().await;
    assert_eq!(host.graph.count(), 3);
    host.outbox.template_lives(&channel(), "sale", "en");
    let sent = |host: &Host| host.sent(&first) && host.sent(&second);
    let took = host.pass_until("both are sent", 60_000, sent).await;
    assert!(took <= 16 * 60_000, "{took}");
    assert_eq!(host.graph.count(), 5);
    host.finish().await;
}

#[tokio::test]
async fn a_template_that_rests_for_ever_is_given_up_after_a_day() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 132_015); 200]);
    let id = host.put(1, 0, sale());
    let took = host.pass_until("it failed", 300_000, |host| host.state(&id) == SendState::Failed);
    assert!((24 * HOUR..25 * HOUR).contains(&took.await));
    assert!((90..100).contains(&host.graph.count()), "{}", host.graph.count());
    host.finish().await;
}
