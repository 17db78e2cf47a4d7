//! What the switch answers over HTTP: the pages, the API under `/api/v1`, health and metrics.
//!
//! Handlers never block: the database and password hashing run on the blocking pool. Who may do what is decided by the extractors in [`auth`].

pub mod accounts;
pub mod agents;
pub mod auth;
pub mod blocklist;
pub mod codes;
pub mod control;
pub mod dispositions;
pub mod error;
pub mod flows;
pub mod health;
pub mod hello;
pub mod mask;
pub mod mobile;
pub mod openapi;
pub mod origin;
pub mod pages;
pub mod password;
pub mod probe;
pub mod profile;
pub mod recordings;
pub mod records;
pub mod request_log;
pub mod sms_outbox;
pub mod socket;
mod throttle;

pub use error::Refusal;
pub use request_log::request_log;

use crate::config::Config;
use crate::notify::mail::Mailer;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{HttpResponse, web};
use cordboard_core::ids::AgentId;
use cordboard_db::{Db, DbError};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bodies are small forms; a floor is applied through the command line.
const LARGEST_BODY: usize = 64 * 1024;

/// What the API tells the rest of the switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A login took over all earlier ones of this agent: stale epochs are told so and stop (A9).
    LoggedIn { agent: AgentId, epoch: i64 },
    /// The agent's sessions are over, and workstation and state follow: after a call in progress, unless that is to end (A9).
    LoggedOut { agent: AgentId, end_call: bool },
    /// An admin takes the agent offline: after a call in progress, unless that is to end (A9).
    ForcedOffline { agent: AgentId, end_call: bool },
    /// The agent's password was changed: sessions are over, all but that of the epoch `kept`.
    SessionsEnded { agent: AgentId, kept: i64 },
    /// The agent's mobile number, or what it is used for, is another (A7, C7, E2).
    MobileChanged { agent: AgentId },
    /// Agents, groups, trunks, numbers, lists or settings in the database are other ones than before.
    FloorChanged,
    /// The blocklist in the database is another one than before.
    BlocklistChanged,
}

/// What the handlers share; one for all workers, as `web::Data<App>`.
pub struct App {
    pub db: Db,
    pub config: Arc<Config>,
    /// The demo floor runs: the page may place a simulated call.
    pub demo: bool,
    pub(crate) logins: auth::Logins,
    pub(crate) codes: codes::Codes,
    pub(crate) mailer: Option<Mailer>,
    metrics: PrometheusHandle,
    draining: AtomicBool,
    tell: Box<dyn Fn(Event) + Send + Sync>,
}

impl App {
    /// `tell` hears what happens here, on the thread of a handler: it must not block.
    pub fn new(db: Db, config: Arc<Config>, demo: bool, metrics: PrometheusHandle, tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self {
            logins: auth::Logins::new(config.limits.logins_per_minute),
            codes: codes::Codes::new(&config, &db),
            mailer: Mailer::new(&config),
            db,
            config,
            demo,
            metrics,
            draining: AtomicBool::new(false),
            tell: Box::new(tell),
        }
    }

    /// From now on `/readyz` sends new visitors elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.tell)(event);
    }

    /// Runs `work` where it may wait for the database.
    pub(crate) async fn with_db<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let db = self.db.clone();
        web::block(move || work(&db)).await.map_err(|_| Refusal::Stopping)?.map_err(Refusal::from)
    }
}

/// Goes on when whoever asked is gone: what was begun is not left half done.
pub(crate) async fn to_its_end<T: 'static>(work: impl Future<Output = Result<T, Refusal>> + 'static) -> Result<T, Refusal> {
    actix_web::rt::spawn(work).await.map_err(|_| Refusal::Stopping)?
}

/// Milliseconds since 1970 UTC.
pub(crate) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// All routes but the workstation's socket. Needs `web::Data<App>` in the application's data.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().limit(LARGEST_BODY).error_handler(|error, _| Refusal::Form(error.to_string()).into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| Refusal::Form(error.to_string()).into()))
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(origin::guard))
                .wrap(DefaultHeaders::new().add(("Cache-Control", "no-store")).add(("X-Content-Type-Options", "nosniff")))
                .route("/openapi.json", web::get().to(openapi::description))
                .route("/hello", web::get().to(hello::hello))
                .route("/login", web::post().to(auth::log_in))
                .route("/logout", web::post().to(auth::log_out))
                .route("/sms-login/code", web::post().to(mobile::send_login_code))
                .route("/sms-login", web::post().to(mobile::log_in))
                .route("/recovery/code", web::post().to(mobile::send_recovery_code))
                .route("/recovery/accounts", web::post().to(mobile::recoverable))
                .route("/recovery", web::post().to(mobile::recover))
                .route("/me", web::get().to(auth::me))
                .route("/complete", web::post().to(mobile::complete))
                .route("/mobile/code", web::post().to(mobile::send_binding_code))
                .route("/mobile", web::post().to(mobile::change))
                .route("/mobile/switches", web::post().to(mobile::switch))
                .route("/password", web::post().to(auth::change_password))
                .route("/records", web::get().to(records::list))
                .route("/records.csv", web::get().to(records::export))
                .route("/recordings/{record:[0-9a-f-]+}.mp3", web::get().to(recordings::mp3))
                .route("/recordings/{record:[0-9a-f-]+}/waveform", web::get().to(recordings::waveform))
                .route("/agents", web::get().to(agents::list))
                .route("/agents", web::post().to(agents::create))
                .route("/agents/{id}/reset", web::post().to(agents::reset))
                .route("/agents/{id}/force-offline", web::post().to(agents::force_offline))
                .route("/flows", web::get().to(flows::list))
                .route("/flows", web::post().to(flows::create))
                .route("/flows/{id}", web::get().to(flows::show))
                .route("/flows/{id}", web::put().to(flows::change))
                .route("/flows/{id}", web::delete().to(flows::delete))
                .route("/blocklist", web::get().to(blocklist::list))
                .route("/blocklist", web::post().to(blocklist::add))
                .route("/blocklist/{id}", web::delete().to(blocklist::remove))
                .route("/dispositions", web::get().to(dispositions::list))
                .route("/dispositions", web::post().to(dispositions::create))
                .route("/dispositions/{id}", web::put().to(dispositions::change))
                .route("/dispositions/{id}", web::delete().to(dispositions::delete))
                .route("/profile", web::post().to(profile::change))
                .service(
                    web::resource("/avatar")
                        .app_data(web::PayloadConfig::new(profile::LARGEST_IMAGE))
                        .route(web::post().to(profile::set_avatar)),
                )
                .route("/agents/{id}/avatar", web::get().to(profile::avatar))
                .route("/probe", web::get().to(probe::download))
                .service(web::resource("/probe").app_data(web::PayloadConfig::new(probe::MOST)).route(web::post().to(probe::upload)))
                .route("/sms-outbox", web::get().to(sms_outbox::list))
                .default_service(web::to(|| async { Err::<HttpResponse, Refusal>(Refusal::NotFound) })),
        )
        .route("/healthz", web::get().to(health::alive))
        .route("/readyz", web::get().to(health::ready))
        .route("/metrics", web::get().to(health::metrics))
        .default_service(web::to(pages::page));
}
