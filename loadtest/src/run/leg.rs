//! One side's telephone, as a pure machine: a customer who calls, or an agent's SIP phone that is called (RFC 3261 with UDP's retransmissions).
//!
//! It is a reading of SIP of its own, so that a fault of the switch's is not mended by the same fault here; only the parser is shared.
//! Times are microseconds of the run.

use cordboard_sip::message::{Field, Message, Method, NameAddr, Request, Response};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddrV4};

pub type Micros = u64;

/// RFC 3261 §17.1.1.1.
const T1: Micros = 500_000;
const T2: Micros = 4_000_000;
const GIVE_UP: Micros = 64 * T1;
/// The payload type of telephone events (RFC 4733) in a customer's offer.
const EVENTS: u8 = 101;
const EVENTS_AT_8_KHZ: &str = "telephone-event/8000";

/// What the far side or time made of a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It rings at the far side.
    Rings,
    /// The far side has answered (a customer's call), or has acknowledged our answer (a phone's).
    Up,
    /// The last event of a leg.
    Over(Ending),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// This side hung up, and the far side said yes.
    HungUp,
    /// The far side hung up.
    HungUpByFar,
    /// This side gave up before an answer.
    GaveUp,
    /// The far side took its call back before the answer.
    TakenBack,
    /// By SIP status and, where told, Q.850 cause.
    Refused(u16, Option<u8>),
    /// Nothing came back for 32 s.
    Silence,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    Send(Vec<u8>),
    /// Where the far side wants its audio; none: nowhere, it holds.
    Media(Option<SocketAddrV4>),
    Event(Event),
}

/// Something that is sent again until it is answered.
#[derive(Clone, Debug)]
struct Repeat {
    bytes: Vec<u8>,
    at: Micros,
    interval: Micros,
    /// An INVITE's interval doubles without a limit (Timer A).
    most: Micros,
    until: Micros,
}

impl Repeat {
    fn new(bytes: Vec<u8>, now: Micros, most: Micros) -> Self {
        Self { bytes, at: now + T1, interval: T1, most, until: now + GIVE_UP }
    }

    fn due(&mut self, now: Micros) -> Option<Vec<u8>> {
        (self.at <= now).then(|| {
            self.interval = (2 * self.interval).min(self.most);
            self.at = now + self.interval;
            self.bytes.clone()
        })
    }
}

// | phase    | far side                 | this side         | → |
// |----------|--------------------------|-------------------|---|
// | Calling  | 1xx                      | gives up: CANCEL, after a 1xx | Calling |
// | Calling  | 2xx: ACK                 |                   | Up; given up: BYE → Leaving |
// | Calling  | 3xx-6xx: ACK, silence    |                   | Over |
// | Ringing  | CANCEL: 487              | answers: 200      | Over; Answered |
// | Answered | ACK                      |                   | Up |
// | Answered | BYE; silence             | hangs up: BYE     | Over; Leaving |
// | Up       | BYE: 200                 | hangs up: BYE     | Over; Leaving |
// | Leaving  | final response, BYE, silence |               | Over |
#[derive(Clone, Debug)]
enum Phase {
    Calling { invite: Option<Repeat>, branch: u64, deadline: Option<Micros>, cancel: Cancel },
    Ringing { invite: Box<Request>, last: Vec<u8> },
    Answered { ok: Repeat, invite: u32 },
    Up,
    Leaving { bye: Repeat, cseq: u32 },
    Over,
}

/// How far giving up has come.
#[derive(Clone, Debug)]
enum Cancel {
    No,
    /// Once the far side has told that it has the INVITE (RFC 3261 §9.1).
    Due,
    Sent(Repeat),
    Taken,
}

impl Cancel {
    fn repeat(&mut self) -> Option<&mut Repeat> {
        if let Self::Sent(repeat) = self { Some(repeat) } else { None }
    }
}

pub struct Leg {
    pub call_id: String,
    /// Where this side's signalling and audio come from.
    sip: SocketAddrV4,
    audio: SocketAddrV4,
    /// Values of headers, with their tags.
    from: String,
    to: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
    phase: Phase,
    branches: u64,
    /// The ACK of a 2xx, for its repetitions.
    ack: Option<Vec<u8>>,
    /// The payload type of telephone events, as offered and then as answered; none: no key can be pressed.
    pub events: Option<u8>,
}

