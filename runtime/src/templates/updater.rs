//! Keeps the copies fresh: reads each account's list at the start, after a
//! reload, every hour, and soon after something was missed. A copy stays until
//! a newer one was read whole.

mod pace;

use super::{Copy, Directory, Templates, check::exact};
use crate::{
    clock::Clock,
    model::*,
    outbox::build,
    provider::{ErrorClass, Provider, Request, TemplateTrouble},
    store::{Result, Store, StoreError},
    wake::{self, Shutdown},
};
use pace::Pace;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, PoisonError, atomic::Ordering},
};
use tokio::sync::Mutex;

/// The most that an account can have.
const TEMPLATES: usize = 6_000;
/// Bytes of one page: a hundred templates of the largest kind have a tenth.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Pages of one reading: 6,000 templates have 60.
const PAGES: usize = 100;
/// The pause after the store failed.
const TROUBLE_MS: Millis = 5_000;

/// The channels of the generation with this number, as it is now.
pub struct Known {
    pub generation: u64,
    pub channels: Vec<(ChannelId, Arc<dyn Provider>)>,
}

pub type Channels = Arc<dyn Fn() -> Known + Send + Sync>;

/// Told of a template, by its name and language, that may be used again.
pub type Lives = Arc<dyn Fn(&ChannelId, &str, &str) + Send + Sync>;

/// The worker. One per store.
pub struct Updater {
    templates: Arc<Templates>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    channels: Channels,
    lives: Lives,
    client: reqwest::Client,
    /// By account. Held while one is read, so that none is read twice at once.
    paces: Mutex<HashMap<Arc<str>, Pace>>,
    /// As the paces stand between two readings, for those who only look.
    outcomes: std::sync::Mutex<HashMap<Arc<str>, Outcome>>,
}

/// How the last reading of an account went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub account: Arc<str>,
    /// None: none was tried in this process.
    pub tried_at: Option<Millis>,
    /// Why it failed.
    pub failure: Option<String>,
}

type Accounts = BTreeMap<Arc<str>, Arc<dyn Provider>>;

impl Updater {
    pub fn new(
        templates: Arc<Templates>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        channels: Channels,
        lives: Lives,
        client: reqwest::Client,
    ) -> Self {
        let (paces, outcomes) = Default::default();
        Self { templates, store, clock, channels, lives, client, paces, outcomes }
    }

    /// Runs until shutdown. A reading under way is given up then: the next
    /// start reads again.
    pub async fn run(self: Arc<Self>, mut shutdown: Shutdown) {
        let bell = self.templates.bell.clone();
        loop {
            let mut ended = shutdown.clone();
            let due = tokio::select! {
                biased;
                _ = ended.wait_for(|ended| *ended) => return,
                due = self.round() => due,
            };
            if !wake::wait(&bell, &*self.clock, due, &mut shutdown).await {
                return;
            }
        }
    }

