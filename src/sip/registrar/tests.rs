#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::*;
use crate::digest::{NONCE_LIFE, ha1};
use crate::message::Message;
use cordboard_core::cx::CountingIds;
use cordboard_core::setup::Transport;
use proptest::prelude::*;

const REALM: &str = "cordboard";
const PASSWORD: &str = "correct horse battery";

fn account(user: &str, algorithm: Algorithm) -> Account {
    Account { user: user.into(), algorithm, ha1: ha1(algorithm, user, REALM, PASSWORD) }
}

fn sha256(user: &str) -> Account {
    account(user, Algorithm::Sha256)
}

fn flow(transport: Transport, remote: &str) -> Flow {
    Flow { transport, local: "192.0.2.1:5060".parse().unwrap(), remote: remote.parse().unwrap() }
}

/// A phone on the far side, which answers challenges.
#[derive(Clone)]
struct Phone {
    user: &'static str,
    password: &'static str,
    algorithm: Algorithm,
    flow: Flow,
    call_id: &'static str,
    cseq: u32,
}

impl Phone {
    fn new(user: &'static str) -> Self {
        let flow = flow(Transport::Udp, "192.0.2.7:5070");
        Self { user, password: PASSWORD, algorithm: Algorithm::Sha256, flow, call_id: "call-1", cseq: 0 }
    }

