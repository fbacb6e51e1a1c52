//! How the caller is known: modes, logins, tokens for writes, signatures.

use dsl::Path;
use dsl::tree::Tree;

use super::{Encode, Row};
use crate::recipe::Recipe;
use crate::units::Rate;

/// One way to prove who calls.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: String,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) basic: Option<(Tree, Tree)>,
    pub(crate) login: Option<Login>,
    pub(crate) sign: Option<Sign>,
    pub(crate) cookies: bool,
    pub(crate) outcome: Vec<Row>,
}

/// Most calls of one login; the longest we know of has two.
pub(crate) const STEPS_MAX: usize = 8;

/// The calls that give a session or a token.
#[derive(Debug)]
pub(crate) struct Login {
    /// In order; a login that says nothing of steps has one.
    pub(crate) steps: Vec<LoginStep>,
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) cookies: bool,
    /// The server of every call, where it is not the connection's own.
    pub(crate) apply_host: Option<Tree>,
    pub(crate) apply_headers: Vec<(String, Tree)>,
    pub(crate) apply_query: Vec<(String, Tree)>,
    /// Laid over the body of every call.
    pub(crate) apply_body: Vec<(String, Tree)>,
    /// Each login gives what the next one needs, so that a session outlives the process.
    pub(crate) rotate: bool,
    /// What `$auth` is before the first login.
    pub(crate) start: Vec<(String, Tree)>,
    /// The login itself is signed as calls are.
    pub(crate) signed: bool,
    /// How often its calls may be made.
    pub(crate) rates: Vec<Rate>,
}

impl Login {
    /// The names of what all steps take.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &String> {
        let steps = self.steps.iter();
        steps.flat_map(|step| step.take.iter().map(|(name, _)| name))
    }

    /// Whether a call is rendered anew for each attempt, because of what is put into it.
    pub(crate) fn shapes_calls(&self) -> bool {
        !self.apply_body.is_empty() || self.apply_host.is_some()
    }
}

/// One call of a login.
#[derive(Debug)]
pub(crate) struct LoginStep {
    pub(crate) lets: Vec<(String, Recipe)>,
    pub(crate) method: String,
    /// The server, where it is not the connection's own.
    pub(crate) host: Option<Tree>,
    pub(crate) path: Tree,
    pub(crate) query: Vec<(String, Tree)>,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) body: Option<Tree>,
    pub(crate) encode: Encode,
    /// The root element, where the body is XML.
    pub(crate) root: String,
    pub(crate) ok: Recipe,
    pub(crate) message: Option<Tree>,
    pub(crate) take: Vec<(String, Path)>,
    /// How long later logins may use what it took.
    pub(crate) keep_ms: Option<i64>,
}

/// The token that a system wants with every write, and how it is fetched.
#[derive(Debug)]
pub(crate) struct Csrf {
    pub(crate) method: String,
    pub(crate) path: Tree,
    pub(crate) query: Vec<(String, Tree)>,
    pub(crate) headers: Vec<(String, Tree)>,
    /// The header that asks for it, brings it and carries it.
    pub(crate) header: String,
    /// An answer that says: refused before anything was looked at, because of the token.
    pub(crate) again_when: Recipe,
}

/// What is put onto a request once its body is bytes.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) lets: Vec<(String, Recipe)>,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) query: Vec<(String, Tree)>,
    pub(crate) form: Vec<(String, Tree)>,
}
