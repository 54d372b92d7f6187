//! Cross spectra of several observations averaged.

use super::cross::{AveragedCrossSpectrum, CrossBin, factors};
use super::cross_errors::{BinAverages, BinEstimates, BinsWorth, TimeLag};
use super::effective::EffectivePairs;
use super::power_join::{joined, other};
use crate::base::error::{Error, Result};
use crate::data::Record;

impl AveragedCrossSpectrum {
    /// The average of spectra of several observations, each with the weight of its segments: what one analysis of all of them would
    /// have made. Powers and cross powers are averaged, as raw ones where the norm divides by the mean rates; lags, coherences and
    /// errors are computed anew ([`cross_errors`](super::cross_errors)). Noise levels are averaged likewise.
    ///
    /// # Errors
    /// There is none; they differ in bins, segments, normalisation, or in which band holds the other; coherences are by Stingray's
    /// rules; or they have an input or times in common, so that photons would count twice.
    pub(crate) fn average_of(parts: &[AveragedCrossSpectrum]) -> Result<AveragedCrossSpectrum> {
        let Some((first, rest)) = parts.split_first() else {
            return Err(Error::argument("parts", 0, "there is none to average"));
        };
        rest.iter().try_for_each(|part| alike(first, part))?;
        let record = joined(&parts.iter().map(|part| &part.meta.record).collect::<Vec<&Record>>())?;
        let segments: u64 = parts.iter().map(|part| part.meta.segments).sum();
        let mean = |of: &dyn Fn(&AveragedCrossSpectrum) -> f64| {
            parts.iter().map(|part| of(part) * part.meta.segments as f64).sum::<f64>() / segments as f64
        };
        // Powers that were normalised by their own means are averaged as they are, others as raw ones.
        let own = !first.meta.use_common_mean && first.meta.norm.weight_exponent() > 0;
        let mut new = AveragedCrossSpectrum::empty(first.meta.clone());
        let meta = &mut new.meta;
        (meta.segments, meta.record) = (segments, record);
        (meta.mean1, meta.mean2) = (mean(&|part| part.meta.mean1), mean(&|part| part.meta.mean2));
        (meta.nphots1, meta.nphots2) = (mean(&|part| part.meta.nphots1), mean(&|part| part.meta.nphots2));
        (meta.countrate1, meta.countrate2) = (mean(&|part| part.meta.countrate1), mean(&|part| part.meta.countrate2));
        meta.background1 = mean(&|part| part.meta.background1);
        meta.background2 = mean(&|part| part.meta.background2);
        meta.variance1 = first.meta.variance1.map(|_| mean(&|part| part.meta.variance1.unwrap_or(0.0)));
        meta.variance2 = first.meta.variance2.map(|_| mean(&|part| part.meta.variance2.unwrap_or(0.0)));
        let weights = |part: &AveragedCrossSpectrum| {
            let of_noise = part.meta.levels().map(|level| level.variance.unwrap_or(level.mean.max(0.0)));
            // With means of their own, segments weigh as their noise.
            let of_one = if own { [part.meta.noise1_mean, part.meta.noise2_mean] } else { of_noise };
            let m = part.meta.segments;
            (part.meta.effective.or_equal(m), of_one.map(|of_one| of_one * m as f64))
        };
        meta.effective = EffectivePairs::together(&parts.iter().map(weights).collect::<Vec<_>>(), segments);
        let mut worth = BinsWorth::new(&meta.effective, segments);
        meta.skipped_segments = parts.iter().map(|part| part.meta.skipped_segments).sum();
        meta.exposure = parts.iter().map(|part| part.meta.exposure).sum();
        let of = |spectrum: &AveragedCrossSpectrum| match own {
            true => [1.0; 3],
            false => factors(spectrum.meta.norm, &spectrum.meta.levels()),
        };
        let (each, whole): (Vec<[f64; 3]>, [f64; 3]) = (parts.iter().map(of).collect(), of(&new));
        let weight = |part: &AveragedCrossSpectrum| part.meta.segments as f64 / segments as f64;
        for i in 0..first.len() {
            let value = |column: fn(&AveragedCrossSpectrum) -> &[f64], which: usize| {
                let one = |(part, factor): (&AveragedCrossSpectrum, &[f64; 3])| {
                    column(part)[i] / factor[which] * weight(part) * whole[which]
                };
                parts.iter().zip(&each).map(one).sum::<f64>()
            };
            let averages = BinAverages {
                power: [value(|s| &s.power1, 0), value(|s| &s.power2, 1)],
                noise: [value(|s| &s.noise1, 0), value(|s| &s.noise2, 1)],
                cross: [value(|s| &s.power_re, 2), value(|s| &s.power_im, 2)],
            };
            let values: u64 = parts.iter().map(|part| part.m[i]).sum();
            let freq = first.freq[i];
            let derived = BinEstimates::new(&averages, worth.of(values / segments));
            let time_lag = |(part, factor): (&AveragedCrossSpectrum, &[f64; 3])| {
                let scale = weight(part) / factor[2];
                let of = TimeLag::known(part.lag_time[i], part.lag_time_err[i], part.lag_phase_err[i], freq);
                ([part.power_re[i] * scale, part.power_im[i] * scale], of)
            };
            let time_lag = match values == segments {
                true => TimeLag::at(freq, derived.lag_phase),
                false => {
                    let of_parts = parts.iter().zip(&each).map(time_lag).collect::<Vec<_>>();
                    TimeLag::together(&of_parts, freq, derived.lag_phase)
                }
            };
            new.push(&CrossBin {
                freq,
                width: first.width[i],
                values,
                averages,
                raw: [mean(&|part| part.unnorm_power_re[i]), mean(&|part| part.unnorm_power_im[i])],
                derived,
                time_lag,
            });
        }
        let level = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        (new.meta.noise1_mean, new.meta.noise2_mean) = (level(&new.noise1), level(&new.noise2));
        Ok(new)
    }
}

