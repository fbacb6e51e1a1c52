//! Inputs that are almost right: real texts, bent where the language has joints.
//!
//! Input number `n` of a seed is made from these two numbers alone, so any input can be made again without those
//! before it.

use dsl::builtin::{Builtin, Count, Type};

use crate::rng::Rng;
use crate::rows::FIELDS;
use crate::seeds;
use crate::target::{Reached, Target};
use crate::world::{World, quoted};

/// Deepest expression that is grown; deeper ones come from repeating what is there.
const DEPTH: usize = 5;

/// Makes inputs of one target.
pub struct Mutator {
    target: Target,
    seeds: Vec<Vec<u8>>,
    /// Those of the seeds that compile.
    sound: Vec<Vec<u8>>,
    words: Vec<String>,
    functions: Vec<&'static Builtin>,
}

impl Mutator {
    /// One that knows the repository's texts and the language's words.
    pub fn new(target: Target, world: &World) -> Mutator {
        let seeds = seeds::seeds(target, world);
        let compiles = |seed: &&Vec<u8>| world.run(target, seed) != Reached::Refused;
        Mutator {
            target,
            sound: seeds.iter().filter(compiles).cloned().collect(),
            seeds,
            words: seeds::words(target, world),
            functions: world.registry().all().to_vec(),
        }
    }

    /// The texts that inputs are made from.
    pub fn seeds(&self) -> &[Vec<u8>] {
        &self.seeds
    }

    /// The words of the language.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Input number `n`.
    pub fn make(&self, seed: u64, n: u64) -> Vec<u8> {
        let mut rng = Rng::new(seed ^ n.wrapping_mul(0x9e37_79b9));
        let mut input = if self.target != Target::Scheme && rng.one_in(3) {
            self.grown(&mut rng).into_bytes()
        } else if !self.sound.is_empty() && !rng.one_in(4) {
            rng.pick::<[u8]>(&self.sound).to_vec()
        } else {
            rng.pick::<[u8]>(&self.seeds).to_vec()
        };
        // Some stay as they are: most of what is bent no longer compiles, a scheme least of all.
        let bends = if self.target == Target::Scheme {
            rng.below(4)
        } else {
            rng.below(6)
        };
        for _ in 0..bends {
            input = match self.target {
                Target::Scheme if rng.one_in(2) => self.other_value(&mut rng, &input),
                _ => self.bend(&mut rng, &input),
            };
        }
        input.truncate(self.target.longest());
        input
    }

    /// One change to an input.
    pub fn bend(&self, rng: &mut Rng, input: &[u8]) -> Vec<u8> {
        let joints = joints(input);
        let at = joints[rng.below(joints.len())];
        let (from, to) = {
            let first = rng.below(joints.len());
            let last = (first + rng.below(8)).min(joints.len() - 1);
            (joints[first], joints[last])
        };
        let piece = &input[from..to];
        let mut out = match rng.below(12) {
            0 | 1 => with(input, at, at, self.word(rng).as_bytes()),
            2 => with(input, from, to, self.word(rng).as_bytes()),
            3 => with(input, from, to, b""),
            4 => {
                let times = if rng.one_in(20) {
                    1 << rng.below(10)
                } else {
                    1 + rng.below(4)
                };
                let room = self.target.longest().saturating_sub(input.len()) / piece.len().max(1);
                with(input, to, to, &piece.repeat(times.min(room.max(1))))
            }
            5 => with(input, at, at, piece),
            6 => {
                let other = rng.pick::<[u8]>(&self.seeds);
                let cuts = self::joints(other);
                let cut = cuts[rng.below(cuts.len())];
                [&input[..at], &other[cut..]].concat()
            }
            7 => {
                let mut out = input.to_vec();
                if let Some(byte) = (!out.is_empty()).then(|| rng.below(out.len())) {
                    out[byte] ^= 1 << rng.below(8);
                }
                out
            }
            8 => with(input, from, to, &self.wrapped(rng, piece)),
            9 => with(input, from, to, self.grown(rng).as_bytes()),
            10 if self.target == Target::Scheme => self.other_value(rng, input),
            _ => with(input, from, to, number(rng).as_bytes()),
        };
        out.truncate(self.target.longest());
        out
    }

