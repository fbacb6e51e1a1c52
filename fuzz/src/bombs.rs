//! Small texts that ask for a lot of work or memory.
//!
//! Each must be refused with a named problem before the work is done, or be harmless because the work is linear.

use std::time::Duration;

use crate::target::Target;
use crate::world::{World, quoted};

/// Most processor time that one may take, in a release build.
pub const MOST: Duration = Duration::from_millis(100);

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Bomb {
    /// What it is.
    pub name: &'static str,
    /// Where it comes in. A template is a value of a scheme, in YAML, so that it may have a maker around it.
    pub door: Target,
    /// What must become of it.
    pub want: Want,
    text: fn() -> String,
}

/// What must become of a bomb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// It is refused with this problem, or one of these.
    Refused(&'static [&'static str]),
    /// It is computed, in time.
    Harmless,
}

impl Bomb {
    /// The text.
    pub fn text(&self) -> String {
        (self.text)()
    }

    /// The codes it is refused with.
    pub fn codes(&self, world: &World, text: &str) -> Vec<&'static str> {
        match self.door {
            Target::Template => world.value_codes(text),
            door => world.codes(door, text.as_bytes()),
        }
    }

    /// Whether that is what must become of it.
    pub fn is_defused(&self, codes: &[&str]) -> bool {
        match self.want {
            Want::Harmless => codes.is_empty(),
            Want::Refused(wanted) => codes.iter().any(|code| wanted.contains(code)),
        }
    }
}

const fn bomb(door: Target, name: &'static str, want: Want, text: fn() -> String) -> Bomb {
    Bomb {
        name,
        door,
        want,
        text,
    }
}

const LONG: Want = Want::Refused(&["E1313"]);
const DEEP: Want = Want::Refused(&["E1314"]);
const MANY: Want = Want::Refused(&["E1315"]);
const LARGE: Want = Want::Refused(&["E2055"]);
const FUEL: Want = Want::Refused(&["E2056", "E2055"]);
const PATTERN: Want = Want::Refused(&["E1329", "E2057"]);
const TEMPLATE: Want = Want::Refused(&["E1228", "E1239", "E1240", "E2021"]);

