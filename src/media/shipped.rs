//! The sounds that come with Cordboard: made by arithmetic, or spoken by espeak-ng (`sounds/make`).

use crate::sound::{self, Sound};
use crate::synth;
use std::collections::HashMap;
use std::sync::Arc;

macro_rules! spoken {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("sounds/", $name, ".wav")))),*]
    };
}

#[rustfmt::skip]
const SPOKEN: &[(&str, &[u8])] = spoken![
    "welcome" "please-hold" "no-agent" "queue-full" "you-are-number" "in-the-queue" "many-ahead"
    "please-rate" "order-number" "thank-you" "press-one"
    "number-1" "number-2" "number-3" "number-4" "number-5" "number-6" "number-7" "number-8" "number-9" "number-10"
    "number-11" "number-12" "number-13" "number-14" "number-15" "number-16" "number-17" "number-18" "number-19" "number-20"
    "number-30" "number-40" "number-50" "number-60" "number-70" "number-80" "number-90"
];

/// All of them by name.
pub fn sounds() -> HashMap<String, Arc<Sound>> {
    let made = [
        ("music", synth::music()),
        ("ringback", synth::ringback()),
        ("busy", synth::busy()),
        ("congestion", synth::congestion()),
        ("ding-dong", synth::ding_dong()),
    ];
    let made = made.into_iter().map(|(name, samples)| (name, Ok(Sound::new(&samples))));
    let spoken = SPOKEN.iter().map(|(name, wav)| (*name, sound::read(*wav)));
    let mut sounds = HashMap::new();
    for (name, sound) in made.chain(spoken) {
        match sound {
            Ok(sound) => drop(sounds.insert(name.to_owned(), Arc::new(sound))),
            Err(error) => tracing::error!(sound = name, %error, "a shipped sound cannot be played"),
        }
    }
    sounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_prompt_can_be_played_and_is_short() {
        let sounds = sounds();
        for (name, _) in SPOKEN {
            assert!((15..300).contains(&sounds[*name].frames()), "{name}: {} frames", sounds[*name].frames());
        }
    }

    #[test]
    fn every_position_can_be_said() {
        let sounds = sounds();
        for name in (1..=100).flat_map(cordboard_core::call::position_sounds) {
            assert!(sounds.contains_key(&name), "{name}");
        }
    }
}
