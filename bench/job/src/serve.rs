//! The systems at both ends: `/trades` and `/customers` by the page, `/batchSave`, and `/stats` of what came.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use bench::trade::{customers, trade};

/// Trades that are made beforehand; further ones are the same under other numbers, so that making them takes no part of
/// the time.
const MADE: u64 = 20_000;
/// A batch of a thousand documents has a tenth of it.
const MOST_BYTES: usize = 16 << 20;
/// Rows of a page, at most.
const MOST_ROWS: u64 = 1_000;
/// Where the number of a trade stands in its text, and how long it is.
const NUMBER_AT: usize = "{\"tid\":\"T2026".len();
const NUMBER: usize = 12;

struct Ends {
    records: u64,
    made: Vec<String>,
    customers: Vec<String>,
    /// Documents are taken apart and summed up, which takes time.
    sums: bool,
    took: Mutex<Took>,
}

#[derive(Default)]
struct Took {
    pages: u64,
    batches: u64,
    documents: u64,
    distinct: u64,
    /// A bit for each number.
    seen: Vec<u64>,
    /// Over all documents, in whatever order they came.
    sum: u64,
}

/// Answers for ever, at an address that it prints.
pub async fn serve(records: u64, sums: bool, say: impl Fn(String)) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    say(format!("http://{}/", listener.local_addr()?));
    let mut known: Vec<(u64, String)> = customers()
        .into_iter()
        .map(|(cid, id)| (cid.parse().unwrap_or(0), id))
        .collect();
    known.sort();
    let ends = Arc::new(Ends {
        records,
        made: (0..MADE.min(records)).map(trade).collect(),
        customers: known
            .into_iter()
            .map(|(cid, id)| json!({"cid": cid, "number": id}).to_string())
            .collect(),
        sums,
        took: Mutex::default(),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let ends = Arc::clone(&ends);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let ends = Arc::clone(&ends);
                async move { Ok::<_, Infallible>(ends.answer(request).await) }
            });
            // A client that goes away is none of our business.
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            drop(served.await);
        });
    }
}

impl Ends {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = match path.as_str() {
            "trades" => {
                self.took().pages += 1;
                let write = |number: u64, out: &mut String| self.row(number, out);
                page(&query, self.records, write)
            }
            "customers" => page(&query, self.customers.len() as u64, |number, out| {
                out.push_str(&self.customers[usize::try_from(number).unwrap_or(0)]);
            }),
            "batchSave" => match Limited::new(request.into_body(), MOST_BYTES).collect().await {
                Ok(body) => self.save(&body.to_bytes()),
                Err(why) => json!({"code": 1, "message": why.to_string()}).to_string(),
            },
            "stats" => {
                let took = self.took();
                json!({"pages": took.pages, "batches": took.batches, "documents": took.documents,
                       "distinct": took.distinct, "sum": took.sum})
                .to_string()
            }
            "reset" => {
                *self.took() = Took::default();
                "{}".to_owned()
            }
            _ => json!({"code": 404}).to_string(),
        };
        let mut answer = Response::new(Full::new(Bytes::from(body)));
        let json = hyper::header::HeaderValue::from_static("application/json");
        answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        answer
    }

    fn took(&self) -> std::sync::MutexGuard<'_, Took> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, number: u64, out: &mut String) {
        let made = &self.made[usize::try_from(number % MADE).unwrap_or(0)];
        out.push_str(&made[..NUMBER_AT]);
        write!(out, "{number:0NUMBER$}").expect("a String takes everything");
        out.push_str(&made[NUMBER_AT + NUMBER..]);
    }

    fn save(&self, body: &[u8]) -> String {
        const KEY: &[u8] = b"\"FBillNo\":\"T2026";
        let mut sum = 0_u64;
        if self.sums {
            let body: Value = match serde_json::from_slice(body) {
                Ok(body) => body,
                Err(why) => return json!({"code": 1, "message": why.to_string()}).to_string(),
            };
            let documents = body["Model"].as_array().map_or(&[][..], Vec::as_slice);
            sum = documents
                .iter()
                .fold(0, |sum, document| sum.wrapping_add(hash(&document.to_string())));
        }
        let mut took = self.took();
        took.batches += 1;
        took.sum = took.sum.wrapping_add(sum);
        for at in memchr::memmem::find_iter(body, KEY) {
            let digits = body.get(at + KEY.len()..at + KEY.len() + NUMBER);
            let number = digits
                .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok())
                .filter(|number| (*number as u64) < self.records);
            let Some(number) = number else { continue };
            took.documents += 1;
            let (word, bit) = (number / 64, 1_u64 << (number % 64));
            if took.seen.len() <= word {
                took.seen.resize(word + 1, 0);
            }
            if took.seen[word] & bit == 0 {
                took.seen[word] |= bit;
                took.distinct += 1;
            }
        }
        "{\"code\":0}".to_owned()
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn page(query: &str, total: u64, row: impl Fn(u64, &mut String)) -> String {
    let given = |name: &str, other: u64| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(of, _)| *of == name)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(other)
            .max(1)
    };
    let size = given("page_size", 500).min(MOST_ROWS);
    let from = (given("page", 1) - 1).saturating_mul(size).min(total);
    let to = (from + size).min(total);
    let mut out = String::with_capacity(usize::try_from((to - from) * 1_000).unwrap_or(0) + 100);
    write!(out, "{{\"code\":0,\"data\":{{\"total\":{total},\"list\":[").expect("a String takes everything");
    for number in from..to {
        if number > from {
            out.push(',');
        }
        row(number, &mut out);
    }
    out.push_str("]}}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(records: u64) -> Ends {
        Ends {
            records,
            made: (0..records).map(trade).collect(),
            customers: Vec::new(),
            sums: true,
            took: Mutex::default(),
        }
    }

    #[test]
    fn pages_have_every_row_once() {
        let ends = ends(7);
        let rows = |nth: u64| {
            let text = page(&format!("page={nth}&page_size=3"), 7, |number, out| {
                ends.row(number, out)
            });
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["data"]["total"], 7);
            let rows = value["data"]["list"].as_array().unwrap();
            rows.iter()
                .map(|row| row["tid"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let all: Vec<String> = (1..=4).flat_map(rows).collect();
        let want: Vec<String> = (0..7).map(|number| format!("T2026{number:012}")).collect();
        assert_eq!(all, want);
    }

    #[test]
    fn what_comes_twice_is_distinct_once() {
        let ends = ends(7);
        let body = br#"{"Model":[{"FBillNo":"T2026000000000003"},{"FBillNo":"T2026000000000004"}]}"#;
        assert_eq!(ends.save(body), "{\"code\":0}");
        ends.save(br#"{"Model":[{"FBillNo":"T2026000000000003"}]}"#);
        let took = ends.took();
        assert_eq!((took.documents, took.distinct, took.batches), (3, 2, 2));
    }
}
