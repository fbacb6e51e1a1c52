//! What the arguments of a function mean, where their type does not say it.

use super::Want;

/// The flavour of one argument; `None` leaves it to its type.
pub(super) fn want(name: &str, index: usize) -> Option<Want> {
    Some(match (name, index) {
        ("ROUND" | "TRUNCATE" | "FORMAT", 1) => Want::Places,
        ("CONV", 0) => Want::Hex,
        ("CONV", 1 | 2) => Want::Base,
        ("LEFT" | "RIGHT" | "SUBSTRING" | "SUBSTRING_INDEX" | "LPAD" | "RPAD" | "INSERT", 1)
            if name != "SUBSTRING_INDEX" =>
        {
            Want::Count
        }
        ("SUBSTRING" | "SUBSTRING_INDEX" | "INSERT" | "LOCATE", 2) => Want::Count,
        ("SUBSTRING_INDEX", 1)
        | ("INSTR", 1)
        | ("LOCATE", 0)
        | ("REPLACE", 1)
        | ("STRCMP", _)
        | ("TRIM", 1) => Want::Needle,
        ("REPEAT", 1) | ("SPACE", 0) | ("ELT", 0) => Want::Count,
        ("FIELD", _) | ("FIND_IN_SET", 0) | ("CONCAT_WS", 0) => Want::Needle,
        ("FIND_IN_SET", 1) => Want::Set,
        ("UNHEX", 0) => Want::Hex,
        ("FROM_BASE64", 0) => Want::Base64,
        ("SHA2", 1) => Want::Bits,
        ("REGEXP_REPLACE" | "REGEXP_SUBSTR" | "REGEXP_INSTR" | "REGEXP_LIKE", 1) => Want::Regex,
        ("REGEXP_REPLACE", 2) => Want::Needle,
        ("DATE_FORMAT", 1) | ("FROM_UNIXTIME", 1) | ("STR_TO_DATE", 1) => Want::DateFormat,
        ("TIME_FORMAT", 1) => Want::TimeFormat,
        ("FROM_UNIXTIME", 0) => Want::Epoch,
        ("CONVERT_TZ", 1 | 2) => Want::Zone,
        ("EXTRACT" | "TIMESTAMPDIFF" | "TIMESTAMPADD", 0) => Want::Unit,
        (
            "NOW" | "CURTIME" | "LOCALTIME" | "LOCALTIMESTAMP" | "CURRENT_TIME" | "CURRENT_TIMESTAMP"
            | "UTC_TIME" | "UTC_TIMESTAMP",
            0,
        ) => Want::Fraction,
        ("MAKEDATE", 0) | ("PERIOD_ADD" | "PERIOD_DIFF", _) => Want::Amount,
        (name, 0)
            if name.starts_with("JSON_") && !matches!(name, "JSON_OBJECT" | "JSON_ARRAY" | "JSON_QUOTE") =>
        {
            Want::Json
        }
        ("JSON_EXTRACT" | "JSON_LENGTH" | "JSON_VALUE" | "JSON_KEYS" | "JSON_EXISTS" | "JSON_REMOVE", _) => {
            Want::JsonPath
        }
        ("JSON_CONTAINS", 1) => Want::Json,
        ("JSON_CONTAINS", 2) => Want::JsonPath,
        ("FROM_DAYS", 0) => Want::Days,
        _ => return None,
    })
}
