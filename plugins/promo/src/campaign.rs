//! What the campaign is told of one of its members: who does not get it and
//! why, and which variant a member is in. A promotion that follows something
//! that happened reaches a contact outside of any campaign: then the trace
//! alone tells.

use switchboard_plugin::because;

/// As long as the host takes a reason, in bytes.
const REASON_BYTES: usize = 200;

/// `reason` is the same for all who do not get it for the same reason, so that
/// they can be counted.
pub fn leave_out(promo: &str, reason: &str) {
    let heading = reason.get(..reason.floor_char_boundary(REASON_BYTES)).unwrap_or(reason);
    if switchboard_plugin::leave_out(heading).is_err() {
        because(format!("`{promo}` is not sent: {reason}"));
    }
}

/// Says nothing where a promotion has no variants.
pub fn variant(promo: &str, name: &str) {
    if !name.is_empty() && switchboard_plugin::variant(name).is_err() {
        because(format!("`{promo}` in its variant `{name}`"));
    }
}
