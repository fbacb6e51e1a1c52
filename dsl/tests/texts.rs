//! `$template`: text from a template.

mod common;
mod record;

use dsl::facts::Action;
use dsl::lookup::Hits;
use dsl::tree::{TreePlace, ValueSink, eval};
use record::{check, row, tree};

const ORDER: &str = r#"{"no":"S1","amount":1.50,"zero":0.00,"big":12345678901234567890,"b":true,"nil":null,"e":"","created":1700000000000,"客户 名称":"x","名称":"张三","a":{"city":"杭州"},
    "lines":[{"sku":"a","qty":1,"ok":true},{"sku":"b","qty":20.0},{"sku":"c","qty":"3"}],"tags":["x","y"],"html":"<b>&\"'"}"#;

/// The template stands in single quotes of YAML.
#[track_caller]
fn text(template: &str, want: &str) {
    let value = format!("{{$template: '{}'}}", template.replace('\'', "''"));
    let want =
        if want.starts_with('E') && want.len() > 4 && want[1..5].bytes().all(|byte| byte.is_ascii_digit()) {
            want.to_owned()
        } else {
            dsl::json::to_string(&want.into())
        };
    check(&value, ORDER, &want);
}

#[test]
fn fields_and_placeholders() {
    text("plain", "plain");
    text("{{ no }}/{{ 名称 }}/<<a.city>>", "S1/张三/杭州");
    text("{{ a.city }} {{ lines.1.sku }} {{ lines[0].sku }}", "杭州 b a");
    text(
        "{{ amount }} {{ big }} {{ b }} [{{ nil }}] [{{ e }}]",
        "1.50 12345678901234567890 true [] []",
    );
    text("<<客户 名称>>", "x");
    text("{{ html }}", "<b>&\"'");
    text(
        "<<created|date>> {{ created|datetime }}",
        "2023-11-15 2023-11-15 06:13:20",
    );
    text("<<$now|date>> <<$key>>", "2023-11-15 K1");
    text("{{ <<a.city>>|default('-') }}", "杭州");
    text(
        "{% raw %}{{ no }} <<no>>{% endraw %}{# <<gone>> #}",
        "{{ no }} <<no>>",
    );
}

#[test]
fn conditions_and_loops() {
    text(
        "{% for l in lines %}{{ loop.index }}:{{ l.sku }}×{{ l.qty }}{% if not loop.last %};{% endif %}{% endfor %}",
        "1:a×1;2:b×20.0;3:c×3",
    );
    text(
        "{% if amount is gt 1.49 and amount is le(1.5) %}y{% endif %}",
        "y",
    );
    text("{% if lines.2.qty is eq 3 %}y{% else %}n{% endif %}", "y"); // also text that writes a number
    text("{% if lines.1.qty is eq 20 %}y{% endif %}", "y");
    text("{% if zero %}y{% else %}n{% endif %}", "n");
    text("{% if no == 'S1' and 'x' in tags %}y{% endif %}", "y");
    text(
        "{% for l in lines if l.ok is defined %}{{ l.sku }}{% endfor %}",
        "a",
    );
    text("{% if gone is defined %}{{ gone }}{% else %}-{% endif %}", "-");
    text(
        "{% for l in lines %}{% if loop.index is eq 2 %}{{ l.sku }}{% endif %}{% endfor %}",
        "b",
    );
    text("{{ 'y' if b else 'n' }}{{ 'z' if nil }}", "y");
}

#[test]
fn filters() {
    text(
        "{{ tags|join('-') }} {{ lines|map(attribute='sku')|join }} {{ lines|join(',', attribute='sku') }}",
        "x-y abc a,b,c",
    );
    text(
        "{{ gone|default('-') }}{{ nil|default('-') }}{{ e|d('-') }}{{ no|d('-') }}",
        "---S1",
    );
    text(
        "{{ no|lower }} {{ 'ab'|upper }} [{{ ' a '|trim }}] {{ no|replace('S', 'T') }}",
        "s1 AB [a] T1",
    );
    text(
        "{{ lines|length }} {{ 名称|count }} {{ tags|first }}{{ tags|last }}",
        "3 2 xy",
    );
    text(
        "{{ tags|json }} {{ amount|text }} {{ lines.2.qty|number }}",
        "[\"x\",\"y\"] 1.50 3",
    );
    text(
        "{{ created|rfc3339 }} {{ '2023-11-15 06:13:20'|ms }}",
        "2023-11-15T06:13:20+08:00 1700000000000",
    );
}

