//! Queues of real connectors, by a paused clock: nobody waits, and every run is the same.

use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::caller::tests::resolved;
use crate::own_pace::{OwnPace, OwnSide};

fn params(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn jushuitan(token: &str) -> Connection {
    let params = params(&[
        ("server", "https://jst.example.com/"),
        ("app_key", "ak"),
        ("app_secret", "sec"),
        ("refresh_token", token),
    ]);
    resolved("schemes/jst-saleout-to-k3.yaml", "jst", "jushuitan", params)
}

fn fxiaoke() -> Connection {
    let params = params(&[
        ("server", "https://crm.example.com/"),
        ("app_id", "a"),
        ("app_secret", "s"),
        ("code", "c"),
        ("user_id", "1000"),
    ]);
    resolved("schemes/fx-accounts.yaml", "crm", "fxiaoke", params)
}

/// What became of the calls: let through and refused, from an instant on.
#[derive(Debug, Default)]
struct Seen {
    first_minute: (u32, u32),
    after: (u32, u32),
}

/// The schemes of one application call as fast as they may for so many minutes; each call takes `took` ms, and is counted by
/// the far side at some time in between.
async fn schemes(paces: &[Arc<Paces>], connection: &Connection, minutes: u64, used_before: i64) -> Seen {
    let side = Arc::new(Mutex::new(sandbox::jushuitan_limits()));
    for nth in 0..used_before {
        side.lock().expect("sound").pass(nth * 200 - 60_000);
    }
    assert_eq!(connection.connector.id(), "jushuitan");
    let connection = Arc::new(jushuitan("r"));
    let began = Instant::now();
    let tasks: Vec<_> = (0..2_usize)
        .map(|scheme| {
            let (paces, side) = (Arc::clone(&paces[scheme % paces.len()]), Arc::clone(&side));
            let connection = Arc::clone(&connection);
            tokio::spawn(async move {
                let mut seen = Seen::default();
                let mut busy = 0_u32;
                let lane = Lane::Call("saleout_list");
                for nth in 0_u64.. {
                    if began.elapsed() >= Duration::from_secs(60 * minutes) {
                        break;
                    }
                    let turn = paces.enter(None, lane, &connection).await;
                    // On the way, in the far side's queue, and back: never twice the same.
                    let (there, back) = (5 + nth * 7 % 40, 5 + nth * 11 % 60);
                    tokio::time::sleep(Duration::from_millis(there)).await;
                    let now = i64::try_from(began.elapsed().as_millis()).expect("a short run");
                    let through = side.lock().expect("sound").pass(now);
                    tokio::time::sleep(Duration::from_millis(back)).await;
                    drop(turn);
                    let counted = if now < 60_000 {
                        &mut seen.first_minute
                    } else {
                        &mut seen.after
                    };
                    if through {
                        counted.0 += 1;
                        busy = 0;
                        paces.let_through(lane, &connection);
                    } else {
                        counted.1 += 1;
                        busy += 1;
                        // The connector's own `wait`.
                        paces.refused(lane, &connection, Some(Duration::from_secs(15)));
                    }
                    assert!(busy < 20, "a run gives up then");
                }
                seen
            })
        })
        .collect();
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await.expect("it ends");
        for (sum, part) in [
            (&mut all.first_minute, seen.first_minute),
            (&mut all.after, seen.after),
        ] {
            sum.0 += part.0;
            sum.1 += part.1;
        }
    }
    all
}

/// Two schemes on one credential that takes 5 calls a second and 100 a minute, and somebody else's calls of the minute
/// before: after the first minute the simulator's own counter refuses under 2 % of the calls, and nearly as many go through as may.
#[tokio::test(start_paused = true)]
async fn two_schemes_on_one_credential_are_hardly_refused() {
    for used_before in [0, 60, 100] {
        let connection = jushuitan("r");
        let paces = [Arc::new(Paces::new([&connection], 100))];
        let seen = schemes(&paces, &connection, 30, used_before).await;
        let (through, refused) = seen.after;
        println!(
            "{used_before} calls before: first minute {:?}, after it {through} through and {refused} refused",
            seen.first_minute
        );
        assert!(refused * 50 < through + refused, "{seen:?}");
        assert!(through >= 29 * 90, "of 2900: {seen:?}");
    }
}

