//! Answers questions that customers ask often.

mod answer;
mod asked;
mod check;
mod language;
// For the example that measures it.
#[doc(hidden)]
pub mod matching;
mod misses;
mod rules;
mod said;

use asked::Asked;
use language::Languages;
use matching::{Ask, CLOSE, Found, How, PERHAPS, Questions, THRESHOLD};
use misses::Misses;
use rules::{Answer, Line, Rules, When};
use said::{Language, Said};
use std::collections::HashSet;
use switchboard_plugin::*;

pub struct Faq {
    rules: Rules,
    questions: Questions,
    languages: Languages,
    /// The answers that are open to questions only right after another.
    follow_ups: HashSet<usize>,
}

/// How often the fallback is said in a row within an hour.
const FALLBACK_AT_MOST: u32 = 3;
const FOLLOW_UP_MINUTES: u32 = 30;
const DAY_MS: Instant = 24 * 3_600_000;

impl Plugin for Faq {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let mut problems = check::problems(&rules);
        match questions(&rules) {
            Ok(questions) if problems.is_empty() => {
                let languages = Languages::new(&rules);
                let follow_ups = rules.answer.iter().flat_map(|answer| &answer.follow_up);
                let follow_ups = follow_ups.filter_map(|id| rules.position(id)).collect();
                Ok(Self { rules, questions, languages, follow_ups })
            }
            Ok(_) => Err(problems),
            Err(wrong) => {
                problems.extend(wrong);
                Err(problems)
            }
        }
    }

    fn on_message(&self, message: Message) -> Outcome {
        if contact::in_handoff() {
            because("a person is answering");
            return Ok(Continue);
        }
        let (language, how) = self.languages.choose(message.words());
        if let Some(how) = how {
            because(format!("in `{}`, {how}", language.tag));
        }
        let greeted = self.greet(&language)?;
        match self.seek(&message) {
            Sought::Answer(answer) => self.give(answer, &language),
            Sought::Alike(answers) => self.offer(&answers, &language),
            Sought::Nothing => self.miss(&message, greeted, &language),
        }
    }
}

