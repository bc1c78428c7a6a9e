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
            let wants: &[(&str, &str)] = match how {
                "how:want" => &[("the-moon", "why not")],
                "how:more" => &[
                    ("broadcast", "to tell\u{1b}[2J of offers"),
                    ("http:offers.example:8443", "to ask for offers"),
                ],
                _ => &[],
            };
            let version = if how == "how:more" { "2.0.0" } else { "1.0.0" };
            let want = |&(name, reason): &(&str, &str)| Capability {
                name: name.into(),
                reason: reason.into(),
            };
            Descriptor {
                name: name.into(),
                version: version.into(),
                summary: String::new(),
                rules_schema: (how == "how:json").then(|| "{".into()),
                events: vec![kind.into()],
                wants: wants.iter().map(want).collect(),
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
