//! `switchboard init`: a new business folder from a sample.

use super::{Ending, Exit, out};
use crate::{
    app::Failure,
    sample::{self, SampleKind, SampleLanguage},
};
use anyhow::Context;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard init my-shop
  switchboard init my-shop --sample restaurant --language zh
  switchboard check my-shop";

/// Make a new business folder to start from.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder to make. It must not exist or be empty.
    folder: PathBuf,
    /// Which sample to begin with.
    #[arg(long, value_enum, default_value_t = SampleKind::Shop)]
    sample: SampleKind,
    /// The language of its texts.
    #[arg(long, value_enum, default_value_t = SampleLanguage::En)]
    language: SampleLanguage,
}

pub(super) fn run(arguments: &Arguments) -> Ending {
    let folder = &arguments.folder;
    let files = sample::write(folder, arguments.sample, arguments.language, None)
        .with_context(|| format!("could not make the business folder {}", folder.display()))
        .map_err(Failure::CannotStart)?;
    let name = folder.display();
    let variables = sample::VARIABLES.join(", ");
    out::line(format_args!("Made {name} with {} files:", files.len()));
    for file in files {
        out::line(format_args!("  {}", file.display()));
    }
    out::line(format_args!(
        "
Next:
  1. Read {name}/README.md: what each file is for.
  2. Set the environment variables that switchboard.toml explains: {variables}.
  3. switchboard check {name}
  4. switchboard serve {name}

To try it without WhatsApp: switchboard demo"
    ));
    Ok(Exit::Done)
}
