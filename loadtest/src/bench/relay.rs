//! Conversations through what only relays RTP: no signalling, the same voices as in calls.

use super::programs::Program;
use crate::browser::{CHECK_AGAIN, Identity, Line};
use crate::run::{Audio, BUSY, Heard, Percentiles, Voices, media, micros, own_cpu};
use crate::sockets::{since_1970, wait_for};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);
/// Until a browser's checks and handshake are done.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// Until all is as it will be.
const WARM_UP: Duration = Duration::from_secs(2);

/// How two sides are joined.
pub enum Way<'a> {
    /// By rtpengine, over its NG protocol.
    Rtpengine(&'a Program),
    /// The same, where the other side is a browser.
    Bridge(&'a Program),
    /// By the bare loop: neighbouring ports.
    Bare(&'a Program),
}

/// What a relay took and did.
pub struct Relayed {
    /// Of its core, and the generator's of the other one.
    pub cpu: f64,
    pub own_cpu: f64,
    pub audio: Audio,
}

/// So many conversations for so long.
pub fn relay(way: &Way<'_>, calls: u16, length: Duration) -> io::Result<Relayed> {
    let (program, sockets) = match way {
        Way::Rtpengine(program) | Way::Bridge(program) => (*program, 16),
        Way::Bare(program) => (*program, 2 * calls),
    };
    let places = super::programs::places(program.at);
    let mut voices = Voices::open(places.audio, sockets, StdRng::seed_from_u64(1))?;
    let mut streams = Vec::new();
    let identity = Arc::new(Identity::new().map_err(io::Error::other)?);
    for call in 0..calls {
        let (one, at_one) = voices.add(None);
        let (other, from_one) = match way {
            Way::Rtpengine(program) => {
                let (other, at_other) = voices.add(None);
                let (from_one, from_other) = Ng::open(program.at)?.join(call, at_one, at_other)?;
                voices.turn(other, Some(from_other));
                (other, from_one)
            }
            Way::Bridge(program) => {
                let (line, from_one) = bridge(program.at, call, at_one, &identity)?;
                (voices.add_line(line)?, from_one)
            }
            Way::Bare(program) => {
                let (other, _) = voices.add(None);
                voices.turn(other, Some(program.at));
                (other, program.at)
            }
        };
        voices.join(one, other);
        voices.turn(one, Some(from_one));
        streams.extend([one, other]);
    }
    let (began, began_since_1970) = (Instant::now(), since_1970());
    let process = program.process();
    let now = || micros(began.elapsed());
    let (mut warming_up, mut before, mut own_before) = (true, None, Duration::ZERO);
    while began.elapsed() < WARM_UP + length {
        if warming_up && began.elapsed() >= WARM_UP {
            before = process.cpu();
            own_before = own_cpu();
            voices.begin_to_measure();
            warming_up = false;
        }
        voices.speak(now(), now)?;
        voices.listen(began_since_1970)?;
        let due = voices.next_deadline().unwrap_or_default();
        std::thread::sleep(Duration::from_micros(due.saturating_sub(now())));
    }
    let seconds = length.as_secs_f64();
    let own = own_cpu().saturating_sub(own_before).as_secs_f64() / seconds;
    let cpu = process.cpu().zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before)).as_secs_f64() / seconds;
    let mut audio = Audio { packets_sent: voices.sent, delay: Percentiles::of(&voices.delay), ..Audio::default() };
    for stream in streams {
        let Heard { packets, lost, own, foreign, .. } = voices.remove(stream);
        audio.packets_heard += packets;
        audio.packets_lost += lost;
        audio.own_speech += own;
        audio.foreign_speech += foreign;
        audio.deaf_sides += u32::from(own == 0);
    }
    println!(
        "{calls} relayed: {} packets heard, {} lost, delay {:.2} ms median, {:.2} ms p99; {:.0} % of a core, own {:.0} %",
        audio.packets_heard,
        audio.packets_lost,
        audio.delay.p50,
        audio.delay.p99,
        100.0 * cpu,
        100.0 * own
    );
    if own > BUSY {
        println!("  but the generator itself used {:.0} % of a core", 100.0 * own);
    }
    if audio.deaf_sides + u32::from(audio.foreign_speech > 0) > 0 {
        return Err(io::Error::other(format!(
            "{} of {} sides heard nothing, {} packets came to others, or were more than a second under way",
            audio.deaf_sides,
            2 * calls,
            audio.foreign_speech
        )));
    }
    Ok(Relayed { cpu, own_cpu: own, audio })
}

