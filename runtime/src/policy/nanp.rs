//! Which numbers of calling code 1 are not of the United States. The North
//! American Numbering Plan gives each of its countries area codes of its own.
//! The list is that of libphonenumber 9.0.43 (read in November 2026), which
//! follows nanpa.com. Areas of the States outside the continent (Puerto Rico,
//! Guam, …) are of the States, as WhatsApp speaks of a US area code, and so is,
//! to be on the safe side, each code that is not here. 555 is nobody's: numbers
//! for trying things out have it, Meta's own too.

/// Of Canada, also where no place belongs to it: in order.
const CANADA: [u16; 59] = [
    204, 226, 236, 249, 250, 257, 263, 273, 289, 306, 343, 354, 365, 367, 368, 382, 403, 416, 418,
    428, 431, 437, 438, 450, 468, 474, 506, 514, 519, 548, 579, 581, 584, 587, 600, 604, 613, 622,
    633, 639, 647, 672, 683, 705, 709, 742, 753, 778, 780, 782, 807, 819, 825, 867, 873, 879, 902,
    905, 942,
];
/// Of Bermuda and the islands of the Caribbean, and 555: in order.
const ISLANDS: [u16; 22] = [
    242, 246, 264, 268, 284, 345, 441, 473, 555, 649, 658, 664, 721, 758, 767, 784, 809, 829, 849,
    868, 869, 876,
];

/// Whether a number, as digits with country code, is one of the United States,
/// or may be.
pub fn is_us(phone: &str) -> bool {
    let Some(national) = phone.strip_prefix('1') else { return false };
    let area = national.get(..3).and_then(|area| area.parse().ok());
    area.is_none_or(|area: u16| {
        CANADA.binary_search(&area).is_err() && ISLANDS.binary_search(&area).is_err()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        assert!(CANADA.is_sorted_by(|one, next| one < next));
        assert!(ISLANDS.is_sorted_by(|one, next| one < next));
    }

    /// The number that libphonenumber gives as an example of a mobile one, for
    /// each country of the plan.
    #[test]
    fn each_country_s_example_is_told() {
        for us in [
            "12015550123",
            "16847331234",
            "16713001234",
            "16702345678",
            "17872345678",
            "13406421234",
        ] {
            assert!(is_us(us), "{us}");
        }
        for other in [
            "12684641234",
            "12642351234",
            "12462501234",
            "14413701234",
            "12423591234",
            "15062345678",
            "17672251234",
            "18092345678",
            "14734031234",
            "18762101234",
            "18697652917",
            "13453231234",
            "17582845678",
            "16644923456",
            "17215205678",
            "16492311234",
            "18682911234",
            "17844301234",
            "12843001234",
        ] {
            assert!(!is_us(other), "{other}");
        }
    }

    /// Codes beside each other, and Canada's newest, by the same source.
    #[test]
    fn neighbours_are_told_apart() {
        let number = |area: u16| format!("1{area}5550100");
        for us in [203, 205, 227, 231, 251, 272, 274, 686, 754, 939, 941, 943] {
            assert!(is_us(&number(us)), "{us}");
        }
        for canada in [204, 226, 236, 257, 263, 273, 416, 604, 683, 709, 742, 753, 867, 942] {
            assert!(!is_us(&number(canada)), "{canada}");
        }
    }

    #[test]
    fn what_is_of_no_list_may_be_of_the_states() {
        for us in ["1", "19995550100", "13875550100"] {
            assert!(is_us(us), "{us}");
        }
        for other in ["15551234567", "4915112345678"] {
            assert!(!is_us(other), "{other}");
        }
    }
}
