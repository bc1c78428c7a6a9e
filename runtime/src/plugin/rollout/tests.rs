//! The phases of a roll-out.
