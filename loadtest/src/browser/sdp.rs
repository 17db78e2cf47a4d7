//! What a browser offers and what it reads of an answer (RFC 8829), no more than a voice needs.

use std::fmt;
use std::net::SocketAddrV4;

/// A browser's side of a connection.
pub struct Own<'a> {
    pub at: SocketAddrV4,
    pub ufrag: &'a str,
    pub password: &'a str,
    /// SHA-256 of the certificate, as [`fingerprint`] writes it.
    pub fingerprint: &'a str,
    pub ssrc: u32,
}

/// The other side, as its answer has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Far {
    pub at: SocketAddrV4,
    pub ufrag: String,
    pub password: String,
    /// As [`fingerprint`] writes it.
    pub fingerprint: String,
}

/// What an answer lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct Lacks(&'static str);

impl fmt::Display for Lacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer has no {}", self.0)
    }
}

impl std::error::Error for Lacks {}

/// An offer of PCMU both ways, with the one candidate that there is.
pub fn offer(own: &Own<'_>) -> String {
    let Own { at, ufrag, password, fingerprint, ssrc } = own;
    let (ip, port) = (at.ip(), at.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio {port} UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 {ip}\r\na=mid:0\r\n\
         a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\na=msid:agent voice\r\na=ssrc:{ssrc} cname:agent\r\n\
         a=candidate:1 1 udp {PRIORITY} {ip} {port} typ host\r\na=end-of-candidates\r\n"
    )
}

/// Of a host candidate (RFC 8445 §5.1.2.1).
pub const PRIORITY: u32 = (126 << 24) + (65_535 << 8) + 255;

/// # Errors
/// What is missing; also where the other side leaves the DTLS hello to us.
pub fn answer(sdp: &str) -> Result<Far, Lacks> {
    let value = |start: &'static str| sdp.lines().find_map(|line| line.strip_prefix(start)).map(str::trim);
    let need = |start: &'static str| value(start).map(str::to_owned).ok_or(Lacks(start));
    value("a=setup:").filter(|setup| *setup == "active").ok_or(Lacks("a=setup:active"))?;
    // foundation, component, transport, priority, address, port (RFC 8839 §5.1).
    let at = sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .filter_map(|candidate| match candidate.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            [_, "1", transport, _, ip, port, ..] if transport.eq_ignore_ascii_case("udp") => {
                Some(SocketAddrV4::new(ip.parse().ok()?, port.parse().ok()?))
            }
            _ => None,
        })
        .next()
        .ok_or(Lacks("candidate"))?;
    let fingerprint = value("a=fingerprint:sha-256 ").ok_or(Lacks("a=fingerprint:sha-256"))?.to_ascii_uppercase();
    Ok(Far { at, ufrag: need("a=ice-ufrag:")?, password: need("a=ice-pwd:")?, fingerprint })
}

/// A digest as SDP writes it (RFC 8122 §5).
pub fn fingerprint(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// rtpengine's, with its `a=ice-lite`.
    const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio 30246 UDP/TLS/RTP/SAVPF 0\r\n\
        c=IN IP4 127.0.0.1\r\na=mid:0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\na=rtcp-mux\r\na=setup:active\r\n\
        a=fingerprint:sha-256 ab:CD:01\r\na=ice-ufrag:9Sjd\r\na=ice-pwd:bmFtZSBhbmQgYWRkcmVzcw\r\n\
        a=candidate:7 2 UDP 2130706430 127.0.0.1 30247 typ host\r\na=candidate:7 1 UDP 2130706431 127.0.0.1 30246 typ host\r\n";

    #[test]
    fn an_answer_is_read() {
        let far = answer(ANSWER).unwrap();
        assert_eq!(far.at, SocketAddrV4::new(Ipv4Addr::LOCALHOST, 30_246));
        assert_eq!((far.ufrag.as_str(), far.password.as_str()), ("9Sjd", "bmFtZSBhbmQgYWRkcmVzcw"));
        assert_eq!(far.fingerprint, fingerprint(&[0xab, 0xcd, 1]));
    }

    #[test]
    fn what_an_answer_lacks_is_told() {
        let without = |line: &str| answer(&ANSWER.replace(line, "a=x:")).unwrap_err();
        assert_eq!(without("a=candidate:7 1"), Lacks("candidate"));
        assert_eq!(without("a=ice-pwd:"), Lacks("a=ice-pwd:"));
        assert_eq!(without("a=fingerprint:sha-256"), Lacks("a=fingerprint:sha-256"));
        assert_eq!(answer(&ANSWER.replace("active", "passive")), Err(Lacks("a=setup:active")));
    }

    #[test]
    fn an_offer_names_its_one_candidate() {
        let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5004);
        let sdp = offer(&Own { at, ufrag: "abcd", password: "secret", fingerprint: "AB:CD", ssrc: 7 });
        assert!(sdp.contains("m=audio 5004 UDP/TLS/RTP/SAVPF 0\r\n"));
        assert!(sdp.contains("a=candidate:1 1 udp 2130706431 127.0.0.1 5004 typ host\r\n"));
        assert_eq!(answer(&sdp.replace("actpass", "active")).unwrap().at, at);
    }
}
