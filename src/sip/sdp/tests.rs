use super::*;
use crate::message::{Field, Headers};

fn local() -> LocalMedia {
    LocalMedia::new("192.0.2.1:4000".parse().unwrap(), 9)
}

fn sdp(rest: &str) -> Vec<u8> {
    format!("v=0\r\no=x 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n{rest}").into_bytes()
}

fn answer(offer: &[u8], local: &LocalMedia) -> Result<(String, RemoteMedia), SdpRefusal> {
    Description::parse(offer)?.answer(local)
}

fn audio_address(description: &[u8]) -> Option<SocketAddr> {
    Description::parse(description).unwrap().audio_address()
}

#[test]
fn the_offerers_first_g711_codec_is_taken_with_its_telephone_events() {
    let offer = sdp("m=audio 5004 RTP/AVP 18 8 0 96 97\r\na=rtpmap:96 telephone-event/16000\r\na=rtpmap:97 telephone-event/8000\r\n\
         a=ptime:30\r\na=rtcp:6000\r\nm=video 5006 RTP/AVP 31\r\n");
    let (answer, remote) = answer(&offer, &local()).unwrap();
    assert_eq!(remote.addr, "198.51.100.1:5004".parse().unwrap());
    assert_eq!(audio_address(&offer), Some(remote.addr));
    assert_eq!(audio_address(&sdp("m=audio 0 RTP/AVP 0\r\nm=video 5006 RTP/AVP 31\r\n")), None);
    assert_eq!(remote.rtcp, Some("198.51.100.1:6000".parse().unwrap()));
    assert_eq!((remote.law, remote.payload_type, remote.dtmf_type, remote.ptime), (Law::A, 8, Some(97), 30));
    assert!(answer.contains("m=audio 4000 RTP/AVP 8 97\r\n") && answer.contains("m=video 0 RTP/AVP 31\r\n"), "{answer}");
    assert!(answer.contains("o=- 9 1 IN IP4 192.0.2.1\r\n"));
}

#[test]
fn an_offer_without_g711_is_refused_with_488() {
    assert_eq!(answer(&sdp("m=audio 5004 RTP/AVP 18\r\n"), &local()), Err(SdpRefusal::NoCodec));
    assert_eq!(answer(&sdp("m=audio 5004 RTP/SAVP 0\r\n"), &local()), Err(SdpRefusal::NoAudio));
    assert_eq!(answer(&sdp("m=audio 0 RTP/AVP 0\r\n"), &local()), Err(SdpRefusal::NoAudio));
    assert_eq!(SdpRefusal::NoCodec.status(), 488);
    assert_eq!(answer(b"hello", &local()).unwrap_err().status(), 400);
}

#[test]
fn a_held_offer_is_answered_in_the_mirrored_direction() {
    for (line, direction, ours) in [
        ("a=sendonly\r\n", Direction::SendOnly, "a=recvonly"),
        ("a=inactive\r\n", Direction::Inactive, "a=inactive"),
        ("c=IN IP4 0.0.0.0\r\n", Direction::SendOnly, "a=recvonly"),
        ("a=recvonly\r\n", Direction::RecvOnly, "a=sendonly"),
    ] {
        let (answer, remote) = answer(&sdp(&format!("m=audio 5004 RTP/AVP 0\r\n{line}")), &local()).unwrap();
        assert_eq!((remote.direction, remote.holds()), (direction, direction != Direction::RecvOnly));
        assert!(answer.contains(ours), "{answer}");
    }
}

#[test]
fn our_offer_is_answered_and_the_answer_is_accepted() {
    let ours = offer(&local(), &[Law::A, Law::Mu], Direction::SendRecv);
    let far = LocalMedia::new("192.0.2.7:7000".parse().unwrap(), 1);
    let (theirs, seen) = answer(ours.as_bytes(), &far).unwrap();
    assert_eq!((seen.addr, seen.law, seen.dtmf_type), (local().addr, Law::A, Some(101)));
    let remote = Description::parse(theirs.as_bytes()).unwrap().accept(&local()).unwrap();
    assert_eq!((remote.addr, remote.law, remote.direction), (far.addr, Law::A, Direction::SendRecv));
}

#[test]
fn the_session_description_is_found_in_a_multipart_body() {
    let mut headers = Headers::default();
    headers.push(Field::ContentType, "multipart/mixed;boundary=\"xx\"");
    let body = b"--xx\r\nContent-Type: text/plain\r\n\r\nhi\r\n--xx\r\ncontent-type: application/sdp; a=b\r\n\r\nv=0\r\nm=1\r\n--xx--\r\n";
    assert_eq!(find_in_body(&headers, body), Ok(Some(&b"v=0\r\nm=1"[..])));
    assert_eq!(find_in_body(&headers, b"--xx\r\n"), Err(Unsupported));
    headers.push(Field::ContentDisposition, "render; handling = optional");
    assert_eq!(find_in_body(&headers, b"--xx\r\n"), Ok(None));
    assert_eq!(find_in_body(&headers, b""), Ok(None));
}
