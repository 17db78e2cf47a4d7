//! Random orders of events against the reference model: callers, agents, workstations, phones, time and panics, with messages delivered
//! in random order between pairs.
//!
//! `CORDBOARD_MODEL_ORDERS` sets how many orders are run, `CORDBOARD_MODEL_REPLAY` replays one by its printed seed.

mod coverage;
pub mod mutations;
pub mod reference;

use crate::floor::random::Random;
use crate::floor::world::{agent, group, mobile, phone, trunk};
use crate::floor::{Floor, Taken};
use cordboard_core::agent::{Chosen, Departure, Event};
use cordboard_core::call::{self, Command, Route, Way};
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId, OfferId};
use cordboard_core::leg::{Kind, Leg};
use cordboard_core::message::{Number, Target, Whom};
use cordboard_core::setup::{GroupSetup, MobileSetup, Strategy, WayOut, WrapUp};
use mutations::Mutation;
use std::collections::BTreeSet;

/// Events of one order.
const EVENTS: usize = 90;
const CALLERS: usize = 8;
const AGENTS: i32 = 5;
const GROUPS: i32 = 3;
/// The seed of the orders that every run makes.
const SEED: u64 = 0x0c0d_b0a2_d000_0000;

pub enum Outcome {
    Held,
    Broken { violations: Vec<String>, log: Vec<String> },
}

pub struct Order {
    pub outcome: Outcome,
    pub taken: BTreeSet<Taken>,
}

/// Runs one order; with `steps`, only those of its events.
pub fn run_order(seed: u64, steps: Option<&[usize]>, mutation: Option<Mutation>, log: bool) -> Order {
    let mut floor = Floor::new();
    floor.mutation = mutation;
    floor.log = log.then(Vec::new);
    let mut random = Random::of_step(seed, 0);
    let known = set_up(&mut floor, &mut random);
    let all: Vec<usize> = (1..=EVENTS).collect();
    let mut old_offers = Vec::new();
    for step in steps.unwrap_or(&all) {
        let mut random = Random::of_step(seed, *step as u64);
        happen(&mut floor, &known, &mut old_offers, &mut random);
        for _ in 0..random.below(8) {
            floor.step_at_random(&mut random);
            check_moment(&mut floor);
        }
        if random.one_in(3) {
            floor.settle_at_random(&mut random);
        }
        if check(&mut floor) {
            return broken(floor);
        }
    }
    close(&mut floor, &mut Random::of_step(seed, 1_000));
    if floor.reference.violations.is_empty() { Order { outcome: Outcome::Held, taken: floor.taken } } else { broken(floor) }
}

fn broken(floor: Floor) -> Order {
    Order { outcome: Outcome::Broken { violations: floor.reference.violations, log: floor.log.unwrap_or_default() }, taken: floor.taken }
}

fn check_moment(floor: &mut Floor) {
    let mut reference = std::mem::take(&mut floor.reference);
    reference.check_moment(floor);
    floor.reference = reference;
}

/// Whether something is wrong.
fn check(floor: &mut Floor) -> bool {
    check_moment(floor);
    if floor.is_quiet() {
        let mut reference = std::mem::take(&mut floor.reference);
        reference.check(floor);
        floor.reference = reference;
    }
    !floor.reference.violations.is_empty()
}

/// What an order's steps choose from.
struct Known {
    waits_for_last: bool,
}

