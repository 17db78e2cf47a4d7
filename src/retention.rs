//! Recordings are kept as long as the floor says, and not longer (G4); also those that were finished when the database was away.

use cordboard_db::{Db, DbError, Recording, RecordingState};
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// How often it is looked for recordings whose time is over.
const EVERY: Duration = Duration::from_secs(3_600);
const DAY: i64 = 86_400_000;

/// Deletes what is too old, now and every hour, until the future is dropped. `data` is the folder that recordings' paths start from.
pub async fn watch(db: Db, data: std::path::PathBuf) {
    let mut hours = tokio::time::interval(EVERY);
    loop {
        hours.tick().await;
        let (db, data) = (db.clone(), data.clone());
        let done = actix_web::web::block(move || expire(&db, &data, chrono::Utc::now().timestamp_millis())).await;
        match done {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => tracing::info!(count, "recordings were deleted, since their time was over"),
            Ok(Err(why)) => tracing::error!(%why, "old recordings could not be deleted"),
            Err(_) => return,
        }
    }
}

/// Deletes the recordings that began longer ago than the floor keeps them; gives how many. `now` in milliseconds since 1970.
fn expire(db: &Db, data: &Path, now: i64) -> Result<usize, DbError> {
    let Some(days) = db.settings()?.keep_recordings else { return Ok(0) };
    let old = db.recordings_before(now - i64::from(days) * DAY)?;
    let mut count = 0;
    for recording in old {
        let mp3 = data.join(&recording.path);
        // The row is the last to know: what fails here is tried again.
        if deleted(&mp3) && deleted(&mp3.with_extension("peaks.json")) {
            db.set_recording(&Recording { state: RecordingState::Expired, path: String::new(), ..recording })?;
            count += 1;
        }
    }
    Ok(count)
}

/// Enters the recordings that an earlier process finished but could not tell the database of, since it was away to the end. To be called before
/// the first call; a recording that has a spool is still to be finished. `data` as for [`watch`]. Gives how many there were.
pub fn enter_finished(db: &Db, data: &Path) -> Result<usize, DbError> {
    let mut count = 0;
    for recording in db.recordings_under_way()? {
        let path = format!("recordings/{}.mp3", recording.call);
        let spool = data.join(format!("spool/{}.spool", recording.call));
        if spool.exists() || !data.join(&path).exists() {
            continue;
        }
        match duration(&data.join(&path).with_extension("peaks.json")) {
            Ok(duration) => {
                db.set_recording(&Recording { state: RecordingState::Ready, path, duration, ..recording })?;
                count += 1;
            }
            Err(why) => tracing::error!(call = %recording.call, %why, "how long a recording is cannot be read"),
        }
    }
    Ok(count)
}

/// Milliseconds, from the drawing beside a finished recording.
fn duration(peaks: &Path) -> std::io::Result<i64> {
    #[derive(Deserialize)]
    struct Peaks {
        duration: i64,
    }
    let peaks: Peaks = serde_json::from_slice(&std::fs::read(peaks)?)?;
    Ok(peaks.duration)
}

fn deleted(file: &Path) -> bool {
    match std::fs::remove_file(file) {
        Ok(()) => true,
        Err(why) if why.kind() == ErrorKind::NotFound => true,
        Err(why) => {
            tracing::error!(%why, file = %file.display(), "a recording could not be deleted");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::ids::CallId;
    use cordboard_db::Settings;

    const NOW: i64 = 100 * DAY;

    // G4
    #[test]
    fn a_recording_is_deleted_when_its_time_is_over_and_the_record_says_so() {
        let data = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", data.path().join("switch.sqlite").display())).unwrap();
        let file = |call: u128, extension: &str| data.path().join(format!("{call}.{extension}"));
        for (call, began) in [(1, NOW - 30 * DAY - 1), (2, NOW - 30 * DAY)] {
            let path = format!("{call}.mp3");
            for extension in ["mp3", "peaks.json"] {
                std::fs::write(file(call, extension), "sound").unwrap();
            }
            db.set_recording(&Recording { call: CallId(call), state: RecordingState::Ready, path, began, duration: 5 }).unwrap();
        }
        assert_eq!(expire(&db, data.path(), NOW).unwrap(), 0, "a floor that says nothing keeps them");
        db.set_settings(&Settings { keep_recordings: Some(30), ..Settings::default() }).unwrap();
        assert_eq!(expire(&db, data.path(), NOW).unwrap(), 1);
        let left = ["mp3", "peaks.json"].map(|extension| (file(1, extension).exists(), file(2, extension).exists()));
        assert_eq!(left, [(false, true); 2]);
        let states = [1, 2].map(|call| db.recording(CallId(call)).unwrap().unwrap().state);
        assert_eq!(states, [RecordingState::Expired, RecordingState::Ready]);
        assert_eq!(expire(&db, data.path(), NOW).unwrap(), 0);
    }

    // G4, G5
    #[test]
    fn a_recording_that_was_finished_while_the_database_was_away_is_entered_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", data.path().join("switch.sqlite").display())).unwrap();
        for folder in ["spool", "recordings"] {
            std::fs::create_dir(data.path().join(folder)).unwrap();
        }
        let write = |path: String, text: &str| std::fs::write(data.path().join(path), text).unwrap();
        for call in 1..=3 {
            let begun = Recording { call: CallId(call), state: RecordingState::Spooling, path: String::new(), began: NOW, duration: 0 };
            db.set_recording(&begun).unwrap();
        }
        // The first is finished, the second was about to be, the third had no sound.
        for call in [CallId(1), CallId(2)] {
            write(format!("recordings/{call}.mp3"), "sound");
            write(format!("recordings/{call}.peaks.json"), r#"{"customer":[0.5],"agent":[],"duration":1500}"#);
        }
        write(format!("spool/{}.spool", CallId(2)), "spool");
        assert_eq!(enter_finished(&db, data.path()).unwrap(), 1);
        let path = format!("recordings/{}.mp3", CallId(1));
        let entered = Recording { call: CallId(1), state: RecordingState::Ready, path, began: NOW, duration: 1500 };
        assert_eq!(db.recording(CallId(1)).unwrap(), Some(entered));
        assert_eq!(db.recordings_under_way().unwrap().len(), 2);
    }
}
