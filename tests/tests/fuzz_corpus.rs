//! Hostile texts, as far as a test may take: those that once went wrong, a few thousand fresh ones, and the bombs.
//!
//! `cargo xtask fuzz` tries millions and measures; a debug build on a busy machine is no judge of time, so here the
//! limits are wide.

use std::time::Duration;

use fuzz::mutate::Mutator;
use fuzz::{Judge, Limits, Target, World, bombs, corpus};

/// Fresh inputs of a target; a debug build takes some milliseconds for one.
const FRESH: u64 = 2_000;
/// A debug build is ten to thirty times slower than what is shipped, and CI's machine does other things too.
const PATIENT: Limits = Limits {
    cpu: Duration::from_secs(5),
    memory_kib: 1 << 20,
};

#[track_caller]
fn check(target: Target, inputs: impl Iterator<Item = (String, Vec<u8>)>) -> u64 {
    let mut judge = Judge::new(target, PATIENT);
    for (name, input) in inputs {
        if let Some(offence) = judge.one(&input) {
            panic!(
                "{target} {name}: {offence}\n{:?}",
                String::from_utf8_lossy(&input)
            );
        }
    }
    judge.figures().evaluated
}

fn fresh(target: Target) {
    let maker = Mutator::new(target, &World::new());
    let evaluated = check(target, (0..FRESH).map(|n| (format!("#{n}"), maker.make(1, n))));
    // Inputs that are all refused at the door would test the door only.
    assert!(
        evaluated > FRESH / 100,
        "only {evaluated} of {FRESH} gave a value"
    );
}

#[test]
fn fresh_templates() {
    fresh(Target::Template);
}

#[test]
fn fresh_expressions() {
    fresh(Target::Expression);
}

#[test]
fn fresh_schemes() {
    fresh(Target::Scheme);
}

#[test]
fn what_once_went_wrong_stays_right() {
    for target in Target::ALL {
        check(target, corpus::of(target).into_iter());
    }
}

#[test]
fn every_bomb_is_refused_by_name_or_harmless() {
    let world = World::new();
    let mut wrong = Vec::new();
    for bomb in bombs::ALL {
        let before = fuzz::cpu();
        let codes = bomb.codes(&world, &bomb.text());
        let took = fuzz::cpu().saturating_sub(before);
        if !bomb.is_defused(&codes) {
            let codes = &codes[..codes.len().min(4)];
            wrong.push(format!("{}: {codes:?} in place of {:?}", bomb.name, bomb.want));
        }
        if took > PATIENT.cpu {
            wrong.push(format!("{} took {took:?}", bomb.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
