//! Answers whose bytes are not what they should be, as a client sees them.

use std::io::Read as _;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, ask_huke, sandbox};
use crate::fault::{FaultKind, FaultPlan};

async fn answer(plan: FaultPlan) -> (Answer, Answer) {
    let at = sandbox(|c| c.trades = 4).await;
    let ask = async || {
        ask_huke(&at, "trade/searchTrades", r#"{"page":1,"pageSize":2}"#)
            .await
            .unwrap()
    };
    let real = ask().await;
    at.fault(plan).unwrap();
    (real, ask().await)
}

async fn of(kind: FaultKind) -> (Answer, Answer) {
    answer(FaultPlan::every("huke", kind)).await
}

#[tokio::test]
async fn a_gzip_bomb() {
    let (real, bomb) = answer(FaultPlan {
        mib: Some(20),
        ..FaultPlan::every("huke", FaultKind::GzipBomb)
    })
    .await;
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bomb.body.as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    assert_eq!(plain.len(), (20 << 20) + real.body.len());
    assert!(plain.ends_with(&real.body));
    assert!(
        plain.len() / bomb.body.len() > 900,
        "1:{}",
        plain.len() / bomb.body.len()
    );
}

#[tokio::test]
async fn other_encodings() {
    for (kind, content_type) in [
        (FaultKind::GbkBody, "application/json; charset=GBK"),
        (FaultKind::GbkUnmarked, "application/json"),
    ] {
        let (real, got) = of(kind).await;
        assert_eq!(got.header("content-type"), Some(content_type));
        assert!(
            std::str::from_utf8(&got.body).is_err(),
            "Chinese nicks are not UTF-8 now"
        );
        let (text, _, bad) = encoding_rs::GBK.decode(&got.body);
        assert!(!bad);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&text), value(&real.text()));
    }
    let (real, got) = of(FaultKind::Bom).await;
    assert_eq!(got.body, [b"\xef\xbb\xbf", real.body.as_slice()].concat());
    let (_, got) = of(FaultKind::InvalidUtf8).await;
    assert!(std::str::from_utf8(&got.body).is_err());
    let (_, got) = of(FaultKind::NulBytes).await;
    assert!(std::str::from_utf8(&got.body).is_ok() && got.body.contains(&0));
}

#[tokio::test]
async fn deep_json_and_doctype() {
    let (_, got) = answer(FaultPlan {
        depth: Some(5000),
        ..FaultPlan::every("huke", FaultKind::DeepJson)
    })
    .await;
    assert_eq!(got.body.len(), 10_000);
    assert!(got.text().starts_with(&"[".repeat(5000)));
    let (_, got) = of(FaultKind::Doctype).await;
    assert_eq!(got.header("content-type"), Some("application/xml; charset=utf-8"));
    for word in ["<!DOCTYPE", "SYSTEM", "&e8;&e8;", "&file;"] {
        assert!(got.text().contains(word), "{word}: {}", got.text());
    }
}

#[tokio::test]
async fn redirects_and_types() {
    let (_, got) = of(FaultKind::Redirect).await;
    assert_eq!(
        (got.status, got.header("location")),
        (302, Some("http://169.254.169.254/latest/meta-data/"))
    );
    let (_, got) = answer(FaultPlan {
        location: Some("https://elsewhere.invalid/".to_owned()),
        status: Some(307),
        ..FaultPlan::every("huke", FaultKind::Redirect)
    })
    .await;
    assert_eq!(
        (got.status, got.header("location")),
        (307, Some("https://elsewhere.invalid/"))
    );
    let (real, got) = of(FaultKind::WrongType).await;
    assert_eq!(got.body, real.body);
    assert_eq!(got.header("content-type"), Some("text/html; charset=utf-8"));
    let (_, got) = answer(FaultPlan {
        status: Some(504),
        ..FaultPlan::every("huke", FaultKind::Http500Before)
    })
    .await;
    assert_eq!(got.status, 504);
}

#[tokio::test]
async fn a_byte_at_a_time() {
    let at = sandbox(|c| c.trades = 4).await;
    let ask = async || {
        ask_huke(&at, "trade/searchTrades", r#"{"page":9}"#)
            .await
            .unwrap()
    };
    let real = ask().await;
    for kind in [FaultKind::SlowBody, FaultKind::SlowHeaders] {
        at.clear_faults();
        at.fault(FaultPlan {
            delay_ms: Some(1),
            ..FaultPlan::every("huke", kind)
        })
        .unwrap();
        let start = Instant::now();
        let got = ask().await;
        assert_eq!(got.json(), real.json(), "slow, but right: {kind:?}");
        let least = Duration::from_millis(u64::try_from(real.body.len()).unwrap() - 1);
        assert!(start.elapsed() >= least, "{kind:?} took {:?}", start.elapsed());
    }
}
