//! The parts of messages, each as in the model, but strict about keys it does
//! not know.

use crate::model::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) fn all<A: Into<B>, B>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(Into::into).collect()
}

/// A form with the fields of a struct of the model, and the way from each to
/// the other. `one`: needed; `maybe`: an option; `all`: a list that is needed;
/// `any`: one that may be left out; `flag`: false when left out. What stands
/// behind `but` is the host's alone: no form has it.
macro_rules! form {
    ($form:ident of $model:ident { $($way:ident $field:ident: $kind:ty),* $(,)? }
        $(but $hosts:ident)?
    ) => {
        form!(@define $form [] $($way $field: $kind,)*);
        impl From<$form> for $model {
            fn from(form: $form) -> Self {
                Self { $($field: form!(@into $way form.$field),)* $($hosts: None)? }
            }
        }
        impl From<$model> for $form {
            fn from(model: $model) -> Self {
                Self { $($field: form!(@into $way model.$field)),* }
            }
        }
    };
    (@define $form:ident [$($done:tt)*]) => {
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $form { $($done)* }
    };
    (@define $form:ident [$($done:tt)*] one $field:ident: $kind:ty, $($rest:tt)*) => {
        form!(@define $form [$($done)* pub $field: $kind,] $($rest)*);
    };
    (@define $form:ident [$($done:tt)*] maybe $field:ident: $kind:ty, $($rest:tt)*) => {
        form!(@define $form [$($done)*
            #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$kind>,
        ] $($rest)*);
    };
    (@define $form:ident [$($done:tt)*] all $field:ident: $kind:ty, $($rest:tt)*) => {
        form!(@define $form [$($done)* pub $field: Vec<$kind>,] $($rest)*);
    };
    (@define $form:ident [$($done:tt)*] any $field:ident: $kind:ty, $($rest:tt)*) => {
        form!(@define $form [$($done)*
            #[serde(default, skip_serializing_if = "Vec::is_empty")] pub $field: Vec<$kind>,
        ] $($rest)*);
    };
    (@define $form:ident [$($done:tt)*] flag $field:ident: $kind:ty, $($rest:tt)*) => {
        form!(@define $form [$($done)*
            #[serde(default, skip_serializing_if = "std::ops::Not::not")] pub $field: $kind,
        ] $($rest)*);
    };
    (@into one $value:expr) => { $value.into() };
    (@into flag $value:expr) => { $value };
    (@into maybe $value:expr) => { $value.map(Into::into) };
    (@into all $value:expr) => { all($value) };
    (@into any $value:expr) => { all($value) };
}

/// An enum of the model in which each case holds one value.
macro_rules! choice {
    ($form:ident of $model:ident { $($case:ident($kind:ty)),* $(,)? }) => {
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum $form { $($case($kind)),* }
        impl From<$form> for $model {
            fn from(form: $form) -> Self {
                match form { $($form::$case(value) => Self::$case(value.into())),* }
            }
        }
        impl From<$model> for $form {
            fn from(model: $model) -> Self {
                match model { $($model::$case(value) => Self::$case(value.into())),* }
            }
        }
    };
}

form!(ButtonForm of Choice { one id: String, one title: String });
form!(RowForm of Row { one id: String, one title: String, maybe description: String });
form!(SectionForm of Section { maybe title: String, all rows: RowForm });
form!(ParameterForm of Parameter { maybe name: String, one text: String });
form!(MediaForm of OutgoingMedia {
    one kind: MediaKind,
    one source: SourceForm,
    maybe caption: String,
    maybe filename: String,
});
form!(LocationForm of Location {
    one latitude: f64,
    one longitude: f64,
    maybe name: String,
    maybe address: String,
});
form!(PhoneForm of CardPhone { one phone: String, maybe wa_id: String });
form!(ContactForm of ContactCard {
    maybe name: String,
    any phones: PhoneForm,
    any emails: String,
    maybe organization: String,
    flag own: bool,
});
form!(LinkForm of Link {
    maybe header: HeaderForm,
    one body: String,
    maybe footer: String,
    one label: String,
    one url: String,
});
form!(ProductSectionForm of ProductSection { maybe title: String, all products: String });
form!(ProductsForm of Products {
    one header: String,
    one body: String,
    maybe footer: String,
    one catalog: String,
    all sections: ProductSectionForm,
});
form!(CardForm of Card { one header: MediaForm, maybe body: String, one action: CardActionForm });
form!(TemplateForm of Template {
    one name: String,
    one language: String,
    one category: CategoryForm,
    any parameters: ParameterForm,
    maybe header: TemplateHeaderForm,
    any buttons: TemplateButtonForm,
    maybe offer_ends: Millis,
    any cards: TemplateCardForm,
    flag marketing_interface: bool,
} but id);
form!(TemplateButtonForm of TemplateButton { one index: u32, one value: ValueForm });
form!(TemplateCardForm of TemplateCard {
    maybe header: TemplateHeaderForm,
    any parameters: ParameterForm,
    any buttons: TemplateButtonForm,
});

