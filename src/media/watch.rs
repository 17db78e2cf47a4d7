//! One watch over all RTP ports and the browsers' port: a task for each would cost more than its packets do, by its waking and by a second read that
//! finds nothing.

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::cell::RefCell;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// As many sockets are told of at once at most: in between, the clock and the commands have their turn.
const BATCH: usize = 64;

/// Whose socket it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The port pair with this even number.
    Port(u16, Channel),
    Browsers,
}

/// Which of its two sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    Rtp,
    Rtcp,
}

/// The sockets that are watched.
pub struct Watch {
    epoll: AsyncFd<Descriptor>,
    /// Whose socket a descriptor is. One that was closed stays here until its number is used again; nothing is told of it.
    owners: RefCell<Vec<Option<Owner>>>,
}

struct Descriptor(Epoll);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

impl Watch {
    /// Must run inside a tokio runtime.
    pub fn new() -> io::Result<Self> {
        let epoll = Descriptor(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        // SAFETY: the descriptor is one number for as long as its owner lives, which goes nowhere else.
        let epoll = unsafe { AsyncFd::register_with_interest(epoll, Interest::READABLE) };
        Ok(Self { epoll: epoll.map_err(io::Error::from)?, owners: RefCell::default() })
    }

    /// Watches a socket until it is closed.
    pub fn add(&self, socket: &UdpSocket, of: Owner) -> io::Result<()> {
        let key = u64::try_from(socket.as_raw_fd()).map_err(io::Error::other)?;
        self.epoll.get_ref().0.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, key))?;
        let at = usize::try_from(socket.as_raw_fd()).map_err(io::Error::other)?;
        let mut owners = self.owners.borrow_mut();
        if owners.len() <= at {
            owners.resize(at + 1, None);
        }
        if let Some(owner) = owners.get_mut(at) {
            *owner = Some(of);
        }
        Ok(())
    }

    /// Waits for sockets that have something to read. What is left in them is told the next time.
    pub async fn ready(&self) -> io::Result<Vec<Owner>> {
        let mut events = [EpollEvent::empty(); BATCH];
        loop {
            let mut readiness = self.epoll.readable().await?;
            let told = readiness.get_inner().0.wait(&mut events, EpollTimeout::ZERO)?;
            if told == 0 {
                readiness.clear_ready();
                continue;
            }
            readiness.retain_ready();
            let owners = self.owners.borrow();
            let of = |event: &EpollEvent| owners.get(usize::try_from(event.data()).ok()?).copied().flatten();
            return Ok(events.iter().take(told).filter_map(of).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    #[tokio::test]
    async fn each_socket_is_told_as_long_as_it_has_something_to_read_and_not_once_it_is_closed() {
        let watch = Watch::new().unwrap();
        let (one, other, sender) = (socket(), socket(), socket());
        watch.add(&one, Owner::Port(1, Channel::Rtp)).unwrap();
        watch.add(&other, Owner::Port(1, Channel::Rtcp)).unwrap();
        let send = |to: &UdpSocket| sender.send_to(b"x", to.local_addr().unwrap()).unwrap();
        let read = |from: &UdpSocket| from.recv(&mut [0; 8]).unwrap();
        send(&one);
        send(&one);
        send(&other);
        assert_eq!(watch.ready().await.unwrap(), [Owner::Port(1, Channel::Rtp), Owner::Port(1, Channel::Rtcp)]);
        read(&one);
        read(&other);
        assert_eq!(watch.ready().await.unwrap(), [Owner::Port(1, Channel::Rtp)], "a second datagram waits there");
        read(&one);
        drop(one);
        let third = socket();
        watch.add(&third, Owner::Browsers).unwrap();
        let (ready, ()) = tokio::join!(watch.ready(), async {
            send(&third);
        });
        assert_eq!(ready.unwrap(), [Owner::Browsers], "it has the closed one's number now");
    }
}
