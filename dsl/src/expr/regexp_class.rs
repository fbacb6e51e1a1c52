//! Classes of characters and escapes in the server's patterns, written as the crate `regex` writes them.

/// How a pattern sees text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flavour {
    /// As bytes.
    pub(super) binary: bool,
    /// Case does not matter.
    pub(super) ignore_case: bool,
}

/// What an escape or a member of a class stands for.
#[derive(Debug)]
pub(super) enum Meaning {
    /// One character.
    One(char),
    /// A set that has a letter in both cases or not at all, as the inside of brackets.
    Set(String),
    /// A set that minds the case of letters whatever the flags say.
    Cased(String),
}

impl Meaning {
    /// As part of a pattern, outside brackets.
    pub(super) fn text(&self) -> String {
        match self {
            Meaning::One(char) => regex::escape(char.encode_utf8(&mut [0; 4])),
            Meaning::Set(inside) => format!("[{inside}]"),
            Meaning::Cased(inside) => format!("(?-i:[{inside}])"),
        }
    }
}

const HORIZONTAL: &str = "\\t\\x20\\u{a0}\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}";
const VERTICAL: &str = "\\n\\x0b\\f\\r\\u{85}\\u{2028}\\u{2029}";
/// What leaves ink, and some signs that do not.
const GRAPHIC: &str = "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}[\\p{Cf}--[\\u{61c}\\u{180e}\\u{2066}-\\u{2069}]]";
/// Scripts whose name takes in the signs they share with others.
const SCRIPTS: [&str; 9] = [
    "Arabic", "Bopomofo", "Cyrillic", "Greek", "Han", "Hangul", "Hiragana", "Katakana", "Latin",
];

/// The inside of brackets for a named set; `None` when there is none of this name.
fn named(name: &str, binary: bool) -> Option<Meaning> {
    let set = |wide: &str, narrow: &str| Meaning::Set(if binary { narrow } else { wide }.to_owned());
    Some(match name {
        "alpha" => set("\\p{L}", "A-Za-z"),
        "lower" if !binary => Meaning::Cased("\\p{Ll}".to_owned()),
        "upper" if !binary => Meaning::Cased("\\p{Lu}".to_owned()),
        "lower" => set("", "a-z"),
        "upper" => set("", "A-Z"),
        "alnum" => set("\\p{L}\\p{N}", "0-9A-Za-z"),
        "digit" => set("\\p{Nd}", "0-9"),
        "word" => set("\\p{L}\\p{N}_", "0-9A-Za-z_"),
        "space" => set(
            &format!("{HORIZONTAL}{VERTICAL}\\p{{Z}}"),
            "\\t\\n\\x0b\\f\\r\\x20",
        ),
        "blank" => set(HORIZONTAL, "\\t\\x20"),
        "vertical" => set(VERTICAL, "\\n\\x0b\\f\\r\\x85"),
        "cntrl" => set("\\p{Cc}", "\\x00-\\x1f\\x7f"),
        "graph" => set(GRAPHIC, "!-\\x7e"),
        "print" => set(&format!("{GRAPHIC}\\p{{Zs}}\\u{{180e}}"), "\\x20-\\x7e"),
        "punct" => set("\\p{P}$+<=>\\^`|\\x7e", "!-/:-@\\[-`\\{-\\x7e"),
        "xdigit" => set("0-9A-Fa-f", "0-9A-Fa-f"),
        "ascii" => set("\\x00-\\x7f", "\\x00-\\x7f"),
        _ => return None,
    })
}

/// The set without its members, as the inside of brackets.
fn inverted(set: Meaning) -> Meaning {
    match set {
        Meaning::Cased(inside) => Meaning::Cased(format!("[^{inside}]")),
        Meaning::Set(inside) => Meaning::Set(format!("[^{inside}]")),
        one @ Meaning::One(_) => one,
    }
}

