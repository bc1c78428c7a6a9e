//! Media from a file, a link or an id, headers, and cards of people.

use super::message;
use serde::Serialize;

message!(Media as "media", Contacts as "contacts");

/// Where media comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// An id of the provider's.
    Id(String),
    /// An https address, fetched by the provider.
    Link(String),
    /// A file under `media/` in the business folder.
    File(String),
}

/// An image, a video, audio, a voice note, a document or a sticker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Media {
    kind: String,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
}

impl Media {
    /// `kind`: `image`, `video`, `audio`, `voice`, `document` or `sticker`.
    pub fn new(kind: impl Into<String>, source: Source) -> Self {
        Self { kind: kind.into(), source, caption: None, filename: None }
    }
    /// A file under `media/` in the business folder.
    pub fn file(kind: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(kind, Source::File(path.into()))
    }
    /// An https address.
    pub fn link(kind: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(kind, Source::Link(url.into()))
    }
    pub fn caption(self, caption: impl Into<String>) -> Self {
        Self { caption: Some(caption.into()), ..self }
    }
    /// The name under which a document is saved.
    pub fn filename(self, name: impl Into<String>) -> Self {
        Self { filename: Some(name.into()), ..self }
    }
}

/// What stands above a body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    Text(String),
    /// An image, a video or a document, without a caption.
    Media(Media),
}

/// Cards of people, which the contact can save.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Contacts(pub Vec<Contact>);

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Contact {
    name: String,
    phones: Vec<Phone>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Phone {
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_id: Option<String>,
}

impl Contact {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phones.push(Phone { phone: phone.into(), wa_id: None });
        self
    }
    /// A number that is on WhatsApp, with its digits: the card then has a
    /// button to write to it.
    pub fn whatsapp(mut self, phone: impl Into<String>, digits: impl Into<String>) -> Self {
        self.phones.push(Phone { phone: phone.into(), wa_id: Some(digits.into()) });
        self
    }
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.emails.push(email.into());
        self
    }
    pub fn organization(self, name: impl Into<String>) -> Self {
        Self { organization: Some(name.into()), ..self }
    }
}
