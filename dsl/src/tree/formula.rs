//! An expression as a part of a tree: what stands for each of its placeholders and nested look-ups.

use std::sync::Arc;

use crate::expr::Expr;
use crate::tree::term::{LookupTerm, Ref};

/// A compiled `_function`.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    pub(crate) expr: Arc<Expr>,
    /// What the author wrote, for `$on_error: literal`.
    pub(crate) text: Arc<str>,
    /// What each placeholder reads, in the order of the expression's own list.
    pub(crate) refs: Vec<Ref>,
    /// The nested look-ups, in the order of the expression's own list.
    pub(crate) lookups: Vec<LookupTerm>,
}
