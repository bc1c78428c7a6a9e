//! Meta's WhatsApp Cloud API.
//! STAND-IN: replaced at the merge.

use super::*;
use crate::config::ChannelConfig;

pub struct Meta;

impl Meta {
    pub fn new(_config: &ChannelConfig) -> Self {
        Self
    }
}

impl Provider for Meta {
    fn challenge(&self, _query: &str) -> Result<String, Denied> {
        Err(Denied::WrongToken)
    }
    fn verify(&self, _webhook: Webhook<'_>) -> Result<(), Denied> {
        Err(Denied::NoSignature)
    }
    fn parse(
        &self,
        _body: &[u8],
        _here: &ChannelId,
        _channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    ) -> Result<Vec<Happening>, Malformed> {
        Err(Malformed("not built yet".into()))
    }
    fn fit(&self, message: Outgoing) -> Result<Vec<Outgoing>, String> {
        Ok(vec![message])
    }
    fn render(&self, _item: &OutboxItem) -> SendRequest {
        SendRequest { url: String::new(), bearer: String::new(), body: serde_json::Value::Null }
    }
    fn classify(&self, _status: u16, _body: &[u8]) -> Answer {
        Answer::Sent { message_id: String::new() }
    }
    fn explain(&self, _code: u32, text: &str) -> (ErrorClass, String) {
        (ErrorClass::Permanent, text.into())
    }
}
