//! The people and carriers around the switch, and how a floor is set up for a test.

use super::{Far, Floor, Letter, Node};
use cordboard_core::agent::{self, Chosen, Dial};
use cordboard_core::call::{self, Arrival, Call, Called, Command, Route, Way};
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId, PeerId, TrunkId};
use cordboard_core::leg::{self, Failure, Kind, Leg, SignalEvent};
use cordboard_core::message::{Number, Source};
use cordboard_core::setup::{
    AgentSetup, DeviceSetup, DigitMode, GroupSetup, Line, Membership, Mobile, MobileSetup, PhoneContact, PhoneSetup, Strategy, Transport,
    TrunkSetup, WayOut, WrapUp,
};

pub const TRUNK: TrunkId = TrunkId(1);

/// A group with the defaults of the specification.
pub fn group(id: i32) -> GroupSetup {
    GroupSetup {
        id: GroupId(id),
        name: format!("group {id}"),
        strategy: Strategy::LongestIdle,
        ring: 20_000,
        wrap_up: WrapUp::Millis(10_000),
        automatic_answer: false,
        misses: 3,
        last_agent_wait: 0,
        max_wait: None,
        on_max_wait: WayOut::HangUp { prompt: None },
        max_queue: None,
        on_max_queue: WayOut::HangUp { prompt: None },
        on_no_agent: WayOut::HangUp { prompt: None },
        welcome: None,
        music: format!("music {id}"),
        announce_position: None,
        announcement: None,
        announce_every: 30_000,
        record: true,
    }
}

/// An agent at a browser, in these groups.
pub fn agent(id: i32, groups: &[i32]) -> AgentSetup {
    AgentSetup {
        id: AgentId(id),
        number: format!("{}", 1000 + id),
        name: format!("agent {id}"),
        groups: groups.iter().map(|group| Membership { group: GroupId(*group), priority: 0, weight: 0 }).collect(),
        automatic_answer: None,
        device: DeviceSetup::Browser,
        mobile: None,
    }
}

pub fn phone(id: i32) -> DeviceSetup {
    let addr = "127.0.0.1:5070".parse().expect("an address");
    let contact = PhoneContact::Fixed { addr, transport: Transport::Udp };
    DeviceSetup::Phone(PhoneSetup { name: format!("phone {id}"), user: format!("phone{id}"), contact })
}

/// The agent's own mobile, switched on for these; only key 1 accepts.
pub fn mobile(id: i32, answering: bool, outbound: bool) -> Option<MobileSetup> {
    let line = Some(Line { trunk: TRUNK, caller: "+4431".into() });
    Some(MobileSetup { mobile: Mobile { number: mobile_number(id), line, press_one: true }, answering, outbound })
}

pub fn mobile_number(agent: i32) -> String {
    format!("+447700{agent:06}")
}

pub fn trunk() -> TrunkSetup {
    TrunkSetup {
        id: TRUNK,
        name: "carrier".into(),
        hosts: vec!["192.0.2.1:5060".parse().expect("an address")],
        transport: Transport::Udp,
        max_channels: None,
        max_calls_per_second: None,
        options_every: 0,
        max_outbound: None,
        max_outbound_a_day: None,
        digits: DigitMode::Rfc4733,
        outcomes: Vec::new(),
    }
}

impl Floor {
    /// A floor with one trunk, these groups and agents, all still offline, past its opening second.
    pub fn with(groups: Vec<GroupSetup>, agents: Vec<AgentSetup>) -> Self {
        let mut floor = Self::new();
        floor.open(trunk(), groups, agents);
        floor.advance(cordboard_core::group::OPENING);
        floor
    }

    pub fn open(&mut self, trunk: TrunkSetup, groups: Vec<GroupSetup>, agents: Vec<AgentSetup>) {
        self.new_trunk(trunk);
        for setup in groups {
            self.new_group(setup);
        }
        for setup in agents {
            self.new_agent(setup);
        }
    }

    // ---- agents ----

    pub fn new_peer(&mut self, agent: i32) -> PeerId {
        let peer = PeerId(cordboard_core::cx::Ids::next_id(&mut self.ids));
        self.peers.insert(peer);
        self.agent(AgentId(agent), agent::Event::PeerUp(peer));
        peer
    }

    pub fn lose_peer(&mut self, agent: i32) {
        if let Some(peer) = self.agents[&AgentId(agent)].peer() {
            self.peers.remove(&peer);
            self.agent(AgentId(agent), agent::Event::PeerLost(peer));
        }
    }

    /// The workstation opens, its voice path comes up, the agent chooses *available*.
    pub fn goes_online(&mut self, agent: i32) {
        self.agent(AgentId(agent), agent::Event::SocketUp);
        self.new_peer(agent);
        self.chooses(agent, Chosen::Available);
    }

