//! The template that goes to the contact of this turn.

use crate::{
    rules::{Header, Message, Mould},
    segment::tag_of,
};
use switchboard_plugin::{
    messages::{self, Media, TemplateHeader, Value},
    template::of_contact,
    *,
};

impl Message {
    /// Error: a value that the contact does not have.
    pub fn with(&self, mould: &Mould) -> Result<Outgoing, String> {
        let language = self.language_of(contact::language().as_deref());
        let values = mould.parameters.iter().map(|text| filled(text));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let name = mould.template.clone();
        if mould.header.is_none() && mould.buttons.is_empty() {
            let value = |text| Parameter { name: None, text };
            let parameters = values.into_iter().map(value).collect();
            let category = self.category;
            return Ok(Template { name, language: language.into(), category, parameters }.into());
        }
        let template = messages::Template::new(name, language, self.category);
        let mut template = values.into_iter().fold(template, messages::Template::value);
        if let Some(header) = &mould.header {
            template = template.header(header.filled()?);
        }
        for button in &mould.buttons {
            let value = match (&button.url, &button.code, &button.payload) {
                (Some(url), ..) => Value::UrlSuffix(filled(url)?),
                (_, Some(code), _) => Value::CopyCode(filled(code)?),
                (.., Some(payload)) => Value::Payload(filled(payload)?),
                (None, None, None) => continue,
            };
            template = template.button(button.index, value);
        }
        Ok(template.into())
    }

    /// The contact's language as a template has it: exactly, or the language
    /// without its country, or with another country; else the first one.
    fn language_of(&self, contact: Option<&str>) -> &str {
        let Some(wanted) = contact.map(tag_of) else { return &self.language };
        let base = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let all = || std::iter::once(&self.language).chain(&self.languages);
        let exact = all().find(|language| tag_of(language) == wanted);
        let plain = || all().find(|language| tag_of(language) == base(&wanted));
        let near = || all().find(|language| base(&tag_of(language)) == base(&wanted));
        exact.or_else(plain).or_else(near).unwrap_or(&self.language)
    }
}

impl Header {
    fn filled(&self) -> Result<TemplateHeader, String> {
        let media = |kind: &str, source: &str| {
            let source = filled(source)?;
            let media = match source.starts_with("https://") {
                true => Media::link(kind, source),
                false => Media::file(kind, source),
            };
            Ok(TemplateHeader::Media(media))
        };
        match self {
            Self::Text(text) => Ok(TemplateHeader::text(filled(text)?)),
            Self::Image(source) => media("image", source),
            Self::Video(source) => media("video", source),
            Self::Document(source) => media("document", source),
        }
    }
}

/// Puts values in: `{name}`, `{language}` or any attribute, with what to take
/// where there is none: `{name|friend}`. Error: a value that is not there.
fn filled(text: &str) -> Result<String, String> {
    let text = template::Template::new(text)?;
    match text.missing(of_contact) {
        Some(name) => Err(format!("the contact has no `{name}`")),
        None => Ok(text.fill(of_contact)),
    }
}