/// What is missing is named, and manners say what happens then.
#[test]
fn what_is_missing() {
    text("{{ gone }}", "E2001");
    text("<<gone>>", "E2001");
    text("{{ a.gone }}", "E2001");
    text("{% for l in gone %}{% endfor %}", "E2001");
    check("{$template: \"{{ gone }}\", $missing: omit}", ORDER, "(omitted)");
    check("{$template: \"{{ gone }}\", $default: none}", ORDER, "\"none\"");
    check("{x: {$template: \"{{ e }}\", $required: true}}", ORDER, "E2103 x");
    check("{$template: \"{{ amount }}\", $type: decimal}", ORDER, "1.50");
    for (template, name) in [
        ("{{ gone }}", "gone"),
        ("{{ a.gone }}", "a.gone"),
        ("{{ lines[1].ok }}", "lines.1.ok"),
        ("<<a.gone>>", "a.gone"),
    ] {
        let tree = tree(
            &format!("{{f: {{$template: \"{template}\"}}}}"),
            TreePlace::TARGET,
        )
        .expect("a template");
        let failure = eval(
            &tree,
            &row(ORDER, Action::Create),
            &Hits::new(),
            &mut ValueSink::new(),
            None,
        )
        .expect_err(template);
        assert_eq!(failure.field.as_deref(), Some("f"), "{template}");
        assert!(
            failure.message(dsl::Lang::En).contains(&format!("`{name}`")),
            "{template}: {failure:?}"
        );
    }
}

#[test]
fn lines_of_each() {
    check(
        "{$each: lines, $do: {$template: \"<<$index>> {{ lines.sku }} <<$line.qty>> {{ no }}\"}}",
        ORDER,
        r#"["1 a 1 S1","2 b 20.0 S1","3 c 3 S1"]"#,
    );
    let reads = tree(
        "{$template: \"{{ a.city }}{% for l in lines %}{{ l.sku }}{% endfor %}<<no>>\"}",
        TreePlace::TARGET,
    )
    .expect("a template");
    let mut reads: Vec<String> = reads.reads().iter().map(ToString::to_string).collect();
    reads.sort();
    assert_eq!(reads, ["a", "lines", "no"], "what makes a new version");
}

#[test]
fn what_is_refused() {
    for (template, code) in [
        ("{{ no", "E1201"),
        ("{% if no", "E1201"),
        ("<<no", "E1201"),
        ("{{ no|uper }}", "E1207"),
        ("<<created|dat>>", "E1207"),
        ("<<$now>>", "E1208"),
        ("<<$nwo|date>>", "E1203"),
        ("{% if no %}", "E1239"),
        ("{{ no no }}", "E1239"),
        ("{{ amount * 2 }}", "E1240"),
        ("{{ no ~ no }}", "E1240"),
        ("{% if amount > 1 %}{% endif %}", "E1240"),
        ("{% if amount == 1 %}{% endif %}", "E1240"),
        ("{% set x = no %}", "E1240"),
        ("{% include 'x' %}", "E1240"),
        ("{{ range(9) }}", "E1240"),
        ("{{ no.upper() }}", "E1240"),
        ("{{ no is divisibleby 3 }}", "E1240"),
        ("{{ lines }}", "E2021"),
        ("{{ 名称|date }}", "E2021"),
        ("{{ no|join }}", "E2021"),
    ] {
        text(template, code);
    }
    check(
        &format!("{{$template: \"{}\"}}", "a".repeat(5000)),
        ORDER,
        "E1228",
    );
    check("{$template: [a]}", ORDER, "E1215");
}

/// Small texts that would take long or grow large.
#[test]
fn bombs() {
    let many = format!(
        "{{\"l\":[{}],\"s\":\"{}\"}}",
        vec!["1"; 2000].join(","),
        "x".repeat(600_000)
    );
    let deep = |from: &str, to: &str| format!("{}{}", from.repeat(60), to.repeat(60));
    for template in [
        "{% for a in l %}{% for b in l %}{% for c in l %}{{ c }}{% endfor %}{% endfor %}{% endfor %}"
            .to_owned(),
        "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}".to_owned(),
        "{{ s }}{{ s }}".to_owned(),
        "{{ s|replace('x', s) }}".to_owned(),
        "{{ l|join(s) }}".to_owned(),
    ] {
        check(&format!("{{$template: \"{template}\"}}"), &many, "E2021");
    }
    for template in [
        deep("{% if b %}", "{% endif %}"),
        format!("{{{{ {}b{} }}}}", "(".repeat(1900), ")".repeat(1900)),
        format!("{{{{ {} b }}}}", "not ".repeat(900)),
    ] {
        let value = format!("{{$template: \"{template}\"}}");
        // Refused or computed, but neither slow nor a crash.
        drop(record::outcome(&value, ORDER, Action::Create));
    }
}
