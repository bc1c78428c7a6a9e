//! Sample businesses to begin with, as files within the program.

use std::{
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

/// Which sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SampleKind {
    /// A corner bakery: opening hours, orders, complaints, a promotion.
    Shop,
}

/// Made-up values for a business that talks to a WhatsApp on this machine.
#[derive(Clone, Debug)]
pub struct Demo {
    pub phone_number_id: String,
    pub business_account_id: String,
    pub access_token: String,
    pub app_secret: String,
    pub verify_token: String,
    /// Where the local WhatsApp answers.
    pub api_url: String,
    pub public: std::net::SocketAddr,
    pub admin: std::net::SocketAddr,
}

/// The environment variables that a sample not for the demo reads.
pub const VARIABLES: [&str; 5] =
    ["WA_PHONE_NUMBER_ID", "WA_ACCOUNT_ID", "WA_TOKEN", "WA_SECRET", "WA_VERIFY"];

const BUSINESS: &str = "switchboard.toml";
const DEFAULT_API_URL: &str = "https://graph.facebook.com/v26.0";
const DEFAULT_PUBLIC: &str = "\"127.0.0.1:8080\"";
const DEFAULT_ADMIN: &str = "\"127.0.0.1:8081\"";

const SHOP: [(&str, &str); 11] = [
    (BUSINESS, include_str!("sample/shop/switchboard.toml")),
    ("calendar.toml", include_str!("sample/shop/calendar.toml")),
    ("chains/default.toml", include_str!("sample/shop/chains/default.toml")),
    ("rules/faq.toml", include_str!("sample/shop/rules/faq.toml")),
    ("rules/hours.toml", include_str!("sample/shop/rules/hours.toml")),
    ("rules/promo.toml", include_str!("sample/shop/rules/promo.toml")),
    ("rules/tagger.toml", include_str!("sample/shop/rules/tagger.toml")),
    ("chats/questions.chat", include_str!("sample/shop/chats/questions.chat")),
    ("chats/promotions.chat", include_str!("sample/shop/chats/promotions.chat")),
    ("README.md", include_str!("sample/shop/README.md")),
    (".gitignore", include_str!("sample/shop/gitignore")),
];

/// Writes a sample into `folder`, which is made if need be: with `demo`'s
/// values or, without, with `${WA_TOKEN}` and so on. Returns the files,
/// relative to it. Error: it
/// is a file, holds something already, or can't be written.
pub fn write(folder: &Path, kind: SampleKind, demo: Option<&Demo>) -> Result<Vec<PathBuf>> {
    let files = match kind {
        SampleKind::Shop => SHOP,
    };
    if folder.is_file() {
        let message = "there is a file of this name: choose another";
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        let message = "it is not empty, and nothing is overwritten: choose a new folder";
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match (name, demo) {
            (BUSINESS, Some(demo)) => std::fs::write(&path, for_demo(text, demo))?,
            _ => std::fs::write(&path, text)?,
        }
        written.push(PathBuf::from(name));
    }
    Ok(written)
}

fn for_demo(text: &str, demo: &Demo) -> String {
    text.replace("${WA_PHONE_NUMBER_ID}", &demo.phone_number_id)
        .replace("${WA_ACCOUNT_ID}", &demo.business_account_id)
        .replace("${WA_TOKEN}", &demo.access_token)
        .replace("${WA_SECRET}", &demo.app_secret)
        .replace("${WA_VERIFY}", &demo.verify_token)
        .replace(DEFAULT_API_URL, &demo.api_url)
        .replace(DEFAULT_PUBLIC, &format!("\"{}\"", demo.public))
        .replace(DEFAULT_ADMIN, &format!("\"{}\"", demo.admin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, Folder};

    #[test]
    fn the_sample_is_in_order_with_its_variables_set() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("shop");
        let files = write(&folder, SampleKind::Shop, None).unwrap();
        assert!(files.iter().all(|file| folder.join(file).is_file()));
        let mut env = Env::default();
        for name in VARIABLES {
            env.set(name, "value");
        }
        let shop = Folder::load(&folder, &env).unwrap();
        assert_eq!(shop.warnings, []);
        // Each variable is needed: none is named in vain.
        assert_eq!(Folder::load(&folder, &Env::default()).unwrap_err().len(), VARIABLES.len());
        assert!(write(&folder, SampleKind::Shop, None).is_err());
    }

    #[test]
    fn the_demo_needs_no_variables_and_stays_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo {
            phone_number_id: "1060".into(),
            business_account_id: "1020".into(),
            access_token: "token".into(),
            app_secret: "secret".into(),
            verify_token: "verify".into(),
            api_url: "http://127.0.0.1:9002/v26.0".into(),
            public: "127.0.0.1:9000".parse().unwrap(),
            admin: "127.0.0.1:9001".parse().unwrap(),
        };
        write(folder.path(), SampleKind::Shop, Some(&demo)).unwrap();
        let business = Folder::load(folder.path(), &Env::default()).unwrap().business;
        let channel = business.channels.first().unwrap();
        assert_eq!(channel.api_url, "http://127.0.0.1:9002/v26.0");
        assert_eq!(channel.phone_number_id, "1060");
        assert_eq!(channel.app_secret.first().unwrap().expose(), "secret");
        assert_eq!(business.http.public, "127.0.0.1:9000");
        assert_eq!(business.http.admin, "127.0.0.1:9001");
    }
}
