//! Which hosts a provider keeps files on. Addresses come from outside, and a
//! credential must not follow them anywhere else. Pure.

/// Whether a file may be asked for at `url`: over https at one of `hosts`, or at
/// the very origin that the channel's `api_url` names. A host that begins with
/// a dot stands for all below it.
///
/// # Errors
/// It may not, in words that name the host.
pub(super) fn check(url: &str, api_url: &str, hosts: &[&str]) -> Result<(), String> {
    let (scheme, host, port) = origin(url).ok_or("the file's address is none")?;
    if origin(api_url).as_ref() == Some(&(scheme.clone(), host.clone(), port.clone())) {
        return Ok(());
    }
    let known = hosts.iter().any(|known| match known.starts_with('.') {
        true => host.ends_with(known),
        false => host == *known,
    });
    match scheme == "https" && port.is_empty() && known {
        true => Ok(()),
        false => Err(format!("`{host}` is not one of the provider's hosts for files")),
    }
}

/// Scheme, host and port (empty: the scheme's own), in small letters. None
/// where anything is unusual: a user, a backslash, an odd character.
fn origin(url: &str) -> Option<(String, String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let odd = |byte: u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let wrong = host.is_empty() || host.bytes().any(odd) || url.bytes().any(|b| b <= b' ');
    if wrong || !port.bytes().all(|byte| byte.is_ascii_digit()) || url.contains('\\') {
        return None;
    }
    Some((scheme.to_ascii_lowercase(), host.to_ascii_lowercase(), port.to_owned()))
}
