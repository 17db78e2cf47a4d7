#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::*;
use crate::config::Config;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sockets on ports of their own, and what they report.
async fn open(tls: Option<Tls>) -> (Sockets, UnboundedReceiver<NetEvent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let any = "127.0.0.1:0".parse().unwrap();
    let sockets = Sockets::bind(&[any], &[any], tls, None, move |event| drop(sender.send(event))).await.unwrap();
    (sockets, receiver)
}

/// TLS with a certificate of its own, kept in `folder`; it believes its own kind, or the public web alone.
fn tls(folder: &std::path::Path, believes_itself: bool) -> Tls {
    let mut config = Config::default();
    config.sip.tls = Some("127.0.0.1:0".parse().unwrap());
    let first = crate::tls::sip(&config, folder).unwrap().unwrap();
    config.sip.tls_trust = believes_itself.then(|| folder.join("tls/cert.pem"));
    if believes_itself { crate::tls::sip(&config, folder).unwrap().unwrap() } else { first }
}

async fn next(events: &mut UnboundedReceiver<NetEvent>) -> NetEvent {
    timeout(PATIENCE, events.recv()).await.unwrap().unwrap()
}

async fn received(events: &mut UnboundedReceiver<NetEvent>) -> (Flow, Vec<u8>) {
    match next(events).await {
        NetEvent::Received { flow, bytes } => (flow, bytes),
        NetEvent::Broken { flow } => panic!("{flow:?} broke"),
    }
}

