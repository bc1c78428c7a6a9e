//! Messages within Meta's limits. What can be changed without loss is changed
//! (long texts are split, too many buttons become a list); what can't is an
//! error that names the limit. Lengths are in characters.

use super::split::split;
use crate::model::{
    Button, MediaKind, MediaSource, Outgoing, OutgoingMedia, Row, Section, Template,
};
use std::collections::HashSet;

const TEXT_MAX: usize = 4096;
/// A longer text is a mistake rather than an answer, and each part costs money.
const PARTS_MAX: usize = 10;
const BUTTONS_MAX: usize = 3;
const BUTTON_BODY_MAX: usize = 1024;
const BUTTON_TITLE_MAX: usize = 20;
const BUTTON_ID_MAX: usize = 256;
const LIST_BODY_MAX: usize = 4096;
const LIST_LABEL_MAX: usize = 20;
const ROWS_MAX: usize = 10;
const SECTION_TITLE_MAX: usize = 24;
const ROW_TITLE_MAX: usize = 24;
const ROW_DESCRIPTION_MAX: usize = 72;
const ROW_ID_MAX: usize = 200;
const FOOTER_MAX: usize = 60;
const CAPTION_MAX: usize = 1024;
const TEMPLATE_NAME_MAX: usize = 512;
/// What opens a list that was not given a label: one made of buttons.
const LIST_LABEL: &str = "Choose";

pub(super) fn fit(message: Outgoing) -> Result<Vec<Outgoing>, String> {
    match message {
        Outgoing::Text(text) => fit_text(&text),
        Outgoing::Buttons { body, footer, buttons, .. } => fit_buttons(&body, footer, buttons),
        Outgoing::List { body, footer, label, sections, .. } => {
            fit_list(&body, footer, &label, sections)
        }
        Outgoing::Template(template) => fit_template(template),
        Outgoing::Media(media) => fit_media(media),
        Outgoing::Reaction { ref message_id, .. } | Outgoing::Read { ref message_id, .. } => {
            filled(&format!("the id of the {} message", message.kind()), message_id)?;
            Ok(vec![message])
        }
        Outgoing::Numbered { .. }
        | Outgoing::Location(_)
        | Outgoing::Contacts(_)
        | Outgoing::Link(_)
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_) => Err(format!("a {} can't be sent", message.kind())),
    }
}

fn fit_text(text: &str) -> Result<Vec<Outgoing>, String> {
    filled("the text", text)?;
    let parts = split(text, TEXT_MAX);
    if parts.len() > PARTS_MAX {
        return Err(too_long("the text", text, PARTS_MAX * TEXT_MAX));
    }
    Ok(parts.into_iter().map(|part| Outgoing::Text(part.to_owned())).collect())
}

fn fit_buttons(
    body: &str,
    footer: Option<String>,
    buttons: Vec<Button>,
) -> Result<Vec<Outgoing>, String> {
    if buttons.len() > BUTTONS_MAX {
        let row = |button: Button| Row { id: button.id, title: button.title, description: None };
        let rows = buttons.into_iter().map(row).collect();
        return fit_list(body, footer, LIST_LABEL, vec![Section { title: None, rows }]);
    }
    if buttons.is_empty() {
        return Err("a message with buttons needs at least one button".into());
    }
    for button in &buttons {
        filled("a button title", &button.title)?;
        within("button title", &button.title, BUTTON_TITLE_MAX)?;
    }
    check_ids("button", BUTTON_ID_MAX, buttons.iter().map(|button| button.id.as_str()))?;
    let footer = fit_footer(footer)?;
    let (mut messages, body) = tail_of(body, BUTTON_BODY_MAX)?;
    messages.push(Outgoing::Buttons { header: None, body, footer, buttons });
    Ok(messages)
}

fn fit_list(
    body: &str,
    footer: Option<String>,
    label: &str,
    mut sections: Vec<Section>,
) -> Result<Vec<Outgoing>, String> {
    sections.retain(|section| !section.rows.is_empty());
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let count = rows().count();
    if count == 0 {
        return Err("a list needs at least one row".into());
    }
    for row in rows() {
        filled("a row title", &row.title)?;
    }
    check_ids("row", ROW_ID_MAX, rows().map(|row| row.id.as_str()))?;
    if count > ROWS_MAX {
        return fit_text(&numbered(body, footer.as_deref(), &sections)?);
    }
    for row in rows() {
        within("row title", &row.title, ROW_TITLE_MAX)?;
        within("row description", row.description.as_deref().unwrap_or(""), ROW_DESCRIPTION_MAX)?;
    }
    for section in &sections {
        match section.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) {
            Some(title) => within("section title", title, SECTION_TITLE_MAX)?,
            None if sections.len() > 1 => {
                return Err("each section of a list with several sections needs a title".into());
            }
            None => {}
        }
    }
    within("list label", label, LIST_LABEL_MAX)?;
    let label = if label.trim().is_empty() { LIST_LABEL } else { label }.to_owned();
    let footer = fit_footer(footer)?;
    let (mut messages, body) = tail_of(body, LIST_BODY_MAX)?;
    messages.push(Outgoing::List { header: None, body, footer, label, sections });
    Ok(messages)
}