    fn request(&mut self, headers: &str, authorization: &str) -> Request {
        self.cseq += 1;
        let Self { user, call_id, cseq, .. } = self;
        let text = format!(
            "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK{cseq}\r\nFrom: <sip:{user}@192.0.2.1>;tag=f\r\n\
             To: <sip:{user}@192.0.2.1>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n{headers}{authorization}\r\n"
        );
        match Message::parse(text.as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn authorization(&self, nonce: &str, count: u32) -> String {
        let write = |response: &str| {
            format!(
                "Digest username=\"{}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:192.0.2.1\", algorithm={}, qop=auth, nc={count:08x}, \
                 cnonce=\"c\", response=\"{response}\"",
                self.user,
                self.algorithm.name()
            )
        };
        let ha1 = ha1(self.algorithm, self.user, REALM, self.password);
        let response = Credentials::parse(&write("")).unwrap().expected(&ha1, &crate::message::Method::REGISTER);
        format!("Authorization: {}\r\n", write(&response))
    }
}

struct Rig {
    registrar: Registrar,
    ids: CountingIds,
    now: Millis,
}

impl Rig {
    fn new() -> Self {
        let mut registrar = Registrar::new(REALM.into());
        registrar.set_accounts(vec![sha256("mei"), sha256("tom")]);
        Self { registrar, ids: CountingIds::default(), now: 1_000 }
    }

    fn send(&mut self, request: &Request, flow: Flow) -> Outcome {
        self.registrar.register(request, &flow, &mut Cx::new(self.now, 0, 0, &mut self.ids))
    }

    fn nonce(&mut self, phone: &mut Phone) -> String {
        let request = phone.request("", "");
        nonce(&self.send(&request, phone.flow).response)
    }

    /// As a phone does it: asked for its password, it sends the request again.
    fn register(&mut self, phone: &mut Phone, headers: &str) -> Outcome {
        let nonce = self.nonce(phone);
        let authorization = phone.authorization(&nonce, 1);
        let request = phone.request(headers, &authorization);
        self.send(&request, phone.flow)
    }

    /// URIs that the account is at, the newest first.
    fn at(&self, user: &str) -> Vec<String> {
        self.registrar.bindings.get(user).into_iter().flatten().map(|binding| binding.contact.to_string()).collect()
    }
}

fn challenges(response: &Response) -> Vec<&str> {
    response.headers.all(Field::WwwAuthenticate).collect()
}

fn nonce(response: &Response) -> String {
    let challenge = challenges(response)[0];
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn is_stale(response: &Response) -> bool {
    response.status == 401 && challenges(response).iter().all(|challenge| challenge.ends_with("stale=true"))
}

/// URI and seconds of each contact told.
fn told(response: &Response) -> Vec<(String, String)> {
    let contacts = response.headers.addresses(Field::Contact).unwrap();
    contacts.iter().map(|c| (c.uri.to_string(), c.params.get("expires").unwrap_or_default().to_owned())).collect()
}

fn pair(uri: &str, expires: &str) -> (String, String) {
    (uri.to_owned(), expires.to_owned())
}

const CONTACT: &str = "Contact: <sip:mei@192.0.2.7:5070>\r\nExpires: 600\r\n";

#[test]
fn a_phone_that_knows_its_password_is_registered_by_the_flow_it_came_by() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    let request = phone.request(CONTACT, "");
    let Outcome { response, bound, wrong_try } = rig.send(&request, phone.flow);
    assert_eq!((response.status, bound, wrong_try), (401, None, None));
    let [challenge] = challenges(&response)[..] else { panic!() };
    assert!(
        challenge.starts_with("Digest realm=\"cordboard\", nonce=\"") && challenge.ends_with("algorithm=SHA-256, qop=\"auth\""),
        "{challenge}"
    );

    let Outcome { response, bound, wrong_try } = rig.register(&mut phone, CONTACT);
    assert_eq!((response.status, wrong_try), (200, None));
    assert_eq!(told(&response), vec![pair("sip:mei@192.0.2.7:5070", "600")]);
    let bound = bound.unwrap();
    let [binding] = &bound.bindings[..] else { panic!() };
    assert_eq!((bound.user.as_str(), binding.flow, binding.expires_at), ("mei", phone.flow, 601_000));
    assert!(rig.registrar.is_at(phone.flow.remote) && rig.registrar.is_near("192.0.2.7".parse().unwrap()));
    assert!(!rig.registrar.is_at("192.0.2.7:5071".parse().unwrap()) && !rig.registrar.is_near("192.0.2.8".parse().unwrap()));
}

#[test]
fn a_wrong_password_and_an_unknown_account_look_the_same() {
    let answer = |user, password| {
        let (mut rig, mut phone) = (Rig::new(), Phone { password, ..Phone::new(user) });
        let Outcome { response, bound, wrong_try } = rig.register(&mut phone, CONTACT);
        assert_eq!((bound, wrong_try.as_deref()), (None, Some(user)));
        assert!(rig.at(user).is_empty());
        let text = String::from_utf8(response.to_bytes()).unwrap();
        (response.status, text.replace(user, "user"), is_stale(&response))
    };
    let wrong = answer("mei", "wrong");
    assert_eq!((wrong.0, wrong.2), (401, false));
    for password in ["wrong", PASSWORD, ""] {
        assert_eq!(answer("eve", password), wrong);
    }
}

#[test]
fn an_empty_secret_opens_nothing() {
    // Whoever is not there has no HA1; its digest can be computed by all.
    for (user, algorithm) in [("eve", Algorithm::Sha256), ("mei", Algorithm::Md5)] {
        let (mut rig, mut phone) = (Rig::new(), Phone { algorithm, ..Phone::new(user) });
        let nonce = rig.nonce(&mut phone);
        let authorization = phone.authorization(&nonce, 1);
        let credentials = Credentials::parse(authorization.trim_start_matches("Authorization: ").trim()).unwrap();
        let forged = authorization.replace(&credentials.response, &credentials.expected("", &crate::message::Method::REGISTER));
        let request = phone.request(CONTACT, &forged);
        assert_eq!(rig.send(&request, phone.flow).response.status, 401);
    }
}

#[test]
fn each_account_has_one_algorithm_and_a_challenge_tells_nothing_of_who_is_there() {
    let mut rig = Rig::new();
    let asked = |rig: &mut Rig, user: &str| {
        let mut request = Phone::new("mei").request("", "");
        request.headers.set(Field::To, format!("<sip:{user}@192.0.2.1>"));
        let response = rig.send(&request, Phone::new("mei").flow).response;
        let [challenge] = challenges(&response)[..] else { panic!() };
        if challenge.contains("algorithm=MD5") { Algorithm::Md5 } else { Algorithm::Sha256 }
    };
    let strangers: Vec<String> = (0..200).map(|n| format!("stranger{n}")).collect();
    assert!(strangers.iter().all(|user| asked(&mut rig, user) == Algorithm::Sha256), "nobody has MD5");

    rig.registrar.set_accounts(vec![account("mei", Algorithm::Md5), sha256("tom")]);
    assert_eq!((asked(&mut rig, "mei"), asked(&mut rig, "tom")), (Algorithm::Md5, Algorithm::Sha256));
    let first: Vec<_> = strangers.iter().map(|user| asked(&mut rig, user)).collect();
    let with_md5 = first.iter().filter(|algorithm| **algorithm == Algorithm::Md5).count();
    assert!((50..150).contains(&with_md5), "{with_md5} of 200: as often as those who are there");
    assert_eq!(first, strangers.iter().map(|user| asked(&mut rig, user)).collect::<Vec<_>>(), "always the same");

    let mut status = |user, algorithm| rig.register(&mut Phone { algorithm, ..Phone::new(user) }, CONTACT).response.status;
    assert_eq!((status("mei", Algorithm::Md5), status("tom", Algorithm::Sha256)), (200, 200));
    assert_eq!((status("mei", Algorithm::Sha256), status("tom", Algorithm::Md5)), (401, 401));
}

#[test]
fn a_request_that_was_heard_is_not_taken_again() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    let nonce = rig.nonce(&mut phone);
    let mut send = |count, phone: &mut Phone| {
        let authorization = phone.authorization(&nonce, count);
        let request = phone.request(CONTACT, &authorization);
        rig.send(&request, phone.flow)
    };
    assert_eq!(send(1, &mut phone).response.status, 200);
    let replayed = send(1, &mut phone);
    assert!(is_stale(&replayed.response) && replayed.bound.is_none() && replayed.wrong_try.is_none());
    assert_eq!(send(2, &mut phone).response.status, 200, "the same nonce, counted on");
    assert!(is_stale(&send(1, &mut phone).response));
}

#[test]
fn a_nonce_that_is_old_foreign_or_invented_is_stale_whatever_the_password() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    let nonce = rig.nonce(&mut phone);
    let mut moved = Phone { flow: flow(Transport::Udp, "192.0.2.99:5070"), ..phone.clone() };
    rig.now += NONCE_LIFE;
    for password in [PASSWORD, "wrong"] {
        let mut send = |phone: &mut Phone, nonce: &str| {
            phone.password = password;
            let authorization = phone.authorization(nonce, 1);
            let request = phone.request(CONTACT, &authorization);
            rig.send(&request, phone.flow)
        };
        assert!(is_stale(&send(&mut moved, &nonce).response), "somebody else's");
        let invented = send(&mut phone, "invented");
        assert!(is_stale(&invented.response) && invented.wrong_try.is_none(), "nothing was tried");
    }
    rig.now += 1;
    phone.password = PASSWORD;
    let authorization = phone.authorization(&nonce, 1);
    let request = phone.request(CONTACT, &authorization);
    assert!(is_stale(&rig.send(&request, phone.flow).response), "old");
    assert_eq!(rig.register(&mut phone, CONTACT).response.status, 200, "and so a new one is good");
}

