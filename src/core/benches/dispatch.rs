//! One dispatch decision, with ever more ready agents (a caller arrives, the group chooses one, the agent is free again) and with ever more
//! callers (an agent is ready, the group chooses who is next, another caller arrives). Plots: target/criterion/*/report.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use cordboard_core::agent;
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::group::{Event, Group};
use cordboard_core::ids::{AgentId, CallId, GroupId, OfferId};
use cordboard_core::message::{Action, Presence, Standing, Tell, Ticket};
use cordboard_core::setup::{GroupSetup, Strategy, WayOut, WrapUp};
use criterion::{AxisScale, BenchmarkId, Criterion, PlotConfiguration, criterion_group, criterion_main};
use std::collections::BTreeMap;

fn setup(strategy: Strategy) -> GroupSetup {
    GroupSetup {
        id: GroupId(1),
        name: "group".into(),
        strategy,
        ring: 20_000,
        wrap_up: WrapUp::Off,
        automatic_answer: false,
        misses: 3,
        last_agent_wait: 0,
        max_wait: None,
        on_max_wait: WayOut::HangUp { prompt: None },
        max_queue: None,
        on_max_queue: WayOut::HangUp { prompt: None },
        on_no_agent: WayOut::HangUp { prompt: None },
        welcome: None,
        music: "music".into(),
        announce_position: None,
        announcement: None,
        announce_every: 30_000,
        record: true,
    }
}

fn standing(agent: i32) -> Standing {
    Standing { free_since: i64::from(agent), calls_today: 0, priority: 0 }
}

fn ticket(call: u128) -> Ticket {
    Ticket {
        call: CallId(call),
        arrived: i64::try_from(call).unwrap(),
        priority: 0,
        head: false,
        last_agent: None,
        wait: 1,
        taken_in: false,
        offers: Vec::new(),
        refused: BTreeMap::new(),
    }
}

/// Whom the group reserves, for whom, under which offer.
fn reserved(actions: &[Action]) -> (AgentId, CallId, OfferId) {
    let reserve = actions.iter().find_map(|action| match action {
        Action::Tell(Tell::Agent(agent, agent::Event::Reserve { offer, call, .. })) => Some((*agent, *call, *offer)),
        _ => None,
    });
    reserve.unwrap()
}

fn agents(c: &mut Criterion) {
    for strategy in [Strategy::LongestIdle, Strategy::RoundRobin] {
        let mut bench = c.benchmark_group(format!("dispatch, ready agents, {strategy:?}"));
        bench.plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
        for agents in [10, 100, 1_000, 10_000, 100_000] {
            let mut ids = CountingIds::default();
            let mut cx = Cx::new(0, 0, 0, &mut ids);
            let (mut group, _) = Group::new(setup(strategy), &cx);
            for id in 1..=agents {
                group.handle(Event::Presence { agent: AgentId(id), presence: Presence::Free }, &mut cx);
                group.handle(Event::Park { agent: AgentId(id), epoch: 1, standing: standing(id) }, &mut cx);
            }
            bench.bench_function(BenchmarkId::from_parameter(agents), |b| {
                let mut call = 0;
                b.iter(|| {
                    call += 1;
                    let (agent, _, offer) = reserved(&group.handle(Event::Enqueue(ticket(call)), &mut cx));
                    group.handle(Event::Left(CallId(call)), &mut cx);
                    group.handle(Event::NotReserved { agent, offer }, &mut cx);
                    // Whoever was taken stands last now.
                    let standing = Standing { free_since: i64::try_from(call).unwrap() + i64::from(agents), ..standing(0) };
                    group.handle(Event::Park { agent, epoch: 1, standing }, &mut cx);
                });
            });
        }
        bench.finish();
    }
}

fn callers(c: &mut Criterion) {
    let mut bench = c.benchmark_group("dispatch, waiting callers");
    bench.plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
    for callers in [1, 10, 100, 1_000, 10_000] {
        let mut ids = CountingIds::default();
        let mut cx = Cx::new(0, 0, 0, &mut ids);
        let (mut group, _) = Group::new(setup(Strategy::LongestIdle), &cx);
        let agent = AgentId(1);
        group.handle(Event::Presence { agent, presence: Presence::Free }, &mut cx);
        for call in 1..=callers {
            group.handle(Event::Enqueue(ticket(call)), &mut cx);
        }
        bench.bench_function(BenchmarkId::from_parameter(callers), |b| {
            let mut last = callers;
            b.iter(|| {
                group.handle(Event::Ask { agent, epoch: 1 }, &mut cx);
                let (_, call, offer) = reserved(&group.handle(Event::Pick { agent, epoch: 1, standing: standing(1) }, &mut cx));
                group.handle(Event::Left(call), &mut cx);
                group.handle(Event::NotReserved { agent, offer }, &mut cx);
                last += 1;
                group.handle(Event::Enqueue(ticket(last)), &mut cx);
            });
        });
    }
    bench.finish();
}

criterion_group!(benches, agents, callers);
criterion_main!(benches);
