//! Recordings as their listeners may have them (G4): a record's recording is its own segment's part of the call's.

use crate::api::auth::Session;
use crate::api::records;
use crate::api::{App, Refusal};
use crate::wire::Waveform;
use actix_web::body::SizedStream;
use actix_web::http::header::{self, ByteRangeSpec, ContentRange, ContentRangeSpec, Header, Range};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use cordboard_db::RecordingState;
use futures_util::stream::{self, Stream};
use std::io::{self, SeekFrom};
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// A finished recording's segment.
struct Segment {
    mp3: PathBuf,
    /// Offsets in the recording, milliseconds.
    from: i64,
    to: i64,
    /// Of the whole recording, milliseconds.
    duration: i64,
}

/// The segment of this record, when the viewer may hear it and it is ready.
async fn find(app: &App, session: &Session, id: String) -> Result<Segment, Refusal> {
    let scope = records::scope(&session.account);
    let found = app
        .with_db(move |db| {
            let Some(row) = db.record(&id, &scope)? else { return Ok(None) };
            Ok(row.record.recording.zip(db.recording(row.record.call)?))
        })
        .await?;
    let ((from, to), recording) = found.ok_or(Refusal::NotFound)?;
    match recording.state {
        RecordingState::Spooling | RecordingState::Encoding => Err(Refusal::NotReady),
        RecordingState::Failed | RecordingState::Expired => Err(Refusal::NotFound),
        RecordingState::Ready | RecordingState::Recovered => {
            Ok(Segment { mp3: app.config.data.join(recording.path), from, to: to.min(recording.duration), duration: recording.duration })
        }
    }
}

/// `GET /recordings/{record}.mp3`, or a range of its bytes.
pub async fn mp3(app: web::Data<App>, session: Session, id: web::Path<String>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let id = id.into_inner();
    let segment = find(&app, &session, id.clone()).await?;
    let mut file = File::open(&segment.mp3).await.map_err(|error| unreadable(&error))?;
    let size = file.metadata().await.map_err(|error| unreadable(&error))?.len();
    let mut beginning = [0; 4];
    file.read_exact(&mut beginning).await.map_err(|error| unreadable(&error))?;
    let (first, end) = Frames::of(beginning).ok_or(Refusal::Internal)?.bytes_of(segment.from, segment.to, size);
    let length = end - first;

    let mut response = HttpResponse::Ok();
    let (skip, length) = match wanted(&request, length) {
        Wanted::All => (0, length),
        Wanted::Part { from, to } => {
            response = HttpResponse::PartialContent();
            response.insert_header(ContentRange(ContentRangeSpec::Bytes { range: Some((from, to)), instance_length: Some(length) }));
            (from, to + 1 - from)
        }
        Wanted::Nothing => {
            let all = ContentRange(ContentRangeSpec::Bytes { range: None, instance_length: Some(length) });
            return Ok(HttpResponse::RangeNotSatisfiable().insert_header(all).finish());
        }
    };
    file.seek(SeekFrom::Start(first + skip)).await.map_err(|error| unreadable(&error))?;
    Ok(response
        .content_type("audio/mpeg")
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{id}.mp3\"")))
        .body(SizedStream::new(length, chunks(file, length))))
}

/// `GET /recordings/{record}/waveform`.
pub async fn waveform(app: web::Data<App>, session: Session, id: web::Path<String>) -> Result<web::Json<Waveform>, Refusal> {
    let segment = find(&app, &session, id.into_inner()).await?;
    let json = tokio::fs::read(segment.mp3.with_extension("peaks.json")).await.map_err(|error| unreadable(&error))?;
    let whole: Waveform = serde_json::from_slice(&json).map_err(|error| unreadable(&error.into()))?;
    Ok(web::Json(Waveform {
        customer: part(&whole.customer, &segment),
        agent: part(&whole.agent, &segment),
        duration: segment.to - segment.from,
    }))
}

fn unreadable(error: &io::Error) -> Refusal {
    tracing::error!(%error, "a recording cannot be read");
    Refusal::Internal
}

/// The slices of a whole recording that the segment touches.
fn part(slices: &[f32], segment: &Segment) -> Vec<f32> {
    let (Ok(count), true) = (i64::try_from(slices.len()), segment.duration > 0) else { return Vec::new() };
    let first = (segment.from * count / segment.duration).clamp(0, count);
    let end = (segment.to * count + segment.duration - 1) / segment.duration;
    let bounds = usize::try_from(first).unwrap_or(0)..usize::try_from(end.clamp(first, count)).unwrap_or(0);
    slices.get(bounds).unwrap_or_default().to_vec()
}