#[test]
fn wrong_tries_are_held_up_the_right_password_too_and_no_other_phone() {
    let (mut rig, mut wrong) = (Rig::new(), Phone { password: "wrong", ..Phone::new("mei") });
    for _ in 0..5 {
        assert_eq!(rig.register(&mut wrong, CONTACT).response.status, 401);
    }
    for password in ["wrong", PASSWORD] {
        wrong.password = password;
        let held = rig.register(&mut wrong, CONTACT).response;
        assert_eq!((held.status, held.headers.retry_after()), (503, Some(60)));
    }
    let mut elsewhere = Phone { flow: flow(Transport::Udp, "198.51.100.3:5060"), ..Phone::new("mei") };
    assert_eq!(rig.register(&mut elsewhere, CONTACT).response.status, 200);
    rig.now += 60_000;
    assert_eq!(rig.register(&mut wrong, CONTACT).response.status, 200);
}

#[test]
fn credentials_are_for_one_realm_one_uri_and_the_own_address_of_record() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    let nonce = rig.nonce(&mut phone);
    let authorization = phone.authorization(&nonce, 1);
    for (from, to, status) in [
        ("realm=\"cordboard\"", "realm=\"other\"", 401),
        ("uri=\"sip:192.0.2.1\"", "uri=\"sip:192.0.2.2\"", 400),
        ("Digest ", "Basic ", 400),
        ("qop=auth", "qop=auth-int", 400),
    ] {
        let request = phone.request(CONTACT, &authorization.replace(from, to));
        let outcome = rig.send(&request, phone.flow);
        assert_eq!((outcome.response.status, outcome.wrong_try), (status, None), "{to}");
    }
    // A phone with several passwords sends them all.
    let both = format!("{}{authorization}", authorization.replace("realm=\"cordboard\"", "realm=\"other\""));
    let request = phone.request(CONTACT, &both);
    assert_eq!(rig.send(&request, phone.flow).response.status, 200);

    let mut tom = Phone::new("tom");
    let nonce = rig.nonce(&mut tom);
    let mut request = tom.request(CONTACT, &tom.clone().authorization(&nonce, 1));
    request.headers.set(Field::To, "<sip:mei@192.0.2.1>");
    assert_eq!(rig.send(&request, tom.flow).response.status, 403, "somebody else's bindings");
}

