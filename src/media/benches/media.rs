//! What one packet costs on its way through the engine, sockets and threads included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "helpers of tests"
)]

#[path = "../tests/engine/rig.rs"]
#[allow(dead_code, reason = "shared with the tests of the engine")]
mod rig;

use cordboard_core::ids::PeerId;
use cordboard_media::{Law, MediaEvent, Mixer, Source};
use criterion::{Criterion, criterion_group, criterion_main};
use rig::*;
use std::hint::black_box;
use std::time::Duration;

/// A packet that is not out by then was dropped.
const LOST: Duration = Duration::from_millis(50);

/// Sends one packet and waits until it comes out at the other end; silence that fills pauses is passed over. One that is lost is sent again.
async fn through(from: &Trunk, to: &mut Ear, timestamp: &mut u32) {
    loop {
        *timestamp = timestamp.wrapping_add(160);
        from.sends(0, *timestamp, &[0x31; 160]).await;
        let comes_out = async { while to.packet().await.payload[0] != 0x31 {} };
        if tokio::time::timeout(LOST, comes_out).await.is_ok() {
            return;
        }
    }
}

fn packets(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut rig, customer, mut agent) = runtime.block_on(async {
        let rig = Rig::start();
        let customer = rig.trunk(CUSTOMER, Law::Mu).await;
        let agent = rig.trunk(AGENT, Law::Mu).await;
        rig.media.hear(AGENT, Source::Leg(CUSTOMER));
        (rig, customer, agent)
    });
    let mut timestamp = 0;
    criterion.bench_function("an RTP packet from leg to leg", |bencher| {
        bencher.iter(|| runtime.block_on(through(&customer, &mut agent.ear, &mut timestamp)));
    });
    let mut browser = runtime.block_on(async {
        rig.media.close(AGENT);
        let browser = rig.browser_alone(PeerId(1)).await;
        rig.told(MediaEvent::PeerUp { peer: PeerId(1) }).await;
        rig.media.attach_peer(AGENT, PeerId(1));
        rig.media.hear(AGENT, Source::Leg(CUSTOMER));
        browser
    });
    criterion.bench_function("an RTP packet from leg to browser, decrypted", |bencher| {
        bencher.iter(|| runtime.block_on(through(&customer, &mut browser.ear, &mut timestamp)));
    });
    criterion.bench_function("20 ms from A-law to µ-law", |bencher| {
        bencher.iter(|| black_box(Law::A.convert(Law::Mu, black_box(&[0x55; 160]))).len());
    });
}

fn mixing(criterion: &mut Criterion) {
    let parties = [CUSTOMER, AGENT, THIRD];
    let mut mixer = Mixer::default();
    parties.into_iter().for_each(|leg| mixer.join(leg));
    let payloads = [600.0, 1000.0, 1400.0].map(|frequency| tone(frequency, Law::A, 0));
    let mut timestamp = 0u32;
    criterion.bench_function("20 ms of a conference of three, mixed for each", |bencher| {
        bencher.iter(|| {
            timestamp = timestamp.wrapping_add(160);
            for (leg, payload) in parties.iter().zip(&payloads) {
                mixer.take(*leg, 1, timestamp, Law::A, black_box(payload));
            }
            mixer.tick();
            for others in [[AGENT, THIRD], [CUSTOMER, THIRD], [CUSTOMER, AGENT]] {
                black_box(mixer.mix(&others, Law::Mu));
            }
        });
    });
}

criterion_group!(benches, packets, mixing);
criterion_main!(benches);
