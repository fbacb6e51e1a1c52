//! `application/x-www-form-urlencoded`: bodies and query texts as pairs.

/// Bytes after percent decoding; `+` is a blank, a `%` without two digits stays.
fn decode(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[at], digits.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'+', _) => out.push(b' '),
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// Decoded text; `None` when it is not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(decode(bytes)).ok()
}

/// Decoded text, with marks in place of what is not UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&decode(bytes)).into_owned()
}

/// The raw pairs of a text; a name without `=` has an empty value.
pub(crate) fn split(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let cut = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            (&pair[..cut], pair.get(cut + 1..).unwrap_or_default())
        })
}

/// Decoded pairs in the order they were sent, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// The error says what is wrong.
    pub(crate) fn read(body: &[u8]) -> Result<Pairs, String> {
        let mut pairs = Pairs::default();
        for (name, value) in split(body) {
            let (Some(name), Some(value)) = (text(name), text(value)) else {
                return Err("参数不是 UTF-8 文本".to_owned());
            };
            if pairs.find(&name).is_some() {
                return Err(format!("参数 {name} 重复"));
            }
            pairs.0.push((name, value));
        }
        Ok(pairs)
    }

    /// A value; `None` when the name is not there.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A value; empty when the name is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_as_they_were_meant() {
        let pairs = Pairs::read(b"a=%E5%AE%A2+%2B&b=&c&d=x%3Dy=z&").unwrap();
        let got: Vec<_> = pairs.iter().collect();
        assert_eq!(got, [("a", "客 +"), ("b", ""), ("c", ""), ("d", "x=y=z")]);
        assert_eq!((pairs.find("c"), pairs.find("e")), (Some(""), None));
        assert!(Pairs::read(b"a=1&a=2").is_err());
        assert!(Pairs::read(b"a=%FF").is_err());
        assert_eq!(text(b"50%"), Some("50%".to_owned()));
    }
}
