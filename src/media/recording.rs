//! Recording: the media thread gathers, one thread writes the spools, one makes the MP3s.

use crate::event::Events;
use crate::event::MediaEvent;
use crate::g711::Law;
use crate::mp3;
use crate::spool::{self, Channel, MAGIC, write_record};
use crate::timeline::Timeline;
use cordboard_core::ids::{CallId, LegId};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::Instant;

/// Batches waiting for the disk; when it is that far behind, recordings gather in memory up to [`MAX_GATHERED`].
const WRITE_QUEUE: usize = 4096;
/// Four minutes of one call.
const MAX_GATHERED: usize = 4 << 20;
/// MP3s are made when nothing else wants the processor.
const NICE: i32 = 10;

/// A call's recording on the media thread.
pub struct Recording {
    pub leg: LegId,
    began: Instant,
    paused: bool,
    left: Timeline,
    right: Timeline,
    gathered: Vec<u8>,
}

/// The media thread's side: gathers packets, hands batches to the writer, never waits.
pub struct Recorder {
    recordings: HashMap<CallId, Recording>,
    disk: SyncSender<ToDisk>,
    events: Events,
}

enum ToDisk {
    Open(CallId),
    Append(CallId, Vec<u8>),
    Finish(CallId),
}

/// A spool to be made into an MP3.
pub struct Job {
    call: CallId,
    spool: PathBuf,
    recovered: bool,
}

/// Starts the two threads; `jobs` feeds the MP3 thread from elsewhere (recovery).
pub fn start(spool_dir: PathBuf, mp3_dir: PathBuf, events: Events) -> io::Result<(Recorder, Sender<Job>)> {
    fs::create_dir_all(&spool_dir)?;
    fs::create_dir_all(&mp3_dir)?;
    let (disk, written) = sync_channel(WRITE_QUEUE);
    let (jobs, taken) = channel();
    let (writer_events, writer_jobs) = (events.clone(), jobs.clone());
    std::thread::Builder::new()
        .name("cordboard-spool".into())
        .spawn(move || Writer { spool_dir, files: HashMap::new(), jobs: writer_jobs, events: writer_events }.run(&written))?;
    let encoder_events = events.clone();
    std::thread::Builder::new().name("cordboard-mp3".into()).spawn(move || make_mp3s(&taken, &mp3_dir, &encoder_events))?;
    Ok((Recorder { recordings: HashMap::new(), disk, events }, jobs))
}

impl Recorder {
    /// Begins a call's recording, or moves it to another leg. Gives the leg that is recorded no more. The time is counted from when it was asked for, as the
    /// call's journal does, however late the media thread comes to it.
    pub fn record(&mut self, call: CallId, leg: LegId, asked: Instant) -> Option<LegId> {
        if let Some(known) = self.recordings.get_mut(&call) {
            let before = std::mem::replace(&mut known.leg, leg);
            return Some(before).filter(|before| *before != leg);
        }
        if self.disk.try_send(ToDisk::Open(call)).is_err() {
            self.failed(call, "the disk does not keep up");
            return None;
        }
        let recording =
            Recording { leg, began: asked, paused: false, left: Timeline::default(), right: Timeline::default(), gathered: Vec::new() };
        self.recordings.insert(call, recording);
        None
    }

    /// While paused the time goes on in silence.
    pub fn pause(&mut self, call: CallId, paused: bool) {
        if let Some(recording) = self.recordings.get_mut(&call) {
            recording.paused = paused;
        }
    }

    /// Ends a call's recording; the rest happens in the background. Gives the leg that is recorded no more.
    pub fn stop(&mut self, call: CallId, now: Instant) -> Option<LegId> {
        let mut recording = self.recordings.remove(&call)?;
        let end = recording.position(now);
        write_record(&mut recording.gathered, Channel::Left, Law::Mu, end, &[]);
        // Only here does the media thread leave a message for sure; the queue is as long as thousands of calls.
        let sent = self.disk.try_send(ToDisk::Append(call, recording.gathered)).and_then(|()| self.disk.try_send(ToDisk::Finish(call)));
        if sent.is_err() {
            self.failed(call, "the disk does not keep up; the recording is finished at the next start");
        }
        Some(recording.leg)
    }

    /// Takes one packet of audio that the recorded leg said or heard.
    pub fn take(&mut self, call: CallId, channel: Channel, stamp: (u32, u32), law: Law, payload: &[u8], now: Instant) {
        let Some(recording) = self.recordings.get_mut(&call).filter(|recording| !recording.paused) else { return };
        let at = recording.position(now);
        let timeline = match channel {
            Channel::Left => &mut recording.left,
            Channel::Right => &mut recording.right,
        };
        let (ssrc, timestamp) = stamp;
        let position = timeline.place(ssrc, timestamp, at);
        if recording.gathered.len() < MAX_GATHERED {
            write_record(&mut recording.gathered, channel, law, position, payload);
        }
    }

