//! From a call's journal to its row and its service records: one pure fold, used live and after a crash alike (G1, G5).

use crate::flow::FlowResult;
use crate::ids::{AgentId, CallId, GroupId, TrunkId};
use crate::outcome::{CallStatus, CallType, HungUpBy};
use serde::{Deserialize, Serialize};

/// One line of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub call: CallId,
    /// Wall time, milliseconds since 1970 UTC.
    pub at: i64,
    pub what: What,
}

/// What happened to a call. A *segment* is the part of a call that one record tells: the wait and the talk with one agent, or a wait without one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum What {
    /// The call exists; waits for its append (design: durability).
    Accepted {
        #[serde(default)]
        way: CallType,
        trunk: Option<TrunkId>,
        caller: String,
        contact: String,
    },
    /// The caller is on the blocklist; that is the group of the number they called (C1).
    Barred {
        group: GroupId,
    },
    /// An agent of that group dials (E5).
    Dialling {
        agent: AgentId,
        group: GroupId,
    },
    /// The caller joined a group's queue; the open segment is this group's.
    Queued {
        group: GroupId,
    },
    Ringing {
        agent: AgentId,
    },
    /// That agent rings no more.
    RingEnded {
        agent: AgentId,
    },
    /// An agent and the customer talk (after the ding-dong). Waits for its append.
    Connected {
        agent: AgentId,
    },
    Held,
    Resumed,
    /// `offset` 0 of the recording is now.
    RecordingBegan,
    /// A consultation begins (D5), or a colleague is called (E3): a segment of its own beside the open one. Who rings and connects next belongs to it.
    ConsultBegan {
        agent: AgentId,
        group: Option<GroupId>,
    },
    /// The third party is with the customer: from here on the recording is theirs too.
    Conferenced,
    ConsultEnded {
        status: CallStatus,
        by: HungUpBy,
    },
    /// The open segment is over, and the consultation's is the open one from now on.
    ConsultTookOver {
        status: CallStatus,
        by: HungUpBy,
    },
    /// The open segment is over, the call is not: the next segment begins here.
    SegmentEnded {
        status: CallStatus,
        by: HungUpBy,
    },
    /// The customer goes into a self-service flow (D6), in the open segment.
    FlowBegan {
        flow: String,
    },
    /// A result of that flow; the last value of a name stands.
    FlowResult(FlowResult),
    /// The flow came to its own end. Without this, who was in it left: the customer or the agent ended the call, or the agent took the customer back.
    FlowFinished,
    /// Quality of the open segment, at its end.
    Quality {
        mos: f32,
    },
    /// The text of one segment's remark; the last one stands. May come after `Ended`.
    Remark {
        segment: u16,
        text: String,
    },
    /// What the agent says one segment was about (D8), empty: nothing; the last one stands. May come after `Ended`.
    Disposition {
        segment: u16,
        name: String,
    },
    /// The call is over. Waits for its append.
    Ended {
        status: CallStatus,
        by: HungUpBy,
    },
}

impl What {
    /// Whether the call waits until this is on disk.
    pub fn is_durable(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::Connected { .. } | Self::Ended { .. } => true,
            Self::Barred { .. }
            | Self::Dialling { .. }
            | Self::Queued { .. }
            | Self::Ringing { .. }
            | Self::RingEnded { .. }
            | Self::Held
            | Self::Resumed
            | Self::RecordingBegan
            | Self::ConsultBegan { .. }
            | Self::Conferenced
            | Self::ConsultEnded { .. }
            | Self::ConsultTookOver { .. }
            | Self::SegmentEnded { .. }
            | Self::FlowBegan { .. }
            | Self::FlowResult(_)
            | Self::FlowFinished
            | Self::Quality { .. }
            | Self::Remark { .. }
            | Self::Disposition { .. } => false,
        }
    }
}

