//! A generated expression: the same text for both sides, except where a placeholder stands.

use std::fmt::Write as _;

use dsl::value::Value;

/// Where the lines of a row stand in the server's text of a list function.
pub(super) const LINES: &str = "@lines@";

/// An operand or an operation.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What differences are grouped by: the operator or the function.
    pub(super) label: String,
    pub(super) shape: Shape,
}

/// How it is written.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A literal.
    Literal(String),
    /// A bare placeholder.
    Field(Cell),
    /// Quoted text with placeholders in it.
    Quoted(Vec<Piece>),
    /// Digits written on to a placeholder: together they are one number.
    Glued(Vec<Piece>),
    /// A column of the lines, inside a list function; one of words is quoted, so that it is text for us too.
    Column { index: usize, quoted: bool },
    /// Operands between pieces of text, of which there is one more.
    Build {
        ours: Vec<String>,
        /// When the server writes it in another way.
        server: Option<Vec<String>>,
        kids: Vec<Node>,
    },
}

/// A part of a quoted text.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Field(Cell),
}

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    /// The digits of a JSON number.
    Number(String),
    /// A JSON text of digits, bare: a text substitution makes a number of it.
    Digits(String),
    Text(String),
}

/// The lines below a record: names of the columns are their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) columns: usize,
    /// The column of words, if there is one; no cell of it is NULL.
    pub(super) words: Option<usize>,
}

/// An expression with the values of its placeholders.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) root: Node,
    pub(super) lines: Lines,
}

/// Text between quotes, as both sides read it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    out.push_str(&escaped(text));
    out.push('\'');
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out
}

impl Cell {
    /// What a text substitution puts in, with the escapes that keep text text.
    fn sql(&self) -> String {
        match self {
            Cell::Null => "NULL".to_owned(),
            Cell::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
            Cell::Number(digits) | Cell::Digits(digits) => digits.clone(),
            Cell::Text(text) => quoted(text),
        }
    }

    /// Inside quotes.
    fn plain(&self) -> &str {
        match self {
            Cell::Null => "",
            Cell::Bool(true) => "true",
            Cell::Bool(false) => "false",
            Cell::Number(text) | Cell::Digits(text) | Cell::Text(text) => text,
        }
    }

    fn json(&self) -> String {
        let value = match self {
            Cell::Null => Value::Null,
            Cell::Bool(truth) => Value::Bool(*truth),
            Cell::Number(digits) => return digits.clone(),
            Cell::Digits(text) | Cell::Text(text) => Value::Text(text.clone()),
        };
        dsl::json::to_string(&value)
    }
}

impl Node {
    pub(super) fn literal(text: impl Into<String>) -> Node {
        Node {
            label: "literal".to_owned(),
            shape: Shape::Literal(text.into()),
        }
    }

    pub(super) fn field(cell: Cell) -> Node {
        Node {
            label: "placeholder".to_owned(),
            shape: Shape::Field(cell),
        }
    }

    pub(super) fn quoted(pieces: Vec<Piece>) -> Node {
        Node {
            label: "quoted placeholder".to_owned(),
            shape: Shape::Quoted(pieces),
        }
    }

    pub(super) fn glued(pieces: Vec<Piece>) -> Node {
        Node {
            label: "glued placeholder".to_owned(),
            shape: Shape::Glued(pieces),
        }
    }

    pub(super) fn column(index: usize, quoted: bool) -> Node {
        Node {
            label: "column".to_owned(),
            shape: Shape::Column { index, quoted },
        }
    }

    /// `pieces` has one more than there are operands.
    pub(super) fn build(label: impl Into<String>, pieces: Vec<String>, kids: Vec<Node>) -> Node {
        assert_eq!(pieces.len(), kids.len() + 1, "{pieces:?}");
        Node {
            label: label.into(),
            shape: Shape::Build {
                ours: pieces,
                server: None,
                kids,
            },
        }
    }

    /// The same with other pieces for the server.
    pub(super) fn for_server(mut self, pieces: Vec<String>) -> Node {
        if let Shape::Build { ours, server, .. } = &mut self.shape {
            assert_eq!(pieces.len(), ours.len(), "{pieces:?}");
            *server = Some(pieces);
        }
        self
    }

    /// `NAME(a, b)`.
    pub(super) fn call(name: &str, kids: Vec<Node>) -> Node {
        let mut pieces = vec![format!("{name}(")];
        pieces.extend((1..kids.len()).map(|_| ", ".to_owned()));
        if kids.is_empty() {
            pieces[0].push(')');
        } else {
            pieces.push(")".to_owned());
        }
        Node::build(name, pieces, kids)
    }

