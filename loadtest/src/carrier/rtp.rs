//! One call's RTP (RFC 3550): sound out every 20 ms as G.711 µ-law (RFC 3551); what comes in is counted, and its keys are logged (RFC 4733).

use super::speech::{FRAME, Sound, Speech};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::info;

pub const PCMU: u8 = 0;
const HEADER: usize = 12;
const PTIME: Duration = Duration::from_millis(20);

/// Where the media goes and which way, as the last offer and answer said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path {
    pub remote: Option<SocketAddr>,
    /// None: nothing is sent.
    pub sound: Option<Sound>,
    /// Payload type of the far side's keys.
    pub keys: Option<u8>,
}

/// What was heard, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub packets: u64,
    pub lost: u64,
}

/// A running stream; dropping it ends it.
pub struct Stream {
    pub port: u16,
    path: watch::Sender<Path>,
    heard: watch::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Stream {
    /// Binds a port of its own and waits for [`Stream::turn`] before it speaks. `call` is its name in the log. To be called on a runtime.
    pub fn open(ip: IpAddr, call: u32) -> std::io::Result<Self> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let port = socket.local_addr()?.port();
        let (path, path_seen) = watch::channel(Path::default());
        let (heard_now, heard) = watch::channel(Heard::default());
        let task = tokio::spawn(async move {
            tokio::join!(speak(&socket, path_seen.clone()), listen(&socket, path_seen, heard_now, call));
        });
        Ok(Self { port, path, heard, task })
    }

    pub fn turn(&self, path: Path) {
        self.path.send_replace(path);
    }

    pub fn heard(&self) -> Heard {
        *self.heard.borrow()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn speak(socket: &UdpSocket, path: watch::Receiver<Path>) {
    let mut speech = Speech::customer();
    let mut packetizer = Packetizer::new(rand::random(), rand::random(), rand::random());
    let mut tick = interval(PTIME);
    // A late packet is late; the ones after it keep their time.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tick.tick().await;
        let Path { remote, sound, .. } = *path.borrow();
        let Some((remote, sound)) = remote.zip(sound) else {
            packetizer.pause();
            continue;
        };
        // Nobody there yet, or no more: the signalling tells, not the media.
        let _ = socket.send_to(&packetizer.packet(&speech.frame(sound)), remote).await;
    }
}

async fn listen(socket: &UdpSocket, path: watch::Receiver<Path>, heard: watch::Sender<Heard>, call: u32) {
    let mut buffer = [0; 2048];
    let mut counter = Counter::default();
    let mut last_key = None;
    loop {
        let Ok((length, _)) = socket.recv_from(&mut buffer).await else { continue };
        let packet = buffer.get(..length).unwrap_or_default();
        let Some(sequence) = sequence_of(packet) else { continue };
        heard.send_replace(counter.count(sequence));
        let keys = path.borrow().keys;
        if let Some((began, key)) = keys.and_then(|keys| key_of(packet, keys))
            && last_key.replace(began) != Some(began)
        {
            info!("call {call}: key {key}");
        }
    }
}

/// The key that a packet of telephone events of this payload type tells, and the timestamp at which it was pressed:
/// all packets of one press have the same (RFC 4733, 2.5.1).
fn key_of(packet: &[u8], payload_type: u8) -> Option<(u32, char)> {
    const KEYS: &[u8; 16] = b"0123456789*#ABCD";
    match packet {
        [_, kind, _, _, t0, t1, t2, t3, _, _, _, _, event, _, _, _, ..] if kind & 0x7f == payload_type => {
            let key = KEYS.get(usize::from(*event))?;
            Some((u32::from_be_bytes([*t0, *t1, *t2, *t3]), char::from(*key)))
        }
        _ => None,
    }
}

/// Writes a stream's packets: sequence numbers without gaps, timestamps that run on through a pause (RFC 3550, 5.1).
struct Packetizer {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    marker: bool,
}

impl Packetizer {
    fn new(sequence: u16, timestamp: u32, ssrc: u32) -> Self {
        Self { sequence, timestamp, ssrc, marker: true }
    }

