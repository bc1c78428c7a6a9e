//! Channels of several providers in one business: what each needs, what is
//! wrong with them, and what becomes of those that are right.

use std::sync::Arc;
use switchboard::{
    clock::SystemClock,
    config::{Env, Folder, Problem},
    generation::{self, Occasion},
    model::ChannelId,
    plugin::Plugins,
    sample::{self, SampleKind, SampleLanguage, VARIABLES},
};
use tempfile::TempDir;

/// The sample, which has a channel of Meta's and 31 lines.
struct Shop {
    folder: TempDir,
    env: Env,
}

impl Shop {
    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), SampleKind::Shop, SampleLanguage::En, None).unwrap();
        let path = folder.path().join("switchboard.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 31);
        std::fs::write(path, text + more).unwrap();
        let mut env = Env::default();
        VARIABLES.iter().for_each(|name| env.set(name, "value"));
        Self { folder, env }
    }

    fn problems(&self) -> Vec<String> {
        let found = Folder::load(self.folder.path(), &self.env).map(|_| ());
        lines(&found.err().unwrap_or_default())
    }
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

const TWILIO: &str = r#"
[[channel]]
id = "second"
provider = "twilio"
account_sid = "AC0123456789abcdef0123456789abcdef"
auth_token = ["token"]
number = "+15550001111"
public_url = "https://bot.example.com"
"#;

#[rustfmt::skip]
fn cases() -> Vec<(String, &'static [&'static str])> {
    let swapped = |this: &str, that: &str| {
        assert!(TWILIO.contains(this));
        TWILIO.replace(this, that)
    };
    vec![
        // A key of the other provider.
        ("number = \"+15550001111\"\n".into(),
         &["switchboard.toml:32: channel[0].number: is for `provider = \"twilio\"`, and this one is `meta`, whose own keys are phone_number_id, business_account_id, access_token, app_secret, verify_token"]),
        (TWILIO.to_owned() + "verify_token = \"x\"\n",
         &["switchboard.toml:40: channel[1].verify_token: is for `provider = \"meta\"`, and this one is `twilio`, whose own keys are account_sid, auth_token, api_key, api_secret, number, messaging_service_sid, templates"]),
        // What is missing.
        ("\n[[channel]]\nid = \"second\"\nprovider = \"twilio\"\napi_key = \"x\"\n".into(),
         &["switchboard.toml:33: channel[1].account_sid: is missing, and `provider = \"twilio\"` needs it",
           "switchboard.toml:33: channel[1].auth_token: is missing, and `provider = \"twilio\"` needs it",
           "switchboard.toml:33: channel[1].api_secret: is missing, and `api_key` needs it",
           "switchboard.toml:33: channel[1].public_url: is missing, and `provider = \"twilio\"` needs it",
           "switchboard.toml:33: channel[1].number: is missing, and `provider = \"twilio\"` needs it or `messaging_service_sid`",
           "switchboard.toml:36: channel[1].api_key: `x` must be `SK` and 32 hexadecimal digits"]),
        ("\n[[channel]]\nid = \"second\"\nprovider = \"meta\"\n".into(),
         &["switchboard.toml:33: channel[1].phone_number_id: is missing, and `provider = \"meta\"` needs it",
           "switchboard.toml:33: channel[1].access_token: is missing, and `provider = \"meta\"` needs it",
           "switchboard.toml:33: channel[1].app_secret: is missing, and `provider = \"meta\"` needs it",
           "switchboard.toml:33: channel[1].verify_token: is missing, and `provider = \"meta\"` needs it"]),
        (swapped("number = \"+15550001111\"", "messaging_service_sid = \"MG0123456789abcdef0123456789abcdef\""), &[]),
        // What has the wrong form.
        (TWILIO.to_owned() + "templates = { sale = \"MG1\", \"a/b\" = \"HX\" }\n",
         &["switchboard.toml:40: channel[1].templates.\"a/b\": `HX` must be `HX` and 32 hexadecimal digits",
           "switchboard.toml:40: channel[1].templates.sale: `MG1` must be `HX` and 32 hexadecimal digits"]),
        (TWILIO.to_owned() + "templates = { a = { sid = \"HX\", category = \"utility\" } }\n",
         &["switchboard.toml:40: channel[1].templates.a.sid: `HX` must be `HX` and 32 hexadecimal digits"]),
        (TWILIO.to_owned() + "templates = { a = { sid = \"HX0123456789abcdef0123456789abcdef\", category = \"sale\" } }\n",
         &["switchboard.toml:40: channel[1].templates.a.category: `sale` is not one of marketing, utility, authentication"]),
        (TWILIO.to_owned() + "templates = { a = { category = \"utility\", kind = 1 } }\n",
         &["switchboard.toml:40: channel[1].templates.a.kind: unknown key `kind`; allowed here: category, sid", "switchboard.toml:40: channel[1].templates.a.sid: is missing, and it is needed"]),
        (swapped("[\"token\"]", "[\"token\", \"a b\"]"),
         &["switchboard.toml:37: channel[1].auth_token[1]: has a space or a line break in it"]),
        (swapped("[\"token\"]", "[]"), &["switchboard.toml:37: channel[1].auth_token: is empty"]),
        (swapped("+15550001111", "15550001111"),
         &["switchboard.toml:38: channel[1].number: `15550001111` must be `+` and 7 to 15 digits with the country code, such as `+15550001111`"]),
        (swapped("https://bot", "http://bot"),
         &["switchboard.toml:39: channel[1].public_url: `http://bot.example.com` must begin with `https://`: `http://` is for this machine alone"]),
        (swapped("https://bot.example.com", "http://127.0.0.1:9000"), &[]),
        // Two channels of one number.
        (TWILIO.to_owned() + &swapped("second", "third"),
         &["switchboard.toml:46: channel[2].number: is the same as that of channel[1]"]),
    ]
}

#[test]
fn each_mistake_is_named_with_its_line() {
    for (more, expected) in cases() {
        assert_eq!(Shop::with(&more).problems(), expected, "{more}");
    }
}

#[test]
fn tokens_are_never_shown() {
    let mut shop = Shop::with(&TWILIO.replace("[\"token\"]", "[\"${TOKEN}\"]"));
    shop.env.set("TOKEN", "s3cret token");
    let shown = format!("{:?} {:?}", shop.problems(), Folder::load(shop.folder.path(), &shop.env));
    assert!(shown.contains("has a space") && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn channels_of_both_providers_stand_side_by_side() {
    let sid = "HX0123456789abcdef0123456789abcdef";
    let shop = Shop::with(&format!("{TWILIO}templates = {{ sale = \"{sid}\" }}\n"));
    let plugins = Plugins::new(None, Arc::new(SystemClock)).unwrap();
    let folder = shop.folder.path();
    let built = generation::build(folder, &shop.env, &plugins, Occasion::Start, 1).await;
    let generation = built.map_err(|problems| lines(&problems)).unwrap();
    assert_eq!(generation.by_number["value"], ChannelId::new("main"));
    assert_eq!(generation.by_number["+15550001111"], ChannelId::new("second"));
    let taken = |id: &str| generation.channels[&ChannelId::new(id)].provider.taken().body;
    assert_eq!((taken("main"), taken("second")), ("", "<Response/>"));
    let bases: Vec<_> = generation.business.channels.iter().map(|one| one.api_base()).collect();
    assert_eq!(bases, ["https://graph.facebook.com/v26.0", "https://api.twilio.com"]);
}