    pub fn chooses(&mut self, agent: i32, chosen: Chosen) {
        self.agent(AgentId(agent), agent::Event::SetState(chosen));
        self.settle();
    }

    pub fn happens(&mut self, agent: i32, event: agent::Event) {
        self.agent(AgentId(agent), event);
        self.settle();
    }

    pub fn accepts(&mut self, agent: i32) {
        let offer = self.offer_of(AgentId(agent)).expect("an answer bar is shown");
        self.happens(agent, agent::Event::Accept(offer));
    }

    pub fn declines(&mut self, agent: i32) {
        let offer = self.offer_of(AgentId(agent)).expect("an answer bar is shown");
        self.happens(agent, agent::Event::Decline(offer));
    }

    pub fn commands(&mut self, agent: i32, call: CallId, command: Command) {
        self.call(super::Node::Media, call, call::Event::Command { agent: AgentId(agent), command });
        self.settle();
    }

    pub fn seen(&self, agent: i32) -> agent::Seen {
        self.agents[&AgentId(agent)].seen().0
    }

    pub fn state_reason(&self, agent: i32) -> Option<&str> {
        self.agents[&AgentId(agent)].seen().1
    }

    // ---- calls out ----

    /// The number that an agent of this group dials.
    pub fn dial(group: i32) -> Dial {
        let terms = self::group(group).terms(None);
        Dial { to: Called::Number(TRUNK), caller: "+4430".into(), contact: "+4420".into(), terms, permitted: true, a_day: None }
    }

    /// A phone that is nobody's, called by its SIP address (E4).
    pub fn dial_sip(group: i32) -> Dial {
        let DeviceSetup::Phone(lobby) = phone(99) else { panic!("a phone") };
        Dial { to: Called::Sip(lobby), caller: "1001".into(), contact: "lobby".into(), ..Self::dial(group) }
    }

    /// A colleague whom an agent of this group calls: without after-call work or recording.
    pub fn dial_colleague(group: i32, caller: i32, colleague: i32) -> Dial {
        let terms = self::group(group).terms(None).internal();
        let number = |agent| format!("{}", 1000 + agent);
        let to = Called::Agent(AgentId(colleague));
        Dial { to, caller: number(caller), contact: number(colleague), terms, permitted: true, a_day: None }
    }

    /// A colleague who is not online, on the mobile.
    pub fn dial_mobile(group: i32, caller: i32, colleague: i32) -> Dial {
        let number = Number { trunk: TRUNK, caller: "+4431".into(), called: mobile_number(colleague) };
        Dial { to: Called::Mobile(AgentId(colleague), number), ..Self::dial_colleague(group, caller, colleague) }
    }

    /// The agent dials; the call, if it came about.
    pub fn dials(&mut self, agent: i32, dial: Dial) -> Option<CallId> {
        let before: Vec<CallId> = self.journal.keys().copied().collect();
        self.happens(agent, agent::Event::Dial(Box::new(dial)));
        self.journal.keys().copied().find(|call| !before.contains(call))
    }

    /// The called telephone rings, perhaps with early media.
    pub fn customer_rings(&mut self, call: CallId, early_media: bool) {
        self.far_rings(self.leg_of(call), early_media);
        self.settle();
    }

    pub fn far_rings(&mut self, leg: LegId, early_media: bool) {
        if self.far.get(&leg) == Some(&Far::Early) {
            self.far_says(leg, SignalEvent::Ringing { early_media });
        }
    }

    pub fn customer_answers(&mut self, call: CallId) {
        let leg = self.leg_of(call);
        self.phone_answers(leg);
        self.settle();
    }

    pub fn customer_fails(&mut self, call: CallId, status: u16) {
        let leg = self.leg_of(call);
        self.phone_fails(leg, status);
        self.settle();
    }

    // ---- callers ----

    pub fn begin(&mut self, route: Option<Route>) -> CallId {
        self.begin_by(Way::In(route))
    }

    pub fn begin_by(&mut self, way: Way) -> CallId {
        let call = CallId(cordboard_core::cx::Ids::next_id(&mut self.ids));
        let leg = LegId(cordboard_core::cx::Ids::next_id(&mut self.ids));
        let (machine, _) = Leg::open(leg, call, Kind::Trunk { trunk: TRUNK, agent: None });
        self.legs.insert(leg, machine);
        self.far.insert(leg, Far::Early);
        self.begin_call(Call::new(Arrival { call, leg, trunk: Some(TRUNK), caller: "+4420".into(), contact: "+4430".into(), way }));
        call
    }

