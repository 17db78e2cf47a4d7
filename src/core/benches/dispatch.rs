//! One dispatch decision: a caller arrives, the group chooses among its ready agents, the agent is free again.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use cordboard_core::agent;
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::group::{Event, Group};
use cordboard_core::ids::{AgentId, CallId, GroupId};
use cordboard_core::message::{Action, Presence, Standing, Tell, Ticket};
use cordboard_core::setup::{GroupSetup, Strategy, WayOut, WrapUp};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
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

fn dispatch(c: &mut Criterion) {
    let mut bench = c.benchmark_group("dispatch");
    for strategy in [Strategy::LongestIdle, Strategy::RoundRobin] {
        for agents in [10, 1_000, 100_000] {
            let mut ids = CountingIds::default();
            let mut cx = Cx::new(0, 0, 0, &mut ids);
            let (mut group, _) = Group::new(setup(strategy), &cx);
            for id in 1..=agents {
                group.handle(Event::Presence { agent: AgentId(id), presence: Presence::Free }, &mut cx);
                group.handle(Event::Park { agent: AgentId(id), epoch: 1, standing: standing(id) }, &mut cx);
            }
            bench.bench_function(BenchmarkId::new(format!("{strategy:?}"), agents), |b| {
                let mut call = 0;
                b.iter(|| {
                    call += 1;
                    let ticket = Ticket {
                        call: CallId(call),
                        arrived: 0,
                        priority: 0,
                        head: false,
                        last_agent: None,
                        wait: 1,
                        taken_in: false,
                        offers: Vec::new(),
                        refused: BTreeMap::new(),
                    };
                    let chosen = group.handle(Event::Enqueue(ticket), &mut cx);
                    let Some(Action::Tell(Tell::Agent(agent, agent::Event::Reserve { offer, .. }))) = chosen.get(1) else {
                        unreachable!("an agent is ready: {chosen:?}");
                    };
                    group.handle(Event::Left(CallId(call)), &mut cx);
                    group.handle(Event::NotReserved { agent: *agent, offer: *offer }, &mut cx);
                    // Whoever was taken stands last now.
                    let standing = Standing { free_since: i64::try_from(call).unwrap() + i64::from(agents), ..standing(0) };
                    group.handle(Event::Park { agent: *agent, epoch: 1, standing }, &mut cx);
                });
            });
        }
    }
    bench.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
