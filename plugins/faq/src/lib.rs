//! Answers questions that customers ask often.

mod matching;
mod rules;

use matching::{Found, Questions};
use rules::Rules;
use switchboard_plugin::*;

pub struct Faq {
    rules: Rules,
    questions: Questions,
}

impl Plugin for Faq {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let problems = rules.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let questions = Questions::new(rules.answer.iter().map(|answer| &answer.ask[..]));
        Ok(Self { rules, questions })
    }

    fn on_message(&self, message: Message) -> Outcome {
        if contact::in_handoff() {
            because("a person is answering");
            return Ok(Continue);
        }
        let greeted = self.greet()?;
        if let Some(index) = self.answer_to(&message) {
            let Some(answer) = self.rules.answer.get(index) else { return Ok(Continue) };
            reply(text_with_buttons(&answer.say, &answer.buttons()))?;
            return Ok(Stop);
        }
        match &self.rules.fallback {
            Some(fallback) if expects_an_answer(&message) => {
                if !greeted {
                    because("no answer matches");
                    reply(text_with_buttons(fallback, &self.rules.fallback_buttons()))?;
                }
                Ok(Stop)
            }
            _ => Ok(Continue),
        }
    }
}

impl Faq {
    /// Greets on first contact. Whether it did.
    fn greet(&self) -> Result<bool, String> {
        match &self.rules.greeting {
            Some(greeting) if contact::message_count() == 1 => {
                because("first contact");
                reply(greeting)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The answer that a tap names or that a question matches best.
    fn answer_to(&self, message: &Message) -> Option<usize> {
        if let Content::Choice(choice) = &message.content {
            let tapped = self.rules.answer.iter().position(|answer| answer.id == choice.id);
            if tapped.is_some() {
                because(format!("the tap names `{}`", choice.id));
                return tapped;
            }
        }
        let [best, next] = self.questions.find(message.words()?);
        let best = best?;
        let told = |found: &Found| {
            let answer = self.rules.answer.get(found.answer);
            format!("`{}` {} ({})", answer.map_or("", |answer| &answer.id), found.how, found.score)
        };
        match next {
            Some(next) => because(format!("{}, then {}", told(&best), told(&next))),
            None => because(told(&best)),
        }
        Some(best.answer)
    }
}

/// Whether silence would be rude: the contact has said something. A picture
/// without words, a sticker, a reaction or a location asks nothing.
fn expects_an_answer(message: &Message) -> bool {
    matches!(message.kind(), "voice" | "audio")
        || message.words().is_some_and(|words| !words.trim().is_empty())
}

export!(Faq);

#[cfg(test)]
mod tests;
