//! A shorter input that goes wrong in the same way.

use std::time::Duration;

use crate::judge::cpu;

/// Tries that one input is worth.
const TRIES: usize = 4_000;
/// Processor time that one input is worth: the tries of a slow one are slow.
const WORTH: Duration = Duration::from_secs(30);

/// Takes pieces out of an input, halves first and single bytes last, as long as `still_wrong` holds.
pub fn minimise(input: &[u8], mut still_wrong: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut piece = best.len().div_ceil(2).max(1);
    let mut tries = 0;
    let began = cpu();
    while tries < TRIES && !best.is_empty() && cpu().saturating_sub(began) < WORTH {
        let mut at = 0;
        let mut shorter = false;
        while at < best.len() && tries < TRIES && cpu().saturating_sub(began) < WORTH {
            let end = (at + piece).min(best.len());
            let without = [&best[..at], &best[end..]].concat();
            tries += 1;
            if still_wrong(&without) {
                best = without;
                shorter = true;
            } else {
                at = end;
            }
        }
        match (piece, shorter) {
            (1, false) => break,
            (1, true) => {}
            _ => piece = piece.div_ceil(2),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_stays() {
        let long = format!("{}((X{}", "a".repeat(300), " b)".repeat(50));
        let found = minimise(long.as_bytes(), |text| {
            text.contains(&b'X') && text.contains(&b')')
        });
        assert_eq!(found, b"X)");
        assert_eq!(minimise(b"", |_| true), b"");
        assert_eq!(minimise(b"abc", |_| false), b"abc");
    }
}
