//! Phone numbers as digits with country code, and the second form that the
//! numbers of some countries have. Knows nothing of who has a number.
//!
//! WhatsApp keeps the form in which a number was registered, and people and
//! other systems use the other one:
//!
//! | country | forms | for |
//! |---|---|---|
//! | Brazil | `55 AA 9NNNNNNNN`, `55 AA NNNNNNNN` | mobile numbers from before the ninth digit: the eight begin with 6 to 9 |
//! | Mexico | `52 1 N×10`, `52 N×10` | all |
//! | Argentina | `54 9 N×10`, `54 N×10` | all |

/// The digits of a number as people write it: `+49 151 …`, `0049 151 …`.
pub fn digits(written: &str) -> String {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("00") {
        Some(rest) => rest.to_owned(),
        None => digits,
    }
}

/// The number as it is, then its other form if it has one.
pub fn phone_forms(phone: &str) -> Vec<String> {
    [Some(phone.to_owned()), other_form(phone)].into_iter().flatten().collect()
}

/// Whether both are one number, in whatever form.
pub fn same_phone(a: &str, b: &str) -> bool {
    a == b || other_form(a).is_some_and(|other| other == b)
}

/// The calling code that the digits begin with: those of one and of two digits
/// are few, and all others have three.
pub fn calling_code(phone: &str) -> Option<&str> {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let digits = match (phone.get(..1)?, phone.get(..2)) {
        ("1" | "7", _) => 1,
        (_, Some(two)) if TWO.contains(&two) => 2,
        _ => 3,
    };
    phone.get(..digits)
}

fn other_form(phone: &str) -> Option<String> {
    if !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (country, rest) = phone.split_at_checked(2)?;
    match country {
        "55" => brazil(rest),
        "52" => marked(country, "1", rest),
        "54" => marked(country, "9", rest),
        _ => None,
    }
}

fn brazil(rest: &str) -> Option<String> {
    // Newer numbers have always had nine digits, and without the first they
    // would be some landline's.
    let old_mobile = |number: &str| number.starts_with(['6', '7', '8', '9']);
    let (area, number) = rest.split_at_checked(2)?;
    match number.len() {
        8 if old_mobile(number) => Some(format!("55{area}9{number}")),
        9 => {
            let number = number.strip_prefix('9').filter(|number| old_mobile(number))?;
            Some(format!("55{area}{number}"))
        }
        _ => None,
    }
}

/// Numbers of ten digits, which stand with a mark before them or without.
fn marked(country: &str, mark: &str, rest: &str) -> Option<String> {
    match rest.len() {
        10 => Some(format!("{country}{mark}{rest}")),
        11 => rest.strip_prefix(mark).map(|number| format!("{country}{number}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_number() {
        for (long, short) in [
            ("5511987654321", "551187654321"),
            ("5215512345678", "525512345678"),
            ("5491123456789", "541123456789"),
        ] {
            assert_eq!(phone_forms(long), [long, short]);
            assert_eq!(phone_forms(short), [short, long]);
            assert!(same_phone(long, short) && same_phone(short, long));
        }
    }

    #[test]
    fn numbers_that_only_look_alike_are_two() {
        for (a, b) in [
            // A landline of São Paulo, and a mobile that never had eight digits.
            ("551131234567", "5511931234567"),
            ("5511987654321", "551187654322"),
            ("15512345678", "155112345678"),
            ("4915112345678", "49915112345678"),
            ("5255123456", "52155123456"),
            ("52a512345678", "521a512345678"),
        ] {
            assert!(!same_phone(a, b) && !same_phone(b, a), "{a} {b}");
        }
        assert_eq!(phone_forms("551131234567"), ["551131234567"]);
        assert_eq!(phone_forms(""), [""]);
    }

    #[test]
    fn digits_are_what_is_left_of_writing() {
        for written in ["+52 1 (55) 1234-5678", "0052 1 55 1234 5678", " 5215512345678"] {
            assert_eq!(digits(written), "5215512345678");
        }
        assert_eq!(digits("no number"), "");
    }

    #[test]
    fn calling_codes_have_one_to_three_digits() {
        for (phone, code) in [
            ("4915112345678", "49"),
            ("15550000001", "1"),
            ("79261234567", "7"),
            ("989121234567", "98"),
            ("9647701234567", "964"),
            ("351912345678", "351"),
        ] {
            assert_eq!(calling_code(phone), Some(code));
        }
        assert_eq!((calling_code(""), calling_code("35")), (None, None));
    }
}