/// Two merchants of one application: each has its own token, and they are counted together.
#[tokio::test(start_paused = true)]
async fn one_application_is_counted_once() {
    let (one, other) = (jushuitan("first merchant"), jushuitan("second merchant"));
    assert!(!one.is_same_credential(&other));
    assert_eq!(one.application(), other.application());
    let first = Paces::new([&one], 100);
    let mut second = Paces::new([&other], 100);
    second.join(&first);
    let paces = [Arc::new(first), Arc::new(second)];
    let seen = schemes(&paces, &one, 10, 0).await;
    assert_eq!((seen.first_minute.1, seen.after.1), (0, 0), "{seen:?}");
    // Apart they are refused again and again.
    let apart = [
        Arc::new(Paces::new([&one], 100)),
        Arc::new(Paces::new([&other], 100)),
    ];
    let seen = schemes(&apart, &one, 10, 0).await;
    assert!(seen.first_minute.1 > 0, "{seen:?}");
}

/// A hundred calls of one interface leave room for another one.
#[tokio::test(start_paused = true)]
async fn each_interface_has_its_own_window() {
    let connection = fxiaoke();
    let paces = Paces::new([&connection], 100);
    let began = Instant::now();
    for _ in 0..100 {
        drop(paces.enter(None, Lane::Call("query"), &connection).await);
    }
    drop(paces.enter(None, Lane::Call("create"), &connection).await);
    // The same interface by another name of its operation.
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(paces.enter(None, Lane::Call("data/query"), &connection).await);
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    // Ten logins a minute, whatever calls do.
    for _ in 0..10 {
        drop(paces.enter(None, Lane::Login, &connection).await);
    }
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    drop(paces.enter(None, Lane::Login, &connection).await);
    assert_eq!(began.elapsed(), Duration::from_secs(80));
}

/// A pause that one interface was given holds no other.
#[tokio::test(start_paused = true)]
async fn a_pause_holds_the_queue_it_was_given_to() {
    let connection = fxiaoke();
    let paces = Paces::new([&connection], 100);
    paces.refused(Lane::Call("query"), &connection, Some(Duration::from_secs(30)));
    let began = Instant::now();
    drop(paces.enter(None, Lane::Call("create"), &connection).await);
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(paces.enter(None, Lane::Call("query"), &connection).await);
    assert_eq!(began.elapsed(), Duration::from_secs(30));
}

/// A claim is made once its call could go out: the queue of its interface counts too, and another one's does not.
#[tokio::test(start_paused = true)]
async fn readiness_waits_for_the_queue_that_the_call_will_wait_in() {
    let connection = fxiaoke();
    let paces = Paces::new([&connection], 100);
    let mut made = 0;
    // Fill the window of one interface.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1) && made < 1_000 {
        let turn = paces.enter(None, Lane::Call("create"), &connection).await;
        drop(turn);
        made += 1;
    }
    assert!((50..1_000).contains(&made), "{made} calls at once");
    let waits = Instant::now();
    paces.ready(&["query"], &connection).await;
    assert_eq!(waits.elapsed(), Duration::ZERO, "another interface has room");
    paces.ready(&["query", "create"], &connection).await;
    let waited = waits.elapsed();
    let turn = paces.enter(None, Lane::Call("create"), &connection).await;
    drop(turn);
    assert_eq!(waits.elapsed(), waited, "the wait was before, not between");
}

/// A scheme that says 30 a minute never makes more in any minute, whatever the credential allows; another one on the
/// same credential is not slowed down by it.
#[tokio::test(start_paused = true)]
async fn a_scheme_keeps_below_its_own_rate() {
    let connection = jushuitan("r");
    let paces = Paces::new([&connection], 100);
    let limits = dsl::plan::OwnLimits {
        rate: Some((30, 60_000)),
        ..dsl::plan::OwnLimits::default()
    };
    let folder = std::path::Path::new("nothing is kept");
    let own = OwnPace::new(folder, &connection, "s", OwnSide::Source, &limits);
    let (began, lane) = (Instant::now(), Lane::Call("saleout_list"));
    let mut calls = Vec::new();
    while began.elapsed() < Duration::from_secs(600) {
        drop(paces.enter(Some(own.gate()), lane, &connection).await);
        calls.push(began.elapsed().as_millis());
        for at in &calls {
            let within = calls.iter().filter(|other| (*at..at + 60_000).contains(other));
            assert!(within.count() <= 30, "{calls:?}");
        }
    }
    assert!(calls.len() >= 280, "of 300: {}", calls.len());
    let waits = Instant::now();
    drop(paces.enter(None, lane, &connection).await);
    assert!(waits.elapsed() < Duration::from_secs(2), "{:?}", waits.elapsed());
}
