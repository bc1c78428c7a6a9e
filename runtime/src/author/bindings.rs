//! The contract as the generators of bindings read it.

use super::{BuildError, files};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_parser::{Resolve, SourceMap, WorldId};

const WORLD: &str = "plugin";

/// The parsed contract.
pub(super) struct Contract {
    pub resolve: Resolve,
    pub world: WorldId,
}

impl Contract {
    pub fn read() -> Result<Self, BuildError> {
        let told = |error| BuildError::Contract(format!("{error:#}"));
        let mut sources = SourceMap::new();
        for (name, text) in files::WIT {
            sources.push_str(name, text);
        }
        let group = sources.parse().map_err(|(_, error)| told(error.into()))?;
        let mut resolve = Resolve::default();
        let package = resolve.push_group(group).map_err(|error| told(error.into()))?;
        let world = resolve.select_world(&[package], Some(WORLD)).map_err(told)?;
        Ok(Self { resolve, world })
    }

    /// What a generator makes of it: names and texts of files. Generators may
    /// change what they read, so they are given a copy.
    pub fn generate(
        &self,
        mut generator: Box<dyn WorldGenerator>,
    ) -> Result<Vec<(String, String)>, BuildError> {
        let (mut resolve, mut made) = (self.resolve.clone(), Files::default());
        generator
            .generate(&mut resolve, self.world, &mut made)
            .map_err(|error| BuildError::Contract(format!("{error:#}")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(made.iter().map(|(name, bytes)| (name.to_owned(), text(bytes))).collect())
    }
}
