//! What the folder gives back and what it does not.