#[test]
fn the_time_is_the_contacts_own_or_the_headers_within_bounds() {
    for (headers, expected) in [
        ("Contact: <sip:mei@192.0.2.7:5070>;expires=300\r\nExpires: 600\r\n", Ok("300")),
        ("Contact: <sip:mei@192.0.2.7:5070>\r\nExpires: 60\r\n", Ok("60")),
        ("Contact: <sip:mei@192.0.2.7:5070>\r\n", Ok("3600")),
        ("Contact: <sip:mei@192.0.2.7:5070>;expires=99999\r\n", Ok("3600")),
        ("Contact: <sip:mei@192.0.2.7:5070>;expires=soon\r\n", Ok("3600")),
        ("Contact: <sip:mei@192.0.2.7:5070>\r\nExpires: soon\r\n", Ok("3600")),
        // Behind a NAT: not the address that it has here.
        ("Contact: <sip:mei@10.0.0.7:5070>;expires=600\r\n", Ok("120")),
        ("Contact: <sip:mei@192.0.2.7:5071>;expires=90\r\n", Ok("90")),
        ("Contact: <sip:mei@192.0.2.7:5070>;expires=59\r\n", Err("60")),
        ("Contact: <sip:mei@192.0.2.7:5070>\r\nExpires: 1\r\n", Err("60")),
    ] {
        let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
        let response = rig.register(&mut phone, headers).response;
        match expected {
            Ok(seconds) => assert_eq!((response.status, told(&response)[0].1.as_str()), (200, seconds), "{headers}"),
            Err(least) => {
                assert_eq!((response.status, response.headers.get(Field::MinExpires)), (423, Some(least)), "{headers}");
                assert!(rig.at("mei").is_empty());
            }
        }
    }
    let (mut rig, mut phone) = (Rig::new(), Phone { flow: flow(Transport::Tls, "192.0.2.7:43210"), ..Phone::new("mei") });
    let response = rig.register(&mut phone, "Contact: <sip:mei@10.0.0.7:5070;transport=tls>\r\n").response;
    assert_eq!(told(&response), vec![pair("sip:mei@10.0.0.7:5070;transport=tls", "3600")], "a connection stays open");
}

