//! What deserves a look, and what pasting values into the text would have changed.

use expect_test::{Expect, expect};

use super::*;
use crate::diagnostic::{Diagnostic, Lang, SourceFile};

fn shown(text: &str, problems: &[ExprError]) -> String {
    let file = SourceFile::new("x", text);
    let mut shown = String::new();
    for problem in problems {
        let diagnostic = Diagnostic {
            entry: problem.entry,
            facts: problem.facts.clone(),
            span: problem.span.clone(),
            file: file.clone(),
            similar: Vec::new(),
        };
        let place = text.get(problem.span.clone()).unwrap_or("?");
        for lang in [Lang::Zh, Lang::En] {
            let help = diagnostic
                .help(lang)
                .map_or(String::new(), |help| format!(" | {help}"));
            shown += &format!(
                "{} `{place}` {}{help}\n",
                problem.entry.code,
                diagnostic.message(lang)
            );
        }
    }
    shown
}

#[track_caller]
fn warned(text: &str, want: Expect) {
    let expr = compile(text, &registry(), &Bounds::default()).expect(text);
    want.assert_eq(&shown(text, expr.warnings()));
}

#[track_caller]
fn pasted(text: &str, want: Expect) {
    let expr = compile(text, &registry(), &Bounds::default()).expect(text);
    want.assert_eq(&shown(text, expr.pasted()));
}

