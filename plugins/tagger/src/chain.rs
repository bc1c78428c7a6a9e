//! Rules that look at tags which other rules set: the order in which all of
//! them settle in one turn.

use crate::rules::Tag;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_plugin::Problem;

/// The rules of each tag, as places in `rules`: a tag comes after all that its
/// rules look at, and else where the file names it first.
pub fn settled(rules: &[Tag]) -> Result<Vec<Vec<usize>>, Problem> {
    let mut names: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let own = places.entry(&rule.name).or_default();
        if own.is_empty() {
            names.push(&rule.name);
        }
        own.push(at);
    }
    // Only what a rule here can change; other tags stand before the turn.
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for rule in rules {
        let tags = rule.has.iter().chain(&rule.has_not).map(String::as_str);
        let own = needs.entry(&rule.name).or_default();
        own.extend(tags.filter(|tag| places.contains_key(tag)));
    }
    let mut order = Vec::new();
    while let Some(first) = names.first() {
        let ready = |name: &&str| needs.get(name).is_none_or(BTreeSet::is_empty);
        let Some(at) = names.iter().position(ready) else {
            return Err(circle(rules, first, |name| needs.get(name)?.first().copied()));
        };
        let next = names.remove(at);
        order.extend(places.get(next).cloned());
        for of in needs.values_mut() {
            of.remove(next);
        }
    }
    Ok(order)
}

/// Where none is ready, whoever follows what is waited for comes round.
fn circle<'a>(
    rules: &[Tag],
    start: &'a str,
    waits_for: impl Fn(&str) -> Option<&'a str>,
) -> Problem {
    let mut path = vec![start];
    while let Some(next) = path.last().and_then(|name| waits_for(name)) {
        let seen = path.iter().position(|name| *name == next);
        path.push(next);
        if let Some(from) = seen {
            path.drain(..from);
            break;
        }
    }
    let (first, second) = (path.first().copied(), path.get(1).copied());
    let names = |list: &[String]| second.is_some_and(|tag| list.iter().any(|name| name == tag));
    let of = |rule: &&Tag| Some(rule.name.as_str()) == first;
    let rule = |rule: &Tag| of(&rule) && (names(&rule.has) || names(&rule.has_not));
    let at = rules.iter().position(rule).unwrap_or_default();
    let key = match rules.get(at) {
        Some(rule) if names(&rule.has) => "has",
        _ => "has_not",
    };
    let words = path.join("` looks at `");
    let message = format!("`{words}`: a circle, which never settles; take one of them out");
    Problem::new(format!("/tag/{at}/{key}"), message)
}
