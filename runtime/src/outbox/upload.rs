//! Files of the business folder on their way to the provider: looked at,
//! uploaded once, and sent by the id that the provider gave. What the file is
//! is checked here, because nobody before could look.

mod file;

use super::{
    Outbox,
    post::{Reply, authorized, post, read, sent},
};
use crate::{
    clock::Stopwatch,
    model::*,
    provider::{Answer, Provider, Upload},
};
use file::Found;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Meta keeps what was uploaded for 30 days; the last one is left as a margin.
const KEPT_MS: Millis = 29 * 24 * 3_600_000;
/// How long one upload may take: 100 MB at 350 KB a second.
const UPLOAD: Duration = Duration::from_secs(300);
/// Files whose digest is remembered, so that a campaign reads each once.
const DIGESTS: usize = 1_000;

/// What uploading needs and remembers.
#[derive(Default)]
pub(super) struct Uploads {
    /// `media/` in the business folder; none where there is no folder.
    folder: Option<PathBuf>,
    /// One upload at a time: the same file for many contacts goes up once.
    turn: tokio::sync::Mutex<()>,
    digests: Mutex<HashMap<PathBuf, file::Digest>>,
}

impl Uploads {
    pub fn of(folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..Self::default() }
    }
}

/// How long a message that was allowed to leave may take to do so.
const FRESH_MS: Millis = 5_000;

/// Uploads what the message needs and then sends it.
pub(super) async fn then_post(
    outbox: Arc<Outbox>,
    provider: Arc<dyn Provider>,
    mut item: OutboxItem,
) -> (Reply, Duration) {
    let watch = Stopwatch::start();
    for media in item.message.media_mut() {
        let MediaSource::File(name) = &media.source else { continue };
        match uploaded(&outbox, &*provider, &item.channel, media.kind, name).await {
            Ok(id) => media.source = MediaSource::Id(id),
            Err(reply) => return (reply, watch.elapsed()),
        }
    }
    post(outbox.client.clone(), provider.render(&item)).await
}

/// The provider's id of a file. Error: how the attempt to send ended.
async fn uploaded(
    outbox: &Outbox,
    provider: &dyn Provider,
    channel: &ChannelId,
    kind: MediaKind,
    name: &str,
) -> Result<String, Reply> {
    let found = look(&outbox.uploads, kind, name).await.map_err(Reply::Unfit)?;
    let Some(upload) = provider.upload(kind, found.mime) else {
        let reason = format!("this channel can't send the file `media/{name}`: use a link");
        return Err(Reply::Unfit(reason));
    };
    // Another number's ids are worth nothing to this one.
    let place = format!("{} {}", found.sha256, upload.url);
    let now = outbox.clock.now();
    if let Some(id) = outbox.store.upload(channel, &place, now).await.map_err(unread)? {
        return Ok(id);
    }
    let _turn = outbox.uploads.turn.lock().await;
    // Whoever was first may have done it.
    if let Some(id) = outbox.store.upload(channel, &place, now).await.map_err(unread)? {
        return fresh(outbox, now, id);
    }
    let id = send(&outbox.client, provider, upload, &found).await?;
    let until = now.saturating_add(KEPT_MS);
    outbox.store.keep_upload(channel, &place, id.clone(), until).await.map_err(unread)?;
    fresh(outbox, now, id)
}

/// After a long wait the rules are asked anew before the message leaves: the
/// contact may have said no meanwhile.
fn fresh(outbox: &Outbox, began: Millis, id: String) -> Result<String, Reply> {
    match outbox.clock.now().saturating_sub(began) > FRESH_MS {
        true => Err(Reply::NotSent("its file has been uploaded; it is about to leave".into())),
        false => Ok(id),
    }
}

fn unread(error: crate::store::StoreError) -> Reply {
    Reply::NotSent(error.to_string())
}

async fn look(uploads: &Uploads, kind: MediaKind, name: &str) -> Result<Found, String> {
    let folder = uploads.folder.clone();
    let folder = folder.ok_or("there is no business folder whose `media/` could be read")?;
    let path = folder.join(name);
    let known = {
        let digests = uploads.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.get(&path).cloned()
    };
    let name = name.to_owned();
    let looked = tokio::task::spawn_blocking(move || file::look(&folder, &name, kind, known));
    let (found, digest) = looked.await.map_err(|_| "the file could not be read".to_owned())??;
    let mut digests = uploads.digests.lock().unwrap_or_else(PoisonError::into_inner);
    if digests.len() >= DIGESTS {
        digests.clear();
    }
    digests.insert(path, digest);
    Ok(found)
}

/// Uploads it. Error: how the attempt to send ended; the message itself never
/// left, so nothing is uncertain.
async fn send(
    client: &reqwest::Client,
    provider: &dyn Provider,
    upload: Upload,
    found: &Found,
) -> Result<String, Reply> {
    let unread = |error: std::io::Error| {
        Reply::NotSent(format!("the file `{}` can't be read: {error}", found.name))
    };
    let file = tokio::fs::File::open(&found.path).await.map_err(unread)?;
    let body = reqwest::Body::from(file);
    let part = reqwest::multipart::Part::stream_with_length(body, found.bytes);
    let part = part.file_name(found.name.clone()).mime_str(found.mime);
    let part = part.map_err(|error| Reply::Unfit(format!("`{}`: {error}", found.name)))?;
    let fields = upload.fields.into_iter();
    let form =
        fields.fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
    let request = authorized(client.post(&upload.url), &upload.auth)
        .timeout(UPLOAD)
        .multipart(form.part(upload.file, part));
    let reply = match sent(request).await {
        Ok(answer) => read(answer).await,
        Err(reply) => reply,
    };
    match reply {
        Reply::Answer { status, body } => match provider.uploaded(status, &body) {
            Answer::Sent { message_id } => Ok(message_id),
            // Nobody said no to the file.
            Answer::Refused { code: None, reason, .. }
                if matches!(status, 200..300 | 502 | 504) =>
            {
                Err(Reply::NotSent(reason))
            }
            Answer::Refused { .. } => Err(Reply::Answer { status, body }),
        },
        Reply::Lost(reason) => Err(Reply::NotSent(reason)),
        other @ (Reply::NotSent(_) | Reply::Unfit(_)) => Err(other),
    }
}
