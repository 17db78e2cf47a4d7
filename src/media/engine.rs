//! The media thread: every leg, every browser, every packet. All of it lives on one thread; nothing here waits.

mod carriers;
mod peers;

use crate::event::{Command, DtmfMode, Events, MediaEvent, Sizes, Source};
use crate::g711::Law;
use crate::intake::Intake;
use crate::leg::{Leg, Link, Listeners, Prompt};
use crate::library::Library;
use crate::mixer::Mixer;
use crate::mux::{self, Mux};
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::peer::{Notice, Peer};
use crate::ports::PortPool;
use crate::queue::Asked;
use crate::recording::Recorder;
use crate::rtp;
use crate::sound::{self, Sound, SoundError};
use crate::spool;
use crate::watch::{Owner, Watch};
use carriers::Door;
use cordboard_core::ids::{CallId, LegId, PeerId};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The clock of everything we play.
const TICK: Duration = Duration::from_millis(20);
/// Recordings go to disk every 100 ms (G5 allows a second).
const FLUSH_TICKS: u64 = 5;
/// Browsers, carriers and who hears another leg are looked after ten times a second: one that is back is soon heard again.
const WATCH_TICKS: u64 = 5;
/// Quality is told every two seconds, at some of those looks.
const QUALITY_TICKS: u64 = 20 * WATCH_TICKS;
/// After a stall longer than this the clock skips instead of catching up.
const MAX_CATCH_UP: Duration = Duration::from_millis(200);
/// A browser not heard for this long is lost: its checks come every 2.5 s and its audio every 20 ms.
const PEER_SILENCE: Duration = Duration::from_secs(5);
/// A browser that has not connected by then never will.
const PEER_CONNECT: Duration = Duration::from_secs(15);

/// Everything the media thread knows.
pub struct Engine {
    events: Events,
    /// Of the clock.
    ticks: u64,
    legs: FxHashMap<LegId, Leg>,
    /// Who hears a leg as it is that is not open.
    awaited: FxHashMap<LegId, Listeners>,
    /// The voices of those who are heard in mixes.
    mixer: Mixer,
    peers: FxHashMap<PeerId, Peer>,
    library: Library,
    recorder: Recorder,
    watch: Rc<Watch>,
    ports: Arc<PortPool>,
    /// The open ones.
    doors: FxHashMap<u16, Door>,
    mux: Arc<Mux>,
    browser_port: u16,
    advertised: Vec<IpAddr>,
    notices: UnboundedSender<Notice>,
    loaded: UnboundedSender<(String, Result<Sound, SoundError>)>,
    outbox: Outbox,
}

/// What the thread starts with.
pub struct Setup {
    pub browser_socket: UdpSocket,
    pub browser_addr: SocketAddr,
    pub browser_advertise: Vec<IpAddr>,
    pub ports: Arc<PortPool>,
    pub library: Library,
    pub recorder: Recorder,
    pub events: Events,
    pub lateness: Arc<Lateness>,
}

/// How late the media thread came to its clock the last time: its load.
#[derive(Debug, Default)]
pub struct Lateness(AtomicU64);

