//! C7: the agent's own mobile rings.

use super::rings_at;
use crate::floor::Floor;
use crate::floor::world::{TRUNK, agent, group, mobile, mobile_number, trunk};
use cordboard_core::agent::{Chosen, Event, GRACE, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::{Address, AgentId, CallId, LegId};
use cordboard_core::message::{Device, Source, Target, Whom};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{AgentSetup, GroupSetup, TrunkSetup};

/// Agent 1 answers on the mobile and has no page; 2 is at a browser, offline.
pub fn floor_with(setup: GroupSetup) -> Floor {
    floor_on(trunk(), setup, answers_on_mobile())
}

pub fn answers_on_mobile() -> AgentSetup {
    AgentSetup { mobile: mobile(1, true, false), ..agent(1, &[1]) }
}

pub fn floor_on(trunk: TrunkSetup, setup: GroupSetup, first: AgentSetup) -> Floor {
    let mut floor = Floor::new();
    floor.open(trunk, vec![setup], vec![first, agent(2, &[1])]);
    floor.advance(cordboard_core::group::OPENING);
    floor.chooses(1, Chosen::Available);
    floor.advance(1_000);
    floor
}

fn without_key(mut setup: AgentSetup) -> AgentSetup {
    setup.mobile.as_mut().expect("a mobile").mobile.press_one = false;
    setup
}

/// A customer's call rings agent 1's mobile, which answers.
fn answered(floor: &mut Floor) -> (CallId, LegId) {
    let call = floor.calls(1);
    let leg = floor.mobile_leg(1).expect("the mobile rings");
    floor.phone_answers(leg);
    floor.settle();
    (call, leg)
}

fn press(floor: &mut Floor, leg: LegId, key: char, info: bool) {
    floor.far_presses(leg, key, info);
    floor.settle();
}

fn talking() -> (Floor, CallId, LegId) {
    let mut floor = floor_with(group(1));
    let (call, leg) = answered(&mut floor);
    press(&mut floor, leg, '1', false);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    (floor, call, leg)
}

pub fn channels(floor: &Floor) -> usize {
    floor.trunks[&TRUNK].channels()
}

// ---- C7 ----

// C7
#[test]
fn the_mobile_is_called_over_the_customers_trunk_with_the_number_they_called() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    assert_eq!((rings_at(&floor, call), floor.dialled.clone()), (vec![1], vec![("+4430".into(), mobile_number(1))]));
    assert_eq!(channels(&floor), 2, "the mobile has a channel of its own");
    floor.check_all();
    floor.hangs_up(call);
    assert_eq!((channels(&floor), floor.legs.len(), floor.calls.len()), (0, 0, 0));
}

// C7
#[test]
fn an_answer_alone_takes_no_call_and_key_1_does_by_either_way() {
    for info in [false, true] {
        let mut floor = floor_with(group(1));
        let (call, leg) = answered(&mut floor);
        let customer = floor.leg_of(call);
        assert_eq!(floor.calls[&call].machine.kind(), "Queueing");
        assert_eq!(floor.hears_now(customer), Source::Music("music 1".into()));
        assert_eq!(floor.hears_now(leg), Source::Silence);
        assert_eq!(floor.played, [(leg, "press-one".to_owned())]);
        floor.advance(2_500);
        assert_eq!(floor.played.len(), 3, "asked again and again");
        press(&mut floor, leg, '5', info);
        assert_eq!(floor.calls[&call].machine.kind(), "Queueing", "another key is none");
        press(&mut floor, leg, '1', info);
        assert_eq!((floor.calls[&call].machine.kind(), floor.agents[&AgentId(1)].in_call()), ("Talking", Some(call)));
        assert_eq!([customer, leg].map(|leg| floor.hears_now(leg)), [leg, customer].map(Source::Leg));
        assert!(!floor.plays(leg), "the prompt is cut off");
        floor.check_all();
    }
}

// C7
#[test]
fn a_mailbox_that_answers_takes_no_call_and_it_goes_to_another_agent() {
    let mut floor = floor_with(GroupSetup { misses: 1, ..group(1) });
    let (call, leg) = answered(&mut floor);
    floor.goes_online(2);
    floor.advance(19_999);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.advance(1);
    assert_eq!((rings_at(&floor, call), floor.mobile_leg(1)), (vec![2], None));
    assert_eq!(floor.far[&leg], crate::floor::Far::Closed);
    assert_eq!((floor.seen(1), floor.state_reason(1)), (Seen::Busy, Some("missed_calls")), "a miss");
    assert_eq!(channels(&floor), 1);
    floor.check_all();
}

