//! Sample businesses to begin with, as files within the program.

use std::{
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

/// Which sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SampleKind {
    /// A bakery: opening hours, orders, complaints, promotions.
    Shop,
    /// A restaurant: tables, the menu, take-away, promotions.
    Restaurant,
    /// A hotel: rooms, arrival, breakfast, requests, promotions.
    Hotel,
}

/// The language of its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SampleLanguage {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
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
const CHAIN: &str = "chains/default.toml";
const README: &str = "README.md";
const DEFAULT_API_URL: &str = "https://graph.facebook.com/v26.0";
const DEFAULT_PUBLIC: &str = "\"127.0.0.1:8080\"";
const DEFAULT_ADMIN: &str = "\"127.0.0.1:8081\"";

/// A business; `business` and `zone` stand in the texts that all share.
struct Sample {
    kind: SampleKind,
    language: SampleLanguage,
    business: &'static str,
    zone: &'static str,
    files: [(&'static str, &'static str); 11],
}

/// The files of a sample's own, of the same names in each.
macro_rules! own {
    ($folder:literal) => {
        own!($folder: "README.md", "calendar.toml", "rules/faq.toml", "rules/hours.toml",
            "rules/promo.toml", "rules/tagger.toml", "chats/questions.chat",
            "chats/requests.chat", "chats/hours.chat", "chats/labels.chat",
            "chats/promotions.chat")
    };
    ($folder:literal: $($file:literal),+) => {
        [$(($file, include_str!(concat!("sample/", $folder, "/", $file)))),+]
    };
}

const SAMPLES: [Sample; 6] = [
    Sample {
        kind: SampleKind::Shop,
        language: SampleLanguage::En,
        business: "Corner Bakery",
        zone: "Europe/London",
        files: own!("shop/en"),
    },
    Sample {
        kind: SampleKind::Shop,
        language: SampleLanguage::Zh,
        business: "街角面包店",
        zone: "Asia/Singapore",
        files: own!("shop/zh"),
    },
    Sample {
        kind: SampleKind::Restaurant,
        language: SampleLanguage::En,
        business: "Harbour Kitchen",
        zone: "Europe/London",
        files: own!("restaurant/en"),
    },
    Sample {
        kind: SampleKind::Restaurant,
        language: SampleLanguage::Zh,
        business: "海港小馆",
        zone: "Asia/Singapore",
        files: own!("restaurant/zh"),
    },
    Sample {
        kind: SampleKind::Hotel,
        language: SampleLanguage::En,
        business: "Lakeside Hotel",
        zone: "Europe/London",
        files: own!("hotel/en"),
    },
    Sample {
        kind: SampleKind::Hotel,
        language: SampleLanguage::Zh,
        business: "湖畔酒店",
        zone: "Asia/Singapore",
        files: own!("hotel/zh"),
    },
];

/// What all samples of a language share.
const fn common(language: SampleLanguage) -> [(&'static str, &'static str); 4] {
    const IGNORED: (&str, &str) = (".gitignore", include_str!("sample/common/gitignore"));
    match language {
        SampleLanguage::En => [
            (BUSINESS, include_str!("sample/common/en/switchboard.toml")),
            (CHAIN, include_str!("sample/common/en/chain.toml")),
            (README, include_str!("sample/common/en/README.md")),
            IGNORED,
        ],
        SampleLanguage::Zh => [
            (BUSINESS, include_str!("sample/common/zh/switchboard.toml")),
            (CHAIN, include_str!("sample/common/zh/chain.toml")),
            (README, include_str!("sample/common/zh/README.md")),
            IGNORED,
        ],
    }
}

impl Sample {
    /// Each file once. What is shared of one stands below what is its own.
    fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = self.files.map(|(name, text)| (name, text.to_owned())).to_vec();
        for (name, text) in common(self.language) {
            let text = text.replace("{business}", self.business).replace("{zone}", self.zone);
            match files.iter_mut().find(|(own, _)| *own == name) {
                Some((_, own)) => *own = format!("{own}\n{text}"),
                None => files.push((name, text)),
            }
        }
        files
    }
}

/// Writes a sample into `folder`, which is made if need be: with `demo`'s
/// values or, without, with `${WA_TOKEN}` and so on. Returns the files,
/// relative to it. Error: it is a file, holds something already, or can't be
/// written.
pub fn write(
    folder: &Path,
    kind: SampleKind,
    language: SampleLanguage,
    demo: Option<&Demo>,
) -> Result<Vec<PathBuf>> {
    let mut samples = SAMPLES.iter();
    let Some(sample) = samples.find(|it| it.kind == kind && it.language == language) else {
        let message = format!("there is no sample {kind:?} in {language:?}");
        return Err(Error::new(ErrorKind::NotFound, message));
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
    for (name, text) in sample.files() {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match (name, demo) {
            (BUSINESS, Some(demo)) => std::fs::write(&path, for_demo(&text, demo))?,
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
    use clap::ValueEnum as _;

    #[test]
    fn each_sample_is_in_order_with_its_variables_set() {
        let mut env = Env::default();
        for name in VARIABLES {
            env.set(name, "value");
        }
        for kind in SampleKind::value_variants() {
            for language in SampleLanguage::value_variants() {
                let root = tempfile::tempdir().unwrap();
                let folder = root.path().join("business");
                let files = write(&folder, *kind, *language, None).unwrap();
                assert_eq!(files.len(), 14, "{files:?}");
                assert!(files.iter().all(|file| folder.join(file).is_file()));
                let business = Folder::load(&folder, &env).unwrap();
                assert_eq!(business.warnings, [], "{kind:?} {language:?}");
                // Each variable is needed: none is named in vain.
                let lacking = Folder::load(&folder, &Env::default()).unwrap_err();
                assert_eq!(lacking.len(), VARIABLES.len());
                assert!(write(&folder, *kind, *language, None).is_err());
            }
        }
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
        write(folder.path(), SampleKind::Shop, SampleLanguage::En, Some(&demo)).unwrap();
        let business = Folder::load(folder.path(), &Env::default()).unwrap().business;
        let channel = business.channels.first().unwrap();
        assert_eq!(channel.api_url, "http://127.0.0.1:9002/v26.0");
        assert_eq!(channel.phone_number_id, "1060");
        assert_eq!(channel.app_secret.first().unwrap().expose(), "secret");
        assert_eq!(business.http.public, "127.0.0.1:9000");
        assert_eq!(business.http.admin, "127.0.0.1:9001");
    }
}