/// Reads what stands behind a backslash. In brackets `\b` is a character.
pub(super) fn escape_of(rest: &mut &str, flavour: Flavour, in_class: bool) -> Result<Meaning, String> {
    let Some(char) = rest.chars().next() else {
        return Err("`\\` at the end".to_owned());
    };
    *rest = &rest[char.len_utf8()..];
    let set = |name: &str| named(name, flavour.binary).expect("a name of the table");
    Ok(match char {
        'd' => set("digit"),
        'w' => set("word"),
        's' => set("space"),
        'h' => set("blank"),
        'v' => set("vertical"),
        'D' => inverted(set("digit")),
        'W' => inverted(set("word")),
        'S' => inverted(set("space")),
        'H' => inverted(set("blank")),
        'V' => inverted(set("vertical")),
        't' => Meaning::One('\t'),
        'n' => Meaning::One('\n'),
        'r' => Meaning::One('\r'),
        'f' => Meaning::One('\u{c}'),
        'a' => Meaning::One('\u{7}'),
        'e' => Meaning::One('\u{1b}'),
        'b' if in_class => Meaning::One('\u{8}'),
        'x' => coded(rest, 16, 2)?,
        'o' if rest.starts_with('{') => coded(rest, 8, 0)?,
        '0'..='7' => {
            let digits = rest
                .bytes()
                .take(2)
                .take_while(|byte| matches!(byte, b'0'..=b'7'));
            let (octal, left) = rest.split_at(digits.count());
            *rest = left;
            character(u32::from_str_radix(&format!("{char}{octal}"), 8).ok())?
        }
        'c' => match rest.chars().next().filter(char::is_ascii_graphic) {
            Some(letter) => {
                *rest = &rest[1..];
                character(Some(u32::from(letter.to_ascii_uppercase()) ^ 64))?
            }
            None => return Err("`\\c` without a letter".to_owned()),
        },
        'p' | 'P' => property(rest, char == 'P', flavour)?,
        letter if letter.is_ascii_alphanumeric() => return Err(format!("`\\{letter}` is not known")),
        other => Meaning::One(other),
    })
}

fn character(code: Option<u32>) -> Result<Meaning, String> {
    code.and_then(char::from_u32)
        .map(Meaning::One)
        .ok_or_else(|| "no such character".to_owned())
}

/// `{1F600}` or at most so many digits.
fn coded(rest: &mut &str, base: u32, most: usize) -> Result<Meaning, String> {
    if let Some((digits, left)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        *rest = left;
        return character(u32::from_str_radix(digits, base).ok());
    }
    let count = rest.bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
    let (digits, left) = rest.split_at(count);
    *rest = left;
    character(u32::from_str_radix(&format!("0{digits}"), base).ok())
}

/// `\pL`, `\p{Han}`, `\P{L}`, `\p{^L}`.
fn property(rest: &mut &str, negated: bool, flavour: Flavour) -> Result<Meaning, String> {
    let name = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        Some((name, left)) => {
            *rest = left;
            name
        }
        None => {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            let (name, left) = rest.split_at(length);
            *rest = left;
            name
        }
    };
    if flavour.binary {
        return Err("`\\p` does not go with bytes".to_owned());
    }
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, !negated),
        None => (name, negated),
    };
    let set = match name {
        "Any" => "\\x00-\\u{10ffff}".to_owned(),
        "L&" => "\\p{Lu}\\p{Ll}\\p{Lt}".to_owned(),
        "Xan" => "\\p{L}\\p{N}".to_owned(),
        "Xwd" => "\\p{L}\\p{N}_".to_owned(),
        "Xsp" | "Xps" => format!("{HORIZONTAL}{VERTICAL}\\p{{Z}}"),
        script if SCRIPTS.contains(&script) => format!("\\p{{scx={script}}}"),
        plain
            if !plain.is_empty()
                && plain
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
        {
            format!("\\p{{{plain}}}")
        }
        other => return Err(format!("`\\p{{{other}}}` is not known")),
    };
    let set = Meaning::Cased(set);
    Ok(if negated { inverted(set) } else { set })
}