    /// Hands what was gathered to the writer: at least every 200 ms (G5).
    pub fn flush(&mut self) {
        for (call, recording) in &mut self.recordings {
            if recording.gathered.is_empty() {
                continue;
            }
            let batch = std::mem::take(&mut recording.gathered);
            // A full queue hands the batch back; it goes with the next.
            if let Err(TrySendError::Full(ToDisk::Append(_, batch))) = self.disk.try_send(ToDisk::Append(*call, batch)) {
                recording.gathered = batch;
            }
        }
    }

    fn failed(&self, call: CallId, why: &str) {
        (self.events)(MediaEvent::RecordingFailed { call, why: why.to_owned() });
    }
}

impl Recording {
    /// Samples since the beginning.
    fn position(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.began).as_micros() * 8 / 1000).unwrap_or(u32::MAX)
    }
}

/// The thread that appends to spools. Plain writes: what is written survives the process in the page cache.
struct Writer {
    spool_dir: PathBuf,
    files: HashMap<CallId, File>,
    jobs: Sender<Job>,
    events: Events,
}

impl Writer {
    fn run(mut self, messages: &Receiver<ToDisk>) {
        while let Ok(message) = messages.recv() {
            match message {
                ToDisk::Open(call) => self.open(call),
                ToDisk::Append(call, bytes) => self.append(call, &bytes),
                ToDisk::Finish(call) => self.finish(call),
            }
        }
    }

    fn path(&self, call: CallId) -> PathBuf {
        self.spool_dir.join(format!("{call}.spool"))
    }

    fn open(&mut self, call: CallId) {
        let created = OpenOptions::new().create(true).append(true).open(self.path(call)).and_then(|mut file| {
            if file.metadata()?.len() == 0 {
                file.write_all(MAGIC)?;
            }
            Ok(file)
        });
        match created {
            Ok(file) => {
                self.files.insert(call, file);
            }
            Err(error) => self.failed(call, &error),
        }
    }

    fn append(&mut self, call: CallId, bytes: &[u8]) {
        let Some(file) = self.files.get_mut(&call) else { return };
        if let Err(error) = file.write_all(bytes) {
            // What was written before stays readable; it is finished with the call.
            self.files.remove(&call);
            self.failed(call, &error);
        }
    }

    fn finish(&mut self, call: CallId) {
        if let Some(file) = self.files.remove(&call)
            && let Err(error) = file.sync_data()
        {
            tracing::warn!(%call, %error, "spool");
        }
        let spool = self.path(call);
        if spool.exists() && self.jobs.send(Job { call, spool, recovered: false }).is_err() {
            tracing::error!(%call, "the MP3 thread has ended");
        }
    }

    fn failed(&self, call: CallId, error: &io::Error) {
        tracing::error!(%call, %error, "spool");
        (self.events)(MediaEvent::RecordingFailed { call, why: error.to_string() });
    }
}

fn make_mp3s(jobs: &Receiver<Job>, mp3_dir: &Path, events: &Events) {
    be_nice();
    while let Ok(Job { call, spool, recovered }) = jobs.recv() {
        let event = match mp3::finish(&spool, call, mp3_dir) {
            Ok((path, duration_ms)) => MediaEvent::RecordingReady { call, path, duration_ms, recovered },
            Err(error) => {
                tracing::error!(%call, %error, "recording");
                MediaEvent::RecordingFailed { call, why: error.to_string() }
            }
        };
        events(event);
    }
}

/// Lowers this thread's priority; on Linux a thread is a "process" to `setpriority`.
fn be_nice() {
    // SAFETY: a system call on plain numbers; 0 is the calling thread.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    if result != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "MP3s are made at normal priority");
    }
}

/// Spools that lie in a folder.
fn spools(dir: &Path) -> io::Result<Vec<(CallId, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let call = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".spool")?.parse().ok());
        if let Some(call) = call {
            found.push((call, path));
        }
    }
    found.sort();
    Ok(found)
}

/// How long each orphaned spool is, in milliseconds: when the calls were cut off, for their records. To be asked before [`Media::start`](crate::Media::start).
pub fn spool_end(dir: &Path) -> io::Result<Vec<(CallId, i64)>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut ends = Vec::new();
    for (call, path) in spools(dir)? {
        if let Some(samples) = spool::length(File::open(path)?)? {
            ends.push((call, i64::from(samples) / 8));
        }
    }
    Ok(ends)
}

/// Hands the spools that an earlier process left behind to the MP3 thread. Gives how many there are.
pub fn recover(spool_dir: &Path, mp3_dir: &Path, jobs: &Sender<Job>) -> io::Result<usize> {
    for entry in fs::read_dir(mp3_dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "part") {
            fs::remove_file(path)?;
        }
    }
    let orphans = spools(spool_dir)?;
    let count = orphans.len();
    for (call, spool) in orphans {
        if jobs.send(Job { call, spool, recovered: true }).is_err() {
            tracing::error!(%call, "the MP3 thread has ended");
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    // G4, G5
    #[test]
    fn the_time_is_counted_from_when_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (mut recorder, _jobs) = start(folder.path().join("spool"), folder.path().join("mp3"), Arc::new(|_| {})).unwrap();
        let now = Instant::now();
        recorder.record(CallId(1), LegId(1), now - Duration::from_secs(1));
        assert_eq!(recorder.recordings[&CallId(1)].position(now), 8_000);
    }
}