impl Leg {
    /// A customer `caller` calls `called` at the switch.
    pub fn customer(
        id: String,
        caller: &str,
        called: &str,
        sip: SocketAddrV4,
        audio: SocketAddrV4,
        switch: SocketAddrV4,
        now: Micros,
    ) -> (Self, Vec<Output>) {
        let target = format!("sip:{called}@{switch}");
        let mut leg = Self {
            from: format!("<sip:{caller}@{sip}>;tag=c{id}"),
            to: format!("<{target}>"),
            call_id: id,
            sip,
            audio,
            target,
            routes: Vec::new(),
            cseq: 1,
            phase: Phase::Over,
            branches: 0,
            ack: None,
            events: Some(EVENTS),
        };
        let branch = leg.branch();
        let sdp = leg.sdp();
        let invite = leg.request("INVITE", 1, branch, Some(&sdp));
        leg.phase = Phase::Calling {
            invite: Some(Repeat::new(invite.clone(), now, Micros::MAX)),
            branch,
            deadline: Some(now + GIVE_UP),
            cancel: Cancel::No,
        };
        (leg, vec![Output::Send(invite)])
    }

    /// A phone that the switch calls, an agent's or a customer's; it rings.
    pub fn phone(invite: Request, sip: SocketAddrV4, audio: SocketAddrV4) -> (Self, Vec<Output>) {
        let value = |field| invite.headers.get(field).unwrap_or_default().to_owned();
        let call_id = value(Field::CallId);
        let mut leg = Self {
            from: format!("{};tag=p{call_id}", value(Field::To)),
            to: value(Field::From),
            target: target(&invite.headers.get(Field::Contact).unwrap_or_default().parse().ok()),
            routes: invite.headers.all(Field::RecordRoute).map(str::to_owned).collect(),
            call_id,
            sip,
            audio,
            cseq: 0,
            phase: Phase::Over,
            branches: 0,
            ack: None,
            events: None,
        };
        let ringing = leg.response(&invite, 180, None);
        let media = Output::Media(media(&invite.body));
        leg.phase = Phase::Ringing { invite: Box::new(invite), last: ringing.clone() };
        (leg, vec![Output::Send(ringing), media])
    }

    /// Lifts a ringing phone.
    pub fn answer(&mut self, now: Micros) -> Vec<Output> {
        let Phase::Ringing { invite, .. } = &self.phase else { return Vec::new() };
        let invite = invite.clone();
        let ok = self.response(&invite, 200, Some(&self.sdp()));
        let cseq = invite.headers.cseq().map_or(0, |cseq| cseq.seq);
        self.phase = Phase::Answered { ok: Repeat::new(ok.clone(), now, T2), invite: cseq };
        vec![Output::Send(ok)]
    }

    /// This side has hung up, or it is over.
    pub fn leaves(&self) -> bool {
        match self.phase {
            Phase::Leaving { .. } | Phase::Over => true,
            Phase::Calling { ref cancel, .. } => !matches!(cancel, Cancel::No),
            Phase::Ringing { .. } | Phase::Answered { .. } | Phase::Up => false,
        }
    }

    /// Hangs up, gives up, or declines.
    pub fn hang_up(&mut self, now: Micros) -> Vec<Output> {
        match &mut self.phase {
            Phase::Calling { cancel: cancel @ Cancel::No, invite: Some(_), .. } => {
                *cancel = Cancel::Due;
                Vec::new()
            }
            Phase::Calling { cancel: Cancel::No, .. } => self.cancel(now),
            Phase::Calling { .. } => Vec::new(),
            Phase::Ringing { invite, .. } => {
                let invite = invite.clone();
                let busy = self.response(&invite, 486, None);
                self.phase = Phase::Over;
                vec![Output::Send(busy), Output::Event(Event::Over(Ending::GaveUp))]
            }
            Phase::Answered { .. } | Phase::Up => {
                self.cseq += 1;
                let branch = self.branch();
                let bye = self.request("BYE", self.cseq, branch, None);
                self.phase = Phase::Leaving { bye: Repeat::new(bye.clone(), now, T2), cseq: self.cseq };
                vec![Output::Send(bye)]
            }
            Phase::Leaving { .. } | Phase::Over => Vec::new(),
        }
    }

