//! An account event in a case: its field, and under a key of its own what it
//! means, as plugins see it.

use super::{
    ReceivedForm,
    content::{strictly, take, without_nulls},
};
use crate::{
    cases::moment::Moment,
    model::{AccountNews, Millis, News, NumberNews, TemplateNews},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct AccountForm {
    pub field: String,
    news: Option<NewsForm>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NewsForm {
    Remark(String),
    Template(TemplateNews),
    Number(NumberNews),
    Marketing { wanted: bool },
    Call { id: String, at: Moment, missed: bool },
    Echo(Box<ReceivedForm>),
    Account(AccountNews),
    Username(Option<String>),
}

impl AccountForm {
    pub fn news(&self, now: Millis) -> News {
        match self.news.clone() {
            None => News::Other,
            Some(NewsForm::Remark(text)) => News::Remark(text),
            Some(NewsForm::Template(template)) => News::Template(template),
            Some(NewsForm::Number(number)) => News::Number(number),
            Some(NewsForm::Marketing { wanted }) => News::Marketing { wanted },
            Some(NewsForm::Call { id, at, missed }) => News::Call { id, at: at.0, missed },
            Some(NewsForm::Echo(form)) => News::Echo(Box::new(form.message(now))),
            Some(NewsForm::Account(account)) => News::Account(account),
            Some(NewsForm::Username(name)) => News::Username(name),
        }
    }

    pub fn of(field: String, news: News, now: Millis) -> Self {
        let news = match news {
            News::Other => None,
            News::Remark(text) => Some(NewsForm::Remark(text)),
            News::Template(template) => Some(NewsForm::Template(template)),
            News::Number(number) => Some(NewsForm::Number(number)),
            News::Marketing { wanted } => Some(NewsForm::Marketing { wanted }),
            News::Call { id, at, missed } => Some(NewsForm::Call { id, at: Moment(at), missed }),
            News::Echo(message) => Some(NewsForm::Echo(Box::new(ReceivedForm::of(*message, now)))),
            News::Account(account) => Some(NewsForm::Account(account)),
            News::Username(name) => Some(NewsForm::Username(name)),
        };
        Self { field, news }
    }
}

impl TryFrom<Map<String, Value>> for AccountForm {
    type Error = String;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, String> {
        let field = take(&mut map, "account", "field")?.ok_or("account: has no `field`")?;
        let news = match map.is_empty() {
            true => None,
            false => Some(strictly("account", Value::Object(map))?),
        };
        Ok(Self { field, news })
    }
}

impl From<AccountForm> for Map<String, Value> {
    fn from(form: AccountForm) -> Self {
        let mut map = Map::new();
        map.insert("field".into(), form.field.into());
        match form.news {
            None => {}
            // The one whose null says something.
            Some(NewsForm::Username(name)) => {
                map.insert("username".into(), name.into());
            }
            Some(news) => {
                if let Ok(Value::Object(said)) = serde_json::to_value(news).map(without_nulls) {
                    map.extend(said);
                }
            }
        }
        map
    }
}
