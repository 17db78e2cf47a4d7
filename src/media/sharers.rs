//! Whose a packet is that came to a port which many legs share: told by the address it comes from and its stream (SSRC).
//!
//! | a leg | takes | then |
//! |---|---|---|
//! | seeks its far side | the first packet that it [claims](Claim) more than others | is found there, by that claim |
//! | is found at an address | the stream that it was found by | |
//! | is the only one found there, or whose stream has ended | another stream from there that fits its session | has that one |
//! | was found by less than [`Claim::Told`] | what comes from the address of its SDP after all, while it may learn | is found there |
//! | has a stream by less, which another is told of | | seeks again |
//! | is gone, or seeks again | | its stream is nobody's, or nobody else's |
//!
//! A far side that sends the streams of several calls from one address (a gateway with one port) has each taken for its own.

use crate::ports::REST;
use cordboard_core::ids::LegId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Longer than a far side may be learned.
const GUESSED: Duration = Duration::from_secs(5);
/// So many streams of strangers are remembered at most; they come from anywhere.
const STRANGERS: usize = 1024;

/// What a leg has to do with a packet; of several legs the one with the most has it, and where two have as much, none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Claim {
    /// It does not fit its session.
    Unfit,
    /// Its session is not agreed on yet: it may be the leg's, and is not taken.
    Unknown,
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
    /// Mostly one at an address: these lie in the table, since each packet asks for them.
    found: FxHashMap<SocketAddr, SmallVec<[Found; 1]>>,
    seeking: Vec<LegId>,
    /// Those found by less than [`Claim::Told`] lately, where and when.
    guessed: Vec<(LegId, SocketAddr, Instant)>,
    /// Streams that are not for everybody.
    strays: FxHashMap<Stream, Stray>,
    /// By the SSRC that we send with, which the far side's reports name.
    ours: FxHashMap<u32, LegId>,
}

type Stream = (SocketAddr, u32);

#[derive(Debug)]
struct Found {
    leg: LegId,
    ssrc: u32,
    last: Instant,
    /// The leg is among the guessed.
    guessed: bool,
}

#[derive(Debug)]
struct Stray {
    of: Of,
    last: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    /// It came when nobody sought anything.
    Stranger,
    Gone,
    /// The leg seeks, and may come back to it.
    Left(LegId),
}

/// Whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Legs(LegId),
    /// The leg was found by it; `robbed`: another one, which seeks again.
    FoundNow {
        leg: LegId,
        robbed: Option<LegId>,
    },
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
        self.strays.retain(|_, stray| stray.of != Of::Left(leg));
        if let Some(stream) = at.and_then(|at| self.lose(leg, at)) {
            self.strays.insert(stream, Stray { of: Of::Gone, last: now });
        }
    }

    /// A leg that was found `at` an address seeks its far side again, which may have been heard already.
    pub fn seek(&mut self, leg: LegId, at: SocketAddr, now: Instant) {
        self.strays.retain(|_, stray| stray.of != Of::Stranger);
        if let Some(stream) = self.lose(leg, at) {
            self.strays.insert(stream, Stray { of: Of::Left(leg), last: now });
        }
        self.seeking.push(leg);
    }

    /// Gives the stream that it was found by.
    fn lose(&mut self, leg: LegId, at: SocketAddr) -> Option<Stream> {
        self.guessed.retain(|(guessed, ..)| *guessed != leg);
        let legs = self.found.get_mut(&at)?;
        let found = legs.iter().position(|found| found.leg == leg)?;
        let Found { ssrc, .. } = legs.swap_remove(found);
        if legs.is_empty() {
            self.found.remove(&at);
        }
        Some((at, ssrc))
    }

    /// Whose the packet of this stream is; `claim` is asked of some legs.
    pub fn whose(&mut self, from: SocketAddr, ssrc: u32, now: Instant, claim: impl Fn(LegId) -> Claim) -> Whose {
        let holder = self.found.get_mut(&from).and_then(|here| here.iter_mut().find(|found| found.ssrc == ssrc)).map(|found| {
            found.last = now;
            (found.leg, found.guessed)
        });
        if let Some((leg, false)) = holder {
            return Whose::Legs(leg);
        }
        let holder = holder.map(|(leg, _)| leg);
        match (self.claimant(from, ssrc, now, holder, &claim), holder) {
            (Some((leg, by)), _) => {
                self.find(leg, by, from, ssrc, now);
                Whose::FoundNow { leg, robbed: holder.inspect(|robbed| self.rob(*robbed, from, ssrc)) }
            }
            (None, Some(leg)) => Whose::Legs(leg),
            (None, None) => self.change(from, ssrc, now, &claim),
        }
    }

    /// The leg that is found by it. Only the far side's own address makes it another's than who has it, or has another stream from there, or had it.
    fn claimant(
        &self,
        from: SocketAddr,
        ssrc: u32,
        now: Instant,
        holder: Option<LegId>,
        claim: impl Fn(LegId) -> Claim,
    ) -> Option<(LegId, Claim)> {
        let stray = self.strays.get(&(from, ssrc)).filter(|stray| !ended(stray.last, now));
        let free = holder.is_none() && !self.found.contains_key(&from);
        let least = |leg: LegId| match stray {
            Some(stray) if stray.of == Of::Left(leg) => Claim::Any,
            None if free => Claim::Any,
            Some(_) | None => Claim::Told,
        };
        let seeking = self.seeking.iter().map(|leg| (claim(*leg), *leg)).filter(|(claim, leg)| *claim >= least(*leg));
        let guessed =
            self.guessed.iter().map(|(leg, ..)| (claim(*leg), *leg)).filter(|(claim, leg)| *claim == Claim::Told && holder != Some(*leg));
        only_best(seeking.chain(guessed))
    }

    fn find(&mut self, leg: LegId, by: Claim, from: SocketAddr, ssrc: u32, now: Instant) {
        self.seeking.retain(|seeks| *seeks != leg);
        if let Some((_, at, _)) = self.guessed.iter().find(|(guessed, ..)| *guessed == leg).copied() {
            self.lose(leg, at);
        }
        self.strays.remove(&(from, ssrc));
        let guessed = by < Claim::Told;
        self.found.entry(from).or_default().push(Found { leg, ssrc, last: now, guessed });
        if guessed {
            self.guessed.push((leg, from, now));
        }
    }

    /// The stream that `leg` was found by is another's.
    fn rob(&mut self, leg: LegId, at: SocketAddr, ssrc: u32) {
        self.guessed.retain(|(guessed, ..)| *guessed != leg);
        if let Some(here) = self.found.get_mut(&at) {
            here.retain(|found| found.leg != leg || found.ssrc != ssrc);
        }
        self.seeking.push(leg);
    }

    /// A stream that nobody is found by: another one of a leg that is found there, or nobody's.
    fn change(&mut self, from: SocketAddr, ssrc: u32, now: Instant, claim: impl Fn(LegId) -> Claim) -> Whose {
        if let Some(stray) = self.strays.get_mut(&(from, ssrc)).filter(|stray| !ended(stray.last, now)) {
            stray.last = now;
            return Whose::Nobodys;
        }
        let Some(here) = self.found.get_mut(&from) else {
            // What comes while somebody seeks may turn out to be theirs.
            if self.seeking.is_empty() && self.strays.len() < STRANGERS {
                self.strays.insert((from, ssrc), Stray { of: Of::Stranger, last: now });
            }
            return Whose::Nobodys;
        };
        // Who is not told yet where its far side is may be the one whose this is.
        let disputed = here.len() > 1 || self.seeking.iter().any(|leg| claim(*leg) == Claim::Unknown);
        let mut may = here.iter_mut().filter(|found| claim(found.leg) != Claim::Unfit && (!disputed || ended(found.last, now)));
        let (Some(found), None) = (may.next(), may.next()) else { return Whose::Nobodys };
        (found.ssrc, found.last) = (ssrc, now);
        if disputed && !found.guessed {
            found.guessed = true;
            self.guessed.push((found.leg, from, now));
        }
        Whose::Legs(found.leg)
    }

    /// Whose reports these are, with the SSRCs that they are about: RTCP comes from the port after RTP's, if not from elsewhere (RFC 3605).
    pub fn whose_reports(&self, from: SocketAddr, mut about: impl Iterator<Item = u32>) -> Option<LegId> {
        about.find_map(|ssrc| self.ours.get(&ssrc).copied()).or_else(|| {
            let rtp = SocketAddr::new(from.ip(), from.port().checked_sub(1)?);
            let [only] = self.found.get(&rtp)?.as_slice() else { return None };
            Some(only.leg)
        })
    }

    /// Forgets the streams that have ended; what was guessed long ago was right.
    pub fn tidy(&mut self, now: Instant) {
        self.strays.retain(|_, stray| !ended(stray.last, now));
        for (leg, at, _) in self.guessed.extract_if(.., |(_, _, since)| now.saturating_duration_since(*since) >= GUESSED) {
            let here = self.found.get_mut(&at).map(SmallVec::as_mut_slice).unwrap_or_default();
            here.iter_mut().filter(|found| found.leg == leg).for_each(|found| found.guessed = false);
        }
    }
}