fn set_up(floor: &mut Floor, random: &mut Random) -> Known {
    let strategies = [Strategy::LongestIdle, Strategy::FewestCallsToday, Strategy::AgentPriority, Strategy::RoundRobin, Strategy::RingAll];
    let mut waits_for_last = false;
    let groups: Vec<GroupSetup> = (1..=GROUPS)
        .map(|id| {
            let mut setup = group(id);
            setup.strategy = random.pick(&strategies).unwrap();
            setup.ring = random.pick(&[5_000, 20_000]).unwrap();
            setup.wrap_up = random.pick(&[WrapUp::Off, WrapUp::Millis(10_000), WrapUp::Millis(60_000), WrapUp::Manual]).unwrap();
            setup.automatic_answer = random.one_in(5);
            setup.misses = random.pick(&[0, 1, 3]).unwrap();
            setup.last_agent_wait = random.pick(&[0, 15_000]).unwrap();
            setup.max_wait = random.pick(&[None, None, Some(45_000)]).unwrap();
            setup.max_queue = if random.one_in(4) { Some(2) } else { None };
            let outs =
                [WayOut::HangUp { prompt: None }, WayOut::HangUp { prompt: Some("sorry".into()) }, WayOut::Group(GroupId(id % GROUPS + 1))];
            setup.on_max_wait = random.pick(&outs).unwrap();
            setup.on_max_queue = random.pick(&outs).unwrap();
            setup.on_no_agent = random.pick(&outs).unwrap();
            setup.welcome = random.one_in(3).then(|| "welcome".into());
            setup.announce_position = random.one_in(2).then_some(10_000);
            setup.announcement = random.one_in(2).then(|| "please-hold".into());
            setup.announce_every = random.pick(&[10_000, 15_000]).unwrap();
            waits_for_last |= setup.last_agent_wait > 0;
            setup
        })
        .collect();
    let mut setup = trunk();
    setup.max_channels = if random.one_in(4) { Some(6) } else { None };
    setup.max_outbound = if random.one_in(4) { Some(1) } else { None };
    let agents = (1..=AGENTS)
        .map(|id| {
            let mut mine: Vec<i32> = (1..=GROUPS).filter(|_| random.one_in(2)).collect();
            if mine.is_empty() {
                mine.push(random.below(GROUPS as usize) as i32 + 1);
            }
            let mut setup = agent(id, &mine);
            for membership in &mut setup.groups {
                membership.priority = random.below(3) as i32;
                membership.weight = random.below(2) as i32;
            }
            if random.one_in(4) {
                setup.device = phone(id);
            }
            setup.automatic_answer = random.pick(&[None, None, Some(true), Some(false)]).unwrap();
            setup.mobile = if random.one_in(3) { switched(id, random) } else { None };
            setup
        })
        .collect();
    floor.open(setup, groups, agents);
    floor.settle();
    for id in 1..=AGENTS {
        if !random.one_in(5) {
            floor.goes_online(id);
        }
    }
    floor.advance(cordboard_core::group::OPENING);
    Known { waits_for_last }
}

/// One event.
fn happen(floor: &mut Floor, known: &Known, old_offers: &mut Vec<(AgentId, OfferId)>, random: &mut Random) {
    let anyone = random.below(AGENTS as usize) as i32 + 1;
    let calls: Vec<CallId> = floor.calls.keys().copied().collect();
    let talking: Vec<(CallId, AgentId)> =
        calls.iter().flat_map(|id| floor.calls[id].machine.agents().into_iter().map(|(agent, _)| (*id, agent))).collect();
    old_offers.extend(floor.bars.iter().map(|(agent, bar)| (*agent, bar.offer)));
    match random.below(100) {
        0..=19 if calls.len() < CALLERS => arrive(floor, known, random),
        0..=24 => {
            if let Some(call) = random.pick(&calls) {
                let leg = floor.calls[&call].machine.customer_leg();
                floor.log_line(|| format!("== {call:?}'s caller hangs up"));
                floor.far_hangs_up(leg);
            }
        }
        25..=40 => answer(floor, random),
        41 => keys(floor, &calls, random),
        42 | 43 => {
            if let Some((agent, offer)) = random.pick(old_offers) {
                let event = if random.one_in(2) { Event::Accept(offer) } else { Event::Decline(offer) };
                say(floor, agent.0, event);
            }
        }
        44..=53 => {
            if let Some((call, agent)) = random.pick(&talking) {
                let command = command(floor, call, anyone, random);
                floor.log_line(|| format!("== {agent:?} {command:?} {call:?}"));
                floor.call(crate::floor::Node::Media, call, call::Event::Command { agent, command });
            }
        }
        54 => say(floor, anyone, departure(random)),
        55..=60 => {
            let offline = random.pick(&[Chosen::Busy(None), Chosen::OnBreak("lunch".into()), Chosen::Offline]).unwrap();
            let chosen = if random.one_in(3) { offline } else { Chosen::Available };
            say(floor, anyone, Event::SetState(chosen));
        }
        61 | 62 if calls.len() < CALLERS => dial(floor, anyone, random),
        61..=64 => say(floor, anyone, if random.one_in(2) { Event::EndWrapUp } else { Event::ContinueWrapUp }),
        65..=71 => workstation(floor, anyone, random),
        72..=76 => phones(floor, random),
        77..=80 => panics(floor, random),
        81 => {
            if let Some(call) = random.pick(&calls) {
                let until = floor.now + 1_000 * (1 + random.below(50) as u64);
                floor.log_line(|| format!("== {call:?} stalls until {until}"));
                if let Some(line) = floor.calls.get_mut(&call).filter(|line| !line.dead) {
                    line.stalled = until;
                }
            }
        }
        82 => admin(floor, anyone, random),
        83 => switch(floor, anyone, random),
        84..=86 => pass(floor, 1 + random.below(300) as u64, random),
        87..=93 => pass(floor, 1_000 * (1 + random.below(6) as u64), random),
        _ => {
            if let Some(at) = floor.next_moment() {
                pass(floor, (at - floor.now).min(60_000), random);
            }
        }
    }
}