    /// A caller for a group, once everything has settled.
    pub fn calls(&mut self, group: i32) -> CallId {
        self.calls_after(group, None)
    }

    /// A caller whom this agent served last.
    pub fn calls_after(&mut self, group: i32, last_agent: Option<i32>) -> CallId {
        let route = Route { group: GroupId(group), early_media: false, last_agent: last_agent.map(AgentId) };
        let call = self.begin(Some(route));
        self.settle();
        call
    }

    pub fn leg_of(&self, call: CallId) -> LegId {
        self.calls[&call].machine.customer_leg()
    }

    pub fn hears_now(&self, leg: LegId) -> Source {
        self.hears.get(&leg).cloned().unwrap_or(Source::Silence)
    }

    /// A sound is heard on the leg.
    pub fn plays(&self, leg: LegId) -> bool {
        self.sounds.values().any(|(_, playing_on, _)| *playing_on == leg)
    }

    /// What was played on the caller's leg since the last look.
    pub fn told(&mut self, call: CallId) -> Vec<String> {
        let leg = self.leg_of(call);
        let (told, others) = std::mem::take(&mut self.played).into_iter().partition(|(played_on, _)| *played_on == leg);
        self.played = others;
        let told: Vec<(LegId, String)> = told;
        told.into_iter().map(|(_, sounds)| sounds).collect()
    }

    /// The far end gives up or hangs up.
    pub fn far_hangs_up(&mut self, leg: LegId) {
        let Some(far) = self.far.get_mut(&leg) else { return };
        let event = match *far {
            Far::Early => SignalEvent::Cancelled,
            Far::Up => SignalEvent::HungUp,
            Far::Closed => return,
        };
        *far = Far::Closed;
        self.far_says(leg, event);
        self.far_says(leg, SignalEvent::Closed);
    }

    /// The customer presses these keys.
    pub fn presses(&mut self, call: CallId, keys: &str) {
        for key in keys.chars() {
            self.far_presses(self.leg_of(call), key, false);
            self.settle();
        }
    }

    /// As a telephone event, or by INFO.
    pub fn far_presses(&mut self, leg: LegId, key: char, info: bool) {
        if !self.far.get(&leg).is_some_and(|far| *far != Far::Closed) {
            return;
        }
        if info {
            self.far_says(leg, SignalEvent::Digit(key));
        } else {
            self.post(Node::Media, Node::At(Address::Leg(leg)), Letter::Leg(leg, leg::Input::Key(key)));
        }
    }

    pub fn hangs_up(&mut self, call: CallId) {
        if let Some(line) = self.calls.get(&call) {
            let leg = line.machine.customer_leg();
            self.far_hangs_up(leg);
            self.settle();
        }
    }

    // ---- phones ----

    pub fn phone_answers(&mut self, leg: LegId) {
        if self.far.get(&leg) == Some(&Far::Early) {
            self.far.insert(leg, Far::Up);
            self.far_says(leg, SignalEvent::Up);
        }
    }

    pub fn phone_fails(&mut self, leg: LegId, status: u16) {
        self.phone_fails_for(leg, status, None);
    }

    pub fn phone_fails_for(&mut self, leg: LegId, status: u16, q850: Option<u8>) {
        if self.far.get(&leg) == Some(&Far::Early) {
            self.far.insert(leg, Far::Closed);
            self.far_says(leg, SignalEvent::Failed(Failure { status, q850, text: "no".into(), heard: true }));
            self.far_says(leg, SignalEvent::Closed);
        }
    }

    /// The far side holds us, or takes us back.
    pub fn far_holds(&mut self, leg: LegId, held: bool) {
        if self.far.get(&leg) == Some(&Far::Up) {
            self.far_says(leg, SignalEvent::FarHold(held));
        }
    }

    /// The leg of the agent's mobile, which rings or talks.
    pub fn mobile_leg(&self, agent: i32) -> Option<LegId> {
        let of = |leg: &&Leg| matches!(leg.kind(), Kind::Trunk { agent: owner, .. } if *owner == Some(AgentId(agent)));
        self.legs.values().find(of).map(|leg| leg.id)
    }

    /// The admin or the agent changes what is known of the agent.
    pub fn is_set_up(&mut self, setup: AgentSetup) {
        self.reference.moved(&setup);
        self.happens(setup.id.0, agent::Event::Setup(Box::new(setup)));
    }

    /// The leg of the phone that rings or talks for this agent.
    pub fn phone_leg(&self, agent: i32) -> Option<LegId> {
        let of = |leg: &&Leg| matches!(leg.kind(), Kind::Phone { agent: owner, .. } if *owner == Some(AgentId(agent)));
        self.legs.values().find(of).map(|leg| leg.id)
    }
}
