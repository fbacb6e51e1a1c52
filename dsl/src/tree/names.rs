//! Names with `$`: which exist, and where each may be used.

use crate::path::Path;

/// A kind of value place: what it may read.
#[derive(Debug, Clone, Copy)]
pub struct TreePlace {
    /// The first names that are allowed (`$window`). `$now` is allowed everywhere.
    pub names: &'static [&'static str],
    /// Whether fields of a record may be read.
    pub fields: bool,
    /// Whether look-ups may stand here.
    pub lookups: bool,
    /// Names whose absence leaves the member out instead of failing.
    pub omit: &'static [&'static str],
    /// Whether `CURRENT_TIME` is the end of the window here; elsewhere it is `$now`.
    pub windowed: bool,
    /// What to call the place in a message, in Chinese and English.
    pub words: (&'static str, &'static str),
}

impl TreePlace {
    /// `source.options`, `source.request`, and a `filter` in the source's own language.
    pub const SOURCE: TreePlace = TreePlace {
        names: &["$window", "$page"],
        fields: false,
        lookups: false,
        omit: &[],
        windowed: true,
        words: ("源请求", "a source request"),
    };
    /// `source.filter`.
    pub const FILTER: TreePlace = TreePlace {
        names: &["$window"],
        fields: false,
        lookups: false,
        omit: &[],
        windowed: true,
        words: ("源过滤条件", "a filter that the source applies"),
    };
    /// `source.detail`: a further call about a row.
    pub const DETAIL: TreePlace = TreePlace {
        names: &["$page"],
        fields: true,
        lookups: false,
        omit: &[],
        windowed: false,
        words: ("逐行调用", "a call about a row"),
    };
    /// `derive`, and conditions on a row.
    pub const ROW: TreePlace = TreePlace {
        names: &["$row"],
        fields: true,
        lookups: false,
        omit: &[],
        windowed: false,
        words: ("读取后的行", "a row that was read"),
    };
    /// The same where rows also come as pushes. What is asked for has none: `$push` is missing there.
    pub const PUSHED_ROW: TreePlace = TreePlace {
        names: &["$row", "$push"],
        words: ("收到的行", "a row that was received"),
        ..TreePlace::ROW
    };
    /// `target.options`, `target.let` and `target.request`.
    pub const TARGET: TreePlace = TreePlace {
        names: &["$row", "$key", "$label", "$target", "$let"],
        fields: true,
        lookups: true,
        omit: &[],
        windowed: false,
        words: ("目标的选项与 `let`", "options and `let` of a target"),
    };
    /// `target.request`: the document.
    pub const DOCUMENT: TreePlace = TreePlace {
        names: &["$row", "$key", "$label", "$target", "$let", "$line_id"],
        words: ("目标报文", "a target document"),
        ..TreePlace::TARGET
    };
    /// `target.aggregate.number`: over the fields of the header.
    pub const NUMBER: TreePlace = TreePlace {
        names: &["$part"],
        fields: true,
        lookups: false,
        omit: &[],
        windowed: false,
        words: (
            "合成单据的编号",
            "the number of a document that is made of several rows",
        ),
    };
    /// The same as [`TreePlace::DOCUMENT`] where a document is made of several rows: it has no row, and no key but its
    /// number.
    pub const GATHERED: TreePlace = TreePlace {
        names: &["$number", "$part", "$label", "$target", "$let"],
        words: ("多行合成的单据", "a document that is made of several rows"),
        ..TreePlace::TARGET
    };
    /// `target.on_success`: a document was written. What an answer does not say, or nobody heard, is left out.
    pub const ANSWER: TreePlace = TreePlace {
        names: &["$row", "$key", "$label", "$target", "$answer"],
        lookups: false,
        omit: &["$answer", "$step"],
        words: ("写入成功之后", "what follows a success"),
        ..TreePlace::TARGET
    };
    /// Frames of a connector's operations.
    pub const CONNECTOR: TreePlace = TreePlace {
        names: &[
            "$request",
            "$record",
            "$records",
            "$record_uuid",
            "$options",
            "$option",
            "$fields",
            "$filter",
            "$param",
            "$auth",
            "$form",
            "$uuid",
            "$let",
            "$clock",
            "$window",
            "$page",
            "$target",
            "$push",
            "$error",
            "$number",
            "$part",
            "$key",
        ],
        fields: false,
        lookups: false,
        omit: &["$option", "$filter", "$fields", "$request", "$options"],
        windowed: true,
        words: ("连接器", "a connector"),
    };
    /// Texts of a connector that are filled from one item of an answer.
    pub const CONNECTOR_ITEM: TreePlace = TreePlace {
        fields: true,
        ..TreePlace::CONNECTOR
    };
}

