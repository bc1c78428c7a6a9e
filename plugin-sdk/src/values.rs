//! Shorter ways to write and read the contract's values.

use crate::{Buttons, Choice, Content, Location, Message, Options, Outgoing, Problem, Template};

impl Problem {
    /// A problem at a JSON pointer into the rules (`/answer/2/say`; empty for
    /// the rules as a whole), in words a shop owner knows.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl Message {
    /// What the contact wrote or tapped: a text, a button's title, a caption.
    pub fn words(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Choice(choice) => Some(&choice.title),
            Content::Media(media) => media.caption.as_deref(),
            Content::Location(_) | Content::Reaction(_) | Content::Other(_) => None,
        }
    }

    /// `text`, `choice`, `image`, `video`, `audio`, `voice`, `document`,
    /// `sticker`, `location`, `reaction`, or the provider's name for it.
    pub fn kind(&self) -> &str {
        match &self.content {
            Content::Text(_) => "text",
            Content::Choice(_) => "choice",
            Content::Media(media) => &media.kind,
            Content::Location(_) => "location",
            Content::Reaction(_) => "reaction",
            Content::Other(other) => &other.kind,
        }
    }
}

impl From<&str> for Outgoing {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<&String> for Outgoing {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Template> for Outgoing {
    fn from(template: Template) -> Self {
        Self::Template(template)
    }
}
impl From<Buttons> for Outgoing {
    fn from(buttons: Buttons) -> Self {
        Self::Buttons(buttons)
    }
}
impl From<Options> for Outgoing {
    fn from(options: Options) -> Self {
        Self::Options(options)
    }
}
impl From<Location> for Outgoing {
    fn from(place: Location) -> Self {
        Self::Location(place)
    }
}

/// A text with reply buttons under it; without buttons, a plain text.
pub fn text_with_buttons(body: &str, buttons: &[Choice]) -> Outgoing {
    match buttons {
        [] => body.into(),
        _ => Buttons { body: body.into(), footer: None, buttons: buttons.into() }.into(),
    }
}
