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
            .filter(|param| param.count == Count::Any)
            .count();
        assert!(open <= 1 && builtin.returns != Type::Interval, "{}", builtin.name);
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
