//! What is still open while the parser's events come in.

use std::collections::HashMap;
use std::ops::Range;

use super::{Node, Pair};

/// What a node costs once it is written out.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) bytes: usize,
    pub(super) height: usize,
}

impl Size {
    pub(super) fn add(&mut self, other: Size) {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
        self.height = self.height.max(other.height);
    }
}

/// A map or list that is still open.
pub(super) struct Frame {
    pub(super) start: usize,
    pub(super) anchor: usize,
    pub(super) flow: bool,
    /// Where a `{{…}}` ends that is being read as maps: nothing inside it is reported or kept.
    pub(super) placeholder: Option<usize>,
    pub(super) size: Size,
    pub(super) content: Content,
}

pub(super) enum Content {
    List(Vec<Node>),
    Map {
        pairs: Vec<Pair>,
        /// The keys so far, with line and column.
        known: HashMap<String, (usize, usize)>,
        key: Option<Key>,
    },
}

/// A key that waits for its value. `None`: the key was refused, its value is dropped.
pub(super) struct Key(pub(super) Option<(String, Range<usize>)>);
