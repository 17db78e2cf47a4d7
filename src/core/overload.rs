//! How many new calls the switch takes while it falls behind; the others are turned away (503 with Retry-After). Calls in progress come first, and
//! as many new ones are taken as it can serve: who turns away all of them or none swings between idleness and collapse.

use crate::cx::Millis;

/// In how many seconds a refused call may come again: 1 to 3, so that not all come at once.
pub fn come_again(id: u128) -> u32 {
    u32::try_from(1 + id % 3).unwrap_or(1)
}

/// Something regular that comes later than this came late.
const LATE: Millis = 14;
/// So late, it has a backlog.
const MUCH_LATER: Millis = 100;
/// And in time, when it comes no later than this.
const IN_TIME: Millis = 8;
/// So many late ones in a row, over so long, are no accident: a machine that is busy with something else is late once or twice.
const TOO_MANY: u32 = 3;
const TOO_LONG: Millis = 200;
/// How often the limit is looked at.
const WINDOW: Millis = 100;
/// So many windows in which nobody was turned away, in a row, and all calls are taken again.
const CALM: u32 = 20;

/// What becomes of the limit in one window. What came late before still comes late while the backlog is worked off: less is taken only when it
/// grows, and never much less than goes.
const LESS: f64 = 0.85;
const MUCH_LESS: f64 = 0.6;
const FEWER_THAN_GO: f64 = 0.5;
const SLIGHTLY_MORE: f64 = 1.002;
const MORE: f64 = 1.004;
/// In calls a second. Steps grow with each window in time beyond so many: from a low limit it takes seconds, not minutes, to a high one. But not
/// while the limit is so far ahead of the calls that end: who was taken too early waits, hears music, and is a load by that.
const A_STEP: f64 = 2.0;
const PATIENT: u32 = 10;
const AHEAD: f64 = 1.1;
/// What was served before all this can nearly be served again.
const QUICKLY_MORE: f64 = 1.15;
const NEARLY: f64 = 0.9;
/// What it comes late with again is the best that went well; but one late moment at a low limit says little.
const LESS_HOPE: f64 = 0.9;
/// Calls a second: so few are no burden to any machine, whatever makes it late.
const LEAST: f64 = 50.0;
/// Over how long it is counted how many calls end.
const MEMORY: Millis = 1_000;

// | state   | what                            | → |
// |---------|---------------------------------|---|
// | free    | TOO_MANY late in a row over TOO_LONG | limited, to LESS (or MUCH_LESS) than were taken meanwhile |
// | limited | window: late, no less than before | limited, to LESS or, with a backlog, MUCH_LESS, but at least FEWER_THAN_GO of those that end |
// | limited | window: late, but less so       | limited, as before |
// | limited | window: nothing late            | limited, to SLIGHTLY_MORE; if all in time, by steps that grow, or QUICKLY_MORE while less than NEARLY the best |
// | limited | CALM windows, nothing late and nobody turned away | free |
/// Fed with how late something regular came, and asked for each new call.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Overload {
    /// Late measurements in a row, when they began, and the calls taken since.
    late: u32,
    since: Millis,
    taken: u32,
    /// Calls that ended since the last measurement, when that was, and how many end in a second.
    ended: u32,
    measured: Millis,
    going: f64,
    limit: Option<Limit>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Limit {
    /// Calls a second; and the most that went well, as far as is known: as many as ended when it was late, or were taken before it came late again.
    rate: f64,
    best: f64,
    /// Calls that may come at once.
    credit: f64,
    began: Millis,
    /// The worst lateness of this window, and of the one before.
    worst: Millis,
    before: Millis,
    turned_away: bool,
    calm: u32,
    /// Windows in a row in which all was in time.
    in_time: u32,
}

