//! Every message between the switch and the workstation, over the socket and over HTTP. The page's TypeScript types are made from this file.
//!
//! Times are milliseconds since 1970 UTC by the switch's clock; durations are milliseconds; ids are strings.
//! The socket starts with [`ToWorkstation::Snapshot`]; every later message carries the next number, so a page that missed one knows.
//! Events carry whole objects, never differences: the page replaces what it has.

mod accounts;
mod customers;
mod flows;
mod lists;
mod records;

pub use accounts::{
    AccountChoice, CodeForm, CodeRequest, CompletionForm, LoginForm, MobileCodeRequest, MobileForm, MobileSwitchesForm, PasswordForm,
    ProfileForm, RecoveryForm, SmsLoginAnswer, SmsLoginForm,
};
pub use customers::CustomerView;
pub use flows::{FlowResultView, FlowRunView, FlowView, SelfServiceView};
pub use lists::{BlockFor, BlockedView, BlocklistFilter, BlocklistForm, BlocklistView, DispositionForm, DispositionView, SmsOutboxRow};
pub use records::{GroupName, RecordFilter, RecordPage, RecordView, RecordingView, Waveform};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the page asks of the switch over the socket. `id` comes back in [`ToWorkstation::Done`] or [`ToWorkstation::Refused`].
#[derive(Deserialize, Serialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct Request {
    pub id: u32,
    pub ask: Ask,
}

#[derive(Deserialize, Serialize, TS, Debug, Clone, PartialEq)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Ask {
    /// Go to this state now or, in a call, after it (B1). `breakReason` is one of [`Settings::break_reasons`].
    SetState {
        state: ChosenState,
        break_reason: Option<String>,
    },
    /// Accept the offer that rings (C5).
    Answer {
        offer: String,
    },
    Decline {
        offer: String,
    },
    HangUp {
        call: String,
    },
    Hold {
        call: String,
    },
    Resume {
        call: String,
    },
    Mute {
        call: String,
    },
    Unmute {
        call: String,
    },
    /// Nothing of what is said is recorded, for card numbers (G4), until it is resumed or this agent's part in the call is over.
    PauseRecording {
        call: String,
    },
    ResumeRecording {
        call: String,
    },
    /// Send the customer to a group or an agent (D4). *Done* says that the target is asked; the session tells what it said.
    Transfer {
        call: String,
        to: TransferTarget,
    },
    /// Speak with somebody else while the customer waits (D5). *Done* says that they are asked; the session tells the rest.
    Consult {
        call: String,
        with: ConsultTarget,
    },
    /// From the customer to the consulted party, or back.
    Swap {
        call: String,
    },
    /// All three together.
    Conference {
        call: String,
    },
    /// The consulted party takes the customer.
    CompleteConsult {
        call: String,
    },
    /// Back to the customer alone.
    EndConsult {
        call: String,
    },
    /// The customer goes through a self-service flow, one of `GET /flows` (D6). *Done* says that it begins; the session tells the rest.
    StartFlow {
        call: String,
        flow: i32,
    },
    /// Back to the conversation.
    EndFlow {
        call: String,
    },
    /// Call this number, as typed or pasted (E1); or a SIP address, or a phone of the floor by its user (E4). `callerId` is one of [`Settings::caller_ids`]; null = chosen by the switch.
    /// *Done* says that the call begins; the session tells the rest (E5).
    Dial {
        to: String,
        caller_id: Option<String>,
    },
    /// Call a colleague (E3), one of [`Ask::Targets`]. *Done* says that the call begins; the session tells the rest.
    CallColleague {
        agent: i32,
    },
    /// Call the mobile of a colleague who is not online (E3): one whose [`TargetAgent::mobile`] is true.
    CallMobile {
        agent: i32,
    },
    /// Call the customer, or the colleague, of a call on the desk, whose whole number the switch has (D8). Refused as [`Ask::Dial`] is, or `no_number`.
    CallBack {
        call: String,
    },
    /// Digits for the far side, `0`–`9`, `*`, `#`, `A`–`D`; `,` and `p` are pauses of two seconds (D7).
    Digits {
        call: String,
        digits: String,
    },
    /// Whom a customer can be sent to now; answered by [`ToWorkstation::Targets`]. Of the agents those whom each word of the search means, in small or
    /// capital letters: by name, agent id, e-mail or a group's name (D4). Empty = all; at most 100 characters.
    Targets {
        #[serde(default)]
        search: String,
    },
    /// Text kept with the record (D8); the last one sent stands.
    Remark {
        call: String,
        text: String,
    },
    /// What the call was about (D8), one of [`Settings::dispositions`] or empty; the last one sent stands.
    Disposition {
        call: String,
        name: String,
    },
    /// The customer of a call on the desk may not call any more (H6); the call goes on. Refused: `nothing_to_block`, `not_kept`.
    Block {
        call: String,
        keep: BlockFor,
        note: String,
    },
    /// *Return to reception*: end after-call work now (B2).
    EndWrapUp,
    /// *Continue after-call work*: keep it until the agent leaves it (B2).
    ContinueWrapUp,
    /// Log out: at once, or, in a call, at its end; with `endCall` the call ends now (A9). *Done* says that it is under way,
    /// [`ToWorkstation::LoggedOut`] that it came about.
    LogOut {
        end_call: bool,
    },
    /// Stay after all, before a log-out came about.
    Stay,
    /// *Service completed*: take one ended session from the list (D8).
    CompleteService {
        call: String,
    },
    /// *All completed*, of the sessions with customers or of the internal ones (F2).
    CompleteAll {
        internal: bool,
    },
    /// The browser's WebRTC offer, with all candidates in it. Makes this tab the one that owns the audio (F6).
    OpenPeer {
        sdp: String,
        /// The line to the switch is too narrow for G.711: Opus, where the offer has it (F4).
        #[serde(default)]
        narrow: bool,
    },
    /// This tab gives the audio back, or its microphone is gone.
    ClosePeer,
    /// Keeps the socket alive and measures the round trip; answered by `done`.
    Ping,
    /// A second WebRTC offer: its own audio comes straight back, so that the page can measure the network (F4). Answered by
    /// [`ToWorkstation::Echo`]; ends by itself after half a minute.
    OpenEcho {
        sdp: String,
    },
    CloseEcho,
    /// What is known of the customer of a call on this desk (F3); answered by [`ToWorkstation::Customer`].
    Customer {
        call: String,
    },
    /// Keeps name and remark under the customer's number; empty ones are forgotten.
    SaveCustomer {
        call: String,
        name: String,
        remark: String,
    },
}

