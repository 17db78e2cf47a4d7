//! What a simulated customer says: recorded speech (see `assets/make-speech`), again and again.

/// Samples of one 20 ms packet at 8 kHz.
pub const FRAME: usize = 160;

/// Headerless µ-law, 8 kHz, one channel.
static CUSTOMER: &[u8] = include_bytes!("../../assets/customer.ulaw");

/// Speech that begins again when it is over.
pub struct Speech {
    rest: std::iter::Cycle<std::slice::Iter<'static, u8>>,
}

impl Speech {
    pub fn customer() -> Self {
        Self { rest: CUSTOMER.iter().cycle() }
    }

    pub fn frame(&mut self) -> [u8; FRAME] {
        let mut frame = [0; FRAME];
        for (sample, said) in frame.iter_mut().zip(&mut self.rest) {
            *sample = *said;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customer_speaks_on_after_the_last_sentence() {
        let mut speech = Speech::customer();
        let frames = CUSTOMER.len() / FRAME + 1;
        let said: Vec<u8> = (0..frames).flat_map(|_| speech.frame()).collect();
        assert_eq!(&said[..CUSTOMER.len()], CUSTOMER);
        assert_eq!(&said[CUSTOMER.len()..], &CUSTOMER[..said.len() - CUSTOMER.len()]);
    }
}
