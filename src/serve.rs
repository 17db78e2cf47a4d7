//! The running switch: every part made, joined and, at the end, taken down in order.

use crate::Fault;
use crate::actors::agent::Desk;
use crate::actors::board::BoardActor;
use crate::actors::floor::{self, Change};
use crate::actors::leg::LegInput;
use crate::actors::shell::Deliver;
use crate::actors::sip::{FromNet, Idle, SipActor};
use crate::actors::switch::{Directory, Switch};
use crate::api::{self, App, Event};
use crate::config::Config;
use crate::moderated::moderated;
use crate::net::Sockets;
use actix::prelude::*;
use actix_web::{HttpServer, web};
use cordboard_core::agent::Departure;
use cordboard_core::ids::CallId;
use cordboard_core::setup::Transport;
use cordboard_db::{Db, Journal, Recording, RecordingState};
use cordboard_media::{Media, MediaConfig, MediaEvent};
use cordboard_sip::endpoint::{Endpoint, EndpointConfig};
use metrics_exporter_prometheus::PrometheusBuilder;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// How long calls may go on after SIGTERM (I4).
const DRAIN: Duration = Duration::from_secs(600);
/// And how long it may take to hang up those that still do.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a thread that has always something to do keeps what is to be sent.
const TOGETHER: Duration = Duration::from_millis(2);

/// How long the records of the last calls may take to reach the database; what does not stays in the journal.
const FLUSH: Duration = Duration::from_secs(10);

/// Runs the switch until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps the switch from starting, in the operator's words.
pub fn run(mut config: Config, demo: bool) -> Result<(), Fault> {
    if demo {
        crate::demo::reach_browsers(&mut config.media);
    }
    allow_files();
    let later = Later::default();
    let idles = later.clone();
    let flushed = Mutex::new(Instant::now());
    let before_sleep = move || {
        let more = idles.idle.about_to_sleep();
        // What is sent together costs less.
        let mut flushed = flushed.lock();
        if more && flushed.elapsed() < TOGETHER {
            return true;
        }
        *flushed = Instant::now();
        if let Some(sockets) = idles.sockets.get() {
            sockets.flush();
        }
        if let Some(switch) = idles.switch.get() {
            switch.media.flush();
        }
        more
    };
    // The thread of all actors. It is built where it runs.
    let runtime = moderated(before_sleep).build()?;
    actix_web::rt::System::with_tokio_rt(|| runtime).block_on(serve(Arc::new(config), demo, later))
}

/// What others reach once it is made.
#[derive(Clone, Default)]
struct Later {
    idle: Arc<Idle>,
    switch: Arc<OnceLock<Arc<Switch>>>,
    sockets: Arc<OnceLock<Sockets>>,
}

/// Each page, connection and leg has a file of its own: as many are allowed as the system lets a process have.
fn allow_files() {
    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(why) = allowed {
        tracing::warn!(%why, "no more files may be open at once than were allowed before");
    }
}

