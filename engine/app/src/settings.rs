//! From a connection's settings to the transport's.

use std::time::Duration;

use connector::Connection;
use flow::ids::Ms;
use transport::{AllowList, Limiter, Timeouts};

use crate::error::AppError;

/// The time-outs of one call: the transport's defaults, changed by connector and connection.
pub(crate) fn timeouts(connection: &Connection, total_ms: Option<Ms>) -> Timeouts {
    let defaults = Timeouts::default();
    let own = connection.timeouts;
    let pick = |ms: Option<Ms>, default: Duration| {
        ms.and_then(|ms| u64::try_from(ms).ok())
            .map_or(default, Duration::from_millis)
    };
    let total = pick(own.total_ms.or(total_ms), defaults.total);
    Timeouts {
        connect: pick(
            own.connect_ms.or(connection.connector.transport().connect_ms),
            defaults.connect,
        ),
        // A write may take the target minutes before it answers at all.
        first_byte: pick(own.first_byte_ms, total),
        idle: pick(own.idle_ms, defaults.idle),
        total,
    }
}

/// Longest time one call may take: what the quiet period is added to.
pub(crate) fn call_ms(connection: &Connection) -> Ms {
    let total = timeouts(connection, connection.connector.transport().timeout_ms).total;
    Ms::try_from(total.as_millis()).unwrap_or(Ms::MAX)
}

/// Where a connection may go.
pub(crate) fn allow_list(connection: &Connection) -> Result<AllowList, AppError> {
    let allow = AllowList::parse(connection.hosts()).map_err(|bad| {
        AppError::wrong_use(
            format!("地址 `{}` 不可用", bad.entry),
            format!("`{}` is no host", bad.entry),
        )
    })?;
    Ok(allow.plain_http(connection.allow_plain_http))
}

/// The limits of a connection's credential.
pub(crate) fn limiter(connection: &Connection) -> Limiter {
    let rates: Vec<transport::Rate> = connection
        .limits
        .rates
        .iter()
        .filter_map(|rate| transport::Rate::new(usize::try_from(rate.calls).ok()?, rate.per_ms))
        .collect();
    let concurrency = connection
        .limits
        .concurrency
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(1);
    Limiter::new(&rates, concurrency)
}
