//! A message of the bot's as a chat tells it: what kind it is, where it is not
//! plain words, and the lines that a customer sees. And the pattern that it is
//! held against.

use crate::model::*;

/// What came, in a chat's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// `template spring_cakes`, `image menu.jpg`; empty for plain words, with or
    /// without buttons.
    pub what: String,
    pub lines: Vec<String>,
}

/// What is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub what: String,
    /// None: whatever it says.
    pub lines: Option<Vec<String>>,
}

/// Stands for any text within a line, and alone in one for any lines.
const ANY: &str = "...";
/// Stands for any one message.
const ANY_MESSAGE: &str = "*";

impl Pattern {
    pub fn fits(&self, said: &Said) -> bool {
        let any = |lines: &Vec<String>| matches!(lines.as_slice(), [line] if line == ANY_MESSAGE);
        if self.what.is_empty() && self.lines.as_ref().is_some_and(any) {
            return true;
        }
        line_fits(&self.what, &said.what)
            && self.lines.as_ref().is_none_or(|lines| lines_fit(lines, &said.lines))
    }
}

fn lines_fit(expected: &[String], came: &[String]) -> bool {
    match expected.split_first() {
        None => came.is_empty(),
        Some((line, rest)) if line == ANY => {
            (0..=came.len()).any(|from| came.get(from..).is_some_and(|came| lines_fit(rest, came)))
        }
        Some((line, rest)) => came
            .split_first()
            .is_some_and(|(first, others)| line_fits(line, first) && lines_fit(rest, others)),
    }
}

