//! Where Meta keeps the files that customers send: the question for the
//! address, its answer, and which hosts may be trusted with the token.

use crate::{model::media_hash, provider::places};
use serde_json::Value;

/// Where Meta serves files from. A name that begins with a dot stands for all
/// below it.
const HOSTS: [&str; 4] =
    ["lookaside.fbsbx.com", "graph.facebook.com", ".whatsapp.net", ".fbcdn.net"];
/// An id has some twenty digits.
const ID_BYTES: usize = 200;

pub(super) struct Said {
    pub url: String,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
    pub mime_type: Option<String>,
}

/// Where to ask for a file's address. The number that the file was sent to
/// must be ours, or Meta refuses.
pub(super) fn address(api_url: &str, id: &str, number: &str) -> Result<String, String> {
    // Whatever else stood there would be another request.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > ID_BYTES || !id.bytes().all(plain) {
        return Err("its id is not one of Meta's".into());
    }
    let number: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
    Ok(format!("{api_url}/{id}?phone_number_id={number}"))
}

pub(super) fn read(body: &[u8]) -> Result<Said, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "Meta's answer is no JSON")?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    // A number, and in older answers a text.
    let size = value.get("file_size");
    let bytes = size.and_then(|size| size.as_u64().or_else(|| size.as_str()?.parse().ok()));
    Ok(Said {
        url: text("url").ok_or("Meta's answer has no `url`")?.to_owned(),
        bytes,
        sha256: text("sha256").and_then(media_hash),
        mime_type: text("mime_type").map(str::to_owned),
    })
}

/// Whether the token may go to an address.
pub(super) fn check(url: &str, api_url: &str) -> Result<(), String> {
    places::check(url, api_url, &HOSTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://graph.facebook.com/v26.0";

    #[test]
    fn the_token_goes_to_meta_alone() {
        for url in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2",
            "https://mmg.whatsapp.net/d/f/x.enc",
            "https://scontent.xx.fbcdn.net/v/a.jpg",
            "https://graph.facebook.com/v1/x",
            "HTTPS://LOOKASIDE.fbsbx.com/",
        ] {
            assert_eq!(check(url, API), Ok(()), "{url}");
        }
        for url in [
            "http://lookaside.fbsbx.com/",
            "https://lookaside.fbsbx.com.evil.example/",
            "https://evil.example/lookaside.fbsbx.com",
            "https://lookaside.fbsbx.com@evil.example/",
            "https://evil.example\\@lookaside.fbsbx.com/",
            "https://evil.example#.whatsapp.net",
            "https://evil.example?.whatsapp.net",
            "https://evilwhatsapp.net/",
            "https://whatsapp.net.:1/",
            "https://lookaside.fbsbx.com:8443/",
            "https://[::1]/",
            "//lookaside.fbsbx.com/",
            "file:///etc/passwd",
            "https:// lookaside.fbsbx.com/",
            "",
        ] {
            assert!(check(url, API).is_err(), "{url}");
        }
        // A simulator on this machine, but no other port of it.
        let here = "http://127.0.0.1:9000/v26.0";
        assert_eq!(check("http://127.0.0.1:9000/files/1", here), Ok(()));
        assert!(check("http://127.0.0.1:9001/files/1", here).is_err());
        assert!(check("http://127.0.0.1/files/1", here).is_err());
    }

    #[test]
    fn an_id_is_no_path() {
        let asked = address(API, "1234567", "1060").unwrap();
        assert_eq!(asked, "https://graph.facebook.com/v26.0/1234567?phone_number_id=1060");
        for id in ["", "../me", "a/b", "a?b", "a#b", "%2e"] {
            assert!(address(API, id, "1").is_err(), "{id}");
        }
    }

    #[test]
    fn the_answer_is_read_as_it_comes() {
        let hash = "ab".repeat(32);
        let said = format!(
            r#"{{"url":"https://x","mime_type":"image/jpeg","sha256":"{hash}","file_size":"303833","id":"1"}}"#
        );
        let said = read(said.as_bytes()).unwrap();
        assert_eq!((said.bytes, said.sha256), (Some(303_833), Some(hash)));
        assert_eq!(read(br#"{"url":"u","file_size":7}"#).map(|it| it.bytes).ok(), Some(Some(7)));
        assert!(read(b"{}").is_err() && read(b"<html>").is_err());
    }
}
