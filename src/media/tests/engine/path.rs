//! The quality of paths, and the reports that measure it.

use crate::rig::*;
use cordboard_core::ids::LegId;
use cordboard_media::{Law, MediaEvent, Quality};
use tokio::net::UdpSocket;

async fn quality(rig: &mut Rig, of: LegId, good: impl Fn(&Quality) -> bool) -> Quality {
    rig.event(|event| match event {
        MediaEvent::Quality { leg, quality } if *leg == of && good(quality) => Some(*quality),
        _ => None,
    })
    .await
}

/// D1.
#[tokio::test]
async fn the_quality_of_both_paths_is_told() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    for leg in [CUSTOMER, AGENT] {
        let quality = quality(&mut rig, leg, |quality| quality.mos > 4.0).await;
        assert!(quality.loss_percent < 5.0, "{leg} {quality:?}");
    }
    // The browser's receiver reports bring the round trip of its path.
    let measured = quality(&mut rig, AGENT, |quality| quality.round_trip_ms.is_some()).await;
    assert!(measured.round_trip_ms.unwrap() < 1000.0);
}

/// D1.
#[tokio::test]
async fn lost_packets_lower_the_quality() {
    let mut rig = Rig::start();
    let trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    let mut sequence = 0u32;
    let told = async {
        let mut clock = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            clock.tick().await;
            sequence += 1;
            if !sequence.is_multiple_of(4) {
                let datagram = rtp_datagram(0, sequence, sequence * 160, 5, &[0xFF; 160]);
                trunk.socket.send_to(&datagram, trunk.to).await.unwrap();
            }
        }
    };
    let quality = tokio::select! {
        quality = quality(&mut rig, CUSTOMER, |quality| quality.loss_percent > 20.0) => quality,
        () = told => unreachable!(),
    };
    assert!(quality.loss_percent < 30.0 && quality.mos < 2.8, "{quality:?}");
}

#[tokio::test]
async fn a_carrier_gets_reports_and_a_goodbye() {
    let rig = Rig::start();
    // An even port with a free odd one after it.
    let (rtp, rtcp) = loop {
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let next = rtp.local_addr().unwrap().port().checked_add(1);
        if let Some(next) = next
            && let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", next)).await
        {
            break (rtp, rtcp);
        }
    };
    let trunk = Trunk::open(&rig, CUSTOMER).await;
    let remote = cordboard_media::RtpRemote { addr: rtp.local_addr().unwrap(), ..trunk.remote(Law::Mu) };
    rig.media.set_remote(CUSTOMER, remote);
    let mut buffer = [0; 2048];
    let (length, from) = rtcp.recv_from(&mut buffer).await.unwrap();
    assert_eq!(from.port(), trunk.to.port() + 1);
    assert_eq!(buffer[1], 200, "a sender report");
    assert!(length >= 28 + 8);
    rig.media.close(CUSTOMER);
    loop {
        let (length, _) = rtcp.recv_from(&mut buffer).await.unwrap();
        // The last packet of the compound is the goodbye.
        if buffer[length - 7] == 203 {
            break;
        }
    }
}