choice!(SourceForm of MediaSource { Id(String), Link(String), File(String) });
choice!(HeaderForm of Header { Text(String), Media(MediaForm) });
choice!(FlowRefForm of FlowRef { Id(String), Name(String) });
choice!(TemplateHeaderForm of TemplateHeader {
    Text(ParameterForm),
    Media(MediaForm),
    Location(LocationForm),
});

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CategoryForm {
    Marketing,
    Utility,
    Authentication,
}

impl From<CategoryForm> for Category {
    fn from(form: CategoryForm) -> Self {
        match form {
            CategoryForm::Marketing => Self::Marketing,
            CategoryForm::Utility => Self::Utility,
            CategoryForm::Authentication => Self::Authentication,
        }
    }
}

impl From<Category> for CategoryForm {
    fn from(category: Category) -> Self {
        match category {
            Category::Marketing => Self::Marketing,
            Category::Utility => Self::Utility,
            Category::Authentication => Self::Authentication,
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestedForm {
    Location,
    Phone,
    Address { country: String },
}

impl From<RequestedForm> for Requested {
    fn from(form: RequestedForm) -> Self {
        match form {
            RequestedForm::Location => Self::Location,
            RequestedForm::Phone => Self::Phone,
            RequestedForm::Address { country } => Self::Address { country },
        }
    }
}

impl From<Requested> for RequestedForm {
    fn from(what: Requested) -> Self {
        match what {
            Requested::Location => Self::Location,
            Requested::Phone => Self::Phone,
            Requested::Address { country } => Self::Address { country },
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CardActionForm {
    Link { label: String, url: String },
    Buttons(Vec<ButtonForm>),
}

impl From<CardActionForm> for CardAction {
    fn from(form: CardActionForm) -> Self {
        match form {
            CardActionForm::Link { label, url } => Self::Link { label, url },
            CardActionForm::Buttons(buttons) => Self::Buttons(all(buttons)),
        }
    }
}

impl From<CardAction> for CardActionForm {
    fn from(action: CardAction) -> Self {
        match action {
            CardAction::Link { label, url } => Self::Link { label, url },
            CardAction::Buttons(buttons) => Self::Buttons(all(buttons)),
        }
    }
}

/// What fills a template's button.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ValueForm {
    UrlSuffix(String),
    Payload(String),
    CopyCode(String),
    Flow {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<ObjectForm>,
    },
    Catalog {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thumbnail: Option<String>,
    },
    Products {
        thumbnail: String,
        sections: Vec<ProductSectionForm>,
    },
}

impl From<ValueForm> for ButtonValue {
    fn from(form: ValueForm) -> Self {
        match form {
            ValueForm::UrlSuffix(end) => Self::UrlSuffix(end),
            ValueForm::Payload(payload) => Self::Payload(payload),
            ValueForm::CopyCode(code) => Self::CopyCode(code),
            ValueForm::Flow { token, input } => Self::Flow { token, input: input.map(Into::into) },
            ValueForm::Catalog { thumbnail } => Self::Catalog { thumbnail },
            ValueForm::Products { thumbnail, sections } => {
                Self::Products { thumbnail, sections: all(sections) }
            }
        }
    }
}

impl From<ButtonValue> for ValueForm {
    fn from(value: ButtonValue) -> Self {
        match value {
            ButtonValue::UrlSuffix(end) => Self::UrlSuffix(end),
            ButtonValue::Payload(payload) => Self::Payload(payload),
            ButtonValue::CopyCode(code) => Self::CopyCode(code),
            ButtonValue::Flow { token, input } => {
                Self::Flow { token, input: input.map(Into::into) }
            }
            ButtonValue::Catalog { thumbnail } => Self::Catalog { thumbnail },
            ButtonValue::Products { thumbnail, sections } => {
                Self::Products { thumbnail, sections: all(sections) }
            }
        }
    }
}

/// A JSON object, which the model keeps as text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectForm(Map<String, Value>);

impl From<ObjectForm> for String {
    fn from(form: ObjectForm) -> Self {
        Value::Object(form.0).to_string()
    }
}

impl From<String> for ObjectForm {
    fn from(json: String) -> Self {
        Self(serde_json::from_str(&json).unwrap_or_default())
    }
}
