//! The commands that look after the ledger, with the real binary.

use tests::e2e::{MAIN, World};

#[test]
fn a_backup_is_taken_and_put_back() {
    let world = World::small();
    world.feed();
    world.pass(MAIN, 0);
    let backup = world.engine(&["backup", "--to", "copy.db", "--json"]);
    backup.expect(0);
    world.valid("backup", &backup.json());
    let again = world.engine(&["backup", "--to", "copy.db"]);
    again.expect(3).warns("E5017");
    // Without a name it goes into the data directory.
    world.engine(&["backup"]).expect(0).says("backups");
    // It is asked about, and without a terminal nothing is done.
    world
        .engine(&["restore", "copy.db", "--reason", "disk"])
        .expect(2)
        .warns("--yes");
    world
        .engine(&["restore", "no.db", "--reason", "disk", "--yes"])
        .expect(2)
        .warns("no.db");
    let restored = world.engine(&["restore", "copy.db", "--reason", "disk", "--yes", "--json"]);
    restored.expect(0);
    world.valid("restore", &restored.json());
    // Everything was done before the copy was taken: there is nothing to ask.
    world.engine(&["run", MAIN, "--settle-wait", "5s"]).expect(0);
    world.engine(&["verify"]).expect(0);
    assert_eq!(tests::e2e::judge(&world.journal()), Vec::<String>::new());
}

#[test]
fn the_doctor_and_the_version() {
    let world = World::small();
    // Nobody is asked before the last send of a forgotten life has been executed or given up.
    world.impatient();
    world.engine(&["doctor"]).expect(3).warns("E5002");
    world.feed();
    let doctor = world.engine(&["doctor", "--json"]);
    doctor.expect(0);
    world.valid("doctor", &doctor.json());
    let check = world.engine(&["migrate", "--check", "--json"]);
    check.expect(0);
    world.valid("migrate", &check.json());
    world.engine(&["migrate"]).expect(0);
    // There is no older version to go back to.
    let back = ["migrate", "--rollback", "--reason", "trial", "--yes"];
    world
        .engine(&back)
        .expect(2)
        .warns("no copy from before an upgrade");
    std::fs::write(
        world.data().join("generation"),
        "generation 0000000009\nclaims 0000000000000000007\n",
    )
    .expect("our own folder");
    world
        .engine(&["doctor"])
        .expect(1)
        .says("✗ generation")
        .says("engine restore FILE");
    // Somebody's word lets it be worked with.
    world.engine(&["run", MAIN]).expect(3).warns("E5016");
    world
        .engine(&["run", MAIN, "--suspect-until", "now", "--settle-wait", "30s"])
        .expect(0);
    assert_eq!(tests::e2e::judge(&world.journal()), Vec::<String>::new());
}

#[test]
fn what_is_derived_is_mended() {
    let world = World::small();
    world.feed();
    world
        .engine(&["verify", "--fix", "--yes"])
        .expect(2)
        .warns("--reason");
    let clean = world.engine(&["verify", "--fix", "--reason", "trial", "--json"]);
    clean.expect(0);
    world.valid("verify", &clean.json());
}

/// A full disk stops the source, never a record on its way.
#[test]
fn reading_stops_before_the_disk_is_full() {
    let world = World::small();
    world.feed();
    for (name, code) in [("ENGINE_MIN_FREE", "E5018"), ("ENGINE_MAX_LEDGER", "E5019")] {
        let bound = if name == "ENGINE_MIN_FREE" {
            "9000000g"
        } else {
            "1k"
        };
        let ran = world.command(&["run", MAIN]).env(name, bound).finish();
        ran.expect(1).says(code);
    }
    let wrong = world
        .command(&["run", MAIN])
        .env("ENGINE_MIN_FREE", "much")
        .finish();
    wrong.expect(2).warns("ENGINE_MIN_FREE");
    let wrong = world.command(&["run", MAIN]).env("ENGINE_KEEP", "long").finish();
    wrong.expect(2);
    assert!(world.journal().is_empty());
    world.pass(MAIN, 0);
}