/// Where a customer is sent (D4).
#[derive(Deserialize, Serialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum TransferTarget {
    Group { id: i32 },
    Agent { id: i32 },
}

/// With whom an agent consults (D5). A number is cleaned and checked as in [`Ask::Dial`].
#[derive(Deserialize, Serialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum ConsultTarget {
    Group { id: i32 },
    Agent { id: i32 },
    Number { to: String, caller_id: Option<String> },
}

/// A consultation, as its agent sees it, or the colleague who was called in (D5).
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct ConsultView {
    /// The group's or agent's name, or the number; for a guest, the colleague who consults.
    pub whom: String,
    pub reached: Reached,
    pub side: Side,
    /// The two go on without the customer.
    pub customer_left: bool,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Reached {
    Asked,
    Ringing,
    /// Only now can the agent swap, join all three or complete.
    Up,
}

/// With whom the agent who consults speaks.
#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Side {
    Customer,
    Third,
    All,
}

/// A state the agent may choose (B1).
#[derive(Deserialize, Serialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum ChosenState {
    Available,
    Busy,
    OnBreak,
    Offline,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Departure {
    LogOut,
    /// By an admin.
    ForcedOffline,
}

/// What the switch tells the page over the socket. What several pages are told is not copied for each.
#[derive(Serialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct FromSwitch<'a> {
    /// Counts up by one from the snapshot's; a gap means: connect again.
    pub seq: u32,
    pub tell: &'a ToWorkstation,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum ToWorkstation {
    /// The first message of a socket: everything the page shows.
    Snapshot(Box<Snapshot>),
    /// The agent's state changed.
    Agent(AgentView),
    /// Queues of the agent's own groups changed: replace those of the same groups (F2).
    Queues { queues: Vec<QueueView> },
    /// A call rings at this agent, or (null) rings no more.
    Offer { offer: Option<OfferView> },
    /// A session began or changed: replace the one with the same call, else add it at the front.
    Session(Box<SessionView>),
    /// Sessions the agent has put away.
    SessionsGone { calls: Vec<String> },
    /// The switch's WebRTC answer to `openPeer`.
    PeerAnswer { sdp: String },
    /// The peer's state, as the switch sees it.
    Peer { state: PeerState },
    /// This tab owns the audio and rings, or it only shows the state (F6).
    AudioOwner { mine: bool },
    /// Measured quality of the call's two paths, about every two seconds (D1).
    Quality(QualityView),
    /// Whom a customer can be sent to (D4).
    Targets(TargetsView),
    /// The answer to `openEcho`; null: there is none (F4).
    Echo { sdp: Option<String> },
    /// A customer's card (F3).
    Customer(CustomerView),
    /// The request with this id was done.
    Done { id: u32 },
    /// The request was refused; `message` is a sentence for the agent, `code` is stable.
    Refused { id: u32, code: String, message: String },
    /// Another login took this session over; the socket closes after it (A9).
    TakenOver,
    /// The login session is over; the socket closes after it (A1, A9).
    LoggedOut,
}

