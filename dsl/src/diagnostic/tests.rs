use expect_test::{Expect, expect};

use super::*;

static SAMPLE: Entry = Entry {
    code: "E1301",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的函数",
    en: "there is no function `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "x",
    long_en: "x",
    example: "",
};

static WITH_HELP: Entry = Entry {
    code: "W1301",
    severity: Severity::Warning,
    zh: "写法 {{x}} 与 {name}",
    en: "{{x}} and {name}",
    help_zh: "改为 <<{name}>>",
    help_en: "write <<{name}>>",
    long_zh: "x",
    long_en: "x",
    example: "",
};

fn at(entry: &'static Entry, text: &str, needle: &str) -> Diagnostic {
    let start = text.find(needle).unwrap();
    Diagnostic::new(
        entry,
        &SourceFile::new("schemes/客户.yaml", text),
        start..start + needle.len(),
    )
    .with("name", needle)
}

fn check(diagnostics: &[Diagnostic], lang: Lang, want: &Expect) {
    want.assert_eq(&render(diagnostics, lang, false, 20));
}

#[test]
fn carets_stand_under_chinese_text() {
    let text = "a: 1\nvalue: \"_function CONCAT('客户:', REPLCE({{buyerNick}}, '公司', ''))\"\nb: 2\n";
    let found = at(&SAMPLE, text, "REPLCE").similar(vec!["REPLACE".into()]);
    check(
        std::slice::from_ref(&found),
        Lang::Zh,
        &expect![[r#"
        error[E1301]: 没有名为 `REPLCE` 的函数
         --> schemes/客户.yaml:2:33
          |
        2 | value: "_function CONCAT('客户:', REPLCE({{buyerNick}}, '公司', ''))"
          |                                   ^^^^^^
          |
          = 提示: 是否想写 `REPLACE`?
    "#]],
    );
    check(
        &[found],
        Lang::En,
        &expect![[r#"
        error[E1301]: there is no function `REPLCE`
         --> schemes/客户.yaml:2:33
          |
        2 | value: "_function CONCAT('客户:', REPLCE({{buyerNick}}, '公司', ''))"
          |                                   ^^^^^^
          |
          = help: did you mean `REPLACE`?
    "#]],
    );
}

#[test]
fn file_order_and_a_bound() {
    let text = "一: x\n二: y\n";
    let (x, y) = (at(&WITH_HELP, text, "x"), at(&WITH_HELP, text, "y"));
    check(
        &[y.clone(), x.clone()],
        Lang::Zh,
        &expect![[r#"
        warning[W1301]: 写法 {{x}} 与 x
         --> schemes/客户.yaml:1:4
          |
        1 | 一: x
          |     ^
          |
          = 提示: 改为 <<x>>

        warning[W1301]: 写法 {{x}} 与 y
         --> schemes/客户.yaml:2:4
          |
        2 | 二: y
          |     ^
          |
          = 提示: 改为 <<y>>
    "#]],
    );
    expect![[r#"
        warning[W1301]: {{x}} and x
         --> schemes/客户.yaml:1:4
          |
        1 | 一: x
          |     ^
          |
          = help: write <<x>>

        another problem
    "#]]
    .assert_eq(&render(&[y, x], Lang::En, false, 1));
}

#[test]
fn odd_places() {
    let file = SourceFile::new("f", "\u{feff}甲: 1\r\n乙:\t2\r\n");
    let end = file.text.len();
    let backwards = std::ops::Range { start: 5, end: 4 };
    for span in [0..0, 0..1, end..end, end..end + 9, backwards, 0..end] {
        let drawn = render(
            &[Diagnostic::new(&SAMPLE, &file, span.clone())],
            Lang::Zh,
            false,
            20,
        );
        assert!(drawn.contains("--> f:"), "{span:?}: {drawn}");
    }
    assert_eq!(file.position(0), (1, 1), "a byte order mark is no column");
    assert_eq!(file.position(3), (1, 1));
    assert_eq!(file.position(file.text.find('2').unwrap()), (2, 4));
    check(
        &[at(&SAMPLE, &file.text, "2")],
        Lang::Zh,
        &expect![[r#"
        error[E1301]: 没有名为 `2` 的函数
         --> schemes/客户.yaml:2:4
          |
        2 | 乙:    2
          |        ^
    "#]],
    );
}

#[test]
fn filling() {
    let facts = vec![("a", "{b}".to_owned()), ("b", "2".to_owned())];
    let check = |text: &str, want: &str| assert_eq!(fill::fill(text, &facts), want);
    check("{a} {b}", "{b} 2");
    check("{{a}} {x} ${env:X} {a, b} {", "{{a}} {x} ${env:X} {a, b} {");
    check("", "");
}

#[test]
fn outlines() {
    let check = |text: &str, want: &str| assert_eq!(fill::outline(text), want);
    check("没有名为 `{name}` 的函数", "没有名为 `…` 的函数");
    check("write `{{x}}` or {FNumber: 1}", "write `{{x}}` or {FNumber: 1}");
    check("{ and {what", "{ and {what");
    let only_facts = Entry {
        help_zh: "{help_zh}",
        help_en: "{help_en}",
        ..SAMPLE
    };
    assert_eq!(only_facts.help_outline(Lang::Zh), None);
    assert_eq!(SAMPLE.text_outline(Lang::En), "there is no function `…`");
}

#[test]
fn suggestions() {
    let names = ["buyerNick", "buyerCid", "REPLACE", "ROUND", "a"];
    let check = |word: &str, want: &[&str]| assert_eq!(did_you_mean(word, names.into_iter()), want, "{word}");
    check("buyerNik", &["buyerNick"]);
    check("replce", &["REPLACE"]);
    check("round", &["ROUND"]);
    check("b", &[]);
    check("nothing", &[]);
    check("", &[]);
    // Nobody typed this, and comparing it with a name as long would take minutes.
    let long = "s".repeat(500_000);
    let like_it = format!("{long}s");
    assert_eq!(did_you_mean(&long, [like_it.as_str()].into_iter()), [""; 0]);
}

#[test]
fn json() {
    let text = "客户: buyerNik\n";
    let found = at(&SAMPLE, text, "buyerNik").similar(vec!["buyerNick".into()]);
    expect![[r#"{"code":"E1301","column":5,"end_column":13,"end_line":1,"file":"schemes/客户.yaml","help":"did you mean `buyerNick`?","line":1,"message":"there is no function `buyerNik`","severity":"error","similar":["buyerNick"]}"#]].assert_eq(&to_json(&found, Lang::En).to_string());
}

#[test]
fn a_failure_names_its_field() {
    static REFUSED: Entry = Entry {
        zh: "{field} 为空",
        en: "{field} is empty",
        ..copy(&SAMPLE)
    };
    let failure = Failure::new(&REFUSED).at("FNumber").vendor("编码不能为空");
    assert_eq!(failure.message(Lang::Zh), "FNumber 为空");
    assert_eq!(failure.code(), "E1301");
    assert_eq!(failure.help(Lang::En), None);
}

const fn copy(_: &Entry) -> Entry {
    Entry {
        code: "E1301",
        severity: Severity::Error,
        zh: "",
        en: "",
        help_zh: "",
        help_en: "",
        long_zh: "",
        long_en: "",
        example: "",
    }
}
