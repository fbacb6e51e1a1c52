//! Two simulated editions of Wangdiantong, which share their words and little else on the wire, and the second way to
//! one of them.
//!
//! What their documents and public clients say is told in [`enterprise`], [`ultimate`] and [`qimen`]; what is a guess,
//! too.

pub(crate) mod enterprise;
mod push;
pub(crate) mod qimen;
mod rows;
pub(crate) mod ultimate;

use crate::kingdee::store::{Fields, scalar};
use crate::reply::Request;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edition {
    /// Ids and decimals are text.
    Enterprise,
    /// Ids and decimals are numbers; a decimal keeps its four places.
    Ultimate,
}

/// A page that was asked for, counted from 0.
#[derive(Debug, Clone, Copy)]
struct Asked {
    no: u64,
    size: u64,
}

/// Highest page number; far above what a window holds.
const MAX_PAGE: u64 = 1_000_000;

impl Asked {
    /// Reads both numbers; `None` is what is usual. The error names the parameter and its bounds.
    fn of(no: &str, size: &str, usual: u64, max: u64) -> Result<Asked, String> {
        let number = |name: &str, text: &str, usual: u64, low: u64, high: u64| {
            if text.is_empty() {
                return Ok(usual);
            }
            match text.parse::<u64>() {
                Ok(n) if (low..=high).contains(&n) => Ok(n),
                _ => Err(format!("{name} 应在 {low} 到 {high} 之间")),
            }
        };
        Ok(Asked {
            no: number("page_no", no, 0, 0, MAX_PAGE)?,
            size: number("page_size", size, usual, 1, max)?,
        })
    }

    /// The rows to leave out and to take; none to take for a page that is emptied.
    fn place(self, twist: &crate::twist::Twist) -> (u64, u64) {
        match twist.page_number(self.no + 1) {
            Some(number) => ((number - 1).saturating_mul(self.size), self.size),
            None => (0, 0),
        }
    }
}

/// The method that a call of this path names in its query; the names of the vendor need no escapes.
fn method_of<'a>(request: &'a Request, path: &str) -> Option<&'a str> {
    if request.path != path {
        return None;
    }
    let mut pairs = request.query.split('&');
    let method = pairs.find_map(|pair| pair.strip_prefix("method="));
    Some(method.unwrap_or_default())
}

/// A member as text; empty when it is not there.
fn text(fields: &Fields, name: &str) -> String {
    let found = fields.get(name);
    found.and_then(|value| scalar(value)).unwrap_or_default()
}
