//! The components that come with the host, built by its build script. Their
//! names are `config::BUNDLED`.

/// The component of a bundled plugin.
pub fn bytes(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "faq" => include_bytes!(env!("SWITCHBOARD_PLUGIN_FAQ")),
        "hours" => include_bytes!(env!("SWITCHBOARD_PLUGIN_HOURS")),
        "promo" => include_bytes!(env!("SWITCHBOARD_PLUGIN_PROMO")),
        "tagger" => include_bytes!(env!("SWITCHBOARD_PLUGIN_TAGGER")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_has_its_component() {
        for name in crate::config::BUNDLED {
            assert!(super::bytes(name).is_some(), "{name}");
        }
    }
}
