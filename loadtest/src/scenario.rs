//! J1: what a load test does, from a TOML file: who calls how often, how long people talk and wait, and who takes the calls.

use rand::Rng;
use rand_distr::{Distribution, Exp, LogNormal, Normal};
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Calls a second that come at all, and that no machine makes.
pub const RATES: RangeInclusive<f64> = 0.001..=100_000.0;

/// A scenario file, read and checked.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence about it, for the report.
    pub about: String,
    /// How long customers begin to call, in seconds; the calls of the first `warm_up` seconds do not count.
    pub seconds: f64,
    #[serde(default)]
    pub warm_up: f64,
    /// With the same seed customers come at the same moments, as patient as before, and calls go the same way.
    #[serde(default)]
    pub seed: u64,
    pub arrivals: Arrivals,
    /// No more calls than these.
    #[serde(default)]
    pub at_most: Option<u32>,
    pub customers: Customers,
    pub agents: Agents,
    /// What `--find` takes for a clean round, and any other run for a good one.
    #[serde(default)]
    pub clean: Clean,
}

/// How customers come, in calls a second.
#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// One after another at equal distances.
    Constant { rate: f64 },
    /// Each by itself, as people do.
    Poisson { rate: f64 },
    /// From one rate to another, evenly over the whole time.
    Ramp { from: f64, to: f64 },
}

#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Customers {
    /// How long a customer waits for an agent, from the call's first moment.
    #[serde(default = "patient")]
    pub patience: Spread,
    /// Whether voices are sent and listened to both ways; else calls are signalling alone.
    #[serde(default)]
    pub audio: bool,
    /// Where calls are signalling alone, so many of the first have voices all the same and go on to the end: what is lost in them while others come.
    #[serde(default)]
    pub standing: u32,
    /// From the beginning of self-service to the key.
    #[serde(default = "a_second")]
    pub presses_after: Spread,
    /// How long those who are called let it ring.
    #[serde(default = "a_second")]
    pub answers_after: Spread,
    /// Which share of those who are called is busy.
    #[serde(default)]
    pub busy: f64,
    /// Which share lets it ring until the switch gives up.
    #[serde(default)]
    pub away: f64,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    pub kind: Kind,
    pub count: u32,
    /// How long it rings at an agent's. At browsers, 0 is the group's automatic answer (C6).
    #[serde(default = "at_once")]
    pub answers_after: Spread,
    /// From the answer to the hang-up.
    pub talk: Spread,
    /// Which share of calls the agents hang up; customers do the others.
    #[serde(default)]
    pub hang_up: f64,
    /// Which share of calls is held once, in the middle of the talk.
    #[serde(default)]
    pub hold: f64,
    /// How long it is held.
    #[serde(default = "a_second")]
    pub hold_for: Spread,
    /// Which share is handed on to the second group in the middle of the talk (D4).
    #[serde(default)]
    pub transfer: f64,
    /// Which share is handed on to the second group after a consultation (D5).
    #[serde(default)]
    pub consult: f64,
    /// Which share is sent through self-service in the middle of the talk, where the customer presses a key (D6).
    #[serde(default)]
    pub self_service: f64,
    /// How many of the agents work in the second group, which takes transfers and consultations.
    #[serde(default)]
    pub second: u32,
    /// How many more agents there are who only call out (E1), in a group of their own.
    #[serde(default)]
    pub callers: u32,
    /// How long they rest before each call.
    #[serde(default = "a_second")]
    pub calls_after: Spread,
    /// Whether the groups record.
    #[serde(default)]
    pub record: bool,
}

impl Agents {
    /// Those who take calls, and those who call out.
    pub const fn all(&self) -> u32 {
        self.count.saturating_add(self.callers)
    }
}

/// What agents answer with.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// SIP phones; no page is open.
    Phones,
    /// SIP phones, and a workstation without media beside each.
    Workstations,
    /// Workstations with WebRTC media.
    Webrtc,
    /// The same with speech, by no more than a browser's end of a voice path.
    Browsers,
}

impl Kind {
    /// Agents answer at SIP phones.
    pub const fn has_phones(self) -> bool {
        matches!(self, Self::Phones | Self::Workstations)
    }
}

#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(deny_unknown_fields, default)]
pub struct Clean {
    /// Most calls that may fail, of all that were tried.
    pub failed: f64,
    /// Most calls that may end with their customers' patience, of all that were tried. Without it they count as failed.
    pub impatient: Option<f64>,
    /// Memory and descriptors of the switch are to be flat from this second on.
    pub flat_after: Option<f64>,
    /// Most that the setup may take at the 99th percentile, milliseconds.
    pub setup_p99: f64,
    /// Most audio that may be lost, of all that was sent.
    pub lost: f64,
}

