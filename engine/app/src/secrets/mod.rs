//! The secret store: values of `${secret:name}`, encrypted in one file.
//!
//! AES-256-GCM, a random nonce for each value, the name, the time and the key's id as associated data: a value that was
//! moved under another name, or changed by one bit, does not open. The file is replaced as a whole, so that a reader
//! sees the old or the new one, and two writers wait for each other. Environment variables come first; whoever gives
//! secrets through the environment needs no store.
//!
//! It keeps secrets from whoever gets a copy of the file, and of a backup that holds it. It does not keep them from
//! whoever can read the key, nor does it notice that the whole file was put back to an older one.

mod key;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::{Secret, SecretKind, Secrets};
use dsl::Failure;
use dsl::catalogue::auth as words;
use flow::ids::Ms;
use serde_json::{Map, Value, json};

use crate::error::AppError;
use crate::workspace::{Places, find_connections, parent};
use key::{Key, fill, next_to, unreadable};

/// What the file says of itself.
const FORMAT: &str = "engine.secrets/1";
/// Longest name, in characters: as long as a connection's.
pub const NAME_MAX: usize = 64;
/// Longest value, in bytes: a private key with its certificates.
pub const VALUE_MAX: usize = 16 << 10;
/// Most secrets of one store: ten for each of a hundred systems.
const ENTRIES_MAX: usize = 1_000;
/// A full store in base64.
const FILE_MAX: u64 = 32 << 20;
/// Readers do not wait for writers: so often they look whether a key and a store fit each other.
const LOOKS: u32 = 3;
/// Bytes of a nonce.
const NONCE: usize = 12;

/// Where the store and its key are, as far as somebody says so.
#[derive(Debug, Clone, Default)]
pub struct SecretPlaces {
    /// `ENGINE_SECRETS_FILE`; `.engine/secrets.json` beside the connections file when absent.
    pub file: Option<PathBuf>,
    /// `ENGINE_SECRETS_KEY`: the key itself.
    pub key: Option<Secret>,
    /// `--key-file` or `ENGINE_SECRETS_KEY_FILE`; `secret.key` beside the store when absent.
    pub key_file: Option<PathBuf>,
}

/// One secret, as far as it may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// When it was set.
    pub at: Ms,
}

#[derive(Debug, Clone)]
struct Sealed {
    at: Ms,
    nonce: [u8; NONCE],
    sealed: Vec<u8>,
}

/// The places, settled.
#[derive(Debug, Clone)]
struct At {
    file: PathBuf,
    key_file: PathBuf,
    key: Option<Secret>,
}

impl SecretPlaces {
    fn at(&self, connections: Option<&Path>) -> At {
        let file = self.file.clone().unwrap_or_else(|| {
            let base = connections.map_or(Path::new("."), parent);
            base.join(".engine").join("secrets.json")
        });
        let key_file = self
            .key_file
            .clone()
            .unwrap_or_else(|| parent(&file).join("secret.key"));
        At {
            file,
            key_file,
            key: self.key.clone(),
        }
    }
}

impl At {
    /// The key given, and the one a rotation was about to put in its place; each may be unusable by itself.
    fn keys(&self) -> Vec<Result<Key, Failure>> {
        if let Some(text) = &self.key {
            let bad = || Failure::new(&words::SECRETS_KEY_BAD).with("place", "ENGINE_SECRETS_KEY");
            return vec![Key::parse(text.expose()).ok_or_else(bad)];
        }
        let files = [self.key_file.clone(), next_to(&self.key_file)];
        files
            .iter()
            .filter_map(|path| Key::read(path).transpose())
            .collect()
    }

