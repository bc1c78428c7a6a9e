//! The admin listener: health, metrics and the API. Reads the store; changes
//! things only by events in a contact's lane.

mod access;
mod account_events;
mod campaigns;
mod dry_run;
mod media;
mod plugins;
mod spending;
mod tags;
mod templates;
mod view;

use crate::{
    clock::Clock,
    dispatch::policy_rules,
    media::Shelf,
    model::*,
    outbox::Outbox,
    reload::Reloader,
    store::Store,
    telemetry::Metrics,
    templates::{Templates, Updater},
    wake::Bell,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};

/// What the pages read and ring.
pub struct Console {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub reloader: Arc<Reloader>,
    pub outbox: Arc<Outbox>,
    pub templates: Arc<Templates>,
    pub updater: Arc<Updater>,
    pub shelf: Arc<Shelf>,
    pub metrics: Arc<Metrics>,
    pub dispatch: Bell,
    /// One dry run at a time: it looks at everybody.
    pub rehearsing: tokio::sync::Mutex<()>,
    /// Asked of API requests, if set.
    pub token: Option<String>,
}

type Shared = State<Arc<Console>>;
type Answer = Result<Response, Failure>;

/// Entries of one answer, unless the request asks for fewer.
const PAGE: usize = 50;

pub fn router(console: Arc<Console>) -> Router {
    // The API: for people and programs of the business.
    let api = Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/reload", post(reload))
        .route("/api/v1/contacts", get(contacts))
        .route("/api/v1/contacts/lookup", get(lookup))
        .route("/api/v1/contacts/{id}", get(contact))
        .route("/api/v1/contacts/{id}/messages", get(messages))
        .route("/api/v1/contacts/{id}/tags", get(tags::of_contact))
        .route("/api/v1/contacts/{id}/tags/{name}", put(tags::set).delete(tags::remove))
        .route("/api/v1/contacts/{id}/media", get(media::of_contact))
        .route("/api/v1/media/{channel}/{id}", get(media::file))
        .route("/api/v1/media/{channel}/{id}/state", get(media::state))
        .route("/api/v1/contacts/{id}/resume", post(resume))
        .route("/api/v1/lanes/{lane}/turns", get(turns))
        .route("/api/v1/plugins", get(plugins::list))
        .route("/api/v1/plugins/{step}/logs", get(plugins::logs))
        .route("/api/v1/plugins/{step}/differences", get(plugins::differences))
        .route("/api/v1/lanes/{lane}/turns/{seq}", get(turn))
        .route("/api/v1/templates", get(templates::list))
        .route("/api/v1/templates/sync", post(templates::sync))
        .route("/api/v1/templates/preview", post(templates::preview))
        .route("/api/v1/parked", get(parked))
        .route("/api/v1/asides", get(asides))
        .route("/api/v1/unanswered", get(unanswered))
        .route("/api/v1/account-events", get(account_events::list))
        .route("/api/v1/spending", get(spending::spending))
        .route("/api/v1/campaigns", get(campaigns::list))
        .route("/api/v1/campaigns/{id}", get(campaigns::show))
        .route("/api/v1/campaigns/{id}/dry-run", get(dry_run::forecast))
        .route("/api/v1/campaigns/{id}/members", get(campaigns::members))
        .route("/api/v1/campaigns/{id}/pause", post(campaigns::pause))
        .route("/api/v1/campaigns/{id}/resume", post(campaigns::resume))
        .route("/api/v1/campaigns/{id}/resend", post(campaigns::resend))
        .route("/api/v1/campaigns/{id}/stop", post(campaigns::stop))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(Arc::clone(&console), access::check));
    // Health: for whatever starts and watches the process.
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .merge(api)
        .with_state(console)
}

/// The one place where errors become answers.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

fn bad(reason: String) -> Failure {
    Failure(StatusCode::BAD_REQUEST, reason)
}

async fn ready(State(console): Shared) -> Response {
    let (code, body) = console.readiness();
    (code, Json(body)).into_response()
}