    pub(super) fn kids(&self) -> &[Node] {
        match &self.shape {
            Shape::Build { kids, .. } => kids,
            _ => &[],
        }
    }

    /// Whether a column of the lines is read, in this node or below, other than inside a list function below.
    pub(super) fn has_column(&self) -> bool {
        match &self.shape {
            Shape::Column { .. } => true,
            _ => self
                .kids()
                .iter()
                .any(|kid| !kid.is_over_lines() && kid.has_column()),
        }
    }

    /// Whether it is a list function over the lines.
    pub(super) fn is_over_lines(&self) -> bool {
        matches!(&self.shape, Shape::Build { server: Some(pieces), .. } if pieces.iter().any(|piece| piece.contains(LINES)))
    }

    /// Whether columns stand inside list functions, and every list function has one and no other inside.
    pub(super) fn is_sound(&self) -> bool {
        let lists = self.all().into_iter().filter(|node| node.is_over_lines());
        let inside = |list: &Node| list.all().into_iter().skip(1).all(|node| !node.is_over_lines());
        (self.is_over_lines() || !self.has_column())
            && lists.into_iter().all(|list| list.has_column() && inside(list))
    }

    /// The same with the texts of bare placeholders as literals; `words` is a column of texts.
    pub(super) fn with_literals(&self, words: Option<usize>) -> Node {
        let mut copy = self.clone();
        match &mut copy.shape {
            Shape::Column { index, quoted } if Some(*index) == words => *quoted = true,
            Shape::Field(cell @ (Cell::Digits(_) | Cell::Text(_))) => return Node::literal(cell.sql()),
            Shape::Build { kids, .. } => {
                for kid in kids {
                    *kid = kid.with_literals(words);
                }
            }
            _ => {}
        }
        copy
    }

    /// The same with parts written in another way.
    pub(super) fn rewritten(&self, rewrite: &dyn Fn(&Node) -> Option<Node>) -> Node {
        let mut copy = self.clone();
        if let Shape::Build { kids, .. } = &mut copy.shape {
            for kid in kids {
                *kid = kid.rewritten(rewrite);
            }
        }
        rewrite(&copy).unwrap_or(copy)
    }

    fn map_text(&self, change: &dyn Fn(&str) -> String) -> Node {
        let mut copy = self.clone();
        match &mut copy.shape {
            Shape::Literal(text) | Shape::Field(Cell::Text(text)) => *text = change(text),
            Shape::Quoted(pieces) => {
                for piece in pieces {
                    if let Piece::Text(text) | Piece::Field(Cell::Text(text)) = piece {
                        *text = change(text);
                    }
                }
            }
            Shape::Build { kids, .. } => {
                for kid in kids {
                    *kid = kid.map_text(change);
                }
            }
            _ => {}
        }
        copy
    }

    /// How many nodes there are.
    pub(super) fn size(&self) -> usize {
        1 + self.kids().iter().map(Node::size).sum::<usize>()
    }

    /// This node and all below, parents first.
    pub(super) fn all(&self) -> Vec<&Node> {
        let mut all = vec![self];
        for kid in self.kids() {
            all.extend(kid.all());
        }
        all
    }

    /// The node at a position of [`Node::all`] replaced.
    pub(super) fn replaced(&self, position: usize, with: &Node) -> Node {
        if position == 0 {
            return with.clone();
        }
        let mut copy = self.clone();
        if let Shape::Build { kids, .. } = &mut copy.shape {
            let mut left = position - 1;
            for kid in kids {
                let size = kid.size();
                if left < size {
                    *kid = kid.replaced(left, with);
                    break;
                }
                left -= size;
            }
        }
        copy
    }
}

impl Case {
    /// The same with every text changed.
    pub(super) fn map_text(&self, change: &dyn Fn(&str) -> String) -> Case {
        let cell = |cell: &Cell| match cell {
            Cell::Text(text) => Cell::Text(change(text)),
            other => other.clone(),
        };
        let rows = self
            .lines
            .rows
            .iter()
            .map(|line| line.iter().map(cell).collect())
            .collect();
        Case {
            root: self.root.map_text(change),
            lines: Lines { rows, ..self.lines },
        }
    }

