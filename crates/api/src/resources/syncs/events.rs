//! The progress of a sync as server-sent events.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{CACHE_CONTROL, HeaderName},
    web::{Bytes, Data},
};
use app::App;
use domain::{ids::SyncId, sync::SyncRun};
use futures::{Stream, stream};
use tokio::time::Instant;

use super::views::SyncView;
use crate::{
    extract::{Authenticated, Id, NoQuery},
    middleware::authentication::authenticate,
    problem::Problem,
    service::Shared,
};

/// Between two looks at the sync.
const PAUSE: Duration = Duration::from_millis(500);
/// Silence after which a comment tells proxies and clients that the connection lives; also how long the caller's session
/// is taken for granted.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Tells nginx not to keep events back.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Watch a sync.
///
/// Server-sent events: `progress` with the sync whenever anything of it changes, and `finished` with the sync when it
/// has ended, which ends the stream. A comment comes every 15 seconds. The stream also ends with the session or its access token, and
/// when the server stops; connect again to go on.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "watchSync",
    params(("id" = uuid::Uuid, Path, description = "Id of the sync")),
    responses((status = 200, description = "Events; the data of each is a `Sync`", body = String, content_type = "text/event-stream", example = "event: progress\ndata: {\"id\":\"0199c0de-0000-7000-8000-000000000020\",\"state\":\"running\"}\n\n")),
)]
#[get("/syncs/{id}/events")]
pub(super) async fn watch(
    app: Data<App>,
    shared: Data<Shared>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<SyncId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sync = app.syncs().get(&caller, id.0).await?;
    let watcher = Watcher {
        app,
        shared,
        caller,
        id: id.0,
        request,
        told: None,
        told_at: Instant::now(),
        known_at: Instant::now(),
        ended: false,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((UNBUFFERED, "no"))
        .streaming(watcher.events(sync)))
}

/// A client that watches.
struct Watcher {
    app: Data<App>,
    shared: Data<Shared>,
    caller: Authenticated,
    id: SyncId,
    /// Carries the access token, which is looked at again from time to time.
    request: HttpRequest,
    /// The sync as the client knows it.
    told: Option<SyncRun>,
    told_at: Instant,
    /// When the caller's session was last looked at.
    known_at: Instant,
    ended: bool,
}

impl Watcher {
    /// Begins with the sync as it is.
    fn events(mut self, sync: SyncRun) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let first = self.tell(sync);
        stream::unfold((self, first), async |(mut watcher, ready)| {
            let event = match ready {
                Some(event) => event,
                None => watcher.next().await?,
            };
            Some((Ok(event), (watcher, None)))
        })
    }

    /// Waits for the next event; none at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.ended {
            tokio::time::sleep(PAUSE).await;
            if self.shared.health.is_draining() {
                return None;
            }
            let silent = self.told_at.elapsed() >= HEARTBEAT;
            if self.known_at.elapsed() >= HEARTBEAT {
                self.caller = authenticate(&self.app, &self.request).await.ok()?;
                self.known_at = Instant::now();
            }
            // Gone, or not to be read now: the client connects again and is told why.
            let sync = self.app.syncs().get(&self.caller, self.id).await.ok()?;
            if let Some(event) = self.tell(sync) {
                return Some(event);
            }
            if silent {
                self.told_at = Instant::now();
                return Some(Bytes::from_static(b": still there\n\n"));
            }
        }
        None
    }

    /// The event that tells the client of the sync; none if it knows.
    fn tell(&mut self, sync: SyncRun) -> Option<Bytes> {
        if self.told.as_ref() == Some(&sync) {
            return None;
        }
        self.ended = sync.state.is_final();
        self.told_at = Instant::now();
        self.told = Some(sync.clone());
        let name = if self.ended { "finished" } else { "progress" };
        let data = serde_json::to_string(&SyncView::from(sync)).expect("a sync has only strings and numbers");
        Some(Bytes::from(format!("event: {name}\ndata: {data}\n\n")))
    }
}