    fn word(&self, rng: &mut Rng) -> &str {
        rng.pick::<str>(&self.words)
    }

    /// Something around a piece.
    fn wrapped(&self, rng: &mut Rng, piece: &[u8]) -> Vec<u8> {
        let (before, after) = match rng.below(8) {
            0 => ("'", "'"),
            1 => ("<<", ">>"),
            2 => ("{{", "|date}}"),
            3 => ("case when ", " then 1 else 2 end"),
            4 => ("not -", " is null"),
            5 => (self.word(rng), ")"),
            6 => ("cast(", " as char)"),
            _ => ("(", ")"),
        };
        [before.as_bytes(), piece, after.as_bytes()].concat()
    }

    /// A scheme with another value behind one of its keys.
    fn other_value(&self, rng: &mut Rng, input: &[u8]) -> Vec<u8> {
        let ends: Vec<usize> = input
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| *pair == b": ")
            .map(|(at, _)| at + 2)
            .collect();
        let Some(&from) = ends.get(rng.below(ends.len())) else {
            return input.to_vec();
        };
        let to = input[from..]
            .iter()
            .position(|byte| matches!(byte, b'\n' | b',' | b'}'))
            .map_or(input.len(), |length| from + length);
        let formula = self.grown(rng);
        let value = match rng.below(6) {
            0 => format!(
                "{{$value: {}, $missing: omit, $type: {}}}",
                quoted(&formula),
                self.word(rng)
            ),
            1 => format!("{{$each: lines, $do: {{x: {}}}}}", quoted(&formula)),
            2 => format!("{{$join: {}, $with: {}}}", self.word(rng), self.word(rng)),
            3 => format!("{{$template: {}}}", quoted(&formula)),
            4 => self.word(rng).to_owned(),
            _ => quoted(&format!("_function {formula}")),
        };
        with(input, from, to, value.as_bytes())
    }

    /// A text that should compile.
    fn grown(&self, rng: &mut Rng) -> String {
        let mut out = String::new();
        if self.target == Target::Template {
            if rng.one_in(2) {
                out.push_str("_function ");
            } else {
                for _ in 0..=rng.below(4) {
                    let name = rng.pick::<str>(FIELDS);
                    out.push_str(self.word(rng));
                    out.push_str(&format!("<<{name}{}>>", if rng.one_in(3) { "|text" } else { "" }));
                }
                return out;
            }
        }
        self.grow(rng, DEPTH, &mut out);
        out
    }

    fn grow(&self, rng: &mut Rng, depth: usize, out: &mut String) {
        if depth == 0 || rng.one_in(4) {
            out.push_str(&leaf(rng));
            return;
        }
        let depth = depth - 1;
        match rng.below(12) {
            0..=2 => {
                const OPERATORS: &[&str] = &[
                    " + ",
                    " - ",
                    " * ",
                    " / ",
                    " % ",
                    " div ",
                    " mod ",
                    " = ",
                    " <=> ",
                    " <> ",
                    " < ",
                    " >= ",
                    " and ",
                    " or ",
                    " xor ",
                    " like ",
                    " not like ",
                    " regexp ",
                ];
                out.push('(');
                self.grow(rng, depth, out);
                out.push_str(rng.pick::<str>(OPERATORS));
                self.grow(rng, depth, out);
                out.push(')');
            }
            3 => {
                out.push_str(rng.pick::<str>(&["-", "not ", "!", "+"]));
                self.grow(rng, depth, out);
            }
            4 => {
                out.push_str("case ");
                if rng.one_in(2) {
                    self.grow(rng, depth, out);
                }
                for _ in 0..=rng.below(2) {
                    out.push_str(" when ");
                    self.grow(rng, depth, out);
                    out.push_str(" then ");
                    self.grow(rng, depth, out);
                }
                out.push_str(" end");
            }
            5 => {
                const TYPES: &[&str] = &[
                    "signed",
                    "unsigned",
                    "decimal(65,30)",
                    "decimal(10,2)",
                    "double",
                    "char",
                    "char(2)",
                    "date",
                    "datetime(6)",
                    "time",
                    "binary",
                ];
                out.push_str("cast(");
                self.grow(rng, depth, out);
                out.push_str(&format!(" as {})", rng.pick::<str>(TYPES)));
            }
            6 => {
                out.push_str("date_add(");
                self.grow(rng, depth, out);
                out.push_str(", interval ");
                self.grow(rng, depth, out);
                out.push_str(&format!(" {})", unit(rng)));
            }
            7 => {
                self.grow(rng, depth, out);
                out.push_str(rng.pick::<str>(&[
                    " is null",
                    " is not null",
                    " between 1 and 2",
                    " in (1, 'a', null)",
                ]));
            }
            _ => self.call(rng, depth, out),
        }
    }

    fn call(&self, rng: &mut Rng, depth: usize, out: &mut String) {
        if self.functions.is_empty() {
            return;
        }
        let function = self.functions[rng.below(self.functions.len())];
        out.push_str(function.name);
        out.push('(');
        let mut first = true;
        for param in function.params {
            let times = match param.count {
                Count::Once => 1,
                Count::Optional => rng.below(2),
                Count::Any => rng.below(4),
                Count::Paired => 1,
            };
            for _ in 0..times {
                if !first {
                    out.push_str(", ");
                }
                first = false;
                match param.takes {
                    Type::Interval => out.push_str(&format!("interval {} {}", number(rng), unit(rng))),
                    Type::List => out.push_str("<<lines.qty>>"),
                    _ => self.grow(rng, depth, out),
                }
            }
        }
        out.push(')');
    }
}

