//! `switchboard plugin new`: a new plugin to start from.

use crate::{
    app::Failure,
    author::{Language, scaffold},
    cli::{Ending, Exit, out},
};
use anyhow::Context;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard plugin new bonus --lang python
  switchboard plugin new plugins/bonus --lang rust

The folder's name becomes the plugin's: small letters and digits, joined by `-`. What a language
needs is fetched by `switchboard plugin build`; rust needs cargo, typescript npm, the others
python3.";

/// Make a new plugin to start from.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The folder to make. It must not exist or be empty.
    folder: PathBuf,
    /// The language to write it in.
    #[arg(long, value_enum, visible_alias = "language")]
    lang: Language,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> Ending {
    let folder = &arguments.folder;
    let files = scaffold::write(folder, arguments.lang)
        .with_context(|| format!("could not make {}", folder.display()))
        .map_err(Failure::CannotStart)?;
    for file in files {
        out::line(folder.join(file).display());
    }
    let shown = folder.display();
    out::remark(format_args!(
        "next: switchboard plugin test {shown}\nthen: switchboard plugin dev {shown} --into \
         switchboard-demo  (while `switchboard demo` runs)"
    ));
    Ok(Exit::Done)
}