#[test]
fn several_contacts_the_newest_first_and_the_oldest_gives_way() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:1>, <sip:mei@192.0.2.7:2>\r\n");
    rig.now += 10_000;
    let response = rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:3>;expires=60\r\n").response;
    assert_eq!(
        told(&response),
        vec![pair("sip:mei@192.0.2.7:3", "60"), pair("sip:mei@192.0.2.7:2", "110"), pair("sip:mei@192.0.2.7:1", "110")]
    );
    let response = rig.register(&mut phone, "").response;
    assert_eq!((response.status, told(&response).len()), (200, 3), "a question");
    for port in 4..=6 {
        rig.register(&mut phone, &format!("Contact: <sip:mei@192.0.2.7:{port}>\r\n"));
    }
    assert_eq!(rig.at("mei"), [6, 5, 4, 3, 2].map(|port| format!("sip:mei@192.0.2.7:{port}")));
    assert!(rig.at("tom").is_empty());
}

#[test]
fn a_contact_that_comes_again_is_the_same_and_so_is_a_device() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:5070;ob>\r\n");
    rig.now += 1_000;
    rig.register(&mut phone, "Contact: \"Mei\" <sip:mei@192.0.2.7:5070>\r\n");
    assert_eq!(rig.at("mei"), vec!["sip:mei@192.0.2.7:5070"]);
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:5070;transport=tcp>\r\n");
    assert_eq!(rig.at("mei").len(), 2);
    let device = |port: u16, reg: u8| format!("Contact: <sip:mei@192.0.2.7:{port}>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg}\r\n");
    rig.register(&mut phone, &device(9, 1));
    rig.register(&mut phone, &device(10, 1));
    assert_eq!(rig.at("mei")[0], "sip:mei@192.0.2.7:10");
    assert_eq!(rig.at("mei").len(), 3, "a device that came back by another port");
    rig.register(&mut phone, &device(11, 2));
    assert_eq!(rig.at("mei").len(), 4, "the device's second way");
}

#[test]
fn contacts_are_removed_by_expires_0_one_or_all() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    let two = "Contact: <sip:mei@192.0.2.7:1>, <sip:mei@192.0.2.7:2>\r\n";
    rig.register(&mut phone, two);
    let outcome = rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:1>;expires=0\r\n");
    assert_eq!((outcome.response.status, rig.at("mei")), (200, vec!["sip:mei@192.0.2.7:2".to_owned()]));
    rig.register(&mut phone, two);
    for wrong in ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n", "Contact: *, <sip:mei@192.0.2.7:1>\r\nExpires: 0\r\n"] {
        assert_eq!(rig.register(&mut phone, wrong).response.status, 400, "{wrong}");
        assert_eq!(rig.at("mei").len(), 2);
    }
    let Outcome { response, bound, .. } = rig.register(&mut phone, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!((response.status, told(&response), bound), (200, vec![], Some(Bound { user: "mei".into(), bindings: vec![] })));
    assert!(!rig.registrar.is_near("192.0.2.7".parse().unwrap()));
    assert_eq!(rig.registrar.next_deadline(), None);
}

#[test]
fn an_older_request_of_the_same_call_changes_nothing() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    rig.register(&mut phone, CONTACT);
    let before = rig.at("mei");
    for headers in ["Contact: <sip:mei@192.0.2.8:1>, <sip:mei@192.0.2.7:5070>;expires=0\r\n", "Contact: *\r\nExpires: 0\r\n"] {
        phone.cseq = 0;
        assert_eq!(rig.register(&mut phone, headers).response.status, 500);
        assert_eq!(rig.at("mei"), before);
    }
    phone.call_id = "after a restart";
    phone.cseq = 0;
    assert_eq!(rig.register(&mut phone, "Contact: *\r\nExpires: 0\r\n").response.status, 200);
}

#[test]
fn a_registration_ends_with_its_time() {
    let (mut rig, mut phone) = (Rig::new(), Phone::new("mei"));
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:5070>;expires=60, <sip:mei@192.0.2.7:5071>;expires=90\r\n");
    assert_eq!(rig.registrar.next_deadline(), Some(61_000));
    assert_eq!(rig.registrar.tick(60_999), vec![]);
    let [bound] = &rig.registrar.tick(61_000)[..] else { panic!() };
    assert_eq!((bound.bindings.len(), rig.at("mei")), (1, vec!["sip:mei@192.0.2.7:5071".to_owned()]));
    assert_eq!(rig.registrar.tick(91_000).len(), 1);
    assert_eq!((rig.at("mei"), rig.registrar.next_deadline()), (vec![], None));
}