fn unit(rng: &mut Rng) -> &'static str {
    const UNITS: &[&str] = &[
        "microsecond",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "day_second",
    ];
    UNITS[rng.below(UNITS.len())]
}

fn leaf(rng: &mut Rng) -> String {
    const TEXTS: &[&str] = &[
        "''",
        "'a'",
        "'-1.5e3x'",
        "'2024-02-29 23:59:59.123456'",
        "'杭州😀'",
        "'%a_\\\\%'",
        "'%Y-%m-%d %H:%i:%s.%f'",
        "'a,b,c'",
        "'838:59:59'",
        "'{\"a\":[1,{\"b\":null}]}'",
        "'<<name>>-{{tid}}'",
        "null",
        "true",
        "'0000-00-00'",
        "'+08:00'",
        "'day'",
        "'$.a[0]'",
    ];
    match rng.below(3) {
        0 => number(rng),
        1 => format!("<<{}>>", rng.pick::<str>(FIELDS)),
        _ => TEXTS[rng.below(TEXTS.len())].to_owned(),
    }
}

fn number(rng: &mut Rng) -> String {
    const EDGES: &[&str] = &[
        "0",
        "-1",
        "1",
        "255",
        "256",
        "65535",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "0.1",
        "1.005",
        "-0.0",
        "1e15",
        "1e308",
        "1e-308",
        "99999999999999999999999999999999999999999999999999999999999999999",
        "0.000000000000000000000000000001",
        "1700000000",
        "253402271999",
        "1000000000",
        "30",
        "31",
        "64",
        "65",
    ];
    if rng.one_in(4) {
        return (rng.any() >> rng.below(64)).to_string();
    }
    EDGES[rng.below(EDGES.len())].to_owned()
}

fn with(input: &[u8], from: usize, to: usize, piece: &[u8]) -> Vec<u8> {
    [&input[..from], piece, &input[to..]].concat()
}

/// Places between tokens; never empty. Words, blanks and every other sign each end at one.
fn joints(input: &[u8]) -> Vec<usize> {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => 1,
        b' ' => 2,
        other => 256 + usize::from(other),
    };
    let mut found = vec![0];
    found.extend(
        (1..input.len()).filter(|&at| class(input[at - 1]) != class(input[at]) || class(input[at]) > 2),
    );
    found.push(input.len());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_known_by_its_numbers() {
        let world = World::new();
        for target in Target::ALL {
            let maker = Mutator::new(target, &world);
            assert!(maker.seeds().len() > 5, "{target}");
            let made: Vec<_> = (0..50).map(|n| maker.make(7, n)).collect();
            assert_eq!(made, (0..50).map(|n| maker.make(7, n)).collect::<Vec<_>>());
            assert!(made.iter().all(|input| input.len() <= target.longest()));
            let different: std::collections::BTreeSet<_> = made.iter().collect();
            assert!(different.len() > 40, "{target}: {}", different.len());
        }
    }
}
