//! Spectra read back: power, cross and energy spectra, spectra corrected for dead time, and bispectra.

use std::path::Path;

use crate::base::error::Result;
use crate::io::table_read::ReadTable;
use crate::science::bispectrum::Bispectrum;
use crate::science::columns::{
    BISPECTRUM, CROSS_POWERS, CROSS_SPECTRUM, CUMULANT_BISPECTRUM, ENERGY_SPECTRUM, FAD_SPECTRUM, POWER_SPECTRUM,
    energy_columns,
};
use crate::science::cross_powers::CrossPowers;
use crate::science::cumulant::CumulantBispectrum;
use crate::science::power::{PowerMetadata, PowerScale};
use crate::science::{AveragedCrossSpectrum, AveragedPowerSpectrum, CrossMetadata, EnergySpectrum, FadSpectrum};

impl AveragedPowerSpectrum {
    /// Reads a power spectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// The file cannot be read; it holds something else; a column or a key of the metadata is missing, or has no numbers.
    pub fn read(path: impl AsRef<Path>) -> Result<AveragedPowerSpectrum> {
        let mut table = ReadTable::open(path.as_ref(), &POWER_SPECTRUM)?;
        let mut meta: PowerMetadata = table.metadata()?;
        meta.scale = PowerScale::of(&meta);
        meta.effective = meta.effective.or_equal(meta.segments);
        let optional = |table: &mut ReadTable, name: &str| match table.has(name) {
            true => table.real(name),
            false => Ok(Vec::new()),
        };
        let noise_err = optional(&mut table, "noise_err")?;
        Ok(AveragedPowerSpectrum {
            m: table.count_or_scalar("m")?,
            freq: table.real("freq")?,
            width: table.real("width")?,
            power: table.real("power")?,
            power_err: table.real("power_err")?,
            unnorm_power: table.real("unnorm_power")?,
            noise: table.real("noise")?,
            noise_err: if noise_err.is_empty() { vec![0.0; table.rows()] } else { noise_err },
            power_lo: optional(&mut table, "power_lo")?,
            power_hi: optional(&mut table, "power_hi")?,
            log10_p: optional(&mut table, "log10_p")?,
            original: None,
            meta,
        })
    }
}

impl AveragedCrossSpectrum {
    /// Reads a cross spectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<AveragedCrossSpectrum> {
        let mut table = ReadTable::open(path.as_ref(), &CROSS_SPECTRUM)?;
        let (power_re, power_im) = table.complex("power")?;
        let (unnorm_power_re, unnorm_power_im) = table.complex("unnorm_power")?;
        let mut meta: CrossMetadata = table.metadata()?;
        meta.effective = meta.effective.or_equal(meta.segments);
        Ok(AveragedCrossSpectrum {
            meta,
            m: table.count_or_scalar("m")?,
            freq: table.real("freq")?,
            width: table.real("width")?,
            power_re,
            power_im,
            power_err: table.real("power_err")?,
            unnorm_power_re,
            unnorm_power_im,
            cross_err_re: table.real("cross_err_re")?,
            cross_err_im: table.real("cross_err_im")?,
            power1: table.real("power1")?,
            power2: table.real("power2")?,
            noise1: table.real("noise1")?,
            noise2: table.real("noise2")?,
            lag_phase: table.real("lag_phase")?,
            lag_phase_err: table.real("lag_phase_err")?,
            lag_time: table.real("lag_time")?,
            lag_time_err: table.real("lag_time_err")?,
            coherence_raw: table.real("coherence_raw")?,
            coherence_raw_err: table.real("coherence_raw_err")?,
            coherence_intrinsic: table.real("coherence_intrinsic")?,
            coherence_intrinsic_err: table.real("coherence_intrinsic_err")?,
            original: None,
        })
    }
}

impl EnergySpectrum {
    /// Reads an energy spectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<EnergySpectrum> {
        let mut table = ReadTable::open(path.as_ref(), &ENERGY_SPECTRUM)?;
        let meta: crate::science::energy::EnergyMetadata = table.metadata()?;
        let (lo, hi) = if meta.channels { ("channel_lo", "channel_hi") } else { ("energy_lo", "energy_hi") };
        let m = meta.averaged.map_or(0, |s| s.segments * s.nfreq as u64);
        let mut columns = energy_columns(meta.kind, meta.norm == "frac");
        columns.retain(|column| table.has(column.name));
        for column in &mut columns {
            column.values = table.real(column.name)?;
        }
        Ok(EnergySpectrum {
            energy_lo: table.real(lo)?,
            energy_hi: table.real(hi)?,
            value: table.real("value")?,
            value_err: table.real("value_err")?,
            counts: table.count("counts")?,
            m: vec![m; table.rows()],
            columns,
            meta,
        })
    }
}

impl FadSpectrum {
    /// Reads spectra corrected for dead time from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<FadSpectrum> {
        let mut table = ReadTable::open(path.as_ref(), &FAD_SPECTRUM)?;
        let (power_re, power_im) = table.complex("power")?;
        Ok(FadSpectrum {
            freq: table.real("freq")?,
            width: table.real("width")?,
            m: table.count_or_scalar("m")?,
            power1: table.real("power1")?,
            power1_err: table.real("power1_err")?,
            power2: table.real("power2")?,
            power2_err: table.real("power2_err")?,
            power_total: table.real("power_total")?,
            power_total_err: table.real("power_total_err")?,
            power_re,
            power_im,
            cross_err_re: table.real("cross_err_re")?,
            cross_err_im: table.real("cross_err_im")?,
            meta: table.metadata()?,
        })
    }
}

impl CrossPowers {
    /// Reads a cross spectrum without errors from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<CrossPowers> {
        let mut table = ReadTable::open(path.as_ref(), &CROSS_POWERS)?;
        let (power_re, power_im) = table.complex("power")?;
        Ok(CrossPowers {
            freq: table.real("freq")?,
            width: table.real("width")?,
            power_re,
            power_im,
            power1: table.real("power1")?,
            power2: table.real("power2")?,
            m: table.count_or_scalar("m")?,
            meta: table.metadata()?,
        })
    }
}

impl Bispectrum {
    /// Reads a bispectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<Bispectrum> {
        let mut table = ReadTable::open(path.as_ref(), &BISPECTRUM)?;
        let (bispectrum_re, bispectrum_im) = table.complex("bispectrum")?;
        Ok(Bispectrum {
            freq1: table.real("freq1")?,
            freq2: table.real("freq2")?,
            bispectrum_re,
            bispectrum_im,
            bicoherence: table.real("bicoherence")?,
            biphase: table.real("biphase")?,
            meta: table.metadata()?,
        })
    }
}

impl CumulantBispectrum {
    /// Reads a bispectrum by Stingray's definition from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<CumulantBispectrum> {
        let mut table = ReadTable::open(path.as_ref(), &CUMULANT_BISPECTRUM)?;
        let (bispectrum_re, bispectrum_im) = table.complex("bispectrum")?;
        Ok(CumulantBispectrum {
            freq1: table.real("freq1")?,
            freq2: table.real("freq2")?,
            bispectrum_re,
            bispectrum_im,
            magnitude: table.real("magnitude")?,
            biphase: table.real("biphase")?,
            meta: table.metadata()?,
        })
    }
}
