//! Errors mean what they say: pulls of many independent estimates of known lags, moduli and coherences.

use crate::common::front::pair_of_times;
use crate::common::lagged::{Lagged, Pulls, TWO_HERTZ, trials};
use eagleray::science::AveragedCrossSpectrum;
use eagleray::{CrossSpectrum, Norm, Session};

/// Segments averaged in an estimate.
const SEGMENTS: usize = 200;

fn spectrum(source: &Lagged, [subject, reference]: &[Vec<f64>; 2]) -> AveragedCrossSpectrum {
    let analysis = CrossSpectrum::default().dt(source.dt).segment_size(source.segment_size()).norm(Norm::None);
    Session::cpu().unwrap().run(&analysis, &pair_of_times(subject, reference, &source.gti(SEGMENTS))).unwrap()
}

/// Lags of 50 ms at the frequencies from 1.5 to 2.5 Hz, which are independent of each other: eight estimates a simulation.
/// EAGLERAY_TRIALS=2000 makes more of them than a usual run; docs/results/errors.md has what came of that.
#[test]
fn errors_are_the_scatter_of_the_estimates() {
    let source = &TWO_HERTZ;
    let (expected, band) = (source.expected(), source.band(1.5, 2.5));
    let mut observer = source.observer();
    let names =
        ["phase lag", "time lag", "modulus", "raw coherence", "intrinsic coherence", "real part", "imaginary part"];
    let mut pulls = names.map(|_| Pulls::default());
    for seed in 0..trials() / band.len() as u64 {
        let s = spectrum(source, &observer.observe(SEGMENTS, seed));
        for k in band.clone() {
            let (e, i) = (&expected[k], k - 1);
            let total = (e.source[0] + e.noise[0]) * (e.source[1] + e.noise[1]);
            let phase = e.cross.arg();
            let found = [
                (s.lag_phase[i], s.lag_phase_err[i], phase),
                (s.lag_time[i], s.lag_time_err[i], source.lag),
                (s.modulus()[i], s.power_err[i], e.cross.norm()),
                (s.coherence_raw[i], s.coherence_raw_err[i], e.cross.norm_sqr() / total),
                (s.coherence_intrinsic[i], s.coherence_intrinsic_err[i], source.coherence),
                (s.power_re[i], s.cross_err_re[i], e.cross.re),
                (s.power_im[i], s.cross_err_im[i], e.cross.im),
            ];
            for (pulls, (value, error, truth)) in pulls.iter_mut().zip(found) {
                pulls.add(value, error, truth);
            }
        }
    }
    for (pulls, name) in pulls.iter().zip(names) {
        pulls.check(name);
    }
}
