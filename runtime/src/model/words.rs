//! Effects as an owner would say them.

use super::{Effect, Flow, Link, Outgoing, Products};

impl Effect {
    pub fn in_words(&self) -> String {
        match self {
            Self::Send { to: None, message, .. } => format!("replied: {}", message.summary()),
            Self::Send { to: Some(other), message, .. } => {
                format!("wrote to {other}: {}", message.summary())
            }
            Self::MarkRead { typing: true } => "marked as read, typing".into(),
            Self::MarkRead { typing: false } => "marked as read".into(),
            Self::Tag { name, expires: None } => format!("tagged `{name}`"),
            Self::Tag { name, expires: Some(_) } => format!("tagged `{name}` for a time"),
            Self::Untag { name } => format!("removed the tag `{name}`"),
            Self::SetAttribute { name, value: Some(value) } => format!("set {name} to `{value}`"),
            Self::SetAttribute { name, value: None } => format!("removed {name}"),
            Self::SetTimer { name, .. } => format!("set the timer `{name}`"),
            Self::CancelTimer { name } => format!("cancelled the timer `{name}`"),
            Self::Handoff { reason } => format!("handed to a person: {reason}"),
            Self::Resume => "gave back to the bot".into(),
            Self::OptIn { .. } => "recorded consent to marketing".into(),
            Self::OptOut { .. } => "recorded the end of marketing".into(),
            Self::Broadcast { id, .. } => format!("began the broadcast `{id}`"),
            Self::LeaveOut { reason } => format!("left the contact out: {reason}"),
            Self::Variant { name } => format!("put the contact into the variant `{name}`"),
            Self::Note { text } => format!("noted: {text}"),
            Self::Unanswered { .. } => "kept the question for the owner".into(),
        }
    }
}

impl Outgoing {
    pub fn summary(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Buttons { body, buttons, .. } => match buttons.len() {
                1 => format!("{body} (1 button)"),
                count => format!("{body} ({count} buttons)"),
            },
            Self::List { body, sections, .. } => {
                let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
                format!("{body} (list of {rows})")
            }
            Self::Template(template) => format!("template {}", template.name),
            Self::Media(media) => media.kind.name().into(),
            Self::Numbered { text, .. } => text.clone(),
            Self::Link(Link { body, label, .. }) | Self::Flow(Flow { body, label, .. }) => {
                format!("{body} ({label})")
            }
            Self::Request { body, .. } | Self::Catalog { body, .. } => body.clone(),
            Self::Carousel { body, cards } => format!("{body} ({} cards)", cards.len()),
            Self::Products(Products { body, .. }) => format!("{body} (products)"),
            Self::Product { product, .. } => format!("product {product}"),
            Self::Location(_) | Self::Contacts(_) | Self::Interactive(_) => self.kind().into(),
            Self::Reaction { emoji, .. } => format!("reaction {emoji}"),
            Self::Read { .. } => "read mark".into(),
        }
    }
}
