//! What a browser reports of the audio we send it. The library drops receiver reports, so this stands in its chain and reads them.

use crate::peer::Notice;
use cordboard_core::ids::PeerId;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Sender reports kept to find the one that an answer is about.
const KEPT: usize = 8;

/// What a browser's receiver report said last.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct BrowserReport {
    pub loss_percent: f32,
    pub jitter_ms: f32,
    pub round_trip_ms: Option<f32>,
}

/// Passes every packet on and reads the reports among them.
pub struct ReportReader {
    peer: PeerId,
    ssrc: u32,
    /// Of the stream's RTP timestamps, kHz.
    clock: f64,
    notices: UnboundedSender<Notice>,
    sent: VecDeque<(u32, Instant)>,
    reading: VecDeque<TaggedPacket>,
    writing: VecDeque<TaggedPacket>,
}

impl ReportReader {
    /// `ssrc` is the stream that we send, `clock` that of its timestamps in kHz.
    pub fn new(peer: PeerId, ssrc: u32, clock: f64, notices: UnboundedSender<Notice>) -> Self {
        ReportReader { peer, ssrc, clock, notices, sent: VecDeque::new(), reading: VecDeque::new(), writing: VecDeque::new() }
    }

    fn received(&self, block: &ReceptionReport, now: Instant) {
        if block.ssrc != self.ssrc {
            return;
        }
        let report = BrowserReport {
            loss_percent: f32::from(block.fraction_lost) * 100.0 / 256.0,
            jitter_ms: narrow(f64::from(block.jitter) / self.clock),
            round_trip_ms: self.round_trip(block, now).map(|time| narrow(time.as_secs_f64() * 1000.0)),
        };
        if self.notices.send(Notice::Report(self.peer, report)).is_err() {
            tracing::trace!("the media engine has ended");
        }
    }

    /// The time since the sender report that the block answers, less what the browser took to answer (RFC 3550 section 6.4.1).
    fn round_trip(&self, block: &ReceptionReport, now: Instant) -> Option<Duration> {
        let (_, sent) = self.sent.iter().find(|(middle, _)| *middle == block.last_sender_report)?;
        let held = Duration::from_secs_f64(f64::from(block.delay) / 65_536.0);
        Some(now.saturating_duration_since(*sent).saturating_sub(held))
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for ReportReader {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                let report = report.as_any();
                let receiver = report.downcast_ref::<ReceiverReport>().map(|report| &report.reports);
                let sender = report.downcast_ref::<SenderReport>().map(|report| &report.reports);
                for block in receiver.or(sender).into_iter().flatten() {
                    self.received(block, packet.now);
                }
            }
        }
        self.reading.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reading.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports.iter().filter_map(|report| report.as_any().downcast_ref::<SenderReport>()) {
                let middle = u32::try_from(report.ntp_time >> 16 & u64::from(u32::MAX)).unwrap_or(0);
                self.sent.push_back((middle, packet.now));
                if self.sent.len() > KEPT {
                    self.sent.pop_front();
                }
            }
        }
        self.writing.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writing.pop_front()
    }

    fn handle_timeout(&mut self, _now: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for ReportReader {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[allow(clippy::as_conversions, reason = "percentages and milliseconds need no double precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}