    /// The key of this id. One that cannot be used is told only when none fits: half a file left by a rotation that was
    /// broken off must not lock a store whose own key is whole.
    fn key_of(&self, stored: &str) -> Result<Key, Failure> {
        let keys = self.keys();
        let mut usable = keys.iter().flatten();
        if let Some(key) = usable.clone().find(|key| key.id() == stored) {
            return Ok(key.clone());
        }
        if let Some(failure) = keys.iter().find_map(|key| key.as_ref().err()) {
            return Err(failure.clone());
        }
        Err(match usable.next() {
            Some(given) => Failure::new(&words::SECRETS_KEY_WRONG)
                .with("path", self.file.display())
                .with("stored", stored)
                .with("given", given.id()),
            None => Failure::new(&words::SECRETS_KEY_MISSING)
                .with("path", self.file.display())
                .with("key_file", self.key_file.display()),
        })
    }

    /// Ends a rotation that was broken off: the key that the store is under stands in the key file afterwards, and
    /// nothing beside it. Only for whoever holds the lock.
    fn end_rotation(&self) -> Result<(), Failure> {
        let next = next_to(&self.key_file);
        if self.key.is_some() || !next.exists() {
            return Ok(());
        }
        let stored = read(&self.file)?.map(|(stored, _)| stored);
        let is_in_use = |key: Result<Option<Key>, Failure>| matches!((key, &stored), (Ok(Some(key)), Some(id)) if key.id() == *id);
        let done = if is_in_use(Key::read(&next)) {
            std::fs::rename(&next, &self.key_file)
        } else if is_in_use(Key::read(&self.key_file)) {
            // Written before the store was: nothing opens with it.
            std::fs::remove_file(&next)
        } else {
            // Nothing here opens the store, or there is none: nothing is thrown away.
            return Ok(());
        };
        let done = done.and_then(|()| sync_folder(&next));
        done.map_err(|error| unreadable(&next, &error))
    }

    /// The first step of a rotation: a new key, on the disk; beside its place when it takes that of another.
    fn new_key(&self, target: &Path, in_place: bool) -> Result<(Key, PathBuf), Failure> {
        let staged = if in_place {
            self.end_rotation()?;
            next_to(target)
        } else {
            target.to_owned()
        };
        let key = Key::random()?;
        key.write_new(&staged)?;
        Ok((key, staged))
    }
}

/// An opened store.
#[derive(Debug)]
pub struct SecretStore {
    at: At,
    key: Key,
    entries: BTreeMap<String, Sealed>,
}

/// What a store says without its key.
#[derive(Debug)]
pub struct Overview {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Its secrets by name.
    pub secrets: Vec<Listed>,
    /// Why it does not open; `None` = it does, or there is none.
    pub problem: Option<Failure>,
}

/// What the store of these places holds; the key is only tried.
pub fn overview(places: &Places) -> Result<Overview, AppError> {
    let connections = connections_file(places)?;
    let at = places.secrets.at(connections.as_deref());
    let secrets = match read(&at.file)? {
        Some((_, entries)) => listed(&entries),
        None => Vec::new(),
    };
    let path = at.file.clone();
    let opened = SecretStore::open_at(at);
    let opened = opened.and_then(|store| match store {
        Some(store) => store
            .list()
            .iter()
            .try_for_each(|one| store.get(&one.name).map(drop)),
        None => Ok(()),
    });
    Ok(Overview {
        path,
        secrets,
        problem: opened.err(),
    })
}

/// The store of these places, for a change.
pub fn change(places: &Places) -> Result<Change, AppError> {
    let connections = connections_file(places)?;
    Ok(SecretStore::change(&places.secrets, connections.as_deref())?)
}

/// The connections file of a command that has no scheme.
fn connections_file(places: &Places) -> Result<Option<PathBuf>, AppError> {
    find_connections(Path::new("."), places.connections.as_deref())
}

fn listed(entries: &BTreeMap<String, Sealed>) -> Vec<Listed> {
    let one = |(name, one): (&String, &Sealed)| Listed {
        name: name.clone(),
        at: one.at,
    };
    entries.iter().map(one).collect()
}