    /// The text that is compiled, and the record it is evaluated over.
    pub(super) fn ours(&self) -> (String, String) {
        let (mut text, mut cells) = (String::new(), Vec::new());
        write_ours(&self.root, &mut text, &mut cells);
        let mut row = String::from("{");
        for (index, cell) in cells.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(row, "{comma}\"f{index}\":{}", cell.json()).expect("a string takes all");
        }
        if self.lines.columns > 0 && text.contains("<<lines.") {
            let lines: Vec<String> = self.lines.rows.iter().map(|line| line_json(line)).collect();
            let comma = if cells.is_empty() { "" } else { "," };
            write!(row, "{comma}\"lines\":[{}]", lines.join(",")).expect("a string takes all");
        }
        row.push('}');
        (text, row)
    }

    /// The text that the server computes.
    pub(super) fn server(&self) -> String {
        let mut text = String::new();
        write_server(&self.root, &mut text);
        if text.contains(LINES) {
            text = text.replace(LINES, &self.lines.table());
        }
        text
    }
}

fn line_json(line: &[Cell]) -> String {
    let cells: Vec<String> = line
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("\"q{index}\":{}", cell.json()))
        .collect();
    format!("{{{}}}", cells.join(","))
}

impl Lines {
    /// A table with these rows.
    fn table(&self) -> String {
        let select = |line: &[Cell]| {
            let cells: Vec<String> = line
                .iter()
                .enumerate()
                .map(|(index, cell)| format!("{} AS q{index}", cell.sql()))
                .collect();
            format!("SELECT {}", cells.join(", "))
        };
        if self.rows.is_empty() {
            let nothing: Vec<Cell> = (0..self.columns).map(|_| Cell::Number("1".to_owned())).collect();
            return format!("({} FROM DUAL WHERE FALSE)", select(&nothing));
        }
        let rows: Vec<String> = self.rows.iter().map(|line| select(line)).collect();
        format!("({})", rows.join(" UNION ALL "))
    }
}

fn write_ours(node: &Node, text: &mut String, cells: &mut Vec<Cell>) {
    let mut name = |cell: &Cell| {
        let index = cells.len();
        cells.push(cell.clone());
        // Both spellings.
        if index % 3 == 1 {
            format!("{{{{f{index}}}}}")
        } else {
            format!("<<f{index}>>")
        }
    };
    match &node.shape {
        Shape::Literal(literal) => text.push_str(literal),
        Shape::Field(cell) => text.push_str(&name(cell)),
        Shape::Quoted(pieces) => {
            text.push('\'');
            for piece in pieces {
                match piece {
                    Piece::Text(fixed) => text.push_str(&escaped(fixed)),
                    Piece::Field(cell) => text.push_str(&name(cell)),
                }
            }
            text.push('\'');
        }
        Shape::Glued(pieces) => {
            for piece in pieces {
                match piece {
                    Piece::Text(fixed) => text.push_str(fixed),
                    Piece::Field(cell) => text.push_str(&name(cell)),
                }
            }
        }
        Shape::Column { index, quoted } => {
            let mark = if *quoted { "'" } else { "" };
            write!(text, "{mark}<<lines.q{index}>>{mark}").expect("a string takes all");
        }
        Shape::Build { ours, kids, .. } => {
            for (index, piece) in ours.iter().enumerate() {
                text.push_str(piece);
                if let Some(kid) = kids.get(index) {
                    write_ours(kid, text, cells);
                }
            }
        }
    }
}

fn write_server(node: &Node, text: &mut String) {
    match &node.shape {
        Shape::Literal(literal) => text.push_str(literal),
        Shape::Field(cell) => text.push_str(&cell.sql()),
        Shape::Quoted(pieces) => {
            text.push('\'');
            for piece in pieces {
                match piece {
                    Piece::Text(fixed) => text.push_str(&escaped(fixed)),
                    Piece::Field(cell) => text.push_str(&escaped(cell.plain())),
                }
            }
            text.push('\'');
        }
        Shape::Glued(pieces) => {
            for piece in pieces {
                match piece {
                    Piece::Text(fixed) => text.push_str(fixed),
                    Piece::Field(cell) => text.push_str(cell.plain()),
                }
            }
        }
        Shape::Column { index, .. } => write!(text, "l.q{index}").expect("a string takes all"),
        Shape::Build { ours, server, kids } => {
            for (index, piece) in server.as_ref().unwrap_or(ours).iter().enumerate() {
                text.push_str(piece);
                if let Some(kid) = kids.get(index) {
                    write_server(kid, text);
                }
            }
        }
    }
}
