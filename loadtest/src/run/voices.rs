//! The audio of all calls: each side sends speech every 20 ms (RFC 3551, PCMU), and what comes is told by its content: whose it is, which
//! piece of it, and so how long it was under way.

use super::leg::Micros;
use crate::agents::tone;
use crate::browser::{Browser, Line};
use crate::sockets::Socket;
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rand::Rng;
use rand::rngs::StdRng;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

const FRAME: usize = tone::FRAME;
const HEADER: usize = 12;
const PTIME: Micros = 20_000;
const SAMPLES: u16 = 160;
/// Frames that a key is pressed, and then packets that tell its end (RFC 4733 §2.5.1.4).
const PRESSED: u16 = 5;
const ENDS: u16 = 3;
/// Of the tone, in -dBm0.
const VOLUME: u8 = 10;
const END: u8 = 0x80;
const MARKER: u8 = 0x80;
/// Streams begin at one of so many moments in the 20 ms.
const SLOTS: usize = 20;
/// A packet that has been under way for so long does not come any more.
const UNDER_WAY: Micros = 1_000_000;
/// Moments of sending that a stream remembers: longer under way is no call.
const REMEMBERED: usize = 64;
#[allow(clippy::as_conversions, reason = "64")]
const REMEMBERED_MOST: u64 = REMEMBERED as u64;
/// Headerless µ-law at 8 kHz (see `assets/make-speech`).
static SPEECH: &[u8] = include_bytes!("../../assets/customer.ulaw");

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamId(usize);

/// What one side heard in a call.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Heard {
    pub packets: u64,
    /// By the sequence numbers of what came.
    pub lost: u64,
    /// Packets with speech of the other side of the same call.
    pub own: u64,
    /// Packets with speech of another call: nobody should hear that.
    pub foreign: u64,
    /// RFC 3550 §6.4.1, microseconds.
    pub jitter: f64,
}

impl Heard {
    /// What the same side heard later in the call, with another telephone.
    pub fn add(&mut self, more: Self) {
        self.packets += more.packets;
        self.lost += more.lost;
        self.own += more.own;
        self.foreign += more.foreign;
        self.jitter = self.jitter.max(more.jitter);
    }
}

struct Stream {
    socket: usize,
    slot: usize,
    /// Where this side's audio goes; none: nowhere.
    remote: Option<SocketAddrV4>,
    /// Where the other side's comes from, and its SSRC.
    from: Option<SocketAddrV4>,
    heard_ssrc: Option<u32>,
    /// Whose speech it should hear.
    peer: Option<StreamId>,
    ssrc: u32,
    /// Frames sent, and the piece of speech that was the first.
    sent: u64,
    first: u64,
    /// When the last ones were sent, by their number.
    sent_at: [Micros; REMEMBERED],
    heard: Heard,
    last: Option<(u16, f64)>,
    press: Option<Press>,
    /// What makes SRTP of it, on a browser's line.
    browser: Option<Box<Browser>>,
}

