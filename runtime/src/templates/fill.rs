//! Whether a message fills its template: every placeholder, nothing more. What
//! can only be meant one way is put right.

use crate::model::*;

/// Of a body that stands beside other parts, once it is filled; else of one
/// that stands alone.
const BODY_CHARS: usize = 1_024;
const BODY_ALONE_CHARS: usize = 4_096;
const HEADER_CHARS: usize = 60;
/// The provider refuses a value with more blanks in a row, or a new line.
const BLANKS: usize = 4;

type Filled<T = ()> = Result<T, String>;

/// The message with what is implied by it. Error: what is wrong with it, with
/// what the template wants.
pub(super) fn fill(
    mut template: Template,
    form: &TemplateForm,
    now: Millis,
    remarks: &mut Vec<String>,
) -> Filled<Template> {
    let alone = form.parts.header == FormHeader::None
        && form.parts.buttons.is_empty()
        && form.footer.is_none()
        && form.cards.is_empty();
    let limit = if alone { BODY_ALONE_CHARS } else { BODY_CHARS };
    if let Some(row) = &form.row {
        fill_row(&mut template, form, row, limit, remarks)?;
        return Ok(template);
    }
    let mut part = Part {
        header: &mut template.header,
        parameters: &mut template.parameters,
        buttons: &mut template.buttons,
    };
    part.fill(&form.parts, form.named, limit)?;
    let mut mended = mend(&mut template.header, &mut template.parameters);
    match (&form.offer, template.offer_ends) {
        (Some(FormOffer { expires: true, .. }), None) => {
            return Err("the offer needs the time when it ends".into());
        }
        (Some(FormOffer { expires: true, .. }), Some(end)) if end <= now => {
            return Err("the offer ends in the past".into());
        }
        (Some(FormOffer { expires: true, .. }), Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err("it has no offer that ends, but an end was given".into()),
    }
    if template.cards.len() != form.cards.len() {
        let (wanted, given) = (form.cards.len(), template.cards.len());
        return Err(format!("it has {}, and {given} were given", counted(wanted, "card")));
    }
    for (number, (card, wanted)) in template.cards.iter_mut().zip(&form.cards).enumerate() {
        let mut part = Part {
            header: &mut card.header,
            parameters: &mut card.parameters,
            buttons: &mut card.buttons,
        };
        let filled = part.fill(wanted, form.named, BODY_CHARS);
        filled.map_err(|wrong| format!("card {}: {wrong}", number + 1))?;
        mended |= mend(&mut card.header, &mut card.parameters);
    }
    note_mended(mended, form, remarks);
    Ok(template)
}

fn note_mended(mended: bool, form: &TemplateForm, remarks: &mut Vec<String>) {
    if mended {
        remarks.push(format!(
            "new lines and long gaps in the values of `{}` became one blank",
            form.name
        ));
    }
}

/// All values in one row. Those that come by their places get the names of
/// these, by which they are sent: a row may have gaps.
fn fill_row(
    template: &mut Template,
    form: &TemplateForm,
    row: &[String],
    limit: usize,
    remarks: &mut Vec<String>,
) -> Filled {
    let given = &mut template.parameters;
    let places: Vec<&str> = row.iter().map(String::as_str).collect();
    let by_name = form.named || given.iter().all(|value| value.name.is_some());
    values("it", &places, given, by_name)?;
    for (value, place) in given.iter_mut().zip(row) {
        value.name.get_or_insert_with(|| place.clone());
    }
    if let Some(body) = &form.parts.body {
        check_length("the body", body, given, limit)?;
    }
    note_mended(mend(&mut None, given), form, remarks);
    Ok(())
}

fn counted(count: usize, thing: &str) -> String {
    match count {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// What a message gives for the template, or for one of its cards.
struct Part<'a> {
    header: &'a mut Option<TemplateHeader>,
    parameters: &'a mut Vec<Parameter>,
    buttons: &'a mut Vec<TemplateButton>,
}

impl Part<'_> {
    fn fill(&mut self, form: &FormParts, named: bool, limit: usize) -> Filled {
        if let Some(body) = &form.body {
            values("the body", &placeholders(body), self.parameters, named)?;
            check_length("the body", body, self.parameters, limit)?;
        }
        self.fill_header(&form.header, named)?;
        let last = form.buttons.len();
        for (at, button) in self.buttons.iter().enumerate() {
            let index = button.index;
            if index as usize >= last {
                let has = counted(last, "button");
                return Err(format!("it has {has}, counted from 0, and {index} was given a value"));
            }
            if self.buttons.iter().skip(at + 1).any(|other| other.index == index) {
                return Err(format!("button {index} was given two values"));
            }
        }
        for (index, button) in (0..).zip(&form.buttons) {
            self.fill_button(index, button)?;
        }
        self.buttons.sort_by_key(|button| button.index);
        Ok(())
    }

    fn fill_header(&self, form: &FormHeader, named: bool) -> Filled {
        let given = &*self.header;
        match (form, given) {
            (FormHeader::Text(text), given) => {
                let places = placeholders(text);
                let values = match given {
                    None => &[][..],
                    Some(TemplateHeader::Text(value)) => std::slice::from_ref(value),
                    Some(other) => {
                        let given = word(other);
                        return Err(format!("its header is a text, and {given} was given"));
                    }
                };
                self::values("the header", &places, values, named)?;
                check_length("the header", text, values, HEADER_CHARS)
            }
            (FormHeader::None, None)
            | (FormHeader::Location, Some(TemplateHeader::Location(_))) => Ok(()),
            (FormHeader::None, Some(_)) => Err("it has no header, and one was given".into()),
            (FormHeader::Media(kind), Some(TemplateHeader::Media(media)))
                if media.kind == *kind =>
            {
                Ok(())
            }
            (FormHeader::Media(kind), None) => {
                Err(format!("its header needs {}, and none was given", media_word(*kind)))
            }
            (FormHeader::Media(kind), Some(other)) => Err(format!(
                "its header needs {}, and {} was given",
                media_word(*kind),
                word(other)
            )),
            (FormHeader::Location, None) => {
                Err("its header needs a location, and none was given".into())
            }
            (FormHeader::Location, Some(other)) => {
                Err(format!("its header needs a location, and {} was given", word(other)))
            }
            (FormHeader::Other(kind), _) => {
                Err(format!("its header is of the kind {kind}, which can't be filled"))
            }
        }
    }

    fn fill_button(&mut self, index: u32, form: &FormButton) -> Filled {
        let given = self.buttons.iter_mut().find(|button| button.index == index);
        let label = &form.label;
        let needs = |what: &str| format!("button {index} (`{label}`) needs {what}");
        let implied = match (&form.kind, given.map(|button| &mut button.value)) {
            (FormButtonKind::Reply, None) => return Ok(()),
            (FormButtonKind::Reply, Some(ButtonValue::Payload(_))) => return Ok(()),
            (FormButtonKind::Link(url), given) => {
                return match (placeholders(url).is_empty(), given) {
                    (true, None) => Ok(()),
                    (true, Some(_)) => Err(format!(
                        "button {index} (`{label}`) has an address without an end to fill"
                    )),
                    (false, Some(ButtonValue::UrlSuffix(end))) if !end.trim().is_empty() => Ok(()),
                    (false, _) => Err(needs("the end of its address")),
                };
            }
            (FormButtonKind::CopyCode, Some(ButtonValue::CopyCode(code)))
                if !code.trim().is_empty() =>
            {
                return Ok(());
            }
            (FormButtonKind::CopyCode, _) => return Err(needs("the code that it copies")),
            (FormButtonKind::OneTimeCode, given) => match given {
                Some(ButtonValue::UrlSuffix(code)) if !code.trim().is_empty() => return Ok(()),
                // It travels as the end of an address does.
                Some(value @ ButtonValue::CopyCode(_)) => {
                    if let ButtonValue::CopyCode(code) = &*value
                        && !code.trim().is_empty()
                    {
                        *value = ButtonValue::UrlSuffix(code.clone());
                        return Ok(());
                    }
                    return Err(needs("the code"));
                }
                Some(_) => return Err(needs("the code")),
                // The one in the body.
                None => match self.parameters.first() {
                    Some(code) => ButtonValue::UrlSuffix(code.text.clone()),
                    None => return Err(needs("the code")),
                },
            },
            (FormButtonKind::Flow, None) => ButtonValue::Flow { token: None, input: None },
            (FormButtonKind::Flow, Some(ButtonValue::Flow { .. })) => return Ok(()),
            (FormButtonKind::Catalog, None) => ButtonValue::Catalog { thumbnail: None },
            (FormButtonKind::Catalog, Some(ButtonValue::Catalog { .. })) => return Ok(()),
            (FormButtonKind::Products, Some(ButtonValue::Products { .. })) => return Ok(()),
            (FormButtonKind::Products, _) => return Err(needs("the products that it shows")),
            (FormButtonKind::Plain(_), None) => return Ok(()),
            (FormButtonKind::Plain(kind), Some(_)) => {
                return Err(format!("button {index} (`{label}`, {kind}) takes no value"));
            }
            (FormButtonKind::Reply | FormButtonKind::Flow | FormButtonKind::Catalog, Some(_)) => {
                return Err(format!(
                    "button {index} (`{label}`) was given a value of another kind"
                ));
            }
        };
        self.buttons.push(TemplateButton { index, value: implied });
        Ok(())
    }
}

fn word(header: &TemplateHeader) -> &'static str {
    match header {
        TemplateHeader::Text(_) => "a text",
        TemplateHeader::Media(media) => media_word(media.kind),
        TemplateHeader::Location(_) => "a location",
    }
}

