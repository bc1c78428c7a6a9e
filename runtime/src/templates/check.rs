//! Which of a template's languages a message takes, and whether it may.

use super::fill;
use crate::{config::closest, model::*};

/// Names and languages that are listed in an error.
const LISTED: usize = 10;

/// A message that its template lets pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub template: Template,
    /// What was changed or could not be checked, for the trace.
    pub remarks: Vec<String>,
}

impl Checked {
    /// Where no message leaves.
    pub(super) fn unkept(template: Template) -> Self {
        Self { template, remarks: Vec::new() }
    }

    /// Where there is nothing to compare with. `said` is the owner's word.
    pub(super) fn unread(mut template: Template, said: Option<Category>, why: &str) -> Self {
        let mut remarks = vec![format!("the template `{}` was not checked: {why}", template.name)];
        categorise(&mut template, said, &mut remarks);
        Self { template, remarks }
    }
}

/// Puts the message into the category that somebody knows who may be trusted.
fn categorise(template: &mut Template, known: Option<Category>, remarks: &mut Vec<String>) {
    let category = known.unwrap_or(Category::Marketing);
    if template.category != category {
        let is = if known.is_some() { "is" } else { "counts as" };
        let why = if known.is_some() { "" } else { ": nobody but the step says so" };
        let (name, now, said) = (&template.name, category.word(), template.category.word());
        remarks.push(format!("the template `{name}` {is} {now}, not {said}{why}"));
        template.category = category;
    }
}

pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    let meant = match closest(name, known.clone().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => match listed(known.map(String::as_str)) {
            known if known.is_empty() => "the account has no templates".into(),
            known => format!("there are {known}"),
        },
    };
    format!("the account has no template `{name}`; {meant}")
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.take(LISTED + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > LISTED {
        names.truncate(LISTED);
        names.push("more".into());
    }
    names.join(", ")
}

/// Checks a message against its template. `said` is the owner's word on its
/// category.
pub(super) fn check(
    mut template: Template,
    form: &TemplateForm,
    said: Option<Category>,
    mut remarks: Vec<String>,
    now: Millis,
) -> Result<Checked, String> {
    match form.state() {
        TemplateState::Live => {}
        TemplateState::Rests { reason } | TemplateState::Gone { reason } => return Err(reason),
    }
    template.id = Some(form.id.clone()).filter(|id| !id.is_empty());
    categorise(&mut template, form.category.or(said), &mut remarks);
    let template = fill::fill(template, form, now, &mut remarks)
        .map_err(|wrong| format!("the template `{}` ({}): {wrong}", form.name, form.language))?;
    Ok(Checked { template, remarks })
}

pub(super) fn exact<'a>(forms: &'a [TemplateForm], language: &str) -> Option<&'a TemplateForm> {
    forms.iter().find(|form| same(&form.language, language))
}

/// `pt-br` is `pt_BR`.
fn same(one: &str, other: &str) -> bool {
    one.replace('-', "_").eq_ignore_ascii_case(&other.replace('-', "_"))
}

/// `pt_BR` → `pt`.
fn tongue(language: &str) -> &str {
    language.split(['_', '-']).next().unwrap_or(language)
}

/// The form for a message in `language`: that one; the same language of any
/// place or another; the only one there is. With the choice in words, where
/// there was one. An empty `language` asks for none.
pub(super) fn choose<'a>(
    forms: &'a [TemplateForm],
    name: &str,
    language: &str,
) -> Result<(&'a TemplateForm, Option<String>), String> {
    if let Some(form) = exact(forms, language) {
        return Ok((form, None));
    }
    let alike = forms.iter().filter(|form| same(tongue(&form.language), tongue(language)));
    // Of any place first, and one that may be used before one that may not.
    let nearest = alike.min_by_key(|form| {
        (!form.is_live(), form.language.contains(['_', '-']), form.language.clone())
    });
    let form = match (nearest, forms) {
        (Some(form), _) => form,
        (None, [only]) => only,
        (None, _) => {
            let languages = listed(forms.iter().map(|form| form.language.as_str()));
            return Err(match language {
                "" => format!("the template `{name}` is in {languages}: say in which"),
                _ => format!(
                    "the template `{name}` is not there in `{language}`; it is in {languages}"
                ),
            });
        }
    };
    let chosen = &form.language;
    let remark = (!language.is_empty()).then(|| {
        format!("the template `{name}` goes in `{chosen}`: it is not there in `{language}`")
    });
    Ok((form, remark))
}
