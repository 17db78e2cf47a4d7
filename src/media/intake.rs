//! Datagrams that came to one socket, read together: what many send to would take a system call for each of them else.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams of one system call at most.
pub const BATCH: usize = 64;
/// Larger than any: DTLS flights, SRTP and RTP stay under the path MTU.
const DATAGRAM: usize = 2048;

/// Room for them, of one family of addresses: the headers keep the length of the senders' addresses.
pub struct Intake {
    headers: MultiHeaders<SockaddrStorage>,
    bytes: Vec<u8>,
}

impl Intake {
    pub fn new() -> Self {
        Intake { headers: MultiHeaders::preallocate(BATCH, None), bytes: vec![0; BATCH * DATAGRAM] }
    }

    /// Hands over what waits, up to [`BATCH`] or `most`; how many these were.
    pub fn read(&mut self, socket: &UdpSocket, most: usize, mut take: impl FnMut(SocketAddr, &[u8])) -> usize {
        let mut parts: Vec<_> = self.bytes.chunks_mut(DATAGRAM).take(most).map(|part| [IoSliceMut::new(part)]).collect();
        let received = match recvmmsg(socket.as_raw_fd(), &mut self.headers, parts.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(received) => received,
            Err(Errno::EAGAIN) => return 0,
            // An ICMP answer to something that was sent is not the port's end.
            Err(error) => {
                tracing::debug!(%error, "media port");
                return 0;
            }
        };
        let mut count = 0;
        for datagram in received {
            count += 1;
            if let (Some(from), Some(bytes)) = (datagram.address.as_ref().and_then(address), datagram.iovs().next()) {
                take(from, bytes);
            }
        }
        count
    }
}

fn address(name: &SockaddrStorage) -> Option<SocketAddr> {
    let four = name.as_sockaddr_in().map(|name| SocketAddr::V4((*name).into()));
    four.or_else(|| name.as_sockaddr_in6().map(|name| SocketAddr::V6((*name).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_handed_over_with_its_senders_in_batches_of_both_families() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let [socket, one, other] = [(); 3].map(|()| UdpSocket::bind(any).unwrap());
            let to = socket.local_addr().unwrap();
            let mut sent = Vec::new();
            for number in 1..=100u8 {
                let from = if number % 3 == 0 { &one } else { &other };
                from.send_to(&vec![number; usize::from(number)], to).unwrap();
                sent.push((from.local_addr().unwrap(), vec![number; usize::from(number)]));
            }
            let (mut intake, mut came) = (Intake::new(), Vec::new());
            for count in [BATCH, 2, 100 - BATCH - 2, 0] {
                let most = if count == 2 { 2 } else { BATCH };
                assert_eq!(intake.read(&socket, most, |from, bytes| came.push((from, bytes.to_vec()))), count);
            }
            assert_eq!(came, sent);
        }
    }
}
