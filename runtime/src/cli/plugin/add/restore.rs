//! `switchboard plugin add --restore`: makes the folder have what its
//! `plugins.lock` names. Overwrites nothing.

use super::{Stop, keys};
use crate::{
    cli::{Exit, out},
    config::{self, Env, Lock, Pin, PublicKey},
    model::plain,
    plugin::{self, FetchError, Origin},
};
use anyhow::Context;
use std::path::Path;

/// Every plugin is tried, whatever becomes of the others.
pub(super) async fn run(folder: &Path, env: &Env) -> Result<Exit, Stop> {
    let keys = keys(folder, None, env)?;
    let lock = Lock::read(folder)?;
    let mut exit = Exit::Done;
    for pin in lock.pins.values() {
        match one(folder, pin, &keys, env).await {
            Ok(what) => out::line(format_args!("{}: {what}", pin.file().display())),
            Err(Stop::Refused(why)) => {
                out::remark(format_args!("{}: {}", pin.file().display(), plain(&why)));
                exit = Exit::Problems;
            }
            Err(Stop::Fetch(error)) => {
                let why = plain(&error.to_string());
                out::remark(format_args!("{}: {why}", pin.file().display()));
                exit = match (exit, error.is_refusal()) {
                    (Exit::Done, false) => Exit::CannotStart,
                    (Exit::Done, true) | (Exit::Problems, _) => Exit::Problems,
                    (other, _) => other,
                };
            }
            Err(other) => return Err(other),
        }
    }
    if lock.pins.is_empty() {
        out::line(format_args!("{} names no plugin", folder.join(config::LOCK_FILE).display()));
    }
    Ok(exit)
}

async fn one(
    folder: &Path,
    pin: &Pin,
    keys: &[PublicKey],
    env: &Env,
) -> Result<&'static str, Stop> {
    let file = folder.join(pin.file());
    if file.exists() {
        let bytes =
            std::fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        return match config::digest(&bytes) == pin.digest {
            true => Ok("is there"),
            false => Err(Stop::Refused(format!(
                "is not the file that {} names, and is left as it is; remove it to fetch {} again",
                config::LOCK_FILE,
                pin.version
            ))),
        };
    }
    let origin = Origin::parse(&pin.source, folder)?;
    let origin = match &pin.manifest {
        Some(manifest) => origin.exactly(manifest),
        None => origin,
    };
    let fetched = plugin::fetch(&origin, keys, env).await?;
    if fetched.digest != pin.digest {
        return Err(Stop::Fetch(FetchError::WrongDigest {
            what: pin.source.clone(),
            expected: pin.digest.clone(),
            found: fetched.digest,
        }));
    }
    pin.place(folder, &fetched.bytes)
        .with_context(|| format!("could not write {}", file.display()))?;
    Ok("fetched")
}