fn media_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "an image",
        MediaKind::Video => "a video",
        MediaKind::Audio => "a sound",
        MediaKind::Voice => "a voice note",
        MediaKind::Document => "a document",
        MediaKind::Sticker => "a sticker",
    }
}

/// Whether there is one value for each placeholder, none of them empty.
fn values(part: &str, places: &[&str], given: &[Parameter], named: bool) -> Filled {
    let wanted = || match places {
        [] => "takes no values".to_owned(),
        places => {
            let places: Vec<String> =
                places.iter().map(|place| format!("{{{{{place}}}}}")).collect();
            format!("takes {}", places.join(", "))
        }
    };
    if !places.is_empty() && named {
        for place in places {
            match given.iter().filter(|value| value.name.as_deref() == Some(*place)).count() {
                1 => {}
                0 => return Err(format!("{part} {}, and `{place}` is missing", wanted())),
                _ => return Err(format!("{part} was given `{place}` twice")),
            }
        }
        let surplus = given
            .iter()
            .find(|value| value.name.as_deref().is_none_or(|name| !places.contains(&name)));
        match surplus.map(|value| value.name.as_deref()) {
            Some(Some(name)) => return Err(format!("{part} {}, and not `{name}`", wanted())),
            Some(None) => return Err(format!("{part} {}, and a value has no name", wanted())),
            None => {}
        }
    } else if given.len() != places.len() {
        let count = counted(given.len(), "value");
        let were = if given.len() == 1 { "was" } else { "were" };
        return Err(format!("{part} {}, and {count} {were} given", wanted()));
    } else if let Some(name) = given.iter().find_map(|value| value.name.as_ref()) {
        return Err(format!("{part} {} by their places, and one has the name `{name}`", wanted()));
    }
    for (number, value) in given.iter().enumerate() {
        if value.text.trim().is_empty() {
            let which = value.name.clone().unwrap_or_else(|| (number + 1).to_string());
            return Err(format!("{part}'s value {{{{{which}}}}} is empty"));
        }
    }
    Ok(())
}

