//! How a path sounds: the E-model for G.711 (ITU-T G.107, with the loss robustness of G.113 appendix I).

/// R of an undisturbed narrow-band call with the default noise and loudness.
const BASE: f32 = 93.2;
/// Loss robustness of G.711 with packet loss concealment (G.113 table I.4).
const ROBUSTNESS: f32 = 25.1;
/// What packetising, a receiver's buffer and the sound devices add to the path, one way.
const FIXED_DELAY_MS: f32 = 40.0;
/// Delay above which talking to each other suffers.
const NOTICEABLE_DELAY_MS: f32 = 177.3;

/// Mean opinion score, 1.0 to 4.5, of random loss in percent, jitter and round trip.
pub fn mos(loss_percent: f32, jitter_ms: f32, round_trip_ms: f32) -> f32 {
    // A receiver holds packets back by about twice the jitter.
    let delay = round_trip_ms / 2.0 + 2.0 * jitter_ms + FIXED_DELAY_MS;
    let delay_impairment = 0.024 * delay + if delay > NOTICEABLE_DELAY_MS { 0.11 * (delay - NOTICEABLE_DELAY_MS) } else { 0.0 };
    let loss_impairment = 95.0 * loss_percent / (loss_percent + ROBUSTNESS);
    let r = (BASE - delay_impairment - loss_impairment).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7.0e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::mos;

    #[test]
    fn a_good_path_scores_over_4_and_everything_bad_lowers_it() {
        let best = mos(0.0, 0.0, 20.0);
        assert!((4.3..=4.45).contains(&best), "{best}");
        for worse in [mos(2.0, 0.0, 20.0), mos(0.0, 60.0, 20.0), mos(0.0, 0.0, 500.0)] {
            assert!(worse < best - 0.05, "{worse}");
        }
        assert!(mos(5.0, 0.0, 20.0) > 3.3);
        assert!(mos(20.0, 30.0, 300.0) < 2.3);
        assert!((mos(100.0, 1000.0, 9000.0) - 1.0).abs() < 0.01);
    }
}