/// What may follow a first name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    Nothing,
    OneOf(&'static [&'static str]),
    Something,
    Anything,
}

const NAMES: &[(&str, Below)] = &[
    ("$window", Below::OneOf(&["start", "end", "field"])),
    (
        "$page",
        Below::OneOf(&["number", "offset", "size", "cursor", "last"]),
    ),
    ("$now", Below::Nothing),
    ("$clock", Below::Nothing),
    ("$row", Below::Nothing),
    ("$line", Below::Anything),
    ("$index", Below::Nothing),
    ("$line_id", Below::Nothing),
    ("$number", Below::Nothing),
    ("$part", Below::Nothing),
    ("$error", Below::Something),
    ("$key", Below::Nothing),
    ("$label", Below::Nothing),
    ("$target", Below::OneOf(&["id", "number"])),
    ("$step", Below::Something),
    ("$answer", Below::Something),
    ("$let", Below::Something),
    ("$push", Below::Something),
    ("$request", Below::Anything),
    ("$record", Below::Anything),
    ("$records", Below::Anything),
    ("$record_uuid", Below::Nothing),
    ("$options", Below::Nothing),
    ("$option", Below::Something),
    ("$fields", Below::Nothing),
    ("$filter", Below::Anything),
    ("$param", Below::Something),
    ("$auth", Below::Something),
    ("$form", Below::Something),
    ("$uuid", Below::Nothing),
    ("$keys", Below::Nothing),
];

/// Names that a scheme may use once the parts of the format that give them are built.
pub(crate) const LATER: &[&str] = &["$error"];

/// Whether a name of the engine exists; if not, the names that are near.
pub(crate) fn exists(path: &Path) -> Result<(), Vec<String>> {
    let first = path.first_name().unwrap_or_default();
    let Some((_, below)) = NAMES.iter().find(|(name, _)| *name == first) else {
        return Err(crate::diagnostic::did_you_mean(
            first,
            NAMES.iter().map(|(name, _)| *name),
        ));
    };
    let rest = path.segments().len() - 1;
    match below {
        Below::Nothing if rest == 0 => Ok(()),
        Below::Something if rest > 0 => Ok(()),
        Below::Anything => Ok(()),
        Below::OneOf(words) if rest == 1 && path.last_name().is_some_and(|last| words.contains(&last)) => {
            Ok(())
        }
        Below::OneOf(words) => Err(words.iter().map(|word| format!("{first}.{word}")).collect()),
        Below::Nothing => Err(vec![first.to_owned()]),
        Below::Something => Err(Vec::new()),
    }
}

/// Whether the name is a point in time, which needs a filter to be printed.
pub(crate) fn is_instant(path: &Path) -> bool {
    matches!(
        (path.first_name(), path.last_name()),
        (Some("$now" | "$clock"), _) | (Some("$window"), Some("start" | "end"))
    )
}

/// Variables in old spelling, and the names they stand for. The flag says that they are whole seconds.
const OLD: &[(&str, &str, bool)] = &[
    ("LAST_SYNC_TIME", "$window.start", true),
    ("CURRENT_TIME", "$window.end", true),
    ("PAGINATION_START_PAGE", "$page.number", false),
    ("PAGINATION_START_ROW", "$page.offset", false),
    ("PAGINATION_PAGE_SIZE", "$page.size", false),
];

/// How many days ago, in old spelling: `DAYS_AGO_2`. A year at most, as nobody reads further back by a variable.
pub(crate) fn days_ago(path: &Path) -> Option<u16> {
    let [crate::path::Segment::Name(name)] = path.segments() else {
        return None;
    };
    let days = name
        .strip_prefix("DAYS_AGO_")
        .or_else(|| name.strip_prefix("DAY_AGO_"))?;
    let plain = days.bytes().all(|byte| byte.is_ascii_digit()) && !days.starts_with('0');
    days.parse().ok().filter(|days| plain && (1..=366).contains(days))
}

/// What a variable in old spelling stands for at a place.
pub(crate) fn old_variable(path: &Path, place: &TreePlace) -> Option<(Path, bool)> {
    let [crate::path::Segment::Name(name)] = path.segments() else {
        return None;
    };
    let (_, stands_for, seconds) = OLD.iter().find(|(old, _, _)| old == name)?;
    let stands_for = if name == "CURRENT_TIME" && !place.windowed {
        "$now"
    } else {
        stands_for
    };
    Some((Path::parse(stands_for).expect("the table holds paths"), *seconds))
}
