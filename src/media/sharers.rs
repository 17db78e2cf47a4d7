//! Whose a packet is that came to a port which many legs share: told by the address it comes from.
//!
//! | a leg | takes | then |
//! |---|---|---|
//! | seeks its far side | the first packet that fits its session, by what it [claims](Claim) | is found there |
//! | is found at an address | the stream (SSRC) that it was found by | |
//! | the same, and nobody seeks or its stream has been silent for [`REST`] | another stream from its address | has that one |
//! | is gone | | what still comes of its stream is nobody's |
//!
//! A far side that sends the streams of several calls from one address (a gateway with one port) has each taken for its own.

use crate::ports::REST;
use cordboard_core::ids::LegId;
use rustc_hash::FxHashMap;
use std::net::SocketAddr;
use std::time::Instant;

/// So many streams that are nobody's are remembered at most; they come from anywhere.
const STRAYS: usize = 1024;

/// What a leg that seeks its far side has to do with a packet; of several legs the one with the most has it, and where two have as much, none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Claim {
    None,
    /// It fits its session, wherever it comes from.
    Any,
    /// It comes from the host of its SDP.
    Host,
    /// It comes from the address of its SDP.
    Told,
}

/// The legs of one port.
#[derive(Debug, Default)]
pub struct Sharers {
    found: FxHashMap<SocketAddr, Vec<Found>>,
    seeking: Vec<LegId>,
    /// Streams that are nobody's, and when they were last heard.
    strays: FxHashMap<Stream, Instant>,
    /// By the SSRC that we send with, which the far side's reports name.
    ours: FxHashMap<u32, LegId>,
}

type Stream = (SocketAddr, u32);

#[derive(Debug)]
struct Found {
    leg: LegId,
    ssrc: u32,
    last: Instant,
}

/// Whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Legs(LegId),
    /// It is the leg's, which was found by it.
    FoundNow(LegId),
    Nobodys,
}

impl Sharers {
    /// A new leg, which sends with the SSRC `ours`.
    pub fn join(&mut self, leg: LegId, ours: u32) {
        self.seeking.push(leg);
        self.ours.insert(ours, leg);
    }

    /// A leg is gone, which was found `at` an address.
    pub fn leave(&mut self, leg: LegId, ours: u32, at: Option<SocketAddr>, now: Instant) {
        self.ours.remove(&ours);
        self.seeking.retain(|seeks| *seeks != leg);
        if let Some((at, ssrc)) = at.and_then(|at| Some((at, self.lose(leg, at)?)))
            && self.strays.len() < STRAYS
        {
            self.strays.insert((at, ssrc), now);
        }
    }

    /// A leg that was found `at` an address seeks its far side again.
    pub fn seek(&mut self, leg: LegId, at: SocketAddr) {
        self.lose(leg, at);
        self.seeking.push(leg);
    }

    /// Gives the stream that it was found by.
    fn lose(&mut self, leg: LegId, at: SocketAddr) -> Option<u32> {
        let legs = self.found.get_mut(&at)?;
        let found = legs.iter().position(|found| found.leg == leg)?;
        let Found { ssrc, .. } = legs.swap_remove(found);
        if legs.is_empty() {
            self.found.remove(&at);
        }
        Some(ssrc)
    }

    /// Whose the packet of this stream is; `claim` is asked of legs that seek their far sides.
    pub fn whose(&mut self, from: SocketAddr, ssrc: u32, now: Instant, claim: impl Fn(LegId) -> Claim) -> Whose {
        let here = self.found.get_mut(&from).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some(found) = here.iter_mut().find(|found| found.ssrc == ssrc) {
            found.last = now;
            return Whose::Legs(found.leg);
        }
        let ended = |last: Instant| now.saturating_duration_since(last) >= REST;
        let stray = self.strays.get(&(from, ssrc)).is_some_and(|last| !ended(*last));
        let least = if stray || !here.is_empty() { Claim::Told } else { Claim::Any };
        if let Some(leg) = only_best(self.seeking.iter().map(|leg| (claim(*leg), *leg)).filter(|(claim, _)| *claim >= least)) {
            self.seeking.retain(|seeks| *seeks != leg);
            self.strays.remove(&(from, ssrc));
            self.found.entry(from).or_default().push(Found { leg, ssrc, last: now });
            return Whose::FoundNow(leg);
        }
        if let [only] = here
            && !stray
        {
            if !self.seeking.is_empty() && !ended(only.last) {
                return Whose::Nobodys;
            }
            (only.ssrc, only.last) = (ssrc, now);
            return Whose::Legs(only.leg);
        }
        // What comes while somebody seeks may turn out to be theirs.
        if stray || self.seeking.is_empty() && self.strays.len() < STRAYS {
            self.strays.insert((from, ssrc), now);
        }
        Whose::Nobodys
    }

