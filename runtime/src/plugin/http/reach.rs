//! A step's grants of the network as values: which hosts, with which
//! credentials, and which addresses that are not public.

use super::{address, credential::Credential, pattern::HostPattern};
use crate::{config::Grants, plugin::step::RuleProblem};
use reqwest::Url;
use std::net::IpAddr;

/// What a step may reach. Empty: nothing.
#[derive(Clone, Default)]
pub struct Reach {
    hosts: Vec<HostPattern>,
    credentials: Vec<(HostPattern, Credential)>,
    /// What names may lead to although it is not public.
    pub named: Vec<IpAddr>,
}

impl Reach {
    /// Error: each mistake with its place in `grants`. The words hold nothing
    /// that the owner wrote: it may have come from a secret.
    pub fn read(grants: &Grants) -> Result<Self, Vec<RuleProblem>> {
        let (mut reach, mut problems) = (Self::default(), Vec::new());
        let mut wrong =
            |path: String, message: String| problems.push(RuleProblem { path, message });
        for (index, text) in grants.http.iter().enumerate() {
            match HostPattern::parse(text) {
                Ok(host) if reach.hosts.contains(&host) => {
                    wrong(format!("/http/{index}"), "is there twice".into());
                }
                Ok(host) => reach.hosts.push(host),
                Err(message) => wrong(format!("/http/{index}"), message),
            }
        }
        for (key, value) in &grants.credentials {
            let place = format!("/credentials/{}", key.replace('~', "~0").replace('/', "~1"));
            let host = HostPattern::parse(key).ok().filter(|host| reach.hosts.contains(host));
            let Some(host) = host else {
                wrong(
                    place,
                    "is for a host that is not in `http`: each key is one of those".into(),
                );
                continue;
            };
            if reach.credentials.iter().any(|(known, _)| *known == host) {
                wrong(place, "is for a host that has a credential already".into());
                continue;
            }
            match Credential::parse(value.expose()) {
                Ok(credential) => reach.credentials.push((host, credential)),
                Err(message) => wrong(place, message),
            }
        }
        for (index, text) in grants.private.iter().enumerate() {
            let place = format!("/private/{index}");
            match text.parse::<IpAddr>() {
                Ok(it) if address::refused(it).is_none() => {
                    wrong(place, "is a public address, which needs no mention".into());
                }
                Ok(it) => reach.named.push(it),
                Err(_) => {
                    wrong(place, "is not an IP address such as `10.1.2.3` or `fd00::5`".into())
                }
            }
        }
        if problems.is_empty() { Ok(reach) } else { Err(problems) }
    }

    pub fn is_nothing(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Error: what the owner would have to write, in words for the plugin.
    pub fn check(&self, url: &Url, step: &str) -> Result<(), String> {
        if self.hosts.iter().any(|host| host.matches(url)) {
            return Ok(());
        }
        let host = HostPattern::of_url(url).map(|host| host.to_string()).unwrap_or_default();
        let form = if self.is_nothing() { "with" } else { "by adding to" };
        Err(format!(
            "the step `{step}` has not been granted requests to {host}: its chain would allow it \
             {form} `http = [\"{host}\"]` in the step's `grants`"
        ))
    }

    /// The one of the pattern that says most exactly where `url` is.
    pub fn credential(&self, url: &Url) -> Option<&Credential> {
        let fitting = self.credentials.iter().filter(|(host, _)| host.matches(url));
        fitting.max_by_key(|(host, _)| host.precision()).map(|(_, credential)| credential)
    }

    /// Whether all that `wanted` names is granted.
    pub fn covers(&self, wanted: &HostPattern) -> bool {
        self.hosts.iter().any(|host| host.covers(wanted))
    }

    pub fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StepConfig;

    fn read(grants: &str) -> Result<Reach, Vec<(String, String)>> {
        let text = format!("name = 'a'\nplugin = 'a'\n[grants]\n{grants}");
        let step: StepConfig = toml::from_str(&text).unwrap();
        let told = |it: RuleProblem| (it.path, it.message);
        Reach::read(&step.grants).map_err(|them| them.into_iter().map(told).collect())
    }

    #[test]
    fn mistakes_have_places() {
        let problems = read(
            "http = ['*', 'a.example', 'https://A.example:443']\nprivate = ['10.0.0.0/8', '8.8.8.8']\n\
             [grants.credentials]\n'http://a.example' = 'bearer 12345678'\n'a.example' = 'tok'\n\
             'https://a.example' = 'bearer 123456789'",
        );
        let problems = problems.err().unwrap();
        let paths: Vec<_> = problems.iter().map(|(path, _)| path.as_str()).collect();
        let expected = [
            "/http/0",
            "/http/2",
            "/credentials/a.example",
            "/credentials/http:~1~1a.example",
            "/private/0",
            "/private/1",
        ];
        assert_eq!(paths, expected, "{problems:?}");
    }

    #[test]
    fn the_nearest_credential_is_taken() {
        let reach = read(
            "http = ['*.b.example', '*.a.b.example', 'x.a.b.example', 'c.example']\n\
             [grants.credentials]\n'*.b.example' = 'header k: wide-wide'\n\
             '*.a.b.example' = 'header k: near-near'\n'x.a.b.example' = 'header k: here-here'",
        );
        let reach = reach.ok().unwrap();
        for (url, secret) in [
            ("https://x.a.b.example/", Some("here-here")),
            ("https://y.a.b.example/", Some("near-near")),
            ("https://y.b.example/", Some("wide-wide")),
            ("https://c.example/", None),
            ("http://x.a.b.example/", None),
        ] {
            let credential = reach.credential(&url.parse().unwrap());
            let found = credential.map(|it| it.is_in(secret.unwrap_or_default().as_bytes()));
            assert_eq!(found, secret.map(|_| true), "{url}");
        }
    }
}