#[test]
fn what_is_probably_not_meant() {
    warned(
        "<<a>> <= '70'",
        expect![[r#"
        W1301 `<=` `<<a>>` 若是文本,会按文本与 '70' 比较 | 比较数字时去掉引号:70
        W1301 `<=` if `<<a>>` is text, it is compared with '70' as text | take the quotes off to compare numbers: 70
    "#]],
    );
    warned(
        "'C-' + <<code>>",
        expect![[r#"
        W1302 `'C-'` 'C-' 不是数字,在这里按 0 计算 | 拼接文本用 CONCAT
        W1302 `'C-'` 'C-' is no number and counts as 0 here | texts are joined with CONCAT
    "#]],
    );
    warned(
        "'C-<<code>>' * 2",
        expect![[r#"
        W1302 `'C-<<code>>'` 'C-<<code>>' 不是数字,在这里按 0 计算 | 拼接文本用 CONCAT
        W1302 `'C-<<code>>'` 'C-<<code>>' is no number and counts as 0 here | texts are joined with CONCAT
    "#]],
    );
    warned(
        "\"unit_price\" * <<qty>>",
        expect![[r#"
        W1302 `"unit_price"` "unit_price" 不是数字,在这里按 0 计算 | 拼接文本用 CONCAT
        W1302 `"unit_price"` "unit_price" is no number and counts as 0 here | texts are joined with CONCAT
        W1303 `"unit_price"` "unit_price" 是文本,不是字段 | 读取字段写作 `<<unit_price>>`;确实是文本时用单引号:'unit_price'
        W1303 `"unit_price"` "unit_price" is a text, not the field | the field is `<<unit_price>>`; a text that is meant is written 'unit_price'
    "#]],
    );
    warned(
        "<<a>> || '-' || <<b>>",
        expect![[r#"
        W1304 `||` `||` 是「或」,不拼接文本 | 拼接文本写作 `CONCAT(甲, 乙)`;「或」写作 OR
        W1304 `||` `||` is OR and does not join texts | join texts with `CONCAT(a, b)`; write OR for a choice
        W1304 `||` `||` 是「或」,不拼接文本 | 拼接文本写作 `CONCAT(甲, 乙)`;「或」写作 OR
        W1304 `||` `||` is OR and does not join texts | join texts with `CONCAT(a, b)`; write OR for a choice
    "#]],
    );
    warned(
        "UPPER(<<a>> + <<b>>)",
        expect![[r#"
        W1305 `UPPER` `+` 是数字相加,UPPER 得到的是和 | 拼接文本写作 `UPPER(CONCAT(…))`
        W1305 `UPPER` `+` adds numbers, so UPPER gets a sum | to join texts write `UPPER(CONCAT(…))`
    "#]],
    );
    warned(
        "case _findCollection find F from s where a=1 _endFind when true then 'A' else 'B' end",
        expect![[r#"
            W1310 `_findCollection find F from s where a=1 _endFind` `F` 没有值时,先替换再计算的工具得到 THEN 'A',这里得到 ELSE 'B'
            W1310 `_findCollection find F from s where a=1 _endFind` without a value of `F`, a tool that substitutes first gives THEN 'A', and this gives ELSE 'B'
        "#]],
    );
}

/// Texts that look alike and are right.
#[test]
fn what_is_left_alone() {
    let rows = [
        "<<a>> <= 70",
        "'<<a>>' <= '70'",
        "<<a>> = '70'",
        "<<a>> || <<b>> = 2",
        "<<a>> = 1 || <<b>> = 'x'",
        "UPPER(<<a>> + 1)",
        "CONCAT(<<a>> + <<b>>, '-')",
        "<<a>> = \"done\"",
        "'12' + 1",
        "'<<a>>' + 1",
        "'-<<a>>' + 1",
        "case _findCollection find F from s where a=1 _endFind when 'x' then 'A' else 'B' end",
        "case _findCollection find F from s where a=1 _endFind when 0 then 'A' else 'B' end",
        "case <<a>> when true then 'A' else 'B' end",
        "COUNT(<<lines.qty>>)",
    ];
    for text in rows {
        let expr = compile(text, &registry(), &Bounds::default()).expect(text);
        assert_eq!(shown(text, expr.warnings()), "", "{text}");
    }
}

#[test]
fn what_pasting_would_have_changed() {
    pasted(
        "{{amount}}/{{qty}}",
        expect![[r#"
            W1312 `{{amount}}` `amount` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `{{amount}}` `amount` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
            W1314 `{{amount}}` `amount` 没有值时,先替换再计算的工具得到不完整的表达式
            W1314 `{{amount}}` without a value of `amount`, a tool that substitutes first is left with an incomplete expression
            W1312 `{{qty}}` `qty` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `{{qty}}` `qty` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
            W1314 `{{qty}}` `qty` 没有值时,先替换再计算的工具得到不完整的表达式
            W1314 `{{qty}}` without a value of `qty`, a tool that substitutes first is left with an incomplete expression
        "#]],
    );
    pasted(
        "CONCAT({{code}}, '-{{name}}')",
        expect![[r#"
        W1312 `{{code}}` `code` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
        W1312 `{{code}}` `code` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
        W1314 `{{code}}` `code` 没有值时,先替换再计算的工具得到不完整的表达式
        W1314 `{{code}}` without a value of `code`, a tool that substitutes first is left with an incomplete expression
        W1315 `{{name}}` `name` 里有引号或反斜杠时,先替换再计算的工具会出错
        W1315 `{{name}}` a quote or a backslash in `name` breaks the text of a tool that substitutes first
    "#]],
    );
    pasted(
        "{{no}}000*1",
        expect![[r#"
        W1313 `{{no}}000` `no` 没有值时,先替换再计算的工具把 `{{no}}000` 当作 000
        W1313 `{{no}}000` without a value of `no`, a tool that substitutes first takes `{{no}}000` for 000
    "#]],
    );
    pasted(
        "COUNT({{details.qty}})",
        expect![[r#"
        W1311 `{{details.qty}}` 先替换再计算的工具算不出 COUNT 和多行的 `details.qty`
        W1311 `{{details.qty}}` a tool that substitutes first cannot compute COUNT over the lines of `details.qty`
    "#]],
    );
    pasted(
        "case {{price}} when 0 then true else false end",
        expect![[r#"
            W1310 `{{price}}` `price` 没有值时,先替换再计算的工具得到 ELSE FALSE,这里得到 THEN TRUE
            W1310 `{{price}}` without a value of `price`, a tool that substitutes first gives ELSE FALSE, and this gives THEN TRUE
            W1312 `{{price}}` `price` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `{{price}}` `price` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
        "#]],
    );
    pasted(
        "case {{shop}} when '004' then 'x' else 'y' end",
        expect![[r#"
            W1301 `{{shop}}` `<<shop>>` 若是文本,会按文本与 '004' 比较 | 比较数字时去掉引号:004
            W1301 `{{shop}}` if `<<shop>>` is text, it is compared with '004' as text | take the quotes off to compare numbers: 004
            W1310 `{{shop}}` `shop` 没有值时,先替换再计算的工具得到 THEN 'x',这里得到 ELSE 'y'
            W1310 `{{shop}}` without a value of `shop`, a tool that substitutes first gives THEN 'x', and this gives ELSE 'y'
            W1312 `{{shop}}` `shop` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `{{shop}}` `shop` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
        "#]],
    );
    pasted(
        "case _findCollection find F from s where a=1 _endFind when true then '{{b|date}}' else '' end",
        expect![[r#"
            W1310 `_findCollection find F from s where a=1 _endFind` `F` 没有值时,先替换再计算的工具得到 THEN '<<b>>',这里得到 ELSE ''
            W1310 `_findCollection find F from s where a=1 _endFind` without a value of `F`, a tool that substitutes first gives THEN '<<b>>', and this gives ELSE ''
            W1312 `_findCollection find F from s where a=1 _endFind` `F` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `_findCollection find F from s where a=1 _endFind` `F` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
        "#]],
    );
}

/// What is found is pasted, too.
#[test]
fn what_is_found_has_no_quotes() {
    pasted(
        "case _findCollection find F from s where a=1 _endFind when 0 then 'A' end",
        expect![[r#"
            W1312 `_findCollection find F from s where a=1 _endFind` `F` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `_findCollection find F from s where a=1 _endFind` `F` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
        "#]],
    );
    pasted(
        "IFNULL(_findCollection find F from s where a=1 _endFind, 0)",
        expect![[r#"
            W1312 `_findCollection find F from s where a=1 _endFind` `F` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零
            W1312 `_findCollection find F from s where a=1 _endFind` `F` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros
            W1314 `_findCollection find F from s where a=1 _endFind` `F` 没有值时,先替换再计算的工具得到不完整的表达式
            W1314 `_findCollection find F from s where a=1 _endFind` without a value of `F`, a tool that substitutes first is left with an incomplete expression
        "#]],
    );
}

/// Nothing can differ where there is no placeholder, or one that always holds a number.
#[test]
fn what_pasting_would_not_change() {
    let rows = [
        "1 + 2",
        "{{LAST_SYNC_TIME}}000 * 1",
        "({{CURRENT_TIME}} - 60) * 1000",
        "'<<$now|date>>'",
        "'{{created|datetime}}' < '2023'",
        "CONCAT('a', 'b')",
    ];
    for text in rows {
        let expr = compile(text, &registry(), &Bounds::default()).expect(text);
        assert_eq!(shown(text, expr.pasted()), "", "{text}");
    }
}