/// Every group with its idle agents, and the agents whom the search means with their states, never the one who searches (D4).
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct TargetsView {
    /// What was searched for.
    pub search: String,
    pub groups: Vec<TargetGroup>,
    /// By name; of many the first hundred.
    pub agents: Vec<TargetAgent>,
    /// How many more the search means.
    pub more: u32,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct TargetGroup {
    pub id: i32,
    pub name: String,
    /// Agents of the group who would be rung at once.
    pub idle: u32,
    /// Anybody of the group is not offline.
    pub staffed: bool,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct TargetAgent {
    pub id: i32,
    pub name: String,
    /// The agent id that people use.
    pub number: String,
    pub email: String,
    /// Skill groups by id.
    pub groups: Vec<i32>,
    pub state: AgentState,
    /// Not online, and may be called on the mobile (E3).
    pub mobile: bool,
}

/// How far a transfer is; all but the first leave the call as it was (D4).
#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum TransferView {
    Asked,
    NoAgentOnline,
    QueueFull,
    AgentNotFree,
    /// The consulted number was not reached; [`SessionView::consult_outcome`] says why.
    NumberFailed,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum PeerState {
    /// No peer: the agent is offline, or another tab has it.
    None,
    Connecting,
    Up,
    Lost,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct Snapshot {
    /// The switch's clock now.
    #[ts(type = "number")]
    pub now: i64,
    pub me: Me,
    pub agent: AgentView,
    pub queues: Vec<QueueView>,
    pub offer: Option<OfferView>,
    /// Calls in progress first, then ended ones not yet put away, newest first.
    pub sessions: Vec<SessionView>,
    pub audio_owner: bool,
    pub peer: PeerState,
    pub settings: Settings,
}

/// The account that is logged in.
#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct Me {
    pub name: String,
    pub nickname: Option<String>,
    /// The agent id that people use (a number), as text.
    pub number: String,
    pub email: String,
    pub role: Role,
    /// The bound mobile number with its middle hidden (A2); null = none.
    pub mobile: Option<String>,
    /// Where the picture is (A7); null = none.
    pub avatar: Option<String>,
    /// The password is the one-time one that was mailed: the account must be completed before anything else (A2).
    pub must_change_password: bool,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Role {
    Agent,
    Supervisor,
    Admin,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct Settings {
    pub break_reasons: Vec<String>,
    /// What the agent may say a call was about (D8), in order.
    pub dispositions: Vec<String>,
    /// Our numbers that this agent may show to customers (E1).
    pub caller_ids: Vec<String>,
    /// `make run`'s demo floor: the page may place a simulated call.
    pub demo: bool,
    /// The address of the CRM's page with its places still to fill (F3); null: there is no CRM.
    pub crm_url: Option<String>,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct AgentView {
    pub state: AgentState,
    /// What rings for the next call, or has the present one. With a phone or mobile the page needs neither microphone nor peer, and *Answer* does
    /// nothing (C7, C8). Between page and phone it changes while the agent is offline, to and from the mobile between calls.
    pub device: Device,
    /// The mobile is switched on to answer (C7), and to begin calls out (E2).
    pub mobile_answering: bool,
    pub mobile_outbound: bool,
    /// The break reason; or why the switch set the agent busy (B4).
    pub reason: Option<String>,
    /// When this state began.
    #[ts(type = "number")]
    pub since: i64,
    /// The state that follows the call and its after-call work, when one was chosen meanwhile (B1).
    pub then: Option<ChosenState>,
    /// What becomes of the agent when the call ends, whatever state was chosen (A9).
    pub departing: Option<Departure>,
    /// In after-call work: when it ends by itself; null = when the agent says so.
    #[ts(type = "number | null")]
    pub wrap_up_ends: Option<i64>,
    /// In after-call work: how long it was set to last, for the ring.
    #[ts(type = "number | null")]
    pub wrap_up_total: Option<i64>,
    /// The device failed: no offers until then (B4); `reason` says why.
    #[ts(type = "number | null")]
    pub rests_until: Option<i64>,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Device {
    /// The page, over its peer.
    Browser,
    /// A SIP phone.
    Phone,
    /// The agent's own mobile, over a trunk.
    Mobile,
}

/// The states of table B.
#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum AgentState {
    Available,
    Busy,
    OnBreak,
    InLine,
    AfterCallWork,
    Offline,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct QueueView {
    pub group: i32,
    pub name: String,
    pub waiting: u32,
    /// When the caller who waits longest began to wait.
    #[ts(type = "number | null")]
    pub oldest: Option<i64>,
}

/// The answer bar (C5).
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct OfferView {
    pub offer: String,
    pub call: String,
    pub call_type: CallType,
    /// The customer's number, masked by the switch; of an internal call, the colleague's.
    pub caller: String,
    /// The customer's name where it is known; of an internal call, the colleague's.
    pub caller_name: Option<String>,
    /// Where the number is from, when known.
    pub place: Option<String>,
    /// The number they called.
    pub called: String,
    pub group: String,
    /// When the caller began to wait.
    #[ts(type = "number")]
    pub waiting_since: i64,
    #[ts(type = "number")]
    pub rings_since: i64,
    #[ts(type = "number")]
    pub rings_until: i64,
    /// The call is answered by itself (C6): no buttons.
    pub automatic: bool,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct SessionView {
    pub call: String,
    pub call_type: CallType,
    pub phase: Phase,
    /// The customer's number, whoever called; masked by the switch. Of an internal call, the colleague's.
    pub caller: String,
    /// The customer's name where it is known; of an internal call, the colleague's.
    pub caller_name: Option<String>,
    pub place: Option<String>,
    /// Ours: the number they called, or the one they are shown.
    pub called: String,
    pub group: Option<String>,
    /// When the conversation began; before it, when dialling did.
    #[ts(type = "number")]
    pub began: i64,
    #[ts(type = "number | null")]
    pub ended: Option<i64>,
    /// How it ended: a G2 or G3 status such as `normal_end`.
    pub outcome: Option<String>,
    pub hung_up_by: Option<String>,
    pub held: bool,
    pub muted: bool,
    pub recording: bool,
    /// The agent paused the recording (G4).
    pub recording_paused: bool,
    /// A transfer that was asked for, or why it was refused (D4).
    pub transfer: Option<TransferView>,
    pub consult: Option<ConsultView>,
    /// Why a consulted number was not reached: a G3 status.
    pub consult_outcome: Option<String>,
    /// The flow in which the customer is, or was last in this conversation (D6).
    pub service: Option<SelfServiceView>,
    /// Why the agent's own phone or mobile ended a call out: as [`AgentView::reason`] of a rest (B4, E2).
    pub device_failed: Option<String>,
    /// This agent was called in by a colleague (D5): only *hang up* is theirs. Or called by one (E3).
    pub guest: bool,
    pub remark: String,
    /// What the call was about; empty: the agent has not said (D8).
    pub disposition: String,
}

/// Which way a call was set up.
#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum CallType {
    Inbound,
    Outbound,
    /// Between agents (E3).
    Internal,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum Phase {
    /// The switch calls; nothing rings yet (E5).
    Dialling,
    /// The customer's telephone rings, or early media is heard (E5).
    Ringing,
    /// Accepted; the voice path is being joined (the ding-dong plays, C6).
    Connecting,
    Talking,
    /// The agent's page or media is away; the customer hears music (B3).
    Reconnecting,
    Ended,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct QualityView {
    pub call: String,
    /// Mean opinion score 1.0–4.5 by the E-model, of the worse path.
    pub mos: f32,
    /// Lost packets, percent, agent's path.
    pub loss: f32,
    /// Milliseconds.
    pub jitter: f32,
    pub round_trip: Option<f32>,
}

// ---- HTTP, under /api/v1 ----

/// The body of every refused request.
#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct ApiError {
    /// Stable, `snake_case`.
    pub code: String,
    /// A sentence for the person, in English; the page translates by code where it can.
    pub message: String,
}

/// `GET /hello`, without a login: what the login page needs.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct Hello {
    pub version: String,
    pub demo: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The page's types are these. `CORDBOARD_WRITE_TYPES=1 cargo test -p cordboard wire` writes them anew.
    #[test]
    fn the_pages_types_are_made_from_this_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/generated");
        let fresh = std::env::temp_dir().join(format!("cordboard-types-{}", std::process::id()));
        let write = std::env::var_os("CORDBOARD_WRITE_TYPES").is_some();
        let config = ts_rs::Config::default().with_out_dir(if write { &folder } else { &fresh });
        Request::export_all(&config).unwrap();
        FromSwitch::export_all(&config).unwrap();
        LoginForm::export_all(&config).unwrap();
        PasswordForm::export_all(&config).unwrap();
        CodeRequest::export_all(&config).unwrap();
        SmsLoginForm::export_all(&config).unwrap();
        SmsLoginAnswer::export_all(&config).unwrap();
        RecoveryForm::export_all(&config).unwrap();
        MobileCodeRequest::export_all(&config).unwrap();
        MobileForm::export_all(&config).unwrap();
        CompletionForm::export_all(&config).unwrap();
        ProfileForm::export_all(&config).unwrap();
        MobileSwitchesForm::export_all(&config).unwrap();
        ApiError::export_all(&config).unwrap();
        RecordFilter::export_all(&config).unwrap();
        RecordPage::export_all(&config).unwrap();
        Waveform::export_all(&config).unwrap();
        FlowView::export_all(&config).unwrap();
        BlocklistFilter::export_all(&config).unwrap();
        BlocklistForm::export_all(&config).unwrap();
        BlocklistView::export_all(&config).unwrap();
        SmsOutboxRow::export_all(&config).unwrap();
        Hello::export_all(&config).unwrap();
        if !write {
            let made = std::fs::read_to_string(fresh.join("wire.ts")).unwrap();
            std::fs::remove_dir_all(&fresh).unwrap();
            let committed = std::fs::read_to_string(folder.join("wire.ts")).unwrap();
            assert_eq!(
                made, committed,
                "web/src/generated/wire.ts is not what src/wire.rs says: run CORDBOARD_WRITE_TYPES=1 cargo test -p cordboard wire"
            );
        }
    }

    #[test]
    fn a_request_with_an_unknown_field_is_refused() {
        assert!(serde_json::from_str::<Request>(r#"{"id":1,"ask":{"type":"ping"},"more":1}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"id":1,"ask":{"type":"ping"}}"#).is_ok());
    }
}
