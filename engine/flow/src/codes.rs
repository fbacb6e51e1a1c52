//! Codes of the reasons the flow itself gives. Their words stand in the catalogue of `dsl`; a test of `app` proves
//! that each has an entry.

/// The same page came twice: the source ignores paging.
pub const REPEATED_PAGE: &str = "E3050";
/// The page cap of a window.
pub const TOO_MANY_PAGES: &str = "E3051";
/// Fewer rows than the source's own total, three times.
pub const UNSTABLE: &str = "E3052";
/// Reading stopped at the limit given by hand.
pub const LIMIT: &str = "E3053";
/// The author's window starts after the watermark and the scheme forbids catching up.
pub const STARTS_TOO_LATE: &str = "E3054";
/// Reading waits: too many records are open.
pub const BACK_PRESSURE: &str = "E3055";
/// Stopped by a person.
pub const CANCELED: &str = "E3056";
/// The window is read in two parts.
pub const PARTED: &str = "E3058";
/// More rows in the smallest slice than one query gives.
pub const CAPPED: &str = "E3059";
/// Page after page without a row that was not there before.
pub const NO_PROGRESS: &str = "E3065";
/// The source's clock is too far from ours.
pub const SKEWED: &str = "E3066";
/// The source no longer keeps a stretch that was never read.
pub const FORGOTTEN: &str = "E3067";
/// A page changed between two looks at it.
pub const CHANGED_PAGE: &str = "E3068";
/// More rows follow, and none of them has a greater version.
pub const VERSION_STUCK: &str = "E3076";
/// Rows came with smaller versions than were asked for.
pub const VERSION_IGNORED: &str = "E3077";
/// Reading stopped at the most records of a scheduled run.
pub const MOST_RECORDS: &str = "E3081";
/// Far more new or changed records than usual.
pub const UNUSUAL_CHANGE: &str = "E3082";
/// The scheme has never written, and would write many.
pub const FIRST_RUN: &str = "E3083";
/// The number is taken by a document that this engine did not write.
pub const KEY_CONFLICT: &str = "E4010";
/// Several documents have the key.
pub const KEY_AMBIGUOUS: &str = "E4011";
/// The vendor says the key exists, the key query does not find it.
pub const EXISTS_NOT_FOUND: &str = "E4012";
/// The answer was lost and the target cannot be asked.
pub const CANNOT_ASK: &str = "E4013";
/// The answer was lost, and for a day nothing could be learnt.
pub const UNKNOWN_TOO_LONG: &str = "E4014";
/// Asked: not there. Asked again later for certainty.
pub const NOT_THERE_YET: &str = "E4015";
/// Refused because the key exists: the target is asked.
pub const EXISTS: &str = "E4016";
/// The target could not be reached several times in a row: one call a minute finds out whether it is back.
pub const CIRCUIT_OPEN: &str = "E4026";
/// A further step was refused: the target is asked whether it was made before.
pub const STEP_REFUSED: &str = "E4027";
/// Written, but what the target should have done with it in the same call is not: the target is asked how far it came.
pub const HALF: &str = "E4028";
/// The document of a step is written, and what the target should have done with it in the same call is not.
pub const STEP_HALF: &str = "E5070";
/// A scheme panicked again and again and is paused.
pub const PANICS: &str = "E9002";
/// The flow received something it cannot have asked for.
pub const BUG: &str = "E9000";

/// All of them.
pub const ALL: &[&str] = &[
    REPEATED_PAGE,
    TOO_MANY_PAGES,
    UNSTABLE,
    LIMIT,
    STARTS_TOO_LATE,
    BACK_PRESSURE,
    CANCELED,
    PARTED,
    CAPPED,
    NO_PROGRESS,
    SKEWED,
    FORGOTTEN,
    CHANGED_PAGE,
    VERSION_STUCK,
    VERSION_IGNORED,
    MOST_RECORDS,
    UNUSUAL_CHANGE,
    FIRST_RUN,
    KEY_CONFLICT,
    KEY_AMBIGUOUS,
    EXISTS_NOT_FOUND,
    CANNOT_ASK,
    UNKNOWN_TOO_LONG,
    NOT_THERE_YET,
    EXISTS,
    CIRCUIT_OPEN,
    STEP_REFUSED,
    HALF,
    STEP_HALF,
    PANICS,
    BUG,
];
