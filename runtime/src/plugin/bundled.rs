//! The components that come with the host, built by its build script.

/// Names and bytes, in alphabetical order.
pub const BUNDLED: [(&str, &[u8]); 3] = [
    ("faq", include_bytes!(env!("SWITCHBOARD_PLUGIN_FAQ"))),
    ("promo", include_bytes!(env!("SWITCHBOARD_PLUGIN_PROMO"))),
    ("tagger", include_bytes!(env!("SWITCHBOARD_PLUGIN_TAGGER"))),
];

pub fn bytes(name: &str) -> Option<&'static [u8]> {
    BUNDLED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
