//! Each row of the table of traps: both messages, and what was read in spite of it.

use expect_test::expect;

use super::tests::{reads, refuses};

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
            read: {}
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
            error[E1035]: 花括号或方括号里的表达式在逗号处被 YAML 切断了
             --> 客户.yaml:1:8
              |
            1 | a: {F: _findCollection find id from s where a=b, c=d}
              |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = 提示: 把表达式单独写成一行,或给整个表达式加引号
            en: YAML cut the expression at a comma, because it stands in braces or brackets
                put the expression on a line of its own, or quote the whole of it
            read: {"a":{"F":"_findCollection find id from s where a=b, c=d"}}
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
          = 提示: 下级内容要比它多缩进;真要留空就写 null 或 ""

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
          = 提示: 下级内容要比它多缩进;真要留空就写 null 或 ""
        en: `名称` has no value
            what belongs below it must be indented further; if it is to be empty, write null or ""
        en: the list item is empty
            write null or "", or delete the item
        en: `c` has no value
            what belongs below it must be indented further; if it is to be empty, write null or ""
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
          = 提示: 下级内容要比它多缩进;真要留空就写 null 或 ""
        en: `a` in braces has neither colon nor value
            a list takes brackets; quote a value that holds a comma
        en: `b` has no value
            what belongs below it must be indented further; if it is to be empty, write null or ""
        read: {"字段":{"a":null,"b":null,"c":1}}
    "#]],
    );
    refuses(
        "a: [1, , 2]\n",
        &expect![[r#"
            error[E1030]: 列表项是空的
             --> 客户.yaml:1:8
              |
            1 | a: [1, , 2]
              |        ^
              |
              = 提示: 写 null 或 "",或者删掉这一项
            en: the list item is empty
                write null or "", or delete the item
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
