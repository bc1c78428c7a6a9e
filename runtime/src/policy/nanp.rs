//! Which numbers of calling code 1 are not of the United States. The North
//! American Numbering Plan gives each of its countries area codes of its own,
//! and its administrator (nanpa.com) lists them: those below are Canada's and
//! the islands' as they were in 2025. Areas of the States outside the
//! continent (Puerto Rico, Guam, …) are of the States, and so is, to be on the
//! safe side, each code that is not here. 555 is nobody's: numbers for trying
//! things out have it, Meta's own too.

/// In order.
const ELSEWHERE: [u16; 76] = [
    204, 226, 236, 242, 246, 249, 250, 263, 264, 268, 284, 289, 306, 343, 345, 354, 365, 367, 368,
    382, 387, 403, 416, 418, 428, 431, 437, 438, 441, 450, 468, 473, 474, 506, 514, 519, 548, 555,
    579, 581, 584, 587, 604, 613, 639, 647, 649, 658, 664, 672, 683, 705, 709, 721, 742, 753, 758,
    767, 778, 780, 782, 784, 807, 809, 819, 825, 829, 849, 867, 868, 869, 873, 876, 879, 902, 905,
];

/// Whether a number, as digits with country code, is one of the United States,
/// or may be.
pub fn is_us(phone: &str) -> bool {
    let Some(national) = phone.strip_prefix('1') else { return false };
    let area = national.get(..3).and_then(|area| area.parse().ok());
    area.is_none_or(|area: u16| ELSEWHERE.binary_search(&area).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ELSEWHERE.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn neighbours_are_told_apart() {
        for us in ["12125550100", "17875550100", "16715550100", "1", "19995550100"] {
            assert!(is_us(us), "{us}");
        }
        for other in [
            "15551234567",
            "14165550100",
            "18765550100",
            "18095550100",
            "14415550100",
            "4915112345678",
        ] {
            assert!(!is_us(other), "{other}");
        }
    }
}
