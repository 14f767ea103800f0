//! The running sandbox: a server on the loopback address and a handle to the world behind it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, JsonConfig, PayloadConfig};
use actix_web::{App, HttpServer, web};
use chrono::{DateTime, Utc};
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use crate::edge::guard;
use crate::faults::Fault;
use crate::options::Options;
use crate::state::{LoggedRequest, SellerAccess, Shared};
use crate::truth::{self, Truth};
use crate::wildberries::auth::TokenSpec;
use crate::wildberries::reports::{Report, ReportEnd};
use crate::world::changes::{ChangeError, NewCard};
use crate::{control, wildberries};

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A marketplace of one's own. Dropping the handle leaves the server running until its runtime ends; see
/// [`Sandbox::stop`].
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shared: Data<Shared>,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Makes the world and serves it on 127.0.0.1, on the current tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let shared = spawn_blocking(move || Shared::new(&options)).await.map_err(io::Error::other)?;
        let shared = Data::new(shared);
        let data = shared.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(MAX_BODY_BYTES))
                .app_data(JsonConfig::default().content_type_required(false))
                .service(web::scope("/sandbox/v1").configure(control::configure))
                .service(web::scope("").wrap(from_fn(guard)).configure(wildberries::configure))
        })
        .workers(2)
        .shutdown_timeout(2)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tracing::info!(%address, "the sandbox marketplace listens");
        Ok(Self { address, shared, handle, server: tokio::spawn(server) })
    }

    /// The origin of all hosts of the marketplace, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The sellers, each with a token that works until it is revoked.
    pub fn sellers(&self) -> Vec<SellerAccess> {
        self.shared.present().sellers.clone()
    }

    /// What the figures of a seller are; windows are counted back from `at`.
    pub fn truth(&self, seller: usize, at: DateTime<Utc>) -> Result<Truth, ChangeError> {
        truth::of(&self.shared.present().world, seller, at)
    }

    /// Puts `amount` units of a size into a warehouse of the seller or the marketplace. No supply refills it
    /// afterwards.
    pub fn set_stock(
        &self,
        seller: usize,
        chrt_id: i64,
        warehouse_id: i64,
        amount: u32,
    ) -> Result<(), ChangeError> {
        self.shared.present().world.set_stock(seller, chrt_id, warehouse_id, amount)
    }

    /// Adds a card with sizes and stock.
    pub fn add_card(&self, seller: usize) -> Result<NewCard, ChangeError> {
        self.shared.present().world.add_card(seller)
    }

    /// Gives a card another title, which moves its time of change.
    pub fn rename_card(
        &self,
        seller: usize,
        nm_id: i64,
        title: impl Into<String>,
    ) -> Result<(), ChangeError> {
        self.shared.present().world.rename_card(seller, nm_id, title.into())
    }

    /// Moves a card to the trash: it leaves the list, its shelves are empty, its orders stay.
    pub fn trash_card(&self, seller: usize, nm_id: i64) -> Result<(), ChangeError> {
        self.shared.present().world.trash_card(seller, nm_id)
    }

    /// Orders units of a size from one warehouse as one basket; returns an `srid` for each.
    pub fn place_order(
        &self,
        seller: usize,
        chrt_id: i64,
        warehouse_id: i64,
        units: u32,
    ) -> Result<Vec<String>, ChangeError> {
        self.shared.present().world.place_order(seller, chrt_id, warehouse_id, units)
    }

    /// Cancels an order that is on the way; its unit returns to the shelf.
    pub fn cancel_order(&self, seller: usize, srid: &str) -> Result<(), ChangeError> {
        self.shared.present().world.cancel_order(seller, srid)
    }

    /// Shows the marketplace's own warehouses as one masked place, or by name.
    pub fn set_masked(&self, masked: bool) {
        self.shared.present().world.masked = masked;
    }

    /// Gives out a further token.
    pub fn issue_token(&self, seller: usize, spec: TokenSpec) -> Result<String, ChangeError> {
        self.shared.present().issue_token(seller, spec)
    }

    /// Withdraws a token; whether there was such a token.
    pub fn revoke_token(&self, token: &str) -> bool {
        self.shared.present().tokens.revoke(token)
    }

    /// The asynchronous reports that a seller asked for so far, oldest first.
    pub fn reports(&self, seller: usize) -> Result<Vec<Report>, ChangeError> {
        self.shared.present().reports_of(seller)
    }

    /// Ends a report before its time; whether the seller asked for it.
    pub fn end_report(&self, seller: usize, task_id: Uuid, end: ReportEnd) -> bool {
        self.shared.present().reports.end(seller, task_id, end)
    }

    /// How long the asynchronous reports take that are asked for from now on.
    pub fn set_report_time(&self, time: Duration) {
        self.shared.present().reports.set_time(time);
    }

    /// Spoils answers from now on. Of several faults that match, the one asked for first strikes.
    pub fn inject(&self, fault: Fault) {
        self.shared.present().faults.add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.present().faults.clear();
    }

    /// Requests to the marketplace so far, oldest first; the control API is not among them.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.present().requests.iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.present().requests.clear();
    }

    /// Finishes what is being answered and stops listening.
    pub async fn stop(self) -> io::Result<()> {
        self.handle.stop(true).await;
        self.server.await.map_err(io::Error::other)?
    }
}
