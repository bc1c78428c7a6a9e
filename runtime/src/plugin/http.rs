//! Requests that a plugin makes within a turn. The only place from which
//! anything leaves for a plugin.

use super::{
    bindings::switchboard::plugin::http::{self, Request, Response},
    host::Host,
};

impl http::Host for Host {
    async fn send(&mut self, _request: Request) -> Result<Response, String> {
        Err("the step has not been granted `http`".into())
    }
}
