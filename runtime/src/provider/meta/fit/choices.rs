//! Buttons, lists, and choices written out with numbers: each becomes the next
//! where it has too much for its own form.

use super::{
    BODY_MAX, Fitted, TEXT_MAX, fit_footer,
    limits::{filled, ids, length, optional, within},
    media, parts, tail_of,
};
use crate::model::{Button, Choice, Header, Outgoing, Row, Section};

const BUTTONS_MAX: usize = 3;
const BUTTON_TITLE_MAX: usize = 20;
/// Of a button, and of what is written out, which becomes one.
const ID_MAX: usize = 256;
const LIST_LABEL_MAX: usize = 20;
const ROWS_MAX: usize = 10;
const SECTION_TITLE_MAX: usize = 24;
const ROW_TITLE_MAX: usize = 24;
const ROW_DESCRIPTION_MAX: usize = 72;
const ROW_ID_MAX: usize = 200;
/// More is a directory rather than a question. They are kept with the contact.
const NUMBERED_MAX: usize = 100;
/// What opens a list that was not given a label: one made of buttons.
pub(super) const LIST_LABEL: &str = "Choose";
const ABOVE: &str = "the text above the choices";

pub(super) fn buttons(
    header: Option<Header>,
    body: &str,
    footer: Option<String>,
    buttons: Vec<Button>,
) -> Fitted {
    if buttons.is_empty() {
        return Err("a message with buttons needs at least one button".into());
    }
    for button in &buttons {
        filled("a button title", &button.title)?;
    }
    ids("button", ID_MAX, buttons.iter().map(|button| button.id.as_str()))?;
    let short = buttons.iter().all(|button| length(&button.title) <= BUTTON_TITLE_MAX);
    if buttons.len() > BUTTONS_MAX || !short {
        let row = |button: Button| Row { id: button.id, title: button.title, description: None };
        let rows = buttons.into_iter().map(row).collect();
        return list(header, body, footer, LIST_LABEL, vec![Section { title: None, rows }]);
    }
    let (header, footer) = (media::header(header)?, fit_footer(footer)?);
    let (mut messages, body) = tail_of(ABOVE, body, BODY_MAX)?;
    messages.push(Outgoing::Buttons { header, body, footer, buttons });
    Ok(messages)
}

pub(super) fn list(
    header: Option<Header>,
    body: &str,
    footer: Option<String>,
    label: &str,
    mut sections: Vec<Section>,
) -> Fitted {
    sections.retain(|section| !section.rows.is_empty());
    let rows = || sections.iter().flat_map(|section| &section.rows);
    if rows().count() == 0 {
        return Err("a list needs at least one row".into());
    }
    for row in rows() {
        filled("a row title", &row.title)?;
    }
    ids("row", ID_MAX, rows().map(|row| row.id.as_str()))?;
    let footer = fit_footer(footer)?;
    // A list has a header of text alone, so a picture goes before it.
    let (mut messages, header) = match media::header(header)? {
        Some(Header::Media(picture)) => (media::media(picture)?, None),
        header => (Vec::new(), header),
    };
    if !fits_a_list(label, &sections) {
        let text = written_out(header.as_ref(), body, footer.as_deref(), &sections)?;
        messages.extend(numbered(&text, choices(sections))?);
        return Ok(messages);
    }
    let label = if label.trim().is_empty() { LIST_LABEL } else { label }.to_owned();
    let (before, body) = tail_of(ABOVE, body, TEXT_MAX)?;
    messages.extend(before);
    messages.push(Outgoing::List { header, body, footer, label, sections });
    Ok(messages)
}

fn fits_a_list(label: &str, sections: &[Section]) -> bool {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let optional = |text: &Option<String>| length(text.as_deref().unwrap_or_default());
    let titled = |section: &Section| {
        let filled = section.title.as_deref().is_some_and(|title| !title.trim().is_empty());
        filled || sections.len() == 1
    };
    rows().count() <= ROWS_MAX
        && length(label) <= LIST_LABEL_MAX
        && sections.iter().all(titled)
        && sections.iter().all(|section| optional(&section.title) <= SECTION_TITLE_MAX)
        && rows().all(|row| length(&row.title) <= ROW_TITLE_MAX)
        && rows().all(|row| optional(&row.description) <= ROW_DESCRIPTION_MAX)
        && rows().all(|row| length(&row.id) <= ROW_ID_MAX)
}

fn choices(sections: Vec<Section>) -> Vec<Choice> {
    let rows = sections.into_iter().flat_map(|section| section.rows);
    rows.map(|Row { id, title, .. }| Choice { id, title }).collect()
}

/// What is too much for a list, as one text.
fn written_out(
    header: Option<&Header>,
    body: &str,
    footer: Option<&str>,
    sections: &[Section],
) -> Result<String, String> {
    filled(ABOVE, body)?;
    let mut text = match header {
        Some(Header::Text(header)) => format!("{}\n\n{}", header.trim(), body.trim()),
        Some(Header::Media(_)) | None => body.trim().to_owned(),
    };
    let mut number = 0;
    for section in sections {
        text.push('\n');
        if let Some(title) = optional(section.title.clone()) {
            text += &format!("\n{title}");
        }
        for row in &section.rows {
            number += 1;
            text += &format!("\n{number}. {}", row.title);
            if let Some(more) = optional(row.description.clone()) {
                text += &format!(" - {more}");
            }
        }
    }
    if let Some(footer) = footer {
        text += &format!("\n\n{footer}");
    }
    Ok(text)
}

/// The choices go with the last part: it is the question.
pub(super) fn numbered(text: &str, choices: Vec<Choice>) -> Fitted {
    if choices.is_empty() || choices.len() > NUMBERED_MAX {
        let count = choices.len();
        return Err(format!("{count} choices can't be asked: 1 to {NUMBERED_MAX} are allowed"));
    }
    ids("choice", ID_MAX, choices.iter().map(|choice| choice.id.as_str()))?;
    for choice in &choices {
        filled("the title of a choice", &choice.title)?;
        within("title of a choice", &choice.title, TEXT_MAX)?;
    }
    let mut parts = parts(text)?;
    let last = parts.pop().unwrap_or_default().to_owned();
    let mut messages: Vec<_> =
        parts.into_iter().map(|part| Outgoing::Text(part.to_owned())).collect();
    messages.push(Outgoing::Numbered { text: last, choices });
    Ok(messages)
}
