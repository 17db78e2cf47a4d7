//! Where a SIP leg's packets come from: learned once (NAT), then locked (RFC 7362's latching, with its cautions).

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

    /// A later SDP: the same address keeps what was learned, another one starts over.
    pub fn told_again(&mut self, told: SocketAddr, now: Instant) {
        if told != self.told {
            *self = FarAddress { left: Some(self.target()), ..FarAddress::told(told, now) };
        }
    }

    /// Whether a packet that is valid for the session may be taken from `from`; learns within the window.
    pub fn accepts(&mut self, from: SocketAddr, now: Instant) -> bool {
        match self.locked {
            Some(locked) => from == locked,
            None => {
                let elsewhere = if now <= self.learns_until { self.left != Some(from) } else { self.left == Some(from) };
                let accepted = from == self.told || elsewhere;
                if accepted {
                    self.locked = Some(from);
                }
                accepted
            }
        }
    }

    /// Whether the far side was found.
    pub fn is_locked(&self) -> bool {
        self.locked.is_some()
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
    fn the_first_valid_packet_in_the_window_locks_the_address() {
        let now = Instant::now();
        let mut far = FarAddress::told(at(4000), now);
        assert_eq!(far.target(), at(4000));
        assert!(far.accepts(at(5000), now + Duration::from_secs(1)));
        assert!(far.moved());
        assert_eq!(far.target(), at(5000));
        assert!(!far.accepts(at(4000), now + Duration::from_secs(1)));
        assert!(far.accepts(at(5000), now + Duration::from_secs(100)));
    }

    #[test]
    fn after_the_window_only_the_address_of_the_sdp_counts() {
        let now = Instant::now();
        let mut far = FarAddress::told(at(4000), now);
        assert!(!far.accepts(at(5000), now + Duration::from_secs(3)));
        assert!(far.accepts(at(4000), now + Duration::from_secs(3)));
        assert!(!far.moved());
    }

    #[test]
    fn a_session_refresh_keeps_the_lock_and_a_new_address_opens_the_window_again() {
        let now = Instant::now();
        let mut far = FarAddress::told(at(4000), now);
        assert!(far.accepts(at(5000), now));
        far.told_again(at(4000), now + Duration::from_secs(60));
        assert!(!far.accepts(at(6000), now + Duration::from_secs(60)));
        far.told_again(at(7000), now + Duration::from_secs(90));
        assert!(far.accepts(at(6000), now + Duration::from_secs(91)));
    }

    #[test]
    fn who_was_left_is_taken_again_only_when_nobody_else_came() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut far = FarAddress::told(at(4000), now);
        assert!(far.accepts(at(5000), now));
        far.told_again(at(7000), after(60));
        assert!(!far.accepts(at(5000), after(61)), "it has not stopped sending yet");
        let mut alone = far;
        assert!(far.accepts(at(6000), after(61)));
        assert!(!far.accepts(at(5000), after(63)));
        assert!(alone.accepts(at(5000), after(63)), "the new SDP has another name for the same place");
        far.told_again(at(6000), after(90));
        assert!(far.accepts(at(6000), after(90)), "the SDP says so");
    }
}
