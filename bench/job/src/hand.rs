//! The job by hand: pages are read by several workers, rows are staged, batches claimed, sent and settled, with one
//! writer that commits at FULL whatever waits for it in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use bench::ceiling::{Ceiling, Trade};

/// Writes that wait at once, at most: one for each worker, and as many again.
const WAITING: usize = 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the writer is asked to make durable.
enum Note {
    /// A page: key, hash and row of each.
    Stage(Vec<(String, i64, String)>),
    /// A batch that is about to be sent: the attempt, keys and documents.
    Claim(u64, Vec<(String, String)>),
    /// A batch that was accepted.
    Settle(u64, Vec<String>),
}

type Ask = (Note, oneshot::Sender<()>);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    total: u64,
    #[serde(borrow)]
    list: Vec<&'a RawValue>,
}

/// Does the job; gives the number of records.
pub fn run(server: &str, database: &std::path::Path, page: u64, workers: u64) -> Result<u64, Failure> {
    let (writer, asked) = sync_channel(WAITING);
    let conn = opened(database)?;
    let writing = std::thread::spawn(move || write(conn, &asked));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let count = runtime.block_on(read(server, page, workers, writer))?;
    writing.join().map_err(|_| "the writer is gone")??;
    Ok(count)
}

fn opened(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE record(key TEXT PRIMARY KEY, hash INTEGER, state INTEGER, row TEXT) WITHOUT ROWID;
         CREATE TABLE attempt(id INTEGER, key TEXT, document TEXT, done INTEGER, PRIMARY KEY(id, key)) WITHOUT ROWID;",
    )?;
    Ok(conn)
}

/// One transaction for everything that waits; each is told when it is durable.
fn write(conn: Connection, asked: &Receiver<Ask>) -> rusqlite::Result<()> {
    while let Ok(first) = asked.recv() {
        let mut told = Vec::new();
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for (note, tell) in std::iter::once(first).chain(asked.try_iter().take(WAITING)) {
            apply(&conn, note)?;
            told.push(tell);
        }
        conn.execute_batch("COMMIT")?;
        for tell in told {
            // A worker that has failed waits no more.
            let _gone = tell.send(()).is_err();
        }
    }
    Ok(())
}

fn apply(conn: &Connection, note: Note) -> rusqlite::Result<()> {
    match note {
        Note::Stage(rows) => {
            let mut put = conn.prepare_cached(
                "INSERT INTO record VALUES(?1, ?2, 0, ?3)
                 ON CONFLICT(key) DO UPDATE SET hash = excluded.hash, row = excluded.row, state = 0
                 WHERE hash <> excluded.hash",
            )?;
            for (key, hash, row) in rows {
                put.execute((key, hash, row))?;
            }
        }
        Note::Claim(attempt, rows) => {
            let mut claim =
                conn.prepare_cached("UPDATE record SET state = 1 WHERE key = ?1 AND state = 0")?;
            let mut put = conn.prepare_cached("INSERT INTO attempt VALUES(?1, ?2, ?3, 0)")?;
            for (key, document) in rows {
                claim.execute([&key])?;
                put.execute((i64::try_from(attempt).unwrap_or(0), key, document))?;
            }
        }
        Note::Settle(attempt, keys) => {
            let mut settle =
                conn.prepare_cached("UPDATE record SET state = 2 WHERE key = ?1 AND state = 1")?;
            for key in keys {
                settle.execute([key])?;
            }
            conn.prepare_cached("UPDATE attempt SET done = 1 WHERE id = ?1")?
                .execute([i64::try_from(attempt).unwrap_or(0)])?;
        }
    }
    Ok(())
}

async fn read(server: &str, page: u64, workers: u64, writer: SyncSender<Ask>) -> Result<u64, Failure> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Web = Client::builder(TokioExecutor::new()).build(connector);
    let first = get(&client, server, 1, 1).await?;
    let total = serde_json::from_slice::<Answer<'_>>(&first)?.data.total;
    let next = Arc::new(AtomicU64::new(1));
    let map = Arc::new(Ceiling::new());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let (client, server, writer) = (client.clone(), server.to_owned(), writer.clone());
        let (next, map) = (Arc::clone(&next), Arc::clone(&map));
        tasks.spawn(async move {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth > total.div_ceil(page) {
                    return Ok::<_, Failure>(());
                }
                one(&client, &server, nth, page, &map, &writer).await?;
            }
        });
    }
    drop(writer);
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(total)
}

async fn one(
    client: &Web,
    server: &str,
    nth: u64,
    page: u64,
    map: &Ceiling,
    writer: &SyncSender<Ask>,
) -> Result<(), Failure> {
    let body = get(client, server, nth, page).await?;
    let (mut staged, mut claimed, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let mut batch = "{\"Model\":[".to_owned();
    for row in serde_json::from_slice::<Answer<'_>>(&body)?.data.list {
        let trade: Trade<'_> = serde_json::from_str(row.get())?;
        let document = map.document(&trade);
        let key = trade.key().to_owned();
        let hash = document.bytes().fold(0_i64, |hash, byte| {
            (hash ^ i64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        if !keys.is_empty() {
            batch.push(',');
        }
        batch.push_str(&document);
        staged.push((key.clone(), hash, row.get().to_owned()));
        claimed.push((key.clone(), document));
        keys.push(key);
    }
    batch.push_str("]}");
    durable(writer, Note::Stage(staged)).await?;
    durable(writer, Note::Claim(nth, claimed)).await?;
    let post = Request::post(format!("{server}batchSave"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(batch)))?;
    let answer = client
        .request(post)
        .await?
        .into_body()
        .collect()
        .await?
        .to_bytes();
    if !answer.starts_with(b"{\"code\":0") {
        return Err("the batch was refused".into());
    }
    durable(writer, Note::Settle(nth, keys)).await
}

async fn durable(writer: &SyncSender<Ask>, note: Note) -> Result<(), Failure> {
    let (tell, told) = oneshot::channel();
    writer.send((note, tell)).map_err(|_| "the writer is gone")?;
    Ok(told.await?)
}

type Web = Client<HttpConnector, Full<Bytes>>;

async fn get(client: &Web, server: &str, page: u64, size: u64) -> Result<Bytes, Failure> {
    let address = format!("{server}trades?page={page}&page_size={size}").parse()?;
    Ok(client.get(address).await?.into_body().collect().await?.to_bytes())
}
