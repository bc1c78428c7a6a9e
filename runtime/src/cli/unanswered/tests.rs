//! From questions to rules.

use super::*;

fn asked(contact: &str, question: &str, at: Millis) -> Question {
    let because = vec!["no answer matches".into()];
    Question { contact: contact.into(), question: question.into(), at, because }
}

#[test]
fn what_the_most_people_ask_comes_first() {
    let report = report(vec![
        asked("c1", "Can I bring my dog?", 90),
        asked("c2", "are there gift cards", 80),
        asked("c1", "can i bring my DOG", 70),
        asked("c1", "may I bring a dog", 60),
        asked("c3", "Do you sell gift cards?", 50),
        asked("c1", "can I bring my dog", 40),
    ]);
    assert_eq!((report.questions, report.contacts, report.groups.len()), (6, 3, 2));
    let [gifts, dogs] = &report.groups[..] else { panic!("two groups") };
    assert_eq!((gifts.id.as_str(), gifts.questions, gifts.contacts), ("gift-cards", 2, 2));
    assert_eq!((dogs.questions, dogs.contacts), (4, 1));
    assert_eq!((dogs.first_asked, dogs.last_asked), (40, 90));
    // Each wording once, as it was asked last.
    let dog = dogs.wordings.iter().find(|it| it.count == 3).unwrap();
    assert_eq!((dog.text.as_str(), dogs.wordings.len()), ("Can I bring my dog?", 2));
}

#[test]
fn a_rule_is_toml_whatever_was_asked() {
    let wild = "say \"it\"\nC:\\new '''x''' \u{202E}dog\u{1b}[2J";
    let mut questions: Vec<Question> =
        (0..20).map(|n| asked("c1", &format!("dog number {n}"), n)).collect();
    questions.push(asked("c2", wild, 1));
    questions.push(asked("c2", &"é".repeat(1_000), 1));
    questions.push(asked("c2", "!?", 1));
    let rules: String =
        report(questions).groups.iter().map(|it| format!("{}\n", it.rule)).collect();
    let parsed: toml::Table = rules.parse().unwrap();
    let answers = parsed["answer"].as_array().unwrap();
    let asks = |answer: &toml::Value| -> Vec<String> {
        let asks = answer["ask"].as_array().unwrap().iter();
        asks.map(|ask| ask.as_str().unwrap().to_owned()).collect()
    };
    assert!(answers.iter().all(|answer| asks(answer).iter().all(|ask| ask.chars().count() <= 500)));
    assert!(answers.iter().all(|answer| asks(answer).len() <= 8));
    let plain = "say \"it\" C:\\new '''x''' dog\u{FFFD}[2J";
    assert!(answers.iter().any(|answer| asks(answer).contains(&plain.to_owned())), "{rules}");
    let ids: HashSet<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), answers.len());
    assert!(rules.contains("# and in 12 other ways"), "{rules}");
}
