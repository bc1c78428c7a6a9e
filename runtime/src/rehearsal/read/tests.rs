//! What can be read of a chat, and how what can't is told.

use super::*;

/// The lines that can't be read, with their numbers.
fn problems(text: &str) -> Vec<String> {
    let problems = read(Path::new("a.chat"), text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_form_of_line_is_read() {
    let text = "\
# Above all chats
at 2026-12-01 10:00
customer Ann: language en, tag vip, tags a b, city Bonn, phone +49 171 1234567, wants marketing
== one
channel main
customer Ben: wants no marketing
loosely
# Ann begins.
Ann: When do you open?
  And when do you close?
bot: We are open ...

  [Where are you?]
Ann taps [Where are you?]
bot to Ben: *
Ann sends image \"my cake\"
Ann sends location 50.73, 7.10 \"Bonn\"
Ann sends order 2 lemon-cake, 1 bread
Ann sends voice
bot template weekly_offer
bot to Ben template weekly_offer: lemon | 20 March
bot image https://a.example/menu.jpg: Our menu
+90s
+2w
until 2026-12-24
delivered
read by Ben
failed 131049 to Ben
Ann has tags vip, complaint
Ann lacks tag x
Ann has language en
Ann wants no marketing
handoff
handoff of Ben: wants a ...
no handoff
no handoff of Ben
note: asks for the boss
note of Ben: x
operator resumes
operator resumes Ben
bot: nothing
bot to Ben: nothing
";
    let file = read(Path::new("a.chat"), text).unwrap();
    let [chat] = file.chats.as_slice() else { panic!("{:?}", file.chats) };
    assert_eq!((chat.title.as_str(), chat.line, chat.top), ("one", 4, 7));
    let [ann, ben] = chat.settings.customers.as_slice() else { panic!("{:?}", chat.settings) };
    assert_eq!((ann.tags.join(" "), ann.consent), ("vip a b".into(), Some(true)));
    assert_eq!(ann.phone.as_deref(), Some("491711234567"));
    assert_eq!(ann.attributes.len(), 2, "{ann:?}");
    assert_eq!((ben.name.as_str(), ben.consent), ("Ben", Some(false)));
    assert!(chat.settings.loosely && chat.settings.at.is_some());
    let spans: Vec<_> = chat.lines.iter().map(|line| (line.first, line.last)).collect();
    assert_eq!(spans.get(..3), Some(&[(9, 10), (11, 13), (14, 14)][..]));
    assert_eq!(chat.lines.len(), text.lines().count() - 8 - 3);
}

#[test]
fn what_cannot_be_read_is_said_with_its_line() {
    insta::assert_snapshot!(
        problems(
            "\
Ann: Hello
== one
==
== one
Ann says hello
bot: 
bot
bot template sale
  twenty
Ann:
at noon
channel main
+3 years
+0d
until tomorrow
failed
failed x
Ann sends a cake
Ann sends image my cake
Ann sends location here
Ann sends order bread
Ann sends image \"x
customer
customer bot
customer Ann: vip
customer Ann: phone x
Ann has
operator leaves
note
no
at 2026-12-01
  indented
"
        )
        .join("\n")
    );
}

#[test]
fn a_file_needs_a_chat_and_a_chat_its_place() {
    assert_eq!(
        problems("# none\n"),
        ["a.chat:1: there is no chat: one begins with `== its title`"]
    );
    assert_eq!(
        problems("  x\n"),
        ["a.chat:1: it is indented, but there is nothing above that it could belong to"]
    );
    assert_eq!(
        problems("== a\nAnn: hi\nat 2026-01-01\n"),
        ["a.chat:3: a setting stands above what happens in the chat"]
    );
}

#[test]
fn a_time_is_read() {
    assert_eq!(line::span("30d"), Ok(30 * 86_400_000));
    assert_eq!(line::span("2w"), Ok(14 * 86_400_000));
    for wrong in ["", "d", "30", "-1d", "0d", "9999999w", "30 days", "18446744073709551615d"] {
        assert!(line::span(wrong).unwrap_err().contains("no span such as"), "{wrong}");
    }
}
