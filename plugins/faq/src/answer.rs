//! An answer as messages, and when and for whom it is.

use crate::{
    check::WITH_TEXT,
    rules::{Answer, Button, List, Media, When},
    said::Language,
};
use switchboard_plugin::{
    Buttons, Choice, Options, Outgoing, Row, Section, business, contact,
    messages::{self, Header},
    text_with_buttons,
};

/// A caption may be this long, in characters.
const CAPTION_CHARS: usize = 1_024;
/// So may a footer.
const FOOTER_CHARS: usize = 60;

impl Answer {
    /// What to send, in order: mostly one message. Media that can have a text
    /// has it as its caption, or stands above the buttons.
    pub fn messages(&self, language: &Language) -> Vec<Outgoing> {
        let text = self.say.to(language);
        // With its values a footer may have grown too long for one.
        let (text, footer) = match self.footer.as_ref().map(|footer| footer.to(language)) {
            Some(long) if long.chars().count() > FOOTER_CHARS => {
                (format!("{text}\n\n{long}"), None)
            }
            footer => (text, footer),
        };
        let Some(media) = &self.media else { return vec![self.tappable(text, footer, language)] };
        let fits = WITH_TEXT.contains(&media.kind.as_str());
        if fits && !self.buttons.is_empty() {
            let buttons = choices(&self.buttons, language);
            let pairs: Vec<_> =
                buttons.iter().map(|it| (it.id.as_str(), it.title.as_str())).collect();
            let message = messages::Buttons::new(text, &pairs).header(Header::Media(media.plain()));
            return vec![match footer {
                Some(footer) => message.footer(footer).into(),
                None => message.into(),
            }];
        }
        if fits && self.list.is_none() && text.chars().count() <= CAPTION_CHARS {
            return vec![media.plain().caption(text).into()];
        }
        vec![media.plain().into(), self.tappable(text, footer, language)]
    }

    fn tappable(&self, body: String, footer: Option<String>, language: &Language) -> Outgoing {
        match &self.list {
            Some(list) => list.options(body, footer, language).into(),
            None if self.buttons.is_empty() => body.into(),
            None => Buttons { body, footer, buttons: choices(&self.buttons, language) }.into(),
        }
    }

    /// Whether it is for this contact, now and on this channel.
    pub fn holds(&self) -> bool {
        self.when.as_ref().is_none_or(When::holds)
    }
}

impl When {
    /// Without a calendar the business counts as open.
    pub fn holds(&self) -> bool {
        let open = || business::open_at(business::now()).unwrap_or(true);
        let has = |tag: &String| contact::has_tag(tag);
        self.open.is_none_or(|wanted| wanted == open())
            && self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
            && (self.channels.is_empty() || self.channels.contains(&business::channel()))
    }
}

impl List {
    fn options(&self, body: String, footer: Option<String>, language: &Language) -> Options {
        let rows = self.rows.iter().map(|row| Row {
            id: row.id.clone(),
            title: row.title.to(language),
            description: row.description.as_ref().map(|more| more.to(language)),
        });
        let sections = vec![Section { title: None, rows: rows.collect() }];
        Options { body, footer, label: self.label.to(language), sections }
    }
}

impl Media {
    fn plain(&self) -> messages::Media {
        use messages::Source;
        let source = match (&self.link, &self.id, &self.file) {
            (Some(link), ..) => Source::Link(link.clone()),
            (None, Some(id), _) => Source::Id(id.clone()),
            (None, None, file) => Source::File(file.clone().unwrap_or_default()),
        };
        let media = messages::Media::new(&self.kind, source);
        match &self.filename {
            Some(name) => media.filename(name),
            None => media,
        }
    }
}

/// A text with these buttons under it, if there are any.
pub fn with_buttons(text: String, buttons: &[Button], language: &Language) -> Outgoing {
    text_with_buttons(&text, &choices(buttons, language))
}

fn choices(buttons: &[Button], language: &Language) -> Vec<Choice> {
    let choice =
        |button: &Button| Choice { id: button.id.clone(), title: button.title.to(language) };
    buttons.iter().map(choice).collect()
}