impl Overload {
    /// Whether there is a limit from now on; none: as before.
    pub fn measured(&mut self, late: Millis, now: Millis) -> Option<bool> {
        let passed = now.saturating_sub(self.measured);
        self.measured = now;
        self.count(passed);
        if let Some(limit) = &mut self.limit {
            limit.measured(late, now, seconds(passed), self.going);
            if limit.calm < CALM {
                return None;
            }
            (self.limit, self.late) = (None, 0);
            return Some(false);
        }
        if late <= LATE {
            self.late = 0;
            return None;
        }
        if self.late == 0 {
            (self.since, self.taken) = (now, 0);
        }
        self.late += 1;
        let lasted = now.saturating_sub(self.since);
        if self.late < TOO_MANY || lasted < TOO_LONG {
            return None;
        }
        let rate = (f64::from(self.taken) / seconds(lasted) * less(late)).max(LEAST);
        self.limit = Some(Limit {
            rate,
            best: self.going,
            credit: rate * seconds(WINDOW),
            began: now,
            worst: 0,
            before: late,
            turned_away: false,
            calm: 0,
            in_time: 0,
        });
        Some(true)
    }

    /// A call that was taken has ended.
    pub fn ended(&mut self) {
        self.ended = self.ended.saturating_add(1);
    }

    fn count(&mut self, passed: Millis) {
        if passed > 0 {
            let weight = seconds(passed.min(MEMORY)) / seconds(MEMORY);
            self.going += (f64::from(std::mem::take(&mut self.ended)) / seconds(passed) - self.going) * weight;
        }
    }

    /// Whether a new call is taken.
    pub fn admits(&mut self) -> bool {
        if !self.has_room() {
            self.turned_away();
            return false;
        }
        match &mut self.limit {
            Some(limit) => limit.credit -= 1.0,
            None => self.taken = self.taken.saturating_add(1),
        }
        true
    }

    /// Whether a new call would be taken.
    pub fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| limit.credit >= 1.0)
    }

    /// A new call was refused: the limit stays for [`CALM`] windows at least.
    pub fn turned_away(&mut self) {
        if let Some(limit) = &mut self.limit {
            limit.turned_away = true;
        }
    }
}

impl Limit {
    /// `passed`: seconds since the last measurement; `going`: calls that end, a second.
    fn measured(&mut self, late: Millis, now: Millis, passed: f64, going: f64) {
        self.worst = self.worst.max(late);
        if now.saturating_sub(self.began) >= WINDOW {
            if self.worst > LATE && self.before <= LATE {
                self.best = self.rate.max(self.best * LESS_HOPE);
            } else if self.worst > LATE {
                self.best = self.best.max(going);
            }
            self.in_time = if self.worst > IN_TIME { 0 } else { self.in_time + 1 };
            self.rate = self.next(going).max(LEAST);
            self.calm = if self.turned_away || self.worst > LATE { 0 } else { self.calm + 1 };
            (self.began, self.before, self.worst, self.turned_away) = (now, self.worst, 0, false);
        }
        self.credit = (self.credit + self.rate * passed).min(self.rate * seconds(WINDOW));
    }

    fn next(&self, going: f64) -> f64 {
        match self.worst {
            worst if worst > LATE && worst < self.before => self.rate,
            worst if worst > LATE => (self.rate * less(worst)).max(self.rate.min(going * FEWER_THAN_GO)),
            worst if worst > IN_TIME => self.rate * SLIGHTLY_MORE,
            _ if self.rate < self.best * NEARLY => self.rate * QUICKLY_MORE,
            _ => {
                let further = if self.rate > going * AHEAD { 0 } else { self.in_time.saturating_sub(PATIENT) };
                (self.rate * MORE).max(self.rate + A_STEP * f64::from(1 + further))
            }
        }
    }
}