/// The store that belongs to a connections file, held against other writers while it is changed.
pub struct Change {
    store: SecretStore,
    // Unlocked when it is closed.
    _lock: File,
}

impl SecretStore {
    /// Opens the store that belongs to a connections file; `None` when there is none.
    pub fn open(places: &SecretPlaces, connections: Option<&Path>) -> Result<Option<Self>, Failure> {
        Self::open_at(places.at(connections))
    }

    fn open_at(at: At) -> Result<Option<Self>, Failure> {
        let mut looks = 1;
        loop {
            let Some((stored, entries)) = read(&at.file)? else {
                return Ok(None);
            };
            match at.key_of(&stored) {
                Ok(key) => return Ok(Some(SecretStore { at, key, entries })),
                // A rotation may have come between the two files; another one would have to come right behind it.
                Err(_) if looks < LOOKS => looks += 1,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Opens it for a change, and makes it, with a key file, when it is not there.
    pub fn change(places: &SecretPlaces, connections: Option<&Path>) -> Result<Change, Failure> {
        let at = places.at(connections);
        let lock = lock(&at.file)?;
        at.end_rotation()?;
        let store = match Self::open_at(at.clone())? {
            Some(store) => store,
            None => {
                let key = match at.keys().into_iter().next() {
                    Some(key) => key?,
                    None => {
                        let key = Key::random()?;
                        key.write_new(&at.key_file)?;
                        key
                    }
                };
                SecretStore {
                    at,
                    key,
                    entries: BTreeMap::new(),
                }
            }
        };
        Ok(Change { store, _lock: lock })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.at.file
    }

    /// Where the key is, when it is in a file.
    pub fn key_path(&self) -> Option<&Path> {
        self.at.key.is_none().then_some(self.at.key_file.as_path())
    }

    /// The names, sorted.
    pub fn list(&self) -> Vec<Listed> {
        listed(&self.entries)
    }

    /// One value; `None` when there is none of this name.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, Failure> {
        let Some(one) = self.entries.get(name) else {
            return Ok(None);
        };
        let associated = associated(&self.key, name, one.at);
        let payload = Payload {
            msg: &one.sealed,
            aad: &associated,
        };
        let opened = cipher(&self.key).decrypt(&Nonce::from(one.nonce), payload);
        let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match text {
            Some(text) => Ok(Some(Secret::new(text))),
            None => Err(Failure::new(&words::SECRETS_DAMAGED)
                .with("path", self.at.file.display())
                .with("name", name)),
        }
    }

    fn put(&mut self, name: &str, value: &Secret, at: Ms) -> Result<(), Failure> {
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        let associated = associated(&self.key, name, at);
        let payload = Payload {
            msg: value.expose().as_bytes(),
            aad: &associated,
        };
        let damaged = |_| {
            Failure::new(&words::SECRETS_DAMAGED)
                .with("path", self.at.file.display())
                .with("name", name)
        };
        let sealed = cipher(&self.key)
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(damaged)?;
        self.entries.insert(name.to_owned(), Sealed { at, nonce, sealed });
        Ok(())
    }

    /// Replaces the file by what is held here.
    fn save(&self) -> Result<(), Failure> {
        let entries: Map<String, Value> = self
            .entries
            .iter()
            .map(|(name, one)| {
                let entry = json!({
                    "set_ms": one.at,
                    "nonce": STANDARD.encode(one.nonce),
                    "value": STANDARD.encode(&one.sealed),
                });
                (name.clone(), entry)
            })
            .collect();
        let document = json!({"format": FORMAT, "key": self.key.id(), "secrets": entries});
        let text = format!("{document:#}\n");
        put_private(&self.at.file, text.as_bytes()).map_err(|error| unreadable(&self.at.file, &error))
    }
}

impl Change {
    /// The store as it is.
    pub fn store(&self) -> &SecretStore {
        &self.store
    }

    /// Sets a secret; it is on the disk when this returns. Gives whether it took the place of one.
    pub fn set(&mut self, name: &str, value: &Secret, now: Ms) -> Result<bool, AppError> {
        may_be_named(name)?;
        may_be_kept(value)?;
        let replaced = self.store.entries.contains_key(name);
        if !replaced && self.store.entries.len() >= ENTRIES_MAX {
            return Err(AppError::wrong_use(
                format!("密钥存储最多保存 {ENTRIES_MAX} 个密钥"),
                format!("a secret store keeps at most {ENTRIES_MAX} secrets"),
            ));
        }
        self.store.put(name, value, now)?;
        self.store.save()?;
        Ok(replaced)
    }

    /// Forgets a secret; gives whether there was one.
    pub fn remove(&mut self, name: &str) -> Result<bool, AppError> {
        let there = self.store.entries.remove(name).is_some();
        if there {
            self.store.save()?;
        }
        Ok(there)
    }

    /// Encrypts everything anew under a new key. A key from a file is replaced in place; one that came from the
    /// environment is written to `new_key_file`, from where whoever set the variable takes it over.
    ///
    /// The new key is on the disk before the store is, and the store before the old key is gone: whenever the process
    /// ends, the store opens with the key file or with the one beside it. The next change puts that one in its place
    /// before anything else.
    pub fn rotate(&mut self, new_key_file: Option<&Path>) -> Result<PathBuf, AppError> {
        let target = match (new_key_file, self.store.key_path()) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => path.to_owned(),
            (None, None) => {
                return Err(AppError::wrong_use(
                    "密钥来自环境变量 ENGINE_SECRETS_KEY;用 --new-key-file 指定新密钥写到哪个文件",
                    "the key comes from ENGINE_SECRETS_KEY; name the file that the new one is written to with --new-key-file",
                ));
            }
        };
        let in_place = self.store.key_path() == Some(target.as_path());
        let values: Vec<(String, Ms, Secret)> = self
            .store
            .list()
            .into_iter()
            .map(|one| {
                let value = self.store.get(&one.name)?;
                Ok((one.name, one.at, value.unwrap_or_default()))
            })
            .collect::<Result<_, Failure>>()?;
        let (key, staged) = self.store.at.new_key(&target, in_place)?;
        self.store.key = key;
        for (name, at, value) in &values {
            self.store.put(name, value, *at)?;
        }
        self.store.save()?;
        if in_place {
            let renamed = std::fs::rename(&staged, &target).and_then(|()| sync_folder(&target));
            renamed.map_err(|error| unreadable(&target, &error))?;
        }
        Ok(target)
    }
}

/// A name that a reference can name.
fn may_be_named(name: &str) -> Result<(), AppError> {
    let good = !name.is_empty()
        && name.len() <= NAME_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if good {
        return Ok(());
    }
    // A name may be a value that was put in its place by mistake: it is not repeated.
    Err(AppError::wrong_use(
        format!("密钥的名称只能用字母、数字和 _ - .,最长 {NAME_MAX} 个字符;值从标准输入读取"),
        format!(
            "the name of a secret is letters, digits and _ - ., at most {NAME_MAX} characters; its value is read from stdin"
        ),
    ))
}

fn may_be_kept(value: &Secret) -> Result<(), AppError> {
    match value.expose().len() {
        0 => Err(AppError::wrong_use(
            "没有给出密钥的值;从标准输入给出,例如 engine secret set k3 < 文件",
            "no value was given; it is read from stdin, as in engine secret set k3 < file",
        )),
        length if length > VALUE_MAX => Err(AppError::wrong_use(
            format!("密钥的值最长 {VALUE_MAX} 字节"),
            format!("the value of a secret is at most {VALUE_MAX} bytes"),
        )),
        _ => Ok(()),
    }
}

/// What is bound to a value without being secret.
fn associated(key: &Key, name: &str, at: Ms) -> Vec<u8> {
    format!("{FORMAT}\0{}\0{name}\0{at}", key.id()).into_bytes()
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.bytes()).into())
}

