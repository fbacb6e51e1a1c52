//! Raw bytes inside a recipe.
//!
//! Hash filters give bytes, and bytes become text only by `hex`, `b64` and their like. Joining them with text is
//! a mistake that would still produce a plausible signature, so it must fail: whenever the expression engine
//! prints a [`RawBytes`], a flag is raised that [`super::Recipe::eval`] turns into an error.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Value};

thread_local! {
    // The engine formats values with `format!`, where a `Display` that fails would panic; so the object notes the
    // misuse here instead. One recipe is evaluated at a time on a thread.
    static PRINTED: Cell<bool> = const { Cell::new(false) };
}

/// Forgets an earlier misuse; called before an evaluation.
pub(super) fn watch() {
    PRINTED.set(false);
}

/// Whether raw bytes were printed as text since [`watch`].
pub(super) fn printed() -> bool {
    PRINTED.get()
}

/// Bytes that are not text.
pub(super) struct RawBytes(pub(super) Vec<u8>);

impl fmt::Debug for RawBytes {
    // No content: a key or a digest of a secret may be in here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PRINTED.set(true);
        f.write_str("<bytes>")
    }
}

impl Object for RawBytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_empty()
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<RawBytes>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PRINTED.set(true);
        f.write_str("<bytes>")
    }
}

/// Bytes as a value of the expression engine.
pub(super) fn value(bytes: Vec<u8>) -> Value {
    Value::from_object(RawBytes(bytes))
}
