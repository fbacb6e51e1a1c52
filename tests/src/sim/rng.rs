//! A small generator of our own, so that a seed gives the same run on every machine and with every dependency.

/// splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// A generator that gives the same numbers for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `[from, to)`; `from` when that is empty.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = to.saturating_sub(from).max(1).cast_unsigned();
        from + (self.next() % span).cast_signed()
    }

    /// True so many times in a thousand.
    pub(crate) fn in_thousand(&mut self, n: u32) -> bool {
        self.next() % 1000 < u64::from(n)
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let n = u64::try_from(choices.len()).expect("a length fits 64 bits");
        choices[usize::try_from(self.next() % n).expect("below a length")]
    }
}
