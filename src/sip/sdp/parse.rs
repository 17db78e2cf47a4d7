//! Session descriptions as they are read: only what audio over RTP needs, the rest is passed over (RFC 4566).

use super::{Direction, SdpError};
use crate::message::cut;
use compact_str::CompactString;
use smallvec::SmallVec;
use std::net::{IpAddr, SocketAddr};

/// One `m=` line with its attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MediaLine {
    pub kind: CompactString,
    pub port: u16,
    pub protocol: CompactString,
    pub formats: SmallVec<[CompactString; 4]>,
    pub connection: Option<IpAddr>,
    pub direction: Option<Direction>,
    pub rtpmaps: SmallVec<[(u8, CompactString); 2]>,
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    pub ptime: Option<u8>,
}

/// A session description as it was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Description {
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    pub(super) media: Vec<MediaLine>,
}

impl Description {
    /// # Errors
    /// When the bytes are no session description, or one of its streams cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, SdpError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
        if lines.next() != Some("v=0") {
            return Err(SdpError("no session description"));
        }
        let mut out = Self::default();
        for line in lines {
            let Some((kind, value)) = cut(line, b'=') else { continue };
            match kind {
                "m" => out.media.push(media_line(value).ok_or(SdpError("an m= line is malformed"))?),
                "c" => {
                    let address = connection(value);
                    match out.media.last_mut() {
                        // The first address of a line stands for the stream.
                        Some(media) => media.connection = media.connection.or(address),
                        None => out.connection = address,
                    }
                }
                "a" => out.attribute(value),
                _ => {}
            }
        }
        Ok(out)
    }

    fn attribute(&mut self, value: &str) {
        let (name, value) = cut(value, b':').map_or((value, ""), |(n, v)| (n, v.trim_ascii()));
        let direction = match name {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        };
        let Some(media) = self.media.last_mut() else {
            self.direction = direction.or(self.direction);
            return;
        };
        media.direction = direction.or(media.direction);
        match name {
            "rtpmap" => {
                if let Some((format, encoding)) = cut(value, b' ')
                    && let Ok(format) = format.parse()
                {
                    media.rtpmaps.push((format, CompactString::from(encoding.trim_ascii()).to_ascii_lowercase()));
                }
            }
            "ptime" => media.ptime = value.parse().ok().filter(|p| (10..=200).contains(p)),
            "rtcp" => {
                let mut words = value.split(' ');
                if let Some(port) = words.next().and_then(|p| p.parse().ok()) {
                    media.rtcp = Some((port, words.nth(2).and_then(|a| a.parse().ok())));
                }
            }
            _ => {}
        }
    }

    /// Where a line's stream wants to be sent to.
    pub(super) fn addr(&self, media: &MediaLine) -> Option<SocketAddr> {
        Some(SocketAddr::new(media.connection.or(self.connection)?, media.port))
    }

    pub(super) fn direction(&self, media: &MediaLine) -> Direction {
        media.direction.or(self.direction).unwrap_or(Direction::SendRecv)
    }
}

impl MediaLine {
    /// What a payload type means, as `name/rate`; the static ones need no rtpmap (RFC 3551).
    pub fn encoding(&self, format: u8) -> Option<&str> {
        let mapped = self.rtpmaps.iter().find(|(f, _)| *f == format).map(|(_, e)| e.as_str());
        mapped.map(|e| e.strip_suffix("/1").unwrap_or(e)).or(match format {
            0 => Some("pcmu/8000"),
            8 => Some("pcma/8000"),
            _ => None,
        })
    }
}

/// `IN IP4 192.0.2.1/ttl`; a host name is not resolved here and counts as none.
fn connection(value: &str) -> Option<IpAddr> {
    value.split_whitespace().nth(2)?.split('/').next()?.parse().ok()
}

fn media_line(value: &str) -> Option<MediaLine> {
    let mut words = value.split_whitespace();
    let kind = words.next()?.to_ascii_lowercase().into();
    let port = words.next()?.split('/').next()?.parse().ok()?;
    let protocol = words.next()?.into();
    Some(MediaLine {
        kind,
        port,
        protocol,
        formats: words.map(CompactString::from).collect(),
        connection: None,
        direction: None,
        rtpmaps: SmallVec::new(),
        rtcp: None,
        ptime: None,
    })
}
