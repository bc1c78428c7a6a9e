//! Whether each `[[channel]]` has what its provider needs, nothing of another
//! provider's, and a number of its own. Reads no files.

use super::{not_blank, secret};
use crate::config::{ChannelConfig, ContentConfig, Document, Problem, ProviderKind, words};
use std::collections::HashMap;

/// A key of one provider's channels, and whether it is needed there.
struct Own {
    provider: ProviderKind,
    key: &'static str,
    needed: bool,
}

const fn own(provider: ProviderKind, key: &'static str, needed: bool) -> Own {
    Own { provider, key, needed }
}

const OWN: [Own; 12] = [
    own(ProviderKind::Meta, "phone_number_id", true),
    own(ProviderKind::Meta, "business_account_id", false),
    own(ProviderKind::Meta, "access_token", true),
    own(ProviderKind::Meta, "app_secret", true),
    own(ProviderKind::Meta, "verify_token", true),
    own(ProviderKind::Twilio, "account_sid", true),
    own(ProviderKind::Twilio, "auth_token", true),
    own(ProviderKind::Twilio, "api_key", false),
    own(ProviderKind::Twilio, "api_secret", false),
    own(ProviderKind::Twilio, "number", false),
    own(ProviderKind::Twilio, "messaging_service_sid", false),
    own(ProviderKind::Twilio, "templates", false),
];

pub(super) fn check(document: &Document, channels: &[ChannelConfig]) -> Vec<Problem> {
    let mut found = Vec::new();
    let (mut ids, mut numbers, mut services) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (index, channel) in channels.iter().enumerate() {
        let mut check = Check { document, index, found: &mut found };
        check.say("id", unique(&mut ids, &channel.id, index));
        check.keys(channel.provider);
        check.say_of("api_url", web_address(&channel.api_url, channel.api_base()));
        if let Some(url) = &channel.public_url {
            check.say_of("public_url", web_address(url, "https://bot.example.com"));
        }
        match channel.provider {
            ProviderKind::Meta => check.meta(channel),
            ProviderKind::Twilio => check.twilio(channel),
        }
        if let Some(number) = channel.number_name() {
            let key = match channel.provider {
                ProviderKind::Meta => "phone_number_id",
                ProviderKind::Twilio => "number",
            };
            check.say(key, unique(&mut numbers, number, index));
        }
        if let Some(service) = &channel.messaging_service_sid {
            check.say("messaging_service_sid", unique(&mut services, service, index));
        }
    }
    found
}

/// The check of one channel.
struct Check<'a> {
    document: &'a Document,
    index: usize,
    found: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn at(&self, key: &str) -> String {
        format!("/channel/{}/{key}", self.index)
    }

    fn is_there(&self, key: &str) -> bool {
        self.document.value().pointer(&self.at(key)).is_some()
    }

    fn say(&mut self, key: &str, result: Result<(), String>) {
        if let Err(message) = result {
            self.found.push(self.document.problem(&self.at(key), message));
        }
    }

    /// The message follows the value, which is no secret.
    fn say_of(&mut self, key: &str, result: Result<(), String>) {
        let quoted = |message| format!("{} {message}", self.document.quoted(&self.at(key)));
        let result = result.map_err(quoted);
        self.say(key, result);
    }

    /// That what the provider needs is there, and nothing of another's.
    fn keys(&mut self, provider: ProviderKind) {
        let name = provider.name();
        for own in &OWN {
            match (own.provider == provider, self.is_there(own.key)) {
                (true, false) if own.needed => self.missing(own.key, provider),
                (false, true) => {
                    let of = OWN.iter().filter(|one| one.provider == provider);
                    let message = format!(
                        "is for `provider = \"{}\"`, and this one is `{name}`, whose own keys are {}",
                        own.provider.name(),
                        words::listed(of.map(|one| one.key)),
                    );
                    self.say(own.key, Err(message));
                }
                (true, _) | (false, false) => {}
            }
        }
    }

    fn missing(&mut self, key: &str, provider: ProviderKind) {
        let message = format!("is missing, and `provider = \"{}\"` needs it", provider.name());
        self.say(key, Err(message));
    }

    fn secrets(&mut self, key: &str, values: &[crate::config::Secret]) {
        for (item, value) in values.iter().enumerate() {
            self.say(&format!("{key}/{item}"), secret(value));
        }
    }

    fn meta(&mut self, channel: &ChannelConfig) {
        let texts =
            [("access_token", &channel.access_token), ("verify_token", &channel.verify_token)];
        for (key, value) in texts {
            if self.is_there(key) {
                self.say(key, secret(value));
            }
        }
        if self.is_there("phone_number_id") {
            self.say("phone_number_id", not_blank(&channel.phone_number_id));
        }
        self.secrets("app_secret", &channel.app_secret);
    }

    fn twilio(&mut self, channel: &ChannelConfig) {
        let sids = [
            ("account_sid", "AC", &channel.account_sid),
            ("api_key", "SK", &channel.api_key),
            ("messaging_service_sid", "MG", &channel.messaging_service_sid),
        ];
        for (key, prefix, value) in sids {
            self.say_of(key, value.as_deref().map_or(Ok(()), |value| sid(value, prefix)));
        }
        for (template, content) in &channel.templates {
            let key = format!("templates/{}", escaped(template));
            let key = match content {
                ContentConfig::Sid(_) => key,
                ContentConfig::Whole(_) => key + "/sid",
            };
            self.say_of(&key, sid(content.sid(), "HX"));
        }
        self.secrets("auth_token", &channel.auth_token);
        self.say("api_secret", channel.api_secret.as_ref().map_or(Ok(()), secret));
        for (key, other) in [("api_key", "api_secret"), ("api_secret", "api_key")] {
            if !self.is_there(key) && self.is_there(other) {
                self.say(key, Err(format!("is missing, and `{other}` needs it")));
            }
        }
        if !self.is_there("public_url") {
            self.missing("public_url", ProviderKind::Twilio);
        }
        match &channel.number {
            Some(number) => self.say_of("number", phone(number)),
            None if self.is_there("messaging_service_sid") || self.is_there("number") => {}
            None => {
                let message = "is missing, and `provider = \"twilio\"` needs it or \
                               `messaging_service_sid`";
                self.say("number", Err(message.into()));
            }
        }
    }
}

