//! `switchboard template`: the templates as the running `serve` knows them.

mod show;
mod table;

use super::{Ending, Exit, admin::Admin, ground, out};
use crate::{config::Env, model::plain_text, templates::Values};
use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard template list my-shop
  switchboard template show my-shop spring_sale
  switchboard template preview my-shop spring_sale --with Ann --with \"20 %\"
  switchboard template preview my-shop order --language de --with name=Ann --button 0=A17
  switchboard template sync my-shop

Asks the running `serve`, which reads the lists of the providers at its start, every hour and when
something is missing in them. `sync` has it read them now.";

/// Look at the templates as the provider knows them.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show all of them, and how old the copy is.
    List {
        /// The business folder.
        folder: PathBuf,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show what one has, and what has to be filled in.
    Show {
        /// The business folder.
        folder: PathBuf,
        /// The template's name.
        name: String,
    },
    /// Show a message as the contact would see it.
    Preview(Preview),
    /// Have the lists read now.
    Sync {
        /// The business folder.
        folder: PathBuf,
    },
}

#[derive(clap::Args)]
struct Preview {
    /// The business folder.
    folder: PathBuf,
    /// The template's name.
    name: String,
    /// Its language, if it has several: `en_US`.
    #[arg(long)]
    language: Option<String>,
    /// A value of the body: in order, or with the placeholder's name.
    #[arg(long, value_name = "VALUE|NAME=VALUE")]
    with: Vec<String>,
    /// The value of the header.
    #[arg(long, value_name = "VALUE")]
    header: Option<String>,
    /// A button's value; buttons are counted from 0.
    #[arg(long, value_name = "INDEX=VALUE", value_parser = button)]
    button: Vec<(u32, String)>,
}

fn button(text: &str) -> Result<(u32, String), String> {
    let (index, value) = text.split_once('=').ok_or("a button's value is written INDEX=VALUE")?;
    let index = index.parse().map_err(|_| format!("`{index}` is no number of a button"))?;
    Ok((index, value.to_owned()))
}

/// A copy, as the API shows it.
#[derive(Deserialize)]
struct Account {
    account: String,
    templates: usize,
    age_seconds: Option<u64>,
    failure: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    accounts: Vec<Account>,
    templates: Vec<Template>,
}

#[derive(Deserialize)]
struct Template {
    name: String,
    language: String,
    category: Option<String>,
    status: String,
    reason: Option<String>,
    quality: Option<String>,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let folder = match &arguments.command {
        Command::List { folder, .. } | Command::Show { folder, .. } | Command::Sync { folder } => {
            folder
        }
        Command::Preview(preview) => &preview.folder,
    };
    let admin = match Admin::of(folder, env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let done = ground::wait(async {
        match &arguments.command {
            Command::List { json, .. } => list(&admin, *json).await,
            Command::Show { name, .. } => show(&admin, name).await,
            Command::Preview(preview) => self::preview(&admin, preview).await,
            Command::Sync { .. } => sync(&admin).await,
        }
    });
    Ok(done??)
}

async fn list(admin: &Admin, json: bool) -> anyhow::Result<Exit> {
    let found: Value = admin.get("/api/v1/templates").await?;
    if json {
        out::line(serde_json::to_string_pretty(&found)?);
        return Ok(Exit::Done);
    }
    let Listed { accounts, templates } = serde_json::from_value(found)?;
    if !templates.is_empty() {
        table::lines(&templates).iter().for_each(|line| say(line));
    }
    tell(&accounts);
    Ok(Exit::Done)
}

/// Others wrote what stands in a template.
fn say(text: &str) {
    out::line(plain_text(text, usize::MAX));
}

async fn sync(admin: &Admin) -> anyhow::Result<Exit> {
    #[derive(Deserialize)]
    struct Synced {
        accounts: Vec<Account>,
    }
    let Synced { accounts } = admin.post("/api/v1/templates/sync").await?;
    tell(&accounts);
    match accounts.iter().any(|account| account.failure.is_some()) {
        true => Ok(Exit::Problems),
        false => Ok(Exit::Done),
    }
}

fn tell(accounts: &[Account]) {
    if accounts.is_empty() {
        out::line("no channel names a `business_account_id`, so no list can be read");
    }
    accounts.iter().map(table::copy).for_each(out::line);
}

async fn show(admin: &Admin, name: &str) -> anyhow::Result<Exit> {
    #[derive(Deserialize)]
    struct Found {
        templates: Vec<Value>,
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    let path = format!("/api/v1/templates?{}", query.append_pair("name", name).finish());
    let Found { templates } = admin.get(&path).await?;
    if templates.is_empty() {
        return Err(anyhow!("there is no template `{name}`: `template list` shows all"));
    }
    for template in templates {
        let head: Template = serde_json::from_value(template.clone())?;
        let form: show::Form = serde_json::from_value(template)?;
        show::lines(&head, &form).iter().for_each(|line| say(line));
    }
    Ok(Exit::Done)
}

async fn preview(admin: &Admin, asked: &Preview) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Asked<'a> {
        name: &'a str,
        language: Option<&'a str>,
        #[serde(flatten)]
        values: Values,
    }
    #[derive(Deserialize)]
    struct Shown {
        #[serde(flatten)]
        template: Template,
        text: String,
        lacks: Vec<String>,
    }
    let buttons: BTreeMap<String, String> =
        asked.button.iter().map(|(index, value)| (index.to_string(), value.clone())).collect();
    let values = Values { with: asked.with.clone(), header: asked.header.clone(), buttons };
    let body = Asked { name: &asked.name, language: asked.language.as_deref(), values };
    let shown: Shown = admin.post_json("/api/v1/templates/preview", &body).await?;
    say(&shown.text);
    out::remark(format_args!("\n{}", table::state(&shown.template)));
    shown.lacks.iter().for_each(|lack| out::remark(format_args!("not complete: {lack}")));
    match shown.lacks.is_empty() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Problems),
    }
}
