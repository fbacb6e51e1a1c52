//! A difference as a rule sees it: the expression, both answers, its operands, and the question put again.

use super::super::Answer;
use super::super::node::{Case, Cell, Lines, Node, Piece, Shape, quoted};

/// Computes a case, by us and by the server.
pub(in super::super) type Ask<'a> = &'a mut dyn FnMut(&Case) -> (Answer, Answer);

/// A way to write a part of an expression.
pub(super) type Change<'c> = &'c dyn Fn(&Node) -> Option<Node>;

/// Parts that are rewritten one at a time; an expression with more of them is not looked through.
const MOST_ALONE: usize = 24;

/// Where an operand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At a position of [`Node::all`].
    At(usize),
    /// On a line of the list function that the whole is.
    Line(usize),
}

/// An operand with both answers.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) case: Case,
    pub(super) ours: Answer,
    pub(super) server: Answer,
}

/// A difference.
pub(super) struct Seen<'s> {
    pub(super) case: &'s Case,
    pub(super) ours: &'s Answer,
    pub(super) server: &'s Answer,
    ask: Ask<'s>,
    operands: Option<Vec<Operand>>,
}

impl<'s> Seen<'s> {
    pub(super) fn new(case: &'s Case, ours: &'s Answer, server: &'s Answer, ask: Ask<'s>) -> Seen<'s> {
        Seen {
            case,
            ours,
            server,
            ask,
            operands: None,
        }
    }

    pub(super) fn label(&self) -> &'s str {
        &self.case.root.label
    }

    pub(super) fn failed_with(&self, code: &str) -> bool {
        matches!(self.ours, Answer::Failed(ours) if ours == code)
    }

    /// Both answers where both are text.
    pub(super) fn texts(&self) -> Option<(&'s str, &'s str)> {
        match (self.ours, self.server) {
            (Answer::Text(ours), Answer::Text(server)) => Some((ours, server)),
            _ => None,
        }
    }

    /// Asks both.
    pub(super) fn ask(&mut self, case: &Case) -> (Answer, Answer) {
        (self.ask)(case)
    }

    /// Whether the server says to another expression over the same lines what we say to this one, up to a bound of
    /// ours or an order that it may choose.
    pub(super) fn agrees_as(&mut self, root: Node) -> bool {
        let case = self.case.with(root);
        if case.server() == self.case.server() {
            return false;
        }
        let (_, server) = (self.ask)(&case);
        server.agrees(self.ours) || super::look::is_bound(&case, self.ours, &server, self.ask)
    }

    /// Whether what we say to another expression, for which the server reads the same text, differs for a reason.
    pub(super) fn is_explained_as(&mut self, case: &Case, ours: &Answer) -> bool {
        super::explains(case, ours, self.server, self.ask).is_some()
    }

    /// Whether both sides agree on another case.
    pub(super) fn both_agree_on(&mut self, case: &Case) -> bool {
        if case.server() == self.case.server() && case.ours() == self.case.ours() {
            return false;
        }
        let (ours, server) = (self.ask)(case);
        ours.agrees(&server)
    }

    /// With all parts that `change` names written in its way, or one of them, the server says what we say.
    pub(super) fn agrees_when(&mut self, change: Change<'_>) -> bool {
        if self.agrees_as(self.case.root.rewritten(change)) {
            return true;
        }
        let all = self.case.root.all();
        let changed: Vec<(usize, Node)> = all
            .into_iter()
            .enumerate()
            .filter_map(|(position, node)| Some((position, change(node)?)))
            .take(MOST_ALONE)
            .collect();
        changed.len() > 1
            && changed
                .into_iter()
                .any(|(position, node)| self.agrees_as(self.case.root.replaced(position, &node)))
    }

    /// The direct operands with both answers; those of a list function on each line.
    pub(super) fn operands(&mut self) -> &[Operand] {
        if self.operands.is_none() {
            let cases = operands(self.case).into_iter();
            let found = cases
                .map(|(_, case)| {
                    let (ours, server) = (self.ask)(&case);
                    Operand { case, ours, server }
                })
                .collect();
            self.operands = Some(found);
        }
        self.operands.as_deref().unwrap_or_default()
    }

    /// Whether the answers part here: both sides agree on every operand.
    pub(super) fn parts_here(&mut self) -> bool {
        self.operands()
            .iter()
            .all(|operand| operand.ours.agrees(&operand.server))
    }

    /// Every part that can be computed alone and on which both agree, with its position and the answer.
    pub(super) fn agreed(&mut self) -> Vec<(usize, Node, Answer)> {
        let nodes: Vec<(usize, Node)> = self
            .case
            .root
            .all()
            .into_iter()
            .enumerate()
            .skip(1)
            .filter(|(_, node)| stands_alone(node))
            .map(|(position, node)| (position, node.clone()))
            .collect();
        nodes
            .into_iter()
            .filter_map(|(position, node)| {
                let (ours, server) = (self.ask)(&self.case.with(node.clone()));
                ours.agrees(&server).then_some((position, node, server))
            })
            .collect()
    }
}

