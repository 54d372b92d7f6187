//! Power spectra of several observations averaged.

use std::fmt::Display;

use super::effective::EffectiveSegments;
use super::power::{AveragedPowerSpectrum, PowerMetadata, PowerScale};
use crate::base::error::{Error, Result};
use crate::base::time::DoubleDouble;
use crate::data::{Gti, Record};

impl AveragedPowerSpectrum {
    /// The average of spectra of several observations, each with the weight of its segments: what one analysis of all of them would
    /// have made. Noise levels are averaged likewise; of Poisson's the average is Poisson's of the mean rate.
    ///
    /// # Errors
    /// There is none; they differ in bins, segments, normalisation, or in whether noise was subtracted; or they have an input or
    /// times in common, so that photons would count twice.
    pub(crate) fn average_of(parts: &[AveragedPowerSpectrum]) -> Result<AveragedPowerSpectrum> {
        let Some((first, rest)) = parts.split_first() else {
            return Err(Error::argument("parts", 0, "there is none to average"));
        };
        rest.iter().try_for_each(|part| alike(first, part))?;
        let records: Vec<&Record> = parts.iter().map(|part| &part.meta.record).collect();
        let record = joined(&records)?;
        let segments: u64 = parts.iter().map(|part| part.meta.segments).sum();
        let mean = |of: &dyn Fn(&AveragedPowerSpectrum) -> f64| {
            parts.iter().map(|part| of(part) * part.meta.segments as f64).sum::<f64>() / segments as f64
        };
        // Powers that were normalised by their own means are averaged as they are, others as raw ones.
        let own = !first.meta.use_common_mean && first.meta.norm.weight_exponent() > 0;
        let mut new = first.without_bins();
        let meta = &mut new.meta;
        (meta.segments, meta.record) = (segments, record);
        (meta.mean, meta.nphots) = (mean(&|part| part.meta.mean), mean(&|part| part.meta.nphots));
        meta.background = mean(&|part| part.meta.background);
        meta.variance = first.meta.variance.map(|_| mean(&|part| part.meta.variance.unwrap_or(0.0)));
        meta.skipped_segments = parts.iter().map(|part| part.meta.skipped_segments).sum();
        meta.exposure = parts.iter().map(|part| part.meta.exposure).sum();
        (meta.rms, meta.pulsation, meta.interval_confidence) = (None, None, None);
        if rest.iter().any(|part| part.meta.dead_time != first.meta.dead_time) {
            meta.dead_time = None;
        }
        let weights =
            |part: &AveragedPowerSpectrum| (part.meta.effective.or_equal(part.meta.segments), part.meta.weight());
        meta.effective = EffectiveSegments::together(&parts.iter().map(weights).collect::<Vec<_>>(), segments);
        meta.own_noise_mean = first.meta.own_noise_mean.map(|_| mean(&|part| part.meta.own_noise_mean.unwrap_or(0.0)));
        meta.scale = PowerScale::of(meta);
        let m_eff = meta.effective.m_eff;
        let factor = |of: &AveragedPowerSpectrum| if own { 1.0 } else { of.meta.norm.factor(&of.meta.level()) };
        let whole = if own { 1.0 } else { meta.norm.factor(&meta.level()) };
        let subtracted = meta.noise_subtracted;
        for i in 0..first.len() {
            let of = |value: &dyn Fn(&AveragedPowerSpectrum) -> f64| mean(&|part| value(part) / factor(part)) * whole;
            let (total, noise) = (of(&|part| part.total_power(i)), of(&|part| part.noise[i]));
            let values: u64 = parts.iter().map(|part| part.m[i]).sum();
            new.freq.push(first.freq[i]);
            new.width.push(first.width[i]);
            new.power.push(if subtracted { total - noise } else { total });
            // What powers that differ inside a bin add to its error.
            let uneven = mean(&|part| part.unevenness(i));
            new.power_err.push(total / (m_eff * new.frequencies_of(values)).sqrt() * uneven.sqrt());
            new.unnorm_power.push(mean(&|part| part.unnorm_power[i]));
            new.noise.push(noise);
            // Levels that were fitted apart have errors of their own.
            let error = |part: &AveragedPowerSpectrum| part.noise_err[i] / factor(part) * part.meta.segments as f64;
            let square: f64 = parts.iter().map(|part| error(part).powi(2)).sum();
            new.noise_err.push(square.sqrt() / segments as f64 * whole);
            new.m.push(values);
        }
        let level = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        (new.meta.noise_mean, new.meta.noise_mean_err) = (level(&new.noise), level(&new.noise_err));
        Ok(new)
    }
}

