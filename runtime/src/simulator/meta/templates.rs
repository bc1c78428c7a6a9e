//! The Graph API's paths for message templates.

use super::{
    graph::{authorise, our_account, version},
    object::chosen,
    refusal::Refusal,
};
use crate::simulator::{
    Shared, moderation, names,
    templates::{Draft, Review, Template},
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Templates in one answer, unless asked for another number.
const PAGE: usize = 25;
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize)]
pub struct Wanted {
    fields: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
    before: Option<String>,
    name: Option<String>,
    language: Option<String>,
    status: Option<String>,
    category: Option<String>,
}

impl Wanted {
    fn fits(&self, template: &Template) -> bool {
        let same = |wanted: &Option<String>, is: Value| {
            wanted.as_deref().is_none_or(|wanted| is.as_str() == Some(wanted))
        };
        // A part of a name is enough for Meta.
        self.name.as_deref().is_none_or(|name| template.name.contains(name))
            && same(&self.language, json!(template.language))
            && same(&self.status, json!(template.status))
            && same(&self.category, json!(template.category))
    }
}

/// `GET /{version}/{business-account-id}/message_templates`.
pub async fn list(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let allowed = authorise(&sim, &headers).and_then(|()| our_account(&sim, &version, &id, "get"));
    if let Err(refusal) = allowed {
        return refusal.into_response(sim.serial());
    }
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let fitting: Vec<Value> = {
        let world = sim.world();
        world.templates.iter().filter(|one| wanted.fits(one)).map(Template::listed).collect()
    };
    let start = match (&wanted.after, &wanted.before) {
        (Some(after), _) => match place(after) {
            Some(last) => last + 1,
            None => return bad_cursor().into_response(sim.serial()),
        },
        (None, Some(before)) => match place(before) {
            Some(first) => first.saturating_sub(limit),
            None => return bad_cursor().into_response(sim.serial()),
        },
        (None, None) => 0,
    };
    let fields = wanted.fields.as_deref();
    let page: Vec<Value> =
        fitting.iter().skip(start).take(limit).map(|one| chosen(one.clone(), fields)).collect();
    let mut answer = json!({"data": page});
    if let (Some(answer), Some(last)) = (answer.as_object_mut(), page.len().checked_sub(1)) {
        let mut paging =
            json!({"cursors": {"before": cursor(start), "after": cursor(start + last)}});
        if let Some(paging) = paging.as_object_mut().filter(|_| start + page.len() < fitting.len())
        {
            let host = super::host(&headers);
            let after = cursor(start + last);
            let next = format!(
                "http://{host}/{version}/{id}/message_templates?limit={limit}&after={after}"
            );
            paging.insert("next".into(), next.into());
        }
        answer.insert("paging".into(), paging);
    }
    Json(answer).into_response()
}

/// Not to be read by a bot, so not to be read at a glance.
fn cursor(place: usize) -> String {
    names::base64(format!("at{place:07}").as_bytes())
}

fn place(cursor: &str) -> Option<usize> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("at")?.parse().ok()
}

fn bad_cursor() -> Refusal {
    Refusal::new(100, "the cursor is none of this list's")
}

/// `POST /{version}/{business-account-id}/message_templates`.
pub async fn create(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let allowed = authorise(&sim, &headers).and_then(|()| our_account(&sim, &version, &id, "post"));
    let made = allowed.and_then(|()| {
        let mut draft: Draft = serde_json::from_slice(&body)
            .map_err(|why| Refusal::new(100, format!("Invalid parameter: {why}")))?;
        // Only a review decides.
        draft.status = None;
        moderation::submit(&sim, draft).map_err(|why| Refusal::new(100, why))
    });
    match made {
        Ok(made) => Json(json!({"id": made.get("id"), "status": made.get("status"),
            "category": made.get("category")}))
        .into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

#[derive(Deserialize)]
pub struct Gone {
    name: Option<String>,
    hsm_id: Option<String>,
}

/// `DELETE /{version}/{business-account-id}/message_templates?name=`: all
/// languages of it, or the one with `hsm_id`.
pub async fn delete(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    Query(gone): Query<Gone>,
    headers: HeaderMap,
) -> Response {
    let allowed =
        authorise(&sim, &headers).and_then(|()| our_account(&sim, &version, &id, "delete"));
    let removed = allowed.and_then(|()| {
        let name = gone.name.ok_or_else(|| Refusal::new(100, "The parameter name is required."))?;
        let removed = sim.world().templates.remove(|one| {
            one.name == name && gone.hsm_id.as_ref().is_none_or(|id| *id == one.id.to_string())
        });
        match removed {
            0 => Err(Refusal::new(100, format!("there is no template {name}"))),
            _ => Ok(()),
        }
    });
    match removed {
        Ok(()) => {
            moderation::tell_page(&sim);
            Json(json!({"success": true})).into_response()
        }
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

#[derive(Deserialize)]
struct Edit {
    category: Option<crate::simulator::templates::Category>,
    components: Option<Vec<Value>>,
}

/// `POST /{version}/{template-id}`: an edit, which is reviewed again.
pub async fn edit(
    State(sim): State<Shared>,
    Path((number, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let edited = authorise(&sim, &headers).and_then(|()| version(&number)).and_then(|()| {
        let edit: Edit = serde_json::from_slice(&body)
            .map_err(|why| Refusal::new(100, format!("Invalid parameter: {why}")))?;
        let draft = {
            let mut world = sim.world();
            let known = world.templates.by_id(&id);
            let known = known.ok_or_else(|| Refusal::no_object("post", &id))?;
            if known.status == Review::Pending {
                return Err(Refusal::new(100, "a template under review cannot be edited"));
            }
            Draft {
                name: known.name.clone(),
                language: known.language.clone(),
                category: edit.category.unwrap_or(known.category),
                parameter_format: known.format,
                components: edit.components.unwrap_or_else(|| known.components.clone()),
                status: None,
            }
        };
        draft.check().map_err(|why| Refusal::new(100, why))?;
        moderation::resubmit(&sim, draft).map_err(|why| Refusal::new(100, why))
    });
    match edited {
        Ok(()) => Json(json!({"success": true})).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}