/// Whether a part is an expression of its own.
fn stands_alone(node: &Node) -> bool {
    node.is_sound() && node.label != "INTERVAL"
}

/// The direct operands of a case, an interval's in its place.
pub(super) fn operands(case: &Case) -> Vec<(Place, Case)> {
    let root = &case.root;
    if root.is_over_lines() {
        let line = |(row, cells): (usize, &Vec<Cell>)| {
            let kids = root.kids().iter().map(|kid| kid.on_line(cells));
            let cases = kids.filter(stands_alone).map(|root| Case {
                root,
                lines: Lines::default(),
            });
            cases.map(|case| (Place::Line(row), case)).collect::<Vec<_>>()
        };
        return case.lines.rows.iter().enumerate().flat_map(line).collect();
    }
    let mut found = Vec::new();
    collect(root, 0, case, &mut found);
    found
}

fn collect(node: &Node, position: usize, case: &Case, found: &mut Vec<(Place, Case)>) {
    let mut position = position + 1;
    for kid in node.kids() {
        if stands_alone(kid) {
            found.push((Place::At(position), case.with(kid.clone())));
        } else {
            collect(kid, position, case, found);
        }
        position += kid.size();
    }
}

/// The case with the operand at a place written as a value: a literal of each kind that prints so.
pub(super) fn without(case: &Case, place: Place, values: &[Answer; 2]) -> Vec<Case> {
    match place {
        Place::At(position) => values
            .iter()
            .rev()
            .flat_map(literals)
            .map(|literal| case.with(case.root.replaced(position, &Node::literal(literal))))
            .collect(),
        Place::Line(row) if case.lines.rows.len() > 1 => {
            let mut fewer = case.clone();
            fewer.lines.rows.remove(row);
            vec![fewer]
        }
        Place::Line(_) => Vec::new(),
    }
}

fn literals(value: &Answer) -> Vec<String> {
    match value {
        Answer::Null => vec!["NULL".to_owned(), "CAST(NULL AS DATE)".to_owned()],
        Answer::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            vec![format!("UNHEX('{digits}')")]
        }
        Answer::Text(text) => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let mut found = vec![quoted(text)];
            if digits > 0 && text.parse::<f64>().is_ok_and(f64::is_finite) {
                found.push(format!("({text})"));
                found.push(format!("({text} + 0e0)"));
            } else if digits > 3 && text.contains(['-', ':']) {
                let shown = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                for kind in ["DATE", "TIME", "DATETIME"] {
                    let shown = if kind == "DATE" {
                        String::new()
                    } else {
                        format!("({shown})")
                    };
                    found.push(format!("CAST({} AS {kind}{shown})", quoted(text)));
                }
            }
            found
        }
        Answer::Failed(_) | Answer::Panicked | Answer::Lost => Vec::new(),
    }
}

impl Case {
    /// Another expression over the same lines.
    pub(super) fn with(&self, root: Node) -> Case {
        Case {
            root,
            lines: self.lines.clone(),
        }
    }
}

impl Node {
    /// The same with the values of one line in the place of the columns.
    pub(super) fn on_line(&self, cells: &[Cell]) -> Node {
        let mut copy = self.clone();
        match &mut copy.shape {
            Shape::Column { index, quoted } => {
                let cell = cells.get(*index).cloned().unwrap_or(Cell::Null);
                return if *quoted {
                    Node::quoted(vec![Piece::Field(cell)])
                } else {
                    Node::field(cell)
                };
            }
            Shape::Build { kids, .. } => {
                for kid in kids {
                    *kid = kid.on_line(cells);
                }
            }
            _ => {}
        }
        copy
    }
}

/// The number at the start of a text.
pub(super) fn number(text: &str) -> f64 {
    let text = text.trim_start();
    (0..=text.len())
        .rev()
        .filter_map(|end| text.get(..end))
        .find_map(|start| start.parse().ok())
        .unwrap_or(0.0)
}

/// `before` and `after` around a part.
pub(super) fn around(before: &str, node: &Node, after: &str) -> Node {
    Node::build(
        node.label.clone(),
        vec![before.to_owned(), after.to_owned()],
        vec![node.clone()],
    )
}

/// A part with its operands written in another way.
pub(super) fn with_operands(node: &Node, change: impl Fn(usize, &Node) -> Option<Node>) -> Option<Node> {
    let mut copy = node.clone();
    let Shape::Build { kids, .. } = &mut copy.shape else {
        return None;
    };
    let mut changed = false;
    for (index, kid) in kids.iter_mut().enumerate() {
        if let Some(other) = change(index, kid) {
            *kid = other;
            changed = true;
        }
    }
    changed.then_some(copy)
}
