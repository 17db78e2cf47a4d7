//! A browser with a socket of its own.

use super::{AnswerError, Browser, Identity};
use crate::sockets::Socket;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Instant;

pub struct Line {
    pub socket: Socket,
    pub browser: Browser,
}

impl Line {
    /// On any port of that address.
    pub fn open(identity: &Arc<Identity>, host: Ipv4Addr) -> io::Result<Self> {
        let socket = Socket::bind(SocketAddrV4::new(host, 0))?;
        let browser = Browser::new(identity, socket.local);
        Ok(Self { socket, browser })
    }

    pub fn answered(&mut self, sdp: &str) -> Result<(), AnswerError> {
        self.browser.answered(sdp, Instant::now())
    }

    /// Takes what has come and sends what is due; audio is not listened to.
    pub fn work(&mut self) -> io::Result<()> {
        let Self { socket, browser } = self;
        let now = Instant::now();
        socket.receive(|_, datagram, _| drop(browser.receive(datagram, now)))?;
        if let Some(remote) = browser.remote() {
            browser.due(now).into_iter().for_each(|datagram| socket.queue(remote, datagram));
        }
        socket.flush()
    }
}