#[test]
fn what_came_by_a_connection_goes_with_it() {
    let (mut rig, tcp) = (Rig::new(), flow(Transport::Tcp, "192.0.2.7:40000"));
    let mut phone = Phone { flow: tcp, ..Phone::new("mei") };
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:5070;transport=tcp>\r\n");
    phone.flow = flow(Transport::Udp, "192.0.2.7:40000");
    rig.register(&mut phone, "Contact: <sip:mei@192.0.2.7:40000>\r\n");
    assert_eq!(rig.registrar.flow_failed(&phone.flow), vec![], "a datagram that was lost");
    assert_eq!(rig.registrar.flow_failed(&Flow { transport: Transport::Tls, ..tcp }), vec![]);
    assert_eq!(rig.registrar.flow_failed(&tcp).len(), 1);
    assert_eq!(rig.at("mei"), vec!["sip:mei@192.0.2.7:40000"]);
    assert!(rig.registrar.is_at(phone.flow.remote));
}

#[test]
fn an_account_that_is_gone_or_has_another_password_is_registered_no_more() {
    let mut rig = Rig::new();
    for user in ["mei", "tom"] {
        rig.register(&mut Phone::new(user), "Contact: <sip:x@192.0.2.7:5070>\r\n");
    }
    assert_eq!(rig.registrar.set_accounts(vec![sha256("mei"), sha256("tom")]), vec![]);
    let changed = Account { ha1: "other".into(), ..sha256("mei") };
    assert_eq!(rig.registrar.set_accounts(vec![changed, sha256("tom")]), vec![Bound { user: "mei".into(), bindings: vec![] }]);
    assert_eq!(rig.registrar.set_accounts(vec![]), vec![Bound { user: "tom".into(), bindings: vec![] }]);
    assert!(!rig.registrar.is_open());
}

proptest! {
    /// Whatever registers, goes and breaks: at most five contacts an account, each once, and the indexes say what the bindings say.
    #[test]
    fn the_indexes_agree_with_the_bindings(steps in prop::collection::vec((0_u8..7, 0_u16..8, 0_u8..2), 1..60)) {
        let mut rig = Rig::new();
        let mut phones = [Phone::new("mei"), Phone::new("tom")];
        for (what, port, who) in steps {
            let phone = &mut phones[usize::from(who)];
            let transport = if what % 2 == 0 { Transport::Udp } else { Transport::Tcp };
            phone.flow = flow(transport, &format!("192.0.2.7:{}", 6000 + port));
            match what {
                0..=2 => drop(rig.register(phone, &format!("Contact: <sip:a@192.0.2.7:{port}>;expires={}\r\n", 60 + u32::from(port) * 30))),
                3 => drop(rig.register(phone, &format!("Contact: <sip:a@192.0.2.7:{port}>;expires=0\r\n"))),
                4 => drop(rig.register(phone, "Contact: *\r\nExpires: 0\r\n")),
                5 => drop(rig.registrar.flow_failed(&phone.flow)),
                _ => {
                    rig.now += u64::from(port) * 30_000;
                    rig.registrar.tick(rig.now);
                }
            }
            let all = || rig.registrar.bindings.iter().flat_map(|(user, bindings)| bindings.iter().map(move |b| (user.clone(), b)));
            let expiries: BTreeSet<_> = all().map(|(user, b)| (b.expires_at, user)).collect();
            let sources: BTreeSet<_> = all().map(|(user, b)| (b.flow.remote, user)).collect();
            prop_assert_eq!((&expiries, &sources), (&rig.registrar.expiries, &rig.registrar.sources));
            for bindings in rig.registrar.bindings.values() {
                let contacts: BTreeSet<_> = bindings.iter().map(|b| b.contact.to_string()).collect();
                prop_assert!((1..=MOST_BINDINGS).contains(&bindings.len()) && contacts.len() == bindings.len());
            }
        }
    }
}
