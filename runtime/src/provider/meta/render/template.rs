//! Templates with all that fills them.

use super::{insert, interactive, location, media};
use crate::model::{
    ButtonValue, Parameter, Template, TemplateButton, TemplateCard, TemplateHeader,
};
use serde_json::{Value, json};

pub(super) fn form(template: &Template) -> Value {
    let mut form = json!({"name": template.name, "language": {"code": template.language}});
    let mut components = components(template.header.as_ref(), &template.parameters, &[]);
    if let Some(ends) = template.offer_ends {
        let offer = json!({"type": "limited_time_offer",
            "limited_time_offer": {"expiration_time_ms": ends}});
        components.push(json!({"type": "limited_time_offer", "parameters": [offer]}));
    }
    if !template.cards.is_empty() {
        let cards: Vec<Value> = (0..).zip(&template.cards).map(card).collect();
        components.push(json!({"type": "carousel", "cards": cards}));
    }
    components.extend(buttons(&template.buttons));
    insert(&mut form, "components", (!components.is_empty()).then_some(components));
    form
}

fn card((index, card): (usize, &TemplateCard)) -> Value {
    let TemplateCard { header, parameters, buttons } = card;
    json!({"card_index": index, "components": components(header.as_ref(), parameters, buttons)})
}

fn components(
    header: Option<&TemplateHeader>,
    parameters: &[Parameter],
    buttons: &[TemplateButton],
) -> Vec<Value> {
    let mut components = Vec::new();
    if let Some(header) = header {
        let parameter = match header {
            TemplateHeader::Text(text) => parameter(text),
            TemplateHeader::Media(media) => media::typed(media),
            TemplateHeader::Location(place) => {
                json!({"type": "location", "location": location(place)})
            }
        };
        components.push(json!({"type": "header", "parameters": [parameter]}));
    }
    if !parameters.is_empty() {
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        components.push(json!({"type": "body", "parameters": parameters}));
    }
    components.extend(self::buttons(buttons));
    components
}

fn buttons(buttons: &[TemplateButton]) -> impl Iterator<Item = Value> {
    // Without a picture of its own the catalogue's button needs no value.
    let bare =
        |button: &&TemplateButton| matches!(button.value, ButtonValue::Catalog { thumbnail: None });
    buttons.iter().filter(move |button| !bare(button)).map(button)
}

fn parameter(parameter: &Parameter) -> Value {
    let mut form = json!({"type": "text", "text": parameter.text});
    insert(&mut form, "parameter_name", parameter.name.as_ref());
    form
}

fn button(button: &TemplateButton) -> Value {
    let action = |fields: Value| json!({"type": "action", "action": fields});
    let (kind, parameter) = match &button.value {
        ButtonValue::UrlSuffix(end) => ("url", json!({"type": "text", "text": end})),
        ButtonValue::Payload(payload) => {
            ("quick_reply", json!({"type": "payload", "payload": payload}))
        }
        ButtonValue::CopyCode(code) => {
            ("copy_code", json!({"type": "coupon_code", "coupon_code": code}))
        }
        ButtonValue::Flow { token, input } => {
            let mut fields = json!({});
            insert(&mut fields, "flow_token", token.as_ref());
            let input = input.as_deref().and_then(interactive::object);
            insert(&mut fields, "flow_action_data", input);
            ("flow", action(fields))
        }
        ButtonValue::Catalog { thumbnail } => {
            let mut fields = json!({});
            insert(&mut fields, "thumbnail_product_retailer_id", thumbnail.as_ref());
            ("CATALOG", action(fields))
        }
        ButtonValue::Products { thumbnail, sections } => {
            let sections = interactive::products(sections);
            let fields = json!({"thumbnail_product_retailer_id": thumbnail, "sections": sections});
            ("mpm", action(fields))
        }
    };
    json!({
        "type": "button",
        "sub_type": kind,
        "index": button.index.to_string(),
        "parameters": [parameter],
    })
}
