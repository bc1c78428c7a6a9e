use switchboard_plugin::*;

#[derive(serde::Deserialize, Default)]
struct Rules {
    ask: String,
}
struct Loyalty(text::Text);

impl Plugin for Loyalty {
    type Rules = Rules;
    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        Ok(Self(text::Text::new(&rules.ask)))
    }
    fn on_message(&self, message: Message) -> Outcome {
        if !text::Text::new(message.words().unwrap_or_default()).contains(&self.0) {
            return Ok(Continue);
        }
        reply(format!("You have {} points.", 10 * contact::message_count()))?;
        Ok(Stop)
    }
}
export!(Loyalty);
