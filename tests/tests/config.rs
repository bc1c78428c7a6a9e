//! A business folder that is wrong says what and where; one that is right
//! becomes a generation; an edit becomes the next one, or is turned away.

#[path = "config/business.rs"]
mod business;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use switchboard::{
    clock::{Clock, SimulatedClock, SystemClock},
    config::{Env, Folder, Problem},
    generation::{self, Generation, Occasion},
    model::ChannelId,
    plugin::Plugins,
    reload::{First, Reloader, Setting},
    sample::{self, SampleKind, SampleLanguage},
};
use tempfile::TempDir;

const BUSINESS: &str = "switchboard.toml";
const CHAIN: &str = "chains/default.toml";
const FAQ: &str = "rules/faq.toml";

/// One thing done to the sample.
enum Do {
    /// In a file, this for that.
    Swap(&'static str, &'static str, &'static str),
    Append(&'static str, &'static str),
    Write(&'static str, &'static [u8]),
    Remove(&'static str),
    Link(&'static str, &'static str),
    Set(&'static str, &'static str),
    Unset(&'static str),
}
use Do::*;

struct Shop {
    folder: TempDir,
    env: Env,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), SampleKind::Shop, SampleLanguage::En, None).unwrap();
        let env = Env::from([
            ("WA_PHONE_NUMBER_ID", "1060"),
            ("WA_ACCOUNT_ID", "1020"),
            ("WA_TOKEN", "EAAtoken"),
            ("WA_SECRET", "5ecret"),
            ("WA_VERIFY", "open-sesame"),
            ("HOME", "/root"),
        ]);
        Self { folder, env }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn swap(&self, file: &str, this: &str, that: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(this), "{file} has no `{this}`");
        std::fs::write(path, text.replacen(this, that, 1)).unwrap();
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn with(edits: &[Do]) -> Self {
        let mut shop = Self::new();
        for edit in edits {
            match edit {
                Swap(file, this, that) => shop.swap(file, this, that),
                Append(file, text) => {
                    let before = std::fs::read_to_string(shop.path().join(file)).unwrap();
                    shop.write(file, (before + text).as_bytes());
                }
                Write(file, bytes) => shop.write(file, bytes),
                Remove(file) => std::fs::remove_file(shop.path().join(file)).unwrap(),
                Link(file, target) => {
                    std::os::unix::fs::symlink(target, shop.path().join(file)).unwrap();
                }
                Set(name, value) => shop.env.set(name, value),
                Unset(name) => {
                    let kept = shop.env.iter().filter(|(one, _)| one != name);
                    let mut env = Env::default();
                    kept.for_each(|(name, value)| env.set(name, value));
                    shop.env = env;
                }
            }
        }
        shop
    }

    fn load(&self) -> Result<Folder, Vec<Problem>> {
        Folder::load(self.path(), &self.env)
    }

    async fn build(&self, previous: Option<&Generation>) -> Result<Generation, Vec<Problem>> {
        let plugins = Plugins::new(None, Arc::new(SystemClock)).unwrap();
        let number = previous.map_or(1, |previous| previous.number + 1);
        let occasion = previous.map_or(Occasion::Check, Occasion::Reload);
        generation::build(self.path(), &self.env, &plugins, occasion, number).await
    }
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

const SECOND_STEP: &str = r#"
[[step]]
name = "tagger"
plugin = "tagger"
"#;

/// What is done to the sample, and every line that `check` then prints.
type Case = (&'static [Do], &'static [&'static str]);

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        // Values from elsewhere.
        (&[Unset("WA_TOKEN"), Unset("WA_SECRET")],
         &["switchboard.toml:24: channel[0].access_token: the environment variable `WA_TOKEN` is not set",
           "switchboard.toml:26: channel[0].app_secret[0]: the environment variable `WA_SECRET` is not set"]),
        (&[Set("WA_SECRET", "  ")],
         &["switchboard.toml:26: channel[0].app_secret[0]: is empty"]),
        (&[Set("WA_TOKEN", "two words")],
         &["switchboard.toml:24: channel[0].access_token: has a space or a line break in it"]),
        (&[Swap(BUSINESS, "${WA_TOKEN}", "${file:/run/none/token}")],
         &["switchboard.toml:24: channel[0].access_token: the file of `${file:/run/none/token}` can't be read: no such file"]),
        (&[Swap(BUSINESS, "${WA_TOKEN}", "${WA TOKEN}")],
         &["switchboard.toml:24: channel[0].access_token: `${WA TOKEN}` names neither a variable (`${NAME}`) nor a file (`${file:/path}`)"]),
        (&[Swap(BUSINESS, "https://graph.facebook.com/v26.0", "${WA_TOKEN}")],
         &["switchboard.toml:29: channel[0].api_url: `${WA_TOKEN}` must begin with `https://`"]),
        // Overrides.
        (&[Set("SWITCHBOARD__HTTP__PUBLC", "x")],
         &["environment: SWITCHBOARD__HTTP__PUBLC: unknown key `publc`; did you mean `public`? allowed here: admin, admin_token, body_bytes, connections, public"]),
        (&[Set("SWITCHBOARD__HTTP__PUBLIC", "8080")],
         &["environment: SWITCHBOARD__HTTP__PUBLIC: is not an address: an IP address and a port are needed, such as `127.0.0.1:8080`"]),
        (&[Set("SWITCHBOARD__TURNS__PARALLEL", "many")],
         &["environment: SWITCHBOARD__TURNS__PARALLEL: is a string, and a whole number is needed"]),
        (&[Set("SWITCHBOARD__CHANNEL__3__ID", "x")],
         &["environment: SWITCHBOARD__CHANNEL__3__ID: there is no item 3: the file has 1"]),
        (&[Set("SWITCHBOARD__CHANNEL__MAIN__ID", "x")],
         &["environment: SWITCHBOARD__CHANNEL__MAIN__ID: `channel` is a list: give the item's number (from 0), not `main`"]),
        (&[Set("SWITCHBOARD__ZONE__NAME", "x")],
         &["environment: SWITCHBOARD__ZONE__NAME: `zone` has no keys of its own"]),
        // Chains.
        (&[Swap(BUSINESS, "chain = \"default\"", "chain = \"defualt\"")],
         &["switchboard.toml:18: channel[0].chain: there is no file `chains/defualt.toml`; did you mean `default`?"]),
        (&[Swap(BUSINESS, "chain = \"default\"", "chain = \"../rules/faq\"")],
         &["switchboard.toml:18: channel[0].chain: `../rules/faq` must be 1 to 64 letters, digits, `-` and `_`"]),
        (&[Swap(CHAIN, "on_error = \"reply\"", "on_error = \"skipp\"")],
         &["chains/default.toml:26: step[2].on_error: `skipp` is not one of skip, stop, reply, handoff; did you mean `skip`?"]),
        (&[Swap(CHAIN, "error_reply =", "#")],
         &["chains/default.toml:22: step[2].error_reply: is missing, and `on_error = \"reply\"` needs it"]),
        (&[Swap(CHAIN, "name = \"faq\"", "name = \"Frequent questions\"")],
         &["chains/default.toml:23: step[2].name: `Frequent questions` must be 1 to 64 small letters, digits and `-`"]),
        (&[Append(CHAIN, SECOND_STEP)],
         &["chains/default.toml:38: step[4].name: another step has this name (chains/default.toml:6): a name is used once in a business, because what a step remembers goes by it"]),
        (&[Swap(CHAIN, "plugin = \"faq\"", "plugin = \"fqa\"")],
         &["chains/default.toml:24: step[2].plugin: `fqa` is not one of the bundled plugins faq, hours, promo, tagger; did you mean `faq`? (a file of your own is named like `plugins/loyalty.wasm`)"]),
        (&[Swap(CHAIN, "plugin = \"faq\"", "plugin = \"plugins/loyalty.wasm\"")],
         &["chains/default.toml:24: step[2].plugin: `plugins/loyalty.wasm` can't be read: no such file"]),
        (&[Swap(CHAIN, "plugin = \"faq\"", "plugin = \"plugins/loyalty.exe\"")],
         &["chains/default.toml:24: step[2].plugin: `plugins/loyalty.exe` must end in `.wasm`"]),
        (&[Swap(CHAIN, "rules/faq.toml", "rules/fag.toml")],
         &["chains/default.toml:25: step[2].rules: `rules/fag.toml` can't be read: no such file; did you mean `rules/faq.toml`?"]),
        (&[Swap(CHAIN, "rules/faq.toml", "../faq.toml")],
         &["chains/default.toml:25: step[2].rules: `../faq.toml` must be a path inside the business folder, without `..`"]),
        (&[Swap(CHAIN, "rules/faq.toml", "/etc/passwd")],
         &["chains/default.toml:25: step[2].rules: `/etc/passwd` must be a path inside the business folder, without `..`"]),
        (&[Remove(FAQ), Link(FAQ, "/etc/passwd")],
         &["chains/default.toml:25: step[2].rules: `rules/faq.toml` leads out of the business folder"]),
        (&[Swap(CHAIN, "rules/faq.toml", "rules/faq.yaml"), Write("rules/faq.yaml", b"a: 1")],
         &["rules/faq.yaml: YAML is not supported: write the file as TOML, ending in `.toml`"]),
        (&[Swap(CHAIN, "broadcast = true", "braodcast = true")],
         &["chains/default.toml:10: step[0].grants.braodcast: unknown key `braodcast`; did you mean `broadcast`? allowed here: broadcast, credentials, http, media, private, send_to_others"]),
        (&[Append(CHAIN, "limits = { memory_mb = 513 }\n")],
         &["chains/default.toml:36: step[3].limits.memory_mb: `513` is not between 1 and 512"]),
        (&[Append(CHAIN, "limits = { time_ms = 0 }\n")],
         &["chains/default.toml:36: step[3].limits.time_ms: `0` is not between 1 and 10000"]),
        // The calendar.
        (&[Swap("calendar.toml", "sunday =", "sundy =")],
         &["calendar.toml:10: hours.sundy: unknown key `sundy`; did you mean `sunday`? allowed here: friday, monday, saturday, sunday, thursday, tuesday, wednesday"]),
        (&[Swap("calendar.toml", "monday = \"07:30-18:00\"", "monday = [\"7:30-12:00\", \"11:00-18:00\"]")],
         &["calendar.toml:4: hours.monday[1]: `11:00-18:00` overlaps with `07:30-12:00`"]),
        // Rules that can't be read.
        (&[Swap(FAQ, "[[answer]]", "[[answer]")],
         &["rules/faq.toml:26: can't be read as TOML: unclosed array table, expected `]`"]),
        // Several files at once.
        (&[Swap(BUSINESS, "Europe/London", "Mars"), Swap(CHAIN, "\"promo\"\nrules", "\"promoo\"\nrules"),
           Append(CHAIN, "colour = \"red\"\n"), Swap("rules/tagger.toml", "any = [", "any = ")],
         &["switchboard.toml:5: zone: `Mars` is not an IANA time zone such as `Europe/Berlin`",
           "chains/default.toml:16: step[1].plugin: `promoo` is not one of the bundled plugins faq, hours, promo, tagger; did you mean `promo`? (a file of your own is named like `plugins/loyalty.wasm`)",
           "chains/default.toml:36: step[3].colour: unknown key `colour`; allowed here: error_reply, grants, isolation, limits, name, on_error, plugin, rollout, rules",
           "rules/tagger.toml:13: can't be read as TOML: unexpected key or value, expected newline, `#`"]),
        // A wrong form hides nothing else in its file.
        (&[Swap(BUSINESS, "Europe/London", "Mars"), Swap(BUSINESS, "per_second = 80", "per_second = 8000")],
         &["switchboard.toml:5: zone: `Mars` is not an IANA time zone such as `Europe/Berlin`",
           "switchboard.toml:31: channel[0].messages_per_second: `8000` is not between 1 and 1000"]),
    ]
}

#[test]
fn each_mistake_is_named_with_its_line() {
    let (mut wrong, cases) = (Vec::new(), [business::cases(), cases()].concat());
    for (edits, expected) in cases.iter().copied() {
        let found = Shop::with(edits).load().map_or_else(|problems| lines(&problems), |_| vec![]);
        if found != expected {
            wrong.push(format!("expected {expected:#?}\nfound {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(cases.len() >= 55);
}

#[test]
fn a_folder_that_is_not_there_says_so() {
    let problems = Folder::load(Path::new("/none/such"), &Env::default()).unwrap_err();
    assert_eq!(
        lines(&problems),
        ["/none/such: there is no such folder; `switchboard init` makes one"]
    );
}

#[test]
fn values_and_overrides_come_from_the_environment() {
    let shop = Shop::with(&[
        Set("SWITCHBOARD__HTTP__PUBLIC", "0.0.0.0:9000"),
        Set("SWITCHBOARD__TURNS__PARALLEL", "7"),
        Set("SWITCHBOARD__CHANNEL__0__PHONE_NUMBER_ID", "0099"),
        Set("SWITCHBOARD__CHANNEL__0__APP_SECRET", "[\"one\", \"two\"]"),
        Set("SWITCHBOARD__CHANNEL__0__VERIFY_TOKEN", "${not expanded}"),
        Set("SWITCHBOARD__STORE__BACKEND", "memory"),
        Unset("WA_PHONE_NUMBER_ID"),
    ]);
    // A secret with a space is a mistake; this one shows that overrides are taken as they are.
    let problems = lines(&shop.load().unwrap_err());
    assert_eq!(
        problems,
        ["environment: SWITCHBOARD__CHANNEL__0__VERIFY_TOKEN: has a space or a line break in it"]
    );
    let mut shop = shop;
    shop.env.set("SWITCHBOARD__CHANNEL__0__VERIFY_TOKEN", "${as-is}");
    let business = shop.load().unwrap().business;
    let channel = &business.channels[0];
    assert_eq!(business.http.public, "0.0.0.0:9000");
    assert_eq!(business.turns.parallel, 7);
    assert_eq!(channel.phone_number_id, "0099");
    assert_eq!(channel.access_token.expose(), "EAAtoken");
    assert_eq!(channel.verify_token.expose(), "${as-is}");
    let secrets: Vec<_> = channel.app_secret.iter().map(|secret| secret.expose()).collect();
    assert_eq!(secrets, ["one", "two"]);
}

#[test]
fn rules_keep_their_dollars_and_chains_do_not() {
    let shop = Shop::with(&[
        Swap(FAQ, "say = \"We are open", "say = \"${HOME} We are open"),
        Swap(CHAIN, "error_reply = \"Sorry", "error_reply = \"${HOME} $${HOME} Sorry"),
    ]);
    let folder = shop.load().unwrap();
    let say = folder.rules[FAQ].value().pointer("/answer/0/say").unwrap();
    assert!(say.as_str().unwrap().starts_with("${HOME} We"));
    let reply = folder.chains["default"].config.steps[2].error_reply.as_deref().unwrap();
    assert!(reply.starts_with("/root ${HOME} Sorry"), "{reply}");
}

#[test]
fn rules_may_be_json() {
    let shop = Shop::with(&[
        Swap(CHAIN, "rules/faq.toml", "./rules/faq.json"),
        Write("rules/faq.json", b"{\"answer\": []}"),
    ]);
    assert!(shop.load().unwrap().rules["./rules/faq.json"].value().is_object());
}

#[test]
fn secrets_are_never_shown() {
    let secrets = ["EAAtoken", "5ecret", "open-sesame", "adm1n-key"];
    let shop = Shop::with(&[Set("SWITCHBOARD__HTTP__ADMIN_TOKEN", "adm1n-key")]);
    let folder = shop.load().unwrap();
    assert_eq!(folder.business.http.admin_token.as_ref().unwrap().expose(), "adm1n-key");
    let mut shown = format!("{folder:?} {:?}", shop.env);
    // Nor in the message of a mistake, wherever a secret was put by mistake.
    shop.swap(BUSINESS, "Europe/London", "${WA_TOKEN}");
    shop.swap(BUSINESS, "provider = \"meta\"", "provider = \"${WA_SECRET}\"");
    shown += &lines(&shop.load().unwrap_err()).join("\n");
    shop.swap(BUSINESS, "provider = \"${WA_SECRET}\"", "provider = \"meta\"");
    shown += &lines(&shop.load().unwrap_err()).join("\n");
    assert!(shown.contains("is not an IANA time zone"), "{shown}");
    for secret in secrets {
        assert!(!shown.contains(secret), "`{secret}` is in {shown}");
    }
}

#[tokio::test]
async fn the_sample_becomes_a_generation() {
    let shop = Shop::new();
    let generation = shop.build(None).await.map_err(|problems| lines(&problems)).unwrap();
    assert_eq!(lines(&generation.warnings), [""; 0]);
    let main = ChannelId::new("main");
    assert_eq!(generation.by_number["1060"], main);
    let names: Vec<&str> =
        generation.channels[&main].chain.steps.iter().map(|step| step.step.name()).collect();
    assert_eq!(names, ["tagger", "promo", "faq", "hours"]);
    assert!(generation.channels[&main].chain.steps[1].grants.broadcast);
}

#[tokio::test]
async fn rules_are_checked_by_the_plugin_even_if_other_files_are_wrong() {
    let shop = Shop::with(&[
        Swap(BUSINESS, "Europe/London", "Mars"),
        Swap(FAQ, "say = \"We are open", "sayy = \"We are open"),
    ]);
    let Err(problems) = shop.build(None).await else { panic!("the mistakes were not seen") };
    let found = lines(&problems);
    assert!(found[0].starts_with("switchboard.toml:5: zone: "), "{found:#?}");
    let unknown = "rules/faq.toml:39: answer[0].sayy: unknown key `sayy`; did you mean `say`?";
    assert!(found.iter().any(|line| line.starts_with(unknown)), "{found:#?}");
    let missing = "rules/faq.toml:26: answer[0].say: is missing, and it is needed";
    assert!(found.iter().any(|line| line == missing), "{found:#?}");
}

#[tokio::test]
async fn grants_that_differ_from_what_is_asked_for_are_warnings() {
    let shop = Shop::with(&[
        Swap(CHAIN, "grants = { broadcast = true }", ""),
        Append(CHAIN, "grants = { send_to_others = true }\n"),
        Write("chains/idle.toml", b""),
    ]);
    let generation = shop.build(None).await.map_err(|problems| lines(&problems)).unwrap();
    let found = lines(&generation.warnings);
    assert_eq!(found[0], "chains/idle.toml: no channel uses this chain");
    assert!(
        found[1].starts_with("chains/default.toml:5: step[0]: the plugin asks for `broadcast`")
    );
    assert!(found[1].ends_with("to allow it: `grants = { broadcast = true }`"), "{found:#?}");
    let idle = "chains/default.toml:36: step[3].grants.send_to_others: is granted, but the plugin \
                does not ask for it";
    assert_eq!(found[2..], [idle]);
}

#[tokio::test]
async fn a_translation_that_is_missing_is_a_warning() {
    let shop = Shop::with(&[
        Swap(FAQ, "say = \"How can we help?\"", "say = { en = \"Yes?\", zh = \"您好\" }"),
        Swap(FAQ, "say = \"Bread from 3.20", "say.en = \"Bread from 3.20"),
        Swap(FAQ, "title = \"Opening hours\" }", "title = { en = \"Hours\", de = \"Zeiten\" } }"),
    ]);
    let generation = shop.build(None).await.map_err(|problems| lines(&problems)).unwrap();
    let lacks = |place: &str, which: &str| {
        format!("rules/faq.toml:{place}: lacks {which}, in which other texts are")
    };
    let expected = [
        lacks("15: fallback_buttons[0].title", "`zh`"),
        lacks("84: answer[3].say", "`de`, `zh`"),
        lacks("159: answer[10].say", "`de`"),
    ];
    assert_eq!(lines(&generation.warnings), expected);
}

#[tokio::test]
async fn an_edit_makes_one_step_anew_and_listeners_wait_for_a_restart() {
    let shop = Shop::new();
    let first = shop.build(None).await.map_err(|problems| lines(&problems)).unwrap();
    shop.swap(FAQ, "7:30 to 18:00, Monday", "7:30 to 19:00, Monday");
    shop.swap(BUSINESS, "127.0.0.1:8080", "127.0.0.1:9999");
    let second = shop.build(Some(&first)).await.map_err(|problems| lines(&problems)).unwrap();
    let steps =
        |generation: &Generation| generation.channels[&ChannelId::new("main")].chain.steps.clone();
    let same: Vec<bool> = steps(&first)
        .iter()
        .zip(&steps(&second))
        .map(|(before, after)| Arc::ptr_eq(&before.step, &after.step))
        .collect();
    assert_eq!(same, [true, true, false, true]);
    assert_eq!(second.business.http.public, "127.0.0.1:8080");
    let warning = "switchboard.toml:7: http: the change needs a restart; until then the old values \
                   are kept";
    assert_eq!(lines(&second.warnings), [warning]);
}

#[tokio::test]
async fn the_calendar_is_live_with_the_next_generation() {
    // Sunday, 12:00 in London.
    const SUNDAY: u64 = 1_772_366_400_000;
    let shop = Shop::new();
    let first = shop.build(None).await.map_err(|problems| lines(&problems)).unwrap();
    assert!(!first.calendar.as_ref().unwrap().open_at(SUNDAY));
    shop.swap("calendar.toml", "sunday = \"closed\"", "sunday = \"11:00-13:00\"");
    let second = shop.build(Some(&first)).await.map_err(|problems| lines(&problems)).unwrap();
    assert!(second.calendar.as_ref().unwrap().open_at(SUNDAY));
    assert!(!first.calendar.unwrap().open_at(SUNDAY), "what runs keeps what it began with");
    // A list of holidays closes it again; an edit of that alone is seen too.
    let holidays = |day: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Fair\nDTSTART;VALUE=DATE:{day}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        std::fs::write(shop.path().join("holidays.ics"), text).unwrap();
    };
    holidays("20260301");
    shop.swap("calendar.toml", "[hours]", "ics = [\"holidays.ics\"]\n\n[hours]");
    let fair = shop.build(Some(&second)).await.map_err(|problems| lines(&problems)).unwrap();
    assert_eq!(fair.calendar.as_ref().unwrap().closure_at(SUNDAY), Some("Fair"));
    holidays("20260302");
    let after = shop.build(Some(&fair)).await.map_err(|problems| lines(&problems)).unwrap();
    assert!(after.calendar.as_ref().unwrap().open_at(SUNDAY));
    // What is over is odd, and no more.
    let fair = "\n[[day]]\nname = \"Fair\"\non = 2020-03-01\n\n[[day]]\nname = \"New Year\"";
    shop.swap("calendar.toml", "\n[[day]]\nname = \"New Year\"", fair);
    let past = shop.build(Some(&after)).await.map_err(|problems| lines(&problems)).unwrap();
    let told = lines(&past.warnings);
    assert!(told[0].contains("was over on 2020-03-01"), "{told:?}");
    holidays("someday");
    let refused = lines(&shop.build(Some(&past)).await.err().unwrap());
    assert!(refused[0].starts_with("holidays.ics:2: the event `Fair`"), "{refused:?}");
    std::fs::remove_file(shop.path().join("calendar.toml")).unwrap();
    let third = shop.build(Some(&second)).await.map_err(|problems| lines(&problems)).unwrap();
    assert!(third.calendar.is_none());
}

struct Running {
    shop: Shop,
    reloader: Reloader,
    /// The last generation that the hook was told of.
    swapped: Arc<AtomicU64>,
}

impl Running {
    async fn new(clock: Arc<dyn Clock>) -> Self {
        let shop = Shop::new();
        let plugins = Plugins::new(None, Arc::clone(&clock)).unwrap();
        let first = First::load(shop.path(), &shop.env, &plugins).await;
        let first = first.map_err(|problems| lines(&problems)).unwrap();
        let swapped = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&swapped);
        let setting = Setting {
            folder: shop.path().into(),
            env: shop.env.clone(),
            plugins,
            clock,
            on_swap: Box::new(move |generation| told.store(generation.number, Ordering::SeqCst)),
        };
        Self { shop, reloader: Reloader::start(setting, first), swapped }
    }

    /// Waits, with a bound that only a real failure reaches.
    async fn until(&self, what: &str, holds: impl Fn(&Reloader) -> bool) {
        for _ in 0..600 {
            if holds(&self.reloader) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain for {what}: {:?}", self.reloader.status());
    }
}

#[tokio::test]
async fn an_edit_is_taken_up_a_broken_one_is_kept_out_a_repaired_one_clears_it() {
    let running = Running::new(Arc::new(SystemClock)).await;
    running.shop.swap(BUSINESS, "messages_per_second = 80", "messages_per_second = 81");
    running.until("the edit", |reloader| reloader.current().number == 2).await;
    assert_eq!(running.swapped.load(Ordering::SeqCst), 2);
    assert_eq!(running.reloader.current().business.channels[0].messages_per_second, 81);

    running.shop.swap(BUSINESS, "messages_per_second = 81", "messages_per_second = 0");
    running.until("the problem", |reloader| !reloader.status().problems.is_empty()).await;
    let status = running.reloader.status();
    assert_eq!(
        lines(&status.problems),
        ["switchboard.toml:31: channel[0].messages_per_second: `0` is not between 1 and 1000"]
    );
    assert!(status.failed_at.is_some());
    assert_eq!((status.generation, running.reloader.current().number), (2, 2));
    assert_eq!(running.reloader.current().business.channels[0].messages_per_second, 81);

    running.shop.swap(BUSINESS, "messages_per_second = 0", "messages_per_second = 82");
    running.until("the repair", |reloader| reloader.current().number == 3).await;
    let status = running.reloader.status();
    assert!(status.problems.is_empty() && status.failed_at.is_none());
    assert_eq!(running.swapped.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_file_in_a_new_folder_is_seen() {
    let running = Running::new(Arc::new(SystemClock)).await;
    running.shop.write("more/deep/rules.toml", b"");
    running.until("the new file", |reloader| reloader.current().number == 2).await;
}

#[tokio::test]
async fn a_file_that_was_read_half_written_is_no_problem() {
    let clock = Arc::new(SimulatedClock::new(1_000_000, 1));
    let running = Running::new(clock.clone()).await;
    running.shop.swap(BUSINESS, "verify_token", "verify_tok");
    let reload = running.reloader.reload();
    tokio::pin!(reload);
    // The first look finds the mistake and waits for the clock.
    let first = tokio::time::timeout(Duration::from_millis(500), &mut reload).await;
    assert!(first.is_err(), "there was no second look: {first:?}");
    assert!(running.reloader.status().problems.is_empty());
    running.shop.swap(BUSINESS, "verify_tok", "verify_token");
    // On a slow machine the wait may begin only now: time goes on until it ends.
    let answer = loop {
        clock.advance(150);
        tokio::select! {
            answer = &mut reload => break answer,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    assert!(answer.is_ok(), "{answer:?}");
    assert!(running.reloader.status().problems.is_empty());
}

#[tokio::test]
async fn a_reload_that_is_asked_for_answers() {
    let running = Running::new(Arc::new(SystemClock)).await;
    assert_eq!(running.reloader.reload().await, Ok(2));
    // Many at once each get an answer of their own.
    let all = futures::future::join_all((0..5).map(|_| running.reloader.reload())).await;
    let numbers: BTreeSet<u64> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers, (3..8).collect());
    std::fs::remove_file(running.shop.path().join(CHAIN)).unwrap();
    let problems = running.reloader.reload().await.unwrap_err();
    let expected = "switchboard.toml:18: channel[0].chain: there is no file `chains/default.toml`";
    assert_eq!(lines(&problems), [expected]);
    let answer = serde_json::to_value(running.reloader.answer().await).unwrap();
    assert_eq!(answer["generation"], serde_json::Value::Null);
    assert_eq!(answer["problems"][0]["line"], 18);
}
