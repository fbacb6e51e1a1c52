//! What an author reads, in both languages.

use expect_test::{Expect, expect};

use crate::diagnostic::{Diagnostic, Lang, SourceFile};

use super::*;

/// The problems of one text, as an author sees them.
#[track_caller]
fn problems(text: &str, want: Expect) {
    let file = SourceFile::new("x", text);
    let errors = compile(text, &registry(), &Bounds::default()).expect_err(text);
    let mut shown = String::new();
    for error in errors {
        let diagnostic = Diagnostic {
            entry: error.entry,
            facts: error.facts,
            span: error.span.clone(),
            file: file.clone(),
            similar: error.similar,
        };
        let place = text.get(error.span.clone()).unwrap_or("?");
        for lang in [Lang::Zh, Lang::En] {
            let help = diagnostic
                .help(lang)
                .map_or(String::new(), |help| format!(" | {help}"));
            shown += &format!(
                "{} `{place}` {}{help}\n",
                error.entry.code,
                diagnostic.message(lang)
            );
        }
    }
    want.assert_eq(&shown);
}

#[test]
fn what_authors_read() {
    problems(
        "CONCT(<<a>>, FLOOR(1), IFNULL(1))",
        expect![[r#"
            E1301 `CONCT` 没有名为 `CONCT` 的函数 | 是否想写 `CONCAT`?
            E1301 `CONCT` there is no function `CONCT` | did you mean `CONCAT`?
            E1301 `FLOOR` 没有名为 `FLOOR` 的函数 | `engine functions` 列出所有函数
            E1301 `FLOOR` there is no function `FLOOR` | `engine functions` lists them all
            E1302 `IFNULL` `IFNULL` 需要 2 个参数,这里有 1 个 | 写法:IFNULL(a, b)
            E1302 `IFNULL` `IFNULL` takes 2 arguments, not 1 | it is written IFNULL(a, b)
        "#]],
    );
    problems(
        "'abc",
        expect![[r#"
        E1303 `'abc` 引号没有结束 | 在文本末尾补上 ';文本里的 ' 写两遍
        E1303 `'abc` a quote is not closed | put ' at the end of the text; a ' inside it is written twice
    "#]],
    );
    problems(
        "<<price * 2",
        expect![[r#"
        E1304 `<<` `<<` 没有对应的 `>>` | 文本里确实需要这两个字符时写 `\<<`
        E1304 `<<` `<<` has no `>>` | write `\<<` where a text really needs these characters
    "#]],
    );
    problems(
        "{{{a}}/{{b}} + {{c}}}",
        expect![[r#"
        E1305 `{{{a}}` 占位符多了一个花括号 | 写作 `{{a}}`
        E1305 `{{{a}}` a placeholder has one brace too many | write `{{a}}`
        E1305 `{{c}}}` 占位符多了一个花括号 | 写作 `{{c}}`
        E1305 `{{c}}}` a placeholder has one brace too many | write `{{c}}`
    "#]],
    );
    problems(
        "((1 + 2) * 3",
        expect![[r#"
        E1306 `(` 左括号没有对应的右括号 | 补上 `)`
        E1306 `(` a parenthesis is not closed | add `)`
    "#]],
    );
    problems(
        "1 + 2) * 3",
        expect![[r#"
        E1307 `)` 多了一个右括号 | 删掉它,或在前面补上 `(`
        E1307 `)` a closing parenthesis has no opening one | take it out, or add `(` before it
    "#]],
    );
    problems(
        "case <<a>> when 1 then 2",
        expect![[r#"
        E1308 `case` CASE 没有 END | 在最后一个结果后面写 END
        E1308 `case` CASE has no END | write END behind the last result
    "#]],
    );
    problems(
        "case <<a>> else 2 end",
        expect![[r#"
        E1330 `case <<a>> else 2 end` CASE 里没有 WHEN | 写作 `CASE 值 WHEN 甲 THEN 结果 ELSE 其他 END`
        E1330 `case <<a>> else 2 end` CASE has no WHEN | write `CASE value WHEN a THEN result ELSE other END`
    "#]],
    );
    problems(
        "case when 1 2 end",
        expect![[r#"
            E1336 `when` WHEN 没有 THEN | 写作 `WHEN 条件 THEN 结果`
            E1336 `when` WHEN has no THEN | write `WHEN condition THEN result`
        "#]],
    );
    problems(
        "12.50/",
        expect![[r#"
            E1351 `/` `/` 后面缺少一个值 | 补上数字、'文本'、<<字段>> 或函数
            E1351 `/` a value is missing behind `/` | write a number, 'text', <<field>> or a function there
        "#]],
    );
    problems(
        "/3",
        expect![[r#"
            E1351 `/` `/` 前面缺少一个值 | 补上数字、'文本'、<<字段>> 或函数
            E1351 `/` a value is missing before `/` | write a number, 'text', <<field>> or a function there
        "#]],
    );
    problems(
        "1 + * 2",
        expect![[r#"
            E1351 `*` `*` 前面缺少一个值 | 补上数字、'文本'、<<字段>> 或函数
            E1351 `*` a value is missing before `*` | write a number, 'text', <<field>> or a function there
        "#]],
    );
    problems(
        "<<a>> <<b>>",
        expect![[r#"
            E1352 `<<a>> <<b>>` `<<a>>` 和 `<<b>>` 之间没有运算符 | 写上运算符;拼接文本写作 `CONCAT(甲, 乙)`
            E1352 `<<a>> <<b>>` no operator stands between `<<a>>` and `<<b>>` | put an operator there; texts are joined with `CONCAT(a, b)`
        "#]],
    );
    problems(
        "1500 > 1000 ? 1 : 2",
        expect![[r#"
            E1310 `?` 不支持 `条件 ? 甲 : 乙` | 写作 `IF(条件, 甲, 乙)`
            E1310 `?` `condition ? a : b` is not supported | write `IF(condition, a, b)`
        "#]],
    );
    problems(
        "Math.floor(Date.now() / 1000)",
        expect![[r#"
            E1311 `Math.floor` `Math.floor` 不是 MySQL 的函数写法 | 函数名里没有点,请写 `FLOOR(x)`
            E1311 `Math.floor` `Math.floor` is not how MySQL calls a function | a function name has no dot; write `FLOOR(x)`
            E1311 `Date.now` `Date.now` 不是 MySQL 的函数写法 | 函数名里没有点,请写 `ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)`
            E1311 `Date.now` `Date.now` is not how MySQL calls a function | a function name has no dot; write `ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)`
        "#]],
    );
    problems(
        "items.amount/items.qty",
        expect![[r#"
        E1312 `items.amount` `items.amount` 既不是函数也不是值 | 读取字段写作 `<<items.amount>>`,文本写作 `'items.amount'`
        E1312 `items.amount` `items.amount` is neither a function nor a value | a field is written `<<items.amount>>`, a text `'items.amount'`
        E1312 `items.qty` `items.qty` 既不是函数也不是值 | 读取字段写作 `<<items.qty>>`,文本写作 `'items.qty'`
        E1312 `items.qty` `items.qty` is neither a function nor a value | a field is written `<<items.qty>>`, a text `'items.qty'`
    "#]],
    );
    problems(
        "<<a>> == 1",
        expect![[r#"
            E1339 `==` 比较不写作 `==` | 写作 `=`
            E1339 `==` `==` is not how values are compared | write `=`
        "#]],
    );
    problems(
        "12abc",
        expect![[r#"
        E1325 `12abc` `12abc` 不是数字 | 小数点前最多 65 位;文本要加引号
        E1325 `12abc` `12abc` is not a number | at most 65 digits before the point; a text is written in quotes
    "#]],
    );
    problems(
        "<<a..b>> * 2",
        expect![[r#"
        E1316 `<<a..b>>` 占位符里的字段名写错了:两个点之间没有名称 | 写作 `<<a.b>>`;名称本身带点时写 `a\.b`
        E1316 `<<a..b>>` the placeholder names no field: there is no name between two dots | write `<<a.b>>`; a dot within a name is `\.`
    "#]],
    );
    problems(
        "IFNULL(_findCollection find a from s where b=1, 0)",
        expect![[r#"
            E1319 `_findCollection` 表达式里的 `_findCollection` 没有 `_endFind` | 在条件后面写 `_endFind`
            E1319 `_findCollection` `_findCollection` in an expression has no `_endFind` | write `_endFind` behind its conditions
        "#]],
    );
    problems(
        "IFNULL(_findCollection find a from s _endFind, 0)",
        expect![[r#"
            E1318 `` `_findCollection` 写法不对:缺少 `where` | 写作 `_findCollection find 字段 from 方案 where 字段=值`,表达式里以 `_endFind` 结束
            E1318 `` `_findCollection` is not written right: `where` is missing | write `_findCollection find FIELD from SCHEME where FIELD=VALUE`, and `_endFind` behind it in an expression
        "#]],
    );
    problems(
        "<<a>> - interval 1 days",
        expect![[r#"
            E1323 `days` INTERVAL 没有单位 `days` | 是否想写 `DAY`? 可用:MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR, DAY_HOUR, YEAR_MONTH …
            E1323 `days` INTERVAL has no unit `days` | did you mean `DAY`? there are MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR, DAY_HOUR, YEAR_MONTH …
        "#]],
    );
    problems(
        "interval 1 day * 2",
        expect![[r#"
        E1322 `interval` INTERVAL 只能与时间相加减 | 例如 `NOW() - INTERVAL 1 DAY`
        E1322 `interval` INTERVAL can only be added to or taken from a time | as in `NOW() - INTERVAL 1 DAY`
    "#]],
    );
    problems(
        "cast(<<a>> as money)",
        expect![[r#"
            E1326 `money` 不能转换为 `money` | 可用:SIGNED, UNSIGNED, DECIMAL(m,n), DOUBLE, CHAR(n), BINARY(n), DATE, TIME(n), DATETIME(n)
            E1326 `money` nothing can be converted to `money` | there are SIGNED, UNSIGNED, DECIMAL(m,n), DOUBLE, CHAR(n), BINARY(n), DATE, TIME(n), DATETIME(n)
        "#]],
    );
    problems(
        "cast(<<a>>)",
        expect![[r#"
        E1300 `)` 这里不应出现 `)` | CAST 写作 `CAST(值 AS 类型)`
        E1300 `)` `)` is not expected here | CAST is written `CAST(value AS type)`
    "#]],
    );
    problems(
        "CONCAT(<<a>>\u{ff0c}<<b>>\u{ff09}",
        expect![[r#"
            E1328 `，` `，` 是全角字符 | 写成半角 `,`
            E1328 `，` `，` is a full-width character | write `,`
            E1328 `）` `）` 是全角字符 | 写成半角 `)`
            E1328 `）` `）` is a full-width character | write `)`
        "#]],
    );
    problems(
        "<<a>> regexp '('",
        expect![[r#"
        E1329 `(` REGEXP 的表达式有误:unclosed group | 按正则表达式的语法修改
        E1329 `(` the pattern of REGEXP is wrong: unclosed group | correct the regular expression
    "#]],
    );
    problems(
        "select 1",
        expect![[r#"
            E1341 `select` `select` 属于 SQL 语句,表达式只是一个值 | 查找另一个方案保存的数据用 `_findCollection`
            E1341 `select` `select` belongs to a statement; an expression is one value | use `_findCollection` to look up what another scheme has stored
        "#]],
    );
    problems(
        "<<a>> -- b",
        expect![[r#"
            E1340 `-- b` `--` 开始的是注释,表达式里不能有注释 | 把说明写在 YAML 里,用 `#` 开头;文本要加引号
            E1340 `-- b` `--` begins a comment, and an expression has none | put the note into the YAML, behind `#`; a text is written in quotes
        "#]],
    );
}
