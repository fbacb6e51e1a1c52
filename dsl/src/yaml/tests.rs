use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Lang, SourceFile, render};
use crate::json;

fn file(text: &str) -> Arc<SourceFile> {
    SourceFile::new("客户.yaml", text)
}

/// The file as JSON.
#[track_caller]
fn reads(text: &str, want: &str) {
    let file = file(text);
    let node = read(&file).unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    assert_eq!(json::to_string(&node.plain_value()), want, "{text}");
}

/// All problems in both languages, and what was read in spite of them.
#[track_caller]
fn refuses(text: &str, want: &Expect) {
    let reading = read_all(&file(text));
    assert!(!reading.problems.is_empty(), "read as {:?}", reading.node);
    let mut shown = render(&reading.problems, Lang::Zh, false, 20);
    for problem in &reading.problems {
        shown += &format!(
            "en: {}\n    {}\n",
            problem.message(Lang::En),
            problem.help(Lang::En).unwrap_or_default()
        );
    }
    if let Some(node) = reading.node {
        shown += &format!("read: {}\n", node.plain_value());
    }
    want.assert_eq(&shown);
}

#[track_caller]
fn codes(text: &str, want: &[&str]) {
    let codes: Vec<&str> = read_all(&file(text))
        .problems
        .iter()
        .map(|problem| problem.entry.code)
        .collect();
    let start: String = text.chars().take(60).collect();
    assert_eq!(codes, want, "{start:?}");
}

#[test]
fn plain_words() {
    let check = |word: &str, want: &str| reads(&format!("甲: {word}\n"), &format!("{{\"甲\":{want}}}"));
    check("true", "true");
    check("false", "false");
    check("null", "null");
    check("1.50", "1.50");
    check("-0.10", "-0.10");
    check("123456789012345", "123456789012345");
    check("1234567890123456", "\"1234567890123456\"");
    check("6351f0a2b7c91d", "\"6351f0a2b7c91d\"");
    for text in [
        "00123",
        "no",
        "on",
        "22:30",
        "2026-01-01",
        "1e3",
        "+8",
        "True",
        "~",
        ".5",
        "0x1F",
        "1_000",
        "C-<<x>>/<<y>>",
        "C-{{x}}",
    ] {
        check(text, &format!("\"{text}\""));
    }
    check("\"1\"", "\"1\"");
    check("'true'", "\"true\"");
    check("|\n  1", "\"1\\n\"");
    check("\"a b\" # note", "\"a b\"");
    check("a#b # note", "\"a#b\"");
}

