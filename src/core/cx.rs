//! What a machine may know of the world: time and fresh ids, both given.

/// Milliseconds on the monotonic clock; zero is the process's start.
pub type Millis = u64;

/// A source of fresh 128-bit numbers: seeded in tests, UUID v7 in the shells.
pub trait Ids {
    fn next_id(&mut self) -> u128;
}

/// One moment: the time in the machine's two clocks and the source of ids.
pub struct Cx<'a> {
    /// Monotonic time; all deadlines are in it.
    pub now: Millis,
    /// Wall time, milliseconds since 1970 UTC; only for what people read.
    pub wall: i64,
    /// The local date as days since 1970, for "calls today" (C3).
    pub today: i32,
    ids: &'a mut dyn Ids,
}

impl<'a> Cx<'a> {
    pub fn new(now: Millis, wall: i64, today: i32, ids: &'a mut dyn Ids) -> Self {
        Self { now, wall, today, ids }
    }

    pub fn next_id(&mut self) -> u128 {
        self.ids.next_id()
    }
}

/// A counting source of ids for tests and replays.
#[derive(Default)]
pub struct CountingIds(pub u128);

impl Ids for CountingIds {
    fn next_id(&mut self) -> u128 {
        self.0 += 1;
        self.0
    }
}