    /// Whose reports these are, with the SSRCs that they are about: RTCP comes from the port after RTP's, if not from elsewhere (RFC 3605).
    pub fn whose_reports(&self, from: SocketAddr, mut about: impl Iterator<Item = u32>) -> Option<LegId> {
        about.find_map(|ssrc| self.ours.get(&ssrc).copied()).or_else(|| {
            let rtp = SocketAddr::new(from.ip(), from.port().checked_sub(1)?);
            let [only] = self.found.get(&rtp)?.as_slice() else { return None };
            Some(only.leg)
        })
    }

    /// Forgets the streams that have ended.
    pub fn tidy(&mut self, now: Instant) {
        self.strays.retain(|_, last| now.saturating_duration_since(*last) < REST);
    }
}

/// The one with the greatest claim; `None` when two have the same.
fn only_best(claims: impl Iterator<Item = (Claim, LegId)>) -> Option<LegId> {
    let mut best: Option<(Claim, Option<LegId>)> = None;
    for (claim, leg) in claims {
        match &mut best {
            Some((most, _)) if claim < *most => {}
            Some((most, only)) if claim == *most => *only = None,
            Some(_) | None => best = Some((claim, Some(leg))),
        }
    }
    best?.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const A: LegId = LegId(1);
    const B: LegId = LegId(2);
    const C: LegId = LegId(3);

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    struct Rig {
        sharers: Sharers,
        now: Instant,
    }

    impl Rig {
        fn new(legs: &[LegId]) -> Self {
            let mut sharers = Sharers::default();
            for leg in legs {
                sharers.join(*leg, our_ssrc(*leg));
            }
            Rig { sharers, now: Instant::now() }
        }

        /// A packet, and what the legs claim of it.
        fn packet(&mut self, from: SocketAddr, ssrc: u32, claims: &[(LegId, Claim)]) -> Whose {
            let claim = |leg| claims.iter().find(|(claims, _)| *claims == leg).map_or(Claim::None, |(_, claim)| *claim);
            self.sharers.whose(from, ssrc, self.now, claim)
        }

        fn after(&mut self, time: Duration) -> &mut Self {
            self.now += time;
            self
        }
    }

    fn our_ssrc(leg: LegId) -> u32 {
        1000 + u32::try_from(leg.0).unwrap()
    }

    #[test]
    fn each_leg_has_the_stream_that_it_was_found_by() {
        let mut rig = Rig::new(&[A]);
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::Any)]), Whose::FoundNow(A));
        rig.sharers.join(B, our_ssrc(B));
        assert_eq!(rig.packet(at(4000), 1, &[(B, Claim::Any)]), Whose::Legs(A));
        assert_eq!(rig.packet(at(5000), 1, &[(B, Claim::Any)]), Whose::FoundNow(B), "the same number from elsewhere is another stream");
        assert_eq!(rig.packet(at(4000), 1, &[]), Whose::Legs(A));
        assert_eq!(rig.packet(at(5000), 1, &[]), Whose::Legs(B));
        assert_eq!(rig.packet(at(6000), 1, &[]), Whose::Nobodys);
    }

    #[test]
    fn the_greatest_claim_has_it_and_of_two_equal_ones_none() {
        let claims = |a, b, c| [(A, a), (B, b), (C, c)];
        let mut rig = Rig::new(&[A, B, C]);
        assert_eq!(rig.packet(at(4000), 1, &claims(Claim::None, Claim::None, Claim::None)), Whose::Nobodys);
        assert_eq!(rig.packet(at(4000), 1, &claims(Claim::Any, Claim::Any, Claim::None)), Whose::Nobodys);
        assert_eq!(rig.packet(at(4000), 1, &claims(Claim::Any, Claim::Host, Claim::Any)), Whose::FoundNow(B));
        assert_eq!(rig.packet(at(5000), 1, &claims(Claim::Any, Claim::Host, Claim::Told)), Whose::FoundNow(C));
        assert_eq!(rig.packet(at(6000), 1, &claims(Claim::Any, Claim::None, Claim::None)), Whose::FoundNow(A));
    }

    #[test]
    fn a_far_side_may_change_its_stream_but_another_legs_is_not_taken_for_it() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        assert_eq!(rig.packet(at(4000), 2, &[]), Whose::Legs(A));
        rig.sharers.join(B, our_ssrc(B));
        // A gateway with one port: its second call's audio comes before its answer is understood.
        assert_eq!(rig.packet(at(4000), 3, &[]), Whose::Nobodys);
        assert_eq!(rig.packet(at(4000), 3, &[(B, Claim::Any)]), Whose::Nobodys, "it may be the first one's");
        assert_eq!(rig.packet(at(4000), 3, &[(B, Claim::Told)]), Whose::FoundNow(B));
        assert_eq!([2, 3].map(|ssrc| rig.packet(at(4000), ssrc, &[])), [Whose::Legs(A), Whose::Legs(B)]);
        assert_eq!(rig.packet(at(4000), 4, &[]), Whose::Nobodys, "it may be of either");
        let now = rig.now;
        rig.sharers.leave(B, our_ssrc(B), Some(at(4000)), now);
        assert_eq!(rig.packet(at(4000), 3, &[]), Whose::Nobodys, "the second call has ended");
        rig.sharers.join(C, our_ssrc(C));
        assert_eq!(rig.packet(at(4000), 5, &[]), Whose::Nobodys);
        rig.packet(at(4000), 2, &[]);
        assert_eq!(rig.after(REST).packet(at(4000), 5, &[]), Whose::Legs(A), "its own has ended");
    }

    #[test]
    fn what_still_comes_of_a_leg_that_is_gone_is_not_the_next_ones() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        let now = rig.now;
        rig.sharers.leave(A, our_ssrc(A), Some(at(4000)), now);
        rig.sharers.join(B, our_ssrc(B));
        for _ in 0..100 {
            assert_eq!(rig.after(REST / 2).packet(at(4000), 1, &[(B, Claim::Host)]), Whose::Nobodys);
            let now = rig.now;
            rig.sharers.tidy(now);
        }
        let mut other = Rig { sharers: std::mem::take(&mut rig.sharers), now: rig.now };
        assert_eq!(other.packet(at(4000), 2, &[(B, Claim::Any)]), Whose::FoundNow(B), "the same telephone's next call");
        other.sharers.join(C, our_ssrc(C));
        assert_eq!(other.packet(at(4000), 1, &[(C, Claim::Told)]), Whose::FoundNow(C), "its SDP says so");
    }

    #[test]
    fn what_nobody_waits_for_is_a_stray_until_it_ends() {
        let mut rig = Rig::new(&[]);
        assert_eq!(rig.packet(at(4000), 1, &[]), Whose::Nobodys);
        rig.sharers.join(A, our_ssrc(A));
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::Host)]), Whose::Nobodys);
        // It came while somebody waited: it may be theirs.
        assert_eq!(rig.packet(at(5000), 1, &[]), Whose::Nobodys);
        let now = rig.after(REST).now;
        rig.sharers.tidy(now);
        assert!(rig.sharers.strays.is_empty());
        assert_eq!(rig.packet(at(5000), 1, &[(A, Claim::Any)]), Whose::FoundNow(A));
    }

    #[test]
    fn strays_from_everywhere_take_no_more_memory_than_a_few() {
        let mut rig = Rig::new(&[]);
        for ssrc in 0..10_000 {
            rig.packet(at(4000), ssrc, &[]);
        }
        assert_eq!(rig.sharers.strays.len(), STRAYS);
    }

    #[test]
    fn a_leg_that_seeks_again_is_found_anew() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        rig.sharers.seek(A, at(4000));
        assert_eq!(rig.packet(at(4000), 1, &[]), Whose::Nobodys);
        assert_eq!(rig.packet(at(5000), 7, &[(A, Claim::Told)]), Whose::FoundNow(A));
    }

    #[test]
    fn reports_are_theirs_whom_they_are_about_or_who_was_found_beside() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        rig.sharers.join(B, our_ssrc(B));
        let of = |rig: &Rig, from, about: &[u32]| rig.sharers.whose_reports(from, about.iter().copied());
        assert_eq!(of(&rig, at(4001), &[]), Some(A));
        assert_eq!(of(&rig, at(4001), &[9, our_ssrc(B)]), Some(B));
        assert_eq!(of(&rig, at(7000), &[9]), None);
        rig.packet(at(4000), 2, &[(B, Claim::Told)]);
        assert_eq!(of(&rig, at(4001), &[]), None, "of which?");
        let now = rig.now;
        rig.sharers.leave(B, our_ssrc(B), Some(at(4000)), now);
        assert_eq!(of(&rig, at(4001), &[our_ssrc(B)]), Some(A));
    }
}
