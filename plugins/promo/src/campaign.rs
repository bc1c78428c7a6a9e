//! What the campaign is told of one of its members: who does not get it and
//! why, and which variant a member is in. A promotion that follows a message is
//! of no campaign, and then only the trace is told.

use switchboard_plugin::because;

/// The longest reason that is counted, in bytes.
const REASON_BYTES: usize = 200;

/// `reason` is the same for all who do not get it for the same reason, so that
/// they can be counted.
pub fn leave_out(promo: &str, reason: &str) {
    because(format!("`{promo}` is not sent: {reason}"));
    let end = (0..=REASON_BYTES.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at));
    // Refused where there is no campaign.
    let _ = switchboard_plugin::leave_out(reason.get(..end.unwrap_or(0)).unwrap_or_default());
}

/// Says nothing where a promotion has no variants.
pub fn variant(promo: &str, name: &str) {
    if !name.is_empty() {
        because(format!("`{promo}` in its variant `{name}`"));
        let _ = switchboard_plugin::variant(name);
    }
}
