//! Offer and answer (RFC 3264) for G.711 audio with telephone events.

mod body;
mod parse;

pub use body::Unsupported;
pub use parse::Description;

use crate::message::Headers;
use body::find as find_in_body;
use compact_str::CompactString;
use parse::MediaLine;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// Bytes that are no session description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SdpError(&'static str);

/// Why no stream comes about. Answered with 488, an unreadable offer with 400, a body of another kind with 415.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SdpRefusal {
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    #[error("malformed: {0}")]
    Malformed(#[from] SdpError),
    #[error("no audio over RTP/AVP at a usable address")]
    NoAudio,
    #[error("no common codec")]
    NoCodec,
}

impl SdpRefusal {
    pub fn status(self) -> u16 {
        match self {
            Self::Unsupported(_) => 415,
            Self::Malformed(_) => 400,
            Self::NoAudio | Self::NoCodec => 488,
        }
    }
}

/// The two laws of G.711.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    Mu,
    A,
}

impl Law {
    /// The static payload type (RFC 3551).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }

    fn of(encoding: &str) -> Option<Self> {
        match encoding {
            "pcmu/8000" => Some(Self::Mu),
            "pcma/8000" => Some(Self::A),
            _ => None,
        }
    }
}

/// A stream's direction, as its own side states it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Our end of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LocalMedia {
    /// The address that the far side is told to send RTP to.
    pub addr: SocketAddr,
    /// Id of the session in `o=`.
    pub session: u64,
    /// Version in `o=`: grows with every change of our description.
    pub version: u64,
}

impl LocalMedia {
    pub fn new(addr: SocketAddr, session: u64) -> Self {
        Self { addr, session, version: 1 }
    }
}

/// The far end of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RemoteMedia {
    pub addr: SocketAddr,
    /// Where RTCP goes when it is not `addr`'s port plus one.
    pub rtcp: Option<SocketAddr>,
    pub law: Law,
    /// Payload type of the audio, both ways.
    pub payload_type: u8,
    /// Payload type of telephone events at 8000 Hz (RFC 4733).
    pub dtmf_type: Option<u8>,
    /// The far side's direction: sendonly and inactive mean that it holds us.
    pub direction: Direction,
    /// Milliseconds a packet.
    pub ptime: u8,
}

impl RemoteMedia {
    /// Whether the far side has put us on hold.
    pub fn holds(&self) -> bool {
        !self.direction.receives()
    }
}

/// Payload type of telephone events in our own offers.
const OUR_DTMF: u8 = 101;
const DEFAULT_PTIME: u8 = 20;

/// An offer of `laws`, the preferred first.
pub fn offer(local: &LocalMedia, laws: &[Law], direction: Direction) -> String {
    let mut sdp = session_lines(local);
    let formats: Vec<String> = laws.iter().map(|l| l.payload_type().to_string()).collect();
    let _ = write!(sdp, "m=audio {} RTP/AVP {} {OUR_DTMF}\r\n", local.addr.port(), formats.join(" "));
    for law in laws {
        rtpmap(&mut sdp, law.payload_type(), *law);
    }
    dtmf_lines(&mut sdp, OUR_DTMF);
    let _ = write!(sdp, "a=ptime:{DEFAULT_PTIME}\r\na={}\r\n", direction.attribute());
    sdp
}

/// Reads the session description in a message's body. `None` when there is no body, or none that must be read.
///
/// # Errors
/// When the body is of a kind that must be read and is not known here, or is malformed.
pub fn read(headers: &Headers, body: &[u8]) -> Result<Option<Description>, SdpRefusal> {
    Ok(find_in_body(headers, body)?.map(Description::parse).transpose()?)
}

