//! Names of events, for the record of which transitions were taken.

use cordboard_core::{agent, call, group, leg};

pub fn of_agent(event: &agent::Event) -> &'static str {
    use agent::Event as E;
    match event {
        E::SetState(agent::Chosen::Offline) => "SetState(Offline)",
        E::SetState(_) => "SetState",
        E::Accept(_) => "Accept",
        E::Decline(_) => "Decline",
        E::EndWrapUp => "EndWrapUp",
        E::ContinueWrapUp => "ContinueWrapUp",
        E::Dial(_) => "Dial",
        E::ConsultsNumber => "ConsultsNumber",
        E::SocketUp => "SocketUp",
        E::SocketDown => "SocketDown",
        E::PeerUp(_) => "PeerUp",
        E::PeerLost(_) => "PeerLost",
        E::TakenOver => "TakenOver",
        E::Depart { .. } => "Depart",
        E::Stay => "Stay",
        E::Best { .. } => "Best",
        E::Nothing { .. } => "Nothing",
        E::Reserve { .. } => "Reserve",
        E::ReserveDirect { .. } => "ReserveDirect",
        E::Revoke(_) => "Revoke",
        E::GroupRestarted(_) => "GroupRestarted",
        E::Ring(_) => "Ring",
        E::Withdraw { .. } => "Withdraw",
        E::Won { .. } => "Won",
        E::CallOver { .. } => "CallOver",
        E::Reclaim { .. } => "Reclaim",
        E::CallGone(_) => "CallGone",
        E::Setup(_) => "Setup",
    }
}

pub fn of_call(event: &call::Event) -> &'static str {
    use call::Event as E;
    match event {
        E::Begin => "Begin",
        E::JournalFailed => "JournalFailed",
        E::SwitchStops => "SwitchStops",
        E::Leg(_, event) => of_leg_event(event),
        E::LegGone(_) => "LegGone",
        E::ChannelGranted { .. } => "ChannelGranted",
        E::ChannelRefused { .. } => "ChannelRefused",
        E::TrunkRestarted(_) => "TrunkRestarted",
        E::Queued { .. } => "Queued",
        E::Announce { .. } => "Announce",
        E::TurnedAway { .. } => "TurnedAway",
        E::Offer(_) => "Offer",
        E::GroupRestarted(_) => "GroupRestarted",
        E::Reserved { .. } => "Reserved",
        E::NotReserved { .. } => "NotReserved",
        E::Accept { .. } => "Accept",
        E::Declined { .. } => "Declined",
        E::OfferGone { .. } => "OfferGone",
        E::Withdrawn { .. } => "Withdrawn",
        E::AgentAway { .. } => "AgentAway",
        E::AgentBack { .. } => "AgentBack",
        E::AgentLost { .. } => "AgentLost",
        E::AgentRestarted(_) => "AgentRestarted",
        E::Command { command: call::Command::HangUp, .. } => "HangUp",
        E::Command { command: call::Command::Complete, .. } => "Complete",
        E::Command { command: call::Command::Consult(_), .. } => "Consult",
        E::Command { command: call::Command::StartFlow(..), .. } => "StartFlow",
        E::Command { command: call::Command::EndFlow, .. } => "EndFlow",
        E::Command { .. } => "Command",
        E::Played { .. } => "Played",
        E::Quality { .. } => "Quality",
    }
}

fn of_leg_event(event: &leg::Event) -> &'static str {
    match event {
        leg::Event::Ringing { .. } => "Leg(Ringing)",
        leg::Event::Up => "Leg(Up)",
        leg::Event::Held(_) => "Leg(Held)",
        leg::Event::Cancelled => "Leg(Cancelled)",
        leg::Event::HungUp => "Leg(HungUp)",
        leg::Event::Failed(_) => "Leg(Failed)",
        leg::Event::Digit(_) => "Leg(Digit)",
        leg::Event::Closed => "Leg(Closed)",
    }
}

pub fn of_group(event: &group::Event) -> &'static str {
    use group::Event as E;
    match event {
        E::Ask { .. } => "Ask",
        E::Pick { .. } => "Pick",
        E::Park { .. } => "Park",
        E::Leave { .. } => "Leave",
        E::Presence { .. } => "Presence",
        E::Reserved { .. } => "Reserved",
        E::NotReserved { .. } => "NotReserved",
        E::AgentRestarted(_) => "AgentRestarted",
        E::Enqueue(_) => "Enqueue",
        E::Left(_) => "Left",
        E::CallGone(_) => "CallGone",
        E::OfferOver { .. } => "OfferOver",
        E::Setup(_) => "Setup",
    }
}

pub fn of_leg(input: &leg::Input) -> &'static str {
    use leg::{Command, Input, SignalCommand, SignalEvent};
    match input {
        Input::Command(Command::Signal(SignalCommand::HangUp { .. })) => "HangUp",
        Input::Command(Command::Signal(SignalCommand::Reject { .. })) => "Reject",
        Input::Command(Command::Signal(_)) => "Command",
        Input::Command(Command::Move(_)) => "Move",
        Input::Command(Command::CallGone(_)) => "CallGone",
        Input::Signal(SignalEvent::Up) => "Signal(Up)",
        Input::Signal(SignalEvent::Cancelled) => "Signal(Cancelled)",
        Input::Signal(SignalEvent::HungUp) => "Signal(HungUp)",
        Input::Signal(SignalEvent::Failed(_)) => "Signal(Failed)",
        Input::Signal(SignalEvent::FarHold(_)) => "Signal(FarHold)",
        Input::Signal(SignalEvent::Closed) => "Signal(Closed)",
        Input::Signal(SignalEvent::Digit(_)) => "Signal(Digit)",
        Input::Signal(_) => "Signal",
        Input::Key(_) => "Key",
        Input::Attached => "Attached",
        Input::AttachFailed => "AttachFailed",
    }
}
