//! The target of libFuzzer: it follows what the compiler counts, we bend along the joints of the language.
//!
//! Started by `fuzz run --guided`, which says what is wanted through `FUZZ_TARGET`, `FUZZ_INPUTS`, `FUZZ_REPORT`.
//! Panics and slow inputs are noted and the run goes on; what ends the process (a signal, a hang) libFuzzer writes
//! down itself.
#![no_main]

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use fuzz::mutate::Mutator;
use fuzz::{Judge, Limits, Rng, Target, World};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

struct State {
    judge: Mutex<Judge>,
    mutator: Mutator,
    inputs: u64,
    report: PathBuf,
}

fn state() -> &'static State {
    static STATE: OnceLock<State> = OnceLock::new();
    STATE.get_or_init(|| {
        let word = |name: &str| {
            #[expect(
                clippy::disallowed_methods,
                reason = "libFuzzer owns the command line; this is the way past it"
            )]
            std::env::var(name)
                .unwrap_or_else(|_| panic!("{name} is not set; start this with `fuzz run --guided`"))
        };
        let target = Target::parse(&word("FUZZ_TARGET")).expect("a target");
        State {
            mutator: Mutator::new(target, &World::new()),
            // The last to set the hook for panics: libFuzzer's binding would end the process.
            judge: Mutex::new(Judge::new(target, Limits::default())),
            inputs: word("FUZZ_INPUTS").parse().expect("a number"),
            report: word("FUZZ_REPORT").into(),
        }
    })
}

fuzz_target!(|input: &[u8]| {
    let state = state();
    let mut judge = state.judge.lock().expect("one thread");
    judge.one(input);
    let done = judge.figures().inputs;
    if done == state.inputs || done.is_multiple_of(50_000) {
        fuzz::report::write(&judge, &state.report).expect("the report can be written");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut rng = Rng::new(seed.into());
    if rng.one_in(3) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    for _ in 0..=rng.below(3) {
        input = state().mutator.bend(&mut rng, &input);
    }
    let size = input.len().min(max_size);
    data[..size].copy_from_slice(&input[..size]);
    size
});