/// A key as a part of a pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A name of Twilio's: two letters and 32 hexadecimal digits.
fn sid(text: &str, prefix: &str) -> Result<(), String> {
    const DIGITS: usize = 32;
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    match digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(format!("must be `{prefix}` and {DIGITS} hexadecimal digits")),
    }
}

/// A number as ITU E.164 has it.
fn phone(text: &str) -> Result<(), String> {
    const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
    let digits = text.strip_prefix('+').unwrap_or_default();
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    match plain && !digits.starts_with('0') && DIGITS.contains(&digits.len()) {
        true => Ok(()),
        false => {
            let (least, most) = DIGITS.into_inner();
            Err(format!(
                "must be `+` and {least} to {most} digits with the country code, such as `+15550001111`"
            ))
        }
    }
}

fn unique<'a>(
    seen: &mut HashMap<&'a str, usize>,
    value: &'a str,
    index: usize,
) -> Result<(), String> {
    match seen.insert(value, index) {
        Some(first) if !value.trim().is_empty() => {
            Err(format!("is the same as that of channel[{first}]"))
        }
        Some(_) | None => Ok(()),
    }
}

/// `https://…`, or `http://…` to this machine.
fn web_address(url: &str, example: &str) -> Result<(), String> {
    let (rest, encrypted) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return Err("must begin with `https://`".into()),
    };
    let host_and_port = rest.split('/').next().unwrap_or_default();
    let host = match host_and_port.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        Some(_) | None => host_and_port,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback =
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if host.is_empty() || url.contains(|c: char| c.is_whitespace() || "?#@".contains(c)) {
        return Err(format!("is not an address such as `{example}`"));
    }
    if url.ends_with('/') {
        return Err("must not end in `/`".into());
    }
    if !encrypted && !loopback {
        return Err("must begin with `https://`: `http://` is for this machine alone".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "https://graph.facebook.com/v26.0",
            "http://127.0.0.1:8082/v26.0",
            "http://localhost:1",
            "http://[::1]:80/x",
        ] {
            assert_eq!(web_address(good, ""), Ok(()), "{good}");
        }
        for bad in [
            "graph.facebook.com",
            "ftp://x",
            "https://",
            "https://x/",
            "https://a b",
            "http://graph.facebook.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
        ] {
            assert!(web_address(bad, "").is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_sids() {
        assert_eq!(phone("+15550001111"), Ok(()));
        for bad in ["", "15550001111", "+1555", "+05550001111", "+1555000111122334", "+1 555000111"]
        {
            assert!(phone(bad).is_err(), "{bad}");
        }
        let digits = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(sid(&format!("AC{digits}"), "AC"), Ok(()));
        for bad in [digits.to_owned(), format!("SK{digits}"), format!("AC{digits}0"), "AC".into()] {
            assert!(sid(&bad, "AC").is_err(), "{bad}");
        }
    }
}
