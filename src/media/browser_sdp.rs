//! The few changes between a browser's SDP and the WebRTC library's.

use std::net::{IpAddr, SocketAddr};

/// Whether an rtpmap's codec is a telephone event, and at which clock rate (with or without the channel that means nothing).
fn event_rate(codec: &str) -> Option<&str> {
    codec.trim_end().strip_prefix("telephone-event/").map(|rate| rate.strip_suffix("/1").unwrap_or(rate))
}

/// The browser's offer as the library gets it.
///
/// Every `telephone-event` but the one at 8000 Hz goes: the library matches them without their clock rate. Candidates go too: an ICE-lite side learns where
/// the browser is from its checks, and a name in a candidate (mDNS) must not be looked up.
pub fn prepare_offer(offer: &str) -> String {
    let dropped: Vec<&str> = offer
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .filter(|(_, codec)| event_rate(codec).is_some_and(|rate| rate != "8000"))
        .map(|(payload_type, _)| payload_type)
        .collect();
    let belongs_to_dropped = |line: &str| {
        ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
            .iter()
            .filter_map(|prefix| line.strip_prefix(prefix)?.split_once(' '))
            .any(|(payload_type, _)| dropped.contains(&payload_type))
    };
    let mut out = String::with_capacity(offer.len());
    for line in offer.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates") || belongs_to_dropped(line) {
            continue;
        }
        if line.starts_with("m=audio ") {
            // m=audio PORT PROTOCOL TYPES…: the first three words are no payload types.
            for (index, word) in line.split(' ').enumerate().filter(|(index, word)| *index < 3 || !dropped.contains(word)) {
                if index > 0 {
                    out.push(' ');
                }
                out.push_str(word);
            }
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out
}

/// The library's answer as the browser gets it: the one browser port at the advertised addresses instead of the library's own candidates.
pub fn finish_answer(answer: &str, advertised: &[IpAddr], port: u16) -> String {
    let mut out = String::with_capacity(answer.len() + 200);
    let mut told = false;
    for line in answer.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let candidate = line.starts_with("a=candidate:");
        if (candidate || line.starts_with("a=end-of-candidates")) && !told {
            told = true;
            push_candidates(&mut out, advertised, port);
        }
        if candidate || line.starts_with("a=end-of-candidates") {
            continue;
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    if !told {
        push_candidates(&mut out, advertised, port);
    }
    out
}

fn push_candidates(out: &mut String, advertised: &[IpAddr], port: u16) {
    for (index, ip) in advertised.iter().enumerate() {
        // RFC 8445 section 5.1.2.1: type preference 126 for host candidates, component 1.
        let priority = (126u64 << 24) + (65_535u64.saturating_sub(u64::try_from(index).unwrap_or(u64::MAX)) << 8) + 255;
        let address = SocketAddr::new(*ip, port);
        out.push_str(&format!("a=candidate:{} 1 udp {priority} {} {} typ host\r\n", index + 1, address.ip(), address.port()));
    }
    out.push_str("a=end-of-candidates\r\n");
}

/// The payload type of telephone events at 8000 Hz.
pub fn event_payload_type(sdp: &str) -> Option<u8> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .find(|(_, codec)| event_rate(codec) == Some("8000"))
        .and_then(|(payload_type, _)| payload_type.parse().ok())
}

/// The payload type of Opus (RFC 7587).
pub fn opus_payload_type(sdp: &str) -> Option<u8> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .find(|(_, codec)| codec.trim_end().eq_ignore_ascii_case("opus/48000/2"))
        .and_then(|(payload_type, _)| payload_type.parse().ok())
}

/// Whether an offer has PCMU.
pub fn offers_pcmu(offer: &str) -> bool {
    offer.lines().filter_map(|line| line.strip_prefix("m=audio ")).any(|line| line.split_ascii_whitespace().skip(2).any(|word| word == "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 110 126\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-16\r\na=rtpmap:126 telephone-event/8000\r\n\
        a=candidate:1 1 udp 2113937151 abc.local 5000 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn only_the_event_at_8000_and_no_candidate_stays() {
        let prepared = prepare_offer(OFFER);
        assert!(prepared.contains("m=audio 9 UDP/TLS/RTP/SAVPF 0 126\r\n"), "{prepared}");
        assert!(!prepared.contains("110"));
        assert!(prepared.contains("a=rtpmap:126 telephone-event/8000"));
        assert!(!prepared.contains("candidate"));
        assert!(prepared.ends_with("\r\n"));
    }

    #[test]
    fn the_port_is_never_taken_for_a_payload_type() {
        let offer = OFFER.replace("m=audio 9 ", "m=audio 110 ");
        assert!(prepare_offer(&offer).contains("m=audio 110 UDP/TLS/RTP/SAVPF 0 126\r\n"));
    }

    #[test]
    fn the_answer_names_the_advertised_addresses_and_the_one_port() {
        let answer =
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=candidate:5 1 udp 1 127.0.0.1 40000 typ host\r\na=end-of-candidates\r\na=mid:0\r\n";
        let advertised = ["192.0.2.7".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let finished = finish_answer(answer, &advertised, 8443);
        assert!(finished.contains(" 192.0.2.7 8443 typ host\r\n"));
        assert!(finished.contains(" 2001:db8::1 8443 typ host\r\n"));
        assert!(!finished.contains("40000"));
        assert_eq!(finished.matches("end-of-candidates").count(), 1);
        assert!(finished.contains("a=mid:0"));
    }

    #[test]
    fn codec_questions() {
        assert!(offers_pcmu(OFFER));
        assert!(!offers_pcmu("m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"));
        assert_eq!((opus_payload_type(OFFER), opus_payload_type("a=rtpmap:111 opus/48000/2\r\n")), (None, Some(111)));
        assert_eq!(event_payload_type(OFFER), Some(126));
        assert_eq!(event_payload_type("a=rtpmap:110 telephone-event/8000/1\r\n"), Some(110));
        assert_eq!(event_payload_type("a=rtpmap:110 telephone-event/48000\r\n"), None);
    }
}