impl PowerMetadata {
    /// Sum of the weights of all segments, in a unit that is the same for all spectra of one normalisation.
    fn weight(&self) -> f64 {
        let own_means = !self.use_common_mean && self.norm.weight_exponent() > 0;
        let of_one = match (self.own_noise_mean, self.variance) {
            (Some(level), _) => level,
            _ if own_means => 1.0,
            (None, Some(variance)) => variance,
            (None, None) => self.mean.max(0.0),
        };
        of_one * self.segments as f64
    }
}

impl AveragedPowerSpectrum {
    /// `K·ΣP²/(ΣP)²` of the K original frequencies of a bin: 1 where they are the same.
    pub(super) fn unevenness(&self, i: usize) -> f64 {
        let values = self.meta.effective.or_equal(self.meta.segments).m_eff * self.frequencies_of(self.m[i]);
        (self.power_err[i] / self.total_power(i)).powi(2) * values
    }
}

/// Refuses spectra whose bins are not those of another.
fn alike(first: &AveragedPowerSpectrum, part: &AveragedPowerSpectrum) -> Result<()> {
    let (a, b) = (&first.meta, &part.meta);
    let fail = |what: &str, a: &dyn Display, b: &dyn Display| Err(other(&part.meta.record, what, a, b));
    if a.n != b.n {
        return fail("number of bins", &a.n, &b.n);
    }
    if a.dt != b.dt || a.segment_size != b.segment_size {
        return fail("bin width, s,", &a.dt, &b.dt);
    }
    if a.norm != b.norm {
        return fail("normalisation", &a.norm, &b.norm);
    }
    if a.use_common_mean != b.use_common_mean {
        return fail("`use_common_mean`", &a.use_common_mean, &b.use_common_mean);
    }
    if a.noise_subtracted != b.noise_subtracted {
        return fail("`noise_subtracted`", &a.noise_subtracted, &b.noise_subtracted);
    }
    if a.err_dist != b.err_dist {
        return fail("distribution of errors", &a.err_dist, &b.err_dist);
    }
    if first.freq != part.freq || first.width != part.width {
        return fail("number of frequencies, or where they are,", &first.len(), &part.len());
    }
    Ok(())
}

/// The error for a product that differs from the first.
pub(super) fn other(record: &Record, what: &str, first: &dyn Display, its: &dyn Display) -> Error {
    Error::argument("parts", name(record), format!("its {what} is {its}, that of the first {first}"))
}

/// The name of the first input of a product.
pub(super) fn name(record: &Record) -> String {
    record.first_input()
}