async fn serve(config: Arc<Config>, demo: bool, later: Later) -> Result<(), Fault> {
    let spool = config.data.join("spool");
    let recordings = config.data.join("recordings");
    for dir in [&config.data, &spool, &recordings] {
        std::fs::create_dir_all(dir).map_err(|why| format!("the folder {} cannot be made: {why}", dir.display()))?;
    }
    let db = Db::open(&config.database_url())?;
    if demo {
        crate::demo::prepare(&db)?;
    }
    let metrics = PrometheusBuilder::new().install_recorder()?;

    // What a switch before this one left: its calls end where their recordings end (G5).
    let cut = recovered_ends(&db, &spool)?;
    match crate::retention::enter_finished(&db, &config.data)? {
        0 => {}
        count => tracing::warn!(count, "recordings of which the database was not told are entered now"),
    }
    let journal = Journal::open(&config.data, db.clone(), Box::new(|_| {}))?;
    let interrupted = journal.recover(&cut)?;
    if !interrupted.is_empty() {
        tracing::warn!(calls = interrupted.len(), "calls that a stop of the switch interrupted are on record now");
    }

    let hears = later.switch.clone();
    let media = Media::start(
        MediaConfig {
            bind_ip: config.media.rtp_ip,
            advertise_ip: config.sip.advertise.unwrap_or(config.media.rtp_ip),
            rtp_ports: config.media.rtp_ports.clone(),
            browser_addr: config.media.browser,
            browser_advertise: config.media.advertise.clone(),
            sounds_dir: Some(config.data.join("sounds")),
            spool_dir: spool,
            mp3_dir: recordings,
        },
        Arc::new(move |event| {
            if let Some(switch) = hears.get() {
                dispatch(switch, event);
            }
        }),
    )?;
    let directory = Directory { demo, ..Directory::default() };
    let switch = Switch::new(db.clone(), journal, media, directory);
    switch.media.hold_back();
    later.switch.set(switch.clone()).map_err(|_| "the switch was made twice")?;
    switch.load_last_served()?;
    switch.load_blocklist()?;
    switch.media.recover()?;

    let addr: Arc<OnceLock<Addr<SipActor>>> = Arc::default();
    let (to, clock) = (addr.clone(), switch.clone());
    let secure = crate::tls::sip(&config, &config.data)?;
    let sockets = Sockets::bind(&[config.sip.udp], &[config.sip.tcp], secure, config.sip.advertise, move |event| {
        if let Some(sip) = to.get() {
            sip.do_send(FromNet(event, clock.now()));
        }
    })
    .await
    .map_err(|why| {
        let tls = config.sip.tls.map_or_else(|| "off".to_owned(), |tls| tls.to_string());
        format!("SIP cannot listen on {} (udp), {} (tcp) and {tls} (tls): {why}", config.sip.udp, config.sip.tcp)
    })?;
    later.sockets.set(sockets.clone()).map_err(|_| "SIP's sockets were made twice")?;
    {
        let mut directory = switch.directory.write();
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            directory.sip_local.extend(sockets.local(transport).map(|local| (transport, local)));
        }
    }
    let realm = config.sip.realm.clone();
    let user_agent = format!("Cordboard/{}", env!("CARGO_PKG_VERSION"));
    let endpoint = Endpoint::new(EndpointConfig { user_agent, realm: realm.clone(), secret: rand::random(), ..EndpointConfig::default() });
    let sip = SipActor::new(endpoint, sockets.clone(), switch.clone(), later.idle.clone()).start();
    let board = BoardActor::new(switch.clone()).start();
    {
        let mut directory = switch.directory.write();
        (directory.sip, directory.board) = (Some(sip.clone()), Some(board));
    }
    floor::load(&switch, &realm, floor::Rows::read(&switch.db)?);
    floor::restore_phones(&switch)?;
    addr.set(sip).map_err(|_| "SIP was started twice")?;

    let (changes, to_follow) = unbounded_channel();
    let following = actix_web::rt::spawn(floor::follow(switch.clone(), realm, to_follow));
    let told = switch.clone();
    let app = web::Data::new(App::new(db, config.clone(), demo, metrics, move |event| hear(&told, &changes, event)));
    let tls = crate::tls::server_config(&config, &config.data)?;
    let (served, on) = (app.clone(), switch.clone());
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(served.clone())
            .app_data(web::Data::new(on.clone()))
            .wrap(api::request_log())
            .route("/ws", web::get().to(api::socket::open))
            .service(
                web::resource("/api/v1/demo/call")
                    .wrap(actix_web::middleware::from_fn(api::origin::guard))
                    .route(web::post().to(crate::demo::call)),
            )
            .configure(api::routes)
    })
    .workers(2)
    // A page's next message does not wait until the last one is acknowledged.
    .tcp_nodelay(true)
    .disable_signals()
    .shutdown_timeout(2);
    for listen in &config.web.listen {
        server = match &tls {
            Some(tls) => server.bind_rustls_0_23(listen, tls.clone()),
            None => server.bind(listen),
        }
        .map_err(|why| format!("the web server cannot listen on {listen}: {why}"))?;
    }
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let control = api::control::Control::bind(&config.data)?;
    let control = actix_web::rt::spawn(control.serve(app.clone()));
    let retention = actix_web::rt::spawn(crate::retention::watch(switch.db.clone(), config.data.clone()));
    let sessions = actix_web::rt::spawn(crate::sessions::watch(switch.clone()));
    let carrier = if demo { Some(crate::demo::start(&config)?) } else { None };
    tracing::info!(url = %config.web.url(), sip = %config.sip.udp, "the switch is open");

    stop_signal().await?;
    tracing::info!("stopping: no new calls; calls in progress may end");
    app.drain();
    switch.directory.write().draining = true;
    drained(&switch).await?;
    control.abort();
    retention.abort();
    sessions.abort();
    following.abort();
    handle.stop(true).await;
    drop(carrier);
    sockets.flush();
    switch.journal.flush(FLUSH)?;
    switch.ledger.flush(FLUSH);
    tracing::info!("stopped");
    Ok(())
}

