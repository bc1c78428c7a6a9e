//! The mistakes of `switchboard.toml`, its form and its values.

use super::{BUSINESS, Case, Do::*};

const SECOND_CHANNEL: &str = r#"
[[channel]]
id = "main"
provider = "meta"
phone_number_id = "1060"
access_token = "a"
app_secret = ["b"]
verify_token = "c"
"#;

#[rustfmt::skip]
pub fn cases() -> Vec<Case> {
    vec![
        // The form of switchboard.toml.
        (&[Swap(BUSINESS, "messages_per_second", "messages_per_secnd")],
         &["switchboard.toml:31: channel[0].messages_per_secnd: unknown key `messages_per_secnd`; did you mean `messages_per_second`? allowed here: access_token, account_sid, api_key, api_secret, api_url, app_secret, auth_token, business_account_id, chain, grace_seconds, id, messages_per_second, messaging_service_sid, number, phone_number_id, portfolio, provider, public_url, templates, verify_token"]),
        (&[Swap(BUSINESS, "[http]", "[htpp]")],
          &["switchboard.toml:7: htpp: unknown key `htpp`; did you mean `http`? allowed here: budget, channel, consent, http, media, plugins, policy, retention, store, turns, zone"]),
        (&[Swap(BUSINESS, "messages_per_second = 80", "portfolio = \"my shop\"")],
         &["switchboard.toml:31: channel[0].portfolio: `my shop` must be 1 to 64 letters, digits, `-` and `_`"]),
        (&[Swap(BUSINESS, "messages_per_second = 80", "messages_per_second = \"80\"")],
         &["switchboard.toml:31: channel[0].messages_per_second: is a string, and a whole number is needed"]),
        (&[Swap(BUSINESS, "messages_per_second = 80", "messages_per_second = 5000")],
         &["switchboard.toml:31: channel[0].messages_per_second: `5000` is not between 1 and 1000"]),
        (&[Swap(BUSINESS, "messages_per_second = 80", "messages_per_second = 80.5")],
         &["switchboard.toml:31: channel[0].messages_per_second: is a number with a fraction, and a whole number is needed"]),
        (&[Swap(BUSINESS, "provider = \"meta\"", "provider = \"twillio\"")],
         &["switchboard.toml:16: channel[0].provider: `twillio` is not one of meta, twilio; did you mean `twilio`?"]),
        (&[Swap(BUSINESS, "[[channel]]", "[channel]")],
         &["switchboard.toml:14: channel: is a table, and a list is needed: write `[[channel]]` instead of `[channel]`"]),
        (&[Swap(BUSINESS, "verify_token = \"${WA_VERIFY}\"", "")],
         &["switchboard.toml:14: channel[0].verify_token: is missing, and `provider = \"meta\"` needs it"]),
        (&[Swap(BUSINESS, "[\"${WA_SECRET}\"]", "\"${WA_SECRET}\"")],
         &["switchboard.toml:26: channel[0].app_secret: is a string, and a list is needed"]),
        (&[Swap(BUSINESS, "[\"${WA_SECRET}\"]", "[]")],
         &["switchboard.toml:26: channel[0].app_secret: is empty"]),
        (&[Swap(BUSINESS, "id = \"main\"", "id = \"main street\"")],
         &["switchboard.toml:15: channel[0].id: `main street` must be 1 to 64 letters, digits, `-` and `_`"]),
        (&[Swap(BUSINESS, "[[channel]]", "[turns]\nparallel = 0\nattempts = 99\n\n[[channel]]")],
         &["switchboard.toml:15: turns.parallel: `0` is not between 1 and 250",
           "switchboard.toml:16: turns.attempts: `99` is not between 1 and 20"]),
        (&[Append(BUSINESS, "\n[retention]\ndays = 0\n")],
         &["switchboard.toml:34: retention.days: `0` is not between 1 and 3650"]),
        (&[Append(BUSINESS, "\n[media]\nmax_mb = 101\nparallel = 0\n")],
         &["switchboard.toml:34: media.max_mb: `101` is not between 1 and 100",
           "switchboard.toml:35: media.parallel: `0` is not between 1 and 64"]),
        (&[Append(BUSINESS, "\n[policy]\nmarketing_cap = \"often\"\nquiet = \"21-9\"\n")],
         &["switchboard.toml:34: policy.marketing_cap: `often` must be like `2 per 7 days`: 1 to 999 in 1 to 99 days",
           "switchboard.toml:35: policy.quiet: `21-9` must be hours like `21:00-09:00`"]),
        (&[Append(BUSINESS, "\n[budget]\ncurrency = \"euro\"\nprice = { marketing = 2000 }\n[budget.country.49]\nmarketng = 1\n")],
         &["switchboard.toml:34: budget.currency: `euro` must be three capital letters, such as `EUR`",
           "switchboard.toml:35: budget.price.marketing: `2000` is not between 0 and 1000",
           "switchboard.toml:37: budget.country.49.marketng: unknown key `marketng`; did you mean `marketing`? allowed here: authentication, marketing, service, utility"]),
        (&[Append(BUSINESS, "\n[store]\nbackend = \"slad\"\n")],
         &["switchboard.toml:34: store.backend: `slad` is not one of sled, memory; did you mean `sled`?"]),
        (&[Swap(BUSINESS, "id = \"main\"", "id = main")],
         &["switchboard.toml:15: can't be read as TOML: text must stand in quotes: \"…\""]),
        (&[Swap(BUSINESS, "id = \"main\"", "id = \"main\"\nid = \"mine\"")],
         &["switchboard.toml:16: can't be read as TOML: `id` is here twice"]),
        (&[Write(BUSINESS, b"zone = \"UTC\"\n# caf\xe9\n")],
         &["switchboard.toml:2: is not UTF-8 text: save the file with the encoding UTF-8"]),
        (&[Remove(BUSINESS)],
         &["switchboard.toml: there is no such file, so this is not a business folder; `switchboard init` makes one"]),
        // What its values mean.
        (&[Swap(BUSINESS, "Europe/London", "Europe/Lodnon")],
         &["switchboard.toml:5: zone: `Europe/Lodnon` is not an IANA time zone such as `Europe/Berlin`; did you mean `Europe/London`?"]),
        (&[Swap(BUSINESS, "\"127.0.0.1:8080\"", "\"localhost\"")],
         &["switchboard.toml:10: http.public: is not an address: an IP address and a port are needed, such as `127.0.0.1:8080`"]),
        (&[Swap(BUSINESS, "127.0.0.1:8081", "127.0.0.1:8080")],
         &["switchboard.toml:12: http.admin: is the same address as `http.public`: each needs a port of its own"]),
        (&[Swap(BUSINESS, "127.0.0.1:8081", "0.0.0.0:8081")],
         &["switchboard.toml:7: http.admin_token: is missing, and it is needed because `http.admin` (0.0.0.0:8081) is open to other machines"]),
        (&[Swap(BUSINESS, "https://graph", "http://graph")],
         &["switchboard.toml:29: channel[0].api_url: `http://graph.facebook.com/v26.0` must begin with `https://`: `http://` is for this machine alone"]),
        (&[Append(BUSINESS, SECOND_CHANNEL)],
         &["switchboard.toml:34: channel[1].id: is the same as that of channel[0]",
           "switchboard.toml:36: channel[1].phone_number_id: is the same as that of channel[0]"]),
        (&[Write(BUSINESS, b"zone = \"UTC\"\n")],
         &["switchboard.toml: channel: at least one `[[channel]]` is needed"]),
    ]
}