/// A key that is pressed: telephone events are sent instead of speech (RFC 4733).
struct Press {
    payload_type: u8,
    key: u8,
    /// All packets of a press have the first one's.
    timestamp: u32,
    /// Packets sent.
    sent: u16,
}

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
        let ports = first.port()..first.port().saturating_add(sockets);
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
        let waits = |socket: usize| {
            let ear = sender.and_then(|sender| self.ears.0.get(&(socket, sender)));
            ear.is_some_and(|ear| ear.streams.iter().any(|stream| heard_ssrc(&self.streams, *stream).is_none()))
        };
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
        self.put(index, number, Some(Box::new(line.browser)));
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

    fn put(&mut self, index: usize, socket: usize, browser: Option<Box<Browser>>) {
        let slot = self.random.random_range(0..SLOTS);
        let stream = Stream {
            socket,
            slot,
            remote: None,
            from: None,
            heard_ssrc: None,
            peer: None,
            ssrc: browser.as_ref().map_or_else(|| self.random.random(), |browser| browser.ssrc),
            sent: browser.as_ref().map_or(0, |browser| browser.sent),
            first: self.random.random_range(0..length()),
            sent_at: [0; REMEMBERED],
            heard: Heard::default(),
            last: None,
            press: None,
            browser,
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
            self.ears.0.entry((socket, from)).or_default().streams.push(index);
        }
    }

    /// A key from 0 to 9 is pressed, as events of that payload type.
    pub fn press(&mut self, stream: StreamId, key: u8, payload_type: u8) {
        if let Some(stream) = self.stream(stream) {
            stream.press = Some(Press { payload_type, key, timestamp: stream.timestamp(), sent: 0 });
        }
    }

    /// What a stream heard so far; it goes on with a new call.
    pub fn hear_anew(&mut self, stream: StreamId) -> Heard {
        let Some(stream) = self.stream(stream) else { return Heard::default() };
        stream.last = None;
        std::mem::take(&mut stream.heard)
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

    /// Datagrams that did not leave this machine's sockets.
    pub fn dropped(&self) -> u64 {
        self.sockets.iter().map(|socket| socket.dropped).sum()
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
                let Some(Some(index)) = ears.0.get(&(number, from)).map(|ear| ear.whose(streams, datagram, *present)) else { return };
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

/// Who listens at a socket to what comes from an address.
#[derive(Default)]
struct Ears(HashMap<(usize, SocketAddrV4), Ear>);

#[derive(Default)]
struct Ear {
    streams: Vec<usize>,
    /// What may still be under way to streams that have ended, by SSRC, and until when.
    ended: Vec<(u32, Micros)>,
}

impl Ears {
    fn forget(&mut self, at: (usize, SocketAddrV4), index: usize, ssrc: Option<u32>, now: Micros) {
        let Some(ear) = self.0.get_mut(&at) else { return };
        ear.streams.retain(|known| *known != index);
        ear.ended.retain(|(_, until)| *until > now);
        ear.ended.extend(ssrc.map(|ssrc| (ssrc, now + UNDER_WAY)));
    }
}

impl Ear {
    /// Whose a datagram is: a stream's whose SSRC it has, else of the one that has not heard any yet.
    fn whose(&self, streams: &mut [Option<Stream>], datagram: &[u8], now: Micros) -> Option<usize> {
        let ssrc = datagram.get(8..HEADER)?.first_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))?;
        let heard = |index: &usize| heard_ssrc(streams, *index);
        let mut new = self.streams.iter().filter(|index| heard(index).is_none());
        let whose = match (self.streams.as_slice(), self.streams.iter().find(|index| heard(index) == Some(ssrc))) {
            (_, Some(index)) => *index,
            _ if self.ended.iter().any(|(ended, until)| *ended == ssrc && *until > now) => return None,
            ([only], None) => *only,
            // Of nobody's here, or who knows whose: it is counted as foreign.
            ([first, ..], None) => new.next().filter(|_| new.next().is_none()).copied().unwrap_or(*first),
            ([], None) => return None,
        };
        if let Some(Some(stream)) = streams.get_mut(whose).filter(|_| datagram.first().is_some_and(|first| first >> 6 == 2)) {
            stream.heard_ssrc.get_or_insert(ssrc);
        }
        Some(whose)
    }
}

fn heard_ssrc(streams: &[Option<Stream>], index: usize) -> Option<u32> {
    streams.get(index)?.as_ref()?.heard_ssrc
}