/// Sealed values by name.
type Entries = BTreeMap<String, Sealed>;

/// The key's id and the entries; `None` when there is no file.
fn read(path: &Path) -> Result<Option<(String, Entries)>, Failure> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(FILE_MAX).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
    }
    let damaged = |name: &str| {
        Failure::new(&words::SECRETS_DAMAGED)
            .with("path", path.display())
            .with("name", name)
    };
    let document: Value = serde_json::from_str(&text).map_err(|_| damaged("-"))?;
    if document["format"] != FORMAT {
        return Err(damaged("format"));
    }
    let key = document["key"].as_str().ok_or_else(|| damaged("key"))?.to_owned();
    let listed = document["secrets"]
        .as_object()
        .ok_or_else(|| damaged("secrets"))?;
    let mut entries = BTreeMap::new();
    for (name, entry) in listed {
        let bytes = |member: &str| entry[member].as_str().and_then(|text| STANDARD.decode(text).ok());
        let sealed = (|| {
            Some(Sealed {
                at: entry["set_ms"].as_i64()?,
                nonce: bytes("nonce")?.try_into().ok()?,
                sealed: bytes("value")?,
            })
        })();
        entries.insert(name.clone(), sealed.ok_or_else(|| damaged(name))?);
    }
    Ok(Some((key, entries)))
}