/// What an agent asks of a call.
fn command(floor: &Floor, call: CallId, anyone: i32, random: &mut Random) -> Command {
    let group = GroupId(random.below(GROUPS as usize) as i32 + 1);
    let number = Number { trunk: crate::floor::world::TRUNK, caller: "+4430".into(), called: "+4499".into() };
    let transfers = [Command::Transfer(Target::Group(group)), Command::Transfer(Target::Agent(AgentId(anyone)))];
    let consults =
        [Command::Consult(Whom::Group(group)), Command::Consult(Whom::Agent(AgentId(anyone))), Command::Consult(Whom::Number(number))];
    let talk = [
        Command::Hold,
        Command::Resume,
        Command::Mute,
        Command::Unmute,
        Command::HangUp,
        Command::Digits("1,2".into()),
        Command::PauseRecording,
        Command::ResumeRecording,
    ];
    if floor.calls[&call].machine.is_in_flow() {
        return random.pick(&[Command::EndFlow, Command::HangUp, Command::Mute, Command::Resume, transfers[0].clone()]).unwrap();
    }
    let three = [Command::Swap, Command::Conference, Command::Complete, Command::EndConsult, Command::HangUp, Command::Mute];
    if floor.calls[&call].machine.kind() == "Aside" {
        return random.pick(&talk).unwrap();
    }
    if floor.calls[&call].machine.is_consulting() {
        return random.pick(&three).unwrap();
    }
    match random.below(4) {
        0 => random.pick(&transfers).unwrap(),
        3 => Command::StartFlow("survey".into(), Box::new(crate::flow::survey())),
        1 => random.pick(&consults).unwrap(),
        _ => random.pick(&talk).unwrap(),
    }
}

/// A customer presses keys.
fn keys(floor: &mut Floor, calls: &[CallId], random: &mut Random) {
    // Rather one for whom it means something.
    let served: Vec<CallId> = calls.iter().copied().filter(|call| floor.calls[call].machine.is_in_flow()).collect();
    let Some(call) = random.pick(if served.is_empty() { calls } else { &served }) else { return };
    let leg = floor.calls[&call].machine.customer_leg();
    for _ in 0..=random.below(3) {
        let key = random.pick(&['1', '2', '5', '#', '*']).unwrap();
        floor.log_line(|| format!("== {call:?}'s caller presses {key}"));
        floor.far_presses(leg, key, random.one_in(3));
    }
}

fn say(floor: &mut Floor, agent: i32, event: Event) {
    floor.log_line(|| format!("== agent {agent} {event:?}"));
    floor.agent(AgentId(agent), event);
}

fn arrive(floor: &mut Floor, known: &Known, random: &mut Random) {
    let group = GroupId(random.below(GROUPS as usize) as i32 + 1);
    let last = AgentId(random.below(AGENTS as usize) as i32 + 1);
    let last_agent = (known.waits_for_last && random.one_in(3)).then_some(last);
    let route = Route { group, early_media: random.one_in(5), last_agent };
    let way = match random.below(50) {
        0 | 1 => Way::In(None),
        2 => Way::Barred(group),
        _ => Way::In(Some(route)),
    };
    floor.log_line(|| format!("== a caller arrives: {way:?}"));
    floor.disk_is_full = random.one_in(40);
    floor.begin_by(way);
}

/// An agent calls out, or a colleague.
fn dial(floor: &mut Floor, agent: i32, random: &mut Random) {
    let group = random.below(GROUPS as usize) as i32 + 1;
    let mut dial = Floor::dial(group);
    dial.permitted = !random.one_in(8);
    if random.one_in(6) {
        dial = Floor::dial_sip(group);
    } else if random.one_in(2) {
        let colleague = random.below(AGENTS as usize) as i32 + 1;
        dial = if random.one_in(3) { Floor::dial_mobile(group, agent, colleague) } else { Floor::dial_colleague(group, agent, colleague) };
    }
    say(floor, agent, Event::Dial(Box::new(dial)));
}

