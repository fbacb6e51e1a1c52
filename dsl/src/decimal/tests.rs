use super::*;
use num_bigint::BigInt;
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    Decimal::parse(text).expect(text)
}

#[test]
fn quotients_show_four_more_digits_and_hide_the_rest_of_their_word() {
    let div = |a: &str, b: &str| d(a).div(&d(b)).unwrap().unwrap();
    let rows = [
        ("10", "3", "3.3333", "3.333333333"),
        ("2", "3", "0.6667", "0.666666666"),
        ("59.7", "3", "19.90000", "19.90000"),
        ("12.50", "3", "4.166667", "4.166666666"),
        ("0", "3", "0.0000", "0"),
        ("100.00", "120", "0.833333", "0.833333333"),
    ];
    for (a, b, shown, full) in rows {
        assert_eq!(div(a, b).to_string(), shown, "{a}/{b}");
        assert_eq!(
            div(a, b).to_full_string().trim_end_matches('0'),
            full.trim_end_matches('0'),
            "{a}/{b}"
        );
    }
    assert_eq!(div("1", "3").mul(&d("3")).unwrap().to_string(), "1.0000");
    let chain = div("100.00", "120")
        .mul(&d("99"))
        .unwrap()
        .div(&d("3"))
        .unwrap()
        .unwrap();
    assert_eq!(chain.to_string(), "27.4999999890");
    assert!(d("1").div(&d("0.00")).unwrap().is_none());
}

#[test]
fn scale_is_kept() {
    assert_eq!(d("0.13").mul(&d("100")).unwrap().to_string(), "13.00");
    assert_eq!(
        d("1700000000.100").sub(&d("72000")).unwrap().to_string(),
        "1699928000.100"
    );
    assert_eq!(d("-7").rem(&d("3")).unwrap().to_string(), "-1");
    assert_eq!(d("7.5").int_div(&d("-2")).unwrap().unwrap().to_string(), "-3");
    assert_eq!(d("-0.00").to_string(), "0.00");
    assert_eq!(d(".5").to_string(), "0.5");
    assert_eq!(d("-.005").to_string(), "-0.005");
}

#[test]
fn a_product_that_is_too_long_loses_words_of_its_operands() {
    let product = d("774940014505995495955971479.9").mul(&d("5190595499549490075.059975797557570419940"));
    let want = "4022400151715636776561216464193090205024455645.6085558038998930781000";
    assert_eq!(product.unwrap().to_string(), want);
}

#[test]
fn rounding_takes_a_half_away_from_zero() {
    let rows = [
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("2.345", 2, "2.35"),
        ("2.4999", 0, "2"),
        ("1250", -2, "1300"),
        ("-0.4", 0, "0"),
        ("1.5", 4, "1.5000"),
        ("9.99", 1, "10.0"),
        ("7", -9, "0"),
    ];
    for (text, places, want) in rows {
        assert_eq!(
            d(text).round(places).unwrap().to_string(),
            want,
            "{text} to {places}"
        );
    }
    assert_eq!(d("2.999").truncate(1).unwrap().to_string(), "2.9");
    assert_eq!(d("-2.1").floor().unwrap().to_string(), "-3");
    assert_eq!(d("-2.1").ceil().unwrap().to_string(), "-2");
    assert_eq!(d("2.1").ceil().unwrap().to_string(), "3");
    assert_eq!(d("2.0").floor().unwrap().to_string(), "2");
}

#[test]
fn limits() {
    let nines = "9".repeat(65);
    let largest = d(&nines);
    assert_eq!(largest.to_string(), nines);
    // Nine words of nine digits.
    assert_eq!(
        largest.add(&Decimal::ONE).unwrap().to_string(),
        format!("1{}", "0".repeat(65))
    );
    assert_eq!(
        largest.mul(&Decimal::from(10i64)).unwrap().to_string(),
        format!("{nines}0")
    );
    assert_eq!(d(&"9".repeat(81)).mul(&Decimal::ONE), Err(OutOfRange));
    let power = largest.mul(&d("1000000000000000.0")).unwrap();
    assert_eq!(power.to_string(), format!("{nines}{}", "0".repeat(15)));
    assert_eq!(largest.mul(&d("10000000000000000.0")), Err(OutOfRange));
    assert!(Decimal::parse(&"9".repeat(82)).is_none());
    assert_eq!(d(&format!("{}1.50", "0".repeat(200))).to_string(), "1.50");
    assert_eq!(d(&format!("0.{}", "1".repeat(40))).scale(), MAX_SCALE);
    assert!(Decimal::parse("").is_none() && Decimal::parse("-").is_none() && Decimal::parse(".").is_none());
}

#[test]
fn json_numbers_with_an_exponent_stay_exact() {
    for (text, want) in [
        ("1.5E+3", "1500"),
        ("1e-7", "0.0000001"),
        ("12.34e1", "123.4"),
        ("-2.50", "-2.50"),
    ] {
        assert_eq!(Decimal::parse_json(text).unwrap().to_string(), want, "{text}");
    }
    assert!(Decimal::parse_json("1e400").is_none());
    assert!(Decimal::parse_json("0e400").unwrap().is_zero());
}

/// The number times `10^places`, exactly.
fn scaled(text: &str, places: usize) -> BigInt {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

const TEXT: &str = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,15})?";

proptest! {
    #[test]
    fn printing_what_was_read_gives_it_back(text in TEXT) {
        let negative_zero = text.starts_with('-') && !text.bytes().any(|b| (b'1'..=b'9').contains(&b));
        prop_assert_eq!(d(&text).to_string(), if negative_zero { &text[1..] } else { &text[..] });
    }

    #[test]
    fn sums_and_products_are_exact(a in TEXT, b in TEXT) {
        let sum = d(&a).add(&d(&b)).unwrap();
        prop_assert_eq!(scaled(&sum.to_full_string(), 15), scaled(&a, 15) + scaled(&b, 15));
        // What does not fit into nine words of nine digits is dropped, as the server does; tables above show how.
        let words = |text: &str| {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            whole.trim_start_matches('-').len().div_ceil(9) + fraction.len().div_ceil(9)
        };
        if words(&a) + words(&b) <= 9 {
            let product = d(&a).mul(&d(&b)).unwrap();
            prop_assert_eq!(scaled(&product.to_full_string(), 30), scaled(&a, 15) * scaled(&b, 15));
        }
        let difference = d(&a).sub(&d(&b)).unwrap();
        prop_assert_eq!(difference.cmp(&Decimal::ZERO), d(&a).cmp(&d(&b)));
    }

    /// 0 <= |a| - |q| * |b| < one unit of the last stored digit times |b|.
    #[test]
    fn quotients_are_truncated_at_their_last_stored_digit(a in TEXT, b in TEXT) {
        let (x, y) = (d(&a), d(&b));
        let Some(q) = x.div(&y).unwrap() else { prop_assert!(y.is_zero()); return Ok(()); };
        let (ax, by) = (scaled(&a, 15), scaled(&b, 15));
        let stored = q.stored as usize;
        let quotient = scaled(&digits_at(&q.coef, q.stored), stored);
        let exact = &ax * BigInt::from(10).pow(q.stored) / &by;
        if !x.is_zero() { prop_assert_eq!(quotient, exact); }
    }

    #[test]
    fn the_remainder_completes_the_whole_quotient(a in TEXT, b in TEXT) {
        let (x, y) = (d(&a), d(&b));
        let Some(whole) = x.int_div(&y).unwrap() else { return Ok(()); };
        let back = whole.mul(&y).unwrap().add(&x.rem(&y).unwrap()).unwrap();
        prop_assert_eq!(back, x);
    }
}