fn less(late: Millis) -> f64 {
    if late > MUCH_LATER { MUCH_LESS } else { LESS }
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a short time")]
fn seconds(time: Millis) -> f64 {
    time as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const EVERY: Millis = 20;

    /// Whether there is a limit, as it changes.
    fn changes(overload: &mut Overload, late: &[Millis]) -> Vec<(usize, bool)> {
        (0..).zip((0..).step_by(20)).zip(late).filter_map(|((n, now), late)| Some((n, overload.measured(*late, now)?))).collect()
    }

    #[test]
    fn some_late_moments_limit_nothing() {
        let almost = [[500; 10].as_slice(), &[0], &[500; 10], &[14; 20]].concat();
        let mut overload = Overload::default();
        assert_eq!(changes(&mut overload, &almost), []);
        assert!(overload.admits());
    }

    #[test]
    fn who_is_late_again_and_again_takes_less_until_nobody_is_turned_away() {
        let mut overload = Overload::default();
        let mut now = 0;
        let mut late = |overload: &mut Overload, late, calls| {
            now += EVERY;
            let admitted = (0..calls).filter(|_| overload.admits()).count();
            (overload.measured(late, now), admitted)
        };
        for _ in 0..10 {
            assert_eq!(late(&mut overload, 31, 10), (None, 10));
        }
        assert_eq!(late(&mut overload, 31, 10), (Some(true), 10));
        // 500 a second came, so somewhat less than 10 in 20 ms are taken.
        let taken: usize = (0..50).map(|_| late(&mut overload, 10, 10).1).sum();
        assert!((400..480).contains(&taken), "{taken}");
        let end = (0..).find(|_| late(&mut overload, 0, 0).0 == Some(false)).unwrap();
        assert!((95..110).contains(&end), "two seconds of calm: {end}");
        assert_eq!(late(&mut overload, 0, 1000), (None, 1000));
    }

    /// A switch that can serve 500 calls a second: each costs a millisecond at once and one more 300 ms later.
    #[derive(Default)]
    struct Served {
        overload: Overload,
        now: Millis,
        /// Work that waits, in tenths of a millisecond.
        backlog: Millis,
        /// When each call has its second half.
        later: VecDeque<Millis>,
        /// When the next measurement is due, and when its turn comes behind the work that waited then.
        due: Millis,
        turn: Option<Millis>,
        finished: u32,
        worst: Millis,
    }

    impl Served {
        /// So many calls each millisecond, or one in so many milliseconds.
        fn offer(&mut self, calls: u32, every: Millis, time: Millis) {
            (self.finished, self.worst) = (0, 0);
            for _ in 0..time {
                self.now += 1;
                for _ in 0..if self.now.is_multiple_of(every) { calls } else { 0 } {
                    // To turn somebody away is work as well.
                    self.backlog += 1;
                    if self.overload.admits() {
                        self.backlog += 10;
                        self.later.push_back(self.now + 300);
                    }
                }
                while self.later.front().is_some_and(|at| *at <= self.now) {
                    self.later.pop_front();
                    self.backlog += 10;
                    self.finished += 1;
                    self.overload.ended();
                }
                self.backlog = self.backlog.saturating_sub(10);
                let late = self.backlog / 10;
                self.worst = self.worst.max(late);
                if self.now == self.due {
                    self.turn = Some(self.now + late);
                }
                if self.turn == Some(self.now) {
                    self.overload.measured(self.now - self.due, self.now);
                    self.due = self.now + EVERY;
                }
            }
        }
    }

    #[test]
    fn with_twice_the_calls_it_can_serve_a_switch_serves_nearly_as_many_as_it_can_and_is_soon_in_time_again() {
        let mut served = Served { due: EVERY, ..Served::default() };
        served.offer(1, 3, 5_000);
        assert!(served.overload.limit.is_none());
        served.offer(1, 1, 5_000);
        served.offer(1, 1, 20_000);
        // A tenth of its time is spent on turning away.
        assert!(served.finished >= 20 * 450 * 9 / 10, "{} finished", served.finished);
        assert!(served.worst < 150, "{} ms late", served.worst);
        served.offer(1, 3, 6_000);
        assert!(served.overload.limit.is_none());
    }
}
