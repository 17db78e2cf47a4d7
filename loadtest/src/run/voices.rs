//! The audio of all calls: each side sends speech every 20 ms (RFC 3551, PCMU), and what comes is told by its content: whose it is, which
//! piece of it, and so how long it was under way.

mod ears;
mod stream;

pub use stream::Heard;

use super::leg::Micros;
use crate::agents::tone;
use crate::browser::{Browser, Line};
use crate::sockets::Socket;
use ears::Ears;
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};
use stream::{Stream, length};

const FRAME: usize = tone::FRAME;
const HEADER: usize = 12;
const PTIME: Micros = 20_000;
/// Streams begin at one of so many moments in the 20 ms.
const SLOTS: usize = 20;
/// Headerless µ-law at 8 kHz (see `assets/make-speech`).
static SPEECH: &[u8] = include_bytes!("../../assets/customer.ulaw");

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamId(usize);

/// All streams, their sockets and what was measured of them.
pub struct Voices {
    /// Those that streams share, and then one of each line.
    sockets: Vec<Socket>,
    shared: usize,
    /// Watches the sockets.
    watch: Epoll,
    streams: Vec<Option<Stream>>,
    free: Vec<usize>,
    slots: [Vec<usize>; SLOTS],
    /// The slot that is due next, and when.
    next: (usize, Micros),
    ears: Ears,
    /// Where a piece of speech stands in it; pieces that stand there twice are in none.
    pieces: HashMap<[u8; FRAME], u64>,
    pub sent: u64,
    /// Microseconds from the sending of a packet to its arrival at the other side.
    pub delay: Histogram<u64>,
    /// Both of them count.
    measures: bool,
    random: StdRng,
}

impl Voices {
    /// With sockets at consecutive ports from `first`.
    pub fn open(first: SocketAddrV4, sockets: u16, random: StdRng) -> io::Result<Self> {
        let past = first.port().checked_add(sockets).filter(|_| sockets > 0);
        let past =
            past.ok_or_else(|| io::Error::other(format!("{sockets} audio ports from {first} on; expected one at least, up to 65534")))?;
        let ports = first.port()..past;
        let watch = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let sockets: Vec<Socket> = ports.map(|port| Socket::bind(SocketAddrV4::new(*first.ip(), port))).collect::<io::Result<_>>()?;
        for (number, socket) in (0..).zip(&sockets) {
            watch.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
        }
        let delay = Histogram::new_with_bounds(1, 10_000_000, 3).map_err(io::Error::other)?;
        let mut pieces = HashMap::new();
        let mut twice = Vec::new();
        for (n, piece) in (0..).zip(SPEECH.as_chunks::<FRAME>().0) {
            if pieces.insert(*piece, n).is_some() {
                twice.push(*piece);
            }
        }
        pieces.retain(|piece, _| !twice.contains(piece));
        Ok(Self {
            shared: sockets.len(),
            sockets,
            watch,
            streams: Vec::new(),
            free: Vec::new(),
            slots: Default::default(),
            next: (0, 0),
            ears: Ears::default(),
            pieces,
            sent: 0,
            delay,
            measures: true,
            random,
        })
    }

