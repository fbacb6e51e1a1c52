//! Numbers for people to read.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::MAX_SCALE;
use dsl::expr::sql::{Double, Num, Sql};

use super::NUMBER;
use super::round::Cut;

/// Digits after the point that the server shows at most.
const MOST_PLACES: i64 = 38;

/// `FORMAT(number, places, locale)`.
pub const FORMAT: Builtin = Builtin {
    name: "FORMAT",
    aliases: &[],
    summary: both(
        "四舍五入,并用逗号分隔千位;结果是文本。",
        "Rounds and puts commas between thousands; the result is text.",
    ),
    params: &[
        NUMBER,
        Param::required(
            "places",
            Type::Integer,
            both("小数位数。", "Digits after the point."),
        ),
        Param::optional(
            "locale",
            Type::Text,
            both(
                "语言和地区,例如 'de_DE';缺省和不认识的都按 'en_US'。",
                "Language and country such as 'de_DE'; 'en_US' when left out or unknown.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("FORMAT(1234567.891, 2)", "1,234,567.89"),
        Example::is("FORMAT(-999.5, 0)", "-1,000"),
        Example::is("FORMAT(5, 2)", "5.00"),
        Example::is("FORMAT('', 2)", "0.00"),
        Example::is("FORMAT(1234567.891, 2, 'de_DE')", "1.234.567,89"),
        Example::is("FORMAT(1234567.891, 2, 'zh_CN')", "1,234,567.89"),
        Example::null("FORMAT(NULL, 2)"),
    ],
    constant: true,
    call: Call::Nullable(format),
};

/// How a locale groups digits.
struct Style {
    point: char,
    between: Option<char>,
    /// The last three digits are a group, those before are in pairs.
    pairs: bool,
}

/// What stands between groups and before the fraction, as the server's locales have it.
fn style(locale: &str) -> Style {
    let (point, between) = match &*locale.to_ascii_lowercase() {
        "ar_sa" | "sr_rs" | "sr_yu" => ('.', None),
        "be_by" | "da_dk" | "de_be" | "de_de" | "de_lu" | "es_ar" | "es_bo" | "es_cl" | "es_co" | "es_ec"
        | "es_es" | "es_py" | "es_uy" | "es_ve" | "fo_fo" | "hu_hu" | "id_id" | "is_is" | "lt_lt"
        | "mn_mn" | "nb_no" | "no_no" | "ro_ro" | "ru_ua" | "sq_al" | "tr_tr" | "uk_ua" | "vi_vn" => {
            (',', Some('.'))
        }
        "ca_es" | "de_at" | "el_gr" | "eu_es" | "fr_be" | "fr_ca" | "fr_ch" | "fr_fr" | "fr_lu" | "gl_es"
        | "hr_hr" | "it_it" | "nl_be" | "nl_nl" | "pl_pl" | "pt_br" | "pt_pt" | "sl_si" => (',', None),
        "cs_cz" | "es_cr" | "et_ee" | "fi_fi" | "ka_ge" | "lv_lv" | "mk_mk" | "ru_ru" | "sk_sk" | "sv_fi"
        | "sv_se" => (',', Some(' ')),
        "de_ch" => ('.', Some('\'')),
        "it_ch" | "rm_ch" => (',', Some('\'')),
        _ => ('.', Some(',')),
    };
    let pairs = matches!(&*locale.to_ascii_lowercase(), "en_in" | "ta_in" | "te_in");
    Style {
        point,
        between,
        pairs,
    }
}

fn format(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() || args.get(1).is_null() {
        return Ok(Sql::Null);
    }
    // Counted in 32 bits: 6854775807 places are below zero.
    let places = args.int(1).wide() & i128::from(u32::MAX);
    let places = i64::from(u32::try_from(places).unwrap_or(0).cast_signed()).clamp(0, MOST_PLACES);
    let count = usize::try_from(places).unwrap_or(0);
    let mut plain = match args.num(0) {
        Num::Float(double) => {
            let value = Cut::Round
                .float(double.value, places)
                .ok_or(CallError::OutOfRange)?;
            Double {
                value,
                decimals: u8::try_from(places).ok(),
            }
            .to_string()
        }
        exact => {
            let near = i32::try_from(places.min(i64::from(MAX_SCALE))).unwrap_or(0);
            exact.to_decimal().round(near)?.to_string()
        }
    };
    // Beyond the digits a decimal can have there are only zeros.
    let missing = plain
        .find('.')
        .map_or(0, |point| (point + 1 + count).saturating_sub(plain.len()));
    plain.extend(std::iter::repeat_n('0', missing));
    Ok(Sql::text(grouped(&plain, &style(&args.text(2)))))
}

fn grouped(plain: &str, style: &Style) -> String {
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        let group = if style.pairs && left > 3 {
            (left - 3).is_multiple_of(2)
        } else {
            left.is_multiple_of(3)
        };
        if let (Some(between), true, true) = (style.between, index > 0, group) {
            text.push(between);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(style.point);
        text.push_str(fraction);
    }
    text
}
