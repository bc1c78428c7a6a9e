//! The business's templates as the providers know them: may one be used, and
//! does a message fill it rightly? Reads from memory what `Updater` keeps fresh
//! in the store; sends nothing.

mod check;
mod fill;
mod preview;
mod updater;

pub use check::Checked;
pub use preview::{Values, preview};
pub use updater::{Channels, Known, Outcome, Updater};

use crate::{model::*, wake::Bell};
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is known of all templates. One per process; an empty one lets all pass.
#[derive(Default)]
pub struct Templates {
    directory: ArcSwap<Directory>,
    /// Somebody asked for a template that the copy lacks.
    missed: AtomicBool,
    bell: Bell,
}

/// As it is at one moment; replaced whole.
#[derive(Clone, Default)]
struct Directory {
    /// None: nobody keeps copies here, as in a case or a test.
    kept: bool,
    accounts: BTreeMap<ChannelId, Arc<str>>,
    copies: HashMap<Arc<str>, Arc<Copy>>,
}

/// The copy of one account.
#[derive(Default)]
struct Copy {
    read_at: Option<Millis>,
    /// By name: its languages.
    forms: BTreeMap<String, Vec<TemplateForm>>,
}

impl Copy {
    fn new(copy: TemplateCopy) -> Self {
        let mut forms: BTreeMap<String, Vec<TemplateForm>> = BTreeMap::new();
        for form in copy.forms {
            forms.entry(form.name.clone()).or_default().push(form);
        }
        Self { read_at: copy.read_at, forms }
    }
}

/// What the copy has under a name.
enum Found {
    /// There is nothing to compare with; why.
    Unread(Option<&'static str>),
    Here(Arc<Copy>),
}

impl Templates {
    /// That rings when a copy should be looked at anew.
    pub fn new(bell: Bell) -> Self {
        Self { bell, ..Self::default() }
    }

    /// The account whose templates the channel uses.
    pub fn account(&self, channel: &ChannelId) -> Option<Arc<str>> {
        self.directory.load().accounts.get(channel).cloned()
    }

    /// Whether messages by a template may leave, for a message that is about to.
    /// `language` is the template's own, as `check` has chosen it.
    pub fn state(&self, channel: &ChannelId, name: &str, language: &str) -> TemplateState {
        let Found::Here(copy) = self.find(channel) else { return TemplateState::Live };
        let forms = copy.forms.get(name);
        match forms.and_then(|forms| check::exact(forms, language)) {
            Some(form) => form.state(),
            // Made after the last reading, or deleted: the provider knows.
            None => {
                self.miss();
                TemplateState::Live
            }
        }
    }

    /// The message as it should leave: in a language that the template has, and
    /// in the category that the provider has put it into.
    ///
    /// # Errors
    /// In words, what is wrong with the template or with its values.
    pub fn check(
        &self,
        channel: &ChannelId,
        template: Template,
        now: Millis,
    ) -> Result<Checked, String> {
        let copy = match self.find(channel) {
            Found::Unread(remark) => return Ok(Checked::unread(template, remark)),
            Found::Here(copy) => copy,
        };
        let Some(forms) = copy.forms.get(&template.name) else {
            self.miss();
            return Err(check::unknown(&template.name, copy.forms.keys()));
        };
        check::check(template, forms, now)
    }

    /// The forms of an account's templates, in order, with when they were read.
    pub fn list(&self, account: &str) -> (Option<Millis>, Vec<TemplateForm>) {
        match self.directory.load().copies.get(account) {
            Some(copy) => (copy.read_at, copy.forms.values().flatten().cloned().collect()),
            None => (None, Vec::new()),
        }
    }

    /// Each account with the channels that use its templates.
    pub fn accounts(&self) -> BTreeMap<Arc<str>, Vec<ChannelId>> {
        let mut accounts: BTreeMap<Arc<str>, Vec<ChannelId>> = BTreeMap::new();
        for (channel, account) in &self.directory.load().accounts {
            accounts.entry(Arc::clone(account)).or_default().push(channel.clone());
        }
        accounts
    }

    /// The template in the language that a message in `language` would take.
    ///
    /// # Errors
    /// In words, why there is none.
    pub fn form(
        &self,
        account: &str,
        name: &str,
        language: Option<&str>,
    ) -> Result<TemplateForm, String> {
        let directory = self.directory.load();
        let copy = directory.copies.get(account).cloned().unwrap_or_default();
        let forms = copy.forms.get(name);
        let forms = forms.ok_or_else(|| check::unknown(name, copy.forms.keys()))?;
        check::choose(forms, name, language.unwrap_or_default()).map(|(form, _)| form.clone())
    }

    fn find(&self, channel: &ChannelId) -> Found {
        let directory = self.directory.load();
        if !directory.kept {
            return Found::Unread(None);
        }
        let Some(account) = directory.accounts.get(channel) else {
            return Found::Unread(Some("the channel names no account whose list could be read"));
        };
        match directory.copies.get(account) {
            Some(copy) if copy.read_at.is_some() => Found::Here(Arc::clone(copy)),
            _ => Found::Unread(Some("the provider's list was not read yet")),
        }
    }

    /// A turn has changed what the store has.
    pub fn ring(&self) {
        self.bell.ring();
    }

    /// Has the list read again soon. Rings once until it was.
    fn miss(&self) {
        if !self.missed.swap(true, Ordering::Relaxed) {
            self.bell.ring();
        }
    }
}

#[cfg(test)]
mod tests;
