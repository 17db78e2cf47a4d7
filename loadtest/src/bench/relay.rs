//! Conversations through what only relays RTP: no signalling, the same voices as in calls.

use super::programs::Program;
use crate::run::{Audio, Heard, Percentiles, Voices, micros, since_1970, wait_for};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);
/// Until all is as it will be.
const WARM_UP: Duration = Duration::from_secs(2);

/// How two sides are joined.
pub enum Way<'a> {
    /// By rtpengine, over its NG protocol.
    Rtpengine(&'a Program),
    /// By the bare loop: neighbouring ports.
    Bare(&'a Program),
}

/// What a relay took and did.
pub struct Relayed {
    /// Of one core, for each conversation.
    pub cpu_a_call: f64,
    pub audio: Audio,
}

/// So many conversations for so long.
pub fn relay(way: &Way<'_>, calls: u16, length: Duration) -> io::Result<Relayed> {
    let (program, sockets) = match way {
        Way::Rtpengine(program) => (*program, 16),
        Way::Bare(program) => (*program, 2 * calls),
    };
    let places = super::programs::places(program.at);
    let mut voices = Voices::open(places.audio, sockets, StdRng::seed_from_u64(1))?;
    let mut streams = Vec::new();
    for call in 0..calls {
        let ((one, at_one), (other, at_other)) = (voices.add(), voices.add());
        let (from_one, from_other) = match way {
            Way::Rtpengine(program) => Ng::open(program.at)?.join(call, at_one, at_other)?,
            Way::Bare(program) => (program.at, program.at),
        };
        voices.join(one, other);
        voices.turn(one, Some(from_one));
        voices.turn(other, Some(from_other));
        streams.extend([one, other]);
    }
    let (began, began_since_1970) = (Instant::now(), since_1970());
    let process = program.process();
    let now = || micros(began.elapsed());
    let (mut warming_up, mut before) = (true, None);
    while began.elapsed() < WARM_UP + length {
        if warming_up && began.elapsed() >= WARM_UP {
            before = process.cpu();
            voices.begin_to_measure();
            warming_up = false;
        }
        voices.speak(now(), now)?;
        voices.listen(began_since_1970)?;
        let due = voices.next_deadline().unwrap_or_default();
        let sockets: Vec<_> = voices.sockets().iter().collect();
        wait_for(&sockets, Some(Duration::from_micros(due.saturating_sub(now()))))?;
    }
    let seconds = length.as_secs_f64();
    let took = process.cpu().zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
    let mut audio = Audio { packets_sent: voices.sent, delay: Percentiles::of(&voices.delay), ..Audio::default() };
    for stream in streams {
        let Heard { packets, lost, own, foreign, .. } = voices.remove(stream);
        audio.packets_heard += packets;
        audio.packets_lost += lost;
        audio.own_speech += own;
        audio.foreign_speech += foreign;
        audio.deaf_sides += u32::from(own == 0);
    }
    Ok(Relayed { cpu_a_call: took.as_secs_f64() / seconds / f64::from(calls), audio })
}

/// rtpengine's control protocol, in JSON over UDP.
struct Ng {
    socket: UdpSocket,
    asked: u32,
}

impl Ng {
    fn open(at: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind((*at.ip(), 0))?;
        socket.connect(at)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, asked: 0 })
    }

    /// Where the one side and the other side send to.
    fn join(&mut self, call: u16, one: SocketAddrV4, other: SocketAddrV4) -> io::Result<(SocketAddrV4, SocketAddrV4)> {
        let id = format!("bench-{}-{call}", std::process::id());
        let to_other = self.ask(&json!({ "command": "offer", "call-id": id, "from-tag": "a", "sdp": sdp(one) }))?;
        let to_one = self.ask(&json!({ "command": "answer", "call-id": id, "from-tag": "a", "to-tag": "b", "sdp": sdp(other) }))?;
        Ok((to_one, to_other))
    }

    fn ask(&mut self, question: &Value) -> io::Result<SocketAddrV4> {
        self.asked += 1;
        // A cookie that was seen gets the old answer: each call has a socket, and so a name, of its own.
        let cookie = format!("{}-{}", self.socket.local_addr()?.port(), self.asked);
        self.socket.send(format!("{cookie} {question}").as_bytes())?;
        let mut buffer = vec![0; 8192];
        let length = self.socket.recv(&mut buffer)?;
        let answer = buffer.get(..length).and_then(|answer| std::str::from_utf8(answer).ok()?.split_once(' ')).map(|(_, body)| body);
        let answer: Value = serde_json::from_str(answer.unwrap_or_default()).map_err(io::Error::other)?;
        let media = answer.get("sdp").and_then(|sdp| crate::run::media(sdp.as_str()?.as_bytes()));
        media.ok_or_else(|| io::Error::other(format!("rtpengine answers {answer}")))
    }
}

fn sdp(at: SocketAddrV4) -> String {
    let (ip, port) = (at.ip(), at.port());
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
}
