//! Cases: an event, a contact and rules in a folder, with what a plugin is
//! expected to make of them. Owns their form, running one on the real plugin
//! host, and saying how the outcome differs. Must not know of chains,
//! channels or files outside the case.
