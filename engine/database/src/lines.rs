//! Lines of a text as an editor shows them: `\n`, `\r\n` and a bare `\r` each end one, also within quotes and where a line
//! is blank.

/// Counts lines up to places that only grow.
pub struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// From the beginning of a text.
    pub fn of(text: &'a [u8]) -> Lines<'a> {
        Lines { text, at: 0, line: 1 }
    }

    /// The line of the first character of a record that is read from this place on: ends of lines before it are no part
    /// of it.
    pub fn at(&mut self, place: usize) -> u64 {
        while let Some(byte) = self.text.get(self.at) {
            let ends = matches!(byte, b'\r' | b'\n');
            if self.at >= place && !ends {
                break;
            }
            // The `\n` of a `\r\n` ends what the `\r` has ended already.
            let is_second = *byte == b'\n' && self.at > 0 && self.text[self.at - 1] == b'\r';
            self.line += u64::from(ends && !is_second);
            self.at += 1;
        }
        self.line
    }
}