impl Lateness {
    fn note(&self, late: Duration) {
        self.0.store(u64::try_from(late.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Milliseconds.
    pub fn last(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs until every handle is gone.
pub async fn run(setup: Setup, asked: Asked) -> std::io::Result<()> {
    let (notices, mut noticed) = unbounded_channel();
    let (loaded, mut loads) = unbounded_channel();
    let watch = Rc::new(Watch::new()?);
    watch.add(&setup.browser_socket, Owner::Browsers)?;
    let (mut intake, mut browsers) = (Intake::new(), Intake::new());
    let mut engine = Engine {
        events: setup.events,
        ticks: 0,
        legs: FxHashMap::default(),
        awaited: FxHashMap::default(),
        mixer: Mixer::default(),
        peers: FxHashMap::default(),
        library: setup.library,
        recorder: setup.recorder,
        watch: Rc::clone(&watch),
        ports: setup.ports,
        doors: FxHashMap::default(),
        mux: Mux::new(setup.browser_socket),
        browser_port: setup.browser_addr.port(),
        advertised: mux::advertised(&setup.browser_advertise, setup.browser_addr),
        notices,
        loaded,
        outbox: Outbox::new(),
    };
    let mut next_tick = tokio::time::Instant::now() + TICK;
    loop {
        tokio::select! {
            // What is never waited for long first; packets are told in batches.
            biased;
            () = tokio::time::sleep_until(next_tick) => {
                let now = tokio::time::Instant::now();
                setup.lateness.note(now.saturating_duration_since(next_tick));
                next_tick = if now > next_tick + MAX_CATCH_UP { now + TICK } else { next_tick + TICK };
                let Some(commands) = asked.take() else { break };
                engine.obey(commands);
                engine.tick(Instant::now());
            }
            () = asked.rung() => {
                let Some(commands) = asked.take() else { break };
                engine.obey(commands);
            }
            ready = watch.ready() => {
                // No packet overtakes a command.
                let Some(commands) = asked.take() else { break };
                engine.obey(commands);
                engine.read(&ready?, &mut intake, &mut browsers);
            }
            Some(notice) = noticed.recv() => engine.notice(notice),
            Some((name, result)) = loads.recv() => engine.sound_loaded(&name, result),
        }
        // There is always more to read or to do on a busy switch: the browsers' tasks have their turn in between.
        tokio::task::yield_now().await;
    }
    engine.outbox.flush();
    Ok(())
}

impl Engine {
    fn tell(&self, event: MediaEvent) {
        (self.events)(event);
    }

    fn obey(&mut self, commands: Vec<Command>) {
        commands.into_iter().for_each(|command| self.obey_one(command));
    }

    fn obey_one(&mut self, command: Command) {
        match command {
            Command::OpenRtp { leg, lease } => self.open_rtp(leg, lease),
            Command::SetRemote { leg, remote } => self.set_remote(leg, remote),
            Command::OpenPeer { peer, offer, codec } => self.open_peer(peer, offer, codec),
            Command::ClosePeer { peer } => self.close_peer(peer),
            Command::AttachPeer { leg, peer } => self.attach_peer(leg, peer),
            Command::Hear { leg, source } => self.hear(leg, source),
            Command::Play { leg, sounds, token } => self.play(leg, sounds, token),
            Command::SendDigit { leg, digit, mode } => self.send_digit(leg, digit, mode),
            Command::Record { call, leg, asked } => self.record(call, leg, asked),
            Command::PauseRecord { call, paused } => self.recorder.pause(call, paused),
            Command::StopRecord { call } => self.stop_record(call),
            Command::Close { leg } => self.close(leg),
            Command::Measure { answer } => {
                if answer.send(self.sizes()).is_err() {
                    tracing::trace!("nobody waits for the sizes");
                }
            }
        }
    }

    fn sizes(&self) -> Sizes {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let heard = self.awaited.len() + self.legs.values().filter(|leg| !leg.listeners.is_empty()).count();
        Sizes { legs: self.legs.len(), heard, mixed: self.mixer.voices(), peers: self.peers.len(), tasks }
    }

    // ---- legs ----

    fn hear(&mut self, leg: LegId, source: Source) {
        let source = source.plain_for(leg);
        if let Some(name) = source.sound() {
            self.want_sound(name);
        }
        let Some(known) = self.legs.get_mut(&leg) else {
            tracing::warn!(%leg, ?source, "a leg that is not open cannot hear");
            return;
        };
        let before = known.hear(source.clone());
        // The new source first: a voice that stays in the mix must not begin anew.
        self.listen(leg, &source);
        self.listen_no_more(leg, &before);
    }

    /// Has what `source` needs brought to `listener`.
    fn listen(&mut self, listener: LegId, source: &Source) {
        match source {
            Source::Leg(leg) => match self.legs.get_mut(leg) {
                Some(heard) => heard.listeners.push(listener),
                None => self.awaited.entry(*leg).or_default().push(listener),
            },
            Source::Mix(legs) => legs.iter().for_each(|leg| self.mixer.join(*leg)),
            Source::Silence | Source::Music(_) | Source::Ringback | Source::Busy | Source::Congestion => {}
        }
    }

    fn listen_no_more(&mut self, listener: LegId, source: &Source) {
        match source {
            Source::Leg(leg) => match self.legs.get_mut(leg) {
                Some(heard) => forget(&mut heard.listeners, listener),
                None => {
                    if let Entry::Occupied(mut awaits) = self.awaited.entry(*leg) {
                        forget(awaits.get_mut(), listener);
                        if awaits.get().is_empty() {
                            awaits.remove();
                        }
                    }
                }
            },
            Source::Mix(legs) => legs.iter().for_each(|leg| self.mixer.leave(*leg)),
            Source::Silence | Source::Music(_) | Source::Ringback | Source::Busy | Source::Congestion => {}
        }
    }

    fn play(&mut self, leg: LegId, names: Vec<String>, token: u64) {
        let playable = |name: &String| self.want_sound(name) || self.library.get(name).is_some();
        let (names, unknown): (Vec<_>, Vec<_>) = names.into_iter().partition(playable);
        if !unknown.is_empty() {
            tracing::warn!(%leg, sounds = ?unknown, "cannot be played");
        }
        let sounds: VecDeque<_> = names
            .into_iter()
            .map(|name| {
                let sound = self.library.get(&name).cloned();
                (name, sound)
            })
            .collect();
        match self.legs.get_mut(&leg) {
            Some(known) if !sounds.is_empty() => known.prompt = Some(Prompt::new(token, sounds)),
            Some(_) | None => self.tell(MediaEvent::Played { leg, token }),
        }
    }

    fn send_digit(&mut self, leg: LegId, digit: char, mode: DtmfMode) {
        // Not the digit itself: it may be of a card number.
        if !self.legs.get_mut(&leg).is_some_and(|known| known.digits_out.send(digit, mode)) {
            tracing::warn!(%leg, "a digit was not sent: no key, too many at once, or the leg is not open");
        }
    }

    fn close(&mut self, leg: LegId) {
        let Some(closed) = self.legs.remove(&leg) else { return };
        if let Some(call) = closed.recorded_by {
            self.recorder.stop(call, Instant::now());
        }
        if !closed.listeners.is_empty() {
            self.awaited.insert(leg, closed.listeners);
        }
        self.listen_no_more(leg, &closed.source);
        match closed.link {
            Link::Rtp(mut link) => {
                let now = Instant::now();
                link.goodbye(now);
                self.leave_port(leg, &link, now);
            }
            Link::Browser { peer, .. } => {
                if let Some(peer) = self.peers.get_mut(&peer).filter(|peer| peer.leg == Some(leg)) {
                    peer.leg = None;
                }
            }
            Link::None => {}
        }
    }

    fn record(&mut self, call: CallId, leg: LegId, asked: Instant) {
        if !self.legs.contains_key(&leg) {
            self.tell(MediaEvent::RecordingFailed { call, why: "the leg is not open".into() });
            return;
        }
        let before = self.recorder.record(call, leg, asked);
        if let Some(before) = before.and_then(|before| self.legs.get_mut(&before)) {
            before.recorded_by = None;
        }
        if let Some(known) = self.legs.get_mut(&leg) {
            known.recorded_by = Some(call);
        }
    }

    fn stop_record(&mut self, call: CallId) {
        let leg = self.recorder.stop(call, Instant::now());
        if let Some(leg) = leg.and_then(|leg| self.legs.get_mut(&leg)) {
            leg.recorded_by = None;
        }
    }

    // ---- sounds ----

    /// Has a sound that is not in memory read from its file; `true` when that is under way.
    fn want_sound(&self, name: &str) -> bool {
        if self.library.get(name).is_some() {
            return false;
        }
        let Some(path) = self.library.file(name) else { return false };
        let (loaded, name) = (self.loaded.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || {
            let result = if path.is_file() { sound::load(&path) } else { Err(SoundError::Unknown) };
            if loaded.send((name, result)).is_err() {
                tracing::trace!("the media engine has ended");
            }
        });
        true
    }

    fn sound_loaded(&mut self, name: &str, result: Result<Sound, SoundError>) {
        let sound = self.library.loaded(name, result);
        for prompt in self.legs.values_mut().filter_map(|leg| leg.prompt.as_mut()) {
            prompt.loaded(name, &sound);
        }
    }

    // ---- packets ----

    /// Takes what waits at these ports, a batch of each.
    fn read(&mut self, ready: &[Owner], intake: &mut Intake, browsers: &mut Intake) {
        for owner in ready {
            match owner {
                Owner::Port(number, channel) => self.read_port(*number, *channel, intake),
                Owner::Browsers => self.read_browsers(browsers),
            }
        }
        self.outbox.flush();
    }

    fn audio_from(&mut self, from: LegId, packet: &rtp::Packet<'_>, law: Law, now: Instant) {
        if let Some(call) = self.legs.get(&from).and_then(|leg| leg.recorded_by) {
            let stamp = (packet.header.ssrc, packet.header.timestamp);
            self.recorder.take(call, spool::Channel::Left, stamp, law, packet.payload, now);
        }
        self.mixer.take(from, packet.header.ssrc, packet.header.timestamp, law, packet.payload);
        self.relay(from, &Packet::Audio { from, header: &packet.header, law, payload: packet.payload }, now);
    }

    fn event_from(&mut self, from: LegId, packet: &rtp::Packet<'_>, now: Instant) {
        let digit =
            self.legs.get_mut(&from).and_then(|leg| leg.digits_in.receive(packet.header.ssrc, packet.header.timestamp, packet.payload));
        if let Some(digit) = digit {
            self.tell(MediaEvent::Digit { leg: from, digit });
        }
        self.relay(from, &Packet::Event { from, header: &packet.header, payload: packet.payload }, now);
    }

    /// Sends a packet of one leg to all who hear it and are not in the middle of a prompt or a digit.
    fn relay(&mut self, from: LegId, packet: &Packet<'_>, now: Instant) {
        let Some(listeners) = self.legs.get(&from).map(|leg| leg.listeners.clone()) else { return };
        for id in listeners {
            if let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.says_own()) {
                leg.send(id, &mut self.peers, packet, &mut self.outbox, &mut self.recorder, now);
            }
        }
    }

    /// Every 20 ms: the audio that we make ourselves; and what is looked after less often.
    fn tick(&mut self, now: Instant) {
        self.ticks = self.ticks.wrapping_add(1);
        let ticks = self.ticks;
        self.mixer.tick();
        let mut told = Vec::new();
        for (id, leg) in &mut self.legs {
            let looks = leg.is_turn(ticks, WATCH_TICKS);
            if looks || !leg.is_relayed() {
                let (own, ended) = leg.next_frame(&self.library, &self.mixer, &self.peers, now);
                told.extend(ended.map(|prompt| MediaEvent::Played { leg: *id, token: prompt.token }));
                if let Some(own) = own {
                    leg.send(*id, &mut self.peers, &Packet::Own(own), &mut self.outbox, &mut self.recorder, now);
                }
            }
            if !looks {
                continue;
            }
            if let Link::Rtp(link) = &mut leg.link {
                link.report(now);
                told.extend(link.silence(now).map(|silence| MediaEvent::RtpSilent { leg: *id, since: SystemTime::now() - silence }));
            }
            if leg.is_turn(ticks, QUALITY_TICKS) {
                told.extend(leg.measure(&mut self.peers).map(|quality| MediaEvent::Quality { leg: *id, quality }));
            }
        }
        self.outbox.flush();
        told.into_iter().for_each(|event| self.tell(event));
        if ticks.is_multiple_of(FLUSH_TICKS) {
            self.recorder.flush();
        }
        if ticks.is_multiple_of(WATCH_TICKS) {
            self.watch_peers(now);
        }
        if ticks.is_multiple_of(QUALITY_TICKS) {
            self.tidy_ports(now);
        }
    }
}

/// The leg; one that is not open is from here on, and heard by those who waited for it.
fn open_leg<'a>(legs: &'a mut FxHashMap<LegId, Leg>, awaited: &mut FxHashMap<LegId, Listeners>, id: LegId, ticks: u64) -> &'a mut Leg {
    legs.entry(id).or_insert_with(|| Leg::new(awaited.remove(&id).unwrap_or_default(), ticks))
}

fn forget(listeners: &mut Listeners, listener: LegId) {
    if let Some(at) = listeners.iter().position(|leg| *leg == listener) {
        listeners.swap_remove(at);
    }
}
