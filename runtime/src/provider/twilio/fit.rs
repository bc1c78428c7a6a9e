//! Messages within what Twilio can send without a form approved beforehand.
//! What can be changed without loss is changed (long texts are split, buttons
//! and lists are written out with numbers); what can't is an error that says
//! so. Lengths are in characters.

use super::split::split;
use crate::model::{
    Choice, Header, Link, Location, MediaKind, MediaSource, Outgoing, OutgoingMedia, Section,
    Template,
};
use std::collections::HashSet;

const TEXT_MAX: usize = 1600;
/// WhatsApp's own limit, below that of a text.
const CAPTION_MAX: usize = 1024;
/// A longer text is a mistake rather than an answer, and each part costs money.
const PARTS_MAX: usize = 10;

/// `is_known` says whether a template has a Content sid.
pub(super) fn fit(
    message: Outgoing,
    is_known: impl Fn(&Template) -> bool,
) -> Result<Vec<Outgoing>, String> {
    match message {
        Outgoing::Text(text) => fit_text(&text),
        Outgoing::Buttons { header, body, footer, buttons } => {
            fit_choices(header, body, footer, vec![(None, plain(buttons))])
        }
        Outgoing::List { header, body, footer, sections, .. } => {
            fit_choices(header, body, footer, sections.into_iter().map(lines).collect())
        }
        Outgoing::Numbered { text, choices } => fit_numbered(&text, choices),
        Outgoing::Link(link) => fit_link(link),
        Outgoing::Template(template) => {
            fit_template(&template, is_known(&template))?;
            Ok(vec![Outgoing::Template(template)])
        }
        Outgoing::Media(media) => fit_media(media),
        Outgoing::Location(location) => fit_location(location),
        Outgoing::Read { ref message_id, .. } => {
            filled("the id of the read message", message_id)?;
            Ok(vec![message])
        }
        Outgoing::Contacts(_)
        | Outgoing::Reaction { .. }
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_) => Err(format!(
            "a message of the kind `{}` can't be sent through Twilio; texts, media, locations, \
             buttons, lists, links and templates can",
            message.kind()
        )),
    }
}

fn fit_text(text: &str) -> Result<Vec<Outgoing>, String> {
    filled("the text", text)?;
    let parts = split(text, TEXT_MAX);
    if parts.len() > PARTS_MAX {
        let (length, most) = (text.chars().count(), PARTS_MAX * TEXT_MAX);
        return Err(format!("the text has {length} characters, and {most} are allowed"));
    }
    Ok(parts.into_iter().map(|part| Outgoing::Text(part.to_owned())).collect())
}

/// A choice with the words behind it.
type Line = (Choice, Option<String>);

fn plain(buttons: Vec<Choice>) -> Vec<Line> {
    buttons.into_iter().map(|button| (button, None)).collect()
}

fn lines(section: Section) -> (Option<String>, Vec<Line>) {
    let line = |row: crate::model::Row| (Choice { id: row.id, title: row.title }, row.description);
    (section.title, section.rows.into_iter().map(line).collect())
}

/// Choices written out: the contact answers with a number.
fn fit_choices(
    header: Option<Header>,
    body: String,
    footer: Option<String>,
    groups: Vec<(Option<String>, Vec<Line>)>,
) -> Result<Vec<Outgoing>, String> {
    filled("the text above the choices", &body)?;
    let (mut messages, mut text) = below_header(header, body.trim())?;
    let mut choices: Vec<Choice> = Vec::new();
    for (title, lines) in groups.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        text.push('\n');
        if let Some(title) = present(title) {
            text += &format!("\n{title}");
        }
        for (choice, more) in lines {
            filled("the title of a choice", &choice.title)?;
            filled("the id of a choice", &choice.id)?;
            choices.push(choice.clone());
            text += &format!("\n{}. {}", choices.len(), choice.title);
            if let Some(more) = present(more) {
                text += &format!(" - {more}");
            }
        }
    }
    if choices.is_empty() {
        return Err("a message with choices needs at least one".into());
    }
    let mut seen = HashSet::new();
    if let Some(twice) = choices.iter().find(|choice| !seen.insert(&choice.id)) {
        return Err(format!("two choices have the id `{}`", twice.id));
    }
    if let Some(footer) = present(footer) {
        text += &format!("\n\n{footer}");
    }
    messages.extend(fit_numbered(&text, choices)?);
    Ok(messages)
}

