//! The little of STUN (RFC 8489) that the browser port needs: whose binding request is this, and is it really theirs?

use ring::hmac;

const MAGIC: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const HEADER_LEN: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const MESSAGE_INTEGRITY_LEN: usize = 20;

/// Whether a datagram is STUN rather than DTLS or SRTP on the same port (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&MAGIC)
}

/// A binding request with a user name and an integrity attribute, not yet proven.
#[derive(Debug)]
pub struct BindingRequest<'a> {
    /// The ICE user fragment of the receiving side: the part before the colon (RFC 8445 section 7.2.2).
    pub local_ufrag: &'a str,
    /// What the integrity covers: the bytes before it.
    covered: &'a [u8],
    integrity: &'a [u8],
}

impl<'a> BindingRequest<'a> {
    /// Reads a datagram; `None` when it is no binding request or lacks either attribute.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        if !is_stun(datagram) || read_u16(datagram, 0)? != BINDING_REQUEST {
            return None;
        }
        if usize::from(read_u16(datagram, 2)?) + HEADER_LEN != datagram.len() {
            return None;
        }
        let mut user = None;
        let mut offset = HEADER_LEN;
        while offset < datagram.len() {
            let kind = read_u16(datagram, offset)?;
            let length = usize::from(read_u16(datagram, offset + 2)?);
            let value = datagram.get(offset + 4..offset + 4 + length)?;
            if kind == MESSAGE_INTEGRITY {
                let local_ufrag = std::str::from_utf8(user?).ok()?.split(':').next()?;
                let integrity = Some(value).filter(|value| value.len() == MESSAGE_INTEGRITY_LEN)?;
                return Some(BindingRequest { local_ufrag, covered: datagram.get(..offset)?, integrity });
            }
            if kind == USERNAME {
                user = Some(value);
            }
            offset += 4 + length.next_multiple_of(4);
        }
        None
    }

    /// Whether the sender knows the ICE password (RFC 8489 section 14.5): HMAC-SHA1 over the message as if it ended with this attribute.
    pub fn proven_by(&self, password: &str) -> bool {
        let Some(length) = u16::try_from(self.covered.len() - HEADER_LEN + 4 + MESSAGE_INTEGRITY_LEN).ok() else { return false };
        let mut covered = self.covered.to_vec();
        if let Some(field) = covered.get_mut(2..4) {
            field.copy_from_slice(&length.to_be_bytes());
        }
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        hmac::verify(&key, &covered, self.integrity).is_ok()
    }
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A binding request as a browser sends it, signed with `password`.
    pub fn binding_request(user: &str, password: &str) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0];
        message.extend_from_slice(&MAGIC);
        message.extend_from_slice(&[7; 12]);
        message.extend_from_slice(&USERNAME.to_be_bytes());
        message.extend_from_slice(&u16::try_from(user.len()).unwrap().to_be_bytes());
        message.extend_from_slice(user.as_bytes());
        message.resize(message.len().next_multiple_of(4), 0);
        let length = u16::try_from(message.len() - HEADER_LEN + 24).unwrap();
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let tag = hmac::sign(&key, &message);
        message.extend_from_slice(&MESSAGE_INTEGRITY.to_be_bytes());
        message.extend_from_slice(&20u16.to_be_bytes());
        message.extend_from_slice(tag.as_ref());
        message
    }

    #[test]
    fn the_request_of_rfc_5769_is_proven_by_its_password() {
        // RFC 5769 section 2.1.
        let message: Vec<u8> = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
                                002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
                                000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let request = BindingRequest::parse(&message).unwrap();
        assert_eq!(request.local_ufrag, "evtj");
        assert!(request.proven_by("VOkJxbRl1RmTxUk/WvJxBt"));
        assert!(!request.proven_by("VOkJxbRl1RmTxUk/WvJxBu"));
    }

    #[test]
    fn a_changed_user_is_not_proven() {
        let mut message = binding_request("abcd:efgh", "secret");
        assert!(BindingRequest::parse(&message).unwrap().proven_by("secret"));
        message[24] = b'x';
        let request = BindingRequest::parse(&message).unwrap();
        assert_eq!(request.local_ufrag, "xbcd");
        assert!(!request.proven_by("secret"));
    }

    #[test]
    fn anything_else_is_no_request() {
        let good = binding_request("abcd:efgh", "secret");
        for end in 0..good.len() {
            assert!(BindingRequest::parse(&good[..end]).is_none(), "cut at {end}");
        }
        let mut response = good.clone();
        response[0] = 1;
        assert!(BindingRequest::parse(&response).is_none());
        assert!(is_stun(&response));
        assert!(!is_stun(&[0x80; 40]));
        assert!(!is_stun(&[22; 40]));
    }
}
