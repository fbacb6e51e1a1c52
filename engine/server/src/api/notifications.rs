//! `/notifications`: where people are told, and whether that works.

use std::sync::Arc;

use app::notify;
use axum::http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Scope;
use crate::call::Call;
use crate::document::{ReasonDoc, list};
use crate::operation::{Json, Operation};
use crate::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/notifications/channels",
            "listChannels",
            "Where people are told; never an address or a secret",
            channels,
        ),
        Operation::new(
            Method::POST,
            "/notifications/channels/{channel}/test",
            "testChannel",
            "Sends one message to a channel",
            test,
        )
        .needs(Scope::Operate),
    ]
}

/// A channel of notify.yaml.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelDoc {
    name: String,
    /// `dingtalk`, `wecom`, `feishu`, `mail`, `webhook` ...
    kind: String,
    /// Why it cannot be used: a secret of it is missing.
    trouble: Option<ReasonDoc>,
}

list! {
    /// Channels, in the order of the file.
    ChannelList, ChannelDoc
}

async fn channels(call: Call, (): (), (): ()) -> Result<Json<ChannelList>, Problem> {
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let lang = call.lang;
    let items = call
        .think(move || {
            let channels = notify::channels(&workspace)?.into_iter();
            Ok(channels
                .map(|channel| ChannelDoc {
                    name: channel.name,
                    kind: channel.kind.to_owned(),
                    trouble: channel.trouble.map(|failure| ReasonDoc {
                        code: failure.code().to_owned(),
                        message: failure.message(lang),
                    }),
                })
                .collect())
        })
        .await?;
    Ok(Json(ChannelList::whole(items)))
}

/// What a trial of a channel came to.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelTried {
    channel: String,
    kind: String,
    /// Whether the message was taken.
    taken: bool,
    /// The platform's words.
    answer: String,
}

async fn test(call: Call, (): (), (): ()) -> Result<Json<ChannelTried>, Problem> {
    let name = call.param("channel").to_owned();
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let known = Arc::clone(&workspace);
    let channels = call.think(move || notify::channels(&known)).await?;
    if !channels.iter().any(|channel| channel.name == name) {
        return Err(Problem::not_found(format!("channel {}", name.escape_debug())));
    }
    let tried = notify::test(&workspace, &name, call.now).await?;
    Ok(Json(ChannelTried {
        channel: tried.channel,
        kind: tried.kind.to_owned(),
        taken: tried.taken,
        answer: tried.answer,
    }))
}
