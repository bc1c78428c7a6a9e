//! Who gets which variant.

use super::*;
use crate::rules::{Arm, number};
use std::collections::BTreeMap;

/// How many of 20,000 contacts are in each arm, in percent, and who is held out.
fn arms(fields: &str) -> (BTreeMap<String, f64>, Vec<usize>) {
    let promo = promo(&format!(r#""at": "2026-12-01T10:00:00", {fields}"#));
    let (mut counts, mut held) = (BTreeMap::new(), Vec::new());
    for contact in 0..20_000 {
        let number = number(&[&format!("c{contact}"), "spring"]);
        let name = match promo.0.promos["spring"].arms.of(number).unwrap() {
            Arm::HoldOut => {
                held.push(contact);
                "hold-out"
            }
            Arm::Variant(name, mould) => {
                assert_eq!(mould.template, if name == "b" { "other" } else { "spring_sale" });
                name
            }
        };
        *counts.entry(name.to_owned()).or_insert(0.0) += 1.0 / 200.0;
    }
    (counts, held)
}

#[test]
fn shares_are_what_they_say() {
    let b = r#"{"name": "b", "template": "other""#;
    for (fields, expected) in [
        (format!(r#""variant": [{{"name": "a"}}, {b}}}]"#), vec![("a", 50.0), ("b", 50.0)]),
        (
            format!(r#""hold_out": 10, "variant": [{{"name": "a", "share": 70}}, {b}}}]"#),
            vec![("a", 70.0), ("b", 20.0), ("hold-out", 10.0)],
        ),
        (
            format!(r#""hold_out": 10, "variant": [{{"name": "a"}}, {b}}}, {{"name": "c"}}]"#),
            vec![("a", 30.0), ("b", 30.0), ("c", 30.0), ("hold-out", 10.0)],
        ),
        (r#""hold_out": 25"#.into(), vec![("", 75.0), ("hold-out", 25.0)]),
    ] {
        let (counts, _) = arms(&fields);
        assert_eq!(counts.len(), expected.len(), "{counts:?}");
        for (name, share) in expected {
            // Three standard deviations of 20,000 throws are about one percent.
            assert!((counts[name] - share).abs() < 1.0, "{name}: {counts:?}");
        }
    }
}

#[test]
fn those_held_out_stay_the_same() {
    let (_, first) = arms(r#""hold_out": 10"#);
    let (_, second) = arms(
        r#""hold_out": 10, "variant": [{"name": "a", "share": 80}, {"name": "b", "template": "other"}]"#,
    );
    assert_eq!(first, second);
    let (_, more) = arms(r#""hold_out": 20"#);
    assert!(first.iter().all(|contact| more.contains(contact)) && more.len() > first.len());
}

#[test]
fn a_contact_gets_one_of_them_and_always_the_same() {
    // `c1` is in the second half of this promotion.
    let promo = promo(
        r#""every": "0 10 * * *", "parameters": ["{name|you}"],
           "variant": [{"name": "a", "template": "one"}, {"name": "b", "parameters": ["B"]}]"#,
    );
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    let mut got = Vec::new();
    for day in ["2026-11-29", "2026-11-30", "2026-12-01"] {
        let turn = reach(&mut stage, &promo, &format!("{day}T10:00:00"));
        let template = turn.templates()[0];
        got.push((
            turn.effects[0].clone(),
            template.name.clone(),
            template.parameters[0].text.clone(),
        ));
    }
    let a = (Effect::Variant("a".into()), "one".to_owned(), "you".to_owned());
    let b = (Effect::Variant("b".into()), "spring_sale".to_owned(), "B".to_owned());
    let expected = if number(&["c1", "spring"]) % 10_000 < 5_000 { a } else { b };
    assert_eq!(got, vec![expected; 3]);
}

#[test]
fn who_is_held_out_gets_none_and_it_counts_for_no_cap() {
    let promo = promo(r#""every": "0 10 * * *", "hold_out": 99, "cap": "1 per day""#);
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    assert!(number(&["c1", "spring"]) % 10_000 < 9_900);
    for day in ["2026-11-30", "2026-12-01"] {
        let turn = reach(&mut stage, &promo, &format!("{day}T10:00:00"));
        let held = "the contact is among those held out, to compare with";
        let (arm, why) = (Effect::Variant("hold-out".into()), Effect::LeaveOut(held.into()));
        assert_eq!(turn.effects, [arm, why]);
    }
}