/// An admin moves an agent to other groups, or gives a group another strategy.
fn admin(floor: &mut Floor, anyone: i32, random: &mut Random) {
    if random.one_in(2) {
        let mut setup = floor.agents[&AgentId(anyone)].setup.clone();
        setup.groups = agent(anyone, &[random.below(GROUPS as usize) as i32 + 1]).groups;
        floor.reference.moved(&setup);
        say(floor, anyone, Event::Setup(Box::new(setup)));
    } else {
        let id = GroupId(random.below(GROUPS as usize) as i32 + 1);
        let mut setup = floor.groups[&id].setup.clone();
        if setup.strategy != Strategy::RingAll {
            setup.strategy = random.pick(&[Strategy::LongestIdle, Strategy::FewestCallsToday, Strategy::RoundRobin]).unwrap();
            floor.log_line(|| format!("== {id:?} has {:?}", setup.strategy));
            floor.group(id, cordboard_core::group::Event::Setup(Box::new(setup)));
        }
    }
}

/// A log-out, an admin who takes somebody offline, or second thoughts (A9).
fn departure(random: &mut Random) -> Event {
    let departure = if random.one_in(2) { Departure::LogOut } else { Departure::ForcedOffline };
    if random.one_in(3) { Event::Stay } else { Event::Depart { departure, end_call: random.one_in(3) } }
}

/// An agent's mobile, switched on for something or not (C7, E2).
fn switched(id: i32, random: &mut Random) -> Option<MobileSetup> {
    let mut setup = mobile(id, random.one_in(2), random.one_in(2))?;
    setup.mobile.press_one = random.one_in(2);
    setup.mobile.line = setup.mobile.line.filter(|_| !random.one_in(8));
    (setup.answering || setup.outbound).then_some(setup)
}

/// An agent switches the mobile.
fn switch(floor: &mut Floor, anyone: i32, random: &mut Random) {
    let mut setup = floor.agents[&AgentId(anyone)].setup.clone();
    setup.mobile = switched(anyone, random);
    floor.reference.moved(&setup);
    say(floor, anyone, Event::Setup(Box::new(setup)));
}

/// Somebody who rings answers or declines.
fn answer(floor: &mut Floor, random: &mut Random) {
    let ringing: Vec<(AgentId, OfferId)> = floor.bars.iter().map(|(agent, bar)| (*agent, bar.offer)).collect();
    if let Some((agent, offer)) = random.pick(&ringing) {
        let event = if random.one_in(4) { Event::Decline(offer) } else { Event::Accept(offer) };
        say(floor, agent.0, event);
    }
}

fn workstation(floor: &mut Floor, agent: i32, random: &mut Random) {
    let up = floor.kept[&AgentId(agent)].sockets;
    match random.below(6) {
        0 | 1 if up => say(floor, agent, Event::SocketDown),
        0 | 1 => say(floor, agent, Event::SocketUp),
        2 => {
            floor.log_line(|| format!("== agent {agent} loses the peer"));
            floor.lose_peer(agent);
        }
        3 => say(floor, agent, Event::TakenOver),
        _ => {
            floor.log_line(|| format!("== agent {agent} has a new peer"));
            if !up {
                say(floor, agent, Event::SocketUp);
            }
            floor.new_peer(agent);
        }
    }
}

fn phones(floor: &mut Floor, random: &mut Random) {
    let called = |leg: &&Leg| {
        let line = floor.calls.get(&leg.call);
        let outside = line.is_some_and(|line| line.machine.customer_leg() != leg.id || line.machine.is_customer_called());
        outside && matches!(leg.kind(), Kind::Trunk { .. })
    };
    let legs = floor.legs.values().filter(|leg| matches!(leg.kind(), Kind::Phone { .. }) || called(leg));
    let legs: Vec<LegId> = legs.map(|leg| leg.id).collect();
    let Some(leg) = random.pick(&legs) else { return };
    floor.log_line(|| format!("== the phone of {leg:?}"));
    match random.below(14) {
        12 | 13 => floor.far_presses(leg, random.pick(&['1', '1', '2']).unwrap(), random.one_in(3)),
        0 | 1 => floor.far_rings(leg, random.one_in(2)),
        2..=6 => floor.phone_answers(leg),
        10 | 11 => floor.far_holds(leg, random.one_in(2)),
        7 => floor.phone_fails(leg, random.pick(&[404, 486, 503, 603]).unwrap()),
        _ => floor.far_hangs_up(leg),
    }
}

