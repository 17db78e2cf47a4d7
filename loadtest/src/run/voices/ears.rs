//! Which stream what comes to a shared socket is for: by its sender's address, and by the SSRC among those who are sent to from there.

use super::HEADER;
use super::stream::Stream;
use crate::run::leg::Micros;
use std::collections::HashMap;
use std::net::SocketAddrV4;

/// A packet that has been under way for so long does not come any more.
const UNDER_WAY: Micros = 1_000_000;

/// Who listens at a socket to what comes from an address.
#[derive(Default)]
pub(super) struct Ears(HashMap<(usize, SocketAddrV4), Ear>);

#[derive(Default)]
struct Ear {
    streams: Vec<usize>,
    /// What may still be under way to streams that have ended, by SSRC, and until when.
    ended: Vec<(u32, Micros)>,
}

impl Ears {
    /// A stream waits for what comes to a socket from an address.
    pub fn listen(&mut self, at: (usize, SocketAddrV4), index: usize) {
        self.0.entry(at).or_default().streams.push(index);
    }

    /// Whether one of them has not heard any yet.
    pub fn wait(&self, at: (usize, SocketAddrV4), streams: &[Option<Stream>]) -> bool {
        self.0.get(&at).is_some_and(|ear| ear.streams.iter().any(|index| heard_ssrc(streams, *index).is_none()))
    }

    pub fn whose(&self, at: (usize, SocketAddrV4), streams: &mut [Option<Stream>], datagram: &[u8], now: Micros) -> Option<usize> {
        self.0.get(&at)?.whose(streams, datagram, now)
    }

    /// The stream listens no more; `ssrc`: what it has heard.
    pub fn forget(&mut self, at: (usize, SocketAddrV4), index: usize, ssrc: Option<u32>, now: Micros) {
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
