//! In which language a caller is answered.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use dsl::Lang;

/// Parts of the header that are looked at; nobody prefers more languages.
const MOST: usize = 32;

/// The first of our languages among those the caller prefers; Chinese when it says nothing that we know.
pub fn preferred(headers: &HeaderMap) -> Lang {
    let Some(text) = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
        return Lang::Zh;
    };
    let mut best = (Lang::Zh, 0_u32);
    for part in text.split(',').take(MOST) {
        let mut pieces = part.split(';');
        let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let lang = match tag.split('-').next() {
            Some("zh" | "*") => Lang::Zh,
            Some("en") => Lang::En,
            _ => continue,
        };
        let quality = pieces
            .find_map(|piece| piece.trim().strip_prefix("q="))
            .map_or(1_000, thousandths);
        if quality > best.1 {
            best = (lang, quality);
        }
    }
    best.0
}

/// `1`, `0.8` in thousandths; what cannot be read counts as least.
fn thousandths(text: &str) -> u32 {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), part.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(part)) => (whole * 1_000 + part).min(1_000),
        _ => 1,
    }
}

/// The word of the header `Content-Language`.
pub(crate) fn tag(lang: Lang) -> &'static str {
    lang.pick("zh", "en")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_chooses() {
        for (text, want) in [
            ("", Lang::Zh),
            ("en", Lang::En),
            ("en-US,en;q=0.9,zh;q=0.8", Lang::En),
            ("de, zh-CN;q=0.7, en;q=0.6", Lang::Zh),
            ("de", Lang::Zh),
            ("zh;q=0.2,en;q=0.25", Lang::En),
            ("zh;q=0,en;q=0.001", Lang::En),
            ("*", Lang::Zh),
            ("en;q=many", Lang::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, text.parse().unwrap());
            assert_eq!(preferred(&headers), want, "{text}");
        }
        assert_eq!(preferred(&HeaderMap::new()), Lang::Zh);
    }
}
