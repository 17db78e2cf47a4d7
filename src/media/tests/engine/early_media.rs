//! What is heard of a call that is not answered yet: the far network's own tones and announcements (E5).

use crate::rig::*;
use cordboard_core::ids::PeerId;
use cordboard_media::{Law, RtpRemote, Source};

#[tokio::test]
async fn an_agent_hears_early_media_of_an_outgoing_call_and_the_answer_after_it() {
    let mut rig = Rig::start();
    let mut agent = rig.browser(PeerId(1), AGENT).await;
    let mut called = Trunk::open(&rig, CUSTOMER).await.use_law(Law::A);
    // 180: ringback of our own.
    rig.media.hear(AGENT, Source::Ringback);
    agent.ear.hears(425.0).await;
    // 183 with SDP: an announcement of the far network. It only sends for now.
    rig.media.set_remote(CUSTOMER, RtpRemote { send: false, ..called.remote(Law::A) });
    rig.media.hear(AGENT, Source::Leg(CUSTOMER));
    called.speaks(600.0);
    agent.ear.hears(600.0).await;
    assert!(called.ear.is_empty(), "a far side that takes nothing is sent nothing");
    // 200 with the same session, both ways now.
    rig.media.set_remote(CUSTOMER, called.remote(Law::A));
    rig.media.hear(CUSTOMER, Source::Leg(AGENT));
    agent.speaks(1000.0);
    called.ear.hears(1000.0).await;
    agent.ear.forget();
    agent.ear.hears(600.0).await;
}

#[tokio::test]
async fn an_answer_from_elsewhere_takes_over_from_the_early_media() {
    let mut rig = Rig::start();
    let mut agent = rig.browser(PeerId(1), AGENT).await;
    let mut gateway = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.hear(AGENT, Source::Leg(CUSTOMER));
    gateway.speaks(600.0);
    agent.ear.hears(600.0).await;
    // The call was forwarded: the 200's SDP has another address. The announcement has not stopped yet.
    let mut phone = Trunk::at(gateway.to).await;
    rig.media.set_remote(CUSTOMER, phone.remote(Law::Mu));
    // The engine has heard of it before the last packet of the gateway comes.
    assert!(rig.media.sizes().await.is_some());
    gateway.sends(0, 0, &tone(600.0, Law::Mu, 0)).await;
    phone.speaks(1400.0);
    agent.ear.hears(1400.0).await;
    agent.speaks(1000.0);
    rig.media.hear(CUSTOMER, Source::Leg(AGENT));
    phone.ear.hears(1000.0).await;
}
