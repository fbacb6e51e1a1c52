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

/// Each common mistake has its own words, its own place and what to write instead.
#[test]
fn common_mistakes() {
    problems(
        "CONCAT(<<a>>, <<b>>,)",
        expect![[r#"
        E1333 `,` 最后一个参数后面多了逗号 | 删掉它,或补上缺少的参数
        E1333 `,` a comma stands behind the last argument | take it out, or add the argument
    "#]],
    );
    problems(
        "CONCAT(<<a>>,,<<b>>)",
        expect![[r#"
        E1334 `,` 这个逗号前面没有参数 | 补上参数;空文本写作 ''
        E1334 `,` there is no argument before this comma | write the argument; empty text is ''
    "#]],
    );
    problems(
        "<<a>> * ()",
        expect![[r#"
        E1335 `()` 括号里没有内容 | 写上内容,或删掉括号
        E1335 `()` these parentheses are empty | fill them, or take them out
    "#]],
    );
    problems(
        "case when <0 then 1 end",
        expect![[r#"
        E1351 `<` `<` 前面缺少一个值 | 补上数字、'文本'、<<字段>> 或函数
        E1351 `<` a value is missing before `<` | write a number, 'text', <<field>> or a function there
    "#]],
    );
    problems(
        "case when <<a>> then else 2 end",
        expect![[r#"
        E1351 `then` `then` 后面缺少一个值 | 补上数字、'文本'、<<字段>> 或函数
        E1351 `then` a value is missing behind `then` | write a number, 'text', <<field>> or a function there
    "#]],
    );
    problems(
        "when <<a>> = 1 then 2 end",
        expect![[r#"
        E1337 `when` `when` 的位置不对 | 写作 `CASE 值 WHEN 甲 THEN 结果 ELSE 其他 END`
        E1337 `when` `when` is out of place | write `CASE value WHEN a THEN result ELSE other END`
    "#]],
    );
    problems(
        "case 1 when 1 then 2 else 3 else 4 end",
        expect![[r#"
        E1337 `else` `else` 的位置不对 | 写作 `CASE 值 WHEN 甲 THEN 结果 ELSE 其他 END`
        E1337 `else` `else` is out of place | write `CASE value WHEN a THEN result ELSE other END`
    "#]],
    );
    problems(
        "case when <<a>> = 1 then (2 else 3 end",
        expect![[r#"
        E1306 `(` 左括号没有对应的右括号 | 补上 `)`
        E1306 `(` a parenthesis is not closed | add `)`
    "#]],
    );
    problems(
        "FORMAT_DATE(<<a>>, 'yyyy') + LEN(<<b>>) + NVL(<<c>>, 0)",
        expect![[r#"
            E1338 `FORMAT_DATE` `FORMAT_DATE` 是其他系统的函数,这里没有 | 写作 `DATE_FORMAT(time, '%Y-%m-%d')`
            E1338 `FORMAT_DATE` `FORMAT_DATE` is another system's function | write `DATE_FORMAT(time, '%Y-%m-%d')`
            E1338 `LEN` `LEN` 是其他系统的函数,这里没有 | 写作 `CHAR_LENGTH(text)`
            E1338 `LEN` `LEN` is another system's function | write `CHAR_LENGTH(text)`
            E1338 `NVL` `NVL` 是其他系统的函数,这里没有 | 写作 `IFNULL(a, b)`
            E1338 `NVL` `NVL` is another system's function | write `IFNULL(a, b)`
        "#]],
    );
    problems(
        "$sum(<<lines.qty>>)",
        expect![[r#"
        E1338 `$sum` `$sum` 是其他系统的函数,这里没有 | 写作 `SUM(<<lines.x>>)`
        E1338 `$sum` `$sum` is another system's function | write `SUM(<<lines.x>>)`
    "#]],
    );
    problems(
        "<<a>> === 1 && <<b>> => 2",
        expect![[r#"
        E1339 `===` 比较不写作 `===` | 写作 `=`
        E1339 `===` `===` is not how values are compared | write `=`
        E1339 `=>` 比较不写作 `=>` | 写作 `>=`
        E1339 `=>` `=>` is not how values are compared | write `>=`
    "#]],
    );
    problems(
        "<<a>> /* note */ + 1 # more",
        expect![[r#"
        E1340 `/* note */` `/*` 开始的是注释,表达式里不能有注释 | 把说明写在 YAML 里,用 `#` 开头;文本要加引号
        E1340 `/* note */` `/*` begins a comment, and an expression has none | put the note into the YAML, behind `#`; a text is written in quotes
        E1340 `# more` `#` 开始的是注释,表达式里不能有注释 | 把说明写在 YAML 里,用 `#` 开头;文本要加引号
        E1340 `# more` `#` begins a comment, and an expression has none | put the note into the YAML, behind `#`; a text is written in quotes
    "#]],
    );
    problems(
        "'x' collate utf8mb4_bin = <<a>> as b",
        expect![[r#"
        E1324 `collate` 不支持 `collate` | 文本比较固定不分大小写;区分大小写写作 `BINARY 甲 = 乙`
        E1324 `collate` `collate` is not supported | texts are always compared without case; with case write `BINARY a = b`
        E1341 `as` `as` 属于 SQL 语句,表达式只是一个值 | AS 只给查询结果的列起名;删掉它
        E1341 `as` `as` belongs to a statement; an expression is one value | AS names a column of a query; take it out
    "#]],
    );
    problems(
        "(select 1)",
        expect![[r#"
        E1341 `select` `select` 属于 SQL 语句,表达式只是一个值 | 查找另一个方案保存的数据用 `_findCollection`
        E1341 `select` `select` belongs to a statement; an expression is one value | use `_findCollection` to look up what another scheme has stored
    "#]],
    );
    problems(
        "row(1, 2) = (3, 4)",
        expect![[r#"
        E1324 `row` 不支持 `row` | 不能比较几个值组成的行;写作 `甲 = 1 AND 乙 = 2`
        E1324 `row` `row` is not supported | rows of several values cannot be compared; write `a = 1 AND b = 2`
        E1324 `(3,` 不支持 `(3,` | 不能比较几个值组成的行;写作 `甲 = 1 AND 乙 = 2`
        E1324 `(3,` `(3,` is not supported | rows of several values cannot be compared; write `a = 1 AND b = 2`
    "#]],
    );
    problems(
        "{price} * ${qty} * {{rate} - <<b>",
        expect![[r#"
        E1342 `{price}` 占位符两边各要两个括号 | 写作 `{{price}}`
        E1342 `{price}` a placeholder has two braces on each side | write `{{price}}`
        E1342 `${qty}` 占位符两边各要两个括号 | 写作 `{{qty}}`
        E1342 `${qty}` a placeholder has two braces on each side | write `{{qty}}`
        E1342 `{{rate}` 占位符两边各要两个括号 | 写作 `{{rate}}`
        E1342 `{{rate}` a placeholder has two braces on each side | write `{{rate}}`
        E1342 `<<b>` 占位符两边各要两个括号 | 写作 `<<b>>`
        E1342 `<<b>` a placeholder has two braces on each side | write `<<b>>`
    "#]],
    );
    problems(
        "1<<2",
        expect![[r#"
        E1343 `<<` `<<` 在这里是占位符的开始 | 左移运算两边要有空格:`1 << 2`
        E1343 `<<` `<<` begins a placeholder here | the shift has blanks on both sides: `1 << 2`
    "#]],
    );
    problems(
        "<<a>>.toFixed(2)",
        expect![[r#"
        E1345 `.toFixed` 值后面不能写 `.toFixed` | 写作 `ROUND(<<a>>, 2)`
        E1345 `.toFixed` a value has no `.toFixed` | write `ROUND(<<a>>, 2)`
    "#]],
    );
    problems(
        "name.length",
        expect![[r#"
        E1345 `name.length` 值后面不能写 `.length` | 写作 `CHAR_LENGTH(<<name>>)`
        E1345 `name.length` a value has no `.length` | write `CHAR_LENGTH(<<name>>)`
    "#]],
    );
    problems(
        "<<a>>\u{3000}+ 1",
        expect![[r#"
        E1346 `　` 这里有看不见的字符(U+3000) | 换成普通空格,或删掉它
        E1346 `　` an invisible character stands here (U+3000) | put an ordinary blank there, or take it out
    "#]],
    );
    problems(
        "<<a>> = not <<b>>",
        expect![[r#"
        E1347 `not` 运算符后面不能直接写 NOT | 加上括号:`甲 = (NOT 乙)`
        E1347 `not` NOT cannot stand right behind an operator | put it in parentheses: `a = (NOT b)`
    "#]],
    );
    problems(
        "date'2023-02-30' = x'4'",
        expect![[r#"
        E1349 `'2023-02-30'` 字面值写错了:不是 DATE
        E1349 `'2023-02-30'` the literal is wrong: this is no DATE
        E1349 `x'4'` 字面值写错了:x'…' 里是成对的十六进制数字
        E1349 `x'4'` the literal is wrong: x'…' holds pairs of hexadecimal digits
    "#]],
    );
    problems(
        "CONCAT(distinct <<a>>)",
        expect![[r#"
        E1348 `distinct` `CONCAT` 不能带 DISTINCT、ORDER BY 或 SEPARATOR | 写作 CONCAT(text[, more, …])
        E1348 `distinct` `CONCAT` takes no DISTINCT, ORDER BY or SEPARATOR here | it is written CONCAT(text[, more, …])
    "#]],
    );
    problems(
        "case when <<a>> then '_findCollection find F from s where b=1' end",
        expect![[r#"
            E1350 `'_findCollection find F from s where b=1'` 引号里的 `_findCollection` 只是文本,不会查找 | 去掉引号,写作 `_findCollection find 字段 from 方案 where 字段=值 _endFind`
            E1350 `'_findCollection find F from s where b=1'` a `_findCollection` in quotes is only text and looks nothing up | take the quotes off: `_findCollection find FIELD from SCHEME where FIELD=VALUE _endFind`
        "#]],
    );
    problems(
        "IFNULL\u{ff08}\u{ff5b}\u{ff5b}a\u{ff5d}\u{ff5d}\u{ff0c} \u{201c}x\u{201d}\u{ff09} + \u{ff11}\u{ff12}",
        expect![[r#"
            E1328 `（` `（` 是全角字符 | 写成半角 `(`
            E1328 `（` `（` is a full-width character | write `(`
            E1328 `｛｛a｝｝` `｛｛a｝｝` 是全角字符 | 写成半角 `{{a}}`
            E1328 `｛｛a｝｝` `｛｛a｝｝` is a full-width character | write `{{a}}`
            E1328 `，` `，` 是全角字符 | 写成半角 `,`
            E1328 `，` `，` is a full-width character | write `,`
            E1328 `“x”` `“x”` 是全角字符 | 写成半角 `"x"`
            E1328 `“x”` `“x”` is a full-width character | write `"x"`
            E1328 `）` `）` 是全角字符 | 写成半角 `)`
            E1328 `）` `）` is a full-width character | write `)`
            E1328 `１２` `１２` 是全角字符 | 写成半角 `12`
            E1328 `１２` `１２` is a full-width character | write `12`
        "#]],
    );
    problems(
        "<<a>> + undefined",
        expect![[r#"
        E1324 `undefined` 不支持 `undefined` | 写作 NULL
        E1324 `undefined` `undefined` is not supported | write NULL
    "#]],
    );
    problems(
        "`price` * 2",
        expect![[r#"
        E1324 ``price`` 不支持 ``price`` | 字段写作 `<<price>>`
        E1324 ``price`` ``price`` is not supported | a field is written `<<price>>`
    "#]],
    );
    problems(
        "lines[0] + @x",
        expect![[r#"
        E1312 `lines` `lines` 既不是函数也不是值 | 读取字段写作 `<<lines>>`,文本写作 `'lines'`
        E1312 `lines` `lines` is neither a function nor a value | a field is written `<<lines>>`, a text `'lines'`
        E1324 `[` 不支持 `[` | 列表里的一项写作 `<<行.0>>`
        E1324 `[` `[` is not supported | an item of a list is written `<<lines.0>>`
        E1324 `]` 不支持 `]` | 列表里的一项写作 `<<行.0>>`
        E1324 `]` `]` is not supported | an item of a list is written `<<lines.0>>`
        E1324 `@` 不支持 `@` | 表达式里没有变量;字段写作 `<<字段>>`
        E1324 `@` `@` is not supported | there are no variables; a field is written `<<field>>`
        E1312 `x` `x` 既不是函数也不是值 | 读取字段写作 `<<x>>`,文本写作 `'x'`
        E1312 `x` `x` is neither a function nor a value | a field is written `<<x>>`, a text `'x'`
    "#]],
    );
    problems(
        "<<a>> ** 2",
        expect![[r#"
        E1324 `**` 不支持 `**` | 乘方用 `POWER(甲, 乙)`
        E1324 `**` `**` is not supported | a power is `POWER(a, b)`
    "#]],
    );
    problems(
        "interval(1, 2)",
        expect![[r#"
        E1324 `(1,` 不支持 `INTERVAL(…)` | 比较大小用 CASE 或 FIELD;时间长度写作 `INTERVAL 1 DAY`
        E1324 `(1,` `INTERVAL(…)` is not supported | use CASE or FIELD to find a place; a length of time is `INTERVAL 1 DAY`
    "#]],
    );
    problems(
        "<<a>> in 1",
        expect![[r#"
        E1300 `in` 这里不应出现 `in` | IN 后面写括号里的列表:`IN (1, 2)`
        E1300 `in` `in` is not expected here | IN is followed by a list in parentheses: `IN (1, 2)`
    "#]],
    );
    problems(
        "<<a>> is 5",
        expect![[r#"
        E1300 `5` 这里不应出现 `5` | IS 后面写 NULL、TRUE、FALSE 或 UNKNOWN
        E1300 `5` `5` is not expected here | behind IS stands NULL, TRUE, FALSE or UNKNOWN
    "#]],
    );
    problems(
        "<<a>> between 1",
        expect![[r#"
        E1309 `1` 表达式没有写完 | BETWEEN 写作 `值 BETWEEN 下限 AND 上限`
        E1309 `1` the expression ends too early | BETWEEN is written `value BETWEEN low AND high`
    "#]],
    );
    problems(
        "timestampdiff('day', <<a>>, <<b>>)",
        expect![[r#"
        E1301 `timestampdiff` 没有名为 `timestampdiff` 的函数 | `engine functions` 列出所有函数
        E1301 `timestampdiff` there is no function `timestampdiff` | `engine functions` lists them all
        E1300 `'day'` 这里不应出现 `'day'` | 此处需要时间单位,例如 DAY(不加引号)
        E1300 `'day'` `'day'` is not expected here | a unit of time is needed here, such as DAY, without quotes
    "#]],
    );
    problems(
        "position('a', <<b>>)",
        expect![[r#"
        E1300 `,` 这里不应出现 `,` | POSITION 写作 `POSITION(甲 IN 乙)`
        E1300 `,` `,` is not expected here | POSITION is written `POSITION(a IN b)`
    "#]],
    );
    problems(
        "1, 2",
        expect![[r#"
        E1300 `,` 这里不应出现 `,` | 此处需要运算符,或到此结束
        E1300 `,` `,` is not expected here | an operator is needed here, or nothing more
    "#]],
    );
    problems(
        "CONCT(<<a>>) + <<a|dat>>",
        expect![[r#"
        E1301 `CONCT` 没有名为 `CONCT` 的函数 | 是否想写 `CONCAT`?
        E1301 `CONCT` there is no function `CONCT` | did you mean `CONCAT`?
        E1317 `<<a|dat>>` 没有名为 `dat` 的过滤器 | 是否想写 `date`? 可用:date datetime ms s rfc3339 text number json trim upper lower
        E1317 `<<a|dat>>` there is no filter `dat` | did you mean `date`? there are date datetime ms s rfc3339 text number json trim upper lower
    "#]],
    );
    problems(
        "IFNULL",
        expect![[r#"
        E1344 `IFNULL` `IFNULL` 是函数,后面要有括号 | 写作 IFNULL(a, b);如果是字段,写作 `<<IFNULL>>`
        E1344 `IFNULL` `IFNULL` is a function and needs parentheses | it is written IFNULL(a, b); a field is `<<IFNULL>>`
    "#]],
    );
    problems(
        "COUNT(*)",
        expect![[r#"
        E1332 `*` `COUNT(*)` 数的是表里的行,这里只有一行数据 | 数明细写一个每行都有的字段:`COUNT(<<details.id>>)`
        E1332 `*` `COUNT(*)` counts the rows of a table, and here is one row | to count lines name a field that each of them has: `COUNT(<<details.id>>)`
    "#]],
    );
}
