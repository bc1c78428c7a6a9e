//! What is wrong with rules that fit the schema.

use crate::rules::{Answer, Rules};
use std::collections::HashSet;
use switchboard_plugin::{Problem, template::Template, text::Text};

/// The kinds of media that can stand above buttons, and have a caption.
pub const WITH_TEXT: [&str; 3] = ["image", "video", "document"];

pub fn problems(rules: &Rules) -> Vec<Problem> {
    let mut problems = Vec::new();
    answers(rules, &mut problems);
    texts(rules, &mut problems);
    languages(rules, &mut problems);
    let mut lacks = |given: bool, key: &str, message: &str| {
        if given {
            problems.push(Problem::new(key, message));
        }
    };
    lacks(
        rules.greeting.is_none() && rules.greeting_after_days.is_some(),
        "/greeting_after_days",
        "says when to greet again: set `greeting`",
    );
    let silent = rules.fallback.is_none();
    lacks(
        silent && !rules.fallback_buttons.is_empty(),
        "/fallback_buttons",
        "buttons need the text above them: set `fallback`",
    );
    lacks(
        silent && rules.handoff_after.is_some(),
        "/handoff_after",
        "without `fallback` the next step has its turn, and nothing counts as a miss: set `fallback`",
    );
    lacks(
        silent && rules.fallback_when.is_some(),
        "/fallback_when",
        "says when the fallback is sent: set `fallback`",
    );
    lacks(
        rules.handoff_say.is_some() && rules.handoff_after.is_none(),
        "/handoff_say",
        "is said when a person takes over: set `handoff_after`",
    );
    lacks(
        rules.did_you_mean.is_some() && rules.answer.iter().all(|answer| answer.title.is_none()),
        "/did_you_mean",
        "no answer has a `title`, so there is nothing to offer",
    );
    for (at, synonym) in rules.synonym.iter().enumerate() {
        for (word, text) in synonym.words.iter().enumerate() {
            if Text::new(text).is_empty() {
                let path = format!("/synonym/{at}/words/{word}");
                problems.push(Problem::new(path, "needs at least one letter or digit"));
            }
        }
    }
    problems
}

fn answers(rules: &Rules, problems: &mut Vec<Problem>) {
    let mut ids = HashSet::new();
    for (at, answer) in rules.answer.iter().enumerate() {
        let mut push = |key: &str, message: String| {
            problems.push(Problem::new(format!("/answer/{at}/{key}"), message));
        };
        if !ids.insert(answer.id.as_str()) {
            push("id", format!("another answer has the id `{}`", answer.id));
        }
        for (line, id) in answer.follow_up.iter().enumerate() {
            if *id == answer.id {
                push(&format!("follow_up/{line}"), "an answer does not follow itself".into());
            } else if rules.position(id).is_none() {
                push(&format!("follow_up/{line}"), format!("no answer has the id `{id}`"));
            }
        }
        for (key, message) in form(answer) {
            push(key, message.into());
        }
    }
}

/// What does not go together in one message.
fn form(answer: &Answer) -> Vec<(&'static str, &'static str)> {
    let mut wrong = Vec::new();
    let tappable = !answer.buttons.is_empty() || answer.list.is_some();
    if !answer.buttons.is_empty() && answer.list.is_some() {
        wrong.push(("list", "a message has `buttons` or a `list`, not both"));
    }
    if answer.footer.is_some() && !tappable {
        wrong.push(("footer", "a footer stands under buttons or a list: set one, or leave it out"));
    }
    if let Some(media) = &answer.media {
        let sources = [&media.link, &media.id, &media.file];
        if sources.iter().filter(|source| source.is_some()).count() != 1 {
            wrong.push(("media", "needs one of `link`, `id` and `file`"));
        }
        if media.filename.is_some() && media.kind != "document" {
            wrong.push(("media/filename", "only a `document` has one"));
        }
    }
    wrong
}

fn texts(rules: &Rules, problems: &mut Vec<Problem>) {
    for (place, said) in rules.texts() {
        for (beneath, text) in said.texts() {
            let wrong = Template::of_values(text).err();
            problems.extend(wrong.map(|why| Problem::new(format!("{place}{beneath}"), why)));
        }
    }
    for (place, label) in rules.labels() {
        for (beneath, text) in label.texts() {
            let wrong = match Template::of_values(text) {
                Ok(text) if text.fill(|_| None).trim().is_empty() => Some(
                    "must not be empty where a value is missing: say what to take instead, as in \
                     `{name|friend}`"
                        .into(),
                ),
                read => read.err(),
            };
            problems.extend(wrong.map(|why| Problem::new(format!("{place}{beneath}"), why)));
        }
    }
}

/// Each text that differs by language has one for everybody else.
fn languages(rules: &Rules, problems: &mut Vec<Problem>) {
    let texts = rules.texts().into_iter().map(|(place, said)| (place, said.languages()));
    let labels = rules.labels().into_iter().map(|(place, label)| (place, label.languages()));
    for (place, languages) in texts.chain(labels).filter(|(_, languages)| !languages.is_empty()) {
        match &rules.language {
            None => {
                let message = "texts differ by language, so say which is for everybody else: \
                               `language = \"en\"` at the top";
                return problems.push(Problem::new(place, message));
            }
            Some(default) if !languages.contains(&default.as_str()) => {
                let message = format!(
                    "has {} and lacks `{default}`, which is for everybody else (`language`)",
                    languages.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ")
                );
                problems.push(Problem::new(place, message));
            }
            Some(_) => {}
        }
    }
}
