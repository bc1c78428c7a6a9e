//! The command `switchboard`.

fn main() {}
