//! Messages to send, free of any provider's wire form.

use super::{Choice, ContactCard, Location, MediaKind, Millis};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Outgoing {
    Text(String),
    Buttons {
        #[serde(default)]
        header: Option<Header>,
        body: String,
        footer: Option<String>,
        buttons: Vec<Button>,
    },
    List {
        #[serde(default)]
        header: Option<Header>,
        body: String,
        footer: Option<String>,
        label: String,
        sections: Vec<Section>,
    },
    /// Choices written out: the contact answers with a number, and the host
    /// takes it for the choice. What becomes of buttons and lists that do not
    /// fit.
    Numbered {
        text: String,
        choices: Vec<Choice>,
    },
    Template(Template),
    Media(OutgoingMedia),
    Location(Location),
    Contacts(Vec<ContactCard>),
    /// A button that opens an address.
    Link(Link),
    /// A button that opens a form.
    Flow(Flow),
    /// A button with which the contact gives something away.
    Request {
        what: Requested,
        body: String,
    },
    /// One product of the catalogue.
    Product {
        body: Option<String>,
        footer: Option<String>,
        catalog: String,
        product: String,
    },
    Products(Products),
    /// The whole catalogue.
    Catalog {
        body: String,
        footer: Option<String>,
        /// The product whose picture stands above it.
        thumbnail: Option<String>,
    },
    /// Two to ten cards side by side.
    Carousel {
        body: String,
        cards: Vec<Card>,
    },
    /// An interactive message in the provider's own form, for kinds without a
    /// case here (orders with payment, calls): a JSON object with its `type`.
    Interactive(String),
    Reaction {
        message_id: String,
        emoji: String,
    },
    /// Marks a message of the contact's as read; not seen as a message.
    Read {
        message_id: String,
        typing: bool,
    },
}

impl Outgoing {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Numbered { .. } => "numbered",
            Self::Template(_) => "template",
            Self::Media(_) => "media",
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Link(_) => "link",
            Self::Flow(_) => "flow",
            Self::Request { .. } => "request",
            Self::Product { .. } => "product",
            Self::Products(_) => "products",
            Self::Catalog { .. } => "catalog",
            Self::Carousel { .. } => "carousel",
            Self::Interactive(_) => "interactive",
            Self::Reaction { .. } => "reaction",
            Self::Read { .. } => "read",
        }
    }

    /// Every picture, video or file in it, headers and cards included.
    pub fn media_mut(&mut self) -> Vec<&mut OutgoingMedia> {
        fn of(header: &mut Option<Header>) -> Vec<&mut OutgoingMedia> {
            match header {
                Some(Header::Media(media)) => vec![media],
                Some(Header::Text(_)) | None => Vec::new(),
            }
        }
        match self {
            Self::Media(media) => vec![media],
            Self::Buttons { header, .. } | Self::List { header, .. } => of(header),
            Self::Link(link) => of(&mut link.header),
            Self::Flow(flow) => of(&mut flow.header),
            Self::Carousel { cards, .. } => cards.iter_mut().map(|card| &mut card.header).collect(),
            Self::Template(template) => template.media_mut(),
            Self::Text(_)
            | Self::Numbered { .. }
            | Self::Location(_)
            | Self::Contacts(_)
            | Self::Request { .. }
            | Self::Product { .. }
            | Self::Products(_)
            | Self::Catalog { .. }
            | Self::Interactive(_)
            | Self::Reaction { .. }
            | Self::Read { .. } => Vec::new(),
        }
    }

    /// Puts a template into a category; changes nothing else.
    pub fn categorise(&mut self, category: Category) {
        if let Self::Template(template) = self {
            template.category = category;
        }
    }

    /// The category of a template; none for what only an open window lets out.
    pub fn category(&self) -> Option<Category> {
        match self {
            Self::Template(template) => Some(template.category),
            _ => None,
        }
    }
}

