//! The files that the turn's contact has sent. Waits for one that is on its
//! way; hands out no other contact's, and no more than a turn may read.

use super::{NO_TURN, broken};
use crate::{
    clock::Stopwatch,
    media::Shelf,
    model::{LogLevel, MediaFile, MediaHere, MediaState},
    plugin::{
        bindings::switchboard::plugin::media::{self, File, State},
        host::Host,
        http::Line,
    },
    store::StoreError,
    turn::Draft,
};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;

/// Bytes of one call: a guest's memory is small.
const CALL_BYTES: u32 = 1024 * 1024;
/// Bytes of one turn, of all its files: what a guest's memory holds.
const TURN_BYTES: u64 = 64 * 1024 * 1024;

impl media::Host for Host {
    async fn info(&mut self, id: String) -> wasmtime::Result<Option<File>> {
        let found = async |draft: &mut Draft| match granted(draft) {
            Ok(()) => own(draft, &id).await,
            Err(_) => Ok(None),
        };
        Ok(self.waited(found).await?.map(told))
    }

    async fn read(
        &mut self,
        id: String,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let Self { draft: Some(draft), line: Some(line), shelf, read, .. } = self else {
            return Ok(Err(NO_TURN.into()));
        };
        if let Err(words) = granted(draft) {
            return Ok(Err(words));
        }
        let Some(shelf) = shelf else { return Ok(Err(no_such(&id))) };
        let length = length.min(CALL_BYTES);
        if read.saturating_add(u64::from(length)) > TURN_BYTES {
            let words = format!("a turn may read {TURN_BYTES} bytes of files");
            return Ok(Err(words));
        }
        let here = match arrived(draft, line, shelf, &id).await {
            Ok(Ok(here)) => here,
            Ok(Err(words)) => return Ok(Err(words)),
            Err(error) => return Err(broken(draft, error)),
        };
        if offset == 0 {
            let words = format!("a file was read: {} bytes, sha256 {}", here.bytes, here.sha256);
            draft.log(LogLevel::Debug, &words);
        }
        Ok(match shelf.read(&here.sha256, offset, length).await {
            Ok(bytes) => {
                *read += bytes.len() as u64;
                Ok(bytes)
            }
            Err(error) => Err(format!("the file can't be read: {}", error.kind())),
        })
    }
}

fn granted(draft: &Draft) -> Result<(), String> {
    draft.granted("media", "media")
}

fn no_such(id: &str) -> String {
    format!("this contact has sent no file `{id}`")
}

/// A file of this turn's contact, on this turn's channel.
async fn own(draft: &Draft, id: &str) -> Result<Option<MediaFile>, StoreError> {
    let file = draft.setting.store.media(&draft.event().channel, id).await?;
    Ok(file.filter(|file| file.lanes.contains(draft.lane())))
}

/// Waits until the file is here, within what is left of the time that the
/// turn's requests share.
async fn arrived(
    draft: &Draft,
    line: &mut Line,
    shelf: &Shelf,
    id: &str,
) -> Result<Result<MediaHere, String>, StoreError> {
    loop {
        // From before the look, so that no change falls between the two.
        let mut change = pin!(shelf.change());
        change.as_mut().enable();
        let Some(file) = own(draft, id).await? else { return Ok(Err(no_such(id))) };
        match file.state {
            MediaState::Here(here) => return Ok(Ok(here)),
            MediaState::Failed { reason, .. } => {
                return Ok(Err(format!("the file is not to be had: {reason}")));
            }
            MediaState::Expired { .. } => {
                return Ok(Err("the file was here, and its time is over".into()));
            }
            MediaState::Waiting { .. } => {}
        }
        if !waited(line, change).await {
            let ms = line.limit().as_millis();
            return Ok(Err(format!(
                "the file has not arrived yet: within {ms} ms, which it shares with all requests \
                 of the turn (`http_ms`)"
            )));
        }
    }
}

/// False if the time was over first.
async fn waited(line: &mut Line, change: impl Future<Output = ()>) -> bool {
    let left = line.limit().saturating_sub(line.spent);
    if left == Duration::ZERO {
        return false;
    }
    let watch = Stopwatch::start();
    let changed = timeout(left, change).await.is_ok();
    line.spent += watch.elapsed();
    changed
}

fn told(file: MediaFile) -> File {
    let said = file.media.mime_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let file_of = |state, mime_type| File {
        state,
        mime_type,
        looks_like: None,
        bytes: 0,
        sha256: String::new(),
        reason: None,
    };
    match file.state {
        MediaState::Waiting { reason, .. } => File { reason, ..file_of(State::Waiting, said) },
        MediaState::Failed { reason, .. } => {
            File { reason: Some(reason), ..file_of(State::Failed, said) }
        }
        MediaState::Expired { .. } => file_of(State::Expired, said),
        MediaState::Here(here) => {
            let MediaHere { bytes, sha256, mime_type, looks_like, at: _ } = here;
            File { bytes, sha256, looks_like, ..file_of(State::Here, mime_type) }
        }
    }
}