    fn cancel(&mut self, now: Micros) -> Vec<Output> {
        let Phase::Calling { branch, .. } = self.phase else { return Vec::new() };
        let bytes = self.request("CANCEL", 1, branch, None);
        if let Phase::Calling { cancel, deadline, .. } = &mut self.phase {
            *cancel = Cancel::Sent(Repeat::new(bytes.clone(), now, T2));
            // RFC 3261 §9.1: without a final response by then it is over.
            *deadline = Some(now + GIVE_UP);
        }
        vec![Output::Send(bytes)]
    }

    pub fn receive(&mut self, message: &Message, now: Micros) -> Vec<Output> {
        match message {
            Message::Request(request) => self.requested(request),
            Message::Response(response) => self.responded(response, now),
        }
    }

    fn requested(&mut self, request: &Request) -> Vec<Output> {
        match (&request.method, &mut self.phase) {
            (&Method::ACK, Phase::Answered { invite, .. }) if request.headers.cseq().is_ok_and(|cseq| cseq.seq == *invite) => {
                self.phase = Phase::Up;
                vec![Output::Event(Event::Up)]
            }
            (&Method::ACK, _) => Vec::new(),
            (&Method::INVITE, Phase::Ringing { last, .. }) => vec![Output::Send(last.clone())],
            (&Method::INVITE, Phase::Answered { ok, .. }) => vec![Output::Send(ok.bytes.clone())],
            (&Method::INVITE | &Method::UPDATE, Phase::Up) => {
                let ok = self.response(
                    request,
                    200,
                    (!request.body.is_empty() || request.method == Method::INVITE).then(|| self.sdp()).as_deref(),
                );
                vec![Output::Send(ok), Output::Media(media(&request.body))]
            }
            (&Method::CANCEL, Phase::Ringing { invite, .. }) => {
                let invite = invite.clone();
                let sent = vec![
                    Output::Send(self.response(request, 200, None)),
                    Output::Send(self.response(&invite, 487, None)),
                    Output::Event(Event::Over(Ending::TakenBack)),
                ];
                self.phase = Phase::Over;
                sent
            }
            (&Method::BYE, Phase::Answered { .. } | Phase::Up | Phase::Leaving { .. }) => {
                self.phase = Phase::Over;
                vec![Output::Send(self.response(request, 200, None)), Output::Event(Event::Over(Ending::HungUpByFar))]
            }
            (_, _) => vec![Output::Send(self.response(request, 200, None))],
        }
    }

