//! Twilio's list, as the simulator serves it on Twilio's wire: in pages, and kept when
//! it is refused.

use serde_json::json;
use std::sync::Arc;
use switchboard::{
    clock::SimulatedClock,
    config::{ChannelConfig, ProviderKind},
    model::*,
    outbox,
    provider::{Provider, twilio::Twilio},
    simulator::{self, SimulatorConfig, TwilioAccount, Wire},
    store,
    templates::{Known, Templates, Updater},
    wake::Bell,
};
use switchboard_tests::{
    client,
    twilio::{ACCOUNT, TOKEN},
};
use tokio::{net::TcpListener, sync::watch};

/// More than a page has.
const COUNT: usize = 501;

fn channel(api: &str, token: &str) -> Arc<dyn Provider> {
    Arc::new(Twilio::new(&ChannelConfig {
        account_sid: Some(ACCOUNT.into()),
        auth_token: vec![token.into()],
        number: Some("+15550001111".into()),
        api_url: api.into(),
        ..ChannelConfig::new("tw", ProviderKind::Twilio)
    }))
}

fn updater(
    templates: &Arc<Templates>,
    store: &Arc<dyn store::Store>,
    provider: Arc<dyn Provider>,
) -> Updater {
    Updater::new(
        Arc::clone(templates),
        Arc::clone(store),
        Arc::new(SimulatedClock::new(1_790_000_000_000, 7)),
        Arc::new(move || Known {
            generation: 1,
            channels: vec![(ChannelId::new("tw"), Arc::clone(&provider))],
        }),
        Arc::new(|_, _, _| {}),
        outbox::client().unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_s_list_is_read_to_its_end_and_a_refusal_keeps_the_copy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let draft = |number: usize| {
        let draft = json!({
            "name": format!("t{number:03}"), "language": "en", "category": "UTILITY",
            "status": "APPROVED",
            "components": [{"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
                {"type": "BODY", "text": "Order {{1}}"}],
        });
        serde_json::from_value(draft).unwrap()
    };
    let config = SimulatorConfig {
        wire: Wire::Twilio(TwilioAccount {
            sid: ACCOUNT.into(),
            auth_token: TOKEN.into(),
            messaging_service_sid: None,
        }),
        templates: (0..COUNT).map(draft).collect(),
        ..SimulatorConfig::default()
    };
    let (stop, stopped) = watch::channel(false);
    let simulator = tokio::spawn(simulator::run(config, listener, stopped));
    let (templates, store) = (Arc::new(Templates::new(Bell::default())), store::memory());
    let provider = channel(&api, TOKEN);
    let outcomes = updater(&templates, &store, Arc::clone(&provider)).sync().await;
    assert_eq!((&*outcomes[0].account, &outcomes[0].failure), (ACCOUNT, &None));
    let forms = templates.list(ACCOUNT).1;
    assert_eq!((forms.len(), forms[COUNT - 1].name.as_str()), (COUNT, "t500"));

    // A message by one needs no word in the settings: the sid is the list's.
    let values = ["Ann", "7"].map(|text| Parameter { name: None, text: text.into() });
    let message = Template::new("t500", "en", Category::Marketing, values.into());
    let checked = templates.check(&*provider, message, 0).unwrap();
    assert_eq!(checked.template.category, Category::Utility);
    assert_eq!(checked.template.id.as_deref(), Some(&*forms[COUNT - 1].id));
    let fitted = provider.fit(Outgoing::Template(checked.template)).unwrap().remove(0);
    let to = Address { phone: Some("15550000001".into()), bsuid: None };
    let whom = (ChannelId::new("tw"), ContactId(1), to);
    let item = OutboxItem::new("c1-1-0".parse().unwrap(), whom, fitted, "test", 0);
    let request = format!("{:?}", provider.render(&item).body);
    assert!(request.contains(&forms[COUNT - 1].id), "{request}");
    assert!(request.contains(r#"{\"1\":\"Ann\",\"2\":\"7\"}"#), "{request}");

    // A token that is no more, said in plain words.
    let refused = updater(&templates, &store, channel(&api, "old")).sync().await;
    let failure = refused[0].failure.clone().unwrap();
    assert!(failure.contains("auth_token") && failure.contains("20003"), "{failure}");
    assert_eq!(templates.list(ACCOUNT).1.len(), COUNT, "the copy stays");

    // What WhatsApp has turned down is refused before it is sent.
    let url = format!("{api}/sim/templates/t500/en");
    let decided = client().patch(url).json(&json!({"status": "REJECTED"})).send().await.unwrap();
    assert!(decided.status().is_success());
    updater(&templates, &store, Arc::clone(&provider)).sync().await;
    let message = Template::new("t500", "en", Category::Utility, Vec::new());
    let said = templates.check(&*provider, message, 0).unwrap_err();
    assert!(said.contains("`t500` (en) is rejected"), "{said}");
    stop.send(true).unwrap();
    simulator.await.unwrap().unwrap();
}
