//! What a component's bytes say before anything of it runs: its sections,
//! sizes, imports and exports, and who made it. Must not compile or run it.

use super::{
    compiled,
    load::{LoadError, Source, check_form},
    world,
};
use serde::Serialize;
use wasmparser::{
    ComponentExternalKind, Encoding, KnownCustom, Parser, Payload, ProducersSectionReader,
};

/// The custom section in which a component carries its cases.
pub const CASES: &str = "switchboard:cases";
/// Names of one section that are kept: a component may hold any number.
const NAMES: usize = 1_000;

/// What a component is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Anatomy {
    pub sha256: String,
    pub sizes: Sizes,
    pub imports: Vec<Import>,
    pub exports: Vec<String>,
    /// The version of the contract that it exports: `0.1.0`.
    pub contract: Option<String>,
    /// `language: Rust`, `processed-by: rustc 1.95`.
    pub producers: Vec<Producer>,
    /// The cases it carries, packed.
    #[serde(skip)]
    pub cases: Option<Vec<u8>>,
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    pub component: usize,
    pub core_modules: usize,
    /// Core modules in it, of all nested components.
    pub modules: usize,
    /// Data segments, of all modules.
    pub data: usize,
    pub custom_sections: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    pub name: String,
    /// Whether this host has it for plugins.
    pub given: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Producer {
    pub field: String,
    pub name: String,
    pub version: String,
}

/// Reads a component as far as it can be read. What is wrong is the second
/// part.
pub async fn anatomy(source: &Source) -> Result<(Anatomy, Option<LoadError>), LoadError> {
    let bytes = source.read().await?;
    let name = source.to_string();
    let mut found = Anatomy {
        sha256: hex::encode(compiled::hash(&bytes)),
        sizes: Sizes { component: bytes.len(), ..Sizes::default() },
        ..Anatomy::default()
    };
    let refused = check_form(&bytes, &name).err().or_else(|| {
        let wrong = found.read(&bytes).err()?;
        Some(LoadError::Invalid { name, reason: wrong.to_string() })
    });
    Ok((found, refused))
}

/// The packed cases of a component that is known to be well formed.
pub(super) fn cases(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            // Only its own: a plugin may hold another one's component.
            Payload::CustomSection(section) if depth == 0 && section.name() == CASES => {
                return Some(section.data().to_vec());
            }
            _ => {}
        }
    }
    None
}

impl Anatomy {
    fn read(&mut self, bytes: &[u8]) -> wasmparser::Result<()> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { unchecked_range, .. } => {
                    self.sizes.modules += 1;
                    self.sizes.core_modules += unchecked_range.len();
                    depth += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::DataSection(section) => self.sizes.data += section.range().len(),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        self.import(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export?;
                        if export.kind == ComponentExternalKind::Instance {
                            self.export(export.name.name);
                        }
                    }
                }
                Payload::CustomSection(section) => {
                    self.sizes.custom_sections += section.data().len();
                    match section.as_known() {
                        KnownCustom::Producers(producers) => self.producers(producers)?,
                        _ if depth == 0 && section.name() == CASES => {
                            self.cases = Some(section.data().to_vec());
                        }
                        _ => {}
                    }
                }
                // The version says that it is a component, as the form did.
                Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => {}
                _ => {}
            }
        }
        Ok(())
    }

    fn import(&mut self, name: &str) {
        if self.imports.len() < NAMES {
            let given = world::check_import(name, "").is_ok();
            self.imports.push(Import { name: name.into(), given });
        }
    }

    fn export(&mut self, name: &str) {
        if let Some(version) = world::contract(name) {
            self.contract.get_or_insert_with(|| version.into());
        }
        if self.exports.len() < NAMES {
            self.exports.push(name.into());
        }
    }

    fn producers(&mut self, section: ProducersSectionReader<'_>) -> wasmparser::Result<()> {
        for field in section {
            let field = field?;
            for value in field.values {
                let value = value?;
                let producer = Producer {
                    field: field.name.into(),
                    name: value.name.into(),
                    version: value.version.into(),
                };
                if self.producers.len() < NAMES && !self.producers.contains(&producer) {
                    self.producers.push(producer);
                }
            }
        }
        Ok(())
    }
}
