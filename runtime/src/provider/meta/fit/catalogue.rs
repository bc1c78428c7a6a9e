//! Products, the catalogue, and cards side by side.

use super::{
    BODY_MAX, Fitted, fit_footer,
    limits::{filled, ids, label, optional, web, within},
    media, tail_of,
    tap::LABEL_MAX,
};
use crate::model::{Button, Card, CardAction, MediaKind, Outgoing, ProductSection, Products};

const HEADER_MAX: usize = 60;
const SECTION_TITLE_MAX: usize = 24;
const SECTIONS_MAX: usize = 10;
const PRODUCTS_MAX: usize = 30;
const PRODUCT_ID_MAX: usize = 100;
const CARDS: std::ops::RangeInclusive<usize> = 2..=10;
const CARD_BODY_MAX: usize = 160;
const CARD_BODY_BREAKS: usize = 2;
const CARD_BUTTONS_MAX: usize = 2;
const BUTTON_ID_MAX: usize = 256;

pub(super) fn product(
    body: Option<String>,
    footer: Option<String>,
    catalog: String,
    product: String,
) -> Fitted {
    filled("the id of the catalogue", &catalog)?;
    label("id of the product", &product, PRODUCT_ID_MAX)?;
    let footer = fit_footer(footer)?;
    let (mut messages, body) = match optional(body) {
        Some(body) => {
            let (messages, tail) = tail_of("the text of the product", &body, BODY_MAX)?;
            (messages, Some(tail))
        }
        None => (Vec::new(), None),
    };
    messages.push(Outgoing::Product { body, footer, catalog, product });
    Ok(messages)
}

pub(super) fn products(form: Products) -> Fitted {
    label("header of the products", &form.header, HEADER_MAX)?;
    filled("the id of the catalogue", &form.catalog)?;
    sections(&form.sections)?;
    let footer = fit_footer(form.footer)?;
    let (mut messages, body) = tail_of("the text of the products", &form.body, BODY_MAX)?;
    messages.push(Outgoing::Products(Products { body, footer, ..form }));
    Ok(messages)
}

/// Also those of a template's button.
pub(super) fn sections(sections: &[ProductSection]) -> Result<(), String> {
    if sections.is_empty() || sections.len() > SECTIONS_MAX {
        let count = sections.len();
        return Err(format!(
            "{count} sections of products can't be sent: 1 to {SECTIONS_MAX} are allowed"
        ));
    }
    for (number, section) in (1..).zip(sections) {
        let title = section.title.as_deref().unwrap_or_default();
        within("section title", title, SECTION_TITLE_MAX)?;
        if title.trim().is_empty() && sections.len() > 1 {
            return Err("each of several sections of products needs a title".into());
        }
        if section.products.is_empty() {
            return Err(format!("section {number} has no products"));
        }
    }
    let all = || sections.iter().flat_map(|section| &section.products);
    match all().count() {
        count if count > PRODUCTS_MAX => {
            Err(format!("{count} products can't be sent: {PRODUCTS_MAX} are allowed"))
        }
        _ => ids("product", PRODUCT_ID_MAX, all().map(String::as_str)),
    }
}

pub(super) fn catalog(body: &str, footer: Option<String>, thumbnail: Option<String>) -> Fitted {
    let (footer, thumbnail) = (fit_footer(footer)?, optional(thumbnail));
    let (mut messages, body) = tail_of("the text of the catalogue", body, BODY_MAX)?;
    messages.push(Outgoing::Catalog { body, footer, thumbnail });
    Ok(messages)
}

pub(super) fn carousel(body: &str, cards: Vec<Card>) -> Fitted {
    if !CARDS.contains(&cards.len()) {
        let (count, least, most) = (cards.len(), CARDS.start(), CARDS.end());
        return Err(format!("a carousel of {count} cards can't be sent: {least} to {most} are"));
    }
    let mut checked = Vec::new();
    for (number, card) in (1..).zip(cards) {
        checked.push(self::card(card).map_err(|why| format!("card {number}: {why}"))?);
    }
    let form = |card: &Card| match &card.action {
        CardAction::Link { .. } => (card.header.kind, None),
        CardAction::Buttons(buttons) => (card.header.kind, Some(buttons.len())),
    };
    if checked.iter().any(|card| Some(form(card)) != checked.first().map(form)) {
        return Err("the cards of a carousel must be alike: all with an image or all with a \
                    video, and each with a link or with as many buttons as the others"
            .into());
    }
    let replies = checked.iter().flat_map(|card| match &card.action {
        CardAction::Link { .. } => &[],
        CardAction::Buttons(buttons) => buttons.as_slice(),
    });
    ids("button", BUTTON_ID_MAX, replies.map(|button: &Button| button.id.as_str()))?;
    let (mut messages, body) = tail_of("the text above the cards", body, BODY_MAX)?;
    messages.push(Outgoing::Carousel { body, cards: checked });
    Ok(messages)
}

fn card(card: Card) -> Result<Card, String> {
    let header = media::shown("a card", card.header, &[MediaKind::Image, MediaKind::Video])?;
    let body = optional(card.body);
    let text = body.as_deref().unwrap_or_default();
    within("the text", text, CARD_BODY_MAX)?;
    let breaks = text.matches('\n').count();
    if breaks > CARD_BODY_BREAKS {
        return Err(format!(
            "the text has {breaks} line breaks, and {CARD_BODY_BREAKS} are allowed"
        ));
    }
    match &card.action {
        CardAction::Link { label: text, url } => {
            label("label of the link", text, LABEL_MAX)?;
            web("the address of the link", url)?;
        }
        CardAction::Buttons(buttons) => {
            if buttons.is_empty() || buttons.len() > CARD_BUTTONS_MAX {
                let count = buttons.len();
                return Err(format!("{count} buttons, and 1 to {CARD_BUTTONS_MAX} are allowed"));
            }
            for button in buttons {
                label("title of a button", &button.title, LABEL_MAX)?;
            }
        }
    }
    Ok(Card { header, body, action: card.action })
}
