//! Describes itself badly. How is in a text among its bytes, so that one
//! build serves several tests: they write another word over it.

#[cfg(target_arch = "wasm32")]
mod component {
    use std::hint::black_box;
    use switchboard_plugin::{bindings::exports::switchboard::plugin::guest::Guest, *};

    static HOW: &str = "how:loop";

    struct Speechless;

    impl Guest for Speechless {
        fn describe() -> Descriptor {
            let how = black_box(HOW);
            if how == "how:loop" {
                loop {
                    black_box(how);
                }
            }
            let name = if how == "how:name" { "No Name" } else { "speechless" };
            let kind = if how == "how:kind" { "dreams" } else { "message" };
            let want = (how == "how:want")
                .then(|| Capability { name: "the-moon".into(), reason: "why not".into() });
            Descriptor {
                name: name.into(),
                version: "1.0.0".into(),
                summary: String::new(),
                rules_schema: (how == "how:json").then(|| "{".into()),
                events: vec![kind.into()],
                wants: want.into_iter().collect(),
            }
        }
        fn configure(_: String) -> Result<(), Vec<Problem>> {
            Ok(())
        }
        fn handle(_: Event) -> Outcome {
            Ok(Continue)
        }
    }

    switchboard_plugin::bindings::export_world!(Speechless with_types_in switchboard_plugin::bindings);
}
