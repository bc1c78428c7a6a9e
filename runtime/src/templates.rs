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

use crate::{
    model::*,
    provider::{OwnTemplate, Provider},
    wake::Bell,
};
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is known of all templates. One per process; where nobody keeps copies,
/// as in a case or a test (`default`), all pass as what the step calls them.
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
    /// Whether copies are kept at all.
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

    fn by_id(&self, id: &str) -> Option<&TemplateForm> {
        self.forms.values().flatten().find(|form| form.id == id)
    }
}

/// What there is to hold a message against.
enum Found {
    Unkept,
    /// Nothing yet, or nothing ever; why, and what the owner can do.
    Unread(&'static str),
    Here(Arc<Copy>),
}

const NO_ACCOUNT: &str =
    "the channel names no account whose list could be read; set its `business_account_id`";
const NOT_READ: &str =
    "the provider's list was not read yet; `switchboard template sync` says why, if it can't be";
const NOT_LISTED: &str =
    "the account's list lacks the id that the channel's `templates` names for it";

impl Templates {
    /// That rings when a copy should be looked at anew.
    pub fn new(bell: Bell) -> Self {
        let directory = Directory { kept: true, ..Directory::default() };
        Self { directory: ArcSwap::from_pointee(directory), bell, ..Self::default() }
    }

    /// How a template stands, for a message by it that is about to leave.
    /// `check` has chosen its language.
    pub fn standing(&self, provider: &dyn Provider, template: &Template) -> TemplateStanding {
        let own = provider.own_template(&template.name, &template.language);
        let said = own.as_ref().and_then(|own| own.category);
        let unknown = TemplateStanding { state: TemplateState::Live, category: said };
        let Found::Here(copy) = self.find(provider) else { return unknown };
        let form = match &own {
            Some(OwnTemplate { id, .. }) => copy.by_id(id),
            None => {
                let forms = copy.forms.get(&template.name);
                forms.and_then(|forms| check::exact(forms, &template.language))
            }
        };
        match form {
            Some(form) => {
                TemplateStanding { state: form.state(), category: form.category.or(said) }
            }
            // Made after the last reading, or deleted: the provider knows.
            None => {
                self.miss();
                unknown
            }
        }
    }

    /// The message as it should leave: in a language that the template has, and
    /// in the category that the provider has put it into. Where that is not
    /// known the owner's word counts, and no step's: then it is marketing.
    ///
    /// # Errors
    /// In words, what is wrong with the template or with its values.
    pub fn check(
        &self,
        provider: &dyn Provider,
        template: Template,
        now: Millis,
    ) -> Result<Checked, String> {
        let own = provider.own_template(&template.name, &template.language);
        let said = own.as_ref().and_then(|own| own.category);
        let copy = match self.find(provider) {
            Found::Unkept => return Ok(Checked::unkept(template)),
            Found::Unread(why) => return Ok(Checked::unread(template, said, why)),
            Found::Here(copy) => copy,
        };
        if let Some(OwnTemplate { id, category }) = own {
            return match copy.by_id(&id) {
                Some(form) => check::check(template, form, category, Vec::new(), now),
                None => {
                    self.miss();
                    Ok(Checked::unread(template, category, NOT_LISTED))
                }
            };
        }
        let Some(forms) = copy.forms.get(&template.name) else {
            self.miss();
            return Err(check::unknown(&template.name, copy.forms.keys()));
        };
        let (form, remark) = check::choose(forms, &template.name, &template.language)?;
        let template = Template { language: form.language.clone(), ..template };
        check::check(template, form, None, remark.into_iter().collect(), now)
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

    fn find(&self, provider: &dyn Provider) -> Found {
        let directory = self.directory.load();
        if !directory.kept {
            return Found::Unkept;
        }
        let Some(account) = provider.template_account() else { return Found::Unread(NO_ACCOUNT) };
        match directory.copies.get(account) {
            Some(copy) if copy.read_at.is_some() => Found::Here(Arc::clone(copy)),
            _ => Found::Unread(NOT_READ),
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