fn panics(floor: &mut Floor, random: &mut Random) {
    let who: Vec<Address> = match random.below(8) {
        0 => floor.calls.keys().map(|id| Address::Call(*id)).collect(),
        1 => floor.legs.keys().map(|id| Address::Leg(*id)).collect(),
        2..=4 => floor.agents.keys().map(|id| Address::Agent(*id)).collect(),
        5 | 6 => floor.groups.keys().map(|id| Address::Group(*id)).collect(),
        _ => floor.trunks.keys().map(|id| Address::Trunk(*id)).collect(),
    };
    if let Some(who) = random.pick(&who) {
        let over = random.one_in(2);
        floor.panic(who, over.then_some(random));
    }
}

/// Time goes by, with whatever falls due on the way.
fn pass(floor: &mut Floor, by: u64, random: &mut Random) {
    let until = floor.now + by;
    // Some messages may still be under way while a little time goes by; none is for seconds.
    if by > 300 {
        floor.settle_at_random(random);
        check(floor);
    }
    while let Some(at) = floor.next_moment().filter(|at| *at <= until) {
        floor.now = at;
        floor.settle_at_random(random);
        if check(floor) {
            return;
        }
    }
    floor.now = floor.now.max(until);
}

/// Every caller hangs up, and time goes by until nothing is due.
fn close(floor: &mut Floor, random: &mut Random) {
    for _ in 0..3 {
        let legs: Vec<LegId> = floor.calls.values().map(|line| line.machine.customer_leg()).collect();
        for leg in legs {
            floor.far_hangs_up(leg);
        }
        floor.settle_at_random(random);
        // Two who were left by their customer.
        let left: Vec<(CallId, AgentId)> = floor.calls.iter().filter_map(|(id, line)| Some((*id, line.machine.agent()?.0))).collect();
        for (call, agent) in left {
            floor.call(crate::floor::Node::Media, call, call::Event::Command { agent, command: Command::HangUp });
        }
        floor.settle_at_random(random);
        pass(floor, 60_000, random);
        if !floor.reference.violations.is_empty() {
            return;
        }
    }
    floor.settle_at_random(random);
    if !check(floor) {
        let mut reference = std::mem::take(&mut floor.reference);
        reference.check_end(floor);
        floor.reference = reference;
    }
}

// ---- the runs ----

/// Runs an order; a broken one is made as small as it gets, and told.
fn must_hold(seed: u64) -> BTreeSet<Taken> {
    let order = run_order(seed, None, None, false);
    if let Outcome::Held = order.outcome {
        return order.taken;
    }
    let breaks = |steps: &[usize]| matches!(run_order(seed, Some(steps), None, false).outcome, Outcome::Broken { .. });
    let all: Vec<usize> = (1..=EVENTS).collect();
    let shortest = (0..=EVENTS).find(|length| breaks(&all[..*length])).unwrap_or(EVENTS);
    let mut steps = all[..shortest].to_vec();
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if breaks(&fewer) {
            steps = fewer;
        } else {
            at += 1;
        }
    }
    let Outcome::Broken { violations, log } = run_order(seed, Some(&steps), None, true).outcome else {
        panic!("order {seed:#x} breaks only once");
    };
    panic!("order {seed:#x} (CORDBOARD_MODEL_REPLAY={seed:#x}), steps {steps:?}:\n{}\n\n{}\n", log.join("\n"), violations.join("\n"));
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    Some(parsed.unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn what_must_hold_holds_in_every_order_of_events() {
    if let Some(seed) = number("CORDBOARD_MODEL_REPLAY") {
        must_hold(seed);
        return;
    }
    let orders = number("CORDBOARD_MODEL_ORDERS").unwrap_or(5_000);
    let mut taken = BTreeSet::new();
    for order in 0..orders {
        taken.extend(must_hold(SEED + order));
    }
    // Fewer orders than that are somebody's quick look, and need not reach every row.
    if orders >= 5_000 {
        coverage::every_row_was_taken(&taken);
    }
    let fresh = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("fresh seed {fresh:#x}");
    for order in 0..orders / 5 {
        must_hold(fresh.wrapping_add(order));
    }
}
