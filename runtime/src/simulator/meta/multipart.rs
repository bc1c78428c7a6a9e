//! A form with files, as an upload sends it. Pure.

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};

/// Parts in one form; an upload has three.
const PARTS_MAX: usize = 20;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    pub name: String,
    /// None if the part does not say.
    pub mime_type: Option<String>,
    pub bytes: Bytes,
}

/// None if the body is no such form.
pub fn read(headers: &HeaderMap, body: &Bytes) -> Option<Vec<Part>> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return None;
    }
    let boundary = parameter(kind, "boundary")?;
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut at = find(body, first.as_bytes(), 0)? + first.len();
    let mut parts = Vec::new();
    while parts.len() < PARTS_MAX {
        // Two hyphens after the boundary end the form.
        if body.get(at..at + 2)? == b"--" {
            return Some(parts);
        }
        let head_end = find(body, b"\r\n\r\n", at)?;
        let end = find(body, next.as_bytes(), head_end + 2)?;
        let head = std::str::from_utf8(body.get(at..head_end)?).ok()?;
        parts.push(part(head, body.slice(head_end + 4..end.max(head_end + 4)))?);
        at = end + next.len();
    }
    None
}

fn part(head: &str, bytes: Bytes) -> Option<Part> {
    let line = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let name = parameter(line("content-disposition")?, "name")?;
    Some(Part { name, mime_type: line("content-type").map(str::to_owned), bytes })
}

/// `name="a"` or `name=a` among what stands after the semicolons.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let found = name.trim().eq_ignore_ascii_case(wanted);
        found.then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Where `wanted` begins, at `from` or later.
fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = body.get(from..)?;
    let first = *wanted.first()?;
    let mut at = 0;
    // The first byte is rare in most files, so this is fast enough.
    while let Some(step) = rest.get(at..)?.iter().position(|byte| *byte == first) {
        at += step;
        if rest.get(at..at + wanted.len()) == Some(wanted) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &'static str) -> Option<Vec<Part>> {
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=\"xy\"".parse().unwrap();
        headers.insert(header::CONTENT_TYPE, kind);
        read(&headers, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn parts_are_told_apart() {
        let parts = form(
            "--xy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xy\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\
             Content-Type: image/png\r\n\r\n--x\r\n\r\ny\r\n--xy--\r\n",
        )
        .unwrap();
        assert_eq!((parts[0].name.as_str(), &parts[0].bytes[..]), ("a", &b"1"[..]));
        assert_eq!(parts[1].mime_type.as_deref(), Some("image/png"));
        assert_eq!(&parts[1].bytes[..], b"--x\r\n\r\ny");
        assert_eq!(form("--xy--"), Some(vec![]));
    }

    #[test]
    fn what_is_broken_is_no_form() {
        for body in ["", "--xy", "--xy\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "--z--"]
        {
            assert_eq!(form(body), None, "{body:?}");
        }
    }
}
