//! The trait a plugin implements and the macro that exports it.

use crate::{
    Broadcast, Capability, Continue, Descriptor, Event, Message, Other, Problem, Receipt, Timer,
    Verdict,
};
use serde::de::DeserializeOwned;

/// What handling an event comes to. An `Err` drops every effect of this step
/// and is shown to the owner.
pub type Outcome = Result<Verdict, String>;

/// A function from an event to effects. Memory is not state: an instance may
/// be dropped between any two calls, so keep what matters in [`kv`](crate::kv).
pub trait Plugin: Sized + 'static {
    /// What a rules file holds. The default is taken where there is none.
    type Rules: DeserializeOwned + Default;

    /// A JSON Schema (draft 2020-12) for the rules. The host checks rules
    /// against it and names the file and line of what does not fit.
    const RULES_SCHEMA: Option<&'static str> = None;
    /// The kinds of event to be called for: `message`, `receipt`, `timer`,
    /// `broadcast`, `operator`, `account`.
    const EVENTS: &'static [&'static str] = &["message"];
    /// Capabilities beyond the ordinary, each with the reason that the owner
    /// is shown: `("broadcast", "sends promotions")`, or for a host,
    /// `("http:api.example.com", "looks orders up")`.
    const WANTS: &'static [(&'static str, &'static str)] = &[];

    /// Takes the rules, or says every problem they have. The place to prepare
    /// whatever makes handling fast.
    fn new(rules: Self::Rules) -> Result<Self, Vec<Problem>>;

    fn on_message(&self, _message: Message) -> Outcome {
        Ok(Continue)
    }
    fn on_receipt(&self, _receipt: Receipt) -> Outcome {
        Ok(Continue)
    }
    /// A timer that this step set came due.
    fn on_timer(&self, _timer: Timer) -> Outcome {
        Ok(Continue)
    }
    /// This contact's turn in a broadcast that this step started.
    fn on_broadcast(&self, _broadcast: Broadcast) -> Outcome {
        Ok(Continue)
    }
    /// Whatever has no case of its own, as JSON.
    fn on_other(&self, _other: Other) -> Outcome {
        Ok(Continue)
    }

    fn handle(&self, event: Event) -> Outcome {
        match event {
            Event::Message(message) => self.on_message(message),
            Event::Receipt(receipt) => self.on_receipt(receipt),
            Event::Timer(timer) => self.on_timer(timer),
            Event::Broadcast(broadcast) => self.on_broadcast(broadcast),
            Event::Other(other) => self.on_other(other),
        }
    }
}

/// Exports a [`Plugin`] from its component. Name, version and summary are the
/// package's name, version and description.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::bindings::exports::switchboard::plugin::guest::Guest;

            std::thread_local! {
                static PLUGIN: std::cell::OnceCell<$plugin> = const { std::cell::OnceCell::new() };
            }
            struct Component;

            impl Guest for Component {
                fn describe() -> $crate::Descriptor {
                    $crate::describe::<$plugin>(
                        env!("CARGO_PKG_NAME"),
                        env!("CARGO_PKG_VERSION"),
                        env!("CARGO_PKG_DESCRIPTION"),
                    )
                }
                fn configure(rules: String) -> Result<(), Vec<$crate::Problem>> {
                    let plugin = $crate::configure::<$plugin>(&rules)?;
                    PLUGIN.with(|slot| {
                        slot.set(plugin).map_err(|_| {
                            vec![$crate::Problem::new("", "the plugin is configured already")]
                        })
                    })
                }
                fn handle(event: $crate::Event) -> $crate::Outcome {
                    PLUGIN.with(|slot| match slot.get() {
                        Some(plugin) => $crate::Plugin::handle(plugin, event),
                        None => Err("the plugin has not been configured".into()),
                    })
                }
            }

    $crate::bindings::export_world!(Component with_types_in $crate::bindings);
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(&str) -> Result<$plugin, Vec<$crate::Problem>> = $crate::configure::<$plugin>;
    };
}

/// What `describe` answers for a plugin of this package.
pub fn describe<P: Plugin>(name: &str, version: &str, summary: &str) -> Descriptor {
    let wants = P::WANTS
        .iter()
        .map(|(name, reason)| Capability { name: (*name).into(), reason: (*reason).into() });
    Descriptor {
        name: name.to_lowercase().replace('_', "-"),
        version: version.into(),
        summary: summary.into(),
        rules_schema: P::RULES_SCHEMA.map(Into::into),
        events: P::EVENTS.iter().map(|kind| (*kind).into()).collect(),
        wants: wants.collect(),
    }
}

/// Reads the rules from JSON and makes the plugin. No rules (an empty text,
/// `null` or `{}`) are the default ones.
pub fn configure<P: Plugin>(rules: &str) -> Result<P, Vec<Problem>> {
    if ["", "null", "{}"].contains(&rules.trim()) {
        return P::new(P::Rules::default());
    }
    let mut json = serde_json::Deserializer::from_str(rules);
    let rules = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = pointer(error.path());
        let message = error.into_inner().to_string();
        // The position is one in the host's JSON, which the owner never sees.
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        vec![Problem { path, message }]
    })?;
    P::new(rules)
}

/// `answer[2].say` as a JSON pointer: `/answer/2/say`.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        // The shape of a Rust enum, which is no place in the rules.
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Rules {
        answer: Vec<Answer>,
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        say: String,
    }
    struct Sayings(usize);
    impl Plugin for Sayings {
        type Rules = Rules;
        fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
            Ok(Self(rules.answer.iter().map(|answer| answer.say.len()).sum()))
        }
    }

    #[test]
    fn a_mistake_in_the_rules_is_told_with_its_place() {
        let problems = |rules| configure::<Sayings>(rules).err().unwrap();
        let [problem] = &problems(r#"{"answer": [{"say": "a"}, {"say": 7}]}"#)[..] else {
            panic!("one problem")
        };
        assert_eq!(problem.path, "/answer/1/say");
        assert_eq!(problem.message, "invalid type: integer `7`, expected a string");
        assert_eq!(problems(r#"{"anwser": []}"#)[0].path, "/anwser");
        assert_eq!(problems(r#"{"answer": [{}]}"#)[0].path, "/answer/0");
    }

    #[test]
    fn no_rules_are_the_default_ones() {
        for rules in ["", "null", " {} "] {
            assert_eq!(configure::<Sayings>(rules).unwrap().0, 0);
        }
        assert_eq!(configure::<Sayings>(r#"{"answer": [{"say": "abc"}]}"#).unwrap().0, 3);
    }

    #[test]
    fn a_descriptor_comes_from_the_package() {
        let descriptor = describe::<Sayings>("My_Sayings", "1.2.0", "Says things");
        assert_eq!(
            (descriptor.name.as_str(), &descriptor.events[..]),
            ("my-sayings", &["message".into()][..])
        );
    }
}