impl Default for Clean {
    fn default() -> Self {
        Self { failed: 0.001, impatient: None, flat_after: None, setup_p99: 1_000.0, lost: 0.001 }
    }
}

/// A time that differs from call to call, in seconds.
#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(
    untagged,
    expecting = "expected seconds, { uniform = [least, most] }, { exponential = mean }, { normal = [mean, deviation] } or { lognormal = [median, deviation] }"
)]
pub enum Spread {
    Always(f64),
    Varies(Varies),
}

#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Varies {
    /// Anything between the two.
    Uniform([f64; 2]),
    /// By its mean.
    Exponential(f64),
    /// By mean and standard deviation; never below nothing.
    Normal([f64; 2]),
    /// By median and the standard deviation of the logarithm: as conversations are.
    Lognormal([f64; 2]),
}

const fn patient() -> Spread {
    Spread::Always(60.0)
}

const fn at_once() -> Spread {
    Spread::Always(0.0)
}

const fn a_second() -> Spread {
    Spread::Always(1.0)
}

/// Why a file is no scenario, with the key, what it is and what was expected.
#[derive(Debug)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// # Errors
    /// A file that cannot be read, is no TOML, or says what makes no sense.
    pub fn open(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|why| ScenarioError(format!("{}: {why}", path.display())))?;
        Self::parse(&text).map_err(|ScenarioError(why)| ScenarioError(format!("{}: {why}", path.display())))
    }

    /// # Errors
    /// As [`Scenario::open`].
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|why| ScenarioError(why.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let Agents { count, second, callers, hang_up, hold, transfer, consult, self_service, kind, .. } = self.agents;
        let Customers { audio, standing, busy, away, .. } = self.customers;
        let need = |fits: bool, key: &str, is: &dyn fmt::Display, expected: &str| {
            if fits { Ok(()) } else { Err(ScenarioError(format!("{key} is {is}; expected {expected}"))) }
        };
        need(self.seconds > 0.0 && self.seconds <= 86_400.0, "seconds", &self.seconds, "more than 0 and at most 86400")?;
        need((0.0..self.seconds).contains(&self.warm_up), "warm_up", &self.warm_up, "less than seconds")?;
        if let Some(flat) = self.clean.flat_after {
            need((self.warm_up..self.seconds).contains(&flat), "clean.flat_after", &flat, "at least warm_up and less than seconds")?;
        }
        for rate in self.arrivals.ends() {
            need(RATES.contains(&rate), "arrivals: a rate", &rate, "0.001 to 100000 calls a second")?;
        }
        for (key, share) in
            [("clean.failed", Some(self.clean.failed)), ("clean.impatient", self.clean.impatient), ("clean.lost", Some(self.clean.lost))]
        {
            need(share.is_none_or(|share| (0.0..=1.0).contains(&share)), key, &share.unwrap_or_default(), "a share from 0 to 1")?;
        }
        let setup = self.clean.setup_p99;
        need(setup.is_finite() && setup >= 0.0, "clean.setup_p99", &setup, "milliseconds")?;
        need((1..=50_000).contains(&count), "agents.count", &count, "1 to 50000")?;
        need(callers <= 10_000, "agents.callers", &callers, "at most 10000")?;
        for (key, share) in [
            ("agents.hang_up", hang_up),
            ("agents.hold", hold),
            ("agents.transfer", transfer),
            ("agents.consult", consult),
            ("agents.self_service", self_service),
            ("customers.busy", busy),
            ("customers.away", away),
        ] {
            need((0.0..=1.0).contains(&share), key, &share, "a share from 0 to 1")?;
        }
        let moves = hold + transfer + consult + self_service;
        need(moves <= 1.0, "agents.hold, transfer, consult and self_service together", &moves, "at most 1")?;
        need(busy + away <= 1.0, "customers.busy and away together", &(busy + away), "at most 1")?;
        need(
            moves == 0.0 || kind != Kind::Phones,
            "agents.kind",
            &"\"phones\"",
            "\"workstations\", \"webrtc\" or \"browsers\" where agents do more than talk",
        )?;
        need(callers == 0 || kind == Kind::Browsers, "agents.callers", &callers, "0 where agents are not \"browsers\"")?;
        need(!audio || kind != Kind::Webrtc, "customers.audio", &audio, "false where agents are \"webrtc\", whose voices are their own")?;
        need(audio || kind != Kind::Browsers, "customers.audio", &audio, "true where agents are \"browsers\"")?;
        let may_stand = !audio && kind == Kind::Phones;
        need(standing == 0 || may_stand, "customers.standing", &standing, "0 where others have audio, or agents are not \"phones\"")?;
        need(audio || self_service == 0.0, "agents.self_service", &self_service, "0 without customers.audio, which keys are pressed in")?;
        let handed_on = transfer + consult > 0.0;
        need(!handed_on || (1..count).contains(&second), "agents.second", &second, "some of the agents, where calls are handed on")?;
        for (key, spread) in [
            ("customers.patience", self.customers.patience),
            ("customers.presses_after", self.customers.presses_after),
            ("customers.answers_after", self.customers.answers_after),
            ("agents.answers_after", self.agents.answers_after),
            ("agents.talk", self.agents.talk),
            ("agents.hold_for", self.agents.hold_for),
            ("agents.calls_after", self.agents.calls_after),
        ] {
            spread.check().map_err(|expected| ScenarioError(format!("{key} is {spread:?}; expected {expected}")))?;
        }
        Ok(())
    }

    /// The same for so many seconds.
    ///
    /// # Errors
    /// A length that does not fit the rest.
    pub fn of_length(self, seconds: f64) -> Result<Self, ScenarioError> {
        let scenario = Self { seconds, ..self };
        scenario.check()?;
        Ok(scenario)
    }

    /// How many of the first calls have voices.
    pub fn with_audio(&self) -> usize {
        if self.customers.audio { usize::MAX } else { usize::try_from(self.customers.standing).unwrap_or(usize::MAX) }
    }

    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

