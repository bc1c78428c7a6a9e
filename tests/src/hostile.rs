//! Plugins that mean harm, as one list for the test and for the table, and a
//! real server to let them loose in while innocent contacts write.

mod cases;
mod made;
mod siege;

pub use cases::cases;
pub use made::{MADE, Made};
pub use siege::{Innocents, SERVED, SORRY, Siege, Strike};

/// One hostile thing.
pub struct Case {
    pub name: &'static str,
    pub component: Vec<u8>,
    /// Its rules file.
    pub rules: String,
    /// What its step has in `limits` and `grants`.
    pub limits: &'static str,
    pub grants: &'static str,
    /// Bytes that its file is longer than the component.
    pub zeros: u64,
    /// What the contact writes to it.
    pub text: &'static str,
    pub meets: Meets,
}

/// How it ends. The words are part of what the owner reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// It never goes live: a problem with these words; what was live goes on.
    Refusal(&'static str),
    /// Its turn fails with these words, and `on_error` is done.
    Failure(&'static str),
    /// Its excess is refused, and the turn goes on to the next step. Its
    /// reasons, or its log, have these words.
    Bounded(&'static str),
}