    fn responded(&mut self, response: &Response, now: Micros) -> Vec<Output> {
        let Ok(cseq) = response.headers.cseq() else { return Vec::new() };
        match &mut self.phase {
            Phase::Calling { invite, deadline, branch, cancel } if cseq.method == Method::INVITE => {
                *invite = None;
                if response.is_provisional() {
                    let mut out = if response.status == 180 { vec![Output::Event(Event::Rings)] } else { Vec::new() };
                    match cancel {
                        Cancel::No => *deadline = None,
                        Cancel::Due => out.extend(self.cancel(now)),
                        Cancel::Sent(_) | Cancel::Taken => {}
                    }
                    return out;
                }
                let (branch, given_up) = (*branch, !matches!(cancel, Cancel::No));
                self.to = response.headers.get(Field::To).unwrap_or_default().to_owned();
                if !response.is_success() {
                    let ack = self.request("ACK", 1, branch, None);
                    self.phase = Phase::Over;
                    let ending = if given_up { Ending::GaveUp } else { Ending::Refused(response.status, q850(response)) };
                    return vec![Output::Send(ack), Output::Event(Event::Over(ending))];
                }
                self.target = target(&response.headers.get(Field::Contact).unwrap_or_default().parse().ok());
                self.routes = response.headers.all(Field::RecordRoute).map(str::to_owned).collect();
                self.routes.reverse();
                let branch = self.branch();
                let ack = self.request("ACK", 1, branch, None);
                self.ack = Some(ack.clone());
                self.events = events(&response.body);
                self.phase = Phase::Up;
                let mut out = vec![Output::Send(ack), Output::Media(media(&response.body)), Output::Event(Event::Up)];
                if given_up {
                    out.extend(self.hang_up(now));
                }
                out
            }
            Phase::Calling { cancel, .. } if cseq.method == Method::CANCEL && !response.is_provisional() => {
                *cancel = Cancel::Taken;
                Vec::new()
            }
            Phase::Leaving { cseq: bye, .. } if cseq.method == Method::BYE && cseq.seq == *bye && !response.is_provisional() => {
                self.phase = Phase::Over;
                vec![Output::Event(Event::Over(Ending::HungUp))]
            }
            // A 2xx that came again: its ACK was lost (RFC 3261 §13.2.2.4).
            Phase::Up | Phase::Leaving { .. } if cseq.method == Method::INVITE && response.is_success() => {
                self.ack.clone().map(Output::Send).into_iter().collect()
            }
            Phase::Calling { .. } | Phase::Ringing { .. } | Phase::Answered { .. } | Phase::Up | Phase::Leaving { .. } | Phase::Over => {
                Vec::new()
            }
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Micros) -> Vec<Output> {
        let (repeat, until) = match &mut self.phase {
            Phase::Calling { invite, deadline, cancel, .. } => (invite.as_mut().or(cancel.repeat()), *deadline),
            Phase::Answered { ok: repeat, .. } | Phase::Leaving { bye: repeat, .. } => {
                let until = repeat.until;
                (Some(repeat), Some(until))
            }
            Phase::Ringing { .. } | Phase::Up | Phase::Over => (None, None),
        };
        if until.is_some_and(|until| until <= now) {
            self.phase = Phase::Over;
            return vec![Output::Event(Event::Over(Ending::Silence))];
        }
        repeat.and_then(|repeat| repeat.due(now)).map(Output::Send).into_iter().collect()
    }

    pub fn next_deadline(&self) -> Option<Micros> {
        match &self.phase {
            Phase::Calling { invite, deadline, cancel, .. } => {
                let cancel = if let Cancel::Sent(cancel) = cancel { Some(cancel.at) } else { None };
                invite.as_ref().map(|invite| invite.at).into_iter().chain(cancel).chain(*deadline).min()
            }
            Phase::Answered { ok: repeat, .. } | Phase::Leaving { bye: repeat, .. } => Some(repeat.at.min(repeat.until)),
            Phase::Ringing { .. } | Phase::Up | Phase::Over => None,
        }
    }

    fn branch(&mut self) -> u64 {
        self.branches += 1;
        self.branches
    }

    fn request(&self, method: &str, cseq: u32, branch: u64, sdp: Option<&str>) -> Vec<u8> {
        let Self { target, sip, from, to, call_id, .. } = self;
        let mut text = String::with_capacity(700);
        // Writing to a string does not fail.
        let _ =
            write!(text, "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {sip};branch=z9hG4bK{call_id}-{branch}\r\nMax-Forwards: 70\r\n");
        for route in &self.routes {
            let _ = write!(text, "Route: {route}\r\n");
        }
        let _ = write!(text, "From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n");
        self.finish(text, sdp)
    }

    fn response(&self, request: &Request, status: u16, sdp: Option<&str>) -> Vec<u8> {
        let mut text = String::with_capacity(700);
        let phrase = match status {
            180 => "Ringing",
            200 => "OK",
            486 => "Busy Here",
            _ => "Request Terminated",
        };
        let _ = write!(text, "SIP/2.0 {status} {phrase}\r\n");
        for field in [Field::Via, Field::RecordRoute, Field::From, Field::CallId, Field::CSeq] {
            for value in request.headers.all(field) {
                let _ = write!(text, "{}: {value}\r\n", field.name());
            }
        }
        let to = request.headers.get(Field::To).unwrap_or_default();
        let to = if to.contains(";tag=") { to } else { &self.from };
        let _ = write!(text, "To: {to}\r\n");
        self.finish(text, sdp)
    }

    fn finish(&self, mut text: String, sdp: Option<&str>) -> Vec<u8> {
        let _ = write!(text, "Contact: <sip:{}>\r\n", self.sip);
        let sdp = sdp.unwrap_or_default();
        if !sdp.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{sdp}", sdp.len());
        text.into_bytes()
    }

    fn sdp(&self) -> String {
        let (ip, port) = (self.audio.ip(), self.audio.port());
        let (format, events) = self.events.map_or_else(Default::default, |events| {
            (format!(" {events}"), format!("a=rtpmap:{events} {EVENTS_AT_8_KHZ}\r\na=fmtp:{events} 0-15\r\n"))
        });
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0{format}\r\na=rtpmap:0 PCMU/8000\r\n{events}a=ptime:20\r\na=sendrecv\r\n"
        )
    }
}