/// Whether a text is the line, where `...` is any text.
pub(super) fn line_fits(expected: &str, came: &str) -> bool {
    let mut parts = expected.split(ANY);
    let Some(mut rest) = parts.next().and_then(|first| came.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl Said {
    /// None: the customer sees no message.
    pub fn of(message: &Outgoing) -> Option<Self> {
        let mut said = Self { what: String::new(), lines: Vec::new() };
        match message {
            Outgoing::Read { .. } => return None,
            Outgoing::Text(text) | Outgoing::Numbered { text, .. } => said.text(text),
            Outgoing::Buttons { header, body, footer, buttons } => {
                said.framed(header.as_ref(), body, footer.as_ref());
                buttons.iter().for_each(|button| said.button(&button.title));
            }
            Outgoing::List { header, body, footer, label, sections } => {
                said.framed(header.as_ref(), body, footer.as_ref());
                said.lines.push(format!("({label})"));
                let rows = sections.iter().flat_map(|section| &section.rows);
                rows.for_each(|row| said.button(&row.title));
            }
            Outgoing::Link(link) => {
                said.framed(link.header.as_ref(), &link.body, link.footer.as_ref());
                said.lines.push(format!("[{}] {}", link.label, link.url));
            }
            Outgoing::Flow(flow) => {
                said.what = "flow".into();
                said.framed(flow.header.as_ref(), &flow.body, flow.footer.as_ref());
                said.button(&flow.label);
            }
            Outgoing::Template(template) => said.template(template),
            other => said.rest(other),
        }
        Some(said)
    }

    fn rest(&mut self, message: &Outgoing) {
        self.what = message.kind().into();
        match message {
            Outgoing::Media(media) => {
                self.what = named(media);
                self.text(media.caption.as_deref().unwrap_or_default());
            }
            Outgoing::Location(place) => {
                self.lines.extend(place.name.iter().chain(&place.address).cloned());
                self.lines.push(format!("{}, {}", place.latitude, place.longitude));
            }
            Outgoing::Contacts(cards) => {
                self.lines.extend(cards.iter().filter_map(|card| card.name.clone()));
            }
            Outgoing::Request { what, body } => {
                self.what = match what {
                    Requested::Location => "request location".into(),
                    Requested::Phone => "request phone".into(),
                    Requested::Address { .. } => "request address".into(),
                };
                self.text(body);
            }
            Outgoing::Product { body, footer, product, .. } => {
                self.what = format!("product {product}");
                body.iter().chain(footer).for_each(|text| self.text(text));
            }
            Outgoing::Products(Products { header, body, footer, sections, .. }) => {
                [header, body].into_iter().chain(footer).for_each(|text| self.text(text));
                let products = sections.iter().flat_map(|section| &section.products);
                products.for_each(|product| self.button(product));
            }
            Outgoing::Catalog { body, footer, .. } => {
                std::iter::once(body).chain(footer).for_each(|text| self.text(text));
            }
            Outgoing::Carousel { body, cards } => {
                self.text(body);
                for card in cards {
                    card.body.iter().for_each(|text| self.text(text));
                    match &card.action {
                        CardAction::Link { label, url } => {
                            self.lines.push(format!("[{label}] {url}"));
                        }
                        CardAction::Buttons(buttons) => {
                            buttons.iter().for_each(|button| self.button(&button.title));
                        }
                    }
                }
            }
            Outgoing::Interactive(json) => self.text(json),
            Outgoing::Reaction { emoji, .. } => self.text(emoji),
            Outgoing::Text(_)
            | Outgoing::Buttons { .. }
            | Outgoing::List { .. }
            | Outgoing::Numbered { .. }
            | Outgoing::Template(_)
            | Outgoing::Link(_)
            | Outgoing::Flow(_)
            | Outgoing::Read { .. } => {}
        }
    }

    /// Its values; what it says around them stands at the provider.
    fn template(&mut self, template: &Template) {
        self.what = format!("template {}", template.name);
        match &template.header {
            Some(TemplateHeader::Media(media)) => self.lines.push(format!("({})", named(media))),
            Some(TemplateHeader::Text(value)) => self.lines.push(value.text.clone()),
            Some(TemplateHeader::Location(_)) | None => {}
        }
        let values: Vec<&str> = template.parameters.iter().map(|it| it.text.as_str()).collect();
        if !values.is_empty() {
            self.text(&values.join(" | "));
        }
    }

    fn framed(&mut self, header: Option<&Header>, body: &str, footer: Option<&String>) {
        match header {
            Some(Header::Text(text)) => self.text(text),
            Some(Header::Media(media)) => self.lines.push(format!("({})", named(media))),
            None => {}
        }
        self.text(body);
        footer.into_iter().for_each(|text| self.text(text));
    }

    fn text(&mut self, text: &str) {
        self.lines.extend(text.lines().map(|line| line.trim().to_owned()));
    }

    fn button(&mut self, title: &str) {
        self.lines.push(format!("[{title}]"));
    }

    /// As a chat has it, with `begin` in front: `bot`, `bot to Ben`.
    pub fn written(&self, begin: &str) -> Vec<String> {
        let mut head = begin.to_owned();
        if !self.what.is_empty() {
            head = format!("{head} {}", self.what);
        }
        let (first, rest) = match self.lines.split_first() {
            // A tap stands below what is said.
            Some((first, rest)) if !first.starts_with('[') => (format!(": {first}"), rest),
            Some(_) => (":".into(), self.lines.as_slice()),
            None if self.what.is_empty() => (":".into(), self.lines.as_slice()),
            None => (String::new(), self.lines.as_slice()),
        };
        let indented = rest.iter().map(|line| match line.is_empty() {
            true => String::new(),
            false => format!("  {line}"),
        });
        std::iter::once(head + &first).chain(indented).collect()
    }
}

/// `image menu.jpg`
fn named(media: &OutgoingMedia) -> String {
    let source = match &media.source {
        MediaSource::Id(text) | MediaSource::Link(text) | MediaSource::File(text) => text,
    };
    format!("{} {source}", media.kind.name())
}

/// What a message offers to tap.
pub(super) fn choices(message: &Outgoing) -> Vec<Choice> {
    match message {
        Outgoing::Buttons { buttons, .. } => buttons.clone(),
        Outgoing::Numbered { choices, .. } => choices.clone(),
        Outgoing::List { sections, .. } => {
            let rows = sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| Choice { id: row.id.clone(), title: row.title.clone() }).collect()
        }
        Outgoing::Carousel { cards, .. } => {
            let buttons = cards.iter().filter_map(|card| match &card.action {
                CardAction::Buttons(buttons) => Some(buttons),
                CardAction::Link { .. } => None,
            });
            buttons.flatten().cloned().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_any_text() {
        for (expected, came, fits) in [
            ("We are open", "We are open", true),
            ("We are open", "We are open.", false),
            ("... open", "We are open", true),
            ("We ...", "We are open", true),
            ("We ... open", "We are open", true),
            ("We ... open ...", "We are open", false),
            ("...", "", true),
            ("a...a", "a", false),
            ("a...b...c", "a-b-b-c", true),
            ("a...b...c", "a-c-b", false),
        ] {
            assert_eq!(line_fits(expected, came), fits, "{expected} / {came}");
        }
    }

    #[test]
    fn a_line_of_dots_is_any_lines() {
        let lines = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        for (expected, came, fits) in [
            ("a/.../[X]", "a/[X]", true),
            ("a/.../[X]", "a/b/c/[X]", true),
            ("a/.../[X]", "a/b/c", false),
            ("a", "a/b", false),
            ("a/b", "a", false),
        ] {
            assert_eq!(lines_fit(&lines(expected), &lines(came)), fits, "{expected} / {came}");
        }
    }

    #[test]
    fn what_is_written_is_what_fits() {
        let button = |title: &str| Choice { id: "x".into(), title: title.into() };
        let message = Outgoing::Buttons {
            header: Some(Header::Text("Hours".into())),
            body: "9 to 18\n\nSee you!".into(),
            footer: None,
            buttons: vec![button("Where"), button("Order")],
        };
        let said = Said::of(&message).unwrap();
        let written = said.written("bot");
        assert_eq!(
            written,
            ["bot: Hours", "  9 to 18", "", "  See you!", "  [Where]", "  [Order]"]
        );
        let read = Outgoing::Read { message_id: "1".into(), typing: false };
        assert_eq!(Said::of(&read), None);
    }
}
