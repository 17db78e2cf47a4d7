//! Who hears several others at once: a conference (D5).

use crate::rig::*;
use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Law, MediaEvent, Source};

const CUSTOMER_SAYS: f64 = 600.0;
const AGENT_SAYS: f64 = 1000.0;
const THIRD_SAYS: f64 = 1400.0;
const ALL: [LegId; 3] = [CUSTOMER, AGENT, THIRD];

/// A customer, an agent's browser and a third party on an A-law trunk; all speak, and all hear the others.
async fn conference(rig: &mut Rig) -> (Trunk, Browser, Trunk) {
    let mut customer = rig.trunk(CUSTOMER, Law::Mu).await;
    let mut agent = rig.browser(PeerId(1), AGENT).await;
    let mut third = rig.trunk(THIRD, Law::A).await.use_law(Law::A);
    customer.speaks(CUSTOMER_SAYS);
    agent.speaks(AGENT_SAYS);
    third.speaks(THIRD_SAYS);
    rig.confer(&ALL);
    (customer, agent, third)
}

/// The share of a tone in a second of what an end hears.
async fn share(ear: &mut Ear, frequency: f64) -> f64 {
    let samples: Vec<f64> =
        ear.packets(50).await.iter().flat_map(|packet| &packet.payload).map(|byte| f64::from(ear.law.decode(*byte))).collect();
    share_of(&samples, frequency)
}

#[tokio::test]
async fn each_of_three_hears_the_other_two_and_not_themself() {
    let mut rig = Rig::start();
    let (mut customer, mut agent, mut third) = conference(&mut rig).await;
    customer.ear.hears_together(&[AGENT_SAYS, THIRD_SAYS]).await;
    agent.ear.hears_together(&[CUSTOMER_SAYS, THIRD_SAYS]).await;
    third.ear.hears_together(&[CUSTOMER_SAYS, AGENT_SAYS]).await;
    for (ear, own) in [(&mut customer.ear, CUSTOMER_SAYS), (&mut agent.ear, AGENT_SAYS), (&mut third.ear, THIRD_SAYS)] {
        let own = share(ear, own).await;
        assert!(own < 0.01, "{own}");
    }
}

#[tokio::test]
async fn who_leaves_the_conference_is_heard_no_more_and_the_two_others_are_relayed() {
    let mut rig = Rig::start();
    let (mut customer, mut agent, _third) = conference(&mut rig).await;
    customer.ear.hears_together(&[AGENT_SAYS, THIRD_SAYS]).await;
    rig.media.close(THIRD);
    rig.confer(&[CUSTOMER, AGENT]);
    customer.ear.hears(AGENT_SAYS).await;
    agent.ear.hears(CUSTOMER_SAYS).await;
    let sizes = rig.media.sizes().await.unwrap();
    assert_eq!((sizes.heard, sizes.mixed), (2, 0), "two need no mixer");
}

/// D9.
#[tokio::test]
async fn a_supervisor_whispers_to_the_agent_alone() {
    let mut rig = Rig::start();
    let (mut customer, mut agent, mut supervisor) = conference(&mut rig).await;
    rig.media.hear(CUSTOMER, Source::Leg(AGENT));
    customer.ear.hears(AGENT_SAYS).await;
    agent.ear.hears_together(&[CUSTOMER_SAYS, THIRD_SAYS]).await;
    supervisor.ear.hears_together(&[CUSTOMER_SAYS, AGENT_SAYS]).await;
    customer.ear.forget();
    let whispered = share(&mut customer.ear, THIRD_SAYS).await;
    assert!(whispered < 0.01, "the customer hears the supervisor: {whispered}");
}

#[tokio::test]
async fn numbers_never_break_between_leg_mix_music_and_silence() {
    let mut rig = Rig::start();
    let (mut customer, _agent, _third) = conference(&mut rig).await;
    let mut packets = customer.ear.packets(20).await;
    let mix = || Source::Mix([AGENT, THIRD].into());
    for source in [Source::Leg(AGENT), mix(), Source::Music("music".into()), mix(), Source::Silence, mix(), Source::Leg(THIRD)] {
        rig.media.hear(CUSTOMER, source);
        packets.extend(customer.ear.packets(15).await);
    }
    unbroken(&packets);
    assert!(packets.iter().all(|packet| packet.payload.len() == 160));
}

#[tokio::test]
async fn a_voice_that_stays_in_the_mix_is_not_interrupted_when_others_come_and_go() {
    let mut rig = Rig::start();
    let (mut customer, _agent, _third) = conference(&mut rig).await;
    // The customer alone hears a mix, so that its voices are its own.
    rig.media.hear(AGENT, Source::Silence);
    rig.media.hear(THIRD, Source::Silence);
    customer.ear.hears_together(&[AGENT_SAYS, THIRD_SAYS]).await;
    customer.ear.forget();
    let absent = LegId(0xABBA);
    let mut quietest = f64::MAX;
    for round in 0..20 {
        let other = if round % 2 == 0 { absent } else { THIRD };
        rig.media.hear(CUSTOMER, Source::Mix(vec![AGENT, other]));
        for packet in customer.ear.packets(5).await {
            quietest = quietest.min(packet.payload.iter().map(|byte| f64::from(Law::Mu.decode(*byte)).abs()).fold(0.0, f64::max));
        }
    }
    assert!(quietest > 5000.0, "the agent was torn: {quietest}");
}

#[tokio::test]
async fn a_prompt_is_heard_in_a_conference_and_gives_way_to_it() {
    let mut rig = Rig::start();
    rig.wav("notice.wav", 700.0);
    let (mut customer, mut agent, _third) = conference(&mut rig).await;
    rig.media.play(CUSTOMER, vec!["notice".into()], 1);
    customer.ear.hears(700.0).await;
    agent.ear.hears_together(&[CUSTOMER_SAYS, THIRD_SAYS]).await;
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 1 }).await;
    customer.ear.hears_together(&[AGENT_SAYS, THIRD_SAYS]).await;
}
