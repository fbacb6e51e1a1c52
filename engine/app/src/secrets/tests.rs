use super::*;
use crate::secrets::key::LENGTH;

const CANARY: &str = "canary/store+4f1d83=\"密\"";
const NOW: Ms = 1_700_000_000_000;

fn places(folder: &Path) -> SecretPlaces {
    SecretPlaces {
        file: Some(folder.join("own/secrets.json")),
        key: None,
        key_file: None,
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn set(places: &SecretPlaces, name: &str, value: &str) -> bool {
    let mut change = SecretStore::change(places, None).expect("a store");
    change.set(name, &secret(value), NOW).expect("set")
}

fn get(places: &SecretPlaces, name: &str) -> Result<Option<String>, Failure> {
    let Some(store) = SecretStore::open(places, None)? else {
        return Ok(None);
    };
    Ok(store.get(name)?.map(|secret| secret.expose().to_owned()))
}

#[test]
fn what_is_set_is_found_again_and_stands_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = places(folder.path());
    assert!(
        SecretStore::open(&places, None)
            .expect("no store is none")
            .is_none()
    );
    assert!(!set(&places, "k3", "first"));
    assert!(set(&places, "k3", CANARY), "it takes the place of the first");
    assert!(!set(&places, "huke.key", "other"));
    assert_eq!(get(&places, "k3").expect("opens").as_deref(), Some(CANARY));
    assert_eq!(get(&places, "none").expect("opens"), None);
    let store = SecretStore::open(&places, None).expect("opens").expect("there");
    let names: Vec<String> = store.list().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["huke.key", "k3"]);
    assert!(!format!("{store:?}").contains("canary"));
    for name in ["secrets.json", "secret.key"] {
        let path = folder.path().join("own").join(name);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(connector::Redactor::new([CANARY]).redact(&text), text, "{name}");
        #[cfg(unix)]
        {
            let rights = std::fs::metadata(&path).expect("a file").permissions();
            assert_eq!(
                std::os::unix::fs::PermissionsExt::mode(&rights) & 0o777,
                0o600,
                "{name}"
            );
        }
    }
    // The same value twice is two ciphertexts.
    set(&places, "k4", CANARY);
    let text = std::fs::read_to_string(folder.path().join("own/secrets.json")).expect("a file");
    let document: Value = serde_json::from_str(&text).expect("our own");
    assert_ne!(
        document["secrets"]["k3"]["value"],
        document["secrets"]["k4"]["value"]
    );
    assert_ne!(
        document["secrets"]["k3"]["nonce"],
        document["secrets"]["k4"]["nonce"]
    );
    let mut change = SecretStore::change(&places, None).expect("a store");
    assert!(change.remove("k3").expect("removed"));
    assert!(!change.remove("k3").expect("gone"));
    drop(change);
    assert_eq!(get(&places, "k3").expect("opens"), None);
}

#[test]
fn every_changed_byte_of_an_entry_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = places(folder.path());
    set(&places, "k3", "value");
    set(&places, "k4", "value");
    let path = folder.path().join("own/secrets.json");
    let text = std::fs::read_to_string(&path).expect("a file");
    let whole: Value = serde_json::from_str(&text).expect("our own");
    let check = |changed: Value, code: &str| {
        std::fs::write(&path, changed.to_string()).expect("our own folder");
        let failure = get(&places, "k3").expect_err("it must not open");
        assert_eq!(failure.code(), code, "{changed}");
    };
    let sealed = STANDARD.decode(whole["secrets"]["k3"]["value"].as_str().expect("text"));
    let sealed = sealed.expect("base64");
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        let mut changed = whole.clone();
        changed["secrets"]["k3"]["value"] = STANDARD.encode(&bytes).into();
        check(changed, "E7021");
    }
    let mut moved = whole.clone();
    moved["secrets"]["k3"] = whole["secrets"]["k4"].clone();
    check(moved, "E7021");
    for (member, value) in [
        ("set_ms", Value::from(NOW + 1)),
        ("nonce", Value::from(STANDARD.encode([0; NONCE]))),
        ("nonce", Value::from("short")),
        ("value", Value::from("")),
    ] {
        let mut changed = whole.clone();
        changed["secrets"]["k3"][member] = value;
        check(changed, "E7021");
    }
    let mut other = whole.clone();
    other["format"] = "engine.secrets/2".into();
    check(other, "E7021");
    std::fs::write(&path, &text[..text.len() / 2]).expect("our own folder");
    assert_eq!(get(&places, "k3").expect_err("half a file").code(), "E7021");
}

