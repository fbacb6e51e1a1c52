//! The command line of the programs that measure.

use crate::table;

/// What is measured, and how it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Whether the expressions are measured, too.
    pub expressions: bool,
    /// How many records are mapped.
    pub records: u64,
    /// Whether it is told as JSON, a line for each mapping.
    pub json: bool,
}

impl Given {
    /// `[--peers] [--records N] [--json]`; `None` for anything else.
    pub fn read(words: impl IntoIterator<Item = String>) -> Option<Given> {
        let mut given = Given {
            expressions: true,
            records: 2_000,
            json: false,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--peers" => given.expressions = false,
                "--json" => (given.expressions, given.json) = (false, true),
                "--records" => given.records = words.next()?.parse().ok().filter(|count| *count > 0)?,
                _ => return None,
            }
        }
        Some(given)
    }

    /// Tells what was measured.
    pub fn tell(
        self,
        first: &crate::mapping::Figure,
        between: &[crate::mapping::Figure],
        last: &crate::mapping::Figure,
    ) -> Result<String, String> {
        match self.json {
            true => table::lines(first, between, last),
            false => table::mappings(first, between, last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let read = |line: &str| Given::read(line.split_whitespace().map(str::to_owned));
        let given = read("--peers --records 50 --json").unwrap();
        assert!(given.json && !given.expressions && given.records == 50);
        assert!(read("").unwrap().expressions);
        assert_eq!(read("--records 0"), None);
        assert_eq!(read("--records"), None);
        assert_eq!(read("peers"), None);
    }
}