fn options(n: u8) -> Vec<u8> {
    format!("OPTIONS sip:a SIP/2.0\r\nCall-ID: {n}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[actix_rt::test]
async fn messages_go_both_ways_on_one_connection_of_each_kind() {
    let folder = tempfile::tempdir().unwrap();
    for transport in [Transport::Tcp, Transport::Tls] {
        let (here, mut news) = open(Some(tls(folder.path(), true))).await;
        let (there, mut their_news) = open(Some(tls(folder.path(), true))).await;
        let flow = Flow { transport, local: here.local(transport).unwrap(), remote: there.local(transport).unwrap() };
        here.send(flow, options(1));
        here.send(flow, options(2));
        let (back, first) = received(&mut their_news).await;
        assert_eq!((back.transport, back.local, first), (transport, flow.remote, options(1)));
        assert_eq!(received(&mut their_news).await, (back, options(2)), "the same connection");
        there.send(back, options(3));
        assert_eq!(received(&mut news).await, (flow, options(3)));
    }
}

#[actix_rt::test]
async fn a_host_whose_certificate_nobody_vouches_for_gets_nothing() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (believes_itself, folder) in [(true, ours.path()), (false, ours.path())] {
        let (here, mut news) = open(Some(tls(folder, believes_itself))).await;
        let (there, mut their_news) = open(Some(tls(theirs.path(), true))).await;
        let flow =
            Flow { transport: Transport::Tls, local: here.local(Transport::Tls).unwrap(), remote: there.local(Transport::Tls).unwrap() };
        here.send(flow, options(1));
        assert!(matches!(next(&mut news).await, NetEvent::Broken { flow: broken } if broken == flow));
        assert!(matches!(next(&mut their_news).await, NetEvent::Broken { .. }), "nothing of it was heard");
    }
}

#[actix_rt::test]
async fn without_tls_there_is_no_such_flow() {
    let (here, mut news) = open(None).await;
    assert_eq!(here.local(Transport::Tls), None);
    let (there, _their_news) = open(None).await;
    let flow = Flow { transport: Transport::Tls, local: here.local(Transport::Tcp).unwrap(), remote: there.local(Transport::Tcp).unwrap() };
    here.send(flow, options(1));
    assert!(matches!(next(&mut news).await, NetEvent::Broken { flow: broken } if broken == flow));
}

/// A stranger may name any port for our answer, and send from any; the calls of others are not looked through for it.
#[actix_rt::test]
async fn an_answer_that_cannot_be_sent_is_no_news_and_a_request_is() {
    let (here, mut news) = open(None).await;
    let flow = Flow { transport: Transport::Udp, local: here.local(Transport::Udp).unwrap(), remote: "127.0.0.1:0".parse().unwrap() };
    let other = Flow { remote: "[::1]:5060".parse().unwrap(), ..flow };
    // A new socket cannot be written to before the runtime has looked at it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    here.send(flow, b"SIP/2.0 403 Forbidden\r\n\r\n".to_vec());
    here.send(other, options(1));
    here.flush();
    assert!(matches!(next(&mut news).await, NetEvent::Broken { flow: broken } if broken == other));
}

/// A host that is nobody to us yet, with a connection, and that connection's flow.
async fn stranger(here: &Sockets, news: &mut UnboundedReceiver<NetEvent>) -> (TcpStream, Flow) {
    let mut stream = TcpStream::connect(here.local(Transport::Tcp).unwrap()).await.unwrap();
    stream.write_all(&options(1)).await.unwrap();
    (stream, received(news).await.0)
}

/// C1.
#[actix_rt::test]
async fn a_stranger_that_nobody_comes_to_know_is_hung_up_on() {
    let (here, mut news) = open(None).await;
    let (mut first, stays) = stranger(&here, &mut news).await;
    let (mut second, goes) = stranger(&here, &mut news).await;
    here.trust(&stays);
    let pings = async {
        while second.write_all(b"\r\n\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (gone, ()) = tokio::join!(next(&mut news), pings);
    assert!(matches!(gone, NetEvent::Broken { flow } if flow == goes));
    here.send(stays, options(2));
    let mut heard = vec![0; options(2).len()];
    timeout(PATIENCE, first.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(heard, options(2));
}

/// C1.
#[actix_rt::test]
async fn strangers_of_one_host_have_a_share_of_the_connections() {
    let (here, mut news) = open(None).await;
    let mut held = Vec::new();
    for _ in 0..stream::MOST_OF_A_HOST {
        held.push(stranger(&here, &mut news).await);
    }
    let mut more = TcpStream::connect(here.local(Transport::Tcp).unwrap()).await.unwrap();
    assert!(matches!(timeout(PATIENCE, more.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)), "it is refused");
    let (first, flow) = &held[0];
    assert!(first.try_read(&mut [0]).is_err_and(|why| why.kind() == io::ErrorKind::WouldBlock), "it stays");
    here.trust(flow);
    stranger(&here, &mut news).await;
}

/// RFC 3261 §18.2.2 would have a new connection, to a port that a stranger chose.
#[actix_rt::test]
async fn no_connection_is_made_for_an_answer() {
    let (here, _news) = open(None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let flow = Flow { transport: Transport::Tcp, local: here.local(Transport::Tcp).unwrap(), remote: listener.local_addr().unwrap() };
    here.send(flow, b"SIP/2.0 403 Forbidden\r\n\r\n".to_vec());
    assert!(timeout(Duration::from_millis(200), listener.accept()).await.is_err());
    here.send(flow, options(1));
    timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
}

#[actix_rt::test]
async fn who_does_not_read_its_answers_is_hung_up_on() {
    const LARGE: usize = 256 * 1024;
    let (here, mut news) = open(None).await;
    let (mut deaf, flow) = stranger(&here, &mut news).await;
    here.trust(&flow);
    let mut sent = 0;
    while news.try_recv().is_err() {
        here.send(flow, vec![b'a'; LARGE]);
        sent += LARGE;
        tokio::task::yield_now().await;
    }
    let mut heard = 0;
    let mut buffer = vec![0; LARGE];
    while let Ok(length @ 1..) = timeout(PATIENCE, deaf.read(&mut buffer)).await.unwrap() {
        heard += length;
    }
    assert!(heard < sent / 2, "{heard} of {sent} bytes: what waited was not thrown away");
}
