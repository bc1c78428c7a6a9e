//! `switchboard plugin add`: fetches a plugin, shows what it is and wants,
//! puts it into the folder and pins it. Grants nothing: that is the owner's.

mod restore;
mod told;

use crate::{
    app::Failure,
    cli::{Ending, Exit, ground, out},
    config::{self, Env, LOCK_FILE, Lock, Pin, Problem, PublicKey},
    model::plain,
    plugin::{self, Descriptor, FetchError, Fetched, Origin, Plugins, Source},
};
use anyhow::Context;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard plugin add oci://ghcr.io/acme/loyalty:1.4 --to my-shop
  switchboard plugin add https://acme.example/loyalty-1.5.wasm --to my-shop --update
  switchboard plugin add --restore --to my-shop

Writes plugins/NAME.wasm and pins its bytes in plugins.lock, which belongs into git; the .wasm file
need not, because --restore fetches it again. With `[plugins] keys` in switchboard.toml, or --key,
only what one of those keys has signed is taken: in a registry cosign's signature, beside a file or
an address its `.sig`. Logins for registries are those of docker's config.json.
Exit code 0 when it is there, 1 if it was turned away, 3 if it could not be had.";

/// Fetch a plugin into a business folder and pin it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// `oci://registry/repository:tag`, `https://…/x.wasm`, or a file.
    #[arg(required_unless_present = "restore")]
    source: Option<String>,
    /// The business folder.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// What to call it there; the plugin's own name if it is not given.
    #[arg(long)]
    name: Option<String>,
    /// What the component must be: `sha256:…`.
    #[arg(long)]
    digest: Option<String>,
    /// The public key that must have signed it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Replace the plugin of this name.
    #[arg(long)]
    update: bool,
    /// Fetch everything that plugins.lock names and that is not there.
    #[arg(long, conflicts_with_all = ["source", "name", "digest", "key", "update"])]
    restore: bool,
}

/// Why nothing was added.
enum Stop {
    /// It was had, and turned away.
    Refused(String),
    Fetch(FetchError),
    Failed(anyhow::Error),
    Problems(Vec<Problem>),
}

impl From<FetchError> for Stop {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Vec<Problem>> for Stop {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let done = ground::wait(async {
        match &arguments.source {
            Some(source) => add(arguments, source, env).await.map(|()| Exit::Done),
            None => restore::run(&arguments.to, env).await,
        }
    });
    match done? {
        Ok(exit) => Ok(exit),
        Err(Stop::Refused(why)) => {
            out::remark(format_args!("not added: {}", plain(&why)));
            Ok(Exit::Problems)
        }
        Err(Stop::Fetch(error)) if error.is_refusal() => {
            out::remark(format_args!("not added: {}", plain(&error.to_string())));
            Ok(Exit::Problems)
        }
        Err(Stop::Fetch(error)) => {
            Err(Failure::CannotStart(anyhow::anyhow!(plain(&error.to_string()))))
        }
        Err(Stop::Failed(error)) => Err(Failure::CannotStart(error)),
        Err(Stop::Problems(problems)) => Ok(out::problems(&problems)),
    }
}

async fn add(arguments: &Arguments, source: &str, env: &Env) -> Result<(), Stop> {
    let folder = &arguments.to;
    let trusted = keys(folder, arguments.key.as_deref(), env)?;
    let mut lock = Lock::read(folder)?;
    if let Some(expected) = &arguments.digest
        && !config::is_digest(expected)
    {
        return Err(Stop::Refused(format!(
            "--digest `{expected}` is not `sha256:` and 64 small hexadecimal digits"
        )));
    }
    if let Some(name) = &arguments.name {
        check_name(name)?;
    }
    // A path is meant from where the command is given.
    let origin = Origin::parse(source, Path::new(""))?;
    let fetched = plugin::fetch(&origin, &trusted, env).await?;
    if let Some(expected) = arguments.digest.as_ref().filter(|it| **it != fetched.digest) {
        let (what, expected, found) = (source.into(), expected.clone(), fetched.digest);
        return Err(FetchError::WrongDigest { what, expected, found }.into());
    }
    let plugins = ground::plugins()?;
    let name = || plain(source);
    let component = Source::Fetched { name: name(), bytes: fetched.bytes.as_slice().into() };
    let loaded = plugins.load(&component).await.map_err(|why| Stop::Refused(why.to_string()))?;
    let descriptor = loaded.descriptor();
    let pin = Pin {
        name: arguments.name.clone().unwrap_or_else(|| descriptor.name.clone()),
        source: told::source(&origin, source, folder),
        version: descriptor.version.clone(),
        digest: fetched.digest.clone(),
        manifest: fetched.manifest.clone(),
        signed_by: fetched.signed_by.clone(),
    };
    let before = before(&plugins, folder, &pin, lock.pins.get(&pin.name)).await;
    if before.is_some() && !arguments.update {
        return Err(Stop::Refused(format!(
            "{} is there already; `--update` replaces it, `--name` gives this one another name",
            pin.file().display()
        )));
    }
    put(folder, &mut lock, &pin, &fetched)?;
    told::added(folder, &pin, descriptor, before.as_ref());
    Ok(())
}

/// The keys of which one must have signed. Error also where a key is named
/// that the folder would not take.
fn keys(folder: &Path, named: Option<&Path>, env: &Env) -> Result<Vec<PublicKey>, Stop> {
    let trust = config::load_trust(folder, env)?;
    let mut keys = Vec::new();
    for file in &trust.keys {
        let key = PublicKey::read(&folder.join(file));
        keys.push(key.map_err(|why| Stop::Refused(format!("`plugins.keys`: `{file}` {why}")))?);
    }
    let Some(file) = named else { return Ok(keys) };
    let refused = |why: String| Stop::Refused(format!("--key {} {why}", file.display()));
    let key = PublicKey::read(file).map_err(refused)?;
    if !keys.is_empty() && !keys.contains(&key) {
        return Err(refused("is not one of the folder's `plugins.keys`".into()));
    }
    Ok(vec![key])
}

fn check_name(name: &str) -> Result<(), Stop> {
    if config::is_plugin_name(name) {
        return Ok(());
    }
    Err(Stop::Refused(format!("--name `{name}` is no plugin's name: {}", config::PLUGIN_NAME)))
}

/// What is there under the name of the new one.
struct Before {
    version: String,
    /// None if it can't be asked.
    descriptor: Option<Descriptor>,
}

async fn before(
    plugins: &Plugins,
    folder: &Path,
    pin: &Pin,
    locked: Option<&Pin>,
) -> Option<Before> {
    let file = folder.join(pin.file());
    if !file.exists() {
        // It was fetched once: what it was is known.
        return locked.map(|pin| Before { version: pin.version.clone(), descriptor: None });
    }
    let loaded = plugins.load(&Source::File(file)).await.ok();
    let descriptor = loaded.map(|plugin| plugin.descriptor().clone());
    let version = match (&descriptor, locked) {
        (Some(descriptor), _) => descriptor.version.clone(),
        (None, Some(pin)) => pin.version.clone(),
        (None, None) => "of unknown version".into(),
    };
    Some(Before { version, descriptor })
}

/// The file first: what is in the lock is meant to be there.
fn put(folder: &Path, lock: &mut Lock, pin: &Pin, fetched: &Fetched) -> anyhow::Result<()> {
    pin.place(folder, &fetched.bytes)
        .with_context(|| format!("could not write {}", folder.join(pin.file()).display()))?;
    lock.pins.insert(pin.name.clone(), pin.clone());
    lock.write(folder)
        .with_context(|| format!("could not write {}", folder.join(LOCK_FILE).display()))
}