/// Waits until nobody else changes the store.
fn lock(path: &Path) -> Result<File, Failure> {
    let lock = path.with_extension("lock");
    let held = || {
        folder_of(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&lock)?;
        // A change takes milliseconds, and the lock ends with its holder.
        file.lock()?;
        Ok(file)
    };
    held().map_err(|error: std::io::Error| unreadable(&lock, &error))
}

/// Makes the folder of a file, for its owner alone, when it is not there.
fn folder_of(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(parent(path))
}

/// Puts a whole file, readable by its owner alone, in place of one that is there.
fn put_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    part(path, bytes)?.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Makes a new whole file, readable by its owner alone; there is none or all of it. One that is there is an error.
fn put_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = part(path, bytes)?;
    part.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// The bytes on the disk under another name in the same folder. A temporary file is its owner's alone from the start.
fn part(path: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let mut part = tempfile::Builder::new()
        .prefix(".secrets-")
        .tempfile_in(parent(path))?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    Ok(part)
}

/// Makes the names in a file's folder last.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match cfg!(unix) {
        true => File::open(parent(path))?.sync_all(),
        false => Ok(()),
    }
}

/// Secrets of the process first, then those of the store, which is opened when it is first needed.
pub struct StoredSecrets {
    first: Box<dyn Secrets>,
    at: At,
    store: OnceLock<Result<Option<SecretStore>, Failure>>,
    told: Mutex<Option<Failure>>,
}

impl StoredSecrets {
    /// The store that belongs to a connections file behind other secrets.
    pub fn new(first: Box<dyn Secrets>, places: &SecretPlaces, connections: Option<&Path>) -> Self {
        StoredSecrets {
            first,
            at: places.at(connections),
            store: OnceLock::new(),
            told: Mutex::new(None),
        }
    }

    fn stored(&self, name: &str) -> Option<String> {
        let store = self.store.get_or_init(|| SecretStore::open_at(self.at.clone()));
        let got = match store {
            Ok(Some(store)) => store.get(name),
            Ok(None) => Ok(None),
            Err(failure) => Err(failure.clone()),
        };
        match got {
            Ok(found) => found.map(|secret| secret.expose().to_owned()),
            Err(failure) => {
                *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                None
            }
        }
    }
}

impl Secrets for StoredSecrets {
    fn get(&self, kind: SecretKind, name: &str) -> Option<String> {
        self.first.get(kind, name).or_else(|| match kind {
            SecretKind::Secret => self.stored(name),
            SecretKind::Env => None,
        })
    }

    fn problem(&self) -> Option<Failure> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
