//! A business folder in a temporary place.

use std::path::{Path, PathBuf};
use switchboard::config::{ChannelConfig, ProviderKind};

pub const SECRET: &str = "test-app-secret";
pub const VERIFY: &str = "test-verify-token";
pub const TOKEN: &str = "test-access-token";
pub const NUMBER_ID: &str = "1060";
const TALKER: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_TALKER"));

/// Answers `hours` questions, tags complaints, knows opt-out words.
pub struct Shop {
    pub folder: PathBuf,
    _keep: tempfile::TempDir,
}

impl Shop {
    /// With the channel `main` that sends to `api_url`, on free ports.
    pub fn new(api_url: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let shop = Self { folder: keep.path().join("shop"), _keep: keep };
        shop.write("switchboard.toml", &switchboard_toml(api_url, &[("main", NUMBER_ID)], ""));
        shop.write("chains/default.toml", CHAIN);
        shop.write("rules/faq.toml", FAQ);
        shop.write("rules/tagger.toml", TAGGER);
        shop.write("rules/promo.toml", PROMO);
        shop
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Puts the talker before the plugins that answer any text.
    pub fn add_talker(&self) {
        std::fs::create_dir_all(self.path("plugins")).unwrap();
        std::fs::write(self.path("plugins/talker.wasm"), TALKER).unwrap();
        let step = "[[step]]\nname = \"talker\"\nplugin = \"plugins/talker.wasm\"\n\
                    grants = { media = true }\nlimits = { http_ms = 20000 }\n\n";
        let tagger = "[[step]]\nname = \"tagger\"";
        let chain = CHAIN.replacen(tagger, &format!("{step}{tagger}"), 1);
        self.write("chains/default.toml", &chain);
    }

    /// Changes a file as a careful editor does: whole, by renaming.
    pub fn replace(&self, file: &str, text: &str) {
        let new = self.path(&format!("{file}.new~"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(file)).unwrap();
    }
}

/// `extra` is put before the channels.
pub fn switchboard_toml(api_url: &str, channels: &[(&str, &str)], extra: &str) -> String {
    let mut text = format!(
        "{extra}\n[http]\npublic = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n[store]\nreserve_mb = 16\n"
    );
    for (id, number) in channels {
        text += &format!(
            "\n[[channel]]\nid = \"{id}\"\nprovider = \"meta\"\nphone_number_id = \"{number}\"\n\
             access_token = \"{TOKEN}\"\napp_secret = [\"{SECRET}\"]\nverify_token = \"{VERIFY}\"\n\
             api_url = \"{api_url}\"\nmessages_per_second = 1000\ngrace_seconds = 3\n"
        );
    }
    text
}

/// The channel `main` for tests that need no folder; its secret is `SECRET`.
pub fn channel(api_url: &str) -> ChannelConfig {
    ChannelConfig {
        phone_number_id: NUMBER_ID.into(),
        access_token: TOKEN.into(),
        app_secret: vec![SECRET.into()],
        verify_token: VERIFY.into(),
        api_url: api_url.into(),
        ..ChannelConfig::new("main", ProviderKind::Meta)
    }
}

/// A path as text for a command line.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub const CHAIN: &str = r#"
[[step]]
name = "promo"
plugin = "promo"
rules = "rules/promo.toml"
grants = { broadcast = true }

[[step]]
name = "tagger"
plugin = "tagger"
rules = "rules/tagger.toml"
grants = { broadcast = true }

[[step]]
name = "faq"
plugin = "faq"
rules = "rules/faq.toml"
"#;

pub const FAQ: &str = r#"
fallback = "Sorry, I did not understand."

[[answer]]
id = "hours"
ask = ["What are your opening hours?", "When do you open?", "营业时间是什么时候"]
say = "We are open 9 to 18."

[[answer]]
id = "parking"
ask = ["Where can I park?", "parking"]
say = "There is a car park behind the shop."
"#;

pub const TAGGER: &str = r#"
[[tag]]
name = "complaint"
any = ["complain", "terrible", "投诉"]
"#;

pub const PROMO: &str = r#"
opt_out = ["stop"]
opt_out_reply = "You will get no more offers."
"#;