/// The last part bears the choices, since an answer follows it.
fn fit_numbered(text: &str, choices: Vec<Choice>) -> Result<Vec<Outgoing>, String> {
    let mut messages = fit_text(text)?;
    if let Some(Outgoing::Text(text)) = messages.pop() {
        messages.push(Outgoing::Numbered { text, choices });
    }
    Ok(messages)
}

fn fit_link(link: Link) -> Result<Vec<Outgoing>, String> {
    filled("the text of the link", &link.body)?;
    filled("the address of the link", &link.url)?;
    let (mut messages, mut text) = below_header(link.header, link.body.trim())?;
    text += &match link.label.trim() {
        "" => format!("\n\n{}", link.url),
        label => format!("\n\n{label}: {}", link.url),
    };
    if let Some(footer) = present(link.footer) {
        text += &format!("\n\n{footer}");
    }
    messages.extend(fit_text(&text)?);
    Ok(messages)
}

/// A text goes above the body, a file before the message.
fn below_header(header: Option<Header>, body: &str) -> Result<(Vec<Outgoing>, String), String> {
    Ok(match header {
        None => (Vec::new(), body.to_owned()),
        Some(Header::Text(text)) => (Vec::new(), format!("{}\n\n{body}", text.trim())),
        Some(Header::Media(media)) => (fit_media(media)?, body.to_owned()),
    })
}

fn fit_template(template: &Template, known: bool) -> Result<(), String> {
    let Template { name, language, parameters, .. } = template;
    filled("the template name", name)?;
    if !known {
        return Err(format!(
            "template `{name}` has no Content sid, since the account's list was not read yet: wait, \
             or add `{name} = \"HX…\"` or `\"{name}/{language}\" = \"HX…\"` to the channel's \
             `templates`"
        ));
    }
    for (number, parameter) in (1..).zip(parameters) {
        let which = parameter.name.clone().unwrap_or_else(|| format!("{number}"));
        filled(&format!("parameter `{which}` of template `{name}`"), &parameter.text)?;
    }
    let named = parameters.iter().filter(|parameter| parameter.name.is_some()).count();
    if named != 0 && named != parameters.len() {
        return Err(format!("template `{name}` has parameters with and without a name"));
    }
    let others = [
        ("header", template.header.is_some()),
        ("buttons", !template.buttons.is_empty()),
        ("cards", !template.cards.is_empty()),
        ("offer_ends", template.offer_ends.is_some()),
    ];
    match others.into_iter().find(|(_, is_there)| *is_there) {
        Some((other, _)) => Err(format!(
            "template `{name}` has values for `{other}`: Twilio numbers all variables of a \
             template in one row, so give them as parameters"
        )),
        None => Ok(()),
    }
}

fn fit_media(mut media: OutgoingMedia) -> Result<Vec<Outgoing>, String> {
    let kind = media.kind.name();
    match &media.source {
        MediaSource::Link(link) if link.starts_with("https://") => {}
        MediaSource::Link(link) => {
            return Err(format!("{kind} link `{link}` must begin with `https://`"));
        }
        MediaSource::Id(_) | MediaSource::File(_) => {
            return Err(format!(
                "Twilio fetches what it sends: the {kind} needs an `https://` link, not an id or \
                 a file"
            ));
        }
    }
    let captions = match media.kind {
        MediaKind::Image | MediaKind::Video | MediaKind::Document => true,
        MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker => false,
    };
    // The contact sees the name that the link ends in.
    media.filename = None;
    media.caption = present(media.caption);
    let mut messages = Vec::new();
    let too_long = |text: &String| text.chars().count() > CAPTION_MAX;
    if let Some(text) = media.caption.take_if(|text| !captions || too_long(text)) {
        messages = fit_text(&text)?;
    }
    messages.insert(0, Outgoing::Media(media));
    Ok(messages)
}

fn fit_location(location: Location) -> Result<Vec<Outgoing>, String> {
    let within = |value: f64, most: f64| value.is_finite() && value.abs() <= most;
    if !within(location.latitude, 90.0) || !within(location.longitude, 180.0) {
        return Err("a location has a latitude of -90 to 90 and a longitude of -180 to 180".into());
    }
    Ok(vec![Outgoing::Location(location)])
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn filled(what: &str, text: &str) -> Result<(), String> {
    match text.trim().is_empty() {
        true => Err(format!("{what} is empty")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
