//! Makes a case that differs smaller, as long as it differs in the same way.

use super::node::{Case, Cell, Node, Piece, Shape, quoted};

/// Tries per case: each asks the server once.
const MOST_TRIES: usize = 400;

/// The smallest case found for which `differs` holds.
pub(super) fn shrink(case: &Case, mut differs: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut tries = 0;
    'smaller: loop {
        for candidate in candidates(&best) {
            if weight(&candidate) >= weight(&best) || !candidate.root.is_sound() {
                continue;
            }
            tries += 1;
            if tries > MOST_TRIES {
                return best;
            }
            if differs(&candidate) {
                best = candidate;
                continue 'smaller;
            }
        }
        return best;
    }
}

/// Nodes first, then what is written.
fn weight(case: &Case) -> (usize, usize, usize) {
    let cells = case.lines.rows.len();
    let (text, row) = case.ours();
    let spread = text.matches("<<").count();
    (case.root.size() + cells, spread, text.len() + row.len())
}

fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut with = |root: Node| {
        all.push(Case {
            root,
            lines: case.lines.clone(),
        });
    };
    for (position, node) in case.root.all().into_iter().enumerate() {
        for kid in node.kids() {
            with(case.root.replaced(position, kid));
        }
        for simpler in simpler(node) {
            with(case.root.replaced(position, &simpler));
        }
    }
    for row in 0..case.lines.rows.len() {
        let mut fewer = case.clone();
        fewer.lines.rows.remove(row);
        all.push(fewer);
    }
    all
}

/// Smaller things that could stand in the place of a node.
fn simpler(node: &Node) -> Vec<Node> {
    let mut found: Vec<Node> = Vec::new();
    if !matches!(node.shape, Shape::Literal(_)) {
        found.extend(["1", "NULL", "'a'", "''", "0", "1.5", "'1'"].map(Node::literal));
    }
    match &node.shape {
        Shape::Literal(text) => found.extend(shorter(text)),
        Shape::Field(cell) => found.extend(written(cell)),
        Shape::Quoted(pieces) => {
            let plain: String = pieces.iter().map(plain).collect();
            found.push(Node::literal(quoted(&plain)));
            found.extend((0..pieces.len()).filter(|_| pieces.len() > 1).map(|index| {
                let mut fewer = pieces.clone();
                fewer.remove(index);
                Node::quoted(fewer)
            }));
        }
        Shape::Glued(pieces) => {
            let plain: String = pieces.iter().map(plain).collect();
            found.push(Node::literal(plain));
        }
        Shape::Column { .. } => {}
        Shape::Build { ours, server, kids } => {
            found.extend(fewer(node, ours, server.is_some(), kids));
        }
    }
    found
}

fn plain(piece: &Piece) -> &str {
    match piece {
        Piece::Text(text) | Piece::Field(Cell::Text(text) | Cell::Number(text) | Cell::Digits(text)) => text,
        Piece::Field(_) => "",
    }
}

/// The value of a placeholder as a literal.
fn written(cell: &Cell) -> Option<Node> {
    Some(match cell {
        Cell::Null => Node::literal("NULL"),
        Cell::Bool(truth) => Node::literal(if *truth { "TRUE" } else { "FALSE" }),
        Cell::Number(digits) | Cell::Digits(digits) => Node::literal(digits.clone()),
        Cell::Text(text) => Node::literal(quoted(text)),
    })
}

/// Literals that are shorter than this one.
fn shorter(text: &str) -> Vec<Node> {
    let mut found = Vec::new();
    for short in ["0", "1", "''", "'a'", "1.5", "'1'", "NULL"] {
        if short.len() < text.len() {
            found.push(Node::literal(short));
        }
    }
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        if !inner.contains(['\'', '\\']) {
            let chars: Vec<char> = inner.chars().collect();
            let half = chars.len() / 2;
            for part in [&chars[..half], &chars[half..], chars.get(1..).unwrap_or_default()] {
                found.push(Node::literal(quoted(&part.iter().collect::<String>())));
            }
            if let [rest @ .., _] = chars.as_slice() {
                found.push(Node::literal(quoted(&rest.iter().collect::<String>())));
            }
        }
    } else if text.len() > 2
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'e'))
    {
        let half = text.len() / 2;
        for part in [&text[..half], &text[half..], &text[1..], &text[..text.len() - 1]] {
            if part.starts_with(|c: char| c.is_ascii_digit()) && part.ends_with(|c: char| c.is_ascii_digit())
            {
                found.push(Node::literal(part));
            }
        }
    }
    found
}

/// A call with one argument less, a CASE or a list with one part less: wherever a piece is a comma.
fn fewer(node: &Node, ours: &[String], split: bool, kids: &[Node]) -> Vec<Node> {
    let mut found = Vec::new();
    if split {
        return found;
    }
    for index in 1..kids.len() {
        if ours[index] == ", " {
            let (mut pieces, mut left) = (ours.to_vec(), kids.to_vec());
            pieces.remove(index);
            left.remove(index);
            found.push(Node::build(node.label.clone(), pieces, left));
        }
    }
    found
}
