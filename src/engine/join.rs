//! Products of several observations as one, of one instrument and one band unless they may be mixed.

use super::observation::{refuse_mixed, refuse_unlike};
use crate::base::error::Result;
use crate::data::LightCurve;
use crate::science::cross::AveragedCrossSpectrum;
use crate::science::power::AveragedPowerSpectrum;

impl AveragedPowerSpectrum {
    /// The average of spectra of several observations, each with the weight of its segments: what one analysis of all of them would
    /// have made. Noise levels are averaged likewise; of Poisson's the average is Poisson's of the mean rate.
    ///
    /// # Errors
    /// There is none; they are of several missions, instruments, time systems or bands; they differ in bins, segments, normalisation, or in whether noise was
    /// subtracted; or they have an input or times in common, so that photons would count twice.
    pub fn join(parts: &[AveragedPowerSpectrum]) -> Result<AveragedPowerSpectrum> {
        refuse_unlike(parts.iter().map(|part| &part.meta.record))?;
        AveragedPowerSpectrum::average_of(parts)
    }

    /// [`AveragedPowerSpectrum::join`], of several missions, instruments, time systems or bands, too.
    ///
    /// # Errors
    /// See [`AveragedPowerSpectrum::join`].
    pub fn join_mixed(parts: &[AveragedPowerSpectrum]) -> Result<AveragedPowerSpectrum> {
        AveragedPowerSpectrum::average_of(parts)
    }
}

impl AveragedCrossSpectrum {
    /// The average of spectra of several observations, each with the weight of its segments: what one analysis of all of them would
    /// have made. Powers and cross powers are averaged, as raw ones where the norm divides by the mean rates; lags, coherences and
    /// errors are computed anew ([`cross_errors`](crate::science::cross_errors)). Noise levels are averaged likewise.
    ///
    /// # Errors
    /// There is none; they are of several missions, instruments, time systems or bands; they differ in bins, segments, normalisation, or in which band holds
    /// the other; coherences are by Stingray's rules; or they have an input or times in common, so that photons would count twice.
    pub fn join(parts: &[AveragedCrossSpectrum]) -> Result<AveragedCrossSpectrum> {
        refuse_unlike(parts.iter().map(|part| &part.meta.record))?;
        AveragedCrossSpectrum::average_of(parts)
    }

    /// [`AveragedCrossSpectrum::join`], of several missions, instruments, time systems or bands, too.
    ///
    /// # Errors
    /// See [`AveragedCrossSpectrum::join`].
    pub fn join_mixed(parts: &[AveragedCrossSpectrum]) -> Result<AveragedCrossSpectrum> {
        AveragedCrossSpectrum::average_of(parts)
    }
}

impl LightCurve {
    /// Joins light curves, in any order, whose grids differ by whole bins. If two light curves expose parts of the same
    /// bin, counts and exposures of that bin are added. Times become those of the reference epoch of the first.
    ///
    /// # Errors
    /// There is no bin at all; they are of several missions, instruments or bands; they differ in bin width, kind of errors, time system or
    /// reference position, or only some of them have a reference epoch; their grids are not whole bins apart; or together they expose a
    /// bin for longer than it lasts.
    pub fn join(parts: &[LightCurve]) -> Result<LightCurve> {
        refuse_mixed(parts.iter().map(|part| &part.meta.record))?;
        LightCurve::joined(parts)
    }

    /// [`LightCurve::join`], of several missions, instruments or bands, too.
    ///
    /// # Errors
    /// See [`LightCurve::join`].
    pub fn join_mixed(parts: &[LightCurve]) -> Result<LightCurve> {
        LightCurve::joined(parts)
    }
}