/// All of them.
pub const ALL: &[Bomb] = &[
    bomb(Target::Expression, "4,000 parentheses", DEEP, || {
        around("(", "1", ")", 4_000)
    }),
    bomb(Target::Expression, "8,000 minus signs", DEEP, || {
        format!("{}1", "- ".repeat(4_000))
    }),
    bomb(Target::Expression, "2,000 NOT", DEEP, || {
        format!("{}1", "not ".repeat(2_000))
    }),
    bomb(Target::Expression, "ABS 1,500 deep", DEEP, || {
        around("ABS(", "1", ")", 1_500)
    }),
    bomb(Target::Expression, "CASE 300 deep", DEEP, || {
        around("case when 1 then ", "1", " end", 300)
    }),
    bomb(
        Target::Expression,
        "IF 60 deep and open",
        Want::Refused(&["E1306"]),
        || "IF(1,2,".repeat(60),
    ),
    bomb(Target::Expression, "a byte more than 8 KiB", LONG, || {
        "1".repeat(8 * 1024 + 1)
    }),
    bomb(Target::Expression, "a megabyte", LONG, || "(".repeat(1 << 20)),
    bomb(Target::Expression, "2,000 plus signs", MANY, || {
        format!("1{}", "+1".repeat(2_000))
    }),
    bomb(Target::Expression, "900 comparisons", MANY, || {
        format!("1{}", " <=> 1".repeat(900))
    }),
    bomb(
        Target::Expression,
        "2,000 open placeholders",
        Want::Refused(&["E1304"]),
        || "<<a ".repeat(2_000),
    ),
    bomb(
        Target::Expression,
        "4,000 quotes",
        Want::Refused(&["E1300", "E1303", "E1312"]),
        || format!("'{}", "'a".repeat(4_000)),
    ),
    bomb(
        Target::Expression,
        "800 unknown functions",
        Want::Refused(&["E1301"]),
        || format!("CONCAT({})", ["REPLCE(1)"; 800].join(",")),
    ),
    bomb(
        Target::Expression,
        "3,000 full-width commas",
        Want::Refused(&["E1328"]),
        || "\u{ff0c}".repeat(2_700),
    ),
    bomb(Target::Expression, "REPEAT to a billion bytes", LARGE, || {
        "REPEAT('a', 1000000000)".to_owned()
    }),
    bomb(Target::Expression, "REPEAT to 2^63 bytes", LARGE, || {
        "REPEAT('ab', 9223372036854775807)".to_owned()
    }),
    bomb(Target::Expression, "LPAD to a billion", LARGE, || {
        "LPAD('a', 1000000000, 'b')".to_owned()
    }),
    bomb(
        Target::Expression,
        "RPAD to a billion, of four bytes each",
        LARGE,
        || "RPAD('a', 1000000000, '😀')".to_owned(),
    ),
    bomb(Target::Expression, "SPACE of a billion", LARGE, || {
        "SPACE(1000000000)".to_owned()
    }),
    bomb(
        Target::Expression,
        "REPLACE that grows eightfold, 20 deep",
        LARGE,
        || around("REPLACE(", "'a'", ",'a','aaaaaaaa')", 20),
    ),
    bomb(Target::Expression, "CONCAT of large texts", FUEL, || {
        format!("CONCAT({})", ["REPEAT('a',1000000)"; 300].join(","))
    }),
    bomb(Target::Expression, "a megabyte, 300 times", FUEL, || {
        ["LENGTH(REPEAT('a',1000000))"; 270].join("+")
    }),
    bomb(Target::Expression, "HEX of HEX of a megabyte", LARGE, || {
        around("HEX(", "REPEAT('a',1000000)", ")", 20)
    }),
    bomb(Target::Expression, "REVERSE of a megabyte, 60 deep", FUEL, || {
        around("REVERSE(", "REPEAT('\u{20ac}',300000)", ")", 60)
    }),
    bomb(
        Target::Expression,
        "REVERSE of a million letters, 60 deep",
        FUEL,
        || around("REVERSE(", "REPEAT('a',1000000)", ")", 60),
    ),
    bomb(Target::Expression, "UPPER of a megabyte, 60 deep", FUEL, || {
        around("UPPER(", "REPEAT('a',1000000)", ")", 60)
    }),
    bomb(Target::Expression, "SHA2 of a megabyte, 200 times", FUEL, || {
        format!("CONCAT({})", ["SHA2(REPEAT('a',1000000),256)"; 200].join(","))
    }),
    bomb(
        Target::Expression,
        "JSON of 400,000 numbers, 60 times",
        FUEL,
        || {
            let one = "JSON_LENGTH(CONCAT('[',REPEAT('1,',400000),'1]'))";
            [one; 60].join("+")
        },
    ),
    bomb(
        Target::Expression,
        "JSON_CONTAINS, each of 100,000 in each of 100,000",
        FUEL,
        || {
            "JSON_CONTAINS(CONCAT('[',REPEAT('1,',100000),'2]'),CONCAT('[',REPEAT('2,',100000),'2]'))"
                .to_owned()
        },
    ),
    bomb(
        Target::Expression,
        "JSON_CONTAINS, a long name among 60,000",
        FUEL,
        || {
            "JSON_CONTAINS(CONCAT('{\"',REPEAT('a',400000),'\":1,\"b\":1}'),CONCAT('{',REPEAT('\"b\":1,',60000),'\"b\":1}'))".to_owned()
        },
    ),
    bomb(
        Target::Expression,
        "(a+)+$ over 100,000 letters",
        Want::Harmless,
        || "CONCAT(REPEAT('a',100000),'b') regexp '(a+)+$'".to_owned(),
    ),
    bomb(
        Target::Expression,
        "a pattern of a billion letters",
        PATTERN,
        || "'a' regexp 'a{1000}{1000}{1000}'".to_owned(),
    ),
    bomb(Target::Expression, "the same from a row", PATTERN, || {
        "<<name>> regexp CONCAT('a{1000}', IFNULL(<<none>>, '{1000}'), '{1000}')".to_owned()
    }),
    bomb(
        Target::Expression,
        "200 patterns of a row, each large",
        Want::Refused(&["E2056", "E2057", "E1315"]),
        || {
            let one = "<<name>> regexp CONCAT('(\\\\w{80}', '|x)')";
            [one; 160].join(" or ")
        },
    ),
    bomb(
        Target::Expression,
        "a pattern 1,000 parentheses deep",
        PATTERN,
        || format!("'a' regexp '{}'", around("(", "a", ")", 1_000)),
    ),
    bomb(
        Target::Expression,
        "LIKE '%a%a%a…b' over a megabyte",
        Want::Harmless,
        || format!("REPEAT('a',1000000) like '{}b'", "%a".repeat(1_000)),
    ),
    bomb(
        Target::Expression,
        "LIKE '%a_a_a…b' over a megabyte",
        Want::Refused(&["E2056"]),
        || format!("REPEAT('a',1000000) like '%{}b'", "a_".repeat(1_000)),
    ),
    bomb(
        Target::Expression,
        "LOCATE, almost found everywhere",
        Want::Harmless,
        || "LOCATE(CONCAT(REPEAT('a',500000),'b'), REPEAT('a',1000000))".to_owned(),
    ),
    bomb(
        Target::Expression,
        "REPLACE, almost found everywhere",
        Want::Harmless,
        || "LENGTH(REPLACE(REPEAT('a',1000000), CONCAT(REPEAT('a',500000),'b'), 'c'))".to_owned(),
    ),
    bomb(
        Target::Expression,
        "SUBSTRING_INDEX, counted from the end",
        Want::Harmless,
        || "LENGTH(SUBSTRING_INDEX(REPEAT('ab',400000), 'a', -300000))".to_owned(),
    ),
    bomb(
        Target::Expression,
        "65 digits multiplied 200 times",
        Want::Refused(&["E2054"]),
        || format!("1{}", format!("*{}", "9".repeat(65)).repeat(110)),
    ),
    bomb(
        Target::Expression,
        "10 to the power of a billion",
        Want::Refused(&["E2054"]),
        || "POWER(10, 1000000000)".to_owned(),
    ),
    bomb(
        Target::Expression,
        "a date of a thousand names",
        Want::Harmless,
        || format!("LENGTH(DATE_FORMAT(NOW(), '{}'))", "%M%W".repeat(1_500)),
    ),
    bomb(
        Target::Template,
        "a template of 4 KiB and a byte",
        TEMPLATE,
        || quoted(&format!("<<a>>{}", "a".repeat(4 * 1024))),
    ),
    bomb(
        Target::Template,
        "2,000 open placeholders",
        Want::Refused(&["E1201"]),
        || quoted(&"<<a ".repeat(1_000)),
    ),
    bomb(Target::Template, "a thousand filters", Want::Harmless, || {
        quoted(&format!("<<name{}>>", "|text".repeat(800)))
    }),
    bomb(
        Target::Template,
        "makers 100 deep",
        Want::Refused(&["E1026"]),
        || around("{$value: ", "1", "}", 100),
    ),
    bomb(Target::Template, "$template: a billion rounds", TEMPLATE, || {
        template("{% for i in range(1000000000) %}{{ i }}{% endfor %}")
    }),
    bomb(Target::Template, "$template: rounds in rounds", TEMPLATE, || {
        template(&around("{% for i in range(1000) %}", "x", "{% endfor %}", 6))
    }),
    bomb(
        Target::Template,
        "$template: a text times a billion",
        TEMPLATE,
        || template("{{ 'aaaaaaaa' * 1000000000 }}"),
    ),
    bomb(
        Target::Template,
        "$template: a text doubled 60 times",
        TEMPLATE,
        || {
            template(&format!(
                "{{% set a = 'aaaaaaaa' %}}{}{{{{ a }}}}",
                "{% set a = a ~ a %}".repeat(60)
            ))
        },
    ),
    bomb(Target::Template, "$template: 1,900 parentheses", TEMPLATE, || {
        template(&format!("{{{{ {} }}}}", around("(", "1", ")", 1_900)))
    }),
    bomb(Target::Template, "$template: 150 blocks deep", TEMPLATE, || {
        template(&around("{% if 1 %}", "x", "{% endif %}", 150))
    }),
    bomb(
        Target::Template,
        "$template: a macro that calls itself",
        TEMPLATE,
        || template("{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}"),
    ),
    bomb(
        Target::Template,
        "$template: a list that holds lists",
        TEMPLATE,
        || template(&format!("{{{{ {} }}}}", around("[", "1", "]", 1_900))),
    ),
    bomb(
        Target::Template,
        "_mongoQuery, deep JSON",
        Want::Refused(&["E1231"]),
        || {
            quoted(&format!(
                "_mongoQuery s findField=content.a where={}",
                around("{\"$and\":[", "1", "]}", 200)
            ))
        },
    ),
    bomb(
        Target::Template,
        "_mongoQuery, a pattern of a billion letters",
        Want::Refused(&["E1235"]),
        || {
            quoted(
                "_mongoQuery s findField=content.a where={\"content.b\":{\"$regex\":\"a{1000}{1000}{1000}\"}}",
            )
        },
    ),
    bomb(
        Target::Scheme,
        "aliases of aliases",
        Want::Refused(&["E1027"]),
        || {
            let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for n in 1..12 {
                let before = format!("*a{}", n - 1);
                text.push_str(&format!("a{n}: &a{n} [{}]\n", [before.as_str(); 10].join(", ")));
            }
            text
        },
    ),
    bomb(
        Target::Scheme,
        "an alias of a long text, 90 times",
        Want::Refused(&["E1027", "E1001"]),
        || {
            format!(
                "a: &a \"{}\"\nb: [{}]\n",
                "x".repeat(500_000),
                ["*a"; 90].join(", ")
            )
        },
    ),
    bomb(
        Target::Scheme,
        "an alias of itself",
        Want::Refused(&["E1025", "E1024"]),
        || "a: &a [*a]\n".to_owned(),
    ),
    bomb(
        Target::Scheme,
        "10,000 anchors",
        Want::Refused(&["E1023"]),
        || (0..10_000).map(|n| format!("- &a{n} x\n")).collect(),
    ),
    bomb(
        Target::Scheme,
        "100,000 brackets",
        Want::Refused(&["E1026"]),
        || "[".repeat(100_000),
    ),
    bomb(
        Target::Scheme,
        "100,000 braces",
        Want::Refused(&["E1026"]),
        || "{a: ".repeat(100_000),
    ),
    bomb(
        Target::Scheme,
        "lists 10,000 deep",
        Want::Refused(&["E1026"]),
        || "- ".repeat(10_000),
    ),
    bomb(
        Target::Scheme,
        "maps 1,000 deep",
        Want::Refused(&["E1026"]),
        || (0..1_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
    ),
    bomb(
        Target::Scheme,
        "a megabyte and a byte",
        Want::Refused(&["E1001"]),
        || "#".repeat((1 << 20) + 1),
    ),
    bomb(
        Target::Scheme,
        "a megabyte of quotes",
        Want::Refused(&["E1008", "E1012"]),
        || "\"".repeat((1 << 20) - 1),
    ),
    bomb(Target::Scheme, "200,000 items", Want::Refused(&["E1027"]), || {
        "- 1\n".repeat(200_000)
    }),
    bomb(
        Target::Scheme,
        "45,000 unknown keys",
        Want::Refused(&["E1027"]),
        || unknown_keys(45_000),
    ),
    bomb(
        Target::Scheme,
        "14,000 unknown keys",
        Want::Refused(&["E1101"]),
        || unknown_keys(14_000),
    ),
    bomb(
        Target::Scheme,
        "45,000 equal keys",
        Want::Refused(&["E1027"]),
        || "scheme: x\n".repeat(45_000),
    ),
    bomb(
        Target::Scheme,
        "14,000 equal keys",
        Want::Refused(&["E1028"]),
        || "scheme: x\n".repeat(14_000),
    ),
    bomb(
        Target::Scheme,
        "14,000 equal keys below 700,000 bytes of comment",
        Want::Refused(&["E1028"]),
        || format!("{}{}", "# x\n".repeat(175_000), "scheme: x\n".repeat(14_000)),
    ),
    bomb(
        Target::Scheme,
        "ten keys of 100,000 letters",
        Want::Refused(&["E1101", "E1000"]),
        || {
            let key = |n: usize| format!("? \"{n}{}\"\n: x\n", "s".repeat(100_000));
            (0..10).map(key).collect()
        },
    ),
    bomb(
        Target::Scheme,
        "12,000 fields that are wrong",
        Want::Refused(&["E1201"]),
        || fields(12_000, "<<a"),
    ),
    bomb(
        Target::Scheme,
        "12,000 expressions that are wrong",
        Want::Refused(&["E1301"]),
        || fields(12_000, "_function REPLCE(1)"),
    ),
];

fn around(before: &str, inside: &str, after: &str, times: usize) -> String {
    format!("{}{inside}{}", before.repeat(times), after.repeat(times))
}

/// A scheme with so many request fields that hold this.
fn fields(count: usize, value: &str) -> String {
    let source = "{connection: huke, api: openapi/trade/searchTrades, key: buyerCid}";
    let fields: String = (0..count).map(|n| format!("    F{n}: {value:?}\n")).collect();
    format!(
        "scheme: x\nschedule: {{every: 6m}}\nsource: {source}\ntarget:\n  connection: k3\n  api: batchSave\n  request:\n{fields}"
    )
}

fn unknown_keys(count: usize) -> String {
    (0..count).map(|n| format!("shceme{n}: x\n")).collect()
}

fn template(text: &str) -> String {
    format!("{{$template: {}}}", quoted(text))
}
