//! A Graph API, a Twilio and a webhook that answer as they are told.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};
use switchboard_tests::{
    server::switchboard,
    shop::{NUMBER_ID, SECRET, Shop, TOKEN, VERIFY, text},
};
use tokio::net::TcpListener;

pub const ACCOUNT: &str = "1020";
pub const SID: &str = "AC00000000000000000000000000000000";
pub const SERVICE: &str = "MG00000000000000000000000000000000";
pub const AUTH_TOKEN: &str = "test-auth-token";

/// What is asked, and what is answered. All is well at first.
#[derive(Clone)]
pub struct World {
    /// By path, without what stands behind a `?`.
    pub answers: BTreeMap<String, (u16, Value)>,
    pub date: Option<&'static str>,
    pub verify_token: &'static str,
    /// Set by a POST to `subscribed_apps`.
    pub subscribed: bool,
    pub asked: Vec<String>,
}

impl World {
    fn new(base: &str) -> Self {
        let well = |body: Value| (200, body);
        let answers = BTreeMap::from([
            (
                "debug_token".into(),
                well(json!({"data": {"is_valid": true, "app_id": "77", "expires_at": 0,
                    "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"]}})),
            ),
            ("me".into(), well(json!({"id": "5"}))),
            (
                NUMBER_ID.into(),
                well(json!({"id": NUMBER_ID, "display_phone_number": "+1 555-000-1111",
                    "verified_name": "Shop", "quality_rating": "GREEN",
                    "throughput": {"level": "HIGH"}, "code_verification_status": "EXPIRED",
                    "name_status": "APPROVED",
                    "whatsapp_business_manager_messaging_limit": "TIER_2K",
                    "webhook_configuration": {"application": format!("{base}/webhooks/main")}})),
            ),
            (
                format!("{ACCOUNT}/phone_numbers"),
                well(json!({"data": [{"id": "1"}, {"id": NUMBER_ID}]})),
            ),
            (
                format!("{ACCOUNT}/message_templates"),
                well(json!({"data": [{"name": "a", "status": "APPROVED"},
                    {"name": "b", "status": "APPROVED"}, {"name": "c", "status": "PENDING"}]})),
            ),
            (
                format!("2010-04-01/Accounts/{SID}.json"),
                well(json!({"status": "active", "friendly_name": "Shop"})),
            ),
            (
                "v1/ContentAndApprovals".into(),
                well(json!({"contents": [{"approval_requests": {"status": "approved"}},
                    {"approval_requests": null}], "meta": {"next_page_url": null}})),
            ),
            (
                "v2/Channels/Senders".into(),
                well(json!({"senders": [{"sender_id": "whatsapp:+15550001111", "status": "ONLINE",
                    "webhook": {"callback_url": format!("{base}/webhooks/main#rc=2")}}]})),
            ),
            (
                format!("v1/Services/{SERVICE}"),
                well(json!({"inbound_request_url": format!("{base}/webhooks/main")})),
            ),
        ]);
        Self { answers, date: None, verify_token: VERIFY, subscribed: true, asked: Vec::new() }
    }

    pub fn answer(&mut self, path: &str, status: u16, body: Value) {
        self.answers.insert(path.into(), (status, body));
    }

    /// Changes one field of a good answer.
    pub fn set(&mut self, path: &str, pointer: &str, value: Value) {
        *self.answers.get_mut(path).unwrap().1.pointer_mut(pointer).unwrap() = value;
    }
}

pub fn refusal(code: u32, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "type": "OAuthException"}})
}

type Shared = Arc<Mutex<World>>;

pub struct Stage {
    pub base: String,
    world: Shared,
    shop: Shop,
}

/// How the command ended: the code, and each check with its state and words.
pub struct Told {
    pub code: Option<i32>,
    pub findings: BTreeMap<String, (String, String)>,
}

