//! From SIP's words to the switch's: how a leg failed.

use crate::endpoint::Why;
use crate::message::Response;
use cordboard_core::leg::Failure;

/// What a final response tells: its status, the Q.850 cause of its Reason header (RFC 3326), its phrase.
pub fn failure(response: &Response) -> Failure {
    Failure { status: response.status, q850: response.headers.q850(), text: response.reason.clone(), heard: true }
}

/// What the lack of a response tells.
pub fn no_answer(why: Why) -> Failure {
    match why {
        Why::Timeout => Failure { status: 408, q850: None, text: "no answer from the network".into(), heard: false },
        Why::Transport => Failure { status: 503, q850: None, text: "the connection to the network broke".into(), heard: false },
    }
}

/// A failure that this side found.
pub fn own(status: u16, text: &str) -> Failure {
    Failure { status, q850: None, text: text.into(), heard: false }
}

/// The Reason header for a Q.850 cause.
pub fn reason(q850: u8) -> String {
    format!("Q.850;cause={q850}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Field;

    #[test]
    fn a_refusal_keeps_its_status_and_the_cause_of_its_reason() {
        let mut response = Response::new(503);
        assert_eq!(failure(&response), Failure { status: 503, q850: None, text: "Service Unavailable".into(), heard: true });
        response.headers.push(Field::Reason, reason(34));
        assert_eq!(failure(&response).q850, Some(34));
        assert_eq!((no_answer(Why::Timeout).status, no_answer(Why::Transport).status), (408, 503));
    }
}