/// The one row of a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CallRow {
    pub id: CallId,
    pub way: CallType,
    pub trunk: Option<TrunkId>,
    pub caller: String,
    pub contact: String,
    pub began: i64,
    pub ended: i64,
    pub status: CallStatus,
    pub hung_up_by: HungUpBy,
    /// When the recording began, if there is one.
    pub recording_began: Option<i64>,
    pub records: Vec<ServiceRecord>,
}

impl CallRow {
    /// The customer's number, whoever called; empty where there was no customer (E3).
    pub fn customer(&self) -> &str {
        match self.way {
            CallType::Inbound => &self.caller,
            CallType::Outbound => &self.contact,
            CallType::Internal => "",
        }
    }
}

/// A service record (G1). Durations in milliseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ServiceRecord {
    pub call: CallId,
    /// From 0; with the call's id, the record's own.
    pub segment: u16,
    /// When the conversation began; the arrival where there was none; where the agent called out, when dialling began.
    pub time: i64,
    pub status: CallStatus,
    pub hung_up_by: HungUpBy,
    pub group: Option<GroupId>,
    pub agent: Option<AgentId>,
    /// From the segment's first moment to its end.
    pub duration: i64,
    pub wait: i64,
    pub ring: i64,
    pub hold: i64,
    pub mos: Option<f32>,
    pub remark: String,
    /// Its name then; empty: none was chosen.
    pub disposition: String,
    /// In order of time.
    pub flows: Vec<FlowRun>,
    /// The segment's part of the call's recording: offsets from the recording's beginning.
    pub recording: Option<(i64, i64)>,
}

/// One run of a self-service flow in a segment (D6).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowRun {
    /// Its name then.
    pub flow: String,
    /// It came to its own end.
    pub finished: bool,
    pub results: Vec<FlowResult>,
}

/// The segment that is being told.
struct Open {
    segment: u16,
    began: i64,
    group: Option<GroupId>,
    agent: Option<AgentId>,
    dialled: bool,
    connected: Option<i64>,
    /// When this segment's agent first heard the customer.
    recorded: Option<i64>,
    /// When the customer left this segment's two agents alone.
    recorded_to: Option<i64>,
    /// The last agent who rang, for a caller who gives up meanwhile (C9).
    rang: Option<AgentId>,
    ringing_since: Option<i64>,
    ring: i64,
    held_since: Option<i64>,
    hold: i64,
    mos: Option<f32>,
    flows: Vec<FlowRun>,
}

impl Open {
    fn at(segment: u16, began: i64) -> Self {
        Self {
            segment,
            began,
            group: None,
            agent: None,
            dialled: false,
            connected: None,
            recorded: None,
            recorded_to: None,
            rang: None,
            ringing_since: None,
            ring: 0,
            held_since: None,
            hold: 0,
            mos: None,
            flows: Vec::new(),
        }
    }

    fn close(mut self, call: CallId, at: i64, status: CallStatus, by: HungUpBy, recording_began: Option<i64>) -> ServiceRecord {
        self.stop_ringing(at);
        self.resume(at);
        ServiceRecord {
            call,
            segment: self.segment,
            time: self.connected.filter(|_| !self.dialled).unwrap_or(self.began),
            status,
            hung_up_by: by,
            group: self.group,
            agent: self.agent.or(self.rang.filter(|_| status == CallStatus::AbandonedRinging)),
            duration: at - self.began,
            wait: if self.dialled { 0 } else { self.connected.unwrap_or(at) - self.began },
            ring: self.ring,
            hold: self.hold,
            mos: self.mos,
            remark: String::new(),
            disposition: String::new(),
            flows: self.flows,
            recording: self
                .recorded
                .and_then(|from| recording_began.map(|zero| ((from - zero).max(0), self.recorded_to.unwrap_or(at) - zero))),
        }
    }

    fn stop_ringing(&mut self, at: i64) {
        if let Some(since) = self.ringing_since.take() {
            self.ring += at - since;
        }
    }

    fn resume(&mut self, at: i64) {
        if let Some(since) = self.held_since.take() {
            self.hold += at - since;
        }
    }
}