impl Stage {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::new(&base)));
        let app = Router::new()
            .route("/webhooks/main", get(challenge).post(unsigned))
            .route("/v26.0/1020/subscribed_apps", get(apps).post(subscribe))
            .route("/v26.0/{*path}", get(graph))
            .route("/{*path}", get(twilio))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let shop = Shop::new(&base);
        let stage = Self { base, world, shop };
        stage.meta("");
        stage
    }

    /// A shop with one channel at Meta. `extra`: further keys.
    pub fn meta(&self, extra: &str) {
        let keys = format!(
            "provider = \"meta\"\nphone_number_id = \"{NUMBER_ID}\"\naccess_token = \"{TOKEN}\"\n\
             business_account_id = \"{ACCOUNT}\"\napp_secret = [\"{SECRET}\"]\n\
             verify_token = \"{VERIFY}\"\napi_url = \"{}/v26.0\"\n{extra}",
            self.base
        );
        self.channel(&keys);
    }

    pub fn twilio(&self, number: &str) {
        let keys = format!(
            "provider = \"twilio\"\naccount_sid = \"{SID}\"\nauth_token = [\"{AUTH_TOKEN}\"]\n\
             {number}\napi_url = \"{}\"\n",
            self.base
        );
        self.channel(&keys);
    }

    fn channel(&self, keys: &str) {
        let public = match keys.contains("public_url") {
            true => String::new(),
            false => format!("public_url = \"{}\"\n", self.base),
        };
        self.shop.write("switchboard.toml", &format!("[[channel]]\nid = \"main\"\n{public}{keys}"));
    }

    /// All is well again, and then `change`.
    pub fn world(&self, change: impl FnOnce(&mut World)) {
        let mut world = World::new(&self.base);
        change(&mut world);
        *self.world.lock().unwrap() = world;
    }

    pub fn asked(&self) -> Vec<String> {
        self.world.lock().unwrap().asked.clone()
    }

    /// What `switchboard doctor` prints, which never holds a secret.
    pub async fn printed(&self, more: &[&str]) -> (Option<i32>, String) {
        let folder = text(&self.shop.folder).to_owned();
        let more: Vec<String> = more.iter().map(|&text| text.to_owned()).collect();
        let run = move || {
            let mut arguments = vec!["doctor", &folder];
            arguments.extend(more.iter().map(String::as_str));
            switchboard(&arguments)
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let said = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (printed, errors) = (said(&output.stdout), said(&output.stderr));
        for secret in [TOKEN, SECRET, VERIFY, AUTH_TOKEN] {
            assert!(!printed.contains(secret) && !errors.contains(secret), "{printed}{errors}");
        }
        (output.status.code(), format!("{printed}{errors}"))
    }

    pub async fn told(&self, more: &[&str]) -> Told {
        let (code, printed) = self.printed(&[&["--json"], more].concat()).await;
        let report: Value = serde_json::from_str(&printed).expect(&printed);
        assert_eq!(report["ok"], code == Some(0), "{printed}");
        let findings = report["channels"][0]["findings"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let finding = |one: &Value| {
            let bad = one["state"] == "bad";
            assert!(!bad || one["todo"].is_string(), "what to do is not said: {one}");
            (text(&one["check"]), (text(&one["state"]), text(&one["said"])))
        };
        Told { code, findings: findings.iter().map(finding).collect() }
    }
}

fn reply(world: &World, status: u16, body: Value) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    if let Some(date) = world.date {
        response.headers_mut().insert(header::DATE, date.parse().unwrap());
    }
    response
}

fn authorised(headers: &HeaderMap, expected: &str) -> bool {
    headers.get("authorization").is_some_and(|given| given == expected)
}

async fn graph(
    State(world): State<Shared>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut world = world.lock().unwrap();
    world.asked.push(path.clone());
    if !authorised(&headers, &format!("Bearer {TOKEN}")) {
        return reply(&world, 401, refusal(190, "Invalid OAuth access token"));
    }
    // As Meta: one field that a version does not know spoils the request.
    let fields = query.get("fields").cloned().unwrap_or_default();
    if path == NUMBER_ID && world.answers.contains_key("old") && fields.contains("throughput") {
        return reply(&world, 400, refusal(100, "Tried accessing nonexisting field"));
    }
    match world.answers.get(&path).cloned() {
        Some((status, body)) => reply(&world, status, body),
        None => reply(&world, 404, refusal(100, "Unknown path")),
    }
}

async fn apps(state: State<Shared>, headers: HeaderMap) -> Response {
    let world = state.0.lock().unwrap();
    if let Some((status, body)) = world.answers.get("subscribed_apps").cloned() {
        return reply(&world, status, body);
    }
    assert!(authorised(&headers, &format!("Bearer {TOKEN}")));
    let app = json!({"whatsapp_business_api_data": {"id": "77", "name": "bot"}});
    let other = json!({"whatsapp_business_api_data": {"id": "1", "name": "other"}});
    let apps = if world.subscribed { vec![other, app] } else { vec![other] };
    reply(&world, 200, json!({ "data": apps }))
}

async fn subscribe(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let mut world = world.lock().unwrap();
    assert!(authorised(&headers, &format!("Bearer {TOKEN}")));
    world.asked.push("POST subscribed_apps".into());
    world.subscribed = true;
    reply(&world, 200, json!({ "success": true }))
}

async fn twilio(
    State(world): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    use base64::Engine;
    let world = world.lock().unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{SID}:{AUTH_TOKEN}"));
    if !authorised(&headers, &format!("Basic {pair}")) {
        return reply(&world, 401, json!({"code": 20003, "message": "Authenticate"}));
    }
    match world.answers.get(&path).cloned() {
        Some((status, body)) => reply(&world, status, body),
        None => reply(&world, 404, json!({"code": 20404, "message": "not found"})),
    }
}

async fn challenge(
    State(world): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let world = world.lock().unwrap();
    match query["hub.mode"] == "subscribe" && query["hub.verify_token"] == world.verify_token {
        true => query["hub.challenge"].clone().into_response(),
        false => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn unsigned() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}