/// Until when each orphaned recording goes (wall time), by call.
fn recovered_ends(db: &Db, spool: &Path) -> Result<HashMap<CallId, i64>, Fault> {
    let mut ends = HashMap::new();
    for (call, duration) in cordboard_media::spool_end(spool)? {
        ends.extend(db.recording(call)?.map(|recording| (call, recording.began + duration)));
    }
    Ok(ends)
}

/// Hands what the media engine tells to the actor it concerns. Runs on the media thread: it only passes on.
fn dispatch(switch: &Arc<Switch>, event: MediaEvent) {
    match event {
        MediaEvent::Attached { leg }
        | MediaEvent::AttachFailed { leg }
        | MediaEvent::Played { leg, .. }
        | MediaEvent::Digit { leg, .. }
        | MediaEvent::Quality { leg, .. }
        | MediaEvent::RtpSilent { leg, .. } => {
            if let Some(addr) = switch.directory.read().legs.get(&leg) {
                addr.do_send(Deliver(LegInput::Media(event)));
            }
        }
        MediaEvent::PeerAnswer { peer, .. }
        | MediaEvent::PeerFailed { peer, .. }
        | MediaEvent::PeerUp { peer }
        | MediaEvent::PeerLost { peer } => {
            let directory = switch.directory.read();
            if let Some(addr) = directory.peers.get(&peer).and_then(|agent| directory.agents.get(agent)) {
                addr.do_send(Desk::Media(event));
            }
        }
        MediaEvent::RecordingReady { call, path, duration_ms, recovered } => {
            let state = if recovered { RecordingState::Recovered } else { RecordingState::Ready };
            enter_recording(switch, call, state, Some((path, duration_ms)));
        }
        MediaEvent::RecordingFailed { call, why } => {
            tracing::error!(%call, %why, "a recording could not be finished");
            enter_recording(switch, call, RecordingState::Failed, None);
        }
    }
}

/// What became of a recording; its row was made when it began.
fn enter_recording(switch: &Switch, call: CallId, state: RecordingState, file: Option<(PathBuf, i64)>) {
    let wall = switch.wall();
    let file = file.map(|(path, duration)| (relative(&path), duration));
    switch.ledger.note(format!("what became of the recording of call {call} could not be entered"), move |db| {
        let began = file.as_ref().map_or(wall, |(_, duration)| wall - duration);
        let known = db.recording(call)?.unwrap_or(Recording { call, state, path: String::new(), began, duration: 0 });
        let (path, duration) = file.clone().unwrap_or((known.path.clone(), known.duration));
        db.set_recording(&Recording { state, path, duration, ..known })
    });
}

/// Recordings are named relative to the data folder, so that the folder can move.
fn relative(path: &Path) -> String {
    let mut parts: Vec<_> = path.iter().rev().take(2).collect();
    parts.reverse();
    parts.iter().collect::<PathBuf>().display().to_string()
}

/// What the API tells.
fn hear(switch: &Arc<Switch>, changes: &UnboundedSender<Change>, event: Event) {
    let to_follow = |change| {
        if changes.send(change).is_err() {
            tracing::warn!(?change, "the floor changed while the switch stops: it is loaded at the next start");
        }
    };
    let (agent, desk) = match event {
        Event::LoggedIn { agent, epoch } | Event::SessionsEnded { agent, kept: epoch } => (agent, Desk::EndPages { before: epoch }),
        Event::LoggedOut { agent, end_call } => (agent, Desk::Depart { departure: Departure::LogOut, end_call }),
        Event::ForcedOffline { agent, end_call } => (agent, Desk::Depart { departure: Departure::ForcedOffline, end_call }),
        Event::BlocklistChanged => return switch.reload_blocklist(),
        Event::MobileChanged { agent } => return to_follow(Change::Mobile(agent)),
        Event::FloorChanged => {
            switch.reload_blocklist();
            return to_follow(Change::Floor);
        }
    };
    if let Some(addr) = switch.directory.read().agents.get(&agent) {
        addr.do_send(desk);
    }
}

async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    Ok(())
}

/// Waits until the last call is over, the time is up, or a second signal comes; then no call goes on without the switch.
async fn drained(switch: &Switch) -> std::io::Result<()> {
    let empty = async || {
        let idle = switch.idle.notified();
        if !switch.directory.read().calls.is_empty() {
            idle.await;
        }
    };
    tokio::select! { () = empty() => {}, () = tokio::time::sleep(DRAIN) => {}, again = stop_signal() => again? }
    for call in switch.directory.read().calls.values() {
        call.do_send(Deliver(cordboard_core::call::Event::SwitchStops));
    }
    tokio::select! { () = empty() => {}, () = tokio::time::sleep(GOODBYE) => {} }
    Ok(())
}
