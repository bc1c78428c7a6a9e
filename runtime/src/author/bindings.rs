//! The contract as the generators of bindings read it.

use super::{BuildError, files};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_parser::{Resolve, SourceMap, TypeDefKind, WorldId};

const WORLD: &str = "plugin";

/// The parsed contract.
pub(super) struct Contract {
    pub resolve: Resolve,
    pub world: WorldId,
}

/// Added to a type's name that is taken.
const OTHER_NAME: &str = "-value";

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

    /// What a generator makes of it: files by their names. Generators may
    /// change what they read, so they are given a copy.
    pub fn generate(
        &self,
        mut generator: Box<dyn WorldGenerator>,
    ) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
        let (mut resolve, mut made) = (self.resolve.clone(), Files::default());
        generator
            .generate(&mut resolve, self.world, &mut made)
            .map_err(|error| BuildError::Contract(format!("{error:#}")))?;
        Ok(made.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_owned())).collect())
    }
}

impl Contract {
    /// The contract for languages in which a variant's cases stand beside its
    /// interface's types, as `OutgoingMedia` the case and `OutgoingMedia` the
    /// record would in Go: such types are called otherwise, which changes
    /// nothing but the source.
    pub fn with_unlike_names(&self) -> Self {
        let mut resolve = self.resolve.clone();
        let mut taken = Vec::new();
        for (_, of) in resolve.types.iter() {
            let (Some(name), TypeDefKind::Variant(variant)) = (&of.name, &of.kind) else {
                continue;
            };
            taken.extend(
                variant.cases.iter().map(|case| (of.owner, format!("{name}-{}", case.name))),
            );
        }
        for (_, of) in resolve.types.iter_mut() {
            let is_taken = |name: &&mut String| taken.contains(&(of.owner, (**name).clone()));
            if let Some(name) = of.name.as_mut().filter(is_taken) {
                name.push_str(OTHER_NAME);
            }
        }
        let named: Vec<_> = resolve.types.iter().map(|(id, of)| (id, of.name.clone())).collect();
        for (_, interface) in resolve.interfaces.iter_mut() {
            let types = interface.types.iter().map(|(name, id)| {
                let new =
                    named.iter().find(|(other, _)| other == id).and_then(|(_, new)| new.clone());
                (new.unwrap_or_else(|| name.clone()), *id)
            });
            interface.types = types.collect();
        }
        Self { resolve, world: self.world }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_a_case_is_called_like_gets_another_name() {
        let contract = Contract::read().unwrap();
        let names = |contract: &Contract| -> Vec<String> {
            let interfaces = contract.resolve.interfaces.iter();
            interfaces.flat_map(|(_, interface)| interface.types.keys().cloned()).collect()
        };
        let (before, after) = (names(&contract), names(&contract.with_unlike_names()));
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed, [(&"outgoing-media".to_owned(), &"outgoing-media-value".to_owned())]);
    }
}
