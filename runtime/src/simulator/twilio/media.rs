//! Files that customers send: their addresses, and the files.

use super::{codes::Refusal, messages};
use crate::simulator::{Shared, Sim};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

/// The digits of an id within a sid of Twilio's form.
const ID_DIGITS: usize = 15;

/// Where a message's file is.
pub fn address(sim: &Sim, account: &str, message: &str, id: &str) -> String {
    let base = sim.address.get().map(String::as_str).unwrap_or_default();
    format!("{base}/2010-04-01/Accounts/{account}/Messages/{message}/Media/ME{id:0>32}")
}

/// The file itself; needs the account's sid and token.
pub async fn download(
    State(sim): State<Shared>,
    Path((account, _message, sid)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let ours =
        messages::authorise(&sim, &headers).and_then(|ours| messages::our_account(ours, &account));
    if let Err(refusal) = ours {
        return refusal.into_answer();
    }
    let id = sid.strip_prefix("ME").and_then(|id| id.get(id.len().checked_sub(ID_DIGITS)?..));
    let file = id.and_then(|id| sim.world().files.find(id, sim.now()).cloned());
    match file {
        Some(file) => ([(header::CONTENT_TYPE, file.mime_type)], file.bytes).into_response(),
        None => Refusal::new(20_404, sid).into_answer(),
    }
}
