//! Questions as customers write them, and what belongs together.

use super::*;

/// The groups, as the questions read; each group sorted.
fn grouped<'a>(questions: &[&'a str]) -> Vec<Vec<&'a str>> {
    let texts: Vec<Text> = questions.iter().map(|question| Text::new(question)).collect();
    let mut found: Vec<Vec<&str>> = Vec::new();
    for group in groups(&texts) {
        let mut members: Vec<usize> = group;
        members.sort_unstable();
        found.push(members.into_iter().map(|at| questions[at]).collect());
    }
    found
}

#[test]
fn what_asks_the_same_comes_together() {
    for groups in [
        vec![
            vec!["Is there a dress code?", "whats the dress code pls", "dres code"],
            vec!["Do you have gift cards?", "can I buy a gift card", "giftcards"],
            vec!["Do you have high chairs?", "I need a high chair for my baby"],
            vec!["Can I bring my dog?"],
        ],
        vec![
            vec!["¿Tienen menú para niños?", "hay menu de niños"],
            vec!["¿Puedo llevar a mi perro?", "puedo ir con mi perro"],
        ],
        vec![
            vec!["有素食吗", "你们有没有素食的菜？", "请问有素食套餐吗"],
            vec!["可以带狗吗？", "能不能带狗进来"],
            vec!["附近有停车场吗", "停车场在哪里"],
        ],
        vec![
            vec!["ベジタリアンメニューはありますか", "ベジタリアンのメニュー"],
            vec!["駐車場はありますか？", "駐車場どこですか"],
        ],
    ] {
        let questions: Vec<&str> = groups.iter().flatten().copied().collect();
        assert_eq!(grouped(&questions), groups);
        // Whoever comes first changes nothing here.
        let backwards: Vec<&str> = questions.iter().rev().copied().collect();
        let mut found = grouped(&backwards);
        found.iter_mut().for_each(|group| group.reverse());
        found.reverse();
        assert_eq!(found, groups);
    }
}

#[test]
fn how_one_asks_joins_nothing() {
    let questions = ["Do you have a terrace?", "Do you have a piano?", "Do you have it in blue?"];
    assert_eq!(grouped(&questions).len(), 3);
    // Nothing to compare by at all.
    assert_eq!(grouped(&["?!", "👍"]).len(), 2);
    assert_eq!(grouped(&[]).len(), 0);
}

#[test]
fn a_group_is_told_by_what_most_of_it_says() {
    let told = |questions: &[&str], group: &[usize]| {
        let texts: Vec<Text> = questions.iter().map(|question| Text::new(question)).collect();
        telling(&texts, group)
    };
    let questions = [
        "Is there a dress code in the evening?",
        "what is the dress code",
        "dress code 2026?",
        "你们有没有素食的菜？",
        "有素食吗",
        "can i",
    ];
    assert_eq!(told(&questions, &[0, 1, 2]), ["dress", "code"]);
    assert_eq!(told(&questions, &[3, 4]), ["素食"]);
    assert_eq!(told(&questions, &[5]), [""; 0]);
    assert_eq!(told(&["one two three four five"], &[0]).len(), 3);
}

#[test]
fn as_many_as_are_kept_are_grouped() {
    // Fifty things, each asked in a hundred ways.
    let questions: Vec<String> =
        (0..5_000).map(|n| format!("way{} of topic{0}thing{0}", n % 50,)).collect();
    let questions: Vec<String> =
        questions.iter().enumerate().map(|(n, it)| format!("{it} in w{} words", n / 50)).collect();
    let texts: Vec<Text> = questions.iter().map(|question| Text::new(question)).collect();
    let groups = groups(&texts);
    assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 5_000);
}