#[test]
fn a_key_that_is_wrong_missing_open_or_none_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut places = places(folder.path());
    set(&places, "k3", "value");
    let key_file = folder.path().join("own/secret.key");
    let key = std::fs::read_to_string(&key_file).expect("a key");
    let code = |places: &SecretPlaces| get(places, "k3").expect_err("no key").code();
    places.key = Some(secret(&STANDARD.encode([7; LENGTH])));
    assert_eq!(code(&places), "E7020");
    places.key = Some(secret("no key at all"));
    assert_eq!(code(&places), "E7024");
    places.key = Some(secret(&key));
    assert_eq!(
        get(&places, "k3").expect("the right one").as_deref(),
        Some("value")
    );
    places.key = None;
    std::fs::write(&key_file, "no key").expect("our own folder");
    assert_eq!(code(&places), "E7024");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(mode)).expect("ours");
            assert_eq!(code(&places), "E7023", "{mode:o}");
        }
    }
    std::fs::remove_file(&key_file).expect("ours");
    assert_eq!(code(&places), "E7022");
    // A new key must not lock out what is there.
    assert_eq!(
        SecretStore::change(&places, None)
            .map(drop)
            .expect_err("no key")
            .code(),
        "E7022"
    );
    places.key_file = Some(folder.path().join("own"));
    assert_eq!(code(&places), "E7025");
}

#[test]
fn a_rotation_that_is_broken_off_anywhere_leaves_a_store_that_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = places(folder.path());
    set(&places, "k3", CANARY);
    let file = |name: &str| folder.path().join("own").join(name);
    let (old_store, old_key) = (
        std::fs::read(file("secrets.json")),
        std::fs::read(file("secret.key")),
    );
    let (old_store, old_key) = (old_store.expect("a store"), old_key.expect("a key"));
    let mut change = SecretStore::change(&places, None).expect("a store");
    assert_eq!(change.rotate(None).expect("rotated"), file("secret.key"));
    drop(change);
    let (new_store, new_key) = (
        std::fs::read(file("secrets.json")),
        std::fs::read(file("secret.key")),
    );
    let (new_store, new_key) = (new_store.expect("a store"), new_key.expect("a key"));
    assert!(old_key != new_key && old_store != new_store && !file("secret.key.new").exists());
    let private = |name: &str, bytes: &[u8]| put_private(&file(name), bytes).expect("our own folder");
    let (none, half) = (Vec::new(), new_key[..new_key.len() / 2].to_vec());
    for (store, key, next) in [
        (&old_store, &old_key, None),
        // By a version that wrote the key in place.
        (&old_store, &old_key, Some(&none)),
        (&old_store, &old_key, Some(&half)),
        (&old_store, &old_key, Some(&new_key)),
        (&new_store, &old_key, Some(&new_key)),
        (&new_store, &half, Some(&new_key)),
        (&new_store, &new_key, None),
        (&new_store, &new_key, Some(&half)),
    ] {
        let put = || {
            private("secrets.json", store);
            private("secret.key", key);
            match next {
                Some(next) => private("secret.key.new", next),
                None => drop(std::fs::remove_file(file("secret.key.new"))),
            }
        };
        let opens = || assert_eq!(get(&places, "k3").expect("opens").as_deref(), Some(CANARY));
        put();
        opens();
        // A further one that ends before the store is written, and one more after it.
        for _ in 0..2 {
            let change = SecretStore::change(&places, None).expect("a store");
            opens();
            let at = &change.store().at;
            at.new_key(&file("secret.key"), true).expect("a key");
            opens();
        }
        // One that cannot write its key.
        put();
        let mut change = SecretStore::change(&places, None).expect("a store");
        std::fs::create_dir(file("secret.key.new")).expect("a folder in its way");
        change.rotate(None).expect_err("no place for the key");
        opens();
        drop(change);
        std::fs::remove_dir(file("secret.key.new")).expect("ours");
        // And one that gets through.
        put();
        let mut change = SecretStore::change(&places, None).expect("a store");
        change.rotate(None).expect("rotated");
        drop(change);
        opens();
        assert!(!file("secret.key.new").exists());
        let left = std::fs::read_dir(folder.path().join("own")).expect("ours");
        assert_eq!(left.count(), 3, "the store, its key and its lock");
    }
}

