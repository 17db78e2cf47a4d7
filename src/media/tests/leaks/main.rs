//! What must not leak; alone in its process, so that open files can be counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "helpers of tests"
)]

#[path = "../engine/rig.rs"]
#[allow(dead_code, reason = "shared with the other tests of the engine")]
mod rig;

use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Law, MediaEvent, Sizes, Source};
use rig::*;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until the engine has shrunk to what it was; closing takes a moment.
async fn shrinks_to(rig: &Rig, before: &Sizes, files: usize) {
    for _ in 0..2000 {
        if rig.media.sizes().await.as_ref() == Some(before) && open_files() <= files {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?} and {} files; before {before:?} and {files}", rig.media.sizes().await, open_files());
}

#[tokio::test]
async fn two_hundred_calls_and_twenty_browsers_leave_nothing_behind() {
    let mut rig = Rig::start();
    let trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    let _browser = rig.browser(PeerId(1), AGENT).await;
    let (before, files) = (rig.media.sizes().await.unwrap(), open_files());
    // The range has a hundred pairs of ports: they must come back.
    for round in 0..200u128 {
        let (customer, agent) = (LegId(1000 + round), LegId(5000 + round));
        rig.media.open_rtp(customer).unwrap();
        rig.media.set_remote(customer, trunk.remote(Law::Mu));
        rig.media.attach_peer(agent, PeerId(1));
        rig.told(MediaEvent::Attached { leg: agent }).await;
        rig.media.hear(customer, Source::Leg(agent));
        rig.media.hear(agent, Source::Leg(customer));
        for third in [LegId(1), LegId(2)] {
            rig.confer(&[customer, agent, third]);
        }
        rig.media.close(customer);
        rig.media.close(agent);
    }
    shrinks_to(&rig, &before, files).await;
    for round in 0..20u128 {
        let peer = PeerId(10 + round);
        let browser = rig.browser_alone(peer).await;
        rig.told(MediaEvent::PeerUp { peer }).await;
        rig.media.close_peer(peer);
        browser.leaves().await;
    }
    shrinks_to(&rig, &before, files).await;
}
