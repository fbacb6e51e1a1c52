//! An expression as text again: what a trace shows of each part.

use std::fmt::Write;

use super::ast::{Aggregate, Case, Cast, Is, Link, Node, Pattern, Piece, Sense, Unary};
use super::sql::Sql;
use crate::path::Path;

/// The text of a part. It means the same as what was written, without its blanks, parentheses and spelling.
pub(super) fn print(node: &Node, reads: &[(Path, std::ops::Range<usize>)]) -> String {
    let mut text = String::new();
    Printer {
        reads,
        text: &mut text,
    }
    .node(node);
    text
}

struct Printer<'p> {
    reads: &'p [(Path, std::ops::Range<usize>)],
    text: &'p mut String,
}

impl Printer<'_> {
    fn put(&mut self, text: impl std::fmt::Display) {
        // Writing to a String does not fail.
        write!(self.text, "{text}").unwrap_or_default();
    }

    fn slot(&mut self, slot: usize) {
        match self.reads.get(slot) {
            Some((path, _)) => self.put(format_args!("<<{path}>>")),
            None => self.put("<<?>>"),
        }
    }

    fn list<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>) {
        for (index, node) in nodes.into_iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.node(node);
        }
    }

    /// In parentheses when it is made of several parts.
    fn operand(&mut self, node: &Node) {
        let whole = !matches!(
            node,
            Node::Chain(..)
                | Node::Is(..)
                | Node::In(..)
                | Node::Between(..)
                | Node::Like(..)
                | Node::Regexp(..)
        );
        if whole {
            return self.node(node);
        }
        self.put("(");
        self.node(node);
        self.put(")");
    }

    fn sense(&mut self, sense: Sense) {
        if sense == Sense::Negated {
            self.put("NOT ");
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.put(text.replace('\'', "''")),
                Piece::Slot(slot) => self.slot(*slot),
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Const(value) => self.literal(value),
            Node::Truth(value) => self.put(if *value { "TRUE" } else { "FALSE" }),
            Node::Field(slot) => self.slot(*slot),
            Node::Glued(pieces) => self.pieces(pieces),
            Node::Interpolated(pieces) => {
                self.put("'");
                self.pieces(pieces);
                self.put("'");
            }
            Node::Lookup(_) => self.put("_findCollection … _endFind"),
            Node::Unary(op, inner) => {
                self.put(match op {
                    Unary::Not => "NOT ",
                    Unary::Minus => "-",
                    Unary::Plus => "+",
                    Unary::Invert => "~",
                });
                self.operand(inner);
            }
            Node::Chain(first, links) => self.chain(first, links),
            Node::Is(inner, what, sense) => {
                self.operand(inner);
                self.put(" IS ");
                self.sense(*sense);
                self.put(match what {
                    Is::Null => "NULL",
                    Is::True => "TRUE",
                    Is::False => "FALSE",
                });
            }
            Node::In(inner, list, sense) => {
                self.operand(inner);
                self.put(" ");
                self.sense(*sense);
                self.put("IN (");
                self.list(list);
                self.put(")");
            }
            Node::Between(inner, bounds, sense) => {
                self.operand(inner);
                self.put(" ");
                self.sense(*sense);
                self.put("BETWEEN ");
                self.operand(&bounds.0);
                self.put(" AND ");
                self.operand(&bounds.1);
            }
            Node::Like(inner, pattern, escape, sense) => {
                self.operand(inner);
                self.put(" ");
                self.sense(*sense);
                self.put("LIKE ");
                self.operand(pattern);
                if *escape != '\\' {
                    self.put(format_args!(" ESCAPE '{escape}'"));
                }
            }
            Node::Regexp(inner, pattern, sense) => {
                self.operand(inner);
                self.put(" ");
                self.sense(*sense);
                self.put("REGEXP ");
                match pattern {
                    Pattern::Literal(pattern) => self.put(format_args!("'{}'", pattern.source())),
                    Pattern::Computed(pattern) => self.operand(pattern),
                }
            }
            Node::Case(case) => self.case(case),
            Node::Call(builtin, args) => {
                self.put(format_args!("{}(", builtin.name));
                self.list(args);
                self.put(")");
            }
            Node::Aggregate(lines) => self.aggregate(lines),
            Node::Cast(inner, cast) => {
                self.put("CAST(");
                self.node(inner);
                self.put(format_args!(" AS {})", type_name(*cast)));
            }
            Node::Interval(amount, unit) => {
                self.put("INTERVAL ");
                self.operand(amount);
                self.put(format_args!(" {unit}"));
            }
        }
    }

    fn literal(&mut self, value: &Sql<'_>) {
        match (value, value.to_text()) {
            (_, None) => self.put("NULL"),
            (Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_), Some(number)) => self.put(number),
            (_, Some(text)) => self.put(format_args!("'{}'", text.replace('\'', "''"))),
        }
    }

    fn chain(&mut self, first: &Node, links: &[Link]) {
        self.operand(first);
        for link in links {
            self.put(format_args!(" {} ", link.op.sign()));
            self.operand(&link.right);
        }
    }

    fn case(&mut self, case: &Case) {
        self.put("CASE");
        if let Some(subject) = &case.subject {
            self.put(" ");
            self.node(subject);
        }
        for (when, then) in &case.arms {
            self.put(" WHEN ");
            self.node(when);
            self.put(" THEN ");
            self.node(then);
        }
        if let Some(otherwise) = &case.otherwise {
            self.put(" ELSE ");
            self.node(otherwise);
        }
        self.put(" END");
    }

    fn aggregate(&mut self, lines: &Aggregate) {
        self.put(format_args!("{}(", lines.builtin.name));
        if lines.distinct {
            self.put("DISTINCT ");
        }
        self.list(lines.args.first());
        for (index, (by, descending)) in lines.order.iter().enumerate() {
            self.put(if index == 0 { " ORDER BY " } else { ", " });
            self.node(by);
            if *descending {
                self.put(" DESC");
            }
        }
        if let Some(separator) = lines.args.get(1) {
            self.put(" SEPARATOR ");
            self.node(separator);
        }
        self.put(")");
    }
}

fn type_name(cast: Cast) -> String {
    let sized = |name: &str, size: Option<usize>| match size {
        Some(size) => format!("{name}({size})"),
        None => name.to_owned(),
    };
    let fraction = |name: &str, digits: u8| match digits {
        0 => name.to_owned(),
        digits => format!("{name}({digits})"),
    };
    match cast {
        Cast::Signed => "SIGNED".to_owned(),
        Cast::Unsigned => "UNSIGNED".to_owned(),
        Cast::Decimal { digits, scale } => format!("DECIMAL({digits},{scale})"),
        Cast::Double => "DOUBLE".to_owned(),
        Cast::Char(size) => sized("CHAR", size),
        Cast::Bytes(size) => sized("BINARY", size),
        Cast::Date => "DATE".to_owned(),
        Cast::Time(digits) => fraction("TIME", digits),
        Cast::DateTime(digits) => fraction("DATETIME", digits),
    }
}
