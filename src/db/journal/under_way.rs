//! Calls under way, as the journal's entries tell them one after another.

use crate::calls::{Note, Noted};
use cordboard_core::ids::CallId;
use cordboard_core::record::{CallRow, Entry, What, fold};
use std::collections::HashMap;

/// What is to be written to the database.
#[derive(Debug)]
pub(super) struct Item {
    pub call: CallId,
    /// The entries that may go then.
    pub entries: Vec<i64>,
    /// None when it is there already, or when there never was such a call.
    pub row: Option<CallRow>,
    /// What came after the end.
    pub notes: Vec<Noted>,
}

#[derive(Default)]
pub(super) struct UnderWay {
    calls: HashMap<CallId, Vec<(i64, Entry)>>,
}

impl UnderWay {
    /// Takes the next entry. What is to be written because of it, with neither row nor notes when the entry says nothing to anybody.
    pub fn take(&mut self, seq: i64, entry: Entry) -> Option<Item> {
        let call = entry.call;
        if matches!(entry.what, What::Accepted { .. }) {
            self.calls.entry(call).or_default().push((seq, entry));
            return None;
        }
        let Some(entries) = self.calls.get_mut(&call) else {
            return Some(Item { call, entries: vec![seq], row: None, notes: noted(entry).into_iter().collect() });
        };
        let ended = matches!(entry.what, What::Ended { .. });
        entries.push((seq, entry));
        if !ended {
            return None;
        }
        let (numbers, entries): (_, Vec<Entry>) = self.calls.remove(&call)?.into_iter().unzip();
        Some(Item { call, entries: numbers, row: fold(&entries, None), notes: Vec::new() })
    }

    /// The calls without an end that began at or before the entry `last`, each with its entries, in their order.
    pub fn begun_by(self, last: i64) -> Vec<Vec<Entry>> {
        let first = |entries: &[(i64, Entry)]| entries.first().map_or(i64::MAX, |(seq, _)| *seq);
        let mut calls: Vec<_> = self.calls.into_values().filter(|entries| first(entries) <= last).collect();
        calls.sort_by_key(|entries| first(entries));
        calls.into_iter().map(|entries| entries.into_iter().map(|(_, entry)| entry).collect()).collect()
    }
}

fn noted(entry: Entry) -> Option<Noted> {
    let (segment, note) = match entry.what {
        What::Remark { segment, text } => (segment, Note::Remark(text)),
        What::Disposition { segment, name } => (segment, Note::Disposition(name)),
        What::Accepted { .. }
        | What::Barred { .. }
        | What::Dialling { .. }
        | What::Queued { .. }
        | What::Ringing { .. }
        | What::RingEnded { .. }
        | What::Connected { .. }
        | What::Held
        | What::Resumed
        | What::RecordingBegan
        | What::ConsultBegan { .. }
        | What::Conferenced
        | What::ConsultEnded { .. }
        | What::ConsultTookOver { .. }
        | What::SegmentEnded { .. }
        | What::FlowBegan { .. }
        | What::FlowResult(_)
        | What::FlowFinished
        | What::Quality { .. }
        | What::Ended { .. } => return None,
    };
    Some(Noted { call: entry.call, segment, note })
}