fn check_length(part: &str, text: &str, given: &[Parameter], limit: usize) -> Filled {
    let length = filled(text, |place| value_of(place, given)).chars().count();
    // What the provider has approved is not too long by itself.
    if length > limit.max(text.chars().count()) {
        return Err(format!("{part} has {length} characters once filled, and {limit} are allowed"));
    }
    Ok(())
}

/// The value of a placeholder, by name or by place.
pub(super) fn value_of(place: &str, given: &[Parameter]) -> Option<String> {
    let by_name = given.iter().find(|value| value.name.as_deref() == Some(place));
    let by_place = || given.get(place.parse::<usize>().ok()?.checked_sub(1)?);
    by_name.or_else(by_place).map(|value| value.text.clone())
}

/// Makes each new line, tab and long gap in the values one blank. Whether there
/// were any.
fn mend(header: &mut Option<TemplateHeader>, values: &mut [Parameter]) -> bool {
    let header = match header {
        Some(TemplateHeader::Text(value)) => Some(value),
        _ => None,
    };
    let mut mended = false;
    for value in values.iter_mut().chain(header) {
        let plain = one_line(&value.text);
        mended |= plain != value.text;
        value.text = plain;
    }
    mended
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut gap = String::new();
    for character in text.chars() {
        match character {
            ' ' | '\n' | '\r' | '\t' => gap.push(character),
            other => {
                close(&mut line, &mut gap);
                line.push(other);
            }
        }
    }
    close(&mut line, &mut gap);
    line
}

fn close(line: &mut String, gap: &mut String) {
    let plain = gap.len() <= BLANKS && gap.bytes().all(|byte| byte == b' ');
    line.push_str(if plain { gap } else { " " });
    gap.clear();
}
