//! What a plugin asks for beside what its step has been granted. Pure; grants
//! nothing.

use super::{
    describe::Want,
    http::{HostPattern, Reach},
    load::Plugin,
};
use crate::{config::Grants, model::GrantReport};
use serde::Serialize;

/// How a capability is named that is a host: `http:api.example.com`.
const HTTP: &str = "http:";

/// What one step's plugin asks for and what the owner has granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub wanted: Vec<GrantReport>,
    /// Granted, but the plugin does not ask for it: places in `grants`, as JSON
    /// pointers (`/http/0`).
    pub unasked: Vec<String>,
}

impl Comparison {
    pub fn asks_for(&self, name: &str) -> bool {
        self.wanted.iter().any(|want| want.name == name)
    }
}

impl Plugin {
    /// Grants that can't be read count as none: they are problems elsewhere.
    pub fn compare(&self, grants: &Grants) -> Comparison {
        compare(&self.descriptor().wants, grants)
    }
}

/// Why nobody can grant a capability of this name, in words that follow it;
/// none if the owner can.
pub fn ungrantable(name: &str) -> Option<String> {
    match name.strip_prefix(HTTP) {
        Some(host) => HostPattern::parse(host).err().map(|why| format!("whose host {why}")),
        None if Grants::default().allows(name).is_some() => None,
        None => Some("which nobody can grant".into()),
    }
}

/// What an owner who has granted nothing writes into a step to grant all of
/// this; none if there is nothing to grant.
pub fn grants_line(wants: &[Want]) -> Option<String> {
    let mut keys = Vec::new();
    let mut hosts = Vec::new();
    for want in wants {
        match want.name.strip_prefix(HTTP) {
            Some(host) => hosts.extend(HostPattern::parse(host)),
            None => keys.extend(yes_key(&want.name)),
        }
    }
    (!keys.is_empty() || !hosts.is_empty()).then(|| whole_line(&keys, &hosts))
}

fn whole_line(keys: &[&str], hosts: &[HostPattern]) -> String {
    let mut granted: Vec<String> = keys.iter().map(|key| format!("{key} = true")).collect();
    if !hosts.is_empty() {
        let hosts: Vec<String> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
        granted.push(format!("http = [{}]", hosts.join(", ")));
    }
    format!("grants = {{ {} }}", granted.join(", "))
}

/// The key in `grants` of a capability that is a yes or no.
fn yes_key(name: &str) -> Option<&'static str> {
    let all = Grants::default().all();
    all.into_iter().find(|(known, _, _)| *known == name).map(|(_, key, _)| key)
}

fn compare(wants: &[Want], grants: &Grants) -> Comparison {
    let reach = Reach::read(grants).unwrap_or_default();
    let mut hosts = Vec::new();
    let mut wanted = Vec::new();
    for want in wants {
        let host = want.name.strip_prefix(HTTP).and_then(|host| HostPattern::parse(host).ok());
        let granted = match &host {
            Some(host) => reach.covers(host),
            None => grants.allows(&want.name).unwrap_or_default(),
        };
        let to_grant = match &host {
            Some(host) => grant_host(host, grants),
            None => grant_yes(&want.name, grants),
        };
        let (name, reason) = (want.name.clone(), want.reason.clone());
        wanted.push(GrantReport { name, reason, granted, to_grant });
        hosts.extend(host);
    }
    let yes = grants.all().into_iter();
    let yes = yes.filter(|(name, _, granted)| *granted && !wants.iter().any(|it| it.name == *name));
    let mut unasked: Vec<String> = yes.map(|(_, key, _)| format!("/{key}")).collect();
    for (index, host) in reach.hosts().iter().enumerate() {
        if !hosts.iter().any(|wanted| wanted.covers(host) || host.covers(wanted)) {
            unasked.push(format!("/http/{index}"));
        }
    }
    Comparison { wanted, unasked }
}

fn grant_yes(name: &str, grants: &Grants) -> String {
    let key = yes_key(name).unwrap_or(name);
    match *grants == Grants::default() {
        true => format!("`{}`", whole_line(&[key], &[])),
        false => format!("`{key} = true` in the step's `grants`"),
    }
}

fn grant_host(host: &HostPattern, grants: &Grants) -> String {
    match (*grants == Grants::default(), grants.http.is_empty()) {
        (true, _) => format!("`{}`", whole_line(&[], std::slice::from_ref(host))),
        (false, true) => format!("`http = [\"{host}\"]` in the step's `grants`"),
        (false, false) => format!("`\"{host}\"` as one more of `http` in the step's `grants`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(wants: &[&str], grants: &Grants) -> Comparison {
        let want = |name: &&str| Want { name: (*name).into(), reason: "r".into() };
        compare(&wants.iter().map(want).collect::<Vec<_>>(), grants)
    }

    #[test]
    fn each_want_is_held_against_the_grants() {
        let mut grants = Grants { broadcast: true, ..Grants::default() };
        grants.http = vec!["*.shop.example".into(), "other.example".into()];
        let wants = ["http:api.shop.example", "http:shop.example", "send-to-others"];
        let found = compared(&wants, &grants);
        let granted: Vec<bool> = found.wanted.iter().map(|want| want.granted).collect();
        assert_eq!(granted, [true, false, false]);
        assert_eq!(found.unasked, ["/broadcast", "/http/1"]);
        assert_eq!(
            found.wanted[1].to_grant,
            "`\"shop.example\"` as one more of `http` in the step's `grants`"
        );
        assert_eq!(found.wanted[2].to_grant, "`send_to_others = true` in the step's `grants`");
        assert!(found.asks_for("send-to-others") && !found.asks_for("broadcast"));
    }

    #[test]
    fn where_nothing_is_granted_the_whole_line_is_told() {
        let found = compared(&["http:HTTP://A.example:8080", "broadcast"], &Grants::default());
        let told: Vec<&str> = found.wanted.iter().map(|want| want.to_grant.as_str()).collect();
        assert_eq!(
            told,
            [
                "`grants = { http = [\"http://a.example:8080\"] }`",
                "`grants = { broadcast = true }`"
            ]
        );
    }

    #[test]
    fn one_line_grants_all_that_can_be_granted() {
        let line = |wants: &[&str]| {
            let want = |name: &&str| Want { name: (*name).into(), reason: "r".into() };
            grants_line(&wants.iter().map(want).collect::<Vec<_>>())
        };
        assert_eq!(
            line(&["http:HTTP://a.example", "send-to-others", "http:*.b.example"]).as_deref(),
            Some(
                "grants = { send_to_others = true, http = [\"http://a.example\", \"*.b.example\"] }"
            )
        );
        assert_eq!(line(&["broadcast"]).as_deref(), Some("grants = { broadcast = true }"));
        assert_eq!(line(&["the-moon"]), None);
        assert_eq!(line(&[]), None);
    }

    #[test]
    fn some_wants_nobody_can_grant() {
        assert_eq!(ungrantable("broadcast"), None);
        assert_eq!(ungrantable("http:*.a.example:8443"), None);
        assert_eq!(ungrantable("the-moon").as_deref(), Some("which nobody can grant"));
        assert!(ungrantable("http:*").is_some_and(|why| why.starts_with("whose host may have")));
    }
}