impl Stream {
    fn packet(&mut self, now: Micros) -> Vec<u8> {
        let (second, timestamp, payload) = self.payload();
        let mut packet = Vec::with_capacity(HEADER + FRAME);
        packet.extend([0x80, second]);
        packet.extend(u16::try_from(self.sent & 0xffff).unwrap_or(0).to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend_from_slice(&payload);
        if let Some(at) = self.sent_at.get_mut(remembered(self.sent)) {
            *at = now;
        }
        self.sent += 1;
        self.press.take_if(|press| press.sent == PRESSED + ENDS);
        packet
    }

    /// What goes out now: the header's second byte, its timestamp, and what is in the packet.
    fn payload(&mut self) -> (u8, u32, Cow<'static, [u8]>) {
        match &mut self.press {
            Some(press) => {
                let first = if press.sent == 0 { MARKER } else { 0 };
                press.sent += 1;
                let end = if press.sent > PRESSED { END } else { 0 };
                let [high, low] = (SAMPLES * press.sent.min(PRESSED)).to_be_bytes();
                (first | press.payload_type, press.timestamp, vec![press.key, end | VOLUME, high, low].into())
            }
            None => {
                let piece = usize::try_from((self.first + self.sent) % length()).unwrap_or(0);
                let speech = SPEECH.get(piece * FRAME..(piece + 1) * FRAME).unwrap_or_default();
                (if self.sent == 0 { MARKER } else { 0 }, self.timestamp(), speech.into())
            }
        }
    }

    /// Of the next packet.
    fn timestamp(&self) -> u32 {
        u32::try_from((self.sent * u64::from(SAMPLES)) & 0xffff_ffff).unwrap_or(0)
    }

    /// How long that piece of this stream's speech has been under way; none: it was not sent lately.
    fn under_way(&self, piece: u64, now: Micros) -> Option<Micros> {
        let last = self.sent.checked_sub(1)?;
        let back = (self.first + last + length() - piece) % length();
        let number = last.checked_sub(back).filter(|_| back < REMEMBERED_MOST)?;
        let at = self.sent_at.get(remembered(number))?;
        Some(now.saturating_sub(*at))
    }

    fn count(&mut self, sequence: u16, now: Micros) {
        #[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "microseconds of a run are well below 2^53")]
        let transit = now as f64 - f64::from(sequence) * 20_000.0;
        self.heard.packets += 1;
        if let Some((last, last_transit)) = self.last {
            let ahead = sequence.wrapping_sub(last);
            match ahead {
                1..=0x7fff => self.heard.lost += u64::from(ahead - 1),
                // Late: it was counted as lost.
                0x8000.. => {
                    self.heard.lost = self.heard.lost.saturating_sub(1);
                    return;
                }
                0 => return,
            }
            // A number that began anew is no jitter.
            let difference = (transit - last_transit).abs();
            if ahead == 1 && difference < 1_000_000.0 {
                self.heard.jitter += (difference - self.heard.jitter) / 16.0;
            }
        }
        self.last = Some((sequence, transit));
    }
}

#[allow(clippy::as_conversions, reason = "below 64")]
const fn remembered(number: u64) -> usize {
    (number % REMEMBERED as u64) as usize
}

#[allow(clippy::as_conversions, reason = "some thousand pieces")]
const fn length() -> u64 {
    (SPEECH.len() / FRAME) as u64
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

    /// RFC 4733 §2.5.1, D6.
    #[test]
    fn a_key_is_one_press_in_events_between_speech() {
        let mut voices = voices();
        let (one, _) = voices.add(None);
        voices.stream(one).unwrap().packet(0);
        voices.press(one, 7, 96);
        let stream = voices.stream(one).unwrap();
        let packets: Vec<Vec<u8>> = (0..10).map(|_| stream.packet(0)).collect();
        let (events, speech) = packets.split_at(8);
        let timestamp = |packet: &[u8]| u32::from_be_bytes(*packet[4..].first_chunk().unwrap());
        assert_eq!(events.iter().map(|event| event[1]).collect::<Vec<_>>(), [0x80 | 96, 96, 96, 96, 96, 96, 96, 96]);
        assert!(events.iter().all(|event| timestamp(event) == 160 && event[HEADER] == 7), "{events:?}");
        let durations: Vec<u16> = events.iter().map(|event| u16::from_be_bytes([event[HEADER + 2], event[HEADER + 3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800, 800]);
        assert_eq!(events.iter().map(|event| event[HEADER + 1] & END).collect::<Vec<_>>(), [0, 0, 0, 0, 0, END, END, END]);
        assert_eq!((audio(&events[0]), audio(&speech[0]).unwrap().0, timestamp(&speech[0])), (None, 9, 9 * 160));
        let sequence: Vec<u8> = packets.iter().map(|packet| packet[3]).collect();
        assert_eq!(sequence, (1..=10).collect::<Vec<u8>>());
    }

    /// RFC 3711 §3.3.2: what has the number of an earlier packet would be dropped.
    #[test]
    fn the_numbers_of_a_browsers_packets_go_on_in_the_next_run() {
        let mut line = Line::open(&std::sync::Arc::new(crate::browser::Identity::new().unwrap())).unwrap();
        for sequence in [[0, 1], [2, 3]] {
            let mut voices = voices();
            let agent = voices.add_line(line).unwrap();
            let stream = voices.stream(agent).unwrap();
            assert_eq!(sequence.map(|_| audio(&stream.packet(0)).unwrap().0), sequence);
            line = voices.into_lines().pop().unwrap();
        }
    }

    #[test]
    fn what_does_not_come_is_lost_and_what_comes_late_is_not() {
        let mut voices = voices();
        let (one, _) = voices.add(None);
        let stream = voices.stream(one).unwrap();
        for (sequence, at) in [(65534u16, 0), (65535, 20), (1, 60), (0, 61), (5, 140)] {
            stream.count(sequence, at * MS);
        }
        assert_eq!((stream.heard.packets, stream.heard.lost), (5, 3));
    }
}
