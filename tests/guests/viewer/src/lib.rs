//! Reads the file that a message bears, or one that a text names, and answers
//! with its size, its type and its hash; or with the host's words.

use switchboard_plugin::*;

/// More than any test sends.
const LIMIT: usize = 8_000_000;

struct Viewer;

impl Plugin for Viewer {
    type Rules = ();
    const WANTS: &'static [(&'static str, &'static str)] = &[("media", "looks at pictures")];

    fn new((): ()) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn on_message(&self, message: Message) -> Outcome {
        let id = match &message.content {
            Content::Media(media) => media.id.clone(),
            _ => message.words().unwrap_or_default().to_owned(),
        };
        let seen = media::info(&id).map(|file| format!("{:?}", file.state));
        because(seen.unwrap_or_else(|| "none".into()));
        let answer = match media::whole(&id, LIMIT) {
            Ok(bytes) => match media::info(&id) {
                Some(file) if file.bytes == bytes.len() as u64 => {
                    format!("{} bytes of {}: {}", bytes.len(), file.mime_type, file.sha256)
                }
                other => format!("{} bytes, but {other:?}", bytes.len()),
            },
            Err(words) => format!("error: {words}"),
        };
        reply(answer)?;
        Ok(Stop)
    }
}

export!(Viewer);
