//! Calls that are over.

use super::Switch;
use cordboard_core::ids::{AgentId, CallId, GroupId, TrunkId};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{Entry, What, fold};
use cordboard_db::{Recording, RecordingState};

pub const CALLER: &str = "+447700900114";
pub const DID: &str = "+442079460001";

impl Switch {
    pub fn group(&self, name: &str) -> GroupId {
        self.db.groups().unwrap().into_iter().find(|group| group.name == name).unwrap().id
    }

    /// A recorded call that `first` answered in the group; 10 s later it was `second`'s, if there is one. 20 s of talk from 1 s on.
    pub fn call(&self, call: u128, at: i64, group: &str, first: &str, second: Option<&str>) -> CallId {
        let (id, group) = (CallId(call), self.group(group));
        let agent = |email: &str| self.agent(email);
        let mut lines = vec![
            (
                0,
                What::Accepted {
                    way: cordboard_core::outcome::CallType::Inbound,
                    trunk: Some(TrunkId(1)),
                    caller: CALLER.into(),
                    contact: DID.into(),
                },
            ),
            (0, What::Queued { group }),
            (1_000, What::RecordingBegan),
            (1_000, What::Connected { agent: agent(first) }),
        ];
        if let Some(second) = second {
            let next: AgentId = agent(second);
            lines.extend([
                (11_000, What::SegmentEnded { status: CallStatus::AgentLost, by: HungUpBy::Switch }),
                (11_000, What::Queued { group }),
                (11_000, What::Connected { agent: next }),
            ]);
        }
        lines.push((21_000, What::Ended { status: CallStatus::NormalEnd, by: HungUpBy::Customer }));
        let entries: Vec<Entry> = lines.into_iter().map(|(offset, what)| Entry { call: id, at: at + offset, what }).collect();
        self.db.write_calls(&[fold(&entries, None).unwrap()]).unwrap();
        id
    }

    /// The first segment's agent says what the call was about.
    pub fn dispose(&self, call: u128, name: &str) {
        self.db.set_disposition(CallId(call), 0, name).unwrap();
    }

    /// The call's recording in this state, 20 s long, with the files when they are there.
    pub fn recording(&self, call: CallId, state: RecordingState) {
        let folder = self.database.data.path().join("recordings");
        std::fs::create_dir_all(&folder).unwrap();
        let path = format!("recordings/{call}.mp3");
        let frames: Vec<u8> = (0..FRAMES).flat_map(frame).collect();
        std::fs::write(folder.join(format!("{call}.mp3")), frames).unwrap();
        let slices: Vec<f32> = (0..400_u16).map(|slice| f32::from(slice) / 400.0).collect();
        let peaks = serde_json::json!({ "customer": slices, "agent": vec![0.5; 400], "duration": 20_000 });
        std::fs::write(folder.join(format!("{call}.peaks.json")), peaks.to_string()).unwrap();
        self.db.set_recording(&Recording { call, state, path, began: 0, duration: 20_000 }).unwrap();
    }
}

/// As long as 20 s and what the encoder is late.
pub const FRAMES: u16 = 280;

/// A frame as recordings have them (MPEG 2.5 layer III, 32 kbit/s, 8 kHz), with its number in it.
pub fn frame(number: u16) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xE3, 0x48, 0x00];
    bytes.extend(number.to_be_bytes());
    bytes.resize(288, 0);
    bytes
}