/// What a message comes to.
enum Sought<'a> {
    Answer(&'a Answer),
    /// Two or three that it may be about, or one that it is not surely about.
    Alike(Vec<&'a Answer>),
    Nothing,
}

impl Faq {
    /// Greets on first contact and after a long silence. Whether it did.
    fn greet(&self, language: &Language) -> Result<bool, String> {
        let Some(greeting) = &self.rules.greeting else { return Ok(false) };
        let silence = || contact::last_seen().map(|last| business::now().saturating_sub(last));
        let long = |days: u32| silence() >= Some(Instant::from(days) * DAY_MS);
        because(match self.rules.greeting_after_days {
            _ if contact::message_count() == 1 => "first contact",
            Some(days) if long(days) => "after a long silence",
            _ => return Ok(false),
        });
        reply(greeting.to(language))?;
        Ok(true)
    }

    /// The answer that a tap names, else what a question is about: first
    /// among the answers that follow up on the last one.
    fn seek(&self, message: &Message) -> Sought<'_> {
        if let Content::Choice(choice) = &message.content {
            match self.rules.answer.iter().find(|answer| answer.id == choice.id) {
                Some(answer) if answer.holds() => {
                    because(format!("the tap names `{}`", choice.id));
                    return Sought::Answer(answer);
                }
                // Its title may ask for another answer.
                Some(_) => because(format!("the tap names `{}`, which is not for now", choice.id)),
                None => {}
            }
        }
        let Some(words) = message.words() else { return Sought::Nothing };
        let last = misses::topic().and_then(|id| self.rules.position(&id));
        if let Some(last) = last.and_then(|last| self.rules.answer.get(last)) {
            let follows = |id: &str| last.follow_up.iter().any(|it| it == id);
            let found = self.find(words, &|_, answer| follows(&answer.id));
            if let Some(best) = found.first().filter(|best| best.score >= self.threshold()) {
                because(format!("right after `{}`: {}", last.id, self.told(best)));
                return self.rules.answer.get(best.answer).map_or(Sought::Nothing, Sought::Answer);
            }
        }
        self.settle(&self.find(words, &|at, _| !self.follow_ups.contains(&at)))
    }

    fn find(&self, words: &str, may: &dyn Fn(usize, &Answer) -> bool) -> Vec<Found> {
        let may = |at: usize| {
            let answer = self.rules.answer.get(at);
            answer.is_some_and(|answer| may(at, answer) && answer.holds())
        };
        self.questions.find(words, &may)
    }

    /// One of what was found, or those among which the contact may choose.
    fn settle(&self, found: &[Found]) -> Sought<'_> {
        let Some(best) = found.first() else { return Sought::Nothing };
        match found.get(1) {
            Some(next) => because(format!("{}, then {}", self.told(best), self.told(next))),
            None => because(self.told(best)),
        }
        let answer = |found: &Found| self.rules.answer.get(found.answer);
        let sure = best.score >= self.threshold();
        if self.rules.did_you_mean.is_some() && best.score < 1.0 {
            let from = if sure { best.score - CLOSE } else { PERHAPS.min(self.threshold()) };
            let near = |it: &&Found| it.score >= from;
            let titled = |answer: &&Answer| answer.title.is_some();
            let near: Vec<&Answer> =
                found.iter().filter(near).filter_map(answer).filter(titled).collect();
            if near.len() >= if sure { 2 } else { 1 } {
                return Sought::Alike(near);
            }
        }
        match answer(best).filter(|_| sure) {
            Some(answer) => Sought::Answer(answer),
            None => {
                because(format!("less sure than {} is no answer", self.threshold()));
                Sought::Nothing
            }
        }
    }

    fn threshold(&self) -> f32 {
        self.rules.threshold.unwrap_or(THRESHOLD)
    }

    fn told(&self, found: &Found) -> String {
        let id = self.rules.answer.get(found.answer).map_or("", |answer| &answer.id);
        format!("`{id}` {} ({:.2})", found.how, found.score)
    }

    fn give(&self, answer: &Answer, language: &Language) -> Outcome {
        for message in answer.messages(language) {
            reply(message)?;
        }
        for name in &answer.tags {
            tag(name)?;
        }
        if let Some(reason) = &answer.handoff {
            handoff(reason)?;
        }
        misses::forget()?;
        let minutes = self.rules.follow_up_minutes.unwrap_or(FOLLOW_UP_MINUTES);
        let leads = !answer.follow_up.is_empty();
        misses::set_topic(leads.then_some(answer.id.as_str()), minutes)?;
        Ok(if answer.stop { Stop } else { Continue })
    }

    /// Asks which of some answers is meant.
    fn offer(&self, answers: &[&Answer], language: &Language) -> Outcome {
        let Some(question) = &self.rules.did_you_mean else { return Ok(Continue) };
        because("they are too much alike to choose");
        let choice = |answer: &&Answer| {
            let title = answer.title.as_ref()?.to(language);
            Some(Choice { id: answer.id.clone(), title })
        };
        let choices: Vec<Choice> = answers.iter().filter_map(choice).collect();
        reply(text_with_buttons(&question.to(language), &choices))?;
        Ok(Stop)
    }

    fn miss(&self, message: &Message, greeted: bool, language: &Language) -> Outcome {
        let asked = Asked::by(message);
        match asked {
            Asked::Nothing => return Ok(Continue),
            Asked::Courtesy if !greeted => {
                because("it asks nothing");
                return Ok(Continue);
            }
            Asked::Courtesy | Asked::Question | Asked::Greeting | Asked::Sound => {}
        }
        let question = message.words().filter(|_| asked == Asked::Question);
        let Some(fallback) = self.fallback() else {
            keep(question)?;
            return Ok(Continue);
        };
        if greeted && matches!(asked, Asked::Greeting | Asked::Courtesy) {
            because("the greeting answers it");
            return Ok(Stop);
        }
        let mut misses = Misses::load();
        if asked != Asked::Greeting {
            because("no answer matches");
            misses.in_a_row += 1;
            if self.rules.handoff_after.is_some_and(|after| misses.in_a_row >= after) {
                keep(question)?;
                return self.hand_off(misses.in_a_row, language);
            }
        }
        let at_most = self.rules.fallback_at_most.unwrap_or(FALLBACK_AT_MOST);
        if misses.may_say(at_most) {
            keep(question)?;
            let sound = self.rules.cannot_hear.as_ref().filter(|_| asked == Asked::Sound);
            let text = sound.unwrap_or(fallback).to(language);
            reply(answer::with_buttons(text, &self.rules.fallback_buttons, language))?;
        } else {
            because(format!("the fallback was said {at_most} times within the hour"));
        }
        misses.keep()?;
        Ok(Stop)
    }

    /// What is said now to whoever is not understood.
    fn fallback(&self) -> Option<&Said> {
        let fallback = self.rules.fallback.as_ref()?;
        let holds = self.rules.fallback_when.as_ref().is_none_or(When::holds);
        if !holds {
            because("the fallback is not for now, or not for this contact");
        }
        holds.then_some(fallback)
    }

    fn hand_off(&self, misses: u32, language: &Language) -> Outcome {
        // Before the handoff: after it, a person answers.
        if let Some(said) = &self.rules.handoff_say {
            reply(said.to(language))?;
        }
        misses::forget()?;
        handoff(&format!("{misses} messages in a row that no answer fits"))?;
        Ok(Stop)
    }
}

/// Keeps a question for the owner, as far as the host takes it.
fn keep(question: Option<&str>) -> Result<(), String> {
    const BYTES: usize = 1_000;
    match question.map(str::trim).filter(|words| !text::Text::new(words).is_empty()) {
        Some(words) => {
            let end = words.floor_char_boundary(BYTES);
            unanswered(words.get(..end).unwrap_or(words))
        }
        None => Ok(()),
    }
}

/// What is asked, from the rules' lines. Error: the lines that cannot be.
fn questions(rules: &Rules) -> Result<Questions, Vec<Problem>> {
    fn ask(line: &Line) -> Ask<'_> {
        let (text, how) = match line {
            Line::Learned(text) => (text, How::Learned),
            Line::Exact { exact } => (exact, How::Exact),
            Line::Prefix { prefix } => (prefix, How::Prefix),
            Line::Regex { regex } => (regex, How::Regex),
        };
        Ask { text, how }
    }
    let asks: Vec<Vec<Ask<'_>>> =
        rules.answer.iter().map(|answer| answer.ask.iter().map(ask).collect()).collect();
    let synonyms: Vec<Vec<String>> = rules.synonym.iter().map(|it| it.words.clone()).collect();
    Questions::new(&asks, &synonyms).map_err(|problems| {
        let problem = |(answer, line, message): (usize, usize, String)| {
            Problem::new(format!("/answer/{answer}/ask/{line}"), message)
        };
        problems.into_iter().map(problem).collect()
    })
}

export!(Faq);

#[cfg(test)]
mod tests;
