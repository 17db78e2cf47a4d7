//! What a scripted agent reads of the workstation's protocol. Written anew, so that it is a second reading of it.

use serde::Deserialize;

#[derive(Deserialize, Debug)]
pub struct FromSwitch {
    pub seq: u32,
    pub tell: Tell,
}

#[derive(Deserialize, Debug)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Tell {
    Snapshot {
        agent: Agent,
    },
    Agent(Agent),
    Offer {
        offer: Option<Offer>,
    },
    Session(Session),
    Queues {
        queues: Vec<Queue>,
    },
    Targets {
        groups: Vec<Group>,
    },
    PeerAnswer {
        sdp: String,
    },
    Peer {
        state: String,
    },
    Refused {
        code: String,
    },
    TakenOver,
    /// What needs no reaction.
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Debug)]
pub struct Agent {
    pub state: String,
    pub reason: Option<String>,
}

#[derive(Deserialize, Debug)]
pub struct Queue {
    /// The group's.
    pub name: String,
    pub waiting: u32,
}

#[derive(Deserialize, Debug)]
pub struct Offer {
    pub offer: String,
    /// The customer's number.
    pub caller: String,
    pub automatic: bool,
}

#[derive(Deserialize, Debug)]
pub struct Session {
    pub call: String,
    pub phase: Phase,
    /// The customer's number, masked but for its ends.
    pub caller: String,
    pub group: Option<String>,
    pub consult: Option<Consult>,
    pub service: Option<SelfService>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Consult {
    pub reached: String,
    pub customer_left: bool,
}

#[derive(Deserialize, Debug)]
pub struct SelfService {
    pub running: bool,
}

#[derive(Deserialize, Debug)]
pub struct Group {
    pub id: i32,
    pub name: String,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    Dialling,
    Ringing,
    Connecting,
    Talking,
    Reconnecting,
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Tell {
        serde_json::from_str::<FromSwitch>(text).unwrap().tell
    }

    #[test]
    fn what_matters_is_read_and_the_rest_is_passed_over() {
        let ringing =
            read(r#"{"seq":7,"tell":{"type":"offer","offer":{"offer":"a","call":"b","caller":"+44","automatic":true,"group":"Load"}}}"#);
        assert!(matches!(ringing, Tell::Offer { offer: Some(Offer { automatic: true, .. }) }));
        assert!(matches!(read(r#"{"seq":8,"tell":{"type":"offer","offer":null}}"#), Tell::Offer { offer: None }));
        let talking = read(
            r#"{"seq":9,"tell":{"type":"session","call":"b","phase":"talking","caller":"+44 •• 12","group":"Load","held":false,
                "consult":{"whom":"Second","reached":"up","side":"third","customerLeft":true},
                "service":{"flow":"Choice","step":"choose","keys":"","results":[],"running":true}}}"#,
        );
        let Tell::Session(Session { phase: Phase::Talking, consult: Some(consult), service: Some(service), .. }) = talking else {
            panic!()
        };
        assert_eq!((consult.reached.as_str(), consult.customer_left, service.running), ("up", true, true));
        assert!(
            matches!(read(r#"{"seq":0,"tell":{"type":"snapshot","now":1,"agent":{"state":"busy","reason":null,"since":1}}}"#), Tell::Snapshot { agent } if agent.state == "busy")
        );
        assert!(matches!(read(r#"{"seq":1,"tell":{"type":"quality","mos":4.4}}"#), Tell::Other));
    }
}