    fn packet(&mut self, payload: &[u8; FRAME]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(HEADER + FRAME);
        packet.extend([0x80, PCMU | if self.marker { 0x80 } else { 0 }]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.advance();
        self.marker = false;
        packet
    }

    /// 20 ms of silence that is not sent: the next packet begins a talkspurt.
    fn pause(&mut self) {
        self.advance();
        self.marker = true;
    }

    fn advance(&mut self) {
        self.timestamp = self.timestamp.wrapping_add(FRAME.try_into().unwrap_or(0));
    }
}

/// The sequence number of an RTP packet; none for RTCP (RFC 5761, 4) and for anything else.
fn sequence_of(packet: &[u8]) -> Option<u16> {
    match packet {
        [first, second, high, low, rest @ ..] if first >> 6 == 2 && !(64..96).contains(&(second & 0x7f)) && rest.len() >= HEADER - 4 => {
            Some(u16::from_be_bytes([*high, *low]))
        }
        _ => None,
    }
}

#[derive(Default)]
struct Counter {
    heard: Heard,
    next: Option<u16>,
}

impl Counter {
    fn count(&mut self, sequence: u16) -> Heard {
        self.heard.packets += 1;
        let ahead = self.next.map_or(0, |next| sequence.wrapping_sub(next));
        // A number behind the expected one is a late packet that was counted as lost.
        if ahead < u16::MAX / 2 {
            self.heard.lost += u64::from(ahead);
            self.next = Some(sequence.wrapping_add(1));
        } else {
            self.heard.lost = self.heard.lost.saturating_sub(1);
        }
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_pause_leaves_no_gap_in_the_sequence_but_one_in_the_time() {
        let mut packetizer = Packetizer::new(u16::MAX, 1000, 7);
        let frame = [0xff; FRAME];
        let first = packetizer.packet(&frame);
        assert_eq!(first[..HEADER], [0x80, 0x80, 0xff, 0xff, 0, 0, 3, 0xe8, 0, 0, 0, 7]);
        packetizer.pause();
        packetizer.pause();
        let next = packetizer.packet(&frame);
        assert_eq!((next[1], sequence_of(&next)), (0x80, Some(0)));
        assert_eq!(u32::from_be_bytes([next[4], next[5], next[6], next[7]]), 1000 + 3 * 160);
        assert_eq!(packetizer.packet(&frame)[1], 0);
    }

    #[test]
    fn losses_are_counted_and_late_packets_are_no_losses() {
        let mut counter = Counter::default();
        for sequence in [65534, 65535, 1, 2, 0] {
            counter.count(sequence);
        }
        assert_eq!(counter.heard, Heard { packets: 5, lost: 0 });
        assert_eq!(counter.count(10), Heard { packets: 6, lost: 7 });
    }

    #[test]
    fn rtcp_and_noise_are_not_counted() {
        assert_eq!(sequence_of(&[0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(sequence_of(b"hello"), None);
        assert_eq!(sequence_of(&[]), None);
    }

    #[test]
    fn the_packets_of_one_press_tell_one_key() {
        let packet = |kind: u8, timestamp: u8, event: u8| [0x80, kind, 0, 1, 0, 0, 0, timestamp, 0, 0, 0, 7, event, 0x8a, 3, 0x20];
        assert_eq!(key_of(&packet(0x80 | 101, 9, 11), 101), Some((9, '#')));
        assert_eq!(key_of(&packet(101, 9, 5), 101), Some((9, '5')));
        assert_eq!(key_of(&packet(101, 9, 16), 101), None, "a hook flash");
        assert_eq!(key_of(&packet(0, 9, 5), 101), None, "audio");
        assert_eq!(key_of(&packet(101, 9, 5)[..14], 101), None);
    }

    #[tokio::test]
    async fn a_stream_speaks_only_while_the_path_says_so() {
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let stream = Stream::open(IpAddr::V4(Ipv4Addr::LOCALHOST), 1).unwrap();
        let path = Path { remote: Some(far.local_addr().unwrap()), sound: Some(Sound::Speech), ..Path::default() };
        stream.turn(path);
        let mut packet = [0; 500];
        let (length, from) = far.recv_from(&mut packet).await.unwrap();
        assert_eq!((length, from.port()), (HEADER + FRAME, stream.port));
        stream.turn(Path { sound: None, ..path });
        let mut heard = stream.heard.clone();
        far.send_to(&packet[..length], from).await.unwrap();
        heard.wait_for(|heard| heard.packets == 1).await.unwrap();
    }
}
