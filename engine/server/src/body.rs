//! Reading a body within bounds of size and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use bytes::{Bytes, BytesMut};
use dsl::catalogue::server;
use http_body_util::BodyExt;

use crate::problem::Problem;

/// Bodies of the API: a scheme has at most 1 MiB, and JSON needs room around it.
pub(crate) const MOST_BYTES: usize = 3 * 1024 * 1024 / 2;
/// How long a body may take to arrive.
pub(crate) const MOST_TIME: Duration = Duration::from_secs(30);

/// Told of what is held of a body, as it grows.
pub(crate) trait Held: Send {
    /// So many bytes are held from now on, if there is room for them.
    fn hold(&mut self, bytes: usize) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// Room for whatever comes.
impl Held for () {
    async fn hold(&mut self, _: usize) -> Result<(), Problem> {
        Ok(())
    }
}

/// The whole body, or why not: what is too large is not read to its end.
pub(crate) async fn read(body: Body, most: usize, time: Duration) -> Result<Bytes, Problem> {
    read_held(body, most, time, &mut ()).await
}

/// The whole body, or why not; what has come of it, and not what was promised, takes room.
pub(crate) async fn read_held(
    body: Body,
    most: usize,
    time: Duration,
    held: &mut impl Held,
) -> Result<Bytes, Problem> {
    let hint = axum::body::HttpBody::size_hint(&body).lower();
    if usize::try_from(hint).map_or(true, |hint| hint > most) {
        return Err(too_large(most));
    }
    match tokio::time::timeout(time, collect(body, most, held)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, &server::TOO_SLOW)
            .with("seconds", time.as_secs())
            .header(CONNECTION, "close")),
    }
}

async fn collect(mut body: Body, most: usize, held: &mut impl Held) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::malformed("body"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(too_large(most));
        }
        held.hold(bytes.len() + data.len()).await?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

fn too_large(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, &server::TOO_LARGE)
        .with("most", most)
        .header(CONNECTION, "close")
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn bounds() {
        let good = read(Body::from("12345"), 5, MOST_TIME).await.unwrap();
        assert_eq!(&good[..], b"12345");
        let large = read(Body::from("123456"), 5, MOST_TIME).await.unwrap_err();
        assert_eq!(large.code(), "E6006");
        let pieces = stream::iter(["123", "456"].map(Ok::<_, std::io::Error>));
        let large = read(Body::from_stream(pieces), 5, MOST_TIME).await.unwrap_err();
        assert_eq!(large.code(), "E6006");
        let endless = stream::pending::<Result<Bytes, std::io::Error>>();
        let slow = read(Body::from_stream(endless), 5, Duration::from_millis(1)).await;
        assert_eq!(slow.unwrap_err().code(), "E6007");
    }
}