/// A list that is too long for its form, written out.
fn numbered(body: &str, footer: Option<&str>, sections: &[Section]) -> Result<String, String> {
    filled("the text of the list", body)?;
    let mut text = body.trim().to_owned();
    let mut number = 0;
    for section in sections {
        text.push('\n');
        if let Some(title) = section.title.as_deref().filter(|title| !title.trim().is_empty()) {
            text += &format!("\n{title}");
        }
        for row in &section.rows {
            number += 1;
            text += &format!("\n{number}. {}", row.title);
            if let Some(more) = row.description.as_deref().filter(|more| !more.trim().is_empty()) {
                text += &format!(" - {more}");
            }
        }
    }
    if let Some(footer) = footer.filter(|footer| !footer.trim().is_empty()) {
        text += &format!("\n\n{footer}");
    }
    Ok(text)
}

/// The end of a body, which stays with the buttons because the question is
/// there, and what goes before it as texts.
fn tail_of(body: &str, limit: usize) -> Result<(Vec<Outgoing>, String), String> {
    filled("the text above the choices", body)?;
    let body = body.trim();
    let tail = split(body, limit).pop().unwrap_or(body);
    let head = body.strip_suffix(tail).unwrap_or_default().trim();
    let messages = if head.is_empty() { Vec::new() } else { fit_text(head)? };
    Ok((messages, tail.to_owned()))
}

fn fit_template(template: Template) -> Result<Vec<Outgoing>, String> {
    let Template { name, language, parameters, .. } = &template;
    filled("the template name", name)?;
    within("template name", name, TEMPLATE_NAME_MAX)?;
    if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return Err(format!(
            "template name `{name}` may hold lower-case letters, digits and `_` alone"
        ));
    }
    filled(&format!("the language of template `{name}`"), language)?;
    for (number, parameter) in (1..).zip(parameters) {
        let which = parameter.name.clone().unwrap_or_else(|| format!("{number}"));
        filled(&format!("parameter `{which}` of template `{name}`"), &parameter.text)?;
    }
    let named = parameters.iter().filter(|parameter| parameter.name.is_some()).count();
    if named != 0 && named != parameters.len() {
        return Err(format!("template `{name}` has parameters with and without a name"));
    }
    Ok(vec![Outgoing::Template(template)])
}

fn fit_media(mut media: OutgoingMedia) -> Result<Vec<Outgoing>, String> {
    let kind = media.kind.name();
    match &media.source {
        MediaSource::File(file) => filled("the name of the file", file)?,
        MediaSource::Id(id) => filled(&format!("the id of the {kind}"), id)?,
        MediaSource::Link(link) => {
            filled(&format!("the link of the {kind}"), link)?;
            if !link.starts_with("https://") {
                return Err(format!("{kind} link `{link}` must begin with `https://`"));
            }
        }
    }
    let captions = match media.kind {
        MediaKind::Image | MediaKind::Video | MediaKind::Document => true,
        MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker => false,
    };
    if media.kind != MediaKind::Document {
        media.filename = None;
    }
    media.caption = media.caption.filter(|caption| !caption.trim().is_empty());
    let mut after = Vec::new();
    if let Some(caption) = &media.caption
        && (!captions || length(caption) > CAPTION_MAX)
    {
        after = fit_text(caption)?;
        media.caption = None;
    }
    after.insert(0, Outgoing::Media(media));
    Ok(after)
}

fn fit_footer(footer: Option<String>) -> Result<Option<String>, String> {
    let footer = footer.filter(|footer| !footer.trim().is_empty());
    within("footer", footer.as_deref().unwrap_or(""), FOOTER_MAX)?;
    Ok(footer)
}

fn check_ids<'a>(
    what: &str,
    limit: usize,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    for id in ids {
        filled(&format!("a {what} id"), id)?;
        within(&format!("{what} id"), id, limit)?;
        if !seen.insert(id) {
            return Err(format!("two {what}s have the id `{id}`"));
        }
    }
    Ok(())
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn filled(what: &str, text: &str) -> Result<(), String> {
    match text.trim().is_empty() {
        true => Err(format!("{what} is empty")),
        false => Ok(()),
    }
}

fn within(what: &str, text: &str, limit: usize) -> Result<(), String> {
    match length(text) > limit {
        true => {
            /// Enough to find the text by.
            const SHOWN: usize = 60;
            let shown: String = text.chars().take(SHOWN).collect();
            let more = if length(text) > SHOWN { "…" } else { "" };
            Err(too_long(&format!("{what} `{shown}{more}`"), text, limit))
        }
        false => Ok(()),
    }
}

fn too_long(what: &str, text: &str, limit: usize) -> String {
    format!("{what} has {} characters, and {limit} are allowed", length(text))
}

#[cfg(test)]
mod tests;
