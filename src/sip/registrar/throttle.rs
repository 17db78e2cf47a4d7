//! Wrong passwords, counted by who sends them. An account is never locked for everybody: a stranger could lock a phone out.

use cordboard_core::cx::Millis;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

const WINDOW: Millis = 60_000;
/// Wrong tries of one source for one account in a window.
const FOR_ACCOUNT: u32 = 5;
/// …and for all accounts together: an office behind one address has more than one phone.
const FOR_SOURCE: u32 = 30;
/// Entries before those that have ended are thrown away.
const TIDY_AT: usize = 1_024;

#[derive(Debug)]
struct Tries {
    since: Millis,
    count: u32,
}

impl Tries {
    fn has_ended(&self, now: Millis) -> bool {
        now >= self.since + WINDOW
    }
}

#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// By source, and by source and account.
    tries: HashMap<(IpAddr, Option<String>), Tries>,
}

impl Throttle {
    /// Seconds until the next try is looked at; `None`: it is looked at now.
    pub fn wait(&self, source: IpAddr, user: &str, now: Millis) -> Option<u64> {
        let keys = [((network(source), Some(user.to_owned())), FOR_ACCOUNT), ((network(source), None), FOR_SOURCE)];
        let full = keys.iter().filter_map(|(key, most)| self.tries.get(key).filter(|t| t.count >= *most && !t.has_ended(now)));
        full.map(|tries| (tries.since + WINDOW - now).div_ceil(1000)).max()
    }

    /// Counts a wrong try.
    pub fn note(&mut self, source: IpAddr, user: &str, now: Millis) {
        if self.tries.len() >= TIDY_AT {
            self.tries.retain(|_, tries| !tries.has_ended(now));
        }
        for user in [Some(user.to_owned()), None] {
            let tries = self.tries.entry((network(source), user)).or_insert(Tries { since: now, count: 0 });
            if tries.has_ended(now) {
                *tries = Tries { since: now, count: 0 };
            }
            tries.count += 1;
        }
    }
}

/// Whoever has an IPv6 address has the whole /64.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
    }

    #[test]
    fn five_wrong_tries_of_one_source_for_one_account_are_looked_at_in_a_minute() {
        let mut throttle = Throttle::default();
        for at in 0..5 {
            assert_eq!(throttle.wait(ip("192.0.2.1"), "mei", at * 1000), None);
            throttle.note(ip("192.0.2.1"), "mei", at * 1000);
        }
        assert_eq!(throttle.wait(ip("192.0.2.1"), "mei", 5_000), Some(55));
        assert_eq!(throttle.wait(ip("192.0.2.1"), "tom", 5_000), None, "another account");
        assert_eq!(throttle.wait(ip("192.0.2.2"), "mei", 5_000), None, "another source");
        assert_eq!((throttle.wait(ip("192.0.2.1"), "mei", 59_999), throttle.wait(ip("192.0.2.1"), "mei", 60_000)), (Some(1), None));
        throttle.note(ip("192.0.2.1"), "mei", 60_000);
        assert_eq!(throttle.wait(ip("192.0.2.1"), "mei", 60_000), None, "a new minute");
    }

    #[test]
    fn a_source_that_tries_many_accounts_is_held_up_for_all() {
        let mut throttle = Throttle::default();
        for n in 0..30_u64 {
            assert_eq!(throttle.wait(ip("2001:db8::1"), "new", n), None);
            throttle.note(ip(&format!("2001:db8::{n}")), &format!("user{n}"), n);
        }
        assert_eq!(throttle.wait(ip("2001:db8::ffff"), "new", 30), Some(60));
        assert_eq!(throttle.wait(ip("2001:db8:0:1::1"), "new", 30), None);
    }

    #[test]
    fn what_has_ended_takes_no_room() {
        let mut throttle = Throttle::default();
        for n in 0..5_000_u64 {
            throttle.note(ip("192.0.2.1"), &format!("user{n}"), n * 1_000);
        }
        assert!(throttle.tries.len() <= TIDY_AT + 1, "{}", throttle.tries.len());
    }
}
