//! UDP in batches: one system call carries many datagrams, each with the moment at which the kernel took it in.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Datagrams a system call.
const BATCH: usize = 32;
/// Largest that is read: SIP messages here are well below.
const LARGEST: usize = 4096;
/// Bytes of an IPv4 address as the kernel has it: `sizeof(struct sockaddr_in)`.
const NAME: libc::socklen_t = 16;
/// What the kernel may keep while this side is busy.
const KERNEL_BUFFER: usize = 8 * 1024 * 1024;

pub struct Socket {
    socket: UdpSocket,
    pub local: SocketAddrV4,
    buffer: Vec<u8>,
    out: Vec<(SocketAddrV4, Vec<u8>)>,
    /// Datagrams that the kernel had no room for on the way out, and on the way in.
    unsent: u64,
    unread: u32,
}

impl Socket {
    pub fn bind(local: SocketAddrV4) -> io::Result<Self> {
        let socket = bind(local)?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        // As root beyond the system's limit, else up to it.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &KERNEL_BUFFER).or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BUFFER));
        let local = match socket.local_addr()? {
            std::net::SocketAddr::V4(local) => local,
            std::net::SocketAddr::V6(_) => local,
        };
        Ok(Self { socket, local, buffer: vec![0; BATCH * LARGEST], out: Vec::new(), unsent: 0, unread: 0 })
    }

    /// Datagrams that this side lost.
    pub fn dropped(&self) -> u64 {
        self.unsent + u64::from(self.unread)
    }

    /// Hands over what has come: the sender, the bytes, and the time since 1970.
    pub fn receive(&mut self, mut take: impl FnMut(SocketAddrV4, &[u8], Duration)) -> io::Result<()> {
        loop {
            let mut slices: Vec<[IoSliceMut<'_>; 1]> = self.buffer.chunks_mut(LARGEST).map(|piece| [IoSliceMut::new(piece)]).collect();
            // New ones each time: in those that were used the kernel noted how little room it needed.
            let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, Some(nix::cmsg_space!(TimeSpec, u32)));
            let received = match recvmmsg(self.socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
                Ok(received) => received,
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
                // An earlier datagram found nobody: signalling notices by itself.
                Err(Errno::ECONNREFUSED) => continue,
                Err(why) => return Err(why.into()),
            };
            let mut count = 0;
            for message in received {
                count += 1;
                let mut at = None;
                for cmsg in message.cmsgs().into_iter().flatten() {
                    match cmsg {
                        ControlMessageOwned::ScmTimestampns(time) => at = Some(Duration::from(time)),
                        // All since the socket was opened.
                        ControlMessageOwned::RxqOvfl(unread) => self.unread = unread,
                        _ => {}
                    }
                }
                if let (Some(from), Some(bytes)) = (message.address, message.iovs().next()) {
                    take(SocketAddrV4::from(from), bytes, at.unwrap_or_else(since_1970));
                }
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    pub fn queue(&mut self, to: SocketAddrV4, bytes: Vec<u8>) {
        self.out.push((to, bytes));
    }

    /// Sends what is queued. What the kernel has no room for is lost, as on any network.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut rest = self.out.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(why) => match why.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused => {}
                    io::ErrorKind::WouldBlock => {
                        self.unsent += 1;
                        rest = rest.get(1..).unwrap_or_default();
                    }
                    _ => return Err(why),
                },
            }
        }
        self.out.clear();
        Ok(())
    }
}

/// Sends the first of them, a batch at most; how many went out, one at least.
fn send(socket: &UdpSocket, datagrams: &[(SocketAddrV4, Vec<u8>)]) -> io::Result<usize> {
    let batch = datagrams.get(..BATCH).unwrap_or(datagrams);
    let mut names: Vec<SockaddrIn> = batch.iter().map(|(to, _)| SockaddrIn::from(*to)).collect();
    let mut parts: Vec<IoSlice<'_>> = batch.iter().map(|(_, bytes)| IoSlice::new(bytes)).collect();
    let header = |(name, part): (&mut SockaddrIn, &mut IoSlice<'_>)| {
        // SAFETY: a header of zeros is a valid one: no name, no data, no control messages.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = NAME;
        // IoSlice is an iovec by its documentation.
        header.msg_hdr.msg_iov = std::ptr::from_mut(part).cast();
        header.msg_hdr.msg_iovlen = 1;
        header
    };
    let mut headers: Vec<libc::mmsghdr> = names.iter_mut().zip(&mut parts).map(header).collect();
    let count = u32::try_from(headers.len()).unwrap_or(0);
    // SAFETY: `headers` holds `count` headers, whose names and parts live until the end of this function.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// RTP and RTCP ports that are open and that nobody reads: what comes goes no further, where a closed port would have the sender's machine answer each packet
/// (ICMP), which no telephone does.
pub fn unread_pair(rtp: SocketAddrV4) -> io::Result<[UdpSocket; 2]> {
    let unread = |port: u16| {
        let socket = bind(SocketAddrV4::new(*rtp.ip(), port))?;
        // The least that the kernel allows.
        setsockopt(&socket, sockopt::RcvBuf, &0)?;
        Ok::<_, io::Error>(socket)
    };
    Ok([unread(rtp.port())?, unread(rtp.port().saturating_add(1))?])
}

fn bind(local: SocketAddrV4) -> io::Result<UdpSocket> {
    UdpSocket::bind(local).map_err(|why| io::Error::new(why.kind(), format!("cannot listen on {local}: {why}")))
}

/// Waits until one of them has something, for so long at most.
pub fn wait_for(sockets: &[impl AsFd], at_most: Option<Duration>) -> io::Result<()> {
    if at_most.is_some_and(|time| time.is_zero()) {
        return Ok(());
    }
    let mut waited: Vec<PollFd<'_>> = sockets.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
    match ppoll(&mut waited, at_most.map(TimeSpec::from), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

/// The clock by which the kernel tells when datagrams came.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn any() -> Socket {
        Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap()
    }

    #[test]
    fn many_datagrams_arrive_in_order_with_their_moments() {
        let (mut here, mut there) = (any(), any());
        let before = since_1970();
        for n in 0..100u8 {
            here.queue(there.local, vec![n; 20]);
        }
        here.flush().unwrap();
        let mut got = Vec::new();
        there.receive(|from, bytes, at| got.push((from, bytes.to_vec(), at))).unwrap();
        assert_eq!(got.len(), 100);
        assert!((0..100).zip(&got).all(|(n, (from, bytes, _))| *from == here.local && *bytes == vec![n; 20]));
        assert!(got.iter().all(|(_, _, at)| (before..=since_1970()).contains(at)));
    }

    #[test]
    fn what_comes_while_the_queue_is_full_is_counted() {
        let (mut here, mut there) = (any(), any());
        setsockopt(&there.socket, sockopt::RcvBuf, &0).unwrap();
        let mut sent = 0;
        // The count comes with what is read after the loss.
        while there.dropped() == 0 && sent < 10_000 {
            for _ in 0..BATCH {
                here.queue(there.local, vec![0; 1000]);
            }
            here.flush().unwrap();
            sent += BATCH;
            there.receive(|_, _, _| ()).unwrap();
        }
        assert!(there.dropped() > 0 && here.dropped() == 0);
    }

    #[test]
    fn nobody_there_is_no_error() {
        let (mut here, gone) = (any(), any().local);
        for _ in 0..3 {
            here.queue(gone, vec![1]);
            here.flush().unwrap();
            here.receive(|_, _, _| panic!("nothing can come")).unwrap();
        }
    }
}