#[test]
fn keys_are_written_whole_and_never_over_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/secret.key");
    let key = Key::random().expect("random");
    key.write_new(&path).expect("written");
    assert_eq!(Key::read(&path).expect("read"), Some(key.clone()));
    let other = Key::random().expect("random");
    other.write_new(&path).expect_err("one is there");
    assert_eq!(Key::read(&path).expect("read"), Some(key));
    let files = std::fs::read_dir(folder.path().join("deep")).expect("ours");
    assert_eq!(files.count(), 1, "nothing is left of the one that was refused");
}

#[test]
fn a_key_from_the_environment_is_rotated_into_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut places = places(folder.path());
    places.key = Some(secret(&"ab".repeat(LENGTH)));
    set(&places, "k3", CANARY);
    assert!(!folder.path().join("own/secret.key").exists());
    let mut change = SecretStore::change(&places, None).expect("a store");
    assert_eq!(change.rotate(None).expect_err("where to?").exit_code(), 2);
    let target = folder.path().join("next.key");
    change.rotate(Some(&target)).expect("rotated");
    drop(change);
    assert_eq!(get(&places, "k3").expect_err("the old key").code(), "E7020");
    places.key = Some(secret(&std::fs::read_to_string(&target).expect("a key")));
    assert_eq!(get(&places, "k3").expect("opens").as_deref(), Some(CANARY));
}

#[test]
fn names_and_values_have_bounds() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut change = SecretStore::change(&places(folder.path()), None).expect("a store");
    let long = "x".repeat(NAME_MAX + 1);
    for name in ["", "a b", "密钥", "a/b", &long] {
        let error = change.set(name, &secret(CANARY), NOW).expect_err(name);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for value in ["", &"x".repeat(VALUE_MAX + 1)] {
        assert_eq!(
            change
                .set("k3", &secret(value), NOW)
                .expect_err("bound")
                .exit_code(),
            2
        );
    }
    change
        .set("k3", &secret(&"x".repeat(VALUE_MAX)), NOW)
        .expect("as long as may be");
}

#[test]
fn the_environment_comes_first_and_problems_are_kept() {
    struct One;
    impl Secrets for One {
        fn get(&self, kind: SecretKind, name: &str) -> Option<String> {
            (kind == SecretKind::Secret && name == "both").then(|| "environment".to_owned())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let places = places(folder.path());
    set(&places, "both", "store");
    set(&places, "only", "store");
    let stored = StoredSecrets::new(Box::new(One), &places, None);
    assert_eq!(
        stored.get(SecretKind::Secret, "both").as_deref(),
        Some("environment")
    );
    assert_eq!(stored.get(SecretKind::Secret, "only").as_deref(), Some("store"));
    assert_eq!(stored.get(SecretKind::Env, "only"), None);
    assert_eq!(stored.get(SecretKind::Secret, "none"), None);
    assert!(stored.problem().is_none());
    std::fs::remove_file(folder.path().join("own/secret.key")).expect("ours");
    let stored = StoredSecrets::new(Box::new(One), &places, None);
    assert_eq!(
        stored.get(SecretKind::Secret, "both").as_deref(),
        Some("environment")
    );
    assert!(stored.problem().is_none(), "nobody asked the store");
    assert_eq!(stored.get(SecretKind::Secret, "only"), None);
    assert_eq!(stored.problem().map(|failure| failure.code()), Some("E7022"));
}