    /// A stream of its own, and the address where it listens. Streams share sockets: what comes is told apart by its sender's address and SSRC.
    /// Where the sender is known, the socket is one at which nobody else waits for it, so that its first packet tells the SSRC.
    pub fn add(&mut self, sender: Option<SocketAddrV4>) -> (StreamId, SocketAddrV4) {
        let index = self.place();
        let shared = self.shared.max(1);
        let waits = |socket: usize| sender.is_some_and(|sender| self.ears.wait((socket, sender), &self.streams));
        let socket = (index..index + shared).map(|socket| socket % shared).find(|socket| !waits(*socket)).unwrap_or(index % shared);
        self.put(index, socket, None);
        let local = self.sockets.get(socket).map_or(SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0), |socket| socket.local);
        (StreamId(index), local)
    }

    /// The stream of a browser that is connected.
    pub fn add_line(&mut self, line: Line) -> io::Result<StreamId> {
        let (index, number) = (self.place(), self.sockets.len());
        self.watch.add(&line.socket, EpollEvent::new(EpollFlags::EPOLLIN, u64::try_from(number).map_err(io::Error::other)?))?;
        self.sockets.push(line.socket);
        let remote = line.browser.remote();
        self.put(index, number, Some(line.browser));
        self.turn(StreamId(index), remote);
        Ok(StreamId(index))
    }

    /// The lines that were added, in that order.
    pub fn into_lines(mut self) -> Vec<Line> {
        let sockets = self.sockets.drain(self.shared..);
        let lent = self.streams.into_iter().flatten().filter_map(|stream| {
            let mut browser = *stream.browser?;
            browser.sent = stream.sent;
            Some((stream.socket, browser))
        });
        let mut browsers: Vec<_> = lent.collect();
        browsers.sort_by_key(|(socket, _)| *socket);
        sockets.zip(browsers).map(|(socket, (_, browser))| Line { socket, browser }).collect()
    }

    fn place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.streams.push(None);
            self.streams.len() - 1
        })
    }

    fn put(&mut self, index: usize, socket: usize, browser: Option<Browser>) {
        let (slot, first) = (self.random.random_range(0..SLOTS), self.random.random_range(0..length()));
        let stream = match browser {
            Some(browser) => Stream::of(browser, socket, slot, first),
            None => Stream::new(socket, slot, self.random.random(), first),
        };
        if let Some(place) = self.streams.get_mut(index) {
            *place = Some(stream);
        }
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.push(index);
        }
    }

    /// The two sides of one call should hear each other.
    pub fn join(&mut self, one: StreamId, other: StreamId) {
        for (stream, peer) in [(one, other), (other, one)] {
            if let Some(stream) = self.stream(stream) {
                stream.peer = Some(peer);
            }
        }
    }

    /// The far side's address, as its last description said.
    pub fn turn(&mut self, StreamId(index): StreamId, remote: Option<SocketAddrV4>) {
        let Some(Some(stream)) = self.streams.get_mut(index) else { return };
        stream.remote = remote;
        // Who holds goes on to be heard.
        if let Some(from) = remote.filter(|_| remote != stream.from) {
            let (socket, before, ssrc) = (stream.socket, stream.from.replace(from), stream.heard_ssrc.take());
            if let Some(before) = before {
                self.ears.forget((socket, before), index, ssrc, self.next.1);
            }
            self.ears.listen((socket, from), index);
        }
    }

    /// A key from 0 to 9 is pressed, as events of that payload type.
    pub fn press(&mut self, stream: StreamId, key: u8, payload_type: u8) {
        if let Some(stream) = self.stream(stream) {
            stream.press(key, payload_type);
        }
    }

    /// What a stream heard so far; it goes on with a new call.
    pub fn hear_anew(&mut self, stream: StreamId) -> Heard {
        self.stream(stream).map(Stream::hear_anew).unwrap_or_default()
    }

    #[cfg(test)]
    pub fn heard(&mut self, stream: StreamId) -> Heard {
        self.stream(stream).map(|stream| stream.heard).unwrap_or_default()
    }

    /// The same of the other side of its call.
    pub fn partner_hears_anew(&mut self, stream: StreamId) -> Option<Heard> {
        let partner = self.stream(stream)?.peer?;
        Some(self.hear_anew(partner))
    }

    /// Ends a stream; what it heard.
    pub fn remove(&mut self, StreamId(index): StreamId) -> Heard {
        let Some(stream) = self.streams.get_mut(index).and_then(Option::take) else { return Heard::default() };
        if let Some(from) = stream.from {
            self.ears.forget((stream.socket, from), index, stream.heard_ssrc, self.next.1);
        }
        if let Some(other) = stream.peer.and_then(|peer| self.stream(peer)).filter(|other| other.peer == Some(StreamId(index))) {
            other.peer = None;
        }
        if let Some(slot) = self.slots.get_mut(stream.slot) {
            slot.retain(|known| *known != index);
        }
        self.free.push(index);
        stream.heard
    }

    fn stream(&mut self, StreamId(index): StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(index)?.as_mut()
    }

    /// What was sent and how long it was under way counts from now on.
    pub fn begin_to_measure(&mut self) {
        self.sent = 0;
        self.delay.reset();
    }

    /// And from now on no more.
    pub fn end_measuring(&mut self) {
        self.measures = false;
    }

    pub fn next_deadline(&self) -> Option<Micros> {
        (self.streams.len() > self.free.len()).then_some(self.next.1)
    }

    /// Datagrams that this side's sockets lost.
    pub fn dropped(&self) -> u64 {
        self.sockets.iter().map(Socket::dropped).sum()
    }

    /// Sends what is due.
    pub fn speak(&mut self, now: Micros, clock: impl Fn() -> Micros) -> io::Result<()> {
        let (mut slot, mut due) = self.next;
        // After a time without streams, or a stall: not all of it is made up for.
        if due + PTIME < now {
            due = now;
        }
        while due <= now {
            let at = clock();
            for index in self.slots.get(slot).into_iter().flatten() {
                let Some(Some(stream)) = self.streams.get_mut(*index) else { continue };
                let Some((remote, socket)) = stream.remote.zip(self.sockets.get_mut(stream.socket)) else { continue };
                let packet = stream.packet(at);
                let packet = match &mut stream.browser {
                    Some(browser) => {
                        browser.due(Instant::now()).into_iter().for_each(|datagram| socket.queue(remote, datagram));
                        browser.protect(&packet)
                    }
                    None => Some(packet),
                };
                if let Some(packet) = packet {
                    socket.queue(remote, packet);
                    self.sent += u64::from(self.measures);
                }
            }
            for socket in &mut self.sockets {
                socket.flush()?;
            }
            slot = (slot + 1) % SLOTS;
            due += PTIME / 20;
        }
        self.next = (slot, due);
        Ok(())
    }

    /// Reads what has come. `began`: the run's first moment since 1970.
    pub fn listen(&mut self, began: Duration) -> io::Result<()> {
        let Self { sockets, streams, ears, pieces, delay, measures, watch, next: (_, present), .. } = self;
        let mut ready = vec![EpollEvent::empty(); sockets.len()];
        let count = match watch.wait(&mut ready, EpollTimeout::ZERO) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(why) => return Err(why.into()),
        };
        for event in ready.iter().take(count) {
            let number = usize::try_from(event.data()).map_err(io::Error::other)?;
            let Some(socket) = sockets.get_mut(number) else { continue };
            socket.receive(|from, datagram, at| {
                let now = u64::try_from(at.saturating_sub(began).as_micros()).unwrap_or(u64::MAX);
                let Some(index) = ears.whose((number, from), streams, datagram, *present) else { return };
                let Some(Some(stream)) = streams.get_mut(index) else { return };
                let opened;
                let packet = match &mut stream.browser {
                    Some(browser) => {
                        opened = browser.receive(datagram, Instant::now()).unwrap_or_default();
                        &opened[..]
                    }
                    None => datagram,
                };
                let Some((sequence, payload)) = audio(packet) else { return };
                let piece = payload.first_chunk::<FRAME>().and_then(|piece| pieces.get(piece));
                stream.count(sequence, now);
                // Before the two are joined, and when one has gone, nobody can tell whose it is.
                let Some((piece, StreamId(peer))) = piece.zip(stream.peer) else { return };
                let under_way = streams.get(peer).and_then(Option::as_ref).and_then(|peer| peer.under_way(*piece, now));
                let Some(Some(stream)) = streams.get_mut(index) else { return };
                match under_way {
                    Some(time) => {
                        stream.heard.own += 1;
                        stream.heard.last_own = now;
                        if *measures {
                            delay.saturating_record(time.max(1));
                        }
                    }
                    None => stream.heard.foreign += 1,
                }
            })?;
        }
        Ok(())
    }
}

