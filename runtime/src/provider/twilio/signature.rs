//! Whether Twilio sent this. The signature is over the address that Twilio
//! called, which only the configuration knows for sure (headers of proxies can
//! be made up), and over the decoded fields.

use super::fields::{Fields, is_json};
use crate::provider::{Denied, Webhook};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The header that holds the signature, in lower case.
const HEADER: &str = "x-twilio-signature";
/// The field of the query that holds the hash of a body that is not a form.
const BODY_HASH: &str = "bodySHA256";

/// The header is the base64 HMAC-SHA1, under any of the tokens, of the address
/// and the fields of a form. The fields stand side by side without separators,
/// so what the signature says is that these characters came in this order.
pub(super) fn verify(
    webhook: Webhook<'_>,
    public_url: &str,
    tokens: &[String],
) -> Result<(), Denied> {
    let header = webhook.headers.get(HEADER).ok_or(Denied::NoSignature)?;
    let signature = STANDARD.decode(header).map_err(|_| Denied::WrongSignature)?;
    let fields = signed_fields(webhook).ok_or(Denied::WrongSignature)?;
    let urls = addresses(public_url, webhook.path, webhook.query);
    let signed = |url: &String| {
        tokens.iter().any(|token| {
            mac(token, url, &fields).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
        })
    };
    match !public_url.is_empty() && urls.iter().any(signed) {
        true => Ok(()),
        false => Err(Denied::WrongSignature),
    }
}

fn mac(token: &str, url: &str, fields: &str) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    mac.update(fields.as_bytes());
    Some(mac)
}

/// What of the body is in the signature. A form is there field by field. Any
/// other body is there by its hash in the address; without that, None: nothing
/// would vouch for it.
fn signed_fields(webhook: Webhook<'_>) -> Option<String> {
    match (webhook.body, is_json(webhook)) {
        ([], _) => Some(String::new()),
        (body, false) => Some(in_order(&Fields::form(body))),
        (body, true) => {
            let query = Fields::form(webhook.query.as_bytes());
            // Neither is a secret: the comparison may take what time it likes.
            let same = query.get(BODY_HASH) == Some(&hex::encode(Sha256::digest(body)));
            same.then(String::new)
        }
    }
}

/// Names in the order of their bytes, each with each of its values once.
fn in_order(fields: &Fields) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields.iter() {
        sorted.entry(name).or_default().insert(value);
    }
    let pairs = sorted.iter().flat_map(|(name, values)| values.iter().map(move |v| [*name, *v]));
    pairs.flatten().collect()
}

/// The spellings of the address that Twilio may have signed: with its port and
/// without, the query as it came and written anew.
fn addresses(public_url: &str, path: &str, query: &str) -> Vec<String> {
    let Some((scheme, rest)) = public_url.split_once("://") else { return Vec::new() };
    let (authority, base) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
        Some((authority, base)) => (authority, base),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, if scheme == "https" { "443" } else { "80" }),
    };
    let queries = match query {
        "" => vec![String::new()],
        query => {
            let mut both = vec![format!("?{query}"), format!("?{}", written_anew(query))];
            both.dedup();
            both
        }
    };
    let hosts = [host.to_owned(), format!("{host}:{port}")];
    let with = |host: &String| {
        let start = format!("{scheme}://{host}{base}{path}");
        queries.iter().map(|query| format!("{start}{query}")).collect::<Vec<_>>()
    };
    hosts.iter().flat_map(with).collect()
}

/// The query decoded and encoded again, as Twilio's own library for Node does.
fn written_anew(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