// C7
#[test]
fn a_hang_up_before_key_1_is_a_decline() {
    let mut floor = floor_with(GroupSetup { misses: 1, ..group(1) });
    let (call, leg) = answered(&mut floor);
    floor.goes_online(2);
    floor.far_hangs_up(leg);
    floor.settle();
    assert_eq!((rings_at(&floor, call), floor.seen(1), floor.state_reason(1)), (vec![2], Seen::Available, None));
    floor.check_all();
}

// C7
#[test]
fn where_no_key_is_required_the_answer_takes_the_call() {
    let mut floor = floor_on(trunk(), group(1), without_key(answers_on_mobile()));
    let (call, leg) = answered(&mut floor);
    assert_eq!((floor.calls[&call].machine.kind(), floor.played.len()), ("Talking", 0));
    floor.far_hangs_up(leg);
    floor.settle();
    assert_eq!((floor.row(call).status, floor.row(call).hung_up_by), (CallStatus::NormalEnd, HungUpBy::Agent));
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
}

// C6, C7
#[test]
fn an_automatic_answer_is_none_at_a_mobile_and_the_ding_dong_follows_the_key() {
    let mut floor = floor_with(GroupSetup { automatic_answer: true, ..group(1) });
    let (call, leg) = answered(&mut floor);
    press(&mut floor, leg, '1', false);
    assert_eq!((floor.calls[&call].machine.kind(), floor.played.last().cloned()), ("Joining", Some((leg, "ding-dong".into()))));
    floor.advance(1_000);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.check_all();
}

// B4, C7
#[test]
fn a_mobile_that_cannot_be_reached_is_no_miss_and_the_agent_rests_with_the_reason() {
    let failures = [
        (486, None, "mobile_busy"),
        (480, Some(20), "mobile_off"),
        (404, None, "mobile_failed"),
        (503, None, "mobile_failed"),
        (503, Some(34), "mobile_failed"),
    ];
    for (status, cause, reason) in failures {
        let mut floor = floor_with(GroupSetup { misses: 1, ..group(1) });
        let call = floor.calls(1);
        let leg = floor.mobile_leg(1).unwrap();
        floor.phone_fails_for(leg, status, cause);
        floor.settle();
        assert_eq!((floor.seen(1), floor.state_reason(1), rings_at(&floor, call)), (Seen::Available, Some(reason), vec![]));
        assert_eq!(channels(&floor), 1);
        floor.check_all();
        floor.advance(10_000);
        assert_eq!((rings_at(&floor, call), floor.state_reason(1)), (vec![1], None));
    }
}

// B4, C7
#[test]
fn a_full_trunk_or_none_is_a_device_that_fails() {
    let full = TrunkSetup { max_channels: Some(1), ..trunk() };
    let barred = TrunkSetup { max_outbound: Some(0), ..trunk() };
    let nowhere = TrunkSetup { hosts: Vec::new(), ..trunk() };
    for (trunk, reason) in [(full, "trunk_full"), (barred, "trunk_full"), (nowhere, "mobile_no_line")] {
        let mut floor = floor_on(trunk, GroupSetup { misses: 1, ..group(1) }, answers_on_mobile());
        let call = floor.calls(1);
        assert_eq!((floor.state_reason(1), rings_at(&floor, call), channels(&floor)), (Some(reason), vec![], 1));
        assert_eq!(floor.mobile_leg(1), None);
        floor.check_all();
        floor.hangs_up(call);
        assert_eq!((channels(&floor), floor.calls.len()), (0, 0));
    }
}

// C7
#[test]
fn refused_at_the_mobile_is_declined_and_rung_in_vain_is_a_miss() {
    let told = |status, cause| {
        let mut floor = floor_with(GroupSetup { misses: 1, ..group(1) });
        let call = floor.calls(1);
        floor.goes_online(2);
        let leg = floor.mobile_leg(1).unwrap();
        floor.phone_fails_for(leg, status, cause);
        floor.settle();
        assert_eq!(rings_at(&floor, call), [2]);
        (floor.seen(1), floor.state_reason(1).map(str::to_owned))
    };
    assert_eq!(told(603, None), (Seen::Available, None));
    assert_eq!(told(480, Some(21)), (Seen::Available, None));
    assert_eq!(told(480, Some(19)), (Seen::Busy, Some("missed_calls".into())));
}