/// Tells a call from its journal, in order of writing. `None` when the call was never accepted.
///
/// A journal without an end is one whose switch stopped: the call ends as [`CallStatus::Interrupted`] at `cut`
/// (the last moment known, such as the last second of its recording) or at its last entry, whichever is later.
pub fn fold(entries: &[Entry], cut: Option<i64>) -> Option<CallRow> {
    let (first, rest) = entries.split_first()?;
    let What::Accepted { way, trunk, caller, contact } = &first.what else { return None };
    let mut row = CallRow {
        id: first.call,
        way: *way,
        trunk: *trunk,
        caller: caller.clone(),
        contact: contact.clone(),
        began: first.at,
        ended: first.at,
        status: CallStatus::Interrupted,
        hung_up_by: HungUpBy::Switch,
        recording_began: None,
        records: Vec::new(),
    };
    let mut open = Some(Open::at(0, first.at));
    let mut aside: Option<Open> = None;
    let mut segments = 1;
    let (mut remarks, mut dispositions) = (Vec::new(), Vec::new());
    let mut last = first.at;
    for entry in rest {
        if open.is_some() {
            last = last.max(entry.at);
        }
        // Who rings and connects is the consultation's, while there is one without an answer.
        let seeking = aside.as_ref().is_some_and(|aside| aside.connected.is_none());
        let called = matches!(entry.what, What::Ringing { .. } | What::RingEnded { .. } | What::Connected { .. });
        let told = if seeking && called { aside.as_mut() } else { open.as_mut() };
        match (&entry.what, told) {
            (What::Remark { segment, text }, _) => remarks.push((*segment, text)),
            (What::Disposition { segment, name }, _) => dispositions.push((*segment, name)),
            (What::Dialling { agent, group }, Some(open)) => {
                (open.agent, open.group, open.dialled) = (Some(*agent), Some(*group), true);
            }
            (What::Queued { group } | What::Barred { group }, Some(open)) => open.group = Some(*group),
            (What::Ringing { agent }, Some(open)) => {
                open.rang = Some(*agent);
                open.ringing_since = open.ringing_since.or(Some(entry.at));
            }
            (What::RingEnded { .. }, Some(open)) => open.stop_ringing(entry.at),
            (What::Connected { agent }, Some(open)) => {
                open.stop_ringing(entry.at);
                open.agent = Some(*agent);
                open.connected = Some(entry.at);
                open.recorded = Some(entry.at).filter(|_| !seeking);
            }
            (What::ConsultBegan { agent, group }, Some(_)) => {
                let mut begun = Open::at(segments, entry.at);
                (begun.agent, begun.group) = (Some(*agent).filter(|_| group.is_none()), *group);
                segments += 1;
                end_segment(&mut row, aside.replace(begun), entry.at, CallStatus::Interrupted, HungUpBy::Switch);
            }
            (What::Conferenced, Some(_)) => {
                if let Some(aside) = &mut aside {
                    aside.recorded = aside.recorded.or(Some(entry.at));
                }
            }
            (What::ConsultEnded { status, by }, Some(_)) => end_segment(&mut row, aside.take(), entry.at, *status, *by),
            (What::ConsultTookOver { status, by }, Some(_)) => {
                if let Some(mut next) = aside.take() {
                    match by {
                        HungUpBy::Customer => next.recorded_to = Some(entry.at),
                        HungUpBy::Agent | HungUpBy::Switch => next.recorded = next.recorded.or(Some(entry.at)),
                    }
                    end_segment(&mut row, open.replace(next), entry.at, *status, *by);
                }
            }
            (What::Held, Some(_)) => {
                for held in both(&mut open, &mut aside, row.way) {
                    held.held_since = held.held_since.or(Some(entry.at));
                }
            }
            (What::Resumed, Some(_)) => {
                for held in both(&mut open, &mut aside, row.way) {
                    held.resume(entry.at);
                }
            }
            (What::RecordingBegan, Some(_)) => row.recording_began = row.recording_began.or(Some(entry.at)),
            (What::Quality { mos }, Some(open)) => open.mos = Some(*mos),
            (What::FlowBegan { flow }, Some(open)) => {
                open.flows.push(FlowRun { flow: flow.clone(), finished: false, results: Vec::new() });
            }
            (What::FlowResult(result), Some(open)) => {
                if let Some(run) = open.flows.last_mut() {
                    FlowResult::set(&mut run.results, result.clone());
                }
            }
            (What::FlowFinished, Some(open)) => {
                if let Some(run) = open.flows.last_mut() {
                    run.finished = true;
                }
            }
            (What::SegmentEnded { status, by }, Some(_)) => {
                end_segment(&mut row, open.take(), entry.at, *status, *by);
                open = Some(Open::at(segments, entry.at));
                segments += 1;
            }
            (What::Ended { status, by }, Some(_)) => {
                end_segment(&mut row, open.take(), entry.at, *status, *by);
                end_segment(&mut row, aside.take(), entry.at, *status, *by);
                (row.ended, row.status, row.hung_up_by) = (entry.at, *status, *by);
            }
            // A second beginning, or news after the end: the first word stands.
            (What::Accepted { .. }, _)
            | (
                What::Barred { .. }
                | What::Dialling { .. }
                | What::Queued { .. }
                | What::Ringing { .. }
                | What::RingEnded { .. }
                | What::Connected { .. }
                | What::Held
                | What::Resumed
                | What::RecordingBegan
                | What::FlowBegan { .. }
                | What::FlowResult(_)
                | What::FlowFinished
                | What::Quality { .. }
                | What::ConsultBegan { .. }
                | What::Conferenced
                | What::ConsultEnded { .. }
                | What::ConsultTookOver { .. }
                | What::SegmentEnded { .. }
                | What::Ended { .. },
                None,
            ) => {}
        }
    }
    if open.is_some() {
        row.ended = cut.unwrap_or(last).max(last);
        let at = row.ended;
        end_segment(&mut row, open, at, CallStatus::Interrupted, HungUpBy::Switch);
        end_segment(&mut row, aside, at, CallStatus::Interrupted, HungUpBy::Switch);
    }
    row.records.sort_by_key(|record| record.segment);
    for (segment, text) in remarks {
        if let Some(record) = row.records.iter_mut().find(|record| record.segment == segment) {
            record.remark.clone_from(text);
        }
    }
    for (segment, name) in dispositions {
        if let Some(record) = row.records.iter_mut().find(|record| record.segment == segment) {
            record.disposition.clone_from(name);
        }
    }
    Some(row)
}

