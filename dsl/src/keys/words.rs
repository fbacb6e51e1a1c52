//! Forms of text: ids, durations, zones, cron texts.

use super::Word;

/// The id of a scheme.
pub const ID: Word = Word {
    pattern: "^[a-z0-9][a-z0-9-]{0,63}$",
    fits: |text| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        (1..=64).contains(&text.len())
            && text.bytes().next().is_some_and(letter)
            && text.bytes().all(|byte| letter(byte) || byte == b'-')
    },
    zh: "由小写字母、数字和 - 组成的 id,最多 64 个字符",
    en: "an id of small letters, digits and -, at most 64 characters",
};

/// A length of time.
pub const DURATION: Word = Word {
    pattern: "^[0-9]{1,9}(ms|s|m|h|d)$",
    fits: |text| duration_ms(text).is_some_and(|ms| ms >= 0) && !text.starts_with('-'),
    zh: "时长,例如 500ms、60s、6m、24h、7d",
    en: "a length of time such as 500ms, 60s, 6m, 24h, 7d",
};

/// Whole days: what went wrong overnight can still be looked at.
pub const DAYS: Word = Word {
    pattern: "^[1-9][0-9]{0,4}d$",
    fits: |text| {
        let digits = text.strip_suffix('d').unwrap_or_default();
        (1..=5).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    },
    zh: "整天数,至少 1d,例如 90d",
    en: "whole days, at least 1d, such as 90d",
};

/// A point in time, or a length of time before now.
pub const MOMENT: Word = Word {
    pattern: "^(-[0-9]{1,9}(ms|s|m|h|d)|[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)$",
    fits: |text| (text.starts_with('-') && duration_ms(text).is_some()) || dated(text),
    zh: "时间,例如 -7d、2026-01-01 或 2026-01-01 08:00:00",
    en: "a time such as -7d, 2026-01-01 or 2026-01-01 08:00:00",
};

/// An IANA zone.
pub const ZONE: Word = Word {
    pattern: "^[A-Za-z][A-Za-z0-9_+/-]{0,63}$",
    fits: |text| {
        text.len() <= 64
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+/-".contains(&byte))
    },
    zh: "IANA 时区,例如 Asia/Shanghai",
    en: "an IANA zone such as Asia/Shanghai",
};

/// A cron text of five fields, or of six with seconds.
pub const CRON: Word = Word {
    pattern: "^[0-9A-Za-z*?/,#-]+( +[0-9A-Za-z*?/,#-]+){4,5}$",
    fits: |text| {
        let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"*?/,#-".contains(&byte);
        (5..=6).contains(&fields.len())
            && !text.starts_with(' ')
            && !text.ends_with(' ')
            && fields.iter().all(|field| field.bytes().all(known))
    },
    zh: "五段或六段的 cron 文本,例如 \"*/30 * * * *\"",
    en: "a cron text of five or six fields such as \"*/30 * * * *\"",
};

/// So many calls in so long.
pub const RATE: Word = Word {
    pattern: "^[1-9][0-9]{0,5}/(s|min|h|d)$",
    fits: |text| rate(text).is_some(),
    zh: "频率,例如 60/min",
    en: "a rate such as 60/min",
};

/// Calls, and milliseconds.
pub fn rate(text: &str) -> Option<(u32, i64)> {
    let (calls, unit) = text.split_once('/')?;
    let plain =
        calls.len() <= 6 && !calls.starts_with('0') && calls.bytes().all(|byte| byte.is_ascii_digit());
    let per_ms = match unit {
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some((calls.parse().ok().filter(|_| plain)?, per_ms))
}

/// Hours of the day.
pub const HOURS: Word = Word {
    pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    fits: |text| crate::cron::span(text).is_some(),
    zh: "时段,例如 08:00-22:00 或 22:00-06:00",
    en: "hours such as 08:00-22:00 or 22:00-06:00",
};

/// Milliseconds of a length of time; a leading `-` makes it negative.
///
/// ```
/// use dsl::keys::duration_ms;
/// assert_eq!(duration_ms("6m"), Some(360_000));
/// assert_eq!(duration_ms("-7d"), Some(-604_800_000));
/// assert_eq!(duration_ms("6 minutes"), None);
/// ```
pub fn duration_ms(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit).map(|ms| sign * ms)
}

/// The form of [`MOMENT`]'s dates.
fn dated(text: &str) -> bool {
    let form = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b' ' => byte == b' ' || byte == b'T',
                other => byte == other,
            })
    };
    let (Some(date), Some(rest)) = (text.get(..10), text.get(10..)) else {
        return false;
    };
    if !form(date, "0000-00-00") {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    let zone = rest
        .len()
        .checked_sub(6)
        .filter(|at| *at > 0)
        .and_then(|at| rest.get(at..));
    let clock = match zone {
        Some(zone) if form(zone, "+00:00") || form(zone, "-00:00") => &rest[..rest.len() - 6],
        _ => rest.strip_suffix('Z').unwrap_or(rest),
    };
    let (clock, fraction) = clock
        .split_once('.')
        .map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let whole = form(clock, " 00:00:00");
    match fraction {
        Some(fraction) => {
            whole && (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit())
        }
        None => whole || form(clock, " 00:00"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &Word, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!((word.fits)(text), "{text:?} is {}", word.en);
        }
        for text in bad {
            assert!(!(word.fits)(text), "{text:?} is not {}", word.en);
        }
    }

    #[test]
    fn forms() {
        check(&ID, &["huke-to-k3", "02b"], &["", "-a", "Huke", "a_b", "客户"]);
        check(
            &DURATION,
            &["6m", "500ms", "24h", "0s"],
            &["6", "-6m", "6 m", "m", "1.5h", "9999999999s"],
        );
        check(
            &DAYS,
            &["1d", "90d", "99999d"],
            &["0d", "01d", "90", "24h", "-1d", "100000d"],
        );
        check(
            &MOMENT,
            &[
                "-7d",
                "2026-01-01",
                "2026-01-01 08:00:00",
                "2026-01-01T08:00:00+08:00",
                "2026-01-01 08:00",
            ],
            &[
                "7d",
                "yesterday",
                "2026-1-1",
                "2026-01-01 8:00",
                "2026-01-01T08:00:00+08",
            ],
        );
        check(&ZONE, &["Asia/Shanghai", "UTC"], &["", "+08:00", "亚洲/上海"]);
        check(
            &CRON,
            &["*/30 * * * *", "0 0 2 * * ?", "2-59/5 8-22 * * 1,3"],
            &["* * * *", "every 6m", " * * * * *", "0 0 2 * * ? 2026"],
        );
        check(
            &HOURS,
            &["08:00-22:30", "22:00-06:00", "08:00-24:00"],
            &[
                "8-22",
                "08:00",
                "25:00-26:00",
                "08:00-24:01",
                "24:00-08:00",
                "08:00-08:00",
                "08:60-09:00",
            ],
        );
    }
}
