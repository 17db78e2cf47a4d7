//! A switch's web side for each test, on a database of its own.

pub mod calls;
pub mod floor;
pub mod gateway;
pub mod http;
pub mod program;
pub mod smtp;

use cordboard::api::control::Control;
use cordboard::api::{self, App, Event};
use cordboard::config::Config;
use cordboard_db::Db;
use diesel::{Connection, PgConnection, RunQueryDsl};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Runs one test on both databases. PostgreSQL's are made in the server that `tests/support/with-postgres COMMAND` starts.
macro_rules! on_both {
    ($(fn $name:ident($database:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn test($database: $crate::support::Database) $body
            #[test]
            fn sqlite() { test($crate::support::Database::sqlite()) }
            #[test]
            fn postgres() { test($crate::support::Database::postgres()) }
        }
    )*};
}

/// An empty database and a data folder.
pub struct Database {
    pub url: String,
    pub data: tempfile::TempDir,
}

impl Database {
    pub fn sqlite() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite:{}", data.path().join("cordboard.sqlite").display()), data }
    }

    pub fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("CORDBOARD_TEST_PG").expect("CORDBOARD_TEST_PG is not set: run this under tests/support/with-postgres");
        let name = format!("api_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::establish(&server).unwrap();
        diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut connection).unwrap();
        Self { url: server.replace("/postgres?", &format!("/{name}?")), data: tempfile::tempdir().unwrap() }
    }

    /// Starts the web side with this configuration.
    pub fn switch_with(self, set: impl FnOnce(&mut Config)) -> Switch {
        let mut config = Config { data: self.data.path().to_owned(), ..Config::default() };
        config.database.url = Some(self.url.clone());
        set(&mut config);
        Switch::start(self, config)
    }

    pub fn switch(self) -> Switch {
        self.switch_with(|_| {})
    }
}

/// A running web side; it stops when dropped.
pub struct Switch {
    pub addr: SocketAddr,
    pub db: Db,
    pub database: Database,
    app: actix_web::web::Data<App>,
    events: Mutex<Receiver<Event>>,
    server: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Switch {
    fn start(database: Database, config: Config) -> Self {
        let db = Db::open(&database.url).unwrap();
        let (tell, events) = mpsc::channel();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let tls = cordboard::tls::server_config(&config, &config.data).unwrap();
        let data = config.data.clone();
        let told = move |event| tell.send(event).unwrap_or_default();
        let app = actix_web::web::Data::new(App::new(db.clone(), Arc::new(config), false, metrics, told));
        let (opened, open) = mpsc::channel();
        let served = app.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let control = Control::bind(&data).unwrap();
                let control = actix_web::rt::spawn(control.serve(served.clone()));
                let make = move || actix_web::App::new().app_data(served.clone()).wrap(api::request_log()).configure(api::routes);
                let server = actix_web::HttpServer::new(make).workers(1).disable_signals().shutdown_timeout(1);
                let server = match tls {
                    Some(tls) => server.bind_rustls_0_23("127.0.0.1:0", tls).unwrap(),
                    None => server.bind("127.0.0.1:0").unwrap(),
                };
                let addr = server.addrs()[0];
                let server = server.run();
                opened.send((addr, server.handle())).unwrap();
                server.await.unwrap();
                control.abort();
            });
        });
        let (addr, server) = open.recv().unwrap();
        Self { addr, db, database, app, events: Mutex::new(events), server, thread: Some(thread) }
    }

    /// What the rest of the switch heard since the last time.
    pub fn heard(&self) -> Vec<Event> {
        self.events.lock().unwrap().try_iter().collect()
    }

    pub fn drain(&self) {
        self.app.drain();
    }

    /// A browser that nobody is logged in with.
    pub fn page(&self) -> http::Page {
        http::Page::of(self.addr)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // Sent at once; the future only tells when it is done, which the thread's end does too.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