fn ended(last: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last) >= REST
}

/// The one with the greatest claim; `None` when two have the same.
fn only_best(claims: impl Iterator<Item = (Claim, LegId)>) -> Option<(LegId, Claim)> {
    let mut best: Option<(Claim, Option<LegId>)> = None;
    for (claim, leg) in claims {
        match &mut best {
            Some((most, _)) if claim < *most => {}
            Some((most, only)) if claim == *most => *only = None,
            Some(_) | None => best = Some((claim, Some(leg))),
        }
    }
    best.and_then(|(claim, leg)| Some((leg?, claim)))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn found(leg: LegId) -> Whose {
        Whose::FoundNow { leg, robbed: None }
    }

    #[test]
    fn each_leg_has_the_stream_that_it_was_found_by() {
        let mut rig = Rig::new(&[A]);
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::Any)]), found(A));
        rig.sharers.join(B, our_ssrc(B));
        assert_eq!(rig.packet(at(4000), 1, &[(B, Claim::Any)]), Whose::Legs(A));
        assert_eq!(rig.packet(at(5000), 1, &[(B, Claim::Any)]), found(B), "the same number from elsewhere is another stream");
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
        assert_eq!(rig.packet(at(4000), 1, &claims(Claim::Any, Claim::Host, Claim::Any)), found(B));
        assert_eq!(rig.packet(at(5000), 1, &claims(Claim::Any, Claim::Host, Claim::Told)), found(C));
        assert_eq!(rig.packet(at(6000), 1, &claims(Claim::Any, Claim::None, Claim::None)), found(A));
    }

    #[test]
    fn a_far_side_may_change_its_stream_but_another_legs_is_not_taken_for_it() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        assert_eq!(rig.packet(at(4000), 2, &[]), Whose::Legs(A));
        rig.sharers.join(B, our_ssrc(B));
        // A gateway with one port: its second call's audio comes before its answer is understood.
        assert_eq!(rig.packet(at(4000), 3, &[(B, Claim::Unknown)]), Whose::Nobodys);
        assert_eq!(rig.packet(at(4000), 3, &[(B, Claim::Told)]), found(B));
        assert_eq!([2, 3].map(|ssrc| rig.packet(at(4000), ssrc, &[])), [Whose::Legs(A), Whose::Legs(B)]);
        assert_eq!(rig.packet(at(4000), 4, &[]), Whose::Nobodys, "it may be of either");
        let now = rig.now;
        rig.sharers.leave(B, our_ssrc(B), Some(at(4000)), now);
        assert_eq!(rig.packet(at(4000), 3, &[]), Whose::Nobodys, "the second call has ended");
        rig.sharers.join(C, our_ssrc(C));
        assert_eq!(rig.packet(at(4000), 4, &[(C, Claim::Unknown)]), Whose::Nobodys);
        assert_eq!(rig.after(REST).packet(at(4000), 4, &[(C, Claim::Unknown)]), Whose::Legs(A), "its own has ended");
        assert_eq!(rig.packet(at(4000), 5, &[(C, Claim::None)]), Whose::Legs(A), "and whoever seeks has another address");
        assert_eq!(rig.packet(at(4000), 6, &[(A, Claim::Unfit)]), Whose::Nobodys, "no audio of its session");
        assert_eq!(rig.packet(at(4000), 5, &[]), Whose::Legs(A));
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
        assert_eq!(other.packet(at(4000), 2, &[(B, Claim::Any)]), found(B), "the same telephone's next call");
        other.sharers.join(C, our_ssrc(C));
        assert_eq!(other.packet(at(4000), 1, &[(C, Claim::Told)]), found(C), "its SDP says so");
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
        assert_eq!(rig.packet(at(5000), 1, &[(A, Claim::Any)]), found(A));
    }

    #[test]
    fn strays_from_everywhere_take_no_more_memory_than_a_few() {
        let mut rig = Rig::new(&[]);
        for ssrc in 0..10_000 {
            rig.packet(at(4000), ssrc, &[]);
        }
        assert_eq!(rig.sharers.strays.len(), STRANGERS);
    }

    #[test]
    fn a_leg_that_seeks_again_is_found_anew() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Told)]);
        // It has moved before it could tell, and nobody sought it.
        assert_eq!(rig.packet(at(5000), 1, &[]), Whose::Nobodys);
        let now = rig.now;
        rig.sharers.seek(A, at(4000), now);
        rig.sharers.join(B, our_ssrc(B));
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::None), (B, Claim::Host)]), Whose::Nobodys, "it is A's, or nobody's");
        assert_eq!(rig.packet(at(5000), 1, &[(A, Claim::Any)]), found(A));
        assert_eq!(rig.packet(at(4000), 1, &[(B, Claim::Host)]), Whose::Nobodys);
        rig.sharers.seek(A, at(5000), now);
        assert_eq!(rig.packet(at(5000), 1, &[(A, Claim::Any), (B, Claim::Host)]), found(A), "it comes back to it");
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

    #[test]
    fn what_was_guessed_gives_way_to_what_the_sdp_says() {
        let mut rig = Rig::new(&[A]);
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::Any)]), found(A), "a stranger's");
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::None)]), Whose::Legs(A));
        assert_eq!(rig.packet(at(5000), 2, &[(A, Claim::Told)]), found(A));
        assert_eq!(rig.packet(at(4000), 1, &[(A, Claim::None)]), Whose::Nobodys);
        assert_eq!(rig.packet(at(5000), 2, &[]), Whose::Legs(A));
        // Another leg's far side, which one had taken for its own.
        rig.sharers.join(B, our_ssrc(B));
        assert_eq!(rig.packet(at(6000), 3, &[(B, Claim::Host)]), found(B));
        rig.sharers.join(C, our_ssrc(C));
        let robbed = Whose::FoundNow { leg: C, robbed: Some(B) };
        assert_eq!(rig.packet(at(6000), 3, &[(C, Claim::Told)]), robbed);
        assert_eq!(rig.packet(at(6000), 3, &[(B, Claim::Told)]), Whose::Legs(C), "it was told");
        assert_eq!(rig.packet(at(7000), 4, &[(B, Claim::Told)]), found(B));
        assert!(rig.sharers.guessed.is_empty());
    }

    #[test]
    fn what_was_guessed_long_ago_stays() {
        let mut rig = Rig::new(&[A]);
        rig.packet(at(4000), 1, &[(A, Claim::Any)]);
        let now = rig.after(GUESSED).now;
        rig.sharers.tidy(now);
        rig.sharers.join(B, our_ssrc(B));
        assert_eq!(rig.packet(at(4000), 1, &[(B, Claim::Told)]), Whose::Legs(A));
        assert!(rig.sharers.guessed.is_empty());
    }
}