/// What stands above the body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Header {
    Text(String),
    /// An image, a video or a document.
    Media(OutgoingMedia),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    pub header: Option<Header>,
    pub body: String,
    pub footer: Option<String>,
    /// On the button.
    pub label: String,
    pub url: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flow {
    pub header: Option<Header>,
    pub body: String,
    pub footer: Option<String>,
    pub which: FlowRef,
    /// On the button.
    pub label: String,
    /// Comes back with the answer.
    pub token: Option<String>,
    /// The screen that it begins with; none: the flow asks its endpoint.
    pub screen: Option<String>,
    /// What the first screen gets, a JSON object.
    pub input: Option<String>,
    /// Not published yet.
    pub draft: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FlowRef {
    Id(String),
    Name(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Requested {
    Location,
    /// The contact's phone number, as a card of its own.
    Phone,
    /// A postal address; in India alone. `country` is ISO 3166.
    Address {
        country: String,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Products {
    pub header: String,
    pub body: String,
    pub footer: Option<String>,
    pub catalog: String,
    pub sections: Vec<ProductSection>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProductSection {
    pub title: Option<String>,
    pub products: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Card {
    /// An image or a video.
    pub header: OutgoingMedia,
    pub body: Option<String>,
    pub action: CardAction,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CardAction {
    Link { label: String, url: String },
    Buttons(Vec<Button>),
}

/// A reply button: what the contact sees and the id that comes back.
pub type Button = Choice;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Section {
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub description: Option<String>,
}

/// A message form approved beforehand: all that may leave outside the window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub language: String,
    pub category: Category,
    /// Of the body.
    pub parameters: Vec<Parameter>,
    #[serde(default)]
    pub header: Option<TemplateHeader>,
    /// Values for its buttons.
    #[serde(default)]
    pub buttons: Vec<TemplateButton>,
    /// When a limited-time offer ends.
    #[serde(default)]
    pub offer_ends: Option<Millis>,
    #[serde(default)]
    pub cards: Vec<TemplateCard>,
    /// By Meta's marketing interface, which chooses whom to reach.
    #[serde(default)]
    pub marketing_interface: bool,
    /// The provider's id of it, once it was found in the account's list.
    #[serde(default)]
    pub id: Option<String>,
}

/// What fills a template's header.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum TemplateHeader {
    Text(Parameter),
    Media(OutgoingMedia),
    Location(Location),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateButton {
    /// Counted from 0.
    pub index: u32,
    pub value: ButtonValue,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ButtonValue {
    /// The end of its address.
    UrlSuffix(String),
    /// What comes back when a quick reply is tapped.
    Payload(String),
    /// What it copies.
    CopyCode(String),
    /// The flow's token and its input, a JSON object.
    Flow { token: Option<String>, input: Option<String> },
    /// The catalogue, and the product whose picture it shows.
    Catalog { thumbnail: Option<String> },
    /// Products of the catalogue in their sections.
    Products { thumbnail: String, sections: Vec<ProductSection> },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TemplateCard {
    pub header: Option<TemplateHeader>,
    pub parameters: Vec<Parameter>,
    pub buttons: Vec<TemplateButton>,
}

impl Template {
    fn media_mut(&mut self) -> Vec<&mut OutgoingMedia> {
        let cards = self.cards.iter_mut().map(|card| &mut card.header);
        let headers = std::iter::once(&mut self.header).chain(cards);
        let media = headers.filter_map(|header| match header {
            Some(TemplateHeader::Media(media)) => Some(media),
            Some(TemplateHeader::Text(_) | TemplateHeader::Location(_)) | None => None,
        });
        media.collect()
    }

    /// With values for its body alone.
    pub fn new(
        name: impl Into<String>,
        language: impl Into<String>,
        category: Category,
        parameters: Vec<Parameter>,
    ) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            category,
            parameters,
            header: None,
            buttons: Vec::new(),
            offer_ends: None,
            cards: Vec::new(),
            marketing_interface: false,
            id: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    Marketing,
    Utility,
    Authentication,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parameter {
    /// None for positional parameters.
    pub name: Option<String>,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutgoingMedia {
    pub kind: MediaKind,
    pub source: MediaSource,
    pub caption: Option<String>,
    pub filename: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediaSource {
    /// An id of the provider's.
    Id(String),
    /// An https address, fetched by the provider.
    Link(String),
    /// A file under `media/` in the business folder, uploaded by the host.
    File(String),
}
