//! Core modules made into components, and what a component carries along.

use super::{BuildError, Language, bindings::Contract};
use crate::cases;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wasm_encoder::{Component, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// Of a component without sections: the magic number and the version.
const PREAMBLE: usize = 8;

/// The component with its cases added, as the custom section
/// `switchboard:cases`.
pub fn embed(component: &[u8], cases_json: &[u8]) -> Vec<u8> {
    let mut section = Component::new();
    section.section(&CustomSection { name: cases::SECTION.into(), data: cases_json.into() });
    let section = section.finish();
    [component, section.get(PREAMBLE..).unwrap_or_default()].concat()
}

/// A module with the contract that it was built against added, for those whose
/// bindings do not.
pub(super) fn with_contract(
    mut module: Vec<u8>,
    contract: &Contract,
    language: Language,
) -> Result<Vec<u8>, BuildError> {
    let (resolve, world) = (&contract.resolve, contract.world);
    match embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8) {
        Ok(()) => Ok(module),
        Err(error) => Err(BuildError::NotAPlugin { language, reason: format!("{error:#}") }),
    }
}

/// The component of a module that was built for WASI preview 1.
pub(super) fn from_module(module: &[u8], language: Language) -> Result<Vec<u8>, BuildError> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.adapter(ADAPTER_NAME, ADAPTER))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::NotAPlugin { language, reason: format!("{error:#}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_can_be_read_back() {
        let empty = Component::new().finish();
        let with = embed(&empty, br#"[{"name": "a"}]"#);
        let mut found = Vec::new();
        for part in wasmparser::Parser::new(0).parse_all(&with) {
            if let wasmparser::Payload::CustomSection(section) = part.unwrap() {
                found.push((section.name().to_owned(), section.data().to_vec()));
            }
        }
        assert_eq!(found, [(cases::SECTION.to_owned(), br#"[{"name": "a"}]"#.to_vec())]);
    }
}
