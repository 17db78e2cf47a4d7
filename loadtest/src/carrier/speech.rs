//! What comes from a simulated customer's side: recorded speech (see `assets/make-speech`), or the network's ringing, again and again.

use crate::agents::tone;
use bytes::Bytes;

/// Samples of one 20 ms packet at 8 kHz.
pub const FRAME: usize = 160;

/// Headerless µ-law, 8 kHz, one channel.
static CUSTOMER: &[u8] = include_bytes!("../../assets/customer.ulaw");

/// Digital silence in µ-law.
const SILENCE: u8 = 0xff;
/// A second of ringing tone, four of silence (ITU-T E.180, as in most of Europe).
const RINGING: (u32, usize, usize) = (420, 50, 250);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sound {
    Speech,
    Ringing,
}

/// Sounds that begin again when they are over.
pub struct Speech {
    rest: std::iter::Cycle<std::slice::Iter<'static, u8>>,
    tone: Vec<Bytes>,
    ringing: usize,
}

impl Speech {
    pub fn customer() -> Self {
        Self { rest: CUSTOMER.iter().cycle(), tone: tone::frames(RINGING.0), ringing: 0 }
    }

    /// The next 20 ms.
    pub fn frame(&mut self, sound: Sound) -> [u8; FRAME] {
        let mut frame = [SILENCE; FRAME];
        match sound {
            Sound::Speech => fill(&mut frame, &mut self.rest),
            Sound::Ringing => {
                let (_, loud, turn) = RINGING;
                if let Some(tone) = self.tone.get(self.ringing % self.tone.len().max(1)).filter(|_| self.ringing < loud) {
                    fill(&mut frame, tone.iter());
                }
                self.ringing = (self.ringing + 1) % turn;
            }
        }
        frame
    }
}

fn fill<'a>(frame: &mut [u8; FRAME], from: impl Iterator<Item = &'a u8>) {
    for (sample, sounds) in frame.iter_mut().zip(from) {
        *sample = *sounds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customer_speaks_on_after_the_last_sentence() {
        let mut speech = Speech::customer();
        let frames = CUSTOMER.len() / FRAME + 1;
        let said: Vec<u8> = (0..frames).flat_map(|_| speech.frame(Sound::Speech)).collect();
        assert_eq!(&said[..CUSTOMER.len()], CUSTOMER);
        assert_eq!(&said[CUSTOMER.len()..], &CUSTOMER[..said.len() - CUSTOMER.len()]);
    }

    #[test]
    fn the_network_rings_for_one_second_in_five() {
        let mut speech = Speech::customer();
        let loud: Vec<bool> = (0..500).map(|_| tone::is_loud(&speech.frame(Sound::Ringing))).collect();
        assert_eq!(loud, [[true; 50].as_slice(), &[false; 200]].concat().repeat(2));
    }
}