/// The segments that time on hold belongs to: of a call between agents, both (E3).
fn both<'a>(open: &'a mut Option<Open>, aside: &'a mut Option<Open>, way: CallType) -> impl Iterator<Item = &'a mut Open> {
    open.iter_mut().chain(aside.as_mut().filter(|_| way == CallType::Internal))
}

fn end_segment(row: &mut CallRow, open: Option<Open>, at: i64, status: CallStatus, by: HungUpBy) {
    let Some(open) = open else { return };
    row.records.push(open.close(row.id, at, status, by, row.recording_began));
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallId = CallId(7);
    const MEI: AgentId = AgentId(1);
    const TOM: AgentId = AgentId(2);
    const ORDERS: GroupId = GroupId(3);

    fn journal(lines: &[(i64, What)]) -> Vec<Entry> {
        lines.iter().map(|(at, what)| Entry { call: CALL, at: *at, what: what.clone() }).collect()
    }

    fn accepted() -> What {
        What::Accepted { way: CallType::Inbound, trunk: Some(TrunkId(1)), caller: "+441".into(), contact: "+442".into() }
    }

    #[test]
    fn a_call_that_was_answered_and_held_has_one_record_with_its_times() {
        let row = fold(
            &journal(&[
                (0, accepted()),
                (5, What::Queued { group: ORDERS }),
                (10, What::Ringing { agent: TOM }),
                (30, What::RingEnded { agent: TOM }),
                (40, What::Ringing { agent: MEI }),
                (50, What::RecordingBegan),
                (55, What::Connected { agent: MEI }),
                (60, What::Held),
                (80, What::Resumed),
                (90, What::Held),
                (100, What::Quality { mos: 4.2 }),
                (100, What::Ended { status: CallStatus::NormalEnd, by: HungUpBy::Customer }),
                (120, What::Remark { segment: 0, text: "old".into() }),
                (130, What::Remark { segment: 0, text: "new".into() }),
                (140, What::Disposition { segment: 0, name: "Complaint".into() }),
                (150, What::Disposition { segment: 0, name: "Order placed".into() }),
                (160, What::Disposition { segment: 1, name: "Nobody's".into() }),
            ]),
            None,
        )
        .unwrap();
        assert_eq!((row.began, row.ended, row.records.len()), (0, 100, 1));
        let record = &row.records[0];
        assert_eq!((record.time, record.duration, record.wait, record.ring, record.hold), (55, 100, 55, 35, 30));
        assert_eq!((record.group, record.agent, record.status), (Some(ORDERS), Some(MEI), CallStatus::NormalEnd));
        assert_eq!((record.recording, record.remark.as_str(), record.mos), (Some((5, 50)), "new", Some(4.2)));
        assert_eq!(record.disposition, "Order placed");
    }

    #[test]
    fn a_lost_agent_and_the_next_one_make_two_records_of_one_call() {
        let row = fold(
            &journal(&[
                (0, accepted()),
                (1, What::Queued { group: ORDERS }),
                (2, What::Connected { agent: MEI }),
                (10, What::SegmentEnded { status: CallStatus::AgentLost, by: HungUpBy::Switch }),
                (10, What::Queued { group: ORDERS }),
                (20, What::Ended { status: CallStatus::AbandonedQueue, by: HungUpBy::Customer }),
            ]),
            None,
        )
        .unwrap();
        assert_eq!(
            row.records.iter().map(|r| (r.segment, r.status, r.agent)).collect::<Vec<_>>(),
            vec![(0, CallStatus::AgentLost, Some(MEI)), (1, CallStatus::AbandonedQueue, None),]
        );
        assert_eq!(row.status, CallStatus::AbandonedQueue);
    }

    #[test]
    fn a_caller_who_gives_up_during_the_ring_is_on_the_record_of_who_rang() {
        let mut lines = vec![(0, accepted()), (1, What::Ringing { agent: MEI }), (9, What::RingEnded { agent: MEI })];
        lines.push((9, What::Ended { status: CallStatus::AbandonedRinging, by: HungUpBy::Customer }));
        assert_eq!(fold(&journal(&lines), None).unwrap().records[0].agent, Some(MEI));
        lines[3].1 = What::Ended { status: CallStatus::AbandonedQueue, by: HungUpBy::Customer };
        assert_eq!(fold(&journal(&lines), None).unwrap().records[0].agent, None);
    }

    #[test]
    fn a_journal_cut_short_ends_as_interrupted_where_the_recording_ends() {
        let row = fold(&journal(&[(0, accepted()), (5, What::Connected { agent: MEI })]), Some(4_000)).unwrap();
        assert_eq!((row.status, row.ended, row.records[0].status), (CallStatus::Interrupted, 4_000, CallStatus::Interrupted));
        assert!(fold(&journal(&[(5, What::Held)]), None).is_none());
    }

    #[test]
    fn what_comes_after_the_end_changes_nothing_but_the_remark() {
        let ended = What::Ended { status: CallStatus::NormalEnd, by: HungUpBy::Agent };
        let mut lines = vec![(0, accepted()), (9, ended.clone())];
        let row = fold(&journal(&lines), None).unwrap();
        lines.extend([(10, accepted()), (11, What::Held), (12, What::Ended { status: CallStatus::AgentLost, by: HungUpBy::Switch })]);
        assert_eq!(fold(&journal(&lines), None).unwrap(), row);
    }
}