// C7
#[test]
fn the_page_may_decline_and_may_not_answer() {
    let mut floor = floor_with(group(1));
    let (call, _) = answered(&mut floor);
    floor.goes_online(1);
    floor.accepts(1);
    assert_eq!((floor.agents[&AgentId(1)].kind(), rings_at(&floor, call)), ("Ringing", vec![1]));
    floor.declines(1);
    assert_eq!((floor.agents[&AgentId(1)].kind(), rings_at(&floor, call), floor.mobile_leg(1)), ("Free", vec![], None));
    floor.check_all();
}

// C9
#[test]
fn the_caller_hangs_up_before_the_channel_during_the_ring_and_before_the_key() {
    for settled in 0..3 {
        let mut floor = floor_with(group(1));
        let call =
            floor.begin(Some(cordboard_core::call::Route { group: cordboard_core::ids::GroupId(1), early_media: false, last_agent: None }));
        while floor.agents[&AgentId(1)].kind() != "Ringing" {
            assert!(floor.step_in_order());
        }
        if settled > 0 {
            floor.settle();
        }
        if settled > 1 {
            let leg = floor.mobile_leg(1).unwrap();
            floor.phone_answers(leg);
            floor.settle();
        }
        let customer = floor.leg_of(call);
        floor.far_hangs_up(customer);
        floor.settle();
        assert_eq!((floor.calls.len(), floor.legs.len(), channels(&floor), floor.seen(1)), (0, 0, 0, Seen::Available));
        assert_eq!(floor.row(call).status, CallStatus::AbandonedRinging);
        assert!(floor.far.values().all(|far| *far == crate::floor::Far::Closed));
    }
}

// B3, C7
#[test]
fn an_agent_on_the_mobile_keeps_state_and_call_without_a_page() {
    let (mut floor, call, leg) = talking();
    floor.happens(1, Event::SocketUp);
    floor.happens(1, Event::SocketDown);
    floor.advance(GRACE * 2);
    assert_eq!((floor.calls[&call].machine.kind(), floor.hears_now(floor.leg_of(call))), ("Talking", Source::Leg(leg)));
    floor.hangs_up(call);
    floor.advance(GRACE * 2);
    assert_eq!(floor.seen(1), Seen::Available);
    floor.check_all();
}

// C7, D2, D3, D7
#[test]
fn hold_mute_and_keys_work_as_at_a_phone() {
    let (mut floor, call, leg) = talking();
    let customer = floor.leg_of(call);
    floor.commands(1, call, Command::Mute);
    assert_eq!((floor.hears_now(customer), floor.hears_now(leg)), (Source::Silence, Source::Leg(customer)));
    floor.commands(1, call, Command::Unmute);
    floor.far_holds(leg, true);
    floor.settle();
    assert_eq!(floor.hears_now(customer), Source::Music("music 1".into()));
    floor.far_holds(leg, false);
    floor.settle();
    assert_eq!(floor.hears_now(customer), Source::Leg(leg));
    floor.commands(1, call, Command::Digits("7".into()));
    assert_eq!(floor.digits.last().map(|(_, leg, digit, _)| (*leg, *digit)), Some((customer, '7')));
    floor.check_all();
}

// C7, D4, D5
#[test]
fn transfers_and_consultations_ring_the_mobile_by_the_same_rules() {
    // A transfer to this agent, busy.
    let mut floor = floor_with(group(1));
    floor.chooses(1, Chosen::Busy(None));
    floor.goes_online(2);
    let call = floor.calls(1);
    floor.accepts(2);
    floor.commands(2, call, Command::Transfer(Target::Agent(AgentId(1))));
    let leg = floor.mobile_leg(1).expect("the mobile rings");
    floor.phone_answers(leg);
    floor.settle();
    assert_eq!(floor.calls[&call].machine.kind(), "Queueing");
    press(&mut floor, leg, '1', false);
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Leg(leg));
    floor.check_all();
    // And it consults 2, then completes.
    floor.happens(2, Event::EndWrapUp);
    floor.commands(1, call, Command::Consult(Whom::Agent(AgentId(2))));
    floor.accepts(2);
    floor.commands(1, call, Command::Complete);
    assert_eq!(
        (floor.mobile_leg(1), channels(&floor), floor.calls[&call].machine.agent().map(|(agent, _)| agent)),
        (None, 1, Some(AgentId(2)))
    );
    floor.check_all();
    // A consultation with this agent.
    floor.happens(1, Event::EndWrapUp);
    floor.commands(2, call, Command::Consult(Whom::Agent(AgentId(1))));
    let leg = floor.mobile_leg(1).expect("the mobile rings");
    floor.phone_answers(leg);
    floor.settle();
    press(&mut floor, leg, '1', true);
    let (_, theirs) = floor.calls[&call].machine.agent().unwrap();
    assert_eq!((floor.hears_now(theirs), floor.hears_now(leg)), (Source::Leg(leg), Source::Leg(theirs)));
    floor.check_all();
}