fn target(contact: &Option<NameAddr>) -> String {
    contact.as_ref().map(|contact| contact.uri.to_string()).unwrap_or_default()
}

/// Where a description wants its audio; none where it wants none.
pub fn media(sdp: &[u8]) -> Option<SocketAddrV4> {
    let text = std::str::from_utf8(sdp).ok()?;
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let ip: Ipv4Addr = line("c=IN IP4 ")?.trim().parse().ok()?;
    let port: u16 = line("m=audio ")?.split(' ').next()?.parse().ok()?;
    let silent = text.lines().any(|line| matches!(line.trim(), "a=sendonly" | "a=inactive"));
    (port != 0 && !silent).then_some(SocketAddrV4::new(ip, port))
}

/// The payload type that a description has for telephone events.
fn events(sdp: &[u8]) -> Option<u8> {
    let maps = std::str::from_utf8(sdp).ok()?.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")?.trim().split_once(' '));
    maps.filter(|(_, encoding)| encoding.eq_ignore_ascii_case(EVENTS_AT_8_KHZ)).find_map(|(kind, _)| kind.parse().ok())
}

fn q850(response: &Response) -> Option<u8> {
    let reason = response.headers.get(Field::Reason).filter(|reason| reason.starts_with("Q.850"))?;
    reason.split(';').find_map(|part| part.trim().strip_prefix("cause=")).and_then(|cause| cause.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5070);
    const THERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5060);
    const AUDIO: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7000);

    fn message(out: &[Output]) -> Message {
        let bytes = out.iter().find_map(|output| if let Output::Send(bytes) = output { Some(bytes) } else { None });
        Message::parse(bytes.expect("something to send")).expect("a message")
    }

    fn request(out: &[Output]) -> Request {
        let Message::Request(request) = message(out) else { panic!("a response") };
        request
    }

    fn calling() -> (Leg, Request) {
        let (leg, out) = Leg::customer("l-1".into(), "+447700900001", "+442079460100", HERE, AUDIO, THERE, 0);
        let invite = request(&out);
        (leg, invite)
    }

    /// Both ends of one call, joined without a switch.
    fn joined() -> (Leg, Leg) {
        let (mut customer, invite) = calling();
        let (mut phone, out) = Leg::phone(invite, THERE, AUDIO);
        assert_eq!(customer.receive(&message(&out), 1), [Output::Event(Event::Rings)]);
        let out = customer.receive(&message(&phone.answer(2)), 3);
        assert_eq!(out[1..], [Output::Media(Some(AUDIO)), Output::Event(Event::Up)]);
        assert_eq!(phone.receive(&message(&out), 4), [Output::Event(Event::Up)]);
        (customer, phone)
    }

    #[test]
    fn a_call_is_answered_and_hung_up_by_either_side() {
        let (mut customer, mut phone) = joined();
        assert!(!customer.leaves());
        let out = phone.receive(&message(&customer.hang_up(9)), 10);
        assert!(customer.leaves() && phone.leaves());
        assert_eq!(out[1], Output::Event(Event::Over(Ending::HungUpByFar)));
        assert_eq!(customer.receive(&message(&out), 11), [Output::Event(Event::Over(Ending::HungUp))]);

        let (mut customer, mut phone) = joined();
        let out = customer.receive(&message(&phone.hang_up(9)), 10);
        assert_eq!(out[1], Output::Event(Event::Over(Ending::HungUpByFar)));
        assert_eq!(phone.receive(&message(&out), 11), [Output::Event(Event::Over(Ending::HungUp))]);
        assert_eq!((customer.next_deadline(), phone.next_deadline()), (None, None));
    }

    /// RFC 4733.
    #[test]
    fn keys_can_be_pressed_where_the_answer_has_telephone_events() {
        let (customer, _) = joined();
        assert_eq!(customer.events, None, "phones have none");
        let (mut customer, invite) = calling();
        let mut ok = invite.response(200);
        ok.set_to_tag("x");
        ok.headers.push(Field::Contact, "<sip:127.0.0.1:5060>");
        ok.body = String::from_utf8(invite.body).unwrap().replace("101", "96").into_bytes();
        customer.receive(&Message::Response(ok), 1);
        assert_eq!(customer.events, Some(96));
        assert!(customer.sdp().contains("RTP/AVP 0 96\r\n"), "a later answer says the same");
    }

    #[test]
    fn what_is_lost_is_sent_again_until_32_seconds_are_over() {
        let (mut leg, _) = calling();
        let mut sent = Vec::new();
        let ending = loop {
            let at = leg.next_deadline().unwrap();
            match &leg.tick(at)[..] {
                [Output::Send(_)] => sent.push(at / 1000),
                other => break other.to_vec(),
            }
        };
        assert_eq!(sent, [500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(ending, [Output::Event(Event::Over(Ending::Silence))]);
    }

    #[test]
    fn a_repeated_answer_is_acknowledged_again_and_a_lost_acknowledgement_asks_for_the_answer_again() {
        let (mut customer, invite) = calling();
        let (mut phone, _) = Leg::phone(invite.clone(), THERE, AUDIO);
        let ok = message(&phone.answer(0));
        let ack = request(&customer.receive(&ok, 1));
        assert_eq!(phone.tick(T1).len(), 1);
        assert_eq!(request(&customer.receive(&ok, T1)), ack);
        assert_eq!(message(&phone.receive(&Message::Request(invite), T1)), ok);
    }

    #[test]
    fn whoever_gives_up_cancels_and_one_who_was_answered_all_the_same_hangs_up() {
        let (mut customer, invite) = calling();
        assert!(!customer.leaves());
        assert!(customer.hang_up(4).is_empty(), "nobody has the INVITE yet");
        assert!(customer.leaves());
        let cancel = request(&customer.receive(&Message::Response(invite.response(100)), 5));
        assert_eq!((cancel.method, cancel.headers.get(Field::Via)), (Method::CANCEL, invite.headers.get(Field::Via)));
        assert!(customer.hang_up(6).is_empty());
        let (mut phone, _) = Leg::phone(invite.clone(), THERE, AUDIO);
        let ok = message(&phone.answer(6));
        let out = customer.receive(&ok, 7);
        assert!(matches!(&out[3], Output::Send(bytes) if bytes.starts_with(b"BYE ")));

        let (mut customer, _) = calling();
        customer.receive(&Message::Response(invite.response(100)), 4);
        let cancel = request(&customer.hang_up(5));
        let (mut phone, _) = Leg::phone(invite, THERE, AUDIO);
        let out = phone.receive(&Message::Request(cancel), 6);
        assert_eq!(out[2], Output::Event(Event::Over(Ending::TakenBack)));
        let Output::Send(terminated) = &out[1] else { panic!() };
        let out = customer.receive(&Message::parse(terminated).unwrap(), 7);
        assert_eq!(out[1], Output::Event(Event::Over(Ending::GaveUp)));
    }

    /// RFC 3261 §17.1.2.
    #[test]
    fn a_cancel_is_repeated_until_it_is_answered() {
        let (mut customer, invite) = calling();
        customer.receive(&Message::Response(invite.response(180)), 4);
        let cancel = request(&customer.hang_up(5));
        assert_eq!(customer.next_deadline(), Some(5 + T1));
        assert_eq!(request(&customer.tick(5 + T1)), cancel);
        customer.receive(&Message::Response(cancel.response(200)), 6 + T1);
        assert_eq!(customer.next_deadline(), Some(5 + GIVE_UP));
        assert_eq!(customer.tick(5 + GIVE_UP), [Output::Event(Event::Over(Ending::Silence))]);
    }

    #[test]
    fn a_refusal_is_acknowledged_and_told_with_its_cause() {
        let (mut customer, invite) = calling();
        let mut refusal = invite.response(503);
        refusal.headers.push(Field::Reason, "Q.850;cause=34");
        refusal.set_to_tag("x");
        let out = customer.receive(&Message::Response(refusal), 1);
        assert_eq!(request(&out).method, Method::ACK);
        assert_eq!(out[1], Output::Event(Event::Over(Ending::Refused(503, Some(34)))));
    }

    #[test]
    fn a_change_of_the_audio_is_accepted() {
        let (_, mut phone) = joined();
        let (_, mut hold) = calling();
        hold.body = String::from_utf8(hold.body).unwrap().replace("sendrecv", "sendonly").into_bytes();
        let out = phone.receive(&Message::Request(hold), 9);
        assert_eq!(out[1], Output::Media(None));
        assert!(matches!(message(&out), Message::Response(Response { status: 200, .. })));
    }
}
