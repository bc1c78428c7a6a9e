//! What the host adds to a step's requests so that the other side knows who
//! asks. The plugin must never see it, so what comes back is searched for it.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// Shorter secrets could not be told from any other words in an answer.
const SECRET_BYTES: usize = 8;
const FORMS: &str = "must be `bearer TOKEN`, `basic USER:PASSWORD` or `header NAME: VALUE`";

/// A header with a secret in it. Has no `Debug`, so that nothing shows it.
#[derive(Clone)]
pub struct Credential {
    name: HeaderName,
    value: HeaderValue,
    /// Each form in which an answer could repeat the secret.
    forms: Vec<Vec<u8>>,
}

impl Credential {
    /// Error: what is wrong, without any part of the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.trim().split_once(char::is_whitespace).ok_or(FORMS)?;
        let rest = rest.trim();
        let (name, value, secrets) = match kind.to_ascii_lowercase().as_str() {
            "bearer" if !rest.contains(char::is_whitespace) => {
                (AUTHORIZATION, format!("Bearer {rest}"), vec![rest.to_owned()])
            }
            "basic" => basic(rest)?,
            "header" => named(rest)?,
            _ => return Err(FORMS.into()),
        };
        if secrets.iter().any(|secret| secret.len() < SECRET_BYTES) {
            return Err(format!(
                "is shorter than {SECRET_BYTES} characters, so an answer could not be searched \
                 for it"
            ));
        }
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| "has a character that a header can't carry".to_owned())?;
        value.set_sensitive(true);
        let mut forms: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
        forms.sort();
        forms.dedup();
        Ok(Self { name, value, forms })
    }

    /// Puts it in the place of whatever the plugin has put there.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }

    /// Whether a plugin that sees these bytes sees the secret.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
    }
}

type Parts = (HeaderName, String, Vec<String>);

fn basic(pair: &str) -> Result<Parts, String> {
    let (user, password) = pair.split_once(':').ok_or(FORMS)?;
    // Some take a key as the user and nothing as the password.
    let secret = if password.is_empty() { user } else { password };
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    Ok((AUTHORIZATION, format!("Basic {encoded}"), vec![secret.into(), pair.into()]))
}

fn named(line: &str) -> Result<Parts, String> {
    let (name, value) = line.split_once(':').ok_or(FORMS)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| "names a header that can't be: it takes letters, digits and `-`".to_owned())?;
    if super::request::is_of_the_host(&name) {
        return Err(format!("sets the header `{name}`, which is the host's own"));
    }
    let value = value.trim().to_owned();
    // `Token abc`: the word alone is as good as the whole.
    let last = value.rsplit(char::is_whitespace).next().unwrap_or_default().to_owned();
    Ok((name, value.clone(), vec![value, last]))
}

/// As it is, in base64, and as JSON and addresses escape it.
fn spellings(secret: &str) -> [Vec<u8>; 6] {
    let (mut escaped, mut small) = (String::new(), String::new());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
            small.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
            small.push_str(&format!("%{byte:02x}"));
        }
    }
    let json = secret.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/");
    [
        secret.as_bytes().to_vec(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        escaped.into_bytes(),
        small.into_bytes(),
        json.into_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("the plugin's own"));
        Credential::parse(text).ok().unwrap().add_to(&mut headers);
        let (name, value) =
            headers.iter().find(|(_, value)| value.is_sensitive()).expect("marked as secret");
        (name.to_string(), value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_three_forms() {
        let expected = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header("bearer abc12345"), expected("authorization", "Bearer abc12345"));
        let basic = expected("authorization", "Basic c2hvcDpwYXNzIHdvcmQx");
        assert_eq!(header("Basic shop:pass word1"), basic);
        let named = expected("x-api-key", "k-0123456789");
        assert_eq!(header("header X-Api-Key:  k-0123456789 "), named);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for text in [
            "s3cret-s3cret",
            "bearer",
            "bearer s3cret s3cret",
            "bearer s3cret",
            "basic s3cret-s3cret",
            "basic s3cret-s3cret:short",
            "header s3cret-s3cret",
            "header x y: s3cret-s3cret",
            "header Host: s3cret-s3cret",
            "header X-Key: s3cret\u{1}s3cret",
            "digest s3cret-s3cret",
            "",
        ] {
            let told = Credential::parse(text).err().unwrap();
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn its_spellings_are_found() {
        let basic = Credential::parse("basic shop:pa/ss+word=1").ok().unwrap();
        for seen in [
            "x pa/ss+word=1 y",
            r#"{"password":"pa\/ss+word=1"}"#,
            "?p=pa%2Fss%2Bword%3D1&",
            "?p=pa%2fss%2bword%3d1&",
            "Basic c2hvcDpwYS9zcyt3b3JkPTE=",
            "cGEvc3Mrd29yZD0x",
        ] {
            assert!(basic.is_in(seen.as_bytes()), "{seen}");
        }
        assert!(!basic.is_in(b"shop: pa/ss+word"));
        assert!(!basic.is_in(b""));
        let named = Credential::parse("header Authorization: Token abcdefgh").ok().unwrap();
        assert!(named.is_in(b"abcdefgh"));
    }
}
