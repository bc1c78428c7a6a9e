//! Files of the business folder on their way to the provider: looked at,
//! uploaded once, and sent by the id that the provider gave. What the file is
//! is checked here, because nobody before could look.

mod file;

use super::{
    Carrier, Outbox,
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
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Meta keeps what was uploaded for 30 days; the last one is left as a margin.
const KEPT_MS: Millis = 29 * 24 * 3_600_000;
/// An id that is refused sooner is not at fault: what the file is would not
/// change by uploading it anew, least of all for each contact of a campaign.
const SURE_MS: Millis = 3_600_000;
/// How long one upload may take: 100 MB at 350 KB a second.
const UPLOAD: Duration = Duration::from_secs(300);
/// Files whose digest is remembered, so that a campaign reads each once.
const DIGESTS: usize = 1_000;

/// Files that go up at once, so that a big one does not keep the others
/// waiting and all together leave the line free for messages.
const AT_ONCE: usize = 4;

/// Held by whoever uploads a file; others who need it wait, and find its id.
type Turn = tokio::sync::Mutex<()>;

/// What uploading needs and remembers.
pub(super) struct Uploads {
    /// `media/` in the business folder; none where there is no folder.
    folder: Option<PathBuf>,
    /// By the place of the file's id, so one for each file and number.
    turns: Mutex<HashMap<String, Weak<Turn>>>,
    room: Semaphore,
    digests: Mutex<HashMap<PathBuf, file::Digest>>,
}

impl Uploads {
    pub fn of(folder: Option<PathBuf>) -> Self {
        let (turns, digests) = Default::default();
        Self { folder, turns, room: Semaphore::new(AT_ONCE), digests }
    }

    fn turn(&self, place: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(place).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::default());
        turns.insert(place.to_owned(), Arc::downgrade(&turn));
        turn
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
    let client = match &outbox.carrier {
        Carrier::Http(client) => client,
        Carrier::Rehearsed(take) => return (Reply::Rehearsed(take(&item)), watch.elapsed()),
    };
    let mut used = Vec::new();
    for media in item.message.media_mut() {
        let MediaSource::File(name) = &media.source else { continue };
        match uploaded(&outbox, client, &*provider, &item.channel, (media.kind, name)).await {
            Ok((place, upload)) => {
                media.source = MediaSource::Id(upload.id.clone());
                used.push((place, upload));
            }
            Err(reply) => return (reply, watch.elapsed()),
        }
    }
    let (reply, took) = post(client.clone(), provider.render(&item)).await;
    let reply = match blamed(&*provider, &reply) {
        Some(reason) => forget_old(&outbox, &item.channel, &used, reason).await.unwrap_or(reply),
        None => reply,
    };
    (reply, took)
}

/// The provider's words, if it may have refused the message for want of a file.
fn blamed(provider: &dyn Provider, reply: &Reply) -> Option<String> {
    let Reply::Answer { status, body } = reply else { return None };
    match provider.classify(*status, body) {
        Answer::Refused { code: Some(code), reason, .. } if provider.blames_upload(code) => {
            Some(reason)
        }
        Answer::Refused { .. } | Answer::Sent { .. } => None,
    }
}

/// Forgets those ids that may be gone at the provider's, so that the next
/// attempt uploads their files anew: theirs will be too new to be forgotten
/// again. None: there is no such id, and the refusal holds.
async fn forget_old(
    outbox: &Outbox,
    channel: &ChannelId,
    used: &[(String, Uploaded)],
    reason: String,
) -> Option<Reply> {
    let old = outbox.clock.now().saturating_add(KEPT_MS - SURE_MS);
    let old: Vec<_> = used.iter().filter(|(_, upload)| upload.until <= old).collect();
    for (place, upload) in &old {
        if let Err(error) = outbox.store.forget_upload(channel, place, &upload.id).await {
            return Some(unread(error));
        }
    }
    (!old.is_empty()).then(|| Reply::NotSent(format!("its file is uploaded anew: {reason}")))
}

/// Where the store keeps the provider's id of a file, and the id. Error: how
/// the attempt to send ended.
async fn uploaded(
    outbox: &Outbox,
    client: &reqwest::Client,
    provider: &dyn Provider,
    channel: &ChannelId,
    (kind, name): (MediaKind, &str),
) -> Result<(String, Uploaded), Reply> {
    let found = look(&outbox.uploads, kind, name).await.map_err(Reply::Unfit)?;
    let Some(upload) = provider.upload(kind, found.mime) else {
        let reason = format!("this channel can't send the file `media/{name}`: use a link");
        return Err(Reply::Unfit(reason));
    };
    // Another number's ids are worth nothing to this one.
    let place = format!("{} {}", found.sha256, upload.url);
    let now = outbox.clock.now();
    if let Some(known) = outbox.store.upload(channel, &place, now).await.map_err(unread)? {
        return Ok((place, known));
    }
    let turn = outbox.uploads.turn(&place);
    let _turn = turn.lock().await;
    // Whoever was first may have done it.
    let known = outbox.store.upload(channel, &place, now).await.map_err(unread)?;
    let known = match known {
        Some(known) => known,
        None => {
            let _room = outbox.uploads.room.acquire().await;
            let id = send(client, provider, upload, &found).await?;
            let new = Uploaded { id, until: now.saturating_add(KEPT_MS) };
            outbox.store.keep_upload(channel, &place, new.clone()).await.map_err(unread)?;
            new
        }
    };
    fresh(outbox, now)?;
    Ok((place, known))
}

/// After a long wait the rules are asked anew before the message leaves: the
/// contact may have said no meanwhile.
fn fresh(outbox: &Outbox, began: Millis) -> Result<(), Reply> {
    match outbox.clock.now().saturating_sub(began) > FRESH_MS {
        true => Err(Reply::NotSent("its file has been uploaded; it is about to leave".into())),
        false => Ok(()),
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
        other @ (Reply::NotSent(_) | Reply::Unfit(_) | Reply::Rehearsed(_)) => Err(other),
    }
}