async fn status(State(console): Shared) -> Answer {
    let (_, readiness) = console.readiness();
    let depths = console.store.depths().await?;
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "readiness": readiness,
        "lanes_waiting": depths.lanes,
        "outbox_contacts": depths.outbox,
        "timers": depths.timers,
    });
    Ok(Json(body).into_response())
}

impl Console {
    /// Ready while the store takes writes. A broken edit or a paused channel
    /// does not make the process unready: it goes on serving what it has.
    fn readiness(&self) -> (StatusCode, serde_json::Value) {
        let health = self.store.health();
        let code = match health {
            Ok(()) => StatusCode::OK,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = json!({
            "ready": health.is_ok(),
            "store": health.map_or_else(|error| error.to_string(), |()| "ok".into()),
            "generation": self.reloader.status(),
            "paused": self.outbox.status().iter().map(view::paused).collect::<Vec<_>>(),
        });
        (code, body)
    }

    /// In one portfolio, or in all that the channels are of.
    async fn find(
        &self,
        portfolio: Option<&str>,
        identity: &Identity,
    ) -> Result<Option<ContactId>, Failure> {
        let live = self.reloader.current();
        let portfolios: BTreeSet<Portfolio> = match portfolio {
            Some(name) => [Portfolio::new(name)].into(),
            None => live.channels.values().map(|channel| channel.config.portfolio()).collect(),
        };
        for portfolio in portfolios {
            if let Some(id) = self.store.find_contact(&portfolio, identity).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    async fn contact_view(&self, id: ContactId) -> Result<serde_json::Value, Failure> {
        let contact = self.store.contact(id).await?;
        let contact = contact.unwrap_or_else(|| Contact::new(id));
        let generation = self.reloader.current();
        Ok(view::contact(&contact, self.clock.now(), &policy_rules(&generation)))
    }
}

impl Console {
    async fn turn_views(&self, traces: &[Trace]) -> Result<Vec<serde_json::Value>, Failure> {
        let mut turns = Vec::new();
        for trace in traces {
            turns.push(media::with_state(&*self.store, trace).await?);
        }
        Ok(turns)
    }
}

async fn metrics(State(console): Shared) -> Answer {
    console.metrics.set_depths(console.store.depths().await?);
    let status = console.reloader.status();
    console.metrics.set_generation(status.generation, status.problems.len());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = console.metrics.encode(&console.reports().await?);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn reload(State(console): Shared) -> Answer {
    let answer = console.reloader.answer().await;
    let code = match answer.generation {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok((code, Json(answer)).into_response())
}

#[derive(Deserialize)]
struct Lookup {
    phone: Option<String>,
    bsuid: Option<String>,
    /// Without it, that of any channel.
    portfolio: Option<String>,
}

async fn lookup(State(console): Shared, Query(asked): Query<Lookup>) -> Answer {
    let identity = match (asked.phone, asked.bsuid) {
        (Some(phone), None) => Identity::Phone(digits(&phone)),
        (None, Some(bsuid)) => Identity::Bsuid(bsuid),
        _ => return Err(bad("give either `phone` or `bsuid`".into())),
    };
    let id = console.find(asked.portfolio.as_deref(), &identity).await?;
    let id = id.ok_or_else(|| Failure(StatusCode::NOT_FOUND, "no such contact yet".into()))?;
    let contact = console.contact_view(id).await?;
    let traces = console.store.traces(&Lane::Contact(id), None, PAGE).await?;
    let turns = console.turn_views(&traces).await?;
    Ok(Json(json!({ "contact": contact, "turns": turns })).into_response())
}

#[derive(Deserialize)]
struct Page {
    after: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
    /// Turns with what they ran on.
    #[serde(default)]
    whole: bool,
}

impl Page {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, 500)
    }
}

async fn contacts(State(console): Shared, Query(page): Query<Page>) -> Answer {
    let after = page.after.as_deref().map(str::parse).transpose().map_err(bad)?;
    let contacts = console.store.contacts(after, page.limit()).await?;
    let rules = policy_rules(&console.reloader.current());
    let now = console.clock.now();
    let contacts: Vec<_> = contacts.iter().map(|one| view::contact(one, now, &rules)).collect();
    Ok(Json(json!({ "contacts": contacts })).into_response())
}

async fn contact(State(console): Shared, Path(id): Path<String>) -> Answer {
    Ok(Json(console.contact_view(id.parse().map_err(bad)?).await?).into_response())
}

async fn messages(
    State(console): Shared,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let items = console.store.outbox_of(id.parse().map_err(bad)?, page.limit()).await?;
    let items: Vec<_> = items.iter().map(view::item).collect();
    Ok(Json(json!({ "messages": items })).into_response())
}

async fn turns(
    State(console): Shared,
    Path(lane): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let lane: Lane = lane.parse().map_err(bad)?;
    let traces = console.store.traces(&lane, page.before, page.limit()).await?;
    if page.whole {
        return Ok(Json(json!({ "turns": traces })).into_response());
    }
    let turns = console.turn_views(&traces).await?;
    Ok(Json(json!({ "turns": turns })).into_response())
}

/// One turn with what it ran on, in the form that `switchboard trace` reads.
async fn turn(State(console): Shared, Path((lane, seq)): Path<(String, u64)>) -> Answer {
    let lane: Lane = lane.parse().map_err(bad)?;
    let traces = console.store.traces(&lane, Some(seq.saturating_add(1)), 1).await?;
    let trace = traces.into_iter().find(|trace| trace.turn.seq == seq);
    let trace = trace.ok_or_else(|| {
        Failure(StatusCode::NOT_FOUND, format!("there is no turn {lane}-{seq} in the history"))
    })?;
    Ok(Json(trace).into_response())
}

/// Gives the conversation back to the bot, by an event in the contact's lane.
async fn resume(State(console): Shared, Path(id): Path<String>) -> Answer {
    let contact = console.known(&id).await?;
    console.tell(&contact, Operator::Resume { by: OPERATOR.into() }).await
}

/// Who did what the API was asked for.
const OPERATOR: &str = "operator";

impl Console {
    async fn known(&self, id: &str) -> Result<Contact, Failure> {
        let id: ContactId = id.parse().map_err(bad)?;
        let contact = self.store.contact(id).await?;
        contact.ok_or_else(|| Failure(StatusCode::NOT_FOUND, format!("there is no contact {id}")))
    }

    /// Puts it into the contact's lane, on the channel on which it wrote last.
    async fn tell(&self, contact: &Contact, operator: Operator) -> Answer {
        let id = contact.id;
        let live = self.reloader.current();
        let written = contact.last_inbound.iter().filter(|(id, _)| live.channels.contains_key(id));
        let channel = written.max_by_key(|(_, at)| **at).map(|(id, _)| id.clone());
        let channel = channel.ok_or_else(|| bad(format!("{id} has written on no channel yet")))?;
        let now = self.clock.now();
        let happening = Happening {
            channel,
            // Asked twice within a millisecond is asked once.
            dedup: format!("operator:{id}:{now}:{operator:?}"),
            sender: Some(Sender::of(id)),
            kind: EventKind::Operator(operator),
            raw: String::new(),
        };
        self.store.accept(vec![happening], now).await?;
        self.dispatch.ring();
        Ok(StatusCode::ACCEPTED.into_response())
    }
}

async fn parked(State(console): Shared, Query(page): Query<Page>) -> Answer {
    let parked = console.store.parked(page.limit()).await?;
    let parked: Vec<_> = parked.iter().map(view::parked).collect();
    Ok(Json(json!({ "parked": parked })).into_response())
}

/// As many as are kept, unless the request asks for fewer.
async fn unanswered(State(console): Shared, Query(page): Query<Page>) -> Answer {
    let questions = console.store.unanswered(page.limit.unwrap_or(usize::MAX)).await?;
    let questions: Vec<_> = questions.iter().map(view::unanswered).collect();
    Ok(Json(json!({ "unanswered": questions })).into_response())
}

async fn asides(State(console): Shared, Query(page): Query<Page>) -> Answer {
    let asides = console.store.asides(page.limit()).await?;
    let asides: Vec<_> = asides.iter().map(view::aside).collect();
    Ok(Json(json!({ "asides": asides })).into_response())
}
