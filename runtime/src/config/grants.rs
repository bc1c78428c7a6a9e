//! What the owner allows a step beyond the ordinary, as it is written. What
//! the hosts in it mean is read in `plugin`, which sends the requests.

use super::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the owner allows a step beyond the ordinary.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Start sends to whole segments.
    pub broadcast: bool,
    /// Write to contacts other than the one of the turn.
    pub send_to_others: bool,
    /// Read the files that the contact of the turn has sent.
    pub media: bool,
    /// Hosts that the step may send HTTP requests to:
    /// `[scheme://]host[:port]`, over https where nothing else is written.
    /// Each request looks through all of them.
    #[schemars(length(max = 50))]
    pub http: Vec<String>,
    /// By an entry of `http`, what the host adds to requests there; the plugin
    /// never sees it.
    pub credentials: BTreeMap<String, Secret>,
    /// Addresses of a private network, or of this machine, that names in
    /// `http` may lead to.
    #[schemars(length(max = 50))]
    pub private: Vec<String>,
}

impl Grants {
    /// By the names that a descriptor's `wants` uses. None: no such
    /// capability, or one that is not a yes or no (`http:…`).
    pub fn allows(&self, capability: &str) -> Option<bool> {
        self.all().into_iter().find(|(name, _, _)| *name == capability).map(|(_, _, yes)| yes)
    }

    /// Every capability that is a yes or no: its name, its key in `grants`,
    /// whether it is granted.
    pub fn all(&self) -> [(&'static str, &'static str, bool); 3] {
        [
            ("broadcast", "broadcast", self.broadcast),
            ("send-to-others", "send_to_others", self.send_to_others),
            ("media", "media", self.media),
        ]
    }
}
