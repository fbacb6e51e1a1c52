//! Every example of every function is executed, and every function has what the reference page needs.

mod common;

use std::collections::BTreeSet;

use common::{Fixed, compiled, printed};
use dsl::builtin::{Count, Gives, Type};
use dsl::expr::Ty;

const ROW: &str =
    r#"{"details": [{"qty": 2, "price": 10.0}, {"qty": "4.50", "price": "10.0"}, {"price": 3}]}"#;

#[test]
fn examples_give_what_they_say() {
    let env = Fixed::new(ROW);
    for builtin in functions::ALL {
        for example in builtin.examples {
            let got = printed(example.expr, &env);
            let want = match example.gives {
                Gives::Text(text) => Ok(text.to_owned()),
                Gives::Null => Ok("NULL".to_owned()),
                Gives::Code(code) => Err(code.to_owned()),
            };
            assert_eq!(got, want, "{}", example.expr);
        }
    }
}

/// What a record says is true stays true in JSON, and a text of digits stays a text.
#[test]
fn json_keeps_what_a_record_has() {
    let env = Fixed::new(r#"{"paid": true, "code": "00123", "qty": 1.50, "none": null}"#);
    let got = printed(
        "JSON_OBJECT('paid', <<paid>>, 'code', <<code>>, 'qty', <<qty>>, 'none', <<none>>, 'or', IF(1, <<paid>>, FALSE))",
        &env,
    );
    let want = r#"{"paid": true, "code": "00123", "qty": 1.50, "none": null, "or": true}"#;
    assert_eq!(got.as_deref(), Ok(want));
}

/// A pattern that a record brings is not known before: it fails as the record's.
#[test]
fn a_pattern_of_a_record_that_cannot_be_read() {
    let env = Fixed::new(r#"{"text": "a(b", "pattern": "a("}"#);
    for expr in [
        "<<text>> REGEXP <<pattern>>",
        "REGEXP_SUBSTR(<<text>>, <<pattern>>)",
    ] {
        assert_eq!(printed(expr, &env), Err("E2057".to_owned()), "{expr}");
    }
}

#[test]
fn every_function_is_described() {
    let mut names = BTreeSet::new();
    for builtin in functions::ALL {
        for name in std::iter::once(&builtin.name).chain(builtin.aliases) {
            assert!(names.insert(*name), "{name} twice");
            assert_eq!(*name, name.to_ascii_uppercase());
        }
        let words = std::iter::once(builtin.summary).chain(builtin.params.iter().map(|param| param.about));
        for both in words {
            assert!(
                both.zh.ends_with('。') && both.en.ends_with('.'),
                "{}: {both:?}",
                builtin.name
            );
        }
        assert!(!builtin.examples.is_empty(), "{} has no example", builtin.name);
        // The arity is counted from the parameters: what may be left out stands last.
        let order: Vec<u8> = builtin.params.iter().map(|param| param.count as u8).collect();
        assert!(order.is_sorted(), "{}", builtin.name);
        let open = builtin
            .params
            .iter()
            .filter(|param| matches!(param.count, Count::Any | Count::Paired))
            .count();
        assert_eq!(open == 2, builtin.in_pairs(), "{}", builtin.name);
        assert!(open <= 2 && builtin.returns != Type::Interval, "{}", builtin.name);
    }
}

/// `IF` and its like show the digits of a type that was derived without the value; a function whose declared type is
/// not that of its results would print other digits inside of them than outside.
#[test]
fn results_have_the_type_that_was_derived_before() {
    let env = Fixed::new(ROW);
    let mut wrong = Vec::new();
    for builtin in functions::ALL {
        for example in builtin.examples {
            let Ok(expr) = compiled(example.expr) else {
                continue;
            };
            let Ok(value) = expr.eval_typed(&env) else {
                continue;
            };
            let (derived, is) = (expr.ty(&env), Ty::of(&value));
            if !value.is_null() && derived != is {
                wrong.push(format!("{}: derived {derived}, is {is}", example.expr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What costs more than it looks like: nested branches, sums over many lines, paths into JSON. Steps are counted, so
/// that a correct expression is not refused for them and a hostile one is.
#[test]
fn steps_grow_with_the_expression() {
    let env = Fixed::new(ROW);
    let mut nested = "1".to_owned();
    for _ in 0..25 {
        nested = format!("(IF({nested} > 1, 2, 1.5) + 1)");
    }
    assert_eq!(
        printed(&nested.replace("1 > 1", "<<details.0.qty>> > 1"), &env),
        Ok("3.0".to_owned())
    );
    let lines: Vec<String> = (0..4000)
        .map(|n| format!("{{\"qty\": {n}, \"price\": 2}}"))
        .collect();
    let many = Fixed::new(&format!("{{\"details\": [{}]}}", lines.join(",")));
    let sum = "SUM(<<details.qty>> * <<details.price>>)";
    assert_eq!(printed(sum, &many), Ok("15996000".to_owned()));
    let hostile = format!(
        "JSON_LENGTH(JSON_EXTRACT(CONCAT('[', REPEAT('1,', 400000), '1]'){}))",
        ", '$[*]'".repeat(300)
    );
    let refused = printed(&hostile, &env).unwrap_err();
    assert!(["E2055", "E2056"].contains(&&*refused), "{refused}");
    for odd in [
        "JSON_EXTRACT('{}', '$中')",
        "JSON_EXTRACT('[1]', '$[last-18446744073709551615]')",
    ] {
        assert_eq!(printed(odd, &env), Ok("NULL".to_owned()), "{odd}");
    }
}