/// The record of products together.
///
/// # Errors
/// They have an input or times in common.
pub(crate) fn joined(records: &[&Record]) -> Result<Record> {
    let mut all = records.first().map(|first| (*first).clone()).unwrap_or_default();
    // In the frame of the first, where both have one.
    let epoch = all.mjdref;
    let time = |record: &Record| {
        let shift = epoch.zip(record.mjdref).map_or(DoubleDouble::ZERO, |(ours, theirs)| ours.seconds_to(theirs));
        let moved = |t: f64| DoubleDouble::from(t) + shift;
        Gti::from_sorted(&record.gti.iter().map(|[a, b]| (moved(*a), moved(*b))).collect::<Vec<_>>())
    };
    all.options = serde_json::json!({ "join": [all.options] });
    for (number, record) in records.iter().enumerate().skip(1) {
        for before in records.iter().take(number) {
            if let Some(twice) = record.inputs.iter().find(|input| before.inputs.contains(input)) {
                return Err(Error::argument(
                    "parts",
                    &twice.name,
                    "is in two of the products, so photons would count twice",
                ));
            }
            let known = record.mjdref.is_some() == before.mjdref.is_some();
            if known && !time(record).intersect(&time(before)).intervals().is_empty() {
                let message =
                    format!("has times in common with {}: products of one time are not averaged", name(before));
                return Err(Error::argument("parts", name(record), message));
            }
        }
        all.gti.extend(time(record).intervals().iter().map(|(a, b)| [a.value(), b.value()]));
        all.barycentred &= record.barycentred;
        all.inputs.extend(record.inputs.iter().cloned());
        all.photons.add(&record.photons);
        all.warnings.extend(record.warnings.clone());
        if let Some(list) = all.options["join"].as_array_mut() {
            list.push(record.options.clone());
        }
        for (own, other) in [
            (&mut all.telescop, &record.telescop),
            (&mut all.instrume, &record.instrume),
            (&mut all.object, &record.object),
            (&mut all.timesys, &record.timesys),
            (&mut all.timeref, &record.timeref),
            (&mut all.device.backend, &record.device.backend),
            (&mut all.device.adapter, &record.device.adapter),
            (&mut all.device.precision, &record.device.precision),
        ] {
            if !own.split(" + ").any(|name| name == other) {
                *own = format!("{own} + {other}");
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sums::{SeriesSums, Sums, WeightSums};
    use crate::data::InputRecord;
    use crate::science::context::SpectrumContext;
    use crate::science::power::PowerOptions;
    use crate::science::{Norm, Rebin};

    fn sums(seed: u32, segments: u64, photons: u64) -> Sums {
        let power = (0..11).map(|i| f64::from(100 + (seed * 31 + i * i * 17) % 53) * segments as f64).collect();
        let mut sums =
            Sums { power, segments, series: vec![SeriesSums { photons, ..SeriesSums::default() }], ..Sums::default() };
        (0..segments).for_each(|_| sums.add_weights(&[WeightSums::of(photons as f64 / segments as f64)]));
        sums
    }

    fn spectrum(sums: &Sums, options: &PowerOptions, which: f64) -> AveragedPowerSpectrum {
        let input = InputRecord { name: format!("{which}.evt"), ..InputRecord::default() };
        let record =
            Record { gti: vec![[1000.0 * which, 1000.0 * which + 900.0]], inputs: vec![input], ..Record::default() };
        let context = SpectrumContext { n: 24, dt: 4.0 / 24.0, segment_size: 4.0, compat_stingray: false, record };
        AveragedPowerSpectrum::new(sums, false, options, context).unwrap()
    }

    #[test]
    fn an_average_is_that_of_one_analysis_of_all() {
        let (one, two) = (sums(1, 20, 2000), sums(2, 50, 9000));
        let both = one.clone().add(two.clone());
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            for (rebin, subtract_noise) in [(Rebin::None, false), (Rebin::Linear(3), true)] {
                let options = PowerOptions { norm, rebin, subtract_noise, ..PowerOptions::default() };
                let parts = [spectrum(&one, &options, 1.0), spectrum(&two, &options, 2.0)];
                let (got, expected) =
                    (AveragedPowerSpectrum::average_of(&parts).unwrap(), spectrum(&both, &options, 1.0));
                // How uneven powers are inside a bin is known of each part alone.
                let err = if rebin == Rebin::None { 1e-12 } else { 0.03 };
                for (a, b, bound) in [
                    (&got.power, &expected.power, 1e-12),
                    (&got.power_err, &expected.power_err, err),
                    (&got.noise, &expected.noise, 1e-12),
                    (&got.unnorm_power, &expected.unnorm_power, 1e-12),
                ] {
                    for (a, b) in a.iter().zip(b) {
                        assert!((a - b).abs() <= bound * b.abs().max(expected.noise[0]), "{norm}: {a} {b}");
                    }
                }
                assert!((got.meta.effective.m_eff / expected.meta.effective.m_eff - 1.0).abs() < 1e-12);
                assert_eq!((got.m, got.meta.segments), (expected.m, 70));
                assert_eq!(got.meta.record.inputs.len(), 2);
            }
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let options = PowerOptions::default();
        let first = spectrum(&sums(1, 20, 2000), &options, 1.0);
        let refuse = |other: AveragedPowerSpectrum, said: &str| {
            let found = AveragedPowerSpectrum::average_of(&[first.clone(), other]).unwrap_err().to_string();
            assert!(found.contains(said), "{found}");
        };
        refuse(first.clone(), "1.evt: is in two of the products");
        refuse(spectrum(&sums(2, 5, 500), &options, 1.5), "has times in common with 1.evt");
        let other = PowerOptions { norm: Norm::Frac, ..PowerOptions::default() };
        refuse(spectrum(&sums(2, 5, 500), &other, 2.0), "its normalisation is frac, that of the first leahy");
        let other = PowerOptions { rebin: Rebin::Linear(2), ..PowerOptions::default() };
        refuse(spectrum(&sums(2, 5, 500), &other, 2.0), "number of frequencies");
        let mut longer = spectrum(&sums(2, 5, 500), &options, 2.0);
        longer.meta.n = 25;
        refuse(longer, "its number of bins is 25, that of the first 24");
        assert!(AveragedPowerSpectrum::average_of(&[]).is_err());
    }
}
