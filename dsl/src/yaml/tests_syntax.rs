//! What is no YAML at all: one problem, alone, in our own words.

use expect_test::expect;

use super::tests::refuses;
use crate::diagnostic::SourceFile;

#[test]
fn syntax_errors_come_alone() {
    refuses(
        "a: 1\na: 2\nb: 'x\n",
        &expect![[r#"
            error[E1008]: 这里开始的引号没有结束
             --> 客户.yaml:3:4
              |
            3 | b: 'x
              |    ^
              |
              = 提示: 补上结束的引号;单引号文本里的单引号要写两个 '';多行文本的后续行要缩进
            en: the quote that begins here never ends
                add the closing quote; inside '…' a single quote is written twice: ''; further lines of a text must be indented
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
            error[E1009]: 这里的 [ 没有对应的 ]
             --> 客户.yaml:1:4
              |
            1 | a: [1, 2
              |    ^
              |
              = 提示: 补上 ];值里本来就有括号时给整个值加引号
            en: this [ has no ]
                add the ]; if the bracket belongs to the value, quote the value
        "#]],
    );
    refuses(
        "a: {b: 1]\n",
        &expect![[r#"
            error[E1009]: 这里的 { 没有对应的 }
             --> 客户.yaml:1:4
              |
            1 | a: {b: 1]
              |    ^
              |
              = 提示: 补上 };值里本来就有括号时给整个值加引号
            en: this { has no }
                add the }; if the bracket belongs to the value, quote the value
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
    refuses(
        "名称: \"客户\nb: 1\n",
        &expect![[r#"
        error[E1008]: 这里开始的引号没有结束
         --> 客户.yaml:1:5
          |
        1 | 名称: "客户
          |       ^
          |
          = 提示: 补上结束的引号;单引号文本里的单引号要写两个 '';多行文本的后续行要缩进
        en: the quote that begins here never ends
            add the closing quote; inside '…' a single quote is written twice: ''; further lines of a text must be indented
    "#]],
    );
    refuses(
        "a:\n  b: [1, 2\nc: 3\n",
        &expect![[r#"
        error[E1009]: 这里的 [ 没有对应的 ]
         --> 客户.yaml:2:6
          |
        2 |   b: [1, 2
          |      ^
          |
          = 提示: 补上 ];值里本来就有括号时给整个值加引号
        en: this [ has no ]
            add the ]; if the bracket belongs to the value, quote the value
    "#]],
    );
    refuses(
        "a: {x: 1\nb: 3\n",
        &expect![[r#"
        error[E1009]: 这里的 { 没有对应的 }
         --> 客户.yaml:1:4
          |
        1 | a: {x: 1
          |    ^
          |
          = 提示: 补上 };值里本来就有括号时给整个值加引号
        en: this { has no }
            add the }; if the bracket belongs to the value, quote the value
    "#]],
    );
    refuses(
        "a: 'it's'\n",
        &expect![[r#"
        error[E1012]: 引号结束之后还有多余的内容
         --> 客户.yaml:1:8
          |
        1 | a: 'it's'
          |        ^
          |
          = 提示: 把整个值放进一对引号;单引号文本里的单引号写两个 ''
        en: there is more text after the closing quote
            put the whole value into one pair of quotes; inside '…' a single quote is written twice: ''
    "#]],
    );
}

#[test]
fn full_width_characters_are_named() {
    for (text, want) in [
        ("a: 1\nb：2\n", "E1007 2:2"),
        ("a: {b：1}\n", "E1007 1:6"),
        ("a: {b: 1， c: 2}\n", "E1039 1:9"),
        ("a: 你好，世界: b\n", "E1013 1:9"),
        ("a: [b， c]\n", "E1039 1:6"),
        ("a: “100”\n", "E1039 1:4"),
        ("“a”: 100\n", "E1039 1:1"),
        ("a: ｛b: 1｝\n", "E1039 1:4"),
        ("a: ｛｝\n", "E1039 1:4"),
        ("a: ［1］\n", "E1039 1:4"),
        ("a: {b: 1｝\n", "E1039 1:9"),
        ("a:\n\u{3000}\u{3000}b: 1\n", "E1039 2:1"),
        ("a: 1\nb:\u{3000}2\n", "E1039 2:3"),
    ] {
        let file = SourceFile::new("a.yaml", text);
        let problems = super::read_all(&file).problems;
        let found: Vec<String> = problems
            .iter()
            .map(|problem| {
                let (line, column) = problem.position();
                format!("{} {line}:{column}", problem.entry.code)
            })
            .collect();
        assert_eq!(found, [want], "{text}");
    }
    for text in [
        "a: {b: 网易，互客}\n",
        "a: 他说“好”\n",
        "a: \"“好”\"\n",
        "a: 时间：今天\n",
        "a: |\n  \u{3000}\u{3000}正文，如此。\n",
        "a: 3，5\n",
    ] {
        let problems = super::read_all(&SourceFile::new("a.yaml", text)).problems;
        assert!(problems.is_empty(), "{text}: {problems:?}");
    }
}
