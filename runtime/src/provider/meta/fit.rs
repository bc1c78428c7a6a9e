//! Messages within Meta's limits. What can be changed without loss is changed
//! (long texts are split, too many buttons become a list); what can't is an
//! error that names the limit. Lengths are in characters.

mod catalogue;
mod choices;
mod limits;
mod media;
mod tap;
mod template;

use super::split::split;
use crate::model::{ContactCard, Location, Outgoing};
use limits::{between, filled, optional, too_long, within};

const TEXT_MAX: usize = 4096;
/// A longer text is a mistake rather than an answer, and each part costs money.
const PARTS_MAX: usize = 10;
const FOOTER_MAX: usize = 60;
/// Of what has buttons or opens something.
const BODY_MAX: usize = 1024;
/// WhatsApp shows more as a heap that nobody opens.
const CARDS_MAX: usize = 50;
/// Of a place's name and of its address.
const PLACE_MAX: usize = 1000;

type Fitted = Result<Vec<Outgoing>, String>;

pub(super) fn fit(message: Outgoing) -> Fitted {
    match message {
        Outgoing::Text(text) => fit_text(&text),
        Outgoing::Buttons { header, body, footer, buttons } => {
            choices::buttons(header, &body, footer, buttons)
        }
        Outgoing::List { header, body, footer, label, sections } => {
            choices::list(header, &body, footer, &label, sections)
        }
        Outgoing::Numbered { text, choices } => choices::numbered(&text, choices),
        Outgoing::Template(form) => template::template(form),
        Outgoing::Media(form) => media::media(form),
        Outgoing::Location(place) => location(place),
        Outgoing::Contacts(cards) => contacts(cards),
        Outgoing::Link(form) => tap::link(form),
        Outgoing::Flow(form) => tap::flow(form),
        Outgoing::Request { what, body } => tap::request(what, &body),
        Outgoing::Interactive(json) => tap::interactive(json),
        Outgoing::Product { body, footer, catalog, product } => {
            catalogue::product(body, footer, catalog, product)
        }
        Outgoing::Products(form) => catalogue::products(form),
        Outgoing::Catalog { body, footer, thumbnail } => {
            catalogue::catalog(&body, footer, thumbnail)
        }
        Outgoing::Carousel { body, cards } => catalogue::carousel(&body, cards),
        Outgoing::Reaction { ref message_id, .. } | Outgoing::Read { ref message_id, .. } => {
            filled(&format!("the id of the {} message", message.kind()), message_id)?;
            Ok(vec![message])
        }
    }
}

fn fit_text(text: &str) -> Fitted {
    let parts = parts(text)?;
    Ok(parts.into_iter().map(|part| Outgoing::Text(part.to_owned())).collect())
}

fn parts(text: &str) -> Result<Vec<&str>, String> {
    filled("the text", text)?;
    let parts = split(text, TEXT_MAX);
    match parts.len() > PARTS_MAX {
        true => Err(too_long("the text", text, PARTS_MAX * TEXT_MAX)),
        false => Ok(parts),
    }
}

/// The end of a body, which stays with what is to be tapped because the
/// question is there, and what goes before it as texts.
fn tail_of(what: &str, body: &str, limit: usize) -> Result<(Vec<Outgoing>, String), String> {
    filled(what, body)?;
    let body = body.trim();
    let tail = split(body, limit).pop().unwrap_or(body);
    let head = body.strip_suffix(tail).unwrap_or_default().trim();
    let messages = if head.is_empty() { Vec::new() } else { fit_text(head)? };
    Ok((messages, tail.to_owned()))
}

fn fit_footer(footer: Option<String>) -> Result<Option<String>, String> {
    let footer = optional(footer);
    within("footer", footer.as_deref().unwrap_or(""), FOOTER_MAX)?;
    Ok(footer)
}

fn location(place: Location) -> Fitted {
    between("the latitude", place.latitude, 90.0)?;
    between("the longitude", place.longitude, 180.0)?;
    let (name, address) = (optional(place.name), optional(place.address));
    within("the name of the place", name.as_deref().unwrap_or(""), PLACE_MAX)?;
    within("the address of the place", address.as_deref().unwrap_or(""), PLACE_MAX)?;
    Ok(vec![Outgoing::Location(Location { name, address, ..place })])
}

fn contacts(cards: Vec<ContactCard>) -> Fitted {
    if cards.is_empty() || cards.len() > CARDS_MAX {
        let count = cards.len();
        return Err(format!("{count} contact cards can't be sent: 1 to {CARDS_MAX} are allowed"));
    }
    for (number, card) in (1..).zip(&cards) {
        let name = card.name.as_deref().or(card.organization.as_deref()).unwrap_or_default();
        filled(&format!("the name on contact card {number}"), name)?;
        for phone in &card.phones {
            filled(&format!("a phone number on contact card {number}"), &phone.phone)?;
        }
    }
    Ok(vec![Outgoing::Contacts(cards)])
}

#[cfg(test)]
mod tests;