#[test]
fn shapes() {
    reads(
        "a: {x: 1, y: [<<b>>, C-<<c>>]}\nb:\n- 1\n- c: 2\n  d: 3\n",
        r#"{"a":{"x":1,"y":["<<b>>","C-<<c>>"]},"b":[1,{"c":2,"d":3}]}"#,
    );
    reads(
        "# note\n---\n1: z\ntrue: y\n\"<<\": x\n",
        r#"{"1":"z","true":"y","<<":"x"}"#,
    );
    reads(
        "\u{feff}甲: 1\r\n乙: |\r\n  一\r\n  二\r\n丙: 3\r\n",
        r#"{"甲":1,"乙":"一\n二\n","丙":3}"#,
    );
    reads(
        "a: &x {k: 1}\nb: *x\nc: [*x]\n",
        r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}"#,
    );
    reads(
        "a: _function IF({{a}} > 1, 'x', \"y\") # note\nb: _function CONCAT('#', b)\n",
        r##"{"a":"_function IF({{a}} > 1, 'x', \"y\")","b":"_function CONCAT('#', b)"}"##,
    );
    reads(
        "a: {b: \"_function IF(a,1,2)\", c: _function f(1)}\n",
        r#"{"a":{"b":"_function IF(a,1,2)","c":"_function f(1)"}}"#,
    );
    reads("a:\t1\n", r#"{"a":1}"#);
    reads("text", "\"text\"");
    reads("a: {}\nb: []\nc: ''\n", r#"{"a":{},"b":[],"c":""}"#);
}

#[test]
fn placeholders_without_quotes() {
    refuses(
        "名称: {{x}}\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:5
          |
        1 | 名称: {{x}}
          |       ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
        read: {"名称":"{{x}}"}
    "#]],
    );
    refuses(
        "名称: {{ x }}-{{y}}\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{ x }} 会被 YAML 读成对象
         --> 客户.yaml:1:5
          |
        1 | 名称: {{ x }}-{{y}}
          |       ^^^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{ x }} without quotes as a map
            write <<x>>, or quote the whole value
    "#]],
    );
    refuses(
        "- {{x}}\n- [{{y}}, 1]\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:3
          |
        1 | - {{x}}
          |   ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号

        error[E1033]: 没有引号的 {{y}} 会被 YAML 读成对象
         --> 客户.yaml:2:4
          |
        2 | - [{{y}}, 1]
          |    ^^^^^
          |
          = 提示: 写成 <<y>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
        en: YAML reads {{y}} without quotes as a map
            write <<y>>, or quote the whole value
        read: ["{{x}}",["{{y}}",1]]
    "#]],
    );
    refuses(
        "客户: {编码: C-{{x}}}\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:12
          |
        1 | 客户: {编码: C-{{x}}}
          |                ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
    "#]],
    );
    refuses(
        "客户: {编码: {{x}}, 名称: '{{y}}'}\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:10
          |
        1 | 客户: {编码: {{x}}, 名称: '{{y}}'}
          |              ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
        read: {"客户":{"编码":"{{x}}","名称":"{{y}}"}}
    "#]],
    );
    refuses(
        "a: {F: _function IF({{x}},1,2)}\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:21
          |
        1 | a: {F: _function IF({{x}},1,2)}
          |                     ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
    "#]],
    );
    refuses(
        "a: [C-{{x}}]\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:7
          |
        1 | a: [C-{{x}}]
          |       ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
    "#]],
    );
    refuses(
        "{{x}}: 1\n",
        &expect![[r#"
        error[E1033]: 没有引号的 {{x}} 会被 YAML 读成对象
         --> 客户.yaml:1:1
          |
        1 | {{x}}: 1
          | ^^^^^
          |
          = 提示: 写成 <<x>>,或给整个值加引号
        en: YAML reads {{x}} without quotes as a map
            write <<x>>, or quote the whole value
        read: "{{x}}"
    "#]],
    );
}

#[test]
fn references_without_quotes() {
    refuses(
        "参数: {server: ${env:X}}\n",
        &expect![[r#"
        error[E1034]: 写在花括号或方括号里的 ${env:X} 要加引号
         --> 客户.yaml:1:14
          |
        1 | 参数: {server: ${env:X}}
          |                ^^^^^^^^
          |
          = 提示: 写成 "${env:X}"
        en: ${env:X} must be quoted inside braces or brackets
            write "${env:X}"
    "#]],
    );
    refuses(
        "a: [${secret:k3}, 1]\n",
        &expect![[r#"
        error[E1034]: 写在花括号或方括号里的 ${secret:k3} 要加引号
         --> 客户.yaml:1:5
          |
        1 | a: [${secret:k3}, 1]
          |     ^^^^^^^^^^^^
          |
          = 提示: 写成 "${secret:k3}"
        en: ${secret:k3} must be quoted inside braces or brackets
            write "${secret:k3}"
    "#]],
    );
    reads("server: ${env:X}\n", r#"{"server":"${env:X}"}"#);
    reads("a: {server: \"${env:X}\"}\n", r#"{"a":{"server":"${env:X}"}}"#);
}

#[test]
fn expressions_cut_by_yaml() {
    refuses(
        "客户: {F: _function IF(a,1,2)}\n",
        &expect![[r#"
        error[E1035]: 花括号或方括号里的表达式在逗号处被 YAML 切断了
         --> 客户.yaml:1:9
          |
        1 | 客户: {F: _function IF(a,1,2)}
          |           ^^^^^^^^^^^^^^^^^^^
          |
          = 提示: 把表达式单独写成一行,或给整个表达式加引号
        en: YAML cut the expression at a comma, because it stands in braces or brackets
            put the expression on a line of its own, or quote the whole of it
        read: {"客户":{"F":"_function IF(a,1,2)"}}
    "#]],
    );
    refuses(
        "a: {F: _function IF(a, 1, 2), G: 7}\n",
        &expect![[r#"
        error[E1035]: 花括号或方括号里的表达式在逗号处被 YAML 切断了
         --> 客户.yaml:1:8
          |
        1 | a: {F: _function IF(a, 1, 2), G: 7}
          |        ^^^^^^^^^^^^^^^^^^^^^
          |
          = 提示: 把表达式单独写成一行,或给整个表达式加引号
        en: YAML cut the expression at a comma, because it stands in braces or brackets
            put the expression on a line of its own, or quote the whole of it
        read: {"a":{"F":"_function IF(a, 1, 2)","G":7}}
    "#]],
    );
    refuses(
        "a: [_function IF(a,1,2), 8]\n",
        &expect![[r#"
        error[E1035]: 花括号或方括号里的表达式在逗号处被 YAML 切断了
         --> 客户.yaml:1:5
          |
        1 | a: [_function IF(a,1,2), 8]
          |     ^^^^^^^^^^^^^^^^^^^
          |
          = 提示: 把表达式单独写成一行,或给整个表达式加引号
        en: YAML cut the expression at a comma, because it stands in braces or brackets
            put the expression on a line of its own, or quote the whole of it
        read: {"a":["_function IF(a,1,2)",8]}
    "#]],
    );
    refuses(
        "a: {F: _findCollection find id from s where a=b, c=d}\n",
        &expect![[r#"
            error[E1031]: 花括号里的 `c=d` 只有键,没有值
             --> 客户.yaml:1:50
              |
            1 | a: {F: _findCollection find id from s where a=b, c=d}
              |                                                  ^^^
              |
              = 提示: 列表用方括号;值里有逗号时给值加引号
            en: `c=d` in braces has neither colon nor value
                a list takes brackets; quote a value that holds a comma
            read: {"a":{"F":"_findCollection find id from s where a=b","c=d":null}}
        "#]],
    );
    refuses(
        "备注: _function CONCAT('编号 #', b)\nb: 1\n",
        &expect![[r#"
        error[E1036]: 表达式在 “空格加 #” 处被 YAML 当作注释切断了
         --> 客户.yaml:1:26
          |
        1 | 备注: _function CONCAT('编号 #', b)
          |                              ^^^^^^
          |
          = 提示: 给整个表达式加引号
        en: YAML cut the expression at the blank and #, which begin a comment
            quote the whole expression
        read: {"备注":"_function CONCAT('编号 #', b)","b":1}
    "#]],
    );
    refuses(
        "备注: _function CONCAT('编号: ', b)\n",
        &expect![[r#"
        error[E1037]: 表达式里的冒号加空格被 YAML 当成了键的结尾
         --> 客户.yaml:1:25
          |
        1 | 备注: _function CONCAT('编号: ', b)
          |                             ^
          |
          = 提示: 给整个表达式加引号
        en: YAML takes the colon and blank in the expression for the end of a key
            quote the whole expression
    "#]],
    );
    refuses(
        "列表:\n  - _function CONCAT('x: y', b)\n  - 2\n",
        &expect![[r#"
        error[E1037]: 表达式里的冒号加空格被 YAML 当成了键的结尾
         --> 客户.yaml:2:24
          |
        2 |   - _function CONCAT('x: y', b)
          |                        ^
          |
          = 提示: 给整个表达式加引号
        en: YAML takes the colon and blank in the expression for the end of a key
            quote the whole expression
        read: {"列表":["_function CONCAT('x: y', b)",2]}
    "#]],
    );
    refuses(
        "a:\n  _function CONCAT('x: y', b)\n",
        &expect![[r#"
        error[E1037]: 表达式里的冒号加空格被 YAML 当成了键的结尾
         --> 客户.yaml:2:22
          |
        2 |   _function CONCAT('x: y', b)
          |                      ^
          |
          = 提示: 给整个表达式加引号
        en: YAML takes the colon and blank in the expression for the end of a key
            quote the whole expression
        read: {"a":"_function CONCAT('x: y', b)"}
    "#]],
    );
    refuses(
        "a: _function CONCAT('a', # note\n   b)\n",
        &expect![[r#"
        error[E1036]: 表达式在 “空格加 #” 处被 YAML 当作注释切断了
         --> 客户.yaml:1:26
          |
        1 | a: _function CONCAT('a', # note
          |                          ^^^^^^
          |
          = 提示: 给整个表达式加引号
        en: YAML cut the expression at the blank and #, which begin a comment
            quote the whole expression
    "#]],
    );
}

#[test]
fn brackets_stars_and_nothing() {
    refuses(
        "结果: [{when: code in [1, 2]}]\n",
        &expect![[r#"
        error[E1038]: 花括号或方括号里,没有引号的值不能含有 [
         --> 客户.yaml:1:21
          |
        1 | 结果: [{when: code in [1, 2]}]
          |                       ^
          |
          = 提示: 给整个值加引号,或单独写成一行;结果表里用 code: [1, 2]
        en: inside braces or brackets a value without quotes cannot hold [
            quote the whole value, or put it on a line of its own; in an outcome table write code: [1, 2]
    "#]],
    );
    refuses(
        "计划: {cron: */5 * * * *}\n",
        &expect![[r#"
        error[E1024]: 没有名为 `/5` 的锚点:没有引号的 * 开头表示引用
         --> 客户.yaml:1:12
          |
        1 | 计划: {cron: */5 * * * *}
          |              ^^^
          |
          = 提示: 给值加引号,例如 cron: "*/5 * * * *"
        en: there is no anchor `/5`: an unquoted * at the beginning is a reference
            quote the value, as in cron: "*/5 * * * *"
    "#]],
    );
    refuses(
        "cron: */5 * * * *\na: 1\na: 2\n",
        &expect![[r#"
        error[E1024]: 没有名为 `/5` 的锚点:没有引号的 * 开头表示引用
         --> 客户.yaml:1:7
          |
        1 | cron: */5 * * * *
          |       ^^^
          |
          = 提示: 给值加引号,例如 cron: "*/5 * * * *"
        en: there is no anchor `/5`: an unquoted * at the beginning is a reference
            quote the value, as in cron: "*/5 * * * *"
    "#]],
    );
    refuses(
        "名称:\nb: 1\n列表:\n  - \n  - 1\nc:  # note\n",
        &expect![[r#"
        error[E1029]: `名称` 后面没有值
         --> 客户.yaml:1:1
          |
        1 | 名称:
          | ^^^^
          |
          = 提示: 写 null 或 "";下级内容要比它多缩进

        error[E1030]: 列表项是空的
         --> 客户.yaml:4:3
          |
        4 |   - 
          |   ^
          |
          = 提示: 写 null 或 "",或者删掉这一项

        error[E1029]: `c` 后面没有值
         --> 客户.yaml:6:1
          |
        6 | c:  # note
          | ^
          |
          = 提示: 写 null 或 "";下级内容要比它多缩进
        en: `名称` has no value
            write null or ""; what belongs below it must be indented further
        en: the list item is empty
            write null or "", or delete the item
        en: `c` has no value
            write null or ""; what belongs below it must be indented further
        read: {"名称":null,"b":1,"列表":[null,1],"c":null}
    "#]],
    );
    refuses(
        "字段: {a, b: , c: 1}\n",
        &expect![[r#"
        error[E1031]: 花括号里的 `a` 只有键,没有值
         --> 客户.yaml:1:6
          |
        1 | 字段: {a, b: , c: 1}
          |        ^
          |
          = 提示: 列表用方括号;值里有逗号时给值加引号

        error[E1029]: `b` 后面没有值
         --> 客户.yaml:1:9
          |
        1 | 字段: {a, b: , c: 1}
          |           ^
          |
          = 提示: 写 null 或 "";下级内容要比它多缩进
        en: `a` in braces has neither colon nor value
            a list takes brackets; quote a value that holds a comma
        en: `b` has no value
            write null or ""; what belongs below it must be indented further
        read: {"字段":{"a":null,"b":null,"c":1}}
    "#]],
    );
    refuses(
        "a: [1, , 2]\n",
        &expect![[r#"
        error[E1000]: 这里不是合法的 YAML(unexpected EOF while parsing an implicit flow mapping)
         --> 客户.yaml:1:8
          |
        1 | a: [1, , 2]
          |        ^
          |
          = 提示: 检查这一行的缩进、引号和冒号
        en: this is not YAML (unexpected EOF while parsing an implicit flow mapping)
            look at the indentation, quotes and colons of this line
    "#]],
    );
    refuses(
        "键: 1\nb: 2\n键: 3\n\"键\": 4\n",
        &expect![[r#"
        error[E1028]: 键 `键` 重复,第一次在第 1 行第 1 列
         --> 客户.yaml:3:1
          |
        3 | 键: 3
          | ^^
          |
          = 提示: 删掉其中一个

        error[E1028]: 键 `键` 重复,第一次在第 1 行第 1 列
         --> 客户.yaml:4:1
          |
        4 | "键": 4
          | ^^^^
          |
          = 提示: 删掉其中一个
        en: the key `键` is written twice; the first is at line 1, column 1
            delete one of them
        en: the key `键` is written twice; the first is at line 1, column 1
            delete one of them
        read: {"键":1,"b":2}
    "#]],
    );
    refuses(
        "a: &x {k: 1}\nb:\n  <<: *x\n  c: 2\n",
        &expect![[r#"
        error[E1022]: 不支持合并键 `<<`
         --> 客户.yaml:3:3
          |
        3 |   <<: *x
          |   ^^
          |
          = 提示: 把共用的键写出来,或用锚点引用整个值
        en: the merge key `<<` is not supported
            write the shared keys out, or let an alias stand for a whole value
        read: {"a":{"k":1},"b":{"c":2}}
    "#]],
    );
    refuses(
        "a: !!str 1\nb: !x {c: 1}\n",
        &expect![[r#"
        error[E1021]: 不支持 YAML 标签 !!str
         --> 客户.yaml:1:4
          |
        1 | a: !!str 1
          |    ^^^^^
          |
          = 提示: 去掉它;以 ! 开头的文本要加引号;类型由 $type 决定

        error[E1021]: 不支持 YAML 标签 !x
         --> 客户.yaml:2:4
          |
        2 | b: !x {c: 1}
          |    ^^
          |
          = 提示: 去掉它;以 ! 开头的文本要加引号;类型由 $type 决定
        en: YAML tags like !!str are not supported
            remove it; quote text that begins with !; $type decides on types
        en: YAML tags like !x are not supported
            remove it; quote text that begins with !; $type decides on types
        read: {"a":1,"b":{"c":1}}
    "#]],
    );
    refuses(
        "{a: 1}: 2\n[b]: 3\n*c : 4\n",
        &expect![[r#"
            error[E1032]: 键必须是文本
             --> 客户.yaml:1:1
              |
            1 | {a: 1}: 2
              | ^

            error[E1032]: 键必须是文本
             --> 客户.yaml:2:1
              |
            2 | [b]: 3
              | ^

            error[E1024]: 没有名为 `c` 的锚点:没有引号的 * 开头表示引用
             --> 客户.yaml:3:1
              |
            3 | *c : 4
              | ^^
              |
              = 提示: 给值加引号,例如 cron: "*/5 * * * *"
            en: a key must be text
    
            en: a key must be text
    
            en: there is no anchor `c`: an unquoted * at the beginning is a reference
                quote the value, as in cron: "*/5 * * * *"
            read: {}
        "#]],
    );
    refuses(
        "a: &x [*x]\n",
        &expect![[r#"
            error[E1025]: 引用 `x` 出现在它所引用的内容里
             --> 客户.yaml:1:8
              |
            1 | a: &x [*x]
              |        ^^
            en: the alias `x` stands inside what it refers to
    
        "#]],
    );
}

#[test]
fn syntax_errors_come_alone() {
    refuses(
        "a: 1\na: 2\nb: 'x\n",
        &expect![[r#"
        error[E1005]: 这一行的缩进与上面的内容对不上
         --> 客户.yaml:4:1
          |
        4 |
          | ^
          |
          = 提示: 同一级的键要左对齐,下一级多缩进两个空格;已经有值的键下面不能再写下级
        en: the indentation of this line fits nothing above it
            keys of one level begin in the same column, the next level two blanks further; a key that already has a value cannot have keys below it
    "#]],
    );
    refuses(
        "a:\n\tb: 1\n",
        &expect![[r#"
        error[E1004]: 这里用了制表符,YAML 只允许用空格
         --> 客户.yaml:2:1
          |
        2 |     b: 1
          | ^^^^
          |
          = 提示: 换成空格;可以让编辑器把制表符显示出来
        en: a tab stands here; YAML only allows blanks
            replace it by blanks; most editors can show tabs
    "#]],
    );
    refuses(
        "a: 1\n  b: 2\n",
        &expect![[r#"
        error[E1005]: 这一行的缩进与上面的内容对不上
         --> 客户.yaml:2:3
          |
        2 |   b: 2
          |   ^^^^
          |
          = 提示: 同一级的键要左对齐,下一级多缩进两个空格;已经有值的键下面不能再写下级
        en: the indentation of this line fits nothing above it
            keys of one level begin in the same column, the next level two blanks further; a key that already has a value cannot have keys below it
    "#]],
    );
    refuses(
        "a:\n    b: 1\n  c: 2\n",
        &expect![[r#"
        error[E1005]: 这一行的缩进与上面的内容对不上
         --> 客户.yaml:3:3
          |
        3 |   c: 2
          |   ^^^^
          |
          = 提示: 同一级的键要左对齐,下一级多缩进两个空格;已经有值的键下面不能再写下级
        en: the indentation of this line fits nothing above it
            keys of one level begin in the same column, the next level two blanks further; a key that already has a value cannot have keys below it
    "#]],
    );
    refuses(
        "名称: 备注: 值\n",
        &expect![[r#"
        error[E1013]: 值里有冒号加空格,YAML 把它当成了新的键
         --> 客户.yaml:1:7
          |
        1 | 名称: 备注: 值
          |           ^
          |
          = 提示: 给整个值加引号
        en: the value holds a colon and a blank, which YAML takes for another key
            quote the whole value
    "#]],
    );
    refuses(
        "a: 1\nb 2\nc: 3\n",
        &expect![[r#"
        error[E1006]: 这一行不是 “键: 值” 的形式
         --> 客户.yaml:2:1
          |
        2 | b 2
          | ^^^
          |
          = 提示: 冒号要用半角,后面要有一个空格;值写成多行时用 | 或引号
        en: this line is not of the form `key: value`
            write a colon and a blank after the key; a value of several lines needs | or quotes
    "#]],
    );
    refuses(
        "a: 1\n名称\u{ff1a}张三\nc: 3\n",
        &expect![[r#"
        error[E1007]: 这里的冒号是全角的 “：”
         --> 客户.yaml:2:3
          |
        2 | 名称：张三
          |     ^^
          |
          = 提示: 改成半角冒号加一个空格:`: `
        en: this colon is the full-width “：”
            write an ordinary colon and a blank: `: `
    "#]],
    );
    refuses(
        "名称\u{ff1a}张三\nc: 3\n",
        &expect![[r#"
        error[E1007]: 这里的冒号是全角的 “：”
         --> 客户.yaml:1:3
          |
        1 | 名称：张三
          |     ^^
          |
          = 提示: 改成半角冒号加一个空格:`: `
        en: this colon is the full-width “：”
            write an ordinary colon and a blank: `: `
    "#]],
    );
    refuses(
        "a: [1, 2\nb: 3\n",
        &expect![[r#"
        error[E1005]: 这一行的缩进与上面的内容对不上
         --> 客户.yaml:2:1
          |
        2 | b: 3
          | ^^^^
          |
          = 提示: 同一级的键要左对齐,下一级多缩进两个空格;已经有值的键下面不能再写下级
        en: the indentation of this line fits nothing above it
            keys of one level begin in the same column, the next level two blanks further; a key that already has a value cannot have keys below it
    "#]],
    );
    refuses(
        "a: {b: 1]\n",
        &expect![[r#"
        error[E1000]: 这里不是合法的 YAML(mismatched bracket '{' closed by ']')
         --> 客户.yaml:1:4
          |
        1 | a: {b: 1]
          |    ^
          |
          = 提示: 检查这一行的缩进、引号和冒号
        en: this is not YAML (mismatched bracket '{' closed by ']')
            look at the indentation, quotes and colons of this line
    "#]],
    );
    refuses(
        "a: [1] 2\n",
        &expect![[r#"
        error[E1011]: 括号结束之后还有多余的内容
         --> 客户.yaml:1:8
          |
        1 | a: [1] 2
          |        ^
          |
          = 提示: 以 { 或 [ 开头的文本要整个加引号
        en: there is more text after the closing bracket
            quote the whole value if it is text that begins with { or [
    "#]],
    );
    refuses(
        "a: b]\nc: ]\n",
        &expect![[r#"
        error[E1010]: 这里的 ] 与前面的括号不配对
         --> 客户.yaml:2:4
          |
        2 | c: ]
          |    ^
          |
          = 提示: 检查前面的 { 与 [;值里本来就有括号时给整个值加引号
        en: this ] does not match the brackets before it
            look at the { and [ before it; if the bracket belongs to the value, quote the value
    "#]],
    );
    refuses(
        "名称: '客户' 公司\n",
        &expect![[r#"
        error[E1012]: 引号结束之后还有多余的内容
         --> 客户.yaml:1:10
          |
        1 | 名称: '客户' 公司
          |              ^^
          |
          = 提示: 把整个值放进一对引号;单引号文本里的单引号写两个 ''
        en: there is more text after the closing quote
            put the whole value into one pair of quotes; inside '…' a single quote is written twice: ''
    "#]],
    );
    refuses(
        "路径: \"C:\\path\"\n",
        &expect![[r#"
        error[E1015]: 双引号里没有 \p 这样的转义
         --> 客户.yaml:1:8
          |
        1 | 路径: "C:\path"
          |          ^^
          |
          = 提示: 反斜杠写成 \\,或改用单引号
        en: double quotes have no escape \p
            write the backslash twice, or use single quotes
    "#]],
    );
    refuses(
        "a: @x\n",
        &expect![[r#"
        error[E1014]: 没有引号的值不能以 @ 开头
         --> 客户.yaml:1:4
          |
        1 | a: @x
          |    ^
          |
          = 提示: 给整个值加引号
        en: a value without quotes cannot begin with @
            quote the whole value
    "#]],
    );
    refuses(
        "a: >= 3\n",
        &expect![[r#"
        error[E1014]: 没有引号的值不能以 > 开头
         --> 客户.yaml:1:4
          |
        1 | a: >= 3
          |    ^
          |
          = 提示: 给整个值加引号
        en: a value without quotes cannot begin with >
            quote the whole value
    "#]],
    );
    refuses(
        "a: - b\n",
        &expect![[r#"
        error[E1016]: 这里不能开始一个列表项
         --> 客户.yaml:1:4
          |
        1 | a: - b
          |    ^^^
          |
          = 提示: 列表项另起一行;值确实以 “- ” 开头时加引号
        en: a list item cannot begin here
            begin the list on a line of its own; quote a value that really begins with `- `
    "#]],
    );
    refuses(
        "- a\nb: 1\n",
        &expect![[r#"
        error[E1016]: 这里不能开始一个列表项
         --> 客户.yaml:2:1
          |
        2 | b: 1
          | ^^^^
          |
          = 提示: 列表项另起一行;值确实以 “- ” 开头时加引号
        en: a list item cannot begin here
            begin the list on a line of its own; quote a value that really begins with `- `
    "#]],
    );
    refuses(
        "a: 1\n- b\n",
        &expect![[r#"
        error[E1016]: 这里不能开始一个列表项
         --> 客户.yaml:2:1
          |
        2 | - b
          | ^^^
          |
          = 提示: 列表项另起一行;值确实以 “- ” 开头时加引号
        en: a list item cannot begin here
            begin the list on a line of its own; quote a value that really begins with `- `
    "#]],
    );
    refuses(
        "a: x # y\n  z\n",
        &expect![[r#"
        error[E1017]: 多行的值中间有注释,后面的行因此不再属于这个值
         --> 客户.yaml:1:6
          |
        1 | a: x # y
          |      ^^^
          |
          = 提示: 去掉注释,或者用 | 写多行文本
        en: a comment stands inside a value of several lines and cuts the rest off
            remove the comment, or write the text with |
    "#]],
    );
    refuses(
        "a: 1\n---\nb: 2\n",
        &expect![[r#"
        error[E1018]: 一个文件里只能有一个文档,这里开始了第二个
         --> 客户.yaml:2:1
          |
        2 | ---
          | ^^^
          |
          = 提示: 拆成多个文件,并去掉 ---
        en: a file holds one document; a second begins here
            make it several files, without ---
    "#]],
    );
    refuses(
        "%YAML 1.2\n---\na: 1\n",
        &expect![[r#"
        error[E1019]: 不支持以 % 开头的 YAML 指令
         --> 客户.yaml:1:1
          |
        1 | %YAML 1.2
          | ^^^^^^^^^
          |
          = 提示: 删掉这一行
        en: YAML directives, lines that begin with %, are not supported
            delete the line
    "#]],
    );
    refuses(
        "a: 1\n% b\n",
        &expect![[r#"
        error[E1019]: 不支持以 % 开头的 YAML 指令
         --> 客户.yaml:2:1
          |
        2 | % b
          | ^^^
          |
          = 提示: 删掉这一行
        en: YAML directives, lines that begin with %, are not supported
            delete the line
    "#]],
    );
    refuses(
        "a: &\n",
        &expect![[r#"
        error[E1014]: 没有引号的值不能以 & 开头
         --> 客户.yaml:1:4
          |
        1 | a: &
          |    ^
          |
          = 提示: 给整个值加引号
        en: a value without quotes cannot begin with &
            quote the whole value
    "#]],
    );
}

#[test]
fn characters() {
    refuses(
        "甲: a\u{0}b\n",
        &expect![[r#"
        error[E1003]: 文件里有不允许的字符 U+0000
         --> 客户.yaml:1:5
          |
        1 | 甲: a␀b
          |      ^
          |
          = 提示: 删掉它;确实需要时在双引号里写成转义
        en: the character U+0000 is not allowed in a file
            delete it; where it is needed, write its escape inside double quotes
    "#]],
    );
    codes("a: 1\rb: 2\n", &["E1003"]);
    codes("a: \u{feff}1\n", &["E1003"]);
    codes("a: \u{85}\n", &["E1003"]);
    codes("", &["E1020"]);
    codes("# note\n", &["E1020"]);
    codes("---\n", &["E1020"]);
    let decoded = decode("客户.yaml", b"a: \xd6\xd0\n".to_vec()).unwrap_err();
    expect![[r#"
        error[E1002]: 文件不是 UTF-8 编码,第一个不能识别的字节在这里
         --> 客户.yaml:1:4
          |
        1 | a: ��
          |    ^
          |
          = 提示: 用编辑器另存为 UTF-8(不是 GBK、ANSI 或 UTF-16)
    "#]]
    .assert_eq(&render(&decoded, Lang::Zh, false, 20));
    assert!(decode("x", "甲".into()).is_ok());
}

#[test]
fn bounds() {
    codes(&"#".repeat(MAX_BYTES + 1), &["E1001"]);
    let nested = |depth: usize| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    codes(&nested(MAX_DEPTH - 1), &[]);
    codes(&nested(MAX_DEPTH), &["E1026"]);
    codes(&nested(400_000), &["E1026"]);
    codes(&"[".repeat(1_000_000), &["E1026"]);
    codes(&"{a: ".repeat(200_000), &["E1026"]);
    codes(&"- ".repeat(500_000), &["E1026"]);
    let block: String = (0..MAX_DEPTH + 5)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    codes(&block, &["E1026"]);

    let anchors = |count: usize| (0..count).map(|n| format!("k{n}: &a{n} 1\n")).collect::<String>();
    codes(&anchors(MAX_ANCHORS), &[]);
    codes(&anchors(MAX_ANCHORS + 1), &["E1023"]);
    let aliases = |count: usize| format!("a: &a 1\nb: [{}]\n", vec!["*a"; count].join(", "));
    codes(&aliases(MAX_ANCHORS), &[]);
    codes(&aliases(MAX_ANCHORS + 1), &["E1023"]);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let use_ = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("a{level}: &a{level} [{use_}]\n");
    }
    codes(&bomb, &["E1027"]);
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(900_000),
        vec!["*a"; 50].join(", ")
    );
    codes(&long, &["E1027"]);
    let mut deep = "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n".to_owned();
    for level in 1..9 {
        deep += &format!("a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n", level - 1);
    }
    codes(&deep, &["E1026"]);
    codes(&"- a\n".repeat(MAX_NODES + 1), &["E1027"]);
}

/// Where a word of the decoded text of `v` is found in the file, marked in the lines it touches.
#[track_caller]
fn traced(text: &str, word: &str, want: &str) {
    let file = file(text);
    let node = read(&file).unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    let value = &node.get("v").unwrap().value;
    let decoded = value.text().unwrap();
    let start = decoded
        .find(word)
        .unwrap_or_else(|| panic!("{decoded:?} has no {word:?}"));
    assert_eq!(
        &file.text[value.span_in(start..start + word.len())],
        want,
        "{text}"
    );
}

#[test]
fn text_is_traced_to_the_file() {
    traced("v: 客户 名称\n", "名称", "名称");
    traced("甲: 1\nv: 客户\n  名称 x\n\n  y\n", "名称 x", "名称 x");
    traced("v: 客户\n  名称\n", "户 名", "户\n  名");
    traced("v: 'it''s 名称'\n", "名称", "名称");
    traced("v: 'it''s 名称'\n", "'", "''");
    traced("v: 'a\n\n  b 名称 '\n", "名称", "名称");
    traced(r#"v: "\u5f20三 \"x\" 名称\n""#, "名称", "名称");
    traced(r#"v: "\u5f20三 \"x\" 名称""#, "张三", r"\u5f20三");
    traced(r#"v: "\ud83d\ude00 名称""#, "名称", "名称");
    traced("v: \"a \\\n    b 名称\"\n", "b 名称", "b 名称");
    traced("v: \"a\n\n    b\\  \n   名称\"\n", "名称", "名称");
    traced("v: |\n  第一 行\n\n    名称\n  x\n", "名称", "名称");
    traced("v: |2-\n    a\n  名称\nw: 1\n", "名称", "名称");
    traced("v: >-\n  x\n  y\n\n  名称\n    更深\n  z\n", "名称", "名称");
    traced(
        "v: >-\n  x\n  y\n\n  名称\n    更深\n  z\n",
        "更深\nz",
        "更深\n  z",
    );
    traced("v: >\n\n  x 名称\n\n\n", "名称", "名称");
    traced("v: |\r\n  a\r\n  名称\r\n", "名称", "名称");
    traced("\u{feff}v: 名称\r\n", "名称", "名称");
}

#[test]
fn spans_of_nodes() {
    let check = |text: &str, want: &str| {
        let file = file(text);
        let node = read(&file).unwrap();
        let pair = node.get("v").unwrap();
        assert_eq!(&file.text[pair.key_span.clone()], "v");
        assert_eq!(&file.text[pair.value.span.clone()], want, "{text}");
    };
    check("甲: 1\nv: 客户  # note\n", "客户");
    check("v: '客户'\n", "'客户'");
    check("v: &a '客户'\n", "'客户'");
    check("v: {a: 1}\n", "{a: 1}");
    check("v: [\n  1,\n  2 ]\nb: 1\n", "[\n  1,\n  2 ]");
    check("v:\n  a: 1\n  b: 2\nc: 1\n", "a: 1\n  b: 2");
    check("v:\n- 1\n- 2\n\n\nc: 1\n", "- 1\n- 2");
    check(
        "v: | # a | b\n  x\n\n  y\n\n# note\nc: 1\n",
        "| # a | b\n  x\n\n  y",
    );
    check("v: >-\n\n  x\nc: 1\n", ">-\n\n  x");
    check("v: |\n", "|");
}

#[test]
fn empty_ranges_and_ranges_beyond_the_end() {
    let file = file("v: \"a\\nb\"\n");
    let node = read(&file).unwrap();
    let value = &node.get("v").unwrap().value;
    assert_eq!(value.span_in(0..0), 4..4);
    assert_eq!(value.span_in(2..2), 7..7);
    assert_eq!(value.span_in(3..9), 8..8);
    assert_eq!(value.span_in(1..2), 5..7);
    assert_eq!(node.span_in(0..1), node.span);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_yamlish_text_is_read_without_panic(
        text in "(\\{\\{x\\}\\}|_function |<<|: |- |\n|\n  |\t| #|\\r\n|&a |\\*a|\\$\\{e\\}|[a客'\"\\\\|>{}\\[\\],:#&*!%@?-]){0,24}"
    ) {
        survives(&text);
    }

    /// Text that YAML decodes is traced byte by byte: what stands in the file unchanged is found where it stands.
    #[test]
    fn quoted_text_is_traced(words in prop::collection::vec("[a客']{1,3}|\\\\n|\\\\u5f20|\n *|''", 1..8), double in any::<bool>()) {
        let inner: String = if double { words.concat() } else { words.concat().replace('\'', "''") };
        let quote = if double { '"' } else { '\'' };
        let file = file(&format!("v: {quote}{inner}{quote}\n"));
        if let Ok(node) = read(&file) {
            let value = &node.get("v").unwrap().value;
            let text = value.text().unwrap();
            prop_assert!(text.is_empty() || !value.scalar().unwrap().pieces.is_empty(), "{:?} from {:?}", text, file.text);
            for (at, char) in text.char_indices().filter(|(_, char)| matches!(char, 'a' | '客')) {
                prop_assert_eq!(&file.text[value.span_in(at..at + char.len_utf8())], char.to_string());
            }
        }
    }
}

/// Reads, draws and measures: nothing of it may panic, and every place lies in the file.
fn survives(text: &str) {
    let file = file(text);
    let reading = read_all(&file);
    assert_eq!(
        reading.node.is_none() || !reading.problems.is_empty(),
        read(&file).is_err()
    );
    for problem in &reading.problems {
        assert!(
            file.text.get(problem.span.clone()).is_some(),
            "{text:?}: {problem:?}"
        );
    }
    drop(render(&reading.problems, Lang::Zh, true, 20));
    if let Some(node) = reading.node {
        inside(&file, &node);
    }
}

fn inside(file: &SourceFile, node: &Node) {
    assert!(
        file.text.get(node.span.clone()).is_some(),
        "{:?}: {node:?}",
        file.text
    );
    match &node.kind {
        NodeKind::List(items) => items.iter().for_each(|item| inside(file, item)),
        NodeKind::Map(pairs) => {
            for pair in pairs {
                assert!(file.text.get(pair.key_span.clone()).is_some(), "{pair:?}");
                inside(file, &pair.value);
            }
        }
        NodeKind::Scalar(scalar) => {
            for (at, char) in scalar.text.char_indices() {
                let span = node.span_in(at..at + char.len_utf8());
                assert!(file.text.get(span.clone()).is_some(), "{:?}: {span:?}", file.text);
            }
        }
    }
}
