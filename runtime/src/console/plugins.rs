//! How the plugins fare.

use super::{Answer, Console, Failure, Page, Shared};
use crate::{model::StepReport, store::StoreError};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::json;

impl Console {
    pub(super) async fn reports(&self) -> Result<Vec<StepReport>, StoreError> {
        let mut reports = self.reloader.current().reports();
        for report in &mut reports {
            report.kv_bytes = Some(self.store.kv_usage(&report.step).await?.bytes);
        }
        Ok(reports)
    }

    fn no_step(&self, step: &str) -> Failure {
        let reports = self.reloader.current().reports();
        let known: Vec<String> = reports.into_iter().map(|report| report.step).collect();
        let reason = format!("there is no step `{step}`: there are `{}`", known.join("`, `"));
        Failure(StatusCode::NOT_FOUND, reason)
    }
}

pub async fn list(State(console): Shared) -> Answer {
    Ok(Json(json!({ "plugins": console.reports().await? })).into_response())
}

pub async fn logs(
    State(console): Shared,
    Path(step): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let logs = console.reloader.current().logs(&step, page.limit());
    let logs = logs.ok_or_else(|| console.no_step(&step))?;
    Ok(Json(json!({ "logs": logs })).into_response())
}

pub async fn differences(State(console): Shared, Path(step): Path<String>) -> Answer {
    let differences = console.reloader.current().differences(&step);
    let differences = differences.ok_or_else(|| console.no_step(&step))?;
    Ok(Json(json!({ "differences": differences })).into_response())
}
