//! In one recipient's lane: whether, when and what to send.

use crate::{
    Promo, Run,
    campaign::{leave_out, variant},
    rules::{Arm, DAY_MS, HOLD_OUT, Happening, Mould, Promotion, When, number},
    sent::Sent,
    write,
};
use switchboard_plugin::*;

impl Promo {
    /// Sends the promotion now, later, or not at all; says which and why.
    pub(crate) fn deliver(&self, run: Run) -> Result<(), String> {
        let Some(promo) = self.0.promos.get(&run.promo) else {
            leave_out(&run.promo, "it is no longer in the rules");
            return Ok(());
        };
        let mut sent = Sent::load();
        if let Some(reason) = promo.forbidden(&run, &sent) {
            leave_out(&promo.id, &reason);
            return Ok(());
        }
        if let Some((due, reason)) = promo.wait(&run)? {
            because(format!("`{}` waits: {reason}", promo.id));
            return promo.set_timer(due, &run);
        }
        // Asked last, so that those held out are the ones who would have got it.
        match promo.arms.of(number(&[&contact::id(), &promo.id])) {
            Some(Arm::Variant(name, mould)) => {
                variant(&promo.id, name);
                promo.send(&run, mould, &mut sent)
            }
            Some(Arm::HoldOut) | None => {
                variant(&promo.id, HOLD_OUT);
                leave_out(&promo.id, "the contact is among those held out, to compare with");
                Ok(())
            }
        }
    }
}

impl Promotion {
    /// Wakes this lane for the run. One run of a promotion waits at a time, and
    /// a later one takes its place.
    pub fn set_timer(&self, due: Instant, run: &Run) -> Result<(), String> {
        set_timer(&format!("send/{}", self.id), due, &write(run)?)
    }

    /// Why this contact does not get it. Asked again after each wait, since
    /// people change.
    fn forbidden(&self, run: &Run, sent: &Sent) -> Option<String> {
        if !self.enabled {
            return Some("it is switched off".into());
        }
        match &self.when {
            When::At(at) if *at != run.local => {
                return Some("it is for another time now".into());
            }
            When::After { what: Happening::Tag(tag), .. } if !contact::has_tag(tag) => {
                return Some(format!("the contact has no `{tag}` any more"));
            }
            When::At(_) | When::Every(_) | When::Yearly { .. } | When::After { .. } => {}
        }
        if self.message.category == Category::Marketing
            && contact::marketing_consent() == "opted-out"
        {
            return Some("the contact has stopped marketing messages".into());
        }
        if contact::in_handoff() {
            return Some("a person is answering".into());
        }
        if let Some(reason) = self.to.refuses(sent) {
            return Some(reason);
        }
        if sent.has(&run.name()) {
            return Some("it has been sent".into());
        }
        let cap = self.cap.filter(|cap| sent.fills(cap))?;
        Some(format!("the contact has had {} in {} days", cap.count, cap.window / DAY_MS))
    }

    fn send(&self, run: &Run, mould: &Mould, sent: &mut Sent) -> Result<(), String> {
        // No value, no address, consent withdrawn: nothing that a retry mends.
        match self.message.with(mould).and_then(reply) {
            Ok(_) => {
                because(format!("`{}` for {}", self.id, run.local));
                sent.add(run.name(), self.message.category)
            }
            Err(refusal) => {
                leave_out(&self.id, &refusal);
                Ok(())
            }
        }
    }
}
