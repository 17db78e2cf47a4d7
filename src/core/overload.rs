//! When the switch turns new calls away because it falls behind (503 with Retry-After): calls in progress come first.

use crate::cx::Millis;

/// Something regular that comes later than this came late.
const LATE: Millis = 20;
/// And in time, when it comes no later than this.
const IN_TIME: Millis = 8;
/// So many late ones in a row are no accident: a machine that is busy with something else is late once or twice.
const TOO_MANY: u32 = 10;
/// So many in time, in a row, and all calls are taken again.
const ENOUGH: u32 = 2;

// | state    | in a row         | → |
// |----------|------------------|---|
// | taking   | TOO_MANY late    | shedding |
// | shedding | ENOUGH in time   | taking |
/// Fed with how late something regular came, at equal distances of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Overload {
    shedding: bool,
    /// Measurements that speak for a change, since the last one that did not.
    in_a_row: u32,
}

impl Overload {
    /// Whether new calls are to be shed from now on; none: as before.
    pub fn measured(&mut self, late: Millis) -> Option<bool> {
        let (speaks_for_change, needed) = if self.shedding { (late <= IN_TIME, ENOUGH) } else { (late > LATE, TOO_MANY) };
        self.in_a_row = if speaks_for_change { self.in_a_row + 1 } else { 0 };
        if self.in_a_row < needed {
            return None;
        }
        *self = Self { shedding: !self.shedding, in_a_row: 0 };
        Some(self.shedding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(overload: &mut Overload, late: &[Millis]) -> Vec<(usize, bool)> {
        (0..).zip(late).filter_map(|(n, late)| Some((n, overload.measured(*late)?))).collect()
    }

    #[test]
    fn some_late_moments_shed_nothing() {
        let almost = [[500; 9].as_slice(), &[0], &[500; 9], &[20; 20]].concat();
        assert_eq!(changes(&mut Overload::default(), &almost), []);
    }

    #[test]
    fn who_is_late_again_and_again_sheds_until_all_is_in_time() {
        let mut overload = Overload::default();
        assert_eq!(changes(&mut overload, &[21; 12]), [(9, true)]);
        assert_eq!(changes(&mut overload, &[30, 15, 7, 12, 9, 8, 0]), [(6, false)]);
        assert_eq!(changes(&mut overload, &[100; 12]), [(9, true)]);
    }
}
