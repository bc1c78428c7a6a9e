//! What the campaign is told of one of its members: who does not get it and
//! why, and which variant a member is in.

use switchboard_plugin::because;

/// `reason` is the same for all who do not get it for the same reason, so that
/// they can be counted.
pub fn leave_out(promo: &str, reason: &str) {
    because(format!("`{promo}` is not sent: {reason}"));
}

/// Says nothing where a promotion has no variants.
pub fn variant(promo: &str, name: &str) {
    if !name.is_empty() {
        because(format!("`{promo}` in its variant `{name}`"));
    }
}