    /// Takes over what the store has, so that it is there before the first turn.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn refresh(&self) -> Result<()> {
        self.take_over(&(self.channels)()).await.map(drop)
    }

    /// Reads every account's list now, whatever its pace, but within the budget
    /// of calls.
    pub async fn sync(&self) -> Vec<Outcome> {
        self.round_of(true).await;
        self.outcomes()
    }

    /// How the last readings went, of each account.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let known = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let none = |account| Outcome { account, tried_at: None, failure: None };
        let accounts = self.templates.accounts().into_keys();
        accounts.map(|one| known.get(&one).cloned().unwrap_or_else(|| none(one))).collect()
    }

    fn note(&self, account: &Arc<str>, pace: &Pace) {
        let outcome = Outcome {
            account: Arc::clone(account),
            tried_at: pace.tried_at,
            failure: pace.failure.clone(),
        };
        let mut known = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Arc::clone(account), outcome);
    }

    /// Does what is due. Returns when something is due again.
    async fn round(&self) -> Millis {
        self.round_of(false).await
    }

    async fn round_of(&self, asked: bool) -> Millis {
        let mut paces = self.paces.lock().await;
        let known = (self.channels)();
        let (accounts, wanting) = match self.take_over(&known).await {
            Ok(taken) => taken,
            Err(error) => return self.trouble(&error),
        };
        paces.retain(|account, _| accounts.contains_key(account));
        let missed = self.templates.missed.load(Ordering::Relaxed);
        let mut updated = false;
        for (account, provider) in &accounts {
            let pace = paces.entry(Arc::clone(account)).or_default();
            pace.wanted |= missed || wanting.contains(account);
            if asked || pace.due(known.generation, self.clock.now()) <= self.clock.now() {
                self.update(account, &**provider, pace, known.generation).await;
                updated = true;
            }
        }
        if updated {
            // What was missed until now, the paces know.
            self.templates.missed.store(false, Ordering::Relaxed);
            if let Err(error) = self.take_over(&known).await {
                return self.trouble(&error);
            }
        }
        let now = self.clock.now();
        let due = paces.values().map(|pace| pace.due(known.generation, now));
        due.min().unwrap_or(now + pace::PERIOD_MS)
    }

    fn trouble(&self, error: &StoreError) -> Millis {
        tracing::error!("the copies of the templates could not be read: {error}");
        self.clock.now() + TROUBLE_MS
    }

    /// Reads the copies from the store into memory, and tells of templates that
    /// live again. Returns the accounts, and those whose copy lacks something.
    async fn take_over(&self, known: &Known) -> Result<(Accounts, HashSet<Arc<str>>)> {
        let mut accounts = Accounts::new();
        let mut directory = Directory { kept: true, ..Directory::default() };
        for (channel, provider) in &known.channels {
            let Some(account) = provider.template_account() else { continue };
            let account: Arc<str> = account.into();
            directory.accounts.insert(channel.clone(), Arc::clone(&account));
            accounts.entry(account).or_insert_with(|| Arc::clone(provider));
        }
        let mut wanting = HashSet::new();
        for account in accounts.keys() {
            let copy = self.store.templates(account).await?;
            if copy.wanted {
                wanting.insert(Arc::clone(account));
            }
            directory.copies.insert(Arc::clone(account), Arc::new(Copy::new(copy)));
        }
        let before = self.templates.directory.swap(Arc::new(directory.clone()));
        for (channel, account) in &directory.accounts {
            for form in revived(&before, &directory, account) {
                (self.lives)(channel, &form.name, &form.language);
            }
        }
        Ok((accounts, wanting))
    }

    async fn update(
        &self,
        account: &Arc<str>,
        provider: &dyn Provider,
        pace: &mut Pace,
        generation: u64,
    ) {
        let began = self.clock.now();
        pace.begin(generation, began);
        let read = self.read(provider, pace).await;
        let kept = match read {
            Ok(forms) => {
                let count = forms.len();
                let kept = self.store.replace_templates(account, forms, began).await;
                kept.map(|()| count).map_err(|error| TemplateTrouble {
                    class: ErrorClass::Retry,
                    reason: error.to_string(),
                })
            }
            Err(trouble) => Err(trouble),
        };
        match &kept {
            Ok(count) => tracing::info!(templates = *count, "the list of templates was read"),
            Err(TemplateTrouble { reason, .. }) => {
                tracing::warn!("the list of templates could not be read, the copy stays: {reason}");
            }
        }
        pace.end(kept.err());
        self.note(account, pace);
    }

    async fn read(
        &self,
        provider: &dyn Provider,
        pace: &mut Pace,
    ) -> std::result::Result<Vec<TemplateForm>, TemplateTrouble> {
        let mut forms = Vec::new();
        let mut after: Option<String> = None;
        for pages in 1..=PAGES {
            let Some(request) = provider.ask_templates(after.as_deref()) else {
                return Err(trouble("the channel names no account"));
            };
            pace.call(self.clock.now())?;
            let (status, body) = fetch(&self.client, &request).await?;
            let page = provider.read_templates(status, &body)?;
            if page.unread > 0 {
                tracing::warn!(
                    templates = page.unread,
                    "templates without a name were passed over"
                );
            }
            forms.extend(page.forms);
            if forms.len() > TEMPLATES {
                return Err(trouble(&format!(
                    "the list has more than {TEMPLATES} templates, the most that are kept"
                )));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => {
                    pace.pages = pages;
                    tell_apart(&mut forms);
                    return Ok(forms);
                }
            }
        }
        Err(trouble(&format!("the list did not end after {PAGES} pages")))
    }
}

/// Several Contents of Twilio's may bear one name in one language, such as one
/// that was rejected and its second try. The name is that of the first that may
/// be used; the others go by their ids.
fn tell_apart(forms: &mut [TemplateForm]) {
    forms.sort_by_key(|form| !form.is_live());
    let mut seen = HashSet::new();
    for form in forms {
        if !seen.insert((form.name.clone(), form.language.clone())) && !form.id.is_empty() {
            form.name.clone_from(&form.id);
        }
    }
}

/// What may be used now and might not before.
fn revived<'a>(before: &Directory, now: &'a Directory, account: &str) -> Vec<&'a TemplateForm> {
    let (Some(old), Some(new)) = (before.copies.get(account), now.copies.get(account)) else {
        return Vec::new();
    };
    let rested = |form: &&TemplateForm| {
        let old = old.forms.get(&form.name).and_then(|forms| exact(forms, &form.language));
        form.is_live() && old.is_some_and(|old| !old.is_live())
    };
    new.forms.values().flatten().filter(rested).collect()
}

fn trouble(reason: &str) -> TemplateTrouble {
    TemplateTrouble { class: ErrorClass::Permanent, reason: reason.to_owned() }
}

async fn fetch(
    client: &reqwest::Client,
    request: &Request,
) -> std::result::Result<(u16, Vec<u8>), TemplateTrouble> {
    let broken = |error: reqwest::Error| TemplateTrouble {
        class: ErrorClass::Retry,
        // The address would name the account.
        reason: format!("the provider can't be reached: {}", error.without_url()),
    };
    let mut answer = build(client, request).send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > PAGE_BYTES {
            return Err(trouble(&format!("a page has more than {PAGE_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::tests::form;

    /// One of them took the other's place in the copy, whichever came last.
    #[test]
    fn the_one_that_may_be_used_has_the_name() {
        let of = |id: &str, status: &str| TemplateForm {
            id: id.into(),
            status: TemplateStatus::of(status),
            ..form("sale", "en", "a")
        };
        let german = TemplateForm { language: "de".into(), ..of("HX4", "PAUSED") };
        let mut forms =
            [of("HX1", "REJECTED"), of("HX2", "APPROVED"), of("HX3", "APPROVED"), german];
        tell_apart(&mut forms);
        let mut names: Vec<_> = forms.iter().map(|form| (&*form.id, &*form.name)).collect();
        names.sort_unstable();
        assert_eq!(names, [("HX1", "HX1"), ("HX2", "sale"), ("HX3", "HX3"), ("HX4", "sale")]);
    }
}
