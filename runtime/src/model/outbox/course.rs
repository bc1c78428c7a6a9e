//! What becomes of an item: attempts, their ends and receipts, in whatever order
//! they come.

use super::{
    Attempt, Delivery, DeliveryRecord, Failure, Hold, OutboxItem, Rule, SendState, SentCopy,
};
use crate::model::{Millis, ReceiptState};

impl OutboxItem {
    /// When the item next needs attention; none once it is history.
    pub fn due(&self) -> Option<Millis> {
        match self.state {
            SendState::Waiting { due } => Some(due),
            SendState::Attempting { until, .. } => Some(until),
            SendState::Returned { taken } => Some(taken),
            SendState::Sent | SendState::Failed | SendState::Refused => None,
        }
    }

    /// Whether an attempt may begin at `at`.
    pub fn may_begin(&self, at: Millis) -> bool {
        match self.state {
            SendState::Waiting { due: from } | SendState::Attempting { until: from, .. } => {
                from <= at
            }
            SendState::Returned { .. }
            | SendState::Sent
            | SendState::Failed
            | SendState::Refused => false,
        }
    }

    pub fn begin(&mut self, attempt: &Attempt) {
        self.state = SendState::Attempting { since: attempt.since, until: attempt.until };
        self.attempts += 1;
        self.left_at = Some(attempt.since);
        // What is under way is held by nothing, whatever held it before.
        self.hold.rule = None;
        self.updated_at = attempt.since;
        if let Some(category) = attempt.category {
            self.message.categorise(category);
        }
    }

    /// Takes the end of an attempt, or what was decided without one. Once the
    /// item is history, it stays so: a receipt may have settled it first.
    pub fn record(&mut self, record: &DeliveryRecord) {
        let overtaken = match &record.delivery {
            Delivery::Sent { message_id } => {
                self.learn(message_id);
                self.has_failed(message_id)
            }
            Delivery::Unknown { .. } => matches!(self.state, SendState::Returned { .. }),
            Delivery::RetryAfter { .. }
            | Delivery::Held { .. }
            | Delivery::Rejected { .. }
            | Delivery::Refused { .. } => false,
        };
        // A receipt came before the answer, and knows more.
        if self.due().is_none() || overtaken {
            return;
        }
        self.error = None;
        self.hold.rule = None;
        let (state, reason) = match &record.delivery {
            Delivery::Sent { message_id } => {
                self.message_id = Some(message_id.clone());
                (SendState::Sent, None)
            }
            Delivery::RetryAfter { due, reason } => {
                (SendState::Waiting { due: *due }, Some(reason.clone()))
            }
            Delivery::Held { due, rule, reason } => {
                self.apart = true;
                self.hold.take(*rule, *due);
                (SendState::Waiting { due: *due }, Some(reason.clone()))
            }
            Delivery::Rejected { reason, code } => {
                self.error = *code;
                (SendState::Failed, Some(reason.clone()))
            }
            Delivery::Refused { rule, reason } => {
                self.hold.rule = Some(*rule);
                (SendState::Refused, Some(reason.clone()))
            }
            Delivery::Unknown { until, reason } => {
                let since = record.at;
                (SendState::Attempting { since, until: *until }, Some(reason.clone()))
            }
        };
        self.state = state;
        self.reason = reason;
        self.updated_at = record.at;
    }

    /// Failed, it is to be tried anew at `due`, as if it had been held until
    /// then. What is told of its copies still counts. False: it has not failed,
    /// or a copy may be on its way.
    pub fn revive(&mut self, due: Millis, now: Millis) -> bool {
        if self.state != SendState::Failed || self.copies.iter().any(|copy| !copy.failed) {
            return false;
        }
        let due = due.max(now);
        self.state = SendState::Waiting { due };
        self.apart = true;
        let rule = (due > now).then_some(Rule::Spared);
        self.hold = Hold { rule, until: due, ended: due };
        self.reason =
            rule.map(|rule| format!("it failed, and is tried again (rule `{}`)", rule.name()));
        (self.receipt, self.error) = (None, None);
        self.updated_at = now;
        true
    }

    /// Takes a receipt of one of its copies, in whatever order they come. Any
    /// receipt proves that the provider took the copy; `failure` is what one of
    /// failure says of it, if it says anything.
    pub fn receive(
        &mut self,
        message_id: &str,
        state: ReceiptState,
        failure: Option<Failure>,
        now: Millis,
    ) {
        if self.message_id.as_ref().is_none_or(|known| self.has_failed(known)) {
            self.message_id = Some(message_id.to_owned());
        }
        self.learn(message_id);
        let has_failed = self.has_failed(message_id);
        match state {
            ReceiptState::Failed => {
                let this = |copy: &&mut SentCopy| copy.message_id == message_id;
                self.copies.iter_mut().filter(this).for_each(|copy| copy.failed = true);
                let has_arrived = self.receipt > Some(ReceiptState::Failed);
                let another_lives = self.copies.iter().any(|copy| !copy.failed);
                if !(has_failed || has_arrived || another_lives) {
                    self.fail(failure, now);
                }
            }
            // Of before it failed.
            ReceiptState::Sent if has_failed => {}
            ReceiptState::Sent
            | ReceiptState::Delivered
            | ReceiptState::Read
            | ReceiptState::Played => {
                let failed = self.receipt == Some(ReceiptState::Failed);
                if failed || self.receipt < Some(state) {
                    self.receipt = Some(state);
                    self.updated_at = now;
                }
                if state > ReceiptState::Sent {
                    self.arrived_at = self.arrived_at.or(Some(now));
                }
                self.state = SendState::Sent;
                (self.error, self.reason, self.hold.rule) = (None, None, None);
            }
        }
    }

    /// All that the provider took of it has failed.
    fn fail(&mut self, failure: Option<Failure>, now: Millis) {
        let passing = failure.as_ref().is_some_and(|failure| failure.passing);
        self.state = match self.state {
            // It is tried again anyway.
            SendState::Waiting { .. } if passing => return,
            SendState::Attempting { since, .. } if passing => SendState::Returned { taken: since },
            SendState::Sent if passing => SendState::Returned { taken: self.updated_at },
            SendState::Returned { taken } if passing => SendState::Returned { taken },
            SendState::Waiting { .. }
            | SendState::Attempting { .. }
            | SendState::Sent
            | SendState::Returned { .. }
            | SendState::Failed
            | SendState::Refused => SendState::Failed,
        };
        let returned = matches!(self.state, SendState::Returned { .. });
        self.apart |= returned;
        self.receipt = (!returned).then_some(ReceiptState::Failed);
        (self.error, self.reason) = failure.map(|it| (it.code, it.reason)).unzip();
        self.hold.rule = None;
        self.updated_at = now;
    }

    fn has_failed(&self, message_id: &str) -> bool {
        self.copies.iter().any(|copy| copy.failed && copy.message_id == message_id)
    }

    /// What has no id of its own (read marks) gets no receipts either.
    fn learn(&mut self, message_id: &str) {
        let known = self.copies.iter().any(|copy| copy.message_id == message_id);
        if !known && !message_id.is_empty() {
            self.copies.push(SentCopy { message_id: message_id.to_owned(), failed: false });
        }
    }
}

#[cfg(test)]
mod tests;