/// The sequence number and the payload of an RTP packet of PCMU; none for RTCP and anything else.
fn audio(packet: &[u8]) -> Option<(u16, &[u8])> {
    match packet {
        [first, second, high, low, rest @ ..] if first >> 6 == 2 && second & 0x7f == 0 => {
            Some((u16::from_be_bytes([*high, *low]), rest.get(HEADER - 4..)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::net::Ipv4Addr;

    const MS: Micros = 1_000;

    /// Two streams of one call and one of another, all joined at their sockets as a relay would.
    fn voices() -> Voices {
        let first = SocketAddrV4::new(Ipv4Addr::LOCALHOST, crate::run::tests::free_ports(3));
        Voices::open(first, 3, StdRng::seed_from_u64(7)).unwrap()
    }

    fn clock(voices: &mut Voices, milliseconds: std::ops::Range<u64>) {
        let began = crate::sockets::since_1970();
        let now = || u64::try_from((crate::sockets::since_1970() - began).as_micros()).unwrap();
        for at in milliseconds {
            voices.speak(at * MS, now).unwrap();
            voices.listen(began).unwrap();
        }
    }

    #[test]
    fn each_side_knows_the_other_by_what_it_says() {
        let mut voices = voices();
        let ((one, at_one), (other, at_other)) = (voices.add(None), voices.add(None));
        voices.join(one, other);
        voices.turn(one, Some(at_other));
        voices.turn(other, Some(at_one));
        clock(&mut voices, 0..2000);
        let (one, other) = (voices.remove(one), voices.remove(other));
        for heard in [one, other] {
            assert!((99..=101).contains(&heard.packets), "{heard:?}");
            assert_eq!((heard.lost, heard.foreign), (0, 0));
            assert!(heard.own > 50, "{heard:?}");
        }
        assert!(voices.delay.value_at_quantile(0.5) < 10_000);
    }

    #[test]
    fn speech_of_another_call_is_noticed() {
        let mut voices = voices();
        let ((one, at_one), (other, _), (stranger, _)) = (voices.add(None), voices.add(None), voices.add(None));
        voices.join(one, other);
        voices.turn(stranger, Some(at_one));
        let strange = voices.sockets[stranger.0].local;
        voices.turn(one, Some(strange));
        clock(&mut voices, 0..1000);
        let heard = voices.remove(one);
        assert!(heard.own == 0 && heard.foreign > 20, "{heard:?}");
    }

    #[test]
    fn calls_between_the_same_two_addresses_are_told_apart_and_one_that_has_ended_is_not_the_next() {
        let mut voices = voices();
        let streams: Vec<_> = (0..5).map(|_| voices.add(None)).collect();
        let [(one, at_one), (other, at_other), _, (second, at_second), (its_other, at_its_other)] = streams[..] else { panic!() };
        assert_eq!((at_one, at_other), (at_second, at_its_other));
        for (from, to, milliseconds) in [(one, other, 0..1000), (second, its_other, 1000..2000)] {
            voices.join(from, to);
            voices.turn(from, Some(at_other));
            voices.turn(to, Some(at_one));
            clock(&mut voices, milliseconds);
        }
        for (stream, least) in [(one, 99), (other, 99), (second, 49), (its_other, 49)] {
            let heard = voices.heard(stream);
            assert!((least..=least + 2).contains(&heard.packets) && heard.own > least / 2 && heard.foreign == 0, "{heard:?}");
        }
        let (waits, at_waits) = voices.add(Some(at_other));
        assert_eq!(at_waits, streams[2].1);
        voices.turn(waits, Some(at_other));
        let _ = [voices.add(None), voices.add(None)];
        assert_ne!(voices.add(Some(at_other)).1, at_waits, "it would be its turn, but nobody has been heard there yet");
        voices.remove(one);
        let (next, at_next) = voices.add(None);
        assert_eq!(at_next, at_one);
        voices.turn(next, Some(at_other));
        clock(&mut voices, 2000..2500);
        assert_eq!(voices.heard(next), Heard::default(), "the other still speaks to the one that has gone");
    }

    /// RFC 3711 §3.3.2: what has the number of an earlier packet would be dropped.
    #[test]
    fn the_numbers_of_a_browsers_packets_go_on_in_the_next_run() {
        let mut line = Line::open(&std::sync::Arc::new(crate::browser::Identity::new().unwrap()), Ipv4Addr::LOCALHOST).unwrap();
        for sequence in [[0, 1], [2, 3]] {
            let mut voices = voices();
            let agent = voices.add_line(line).unwrap();
            let stream = voices.stream(agent).unwrap();
            assert_eq!(sequence.map(|_| audio(&stream.packet(0)).unwrap().0), sequence);
            line = voices.into_lines().pop().unwrap();
        }
    }
}