/// Reads a class behind its `[`.
pub(super) fn class(rest: &mut &str, flavour: Flavour) -> Result<String, String> {
    let unclosed = || "`[` without `]`".to_owned();
    let negated = match rest.strip_prefix('^') {
        Some(left) => {
            *rest = left;
            true
        }
        None => false,
    };
    if let Some((inner, _)) = rest.strip_prefix(':').and_then(|inner| inner.split_once(']'))
        && inner.ends_with(':')
        && !negated
    {
        return Err(format!(
            "`[:{inner}]` stands in brackets of its own: `[[:{inner}]]`"
        ));
    }
    let (mut plain, mut cased) = (String::new(), String::new());
    let mut first = true;
    loop {
        let char = rest.chars().next().ok_or_else(unclosed)?;
        if char == ']' && !first {
            *rest = &rest[1..];
            break;
        }
        first = false;
        let written = !rest.starts_with('\\');
        let from = match member(rest, flavour)? {
            Meaning::One(from) => units(from, written, flavour)?,
            set => {
                if rest.starts_with('-') && !rest.starts_with("-]") {
                    return Err("a range cannot begin with a class".to_owned());
                }
                match set {
                    Meaning::Cased(inside) if flavour.ignore_case => cased.push_str(&inside),
                    Meaning::Cased(inside) | Meaning::Set(inside) => plain.push_str(&inside),
                    Meaning::One(_) => {}
                }
                continue;
            }
        };
        from.iter().for_each(|unit| plain.push_str(&unit.shown()));
        if rest.starts_with('-') && !rest.starts_with("-]") {
            *rest = &rest[1..];
            let written = !rest.starts_with('\\');
            let Meaning::One(to) = member(rest, flavour)? else {
                return Err("a range cannot end with a class".to_owned());
            };
            let to = units(to, written, flavour)?;
            // Of bytes it reaches from the last one of a character to the first one of the other.
            if from.last() > to.first() {
                return Err("a range runs backwards".to_owned());
            }
            plain.push('-');
            to.iter().for_each(|unit| plain.push_str(&unit.shown()));
        }
    }
    let sign = if negated { "^" } else { "" };
    Ok(match (plain.is_empty(), cased.is_empty()) {
        (_, true) => format!("[{sign}{plain}]"),
        (true, false) => format!("(?-i:[{sign}{cased}])"),
        (false, false) if negated => {
            return Err(
                "a negated class with both letters and [:upper:], [:lower:] or \\p is not supported"
                    .to_owned(),
            );
        }
        (false, false) => format!("(?:[{plain}]|(?-i:[{cased}]))"),
    })
}

/// What a class is made of: characters, or bytes beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Char(char),
    Byte(u8),
}

impl Unit {
    /// Inside brackets.
    fn shown(self) -> String {
        match self {
            Unit::Char(' ') => "\\x20".to_owned(),
            Unit::Char(char) => regex::escape(char.encode_utf8(&mut [0; 4])),
            Unit::Byte(byte) => format!("\\x{byte:02x}"),
        }
    }
}

/// A character as members of a class: among bytes one that is `written` is all of its bytes, and one that an escape
/// stands for is the byte with its number.
fn units(char: char, written: bool, flavour: Flavour) -> Result<Vec<Unit>, String> {
    if !flavour.binary || char.is_ascii() {
        return Ok(vec![Unit::Char(char)]);
    }
    if written {
        let mut bytes = [0; 4];
        return Ok(char.encode_utf8(&mut bytes).bytes().map(Unit::Byte).collect());
    }
    let byte = u8::try_from(u32::from(char)).map_err(|_| "no such byte".to_owned())?;
    Ok(vec![Unit::Byte(byte)])
}

/// One member of a class.
fn member(rest: &mut &str, flavour: Flavour) -> Result<Meaning, String> {
    let unclosed = || "`[` without `]`".to_owned();
    if let Some(inner) = rest.strip_prefix("[:")
        && let Some((name, left)) = inner.split_once(":]")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'^')
    {
        *rest = left;
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let set = named(name, flavour.binary).filter(|_| name != "vertical");
        let set = set.ok_or_else(|| format!("`[:{name}:]` is not known"))?;
        return Ok(if negated { inverted(set) } else { set });
    }
    let char = rest.chars().next().ok_or_else(unclosed)?;
    *rest = &rest[char.len_utf8()..];
    if char == '\\' {
        return escape_of(rest, flavour, true);
    }
    Ok(Meaning::One(char))
}