/// The frames of an MP3 of constant bit rate: each as long in bytes as in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Frames {
    bytes: u64,
    /// Samples, and of them a second.
    samples: u64,
    rate: u64,
}

impl Frames {
    /// Encoder and decoder together are this late (LAME's 576 and a decoder's 529 samples), so a moment's sound is in a later frame.
    const DELAY: u64 = 1105;

    /// Reads the first frame's header (ISO/IEC 13818-3 section 2.4.2.3 and its extension MPEG 2.5). None for anything but layer III of
    /// the low sampling rates, whose frames have 576 samples.
    fn of(header: [u8; 4]) -> Option<Self> {
        const KILOBITS: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let [sync, version, rates, _] = header;
        if sync != 0xFF || version & 0xE6 != 0xE2 {
            return None;
        }
        let divisor = match version & 0x18 {
            0x00 => 4,
            0x10 => 2,
            _ => return None,
        };
        let rate = [44_100, 48_000, 32_000].get(usize::from((rates >> 2) & 3))? / divisor;
        let kilobits = KILOBITS.get(usize::from(rates >> 4)).filter(|kilobits| **kilobits > 0)?;
        // A padded stream has frames of two lengths; at telephone rates nothing needs padding.
        let bits = 72 * kilobits * 1000;
        bits.is_multiple_of(rate).then_some(Self { bytes: bits / rate, samples: 576, rate })
    }

    /// From which byte to before which the sound of `from..to` (milliseconds) stands in a file of `size` bytes.
    fn bytes_of(self, from: i64, to: i64, size: u64) -> (u64, u64) {
        let samples = |millis: i64| u64::try_from(millis).unwrap_or(0).saturating_mul(self.rate) / 1000;
        let first = (samples(from) / self.samples).saturating_mul(self.bytes).min(size);
        let end = (samples(to).saturating_add(Self::DELAY)).div_ceil(self.samples).saturating_mul(self.bytes);
        (first, end.clamp(first, size))
    }
}

/// What a request wants of so many bytes (RFC 9110 section 14.2). Several ranges at once, or what is no range, may be ignored.
enum Wanted {
    All,
    /// Both included.
    Part {
        from: u64,
        to: u64,
    },
    Nothing,
}

fn wanted(request: &HttpRequest, length: u64) -> Wanted {
    let Ok(Range::Bytes(ranges)) = Range::parse(request) else { return Wanted::All };
    let [range] = ranges.as_slice() else { return Wanted::All };
    match ByteRangeSpec::to_satisfiable_range(range, length) {
        Some((from, to)) => Wanted::Part { from, to },
        None => Wanted::Nothing,
    }
}

/// The file's next `length` bytes, a bit at a time.
fn chunks(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    const CHUNK: usize = 64 * 1024;
    stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.truncate(read);
        let left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
        Ok(Some((Bytes::from(buffer), (file, left))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MPEG 2.5 layer III, 32 kbit/s, 8 kHz, stereo: what recordings are.
    const HEADER: [u8; 4] = [0xFF, 0xE3, 0x48, 0x00];

    #[test]
    fn a_frame_of_a_recording_has_288_bytes_and_72_ms() {
        assert_eq!(Frames::of(HEADER), Some(Frames { bytes: 288, samples: 576, rate: 8000 }));
        assert_eq!(Frames::of(*b"RIFF"), None);
        assert_eq!(Frames::of([0xFF, 0xFB, 0x90, 0x00]), None);
    }

    #[test]
    fn a_segment_is_cut_at_frames_and_within_the_file() {
        let frames = Frames::of(HEADER).unwrap();
        assert_eq!(frames.bytes_of(0, 20_000, 81_000), (0, 280 * 288));
        assert_eq!(frames.bytes_of(720, 1_440, 81_000), (10 * 288, 22 * 288));
        assert_eq!(frames.bytes_of(0, 1_000_000, 81_000), (0, 81_000));
        assert_eq!(frames.bytes_of(-5, -1, 81_000).0, 0);
        assert_eq!(frames.bytes_of(1_000_000, 2_000_000, 81_000), (81_000, 81_000));
    }

    #[test]
    fn the_drawing_of_a_segment_is_a_part_of_the_whole() {
        let slices: Vec<f32> = (0..100_u8).map(f32::from).collect();
        let segment = |from, to| Segment { mp3: PathBuf::new(), from, to, duration: 10_000 };
        assert_eq!(part(&slices, &segment(0, 10_000)), slices);
        assert_eq!(part(&slices, &segment(2_000, 2_250)), vec![20.0, 21.0, 22.0]);
        assert!(part(&slices, &segment(9_000, 8_000)).is_empty());
        assert!(part(&[], &segment(0, 10_000)).is_empty());
    }
}
