//! How much a message and a call cost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::TrunkId;
use cordboard_core::leg::SignalCommand;
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources};
use cordboard_sip::message::{Message, Response};
use cordboard_sip::sdp::LocalMedia;
use cordboard_sip::session::{Session, SessionAction};
use criterion::{Criterion, criterion_group, criterion_main};
use std::collections::HashSet;
use std::hint::black_box;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8 0 101\r\n\
                   a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

/// A request of the caller in call `n`.
fn request(method: &str, n: u64, seq: u32, to_tag: &str, sdp: &str) -> Vec<u8> {
    format!(
        "{method} sip:+4930123456@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bK{method}{n}\r\n\
         Max-Forwards: 70\r\nFrom: \"Caller\" <sip:+442079460000@192.0.2.2>;tag=f{n}\r\nTo: <sip:+4930123456@192.0.2.1>{to_tag}\r\n\
         Call-ID: call-{n}@192.0.2.2\r\nCSeq: {seq} {method}\r\nContact: <sip:192.0.2.2:5060>\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE\r\nSupported: timer\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

/// One endpoint, and the responses that it sent last.
struct Switch {
    endpoint: Endpoint,
    flow: Flow,
    ids: CountingIds,
    now: u64,
}

impl Switch {
    fn new() -> Self {
        let flow = Flow { transport: Transport::Udp, local: "192.0.2.1:5060".parse().unwrap(), remote: "192.0.2.2:5060".parse().unwrap() };
        let sources = Sources { trunks: vec![(flow.remote.ip(), TrunkId(1))], phones: HashSet::new() };
        Self {
            endpoint: Endpoint::new(EndpointConfig { sources, user_agent: "Cordboard".into(), ..EndpointConfig::default() }),
            flow,
            ids: CountingIds(1),
            now: 0,
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<EndpointAction> {
        self.endpoint.receive(&self.flow, bytes, &mut Cx::new(self.now, 0, 0, &mut self.ids))
    }

    /// Sends the session's responses; the last one.
    fn respond(&mut self, actions: Vec<SessionAction>) -> Option<Response> {
        let mut last = None;
        for action in actions {
            match action {
                SessionAction::Respond { key, response } => {
                    black_box(self.endpoint.respond(&key, response.clone(), &mut Cx::new(self.now, 0, 0, &mut self.ids)));
                    last = Some(response);
                }
                SessionAction::Register(_)
                | SessionAction::Request { .. }
                | SessionAction::Ack { .. }
                | SessionAction::CancelRequest { .. }
                | SessionAction::Media(_)
                | SessionAction::Event(_) => {}
            }
        }
        last
    }

    /// INVITE, 100, 180, 200, ACK, BYE, 200.
    fn call(&mut self, n: u64) {
        let actions = self.receive(&request("INVITE", n, 1, "", SDP));
        let Some(EndpointAction::Invite(call)) = actions.into_iter().last() else { panic!("no call") };
        let local = LocalMedia::new("192.0.2.1:4000".parse().unwrap(), n);
        let leg = call.leg;
        let cx = &mut Cx::new(self.now, 0, 0, &mut self.ids);
        let (mut session, first) = Session::incoming(call, local, cx).unwrap();
        for action in &first {
            if let SessionAction::Register(dialog) = action {
                self.endpoint.register(dialog.clone(), leg);
            }
        }
        let mut tag = String::new();
        for command in [SignalCommand::Ring, SignalCommand::Answer] {
            let actions = session.command(&command, &mut Cx::new(self.now, 0, 0, &mut self.ids));
            tag = self.respond(actions).and_then(|r| r.headers.to_tag().map(str::to_owned)).unwrap();
        }
        let tag = format!(";tag={tag}");
        for action in self.receive(&request("ACK", n, 1, &tag, "")) {
            let EndpointAction::Ack { request, .. } = action else { panic!("no ACK") };
            black_box(session.on_ack(&request));
        }
        for action in self.receive(&request("BYE", n, 2, &tag, "")) {
            let EndpointAction::InDialog { key, request, flow, .. } = action else { panic!("no BYE") };
            let actions = session.on_request(key, &request, flow, &mut Cx::new(self.now, 0, 0, &mut self.ids));
            self.respond(actions);
        }
        black_box(self.endpoint.forget(leg, &mut Cx::new(self.now, 0, 0, &mut self.ids)));
    }
}

fn messages(c: &mut Criterion) {
    let bytes = request("INVITE", 1, 1, "", SDP);
    let message = Message::parse(&bytes).unwrap();
    c.bench_function("parse an INVITE", |b| b.iter(|| Message::parse(black_box(&bytes)).unwrap()));
    c.bench_function("write an INVITE", |b| b.iter(|| black_box(&message).to_bytes()));
}

fn calls(c: &mut Criterion) {
    let mut switch = Switch::new();
    let mut n = 0;
    // A thousand calls a second: transactions of the last 32 s stay, as they do in life.
    c.bench_function("a call from INVITE to BYE", |b| {
        b.iter(|| {
            n += 1;
            switch.now = n;
            switch.call(n);
            let cx = &mut Cx::new(switch.now, 0, 0, &mut switch.ids);
            black_box(switch.endpoint.tick(cx));
        });
    });
    let mut repeated = Switch::new();
    let options = request("OPTIONS", 1, 1, "", "");
    repeated.receive(&options);
    c.bench_function("a repeated request meets its transaction", |b| b.iter(|| repeated.receive(black_box(&options))));
}

criterion_group!(benches, messages, calls);
criterion_main!(benches);
