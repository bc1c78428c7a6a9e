//! `switchboard campaign`: what became of promotions, and whether they go on.

mod words;

use super::{Ending, Exit, admin::Admin, ground, out};
use crate::{config::Env, model::plain_text};
use serde_json::Value;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard campaign dry-run my-shop spring
  switchboard campaign list my-shop
  switchboard campaign show my-shop spring
  switchboard campaign members my-shop spring --state failed
  switchboard campaign pause my-shop spring
  switchboard campaign resume my-shop spring
  switchboard campaign stop my-shop spring
  switchboard campaign resend my-shop spring

Asks the running `serve`. While a campaign is paused nothing of it leaves; `resume` lets it go on. What
is stopped stays so: nobody further gets it.";

/// Look at campaigns before and while they run, pause them or stop them.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Tell of one that is planned who would get it, and what it would cost.
    DryRun {
        /// The business folder.
        folder: PathBuf,
        /// What its step has planned it as: a promotion's id.
        name: String,
        /// Its channel, if several have planned one of this name.
        #[arg(long)]
        channel: Option<String>,
        /// Its step, if several have planned one of this name.
        #[arg(long)]
        step: Option<String>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show all of them, the newest first.
    List {
        /// The business folder.
        folder: PathBuf,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show how many it has reached, left out, and who got it.
    Show {
        #[command(flatten)]
        which: Which,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show its members one by one, with where each stands and why.
    Members {
        #[command(flatten)]
        which: Which,
        /// Only those: left-out, waiting, queued, refused, failed, accepted, sent, delivered or
        /// read.
        #[arg(long)]
        state: Option<String>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Let nothing more of it leave for now.
    Pause {
        #[command(flatten)]
        which: Which,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Let a paused one go on.
    Resume {
        #[command(flatten)]
        which: Which,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// End it: nobody further gets it.
    Stop {
        #[command(flatten)]
        which: Which,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Try again for those whose message has failed for a reason that may pass.
    Resend {
        #[command(flatten)]
        which: Which,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct Which {
    /// The business folder.
    folder: PathBuf,
    /// The campaign's id, as `campaign list` shows it.
    id: String,
    /// Its channel, if several have a campaign of this id.
    #[arg(long)]
    channel: Option<String>,
    /// The step that began it, if several have a campaign of this id.
    #[arg(long)]
    step: Option<String>,
}

impl Which {
    /// `rest` begins with a slash, if there is any.
    fn path(&self, rest: &str, more: &[(&str, &str)]) -> String {
        path(&self.id, rest, (&self.channel, &self.step), more)
    }
}

fn path(
    id: &str,
    rest: &str,
    (channel, step): (&Option<String>, &Option<String>),
    more: &[(&str, &str)],
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(channel.iter().map(|channel| ("channel", channel)));
    query.extend_pairs(step.iter().map(|step| ("step", step)));
    query.extend_pairs(more);
    // A plus would be one in a path.
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/api/v1/campaigns/{}{rest}?{}", id.replace('+', "%20"), query.finish())
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let folder = match &arguments.command {
        Command::List { folder, .. } => folder,
        Command::DryRun { folder, .. } => folder,
        Command::Show { which, .. }
        | Command::Members { which, .. }
        | Command::Pause { which, .. }
        | Command::Resume { which, .. }
        | Command::Stop { which, .. }
        | Command::Resend { which, .. } => &which.folder,
    };
    let admin = match Admin::of(folder, env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    ground::wait(async {
        match &arguments.command {
            Command::DryRun { name, channel, step, json, .. } => {
                let path = path(name, "/dry-run", (channel, step), &[]);
                tell(&admin.ask_long(&path).await?, *json, words::dry_run)?;
            }
            Command::List { json, .. } => {
                let found: Value = admin.get("/api/v1/campaigns?limit=500").await?;
                tell(&found, *json, words::list)?;
            }
            Command::Show { which, json } => {
                let found: Value = admin.get(&which.path("", &[])).await?;
                tell(&found, *json, words::show)?;
            }
            Command::Members { which, state, json } => {
                members(&admin, which, state.as_deref(), *json).await?;
            }
            Command::Pause { which, json } => act(&admin, which, "/pause", *json).await?,
            Command::Resume { which, json } => act(&admin, which, "/resume", *json).await?,
            Command::Stop { which, json } => act(&admin, which, "/stop", *json).await?,
            Command::Resend { which, json } => act(&admin, which, "/resend", *json).await?,
        }
        anyhow::Ok(())
    })??;
    Ok(Exit::Done)
}

fn tell(found: &Value, json: bool, words: impl Fn(&Value) -> Vec<String>) -> anyhow::Result<()> {
    match json {
        true => out::line(serde_json::to_string_pretty(found)?),
        // Plugins wrote the reasons.
        false => words(found).iter().for_each(|line| out::line(plain_text(line, usize::MAX))),
    }
    Ok(())
}

/// In JSON a page is a line.
async fn members(
    admin: &Admin,
    which: &Which,
    state: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let mut more = vec![("limit", "500")];
        more.extend(state.map(|state| ("state", state)));
        more.extend(after.as_deref().map(|after| ("after", after)));
        let page: Value = admin.get(&which.path("/members", &more)).await?;
        match json {
            true => out::line(&page),
            false => tell(&page, false, words::members)?,
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

async fn act(admin: &Admin, which: &Which, how: &str, json: bool) -> anyhow::Result<()> {
    let done: Value = admin.post_json(&which.path(how, &[]), &()).await?;
    tell(&done, json, words::done)
}
