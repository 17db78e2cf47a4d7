//! Where a SIP leg's packets come from: learned once (NAT), then locked (RFC 7362's latching, with its cautions).

use crate::sharers::Claim;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long after our answer an address other than the SDP's may be learned.
const LEARNING_WINDOW: Duration = Duration::from_secs(2);

/// The far address of one RTP session.
#[derive(Debug, Clone, Copy)]
pub struct FarAddress {
    /// As the SDP has it.
    told: SocketAddr,
    /// Where the session was before: what still comes from there teaches nothing while the new side is looked for.
    left: Option<SocketAddr>,
    locked: Option<SocketAddr>,
    learns_until: Instant,
}

impl FarAddress {
    /// A session whose SDP was just agreed on.
    pub fn told(told: SocketAddr, now: Instant) -> Self {
        FarAddress { told, left: None, locked: None, learns_until: now + LEARNING_WINDOW }
    }

    /// A later SDP: the same address keeps what was learned, or has time to be learned once more; another one starts over.
    pub fn told_again(&mut self, told: SocketAddr, now: Instant) {
        if told != self.told {
            *self = FarAddress { left: Some(self.target()), ..FarAddress::told(told, now) };
        } else if self.locked.is_none() {
            self.learns_until = now + LEARNING_WINDOW;
        }
    }

    /// What a packet that is valid for the session, from `from`, has to do with it. Found elsewhere, it may still be found where the SDP says, within the
    /// window.
    pub fn claim(&self, from: SocketAddr, now: Instant) -> Claim {
        let learns = now <= self.learns_until;
        let elsewhere = if learns { self.left != Some(from) } else { self.left == Some(from) };
        match () {
            () if self.locked.is_some() && (from != self.told || !learns) => Claim::None,
            () if from == self.told => Claim::Told,
            () if !elsewhere => Claim::None,
            () if from.ip() == self.told.ip() => Claim::Host,
            () => Claim::Any,
        }
    }

    /// The far side was found there.
    pub fn lock(&mut self, at: SocketAddr) {
        self.locked = Some(at);
    }

    /// It was not the far side's.
    pub fn unlock(&mut self) {
        self.locked = None;
    }

    /// Where it was found.
    pub fn locked(&self) -> Option<SocketAddr> {
        self.locked
    }

    /// Where our packets go now.
    pub fn target(&self) -> SocketAddr {
        self.locked.unwrap_or(self.told)
    }

    /// Whether the far side was found somewhere else than its SDP said.
    pub fn moved(&self) -> bool {
        self.locked.is_some_and(|locked| locked != self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn within_the_window_any_address_may_be_the_far_sides_and_afterwards_the_told_one() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let far = FarAddress::told(at(4000), now);
        assert_eq!(far.target(), at(4000));
        let elsewhere = SocketAddr::from(([192, 0, 2, 2], 4000));
        assert_eq!([at(4000), at(5000), elsewhere].map(|from| far.claim(from, after(1))), [Claim::Told, Claim::Host, Claim::Any]);
        assert_eq!([at(4000), at(5000), elsewhere].map(|from| far.claim(from, after(3))), [Claim::Told, Claim::None, Claim::None]);
    }

    #[test]
    fn a_session_refresh_keeps_the_lock_and_a_new_address_opens_the_window_again() {
        let now = Instant::now();
        let mut far = FarAddress::told(at(4000), now);
        far.lock(at(5000));
        assert!(far.moved());
        let after = |seconds| now + Duration::from_secs(seconds);
        let later = [(4000, 1), (6000, 1), (4000, 3)].map(|(from, seconds)| far.claim(at(from), after(seconds)));
        assert_eq!(later, [Claim::Told, Claim::None, Claim::None]);
        far.told_again(at(4000), now + Duration::from_secs(60));
        assert_eq!((far.locked(), far.target()), (Some(at(5000)), at(5000)));
        far.told_again(at(7000), now + Duration::from_secs(90));
        assert_eq!((far.locked(), far.target()), (None, at(7000)));
        assert_eq!(far.claim(at(6000), now + Duration::from_secs(91)), Claim::Host);
    }

    #[test]
    fn who_was_silent_in_early_media_may_be_found_after_the_answer() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut far = FarAddress::told(at(4000), now);
        assert_eq!(far.claim(at(5000), after(3)), Claim::None);
        far.told_again(at(4000), after(10));
        assert_eq!(far.claim(at(5000), after(11)), Claim::Host);
        far.lock(at(5000));
        far.told_again(at(4000), after(20));
        assert_eq!(far.claim(at(6000), after(20)), Claim::None);
    }

    #[test]
    fn who_was_left_is_taken_again_only_when_nobody_else_came() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut far = FarAddress::told(at(4000), now);
        far.lock(at(5000));
        far.told_again(at(7000), after(60));
        assert_eq!(far.claim(at(5000), after(61)), Claim::None, "it has not stopped sending yet");
        assert_eq!(far.claim(at(5000), after(63)), Claim::Host, "the new SDP has another name for the same place");
        far.told_again(at(5000), after(90));
        assert_eq!(far.claim(at(5000), after(90)), Claim::Told, "the SDP says so");
    }
}
