//! How long to wait before the next attempt, here and wherever else something
//! is asked of a provider. Pure: the chance comes in as a number.

use crate::model::Millis;

/// The longest pause after passing trouble.
pub const RETRY_MAX_MS: Millis = 5 * 60_000;
/// The longest pause where a limit is counted by the hour.
pub const SLOW_MAX_MS: Millis = 60 * 60_000;
/// The longest pause for one contact.
pub const PAIR_MAX_MS: Millis = 15 * 60_000;

/// The longest pause after contacts complained.
pub const SPAM_MAX_MS: Millis = 12 * 60 * 60_000;

const RETRY_MS: Millis = 1000;
const SLOW_MS: Millis = 60_000;
const PAIR_MS: Millis = 1000;
const SPAM_MS: Millis = 60 * 60_000;

/// After the `tries`-th failure (from 1): 1, 2, 4 … seconds, up to half as much
/// again by chance, never over the longest.
pub fn retry(tries: u32, jitter: f64) -> Millis {
    growing(RETRY_MS, 2, tries, jitter, RETRY_MAX_MS)
}

/// 1, 2, 4 … minutes.
pub fn slow(tries: u32, jitter: f64) -> Millis {
    growing(SLOW_MS, 2, tries, jitter, SLOW_MAX_MS)
}

/// 1, 4, 16 … seconds: what Meta asks for after too much to one contact.
pub fn pair(tries: u32, jitter: f64) -> Millis {
    growing(PAIR_MS, 4, tries, jitter, PAIR_MAX_MS)
}

/// 1, 2, 4 … hours.
pub fn spam(tries: u32, jitter: f64) -> Millis {
    growing(SPAM_MS, 2, tries, jitter, SPAM_MAX_MS)
}

/// `first`, and `factor` times as much after each further failure; chance and
/// the longest as above.
pub fn growing(first: Millis, factor: Millis, tries: u32, jitter: f64, longest: Millis) -> Millis {
    let pause = first.saturating_mul(factor.saturating_pow(tries.saturating_sub(1))).min(longest);
    let more = (pause as f64 * jitter.clamp(0.0, 1.0) / 2.0) as Millis;
    (pause + more).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_grow_as_said() {
        assert_eq!([1, 2, 3, 4].map(|n| retry(n, 0.0)), [1000, 2000, 4000, 8000]);
        assert_eq!([1, 2, 3].map(|n| slow(n, 0.0)), [60_000, 120_000, 240_000]);
        assert_eq!([1, 2, 3, 4].map(|n| pair(n, 0.0)), [1000, 4000, 16_000, 64_000]);
        assert_eq!(retry(1, 1.0), 1500);
        let hour = 3_600_000;
        let up_to_an_hour = [0, 1, 12, 13, 400].map(|n| growing(1000, 2, n, 0.0, hour));
        assert_eq!(up_to_an_hour, [1000, 1000, 2_048_000, hour, hour]);
    }

    proptest! {
        #[test]
        fn they_never_shrink_and_never_pass_the_longest(
            tries in 0..5000u32, one in 0.0..1.0f64, other in 0.0..1.0f64,
        ) {
            type Pause = fn(u32, f64) -> Millis;
            let all: [(Pause, Millis); 4] = [
                (retry, RETRY_MAX_MS),
                (slow, SLOW_MAX_MS),
                (pair, PAIR_MAX_MS),
                (spam, SPAM_MAX_MS),
            ];
            for (pause, longest) in all {
                prop_assert!(pause(tries + 1, other) >= pause(tries, one).min(longest) || tries == 0);
                prop_assert!(pause(tries, one) <= longest && pause(tries, one) >= 1000);
            }
        }
    }
}
