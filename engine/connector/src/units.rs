//! Durations, sizes and rates as people write them.

/// `500ms`, `30s`, `6m`, `24h`, `7d` in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    i64::try_from(number).ok()?.checked_mul(factor)
}

/// `4096`, `64KiB`, `32MiB`, `1GiB` in bytes.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// So many calls in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: u32,
    /// In this time.
    pub per_ms: i64,
}

impl Rate {
    /// Whether keeping this rate keeps the other one, too.
    pub(crate) fn keeps(self, other: Rate) -> bool {
        let stretches = (other.per_ms.max(1) + self.per_ms - 1) / self.per_ms;
        i64::from(self.calls).saturating_mul(stretches) <= i64::from(other.calls)
    }
}

/// `5/s`, `60/min`, `100/20s`, `1000/h`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (calls, per) = text.split_once('/')?;
    let calls: u32 = calls.parse().ok().filter(|calls| *calls > 0)?;
    let per_ms = match per {
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" | "day" => 86_400_000,
        other => duration_ms(other).filter(|ms| *ms > 0)?,
    };
    Some(Rate { calls, per_ms })
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(duration_ms("500ms"), Some(500));
        assert_eq!(duration_ms("6m"), Some(360_000));
        assert_eq!(duration_ms("7d"), Some(604_800_000));
        for bad in [
            "",
            "6",
            "m",
            "1.5s",
            "-1s",
            "6 m",
            "6min",
            "99999999999999999999s",
            "9223372036854775807d",
        ] {
            assert_eq!(duration_ms(bad), None, "{bad}");
        }
        assert_eq!(bytes("32MiB"), Some(32 << 20));
        assert_eq!(bytes("32MB"), None);
        assert_eq!(
            rate("60/min"),
            Some(Rate {
                calls: 60,
                per_ms: 60_000
            })
        );
        assert_eq!(
            rate("100/20s"),
            Some(Rate {
                calls: 100,
                per_ms: 20_000
            })
        );
        for bad in ["0/s", "5", "/s", "5/", "5/0s", "x/s"] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }
}