/// A browser's line that rtpengine joined with the one side, and where that sends to.
fn bridge(ng: SocketAddrV4, call: u16, one: SocketAddrV4, identity: &Arc<Identity>) -> io::Result<(Line, SocketAddrV4)> {
    let mut line = Line::open(identity, Ipv4Addr::LOCALHOST)?;
    let from_one = Ng::open(ng)?.bridge(call, one, &mut line)?;
    let began = Instant::now();
    loop {
        line.work()?;
        if line.browser.is_up() {
            return Ok((line, from_one));
        }
        if began.elapsed() > CONNECTED_WITHIN {
            return Err(io::Error::other(format!("a browser is not connected after {CONNECTED_WITHIN:?}")));
        }
        wait_for(&[&line.socket], Some(CHECK_AGAIN))?;
    }
}

/// rtpengine's control protocol, in JSON over UDP.
struct Ng {
    socket: UdpSocket,
}

impl Ng {
    fn open(at: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind((*at.ip(), 0))?;
        socket.connect(at)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket })
    }

    /// Where the one side and the other side send to.
    fn join(&self, call: u16, one: SocketAddrV4, other: SocketAddrV4) -> io::Result<(SocketAddrV4, SocketAddrV4)> {
        let id = format!("bench-{}-{call}", std::process::id());
        let to_other = self.ask(&json!({ "command": "offer", "call-id": id, "from-tag": "a", "sdp": sdp(one) }))?;
        let to_one = self.ask(&json!({ "command": "answer", "call-id": id, "from-tag": "a", "to-tag": "b", "sdp": sdp(other) }))?;
        Ok((place(&to_one)?, place(&to_other)?))
    }

    /// Joins the one side with a browser's line, which begins to connect; where the one side sends to.
    fn bridge(&self, call: u16, one: SocketAddrV4, line: &mut Line) -> io::Result<SocketAddrV4> {
        let id = format!("bench-{}-{call}", std::process::id());
        let to_browser = json!({ "command": "offer", "call-id": id, "from-tag": "a", "sdp": line.browser.offer(),
            "transport-protocol": "RTP/AVP", "ICE": "remove", "ICE-lite": "backward", "SDES": ["off"], "rtcp-mux": ["demux"] });
        let from_one = place(&self.ask(&to_browser)?)?;
        let answer = self.ask(&json!({ "command": "answer", "call-id": id, "from-tag": "a", "to-tag": "b", "sdp": sdp(one),
            "ICE": "force", "ICE-lite": "backward", "DTLS": "active", "rtcp-mux": ["require"] }))?;
        line.answered(&answer).map_err(io::Error::other)?;
        Ok(from_one)
    }

    /// The description in the answer.
    fn ask(&self, question: &Value) -> io::Result<String> {
        // A cookie that was seen within a minute gets the old answer, whoever asks: it must never repeat. Our port would, within a few hundred sockets.
        let cookie = format!("{:016x}", rand::random::<u64>());
        self.socket.send(format!("{cookie} {question}").as_bytes())?;
        let mut buffer = vec![0; 8192];
        let length = self.socket.recv(&mut buffer)?;
        let answer = buffer.get(..length).and_then(|answer| std::str::from_utf8(answer).ok()?.strip_prefix(&cookie));
        let answer: Value = serde_json::from_str(answer.unwrap_or_default()).map_err(io::Error::other)?;
        let sdp = answer.get("sdp").and_then(Value::as_str);
        sdp.map(str::to_owned).ok_or_else(|| io::Error::other(format!("rtpengine answers {answer}")))
    }
}

/// Where a description wants its audio.
fn place(sdp: &str) -> io::Result<SocketAddrV4> {
    media(sdp.as_bytes()).ok_or_else(|| io::Error::other(format!("no audio in {sdp}")))
}

fn sdp(at: SocketAddrV4) -> String {
    let (ip, port) = (at.ip(), at.port());
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, SocketAddr};

    /// More calls than a bench has: ports of sockets that were opened one after another repeat some hundred times among so many.
    const CALLS: u16 = 4_000;

    #[test]
    fn no_question_takes_an_older_ones_cookie() {
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let Ok(SocketAddr::V4(at)) = far.local_addr() else { panic!("IPv4") };
        let cookies = std::thread::spawn(move || {
            let (mut cookies, mut buffer) = (HashSet::new(), [0; 2048]);
            for _ in 0..2 * CALLS {
                let (length, from) = far.recv_from(&mut buffer).unwrap();
                let (cookie, _) = std::str::from_utf8(&buffer[..length]).unwrap().split_once(' ').unwrap();
                far.send_to(format!("{cookie} {}", json!({ "result": "ok", "sdp": sdp(at) })).as_bytes(), from).unwrap();
                cookies.insert(cookie.to_owned());
            }
            cookies.len()
        });
        for call in 0..CALLS {
            assert_eq!(Ng::open(at).unwrap().join(call, at, at).unwrap(), (at, at));
        }
        assert_eq!(cookies.join().unwrap(), usize::from(2 * CALLS));
    }
}