impl Arrivals {
    fn ends(self) -> [f64; 2] {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => [rate, rate],
            Self::Ramp { from, to } => [from, to],
        }
    }

    /// The same at another rate: the last one of a ramp, which begins as much higher or lower.
    pub fn at(self, rate: f64) -> Self {
        match self {
            Self::Constant { .. } => Self::Constant { rate },
            Self::Poisson { .. } => Self::Poisson { rate },
            Self::Ramp { from, to } => Self::Ramp { from: (from * rate / to).clamp(*RATES.start(), *RATES.end()), to: rate },
        }
    }

    pub fn rate(self) -> f64 {
        let [_, last] = self.ends();
        last
    }

    /// Seconds until the next call, `at` seconds after the first, in a run of `seconds`.
    pub fn next(self, at: f64, seconds: f64, random: &mut impl Rng) -> f64 {
        match self {
            Self::Constant { rate } => 1.0 / rate,
            Self::Poisson { rate } => Exp::new(rate).map_or(1.0 / rate, |spread| spread.sample(random)),
            Self::Ramp { from, to } => 1.0 / (from + (to - from) * (at / seconds).clamp(0.0, 1.0)),
        }
    }
}

impl Spread {
    fn check(self) -> Result<(), &'static str> {
        let positive = |number: f64| number.is_finite() && number >= 0.0;
        match self {
            Self::Always(time) => positive(time).then_some(()).ok_or("seconds"),
            Self::Varies(Varies::Uniform([least, most])) => {
                (positive(least) && positive(most) && least <= most).then_some(()).ok_or("the least and the most, in seconds")
            }
            Self::Varies(Varies::Exponential(mean)) => (positive(mean) && mean > 0.0).then_some(()).ok_or("a mean in seconds"),
            Self::Varies(Varies::Normal([mean, deviation])) => {
                (positive(mean) && positive(deviation)).then_some(()).ok_or("mean and standard deviation in seconds")
            }
            Self::Varies(Varies::Lognormal([median, deviation])) => {
                (positive(median) && median > 0.0 && positive(deviation)).then_some(()).ok_or("the median in seconds, and a deviation")
            }
        }
    }

    /// What hardly any is above.
    pub fn longest(self) -> Duration {
        let seconds = match self {
            Self::Always(time) => time,
            Self::Varies(Varies::Uniform([_, most])) => most,
            Self::Varies(Varies::Exponential(mean)) => 10.0 * mean,
            Self::Varies(Varies::Normal([mean, deviation])) => mean + 6.0 * deviation,
            Self::Varies(Varies::Lognormal([median, deviation])) => median * (6.0 * deviation).exp(),
        };
        Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
    }

    pub fn sample(self, random: &mut impl Rng) -> Duration {
        let seconds = match self {
            Self::Always(time) => time,
            Self::Varies(Varies::Uniform([least, most])) => least + (most - least) * random.random::<f64>(),
            Self::Varies(Varies::Exponential(mean)) => Exp::new(1.0 / mean).map_or(mean, |spread| spread.sample(random)),
            Self::Varies(Varies::Normal([mean, deviation])) => Normal::new(mean, deviation).map_or(mean, |spread| spread.sample(random)),
            Self::Varies(Varies::Lognormal([median, deviation])) => {
                LogNormal::new(median.ln(), deviation).map_or(median, |spread| spread.sample(random))
            }
        };
        // Longer than a day is no call.
        Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const PLAIN: &str = "
        about = \"a queue\"
        seconds = 10
        [arrivals]
        kind = \"poisson\"
        rate = 50
        [customers]
        [agents]
        kind = \"phones\"
        count = 20
        talk = { lognormal = [3, 0.5] }
    ";

    #[test]
    fn a_file_is_read_with_its_defaults() {
        let scenario = Scenario::parse(PLAIN).unwrap();
        assert_eq!(scenario.arrivals, Arrivals::Poisson { rate: 50.0 });
        assert_eq!(scenario.agents.talk, Spread::Varies(Varies::Lognormal([3.0, 0.5])));
        assert_eq!((scenario.customers.patience, scenario.customers.audio), (Spread::Always(60.0), false));
    }

    #[test]
    fn a_mistake_is_told_with_its_key_and_what_was_expected() {
        let mistake = |from: &str, to: &str| Scenario::parse(&PLAIN.replace(from, to)).unwrap_err().to_string();
        assert_eq!(mistake("count = 20", "count = 0"), "agents.count is 0; expected 1 to 50000");
        assert!(mistake("[3, 0.5]", "[-3, 0.5]").starts_with("agents.talk is "));
        assert!(mistake("rate = 50", "rate = 0").ends_with("expected 0.001 to 100000 calls a second"));
        assert_eq!(mistake("[customers]", "[clean]\nfailed = 5\n[customers]"), "clean.failed is 5; expected a share from 0 to 1");
        assert!(mistake("[customers]", "[clean]\nlost = nan\n[customers]").starts_with("clean.lost is NaN"));
        assert!(mistake("[customers]", "[clean]\nsetup_p99 = inf\n[customers]").starts_with("clean.setup_p99 is inf"));
        assert!(mistake("{ lognormal", "{ lognormel").contains("expected seconds, { uniform = [least, most] }"));
        assert!(mistake("count = 20", "count = 20\nhold = 0.5").contains("\"workstations\", \"webrtc\" or"));
        assert!(mistake("count = 20", "size = 20").contains("unknown field `size`"));
        assert_eq!(mistake("count = 20", "count = 20\ncallers = 3"), "agents.callers is 3; expected 0 where agents are not \"browsers\"");
        let keys = mistake("\"phones\"", "\"workstations\"\nself_service = 0.1");
        assert!(keys.starts_with("agents.self_service is 0.1; expected 0 without customers.audio"), "{keys}");
        assert!(mistake("[customers]", "[customers]\nbusy = 0.6\naway = 0.6").ends_with("is 1.2; expected at most 1"));
    }

    #[test]
    fn times_have_the_mean_that_they_were_given() {
        let mut random = StdRng::seed_from_u64(1);
        let mut mean = |spread: Spread| (0..20_000).map(|_| spread.sample(&mut random).as_secs_f64()).sum::<f64>() / 20_000.0;
        for (spread, expected) in [
            (Spread::Always(2.0), 2.0),
            (Spread::Varies(Varies::Uniform([1.0, 3.0])), 2.0),
            (Spread::Varies(Varies::Exponential(2.0)), 2.0),
            (Spread::Varies(Varies::Normal([2.0, 0.3])), 2.0),
            // The mean of a logarithmic one is above its median.
            (Spread::Varies(Varies::Lognormal([2.0, 0.5])), 2.0 * (0.5f64 * 0.5 / 2.0).exp()),
        ] {
            assert!((mean(spread) - expected).abs() < 0.05 * expected, "{spread:?}");
        }
    }

    #[test]
    fn a_ramp_at_another_rate_is_as_steep() {
        assert_eq!(Arrivals::Ramp { from: 10.0, to: 40.0 }.at(20.0), Arrivals::Ramp { from: 5.0, to: 20.0 });
    }

    #[test]
    fn customers_come_as_often_as_they_should() {
        let mut random = StdRng::seed_from_u64(1);
        let mut calls = |arrivals: Arrivals| {
            let mut at = 0.0;
            let mut calls = 0;
            while at < 100.0 {
                at += arrivals.next(at, 100.0, &mut random);
                calls += 1;
            }
            calls
        };
        assert!((999..=1001).contains(&calls(Arrivals::Constant { rate: 10.0 })));
        assert!((900..=1100).contains(&calls(Arrivals::Poisson { rate: 10.0 })));
        assert!((990..=1010).contains(&calls(Arrivals::Ramp { from: 5.0, to: 15.0 })));
    }
}
