//! Templates. What their texts may hold was settled when they were approved;
//! here is checked that every placeholder gets something.

use super::{
    Fitted, between, catalogue,
    limits::{filled, label, object, within},
    media,
};
use crate::model::{
    ButtonValue, Category, MediaKind, Outgoing, Parameter, Template, TemplateButton, TemplateCard,
    TemplateHeader,
};
use std::collections::HashSet;

const NAME_MAX: usize = 512;
/// Of an approved template.
const BUTTONS_MAX: u32 = 10;
const CARDS_MAX: usize = 10;
const CODE_MAX: usize = 20;
const PAYLOAD_MAX: usize = 256;
const URL_SUFFIX_MAX: usize = 2000;
const HEADER_MAX: usize = 60;
/// Of the whole body, so of each value in it too.
const PARAMETER_MAX: usize = 1024;

pub(super) fn template(mut template: Template) -> Fitted {
    let name = template.name.clone();
    label("template name", &name, NAME_MAX)?;
    if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return Err(format!(
            "template name `{name}` may hold lower-case letters, digits and `_` alone"
        ));
    }
    filled(&format!("the language of template `{name}`"), &template.language)?;
    let of = format!("of template `{name}`");
    check_parameters(&template.parameters, &of)?;
    template.header = header(template.header, &of)?;
    check_buttons(&template.buttons, &of)?;
    if template.cards.len() > CARDS_MAX {
        let count = template.cards.len();
        return Err(format!("{count} cards {of}, and {CARDS_MAX} are allowed"));
    }
    let cards = (1..).zip(std::mem::take(&mut template.cards));
    for (number, card) in cards {
        let of = format!("of card {number} {of}");
        check_parameters(&card.parameters, &of)?;
        check_buttons(&card.buttons, &of)?;
        let header = header(card.header, &of)?;
        template.cards.push(TemplateCard { header, ..card });
    }
    if template.marketing_interface && template.category != Category::Marketing {
        return Err(format!(
            "template `{name}` is no marketing, so Meta's marketing interface \
                            does not take it"
        ));
    }
    Ok(vec![Outgoing::Template(template)])
}

fn check_parameters(parameters: &[Parameter], of: &str) -> Result<(), String> {
    for (number, parameter) in (1..).zip(parameters) {
        let which = parameter.name.clone().unwrap_or_else(|| format!("{number}"));
        let what = format!("parameter `{which}` {of}");
        filled(&what, &parameter.text)?;
        within(&what, &parameter.text, PARAMETER_MAX)?;
    }
    let mut names = HashSet::new();
    for name in parameters.iter().filter_map(|parameter| parameter.name.as_ref()) {
        if !names.insert(name) {
            return Err(format!("two parameters {of} have the name `{name}`"));
        }
    }
    if !names.is_empty() && names.len() != parameters.len() {
        let template = of.trim_start_matches("of ");
        return Err(format!("{template} has parameters with and without a name"));
    }
    Ok(())
}

fn header(header: Option<TemplateHeader>, of: &str) -> Result<Option<TemplateHeader>, String> {
    Ok(match header {
        Some(TemplateHeader::Text(parameter)) => {
            let what = format!("the header {of}");
            filled(&what, &parameter.text)?;
            within(&what, &parameter.text, HEADER_MAX)?;
            Some(TemplateHeader::Text(parameter))
        }
        Some(TemplateHeader::Media(picture)) => {
            let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Document];
            Some(TemplateHeader::Media(media::shown(&format!("the header {of}"), picture, &kinds)?))
        }
        Some(TemplateHeader::Location(place)) => {
            between(&format!("the latitude {of}"), place.latitude, 90.0)?;
            between(&format!("the longitude {of}"), place.longitude, 180.0)?;
            Some(TemplateHeader::Location(place))
        }
        None => None,
    })
}

fn check_buttons(buttons: &[TemplateButton], of: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    for TemplateButton { index, value } in buttons {
        let what = format!("the value of button {index} {of}");
        if *index >= BUTTONS_MAX {
            return Err(format!("there is no button {index} {of}: 0 to {} are", BUTTONS_MAX - 1));
        }
        if !seen.insert(index) {
            return Err(format!("button {index} {of} has two values"));
        }
        let text = |text: &str, limit: usize| {
            filled(&what, text)?;
            within(&what, text, limit)
        };
        match value {
            ButtonValue::UrlSuffix(end) => text(end, URL_SUFFIX_MAX)?,
            ButtonValue::Payload(payload) => text(payload, PAYLOAD_MAX)?,
            ButtonValue::CopyCode(code) => text(code, CODE_MAX)?,
            ButtonValue::Flow { input: Some(input), .. } => drop(object(&what, input)?),
            ButtonValue::Flow { input: None, .. } | ButtonValue::Catalog { .. } => {}
            ButtonValue::Products { thumbnail, sections } => {
                filled(&format!("the thumbnail of button {index} {of}"), thumbnail)?;
                catalogue::sections(sections)?;
            }
        }
    }
    Ok(())
}