// C7, E3
#[test]
fn an_internal_call_rings_the_mobile_with_the_automatic_caller_id() {
    let mut floor = floor_with(group(1));
    floor.goes_online(2);
    let call = floor.dials(2, Floor::dial_colleague(1, 2, 1)).unwrap();
    assert_eq!(floor.dialled, [("+4431".into(), mobile_number(1))], "no customer, so no number they called");
    let leg = floor.mobile_leg(1).unwrap();
    floor.phone_answers(leg);
    floor.settle();
    floor.far_hangs_up(leg);
    floor.settle();
    assert_eq!((floor.row(call).status, floor.row(call).contact.as_str(), channels(&floor)), (CallStatus::Rejected, "1001", 0));
    floor.check_all();
    // Without a number of ours to show.
    let mut first = answers_on_mobile();
    first.mobile.as_mut().unwrap().mobile.line = None;
    let mut floor = floor_on(trunk(), group(1), first);
    floor.goes_online(2);
    floor.dials(2, Floor::dial_colleague(1, 2, 1)).unwrap();
    assert_eq!((floor.state_reason(1), floor.seen(2), floor.calls.len()), (Some("mobile_no_line"), Seen::Available, 0));
}

// C7
#[test]
fn the_switch_takes_effect_for_the_next_call() {
    // On, while a call runs in the browser.
    let mut floor = Floor::with(vec![group(1)], vec![agent(1, &[1])]);
    floor.goes_online(1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.is_set_up(answers_on_mobile());
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::Browser);
    floor.lose_peer(1);
    floor.settle();
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)), "the call is the browser's");
    floor.hangs_up(call);
    assert!(matches!(floor.agents[&AgentId(1)].device(), Device::Mobile(_)));
    floor.happens(1, Event::EndWrapUp);
    let call = floor.calls(1);
    let leg = floor.mobile_leg(1).expect("the next call rings the mobile");
    // Off, while it rings there.
    floor.is_set_up(agent(1, &[1]));
    floor.phone_answers(leg);
    floor.settle();
    press(&mut floor, leg, '1', false);
    floor.advance(GRACE * 2);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.hangs_up(call);
    floor.happens(1, Event::EndWrapUp);
    assert_eq!((floor.agents[&AgentId(1)].device(), floor.seen(1)), (&Device::Browser, Seen::Available));
    floor.check_all();
    // In the browser again the page needs its audio, as for going online.
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), []);
    floor.new_peer(1);
    floor.settle();
    assert_eq!(rings_at(&floor, call), [1]);
    floor.check_all();
}

// B3, C7
#[test]
fn who_switches_back_without_a_page_is_offline_after_the_grace_time() {
    let mut floor = floor_with(group(1));
    floor.is_set_up(agent(1, &[1]));
    floor.advance(GRACE - 1);
    assert_eq!(floor.seen(1), Seen::Available);
    floor.advance(1);
    assert_eq!(floor.seen(1), Seen::Offline);
}

// C7
#[test]
fn a_panic_of_trunk_agent_or_call_leaves_the_mobile_right() {
    let (mut floor, call, leg) = talking();
    for who in [Address::Trunk(TRUNK), Address::Agent(AgentId(1))] {
        floor.panic(who, None);
        floor.settle();
        floor.check_all();
    }
    // The new machine knows that the call is on the mobile: no page is missed.
    floor.advance(GRACE * 2);
    assert_eq!(
        (floor.calls[&call].machine.kind(), floor.hears_now(floor.leg_of(call)), channels(&floor)),
        ("Talking", Source::Leg(leg), 2)
    );
    floor.panic(Address::Call(call), None);
    floor.settle();
    assert_eq!((channels(&floor), floor.legs.len(), floor.calls.len(), floor.seen(1)), (0, 0, 0, Seen::Available));
}