/// Refuses spectra whose bins are not those of another.
fn alike(first: &AveragedCrossSpectrum, part: &AveragedCrossSpectrum) -> Result<()> {
    let (a, b) = (&first.meta, &part.meta);
    let inside = [a, b].map(|meta| (meta.subject_inside_reference, meta.reference_inside_subject));
    for meta in [a, b] {
        if meta.record.options["compat_stingray"] == true {
            let message = "has coherences and errors by Stingray's rules, which need raw sums";
            return Err(Error::argument("parts", super::power_join::name(&meta.record), message));
        }
    }
    let differs: [(&str, bool, String, String); 7] = [
        ("number of bins", a.n != b.n, a.n.to_string(), b.n.to_string()),
        ("bin width, s,", a.dt != b.dt || a.segment_size != b.segment_size, a.dt.to_string(), b.dt.to_string()),
        ("normalisation", a.norm != b.norm, a.norm.to_string(), b.norm.to_string()),
        (
            "`use_common_mean`",
            a.use_common_mean != b.use_common_mean,
            a.use_common_mean.to_string(),
            b.use_common_mean.to_string(),
        ),
        ("distribution of errors", a.err_dist != b.err_dist, a.err_dist.clone(), b.err_dist.clone()),
        ("band that holds the other", inside[0] != inside[1], format!("{:?}", inside[0]), format!("{:?}", inside[1])),
        (
            "number of frequencies, or where they are,",
            first.freq != part.freq || first.width != part.width,
            first.len().to_string(),
            part.len().to_string(),
        ),
    ];
    match differs.into_iter().find(|(_, differs, ..)| *differs) {
        Some((what, _, ours, theirs)) => Err(other(&b.record, what, &ours, &theirs)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sums::{SeriesSums, Sums, WeightSums};
    use crate::data::InputRecord;
    use crate::science::context::SpectrumContext;
    use crate::science::cross::CrossOptions;
    use crate::science::cross_of_sums::CrossContext;
    use crate::science::{Norm, Rebin};

    /// Powers of the reference and the subject, and both parts of their cross power.
    fn sums(seed: u32, segments: u64, photons: [u64; 2]) -> Sums {
        let size = 11;
        let value = |i: u32| f64::from(100 + (seed * 31 + i * i * 17) % 53) * segments as f64;
        let part = |i: u32| f64::from((seed * 7 + i * i * 13) % 41) * segments as f64;
        let power = (0..2 * size).map(value).chain((0..2 * size).map(part)).collect();
        let series = photons.map(|photons| SeriesSums { photons, ..SeriesSums::default() }).to_vec();
        let mut sums = Sums { power, segments, series, ..Sums::default() };
        let [reference, subject] = photons.map(|photons| photons as f64 / segments as f64);
        let weights = [subject, reference, (subject * reference).sqrt()].map(WeightSums::of);
        (0..segments).for_each(|_| sums.add_weights(&weights));
        sums
    }

    fn spectrum(sums: &Sums, options: &CrossOptions, which: f64) -> AveragedCrossSpectrum {
        let input = InputRecord { name: format!("{which}.evt"), ..InputRecord::default() };
        let record =
            Record { gti: vec![[1000.0 * which, 1000.0 * which + 900.0]], inputs: vec![input], ..Record::default() };
        let spectrum = SpectrumContext { n: 24, dt: 4.0 / 24.0, segment_size: 4.0, compat_stingray: false, record };
        let context = CrossContext { spectrum, inside: false, flux: None };
        AveragedCrossSpectrum::new(sums, options, context).unwrap()
    }

    #[test]
    fn an_average_is_that_of_one_analysis_of_all() {
        let (one, two) = (sums(1, 20, [2000, 900]), sums(2, 50, [9000, 4000]));
        let both = one.clone().add(two.clone());
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            for rebin in [Rebin::None, Rebin::Linear(3)] {
                let options = CrossOptions { norm, rebin, ..CrossOptions::default() };
                let parts = [spectrum(&one, &options, 1.0), spectrum(&two, &options, 2.0)];
                let (got, expected) =
                    (AveragedCrossSpectrum::average_of(&parts).unwrap(), spectrum(&both, &options, 1.0));
                // How uneven powers are inside a bin is known of each part alone.
                let err = if rebin == Rebin::None { 1e-11 } else { 0.03 };
                for (a, b, bound) in [
                    (&got.power1, &expected.power1, 1e-11),
                    (&got.power2, &expected.power2, 1e-11),
                    (&got.power_re, &expected.power_re, 1e-11),
                    (&got.power_err, &expected.power_err, err),
                    (&got.noise1, &expected.noise1, 1e-11),
                    (&got.lag_phase, &expected.lag_phase, 1e-11),
                    (&got.coherence_raw, &expected.coherence_raw, 1e-11),
                    (&got.unnorm_power_im, &expected.unnorm_power_im, 1e-11),
                ] {
                    for (a, b) in a.iter().zip(b) {
                        let same = (a - b).abs() <= bound * b.abs().max(1e-3) || (a.is_nan() && b.is_nan());
                        assert!(same, "{norm}: {a} {b}");
                    }
                }
                assert_eq!((got.m, got.meta.segments), (expected.m, 70));
                assert_eq!(got.meta.record.inputs.len(), 2);
            }
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let options = CrossOptions::default();
        let first = spectrum(&sums(1, 20, [2000, 900]), &options, 1.0);
        let refuse = |other: AveragedCrossSpectrum, said: &str| {
            let found = AveragedCrossSpectrum::average_of(&[first.clone(), other]).unwrap_err().to_string();
            assert!(found.contains(said), "{found}");
        };
        let second = || spectrum(&sums(2, 5, [500, 300]), &options, 2.0);
        refuse(first.clone(), "1.evt: is in two of the products");
        let mut inside = second();
        inside.meta.subject_inside_reference = true;
        refuse(inside, "its band that holds the other is (true, false)");
        let other = CrossOptions { norm: Norm::Frac, ..CrossOptions::default() };
        refuse(spectrum(&sums(2, 5, [500, 300]), &other, 2.0), "its normalisation is frac, that of the first leahy");
        let mut compat = second();
        compat.meta.record.options = serde_json::json!({ "compat_stingray": true });
        refuse(compat, "2.evt: has coherences and errors by Stingray's rules");
        assert!(AveragedCrossSpectrum::average_of(&[]).is_err());
    }
}