impl Description {
    /// Answers it as an offer: our description and the far end.
    ///
    /// The first audio line with a codec of ours is taken, in the offerer's order of codecs; all other lines are refused with port 0.
    /// Our direction mirrors the offer's.
    ///
    /// # Errors
    /// When no line can be taken.
    pub fn answer(&self, local: &LocalMedia) -> Result<(String, RemoteMedia), SdpRefusal> {
        let mut chosen = None;
        let mut refusal = SdpRefusal::NoAudio;
        for (at, line) in self.media.iter().enumerate() {
            match usable(self, line, local) {
                Ok(remote) => {
                    chosen = Some((at, remote));
                    break;
                }
                Err(SdpRefusal::NoCodec) => refusal = SdpRefusal::NoCodec,
                Err(SdpRefusal::NoAudio | SdpRefusal::Malformed(_) | SdpRefusal::Unsupported(_)) => {}
            }
        }
        let (chosen, remote) = chosen.ok_or(refusal)?;
        let mut sdp = session_lines(local);
        for (at, line) in self.media.iter().enumerate() {
            if at != chosen {
                let format = line.formats.first().map_or("0", CompactString::as_str);
                let _ = write!(sdp, "m={} 0 {} {format}\r\n", line.kind, line.protocol);
                continue;
            }
            let _ = write!(sdp, "m=audio {} RTP/AVP {}", local.addr.port(), remote.payload_type);
            if let Some(dtmf) = remote.dtmf_type {
                let _ = write!(sdp, " {dtmf}");
            }
            sdp.push_str("\r\n");
            rtpmap(&mut sdp, remote.payload_type, remote.law);
            if let Some(dtmf) = remote.dtmf_type {
                dtmf_lines(&mut sdp, dtmf);
            }
            let _ = write!(sdp, "a=ptime:{}\r\na={}\r\n", remote.ptime, remote.direction.reversed().attribute());
        }
        Ok((sdp, remote))
    }

    /// Takes it as the answer to an offer of ours.
    ///
    /// # Errors
    /// When it takes no stream that we offered.
    pub fn accept(&self, local: &LocalMedia) -> Result<RemoteMedia, SdpRefusal> {
        let line = self.media.first().ok_or(SdpRefusal::NoAudio)?;
        usable(self, line, local)
    }

    /// Where it wants its audio to be sent to.
    pub fn audio_address(&self) -> Option<SocketAddr> {
        self.addr(self.media.iter().find(|line| line.kind == "audio" && line.port != 0)?)
    }
}

/// The far end of a line that we can take.
fn usable(description: &Description, line: &MediaLine, local: &LocalMedia) -> Result<RemoteMedia, SdpRefusal> {
    if line.kind != "audio" || line.port == 0 || !line.protocol.eq_ignore_ascii_case("RTP/AVP") {
        return Err(SdpRefusal::NoAudio);
    }
    let addr = description.addr(line).filter(|a| a.is_ipv4() == local.addr.is_ipv4()).ok_or(SdpRefusal::NoAudio)?;
    let formats = || line.formats.iter().filter_map(|f| f.parse::<u8>().ok());
    let (payload_type, law) = formats().find_map(|f| line.encoding(f).and_then(Law::of).map(|law| (f, law))).ok_or(SdpRefusal::NoCodec)?;
    let dtmf_type = formats().find(|f| line.encoding(*f) == Some("telephone-event/8000"));
    let mut direction = description.direction(line);
    if addr.ip().is_unspecified() {
        // Hold as RFC 2543 wrote it: c=0.0.0.0 receives nothing.
        direction = Direction::new(direction.sends(), false);
    }
    let rtcp = line.rtcp.map(|(port, ip)| SocketAddr::new(ip.unwrap_or(addr.ip()), port));
    Ok(RemoteMedia { addr, rtcp, law, payload_type, dtmf_type, direction, ptime: line.ptime.unwrap_or(DEFAULT_PTIME) })
}

fn session_lines(local: &LocalMedia) -> String {
    let family = match local.addr.ip() {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    };
    let ip = local.addr.ip();
    format!("v=0\r\no=- {} {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n", local.session, local.version)
}

fn rtpmap(sdp: &mut String, format: u8, law: Law) {
    let _ = write!(sdp, "a=rtpmap:{format} {}/8000\r\n", law.name());
}

fn dtmf_lines(sdp: &mut String, format: u8) {
    let _ = write!(sdp, "a=rtpmap:{format} telephone-event/8000\r\na=fmtp:{format} 0-15\r\n");
}

#[cfg(test)]
mod tests;
