//! Answers a greeting.

use switchboard_plugin::*;

/// What the owner may write.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rules {
    ask: String,
    say: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self { ask: "hello".into(), say: "Hello! What can I do for you?".into() }
    }
}

struct Greeter(Rules);

impl Plugin for Greeter {
    type Rules = Rules;

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let empty = |path, text: &str| {
            text.is_empty().then(|| Problem::new(path, "must be a text that is not empty"))
        };
        let problems: Vec<_> =
            [empty("/ask", &rules.ask), empty("/say", &rules.say)].into_iter().flatten().collect();
        if problems.is_empty() { Ok(Self(rules)) } else { Err(problems) }
    }

    fn on_message(&self, message: Message) -> Outcome {
        let words = message.words().unwrap_or_default().to_lowercase();
        if !words.contains(&self.0.ask.to_lowercase()) {
            return Ok(Continue);
        }
        reply(self.0.say.as_str())?;
        because(format!("`{}` was said", self.0.ask));
        Ok(Stop)
    }
}

export!(Greeter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets() {
        let greeter = testing::configure::<Greeter>("{}").unwrap();
        let mut stage = testing::Stage::default();
        assert_eq!(
            stage.says(&greeter, "hello!").replies(),
            ["Hello! What can I do for you?"]
        );
        assert_eq!(stage.says(&greeter, "bread?").verdict, Ok(Continue));
    }
}
