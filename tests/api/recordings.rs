//! Recordings (G4): an agent gets their own segments, and nothing else of a call.

use crate::support::Switch;
use crate::support::calls::{FRAMES, frame};
use cordboard_db::RecordingState;

fn path(call: u128, segment: u16, what: &str) -> String {
    format!("/api/v1/recordings/{call:032x}-{segment}{what}")
}

/// One recorded call: Mei's first ten seconds, Tom's next ten.
fn with_state(switch: Switch, state: RecordingState) -> Switch {
    let switch = switch.staffed();
    let call = switch.call(7, 1_000_000, "Orders", "mei@example.com", Some("tom@example.com"));
    switch.recording(call, state);
    switch
}

/// The numbers of the frames in an MP3.
fn frames(mp3: &[u8]) -> Vec<u16> {
    mp3.chunks(288).map(|frame| u16::from_be_bytes([frame[4], frame[5]])).collect()
}

on_both! {
    fn an_agent_gets_the_own_segment_and_not_anothers(database) {
        let switch = with_state(database.switch(), RecordingState::Ready);
        let (mei, tom) = (switch.logged_in("mei@example.com"), switch.logged_in("tom@example.com"));
        let own = mei.get(&path(7, 0, ".mp3"));
        assert_eq!((own.status, own.header("Content-Type"), own.header("Accept-Ranges")), (200, Some("audio/mpeg"), Some("bytes")));
        // 10 s are 138.9 frames of 72 ms, and what the encoder is late.
        assert_eq!(frames(&own.body), (0..141).collect::<Vec<_>>());
        assert_eq!(frames(&tom.get(&path(7, 1, ".mp3")).body), (138..FRAMES).collect::<Vec<_>>());
        assert_eq!(mei.get(&path(7, 1, ".mp3")).refusal(), (404, "not_found".into()));
        assert_eq!(tom.get(&path(7, 0, "/waveform")).refusal(), (404, "not_found".into()));
        assert_eq!(switch.logged_in("sue@example.com").get(&path(7, 0, ".mp3")).status, 404, "Orders is not Sue's group");
        assert_eq!(switch.logged_in("ada@example.com").get(&path(7, 0, ".mp3")).status, 200);
    }

    fn a_recording_that_is_not_finished_is_said_to_be_so(database) {
        let switch = with_state(database.switch(), RecordingState::Encoding);
        let mei = switch.logged_in("mei@example.com");
        assert_eq!(mei.get("/api/v1/records").json()["items"][0]["recording"]["state"], "encoding");
        assert_eq!(mei.get(&path(7, 0, ".mp3")).refusal(), (409, "not_ready".into()));
        switch.recording(cordboard_core::ids::CallId(7), RecordingState::Recovered);
        assert_eq!(mei.get(&path(7, 0, ".mp3")).status, 200);
        let view = mei.get("/api/v1/records").json()["items"][0]["recording"].clone();
        assert_eq!(view, serde_json::json!({ "id": format!("{:032x}-0", 7), "state": "recovered", "duration": 10_000 }));
    }
}

#[test]
fn a_player_may_seek() {
    let switch = with_state(crate::support::Database::sqlite().switch(), RecordingState::Ready);
    let tom = switch.logged_in("tom@example.com");
    let whole = tom.get(&path(7, 1, ".mp3"));
    let size = whole.body.len();
    let part = tom.get_with(&path(7, 1, ".mp3"), &[("Range", "bytes=288-575")]);
    assert_eq!((part.status, part.body.as_slice()), (206, frame(139).as_slice()));
    assert_eq!(part.header("Content-Range"), Some(format!("bytes 288-575/{size}").as_str()));
    let rest = tom.get_with(&path(7, 1, ".mp3"), &[("Range", "bytes=1000-")]);
    assert_eq!((rest.status, &rest.body), (206, &whole.body[1000..].to_vec()));
    let end = tom.get_with(&path(7, 1, ".mp3"), &[("Range", "bytes=-288")]);
    assert_eq!((end.status, end.body.as_slice()), (206, frame(FRAMES - 1).as_slice()));
    let beyond = tom.get_with(&path(7, 1, ".mp3"), &[("Range", "bytes=9000000-")]);
    assert_eq!((beyond.status, beyond.header("Content-Range")), (416, Some(format!("bytes */{size}").as_str())));
}

#[test]
fn the_waveform_of_a_segment_is_its_part_of_the_whole() {
    let switch = with_state(crate::support::Database::sqlite().switch(), RecordingState::Ready);
    let waveform = switch.logged_in("tom@example.com").get(&path(7, 1, "/waveform")).json();
    assert_eq!((waveform["duration"].as_i64(), waveform["customer"].as_array().unwrap().len()), (Some(10_000), 200));
    assert_eq!((waveform["customer"][0].as_f64(), waveform["agent"][199].as_f64()), (Some(0.5), Some(0.5)));
}
