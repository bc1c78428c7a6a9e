//! The files that the contact has sent: pictures, voice notes, documents. The
//! host fetches them; reading one that is on its way waits for it. Needs the
//! grant `media`.
//!
//! ```
//! # use switchboard_plugin::*;
//! fn size_of_picture(message: &Message) -> Result<Option<usize>, String> {
//!     let Content::Media(picture) = &message.content else { return Ok(None) };
//!     let bytes = media::whole(&picture.id, 5_000_000)?;
//!     Ok(Some(bytes.len()))
//! }
//! ```

pub use crate::bindings::switchboard::plugin::media::{File, State};

use crate::host;

/// The most that the host gives at once, in bytes.
const CHUNK: u32 = 1024 * 1024;

/// How far the host has got with a file, by the id in its message. None: this
/// contact has sent no such file, or the grant is missing.
#[must_use]
pub fn info(id: &str) -> Option<File> {
    host::media::info(id)
}

/// At most `length` bytes (1 MB) from `offset`; none behind the end.
///
/// # Errors
/// Not granted, no such file, not here in time, or not to be had; in words.
pub fn read(id: &str, offset: u64, length: u32) -> Result<Vec<u8>, String> {
    host::media::read(id, offset, length)
}

/// The whole file. The plugin's memory must hold it.
///
/// # Errors
/// As [`read`], and where it has more than `limit` bytes.
pub fn whole(id: &str, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        let more = read(id, bytes.len() as u64, CHUNK)?;
        if more.is_empty() {
            return Ok(bytes);
        }
        if bytes.len() + more.len() > limit {
            return Err(format!("the file has more than {limit} bytes"));
        }
        bytes.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use crate::{testing::Stage, *};

    struct Viewer;
    impl Plugin for Viewer {
        type Rules = ();
        const WANTS: &'static [(&'static str, &'static str)] = &[("media", "looks at pictures")];
        fn new((): ()) -> Result<Self, Vec<Problem>> {
            Ok(Self)
        }
        fn on_message(&self, message: Message) -> Outcome {
            let id = message.words().unwrap_or_default();
            let bytes = media::whole(id, 3_000_000)?;
            reply(format!("{} bytes, the last is {:?}", bytes.len(), bytes.last()))?;
            Ok(Stop)
        }
    }

    #[test]
    fn a_file_is_read_piece_by_piece() {
        let mut stage = Stage::default();
        let mut long = vec![1; 2_500_000];
        long.push(7);
        stage.has_file("7", "image/jpeg", &long).has_file("8", "image/png", &[0; 3_000_001]);
        stage.lacks_file("9", "it is too large");
        let turn = stage.says(&Viewer, "7");
        assert_eq!(turn.replies(), ["2500001 bytes, the last is Some(7)"]);
        let error = |stage: &mut Stage, id: &str| stage.says(&Viewer, id).verdict.unwrap_err();
        assert_eq!(error(&mut stage, "8"), "the file has more than 3000000 bytes");
        assert_eq!(error(&mut stage, "9"), "it is too large");
        assert_eq!(error(&mut stage, "10"), "there is no file `10`");
    }
}
