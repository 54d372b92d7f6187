//! Times of arrival that `fold` writes.

use std::path::Path;

use clap::Args;

use crate::number::positive;
use crate::run::Computer;
use eagleray::Observation;
use eagleray::data::Record;
use eagleray::error::Mend;
use eagleray::internal::engine::PulseEvents;
use eagleray::internal::io::table_write::check_output;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::pulsation::{PulseProfile, PulseTemplate, Toas};
use eagleray::{ArrivalTimes, Fold};
use eagleray::{Error, Result, Warning, Warnings};

/// Options of times of arrival.
#[derive(Args, Clone, Debug)]
pub struct ToaArgs {
    /// Times of arrival for tempo2 or PINT (.tim), one an interval of --toa-length; of counts, without --weights
    #[arg(long, value_name = "FILE", requires = "toa_length")]
    pub toas: Option<String>,
    /// Length of the intervals, s
    #[arg(long, value_name = "S", value_parser = positive, requires = "toas")]
    toa_length: Option<f64>,
    /// What profiles are compared with: a profile that fold wrote (.ecsv or .csv), or the word sinusoid; its phase 0 is what arrives
    /// [default: the profile of all events]
    #[arg(long, value_name = "FILE", requires = "toas")]
    template: Option<String>,
    /// Picture of the residuals of the times of arrival: .svg or .png
    #[arg(long, value_name = "FILE", requires = "toas")]
    pub toa_plot: Option<String>,
}

impl ToaArgs {
    /// Refuses what would be refused in the end.
    ///
    /// # Errors
    /// A name that is no .tim; a file that exists.
    pub fn check(&self, overwrite: bool) -> Result<()> {
        let Some(path) = &self.toas else { return Ok(()) };
        if Path::new(path).extension().is_none_or(|e| e != "tim") {
            return Err(Error::argument("toas", path, "the extension must be .tim"));
        }
        check_output(path, overwrite)
    }

    /// Times of arrival are those at the barycentre, however short the observation: what is to be warned of.
    pub fn warnings(&self, made: &Record) -> Warnings {
        let mut warnings = Warnings::default();
        if self.toas.is_some() && !made.barycentred && made.warnings.iter().all(|w| w.code != "W-BARYCENTRE") {
            PulseEvents::warn_not_barycentred(&mut warnings);
        }
        warnings
    }

    /// Finds the times, where they are asked for.
    ///
    /// # Errors
    /// See [`ArrivalTimes`]; a template that cannot be read.
    pub fn find(
        &self,
        computer: &Computer,
        fold: &Fold,
        observation: &Observation,
        profile: &PulseProfile,
    ) -> Result<Option<Toas>> {
        let Some(length) = self.toa_length else { return Ok(None) };
        let template = match self.template.as_deref() {
            Some("sinusoid") => PulseTemplate::sinusoid(fold.nbin),
            Some(file) => PulseTemplate::read(Path::new(file))?,
            None => PulseTemplate::from_profile(&profile.counts, &profile.rate)?,
        };
        let analysis = ArrivalTimes::new(fold.clone(), length).template(template);
        computer.session().run(&analysis, observation).map(Some)
    }
}

/// Why intervals have no time of arrival.
const REASON: &str = "their pulse is below 4 standard errors, or some of their bins were not observed";

/// A warning where no interval has a time of arrival.
pub(super) fn none_found(made: &Toas) -> Warnings {
    let mut warnings = Warnings::default();
    if made.toas.is_empty() {
        let reason = match made.left_out {
            0 => "no interval has events".to_string(),
            n => format!("{} left out: {REASON}", count(n as u64, "interval")),
        };
        let warning = Warning::new("W-NO-TOAS", format!("there are no times of arrival; {reason}"));
        // One interval is all of the time: none is longer.
        warnings.record(match made.left_out {
            1 => warning,
            _ => warning.mended_by([Mend::field("length").doing("longer intervals have more events")]),
        });
    }
    warnings
}

/// What the times are, in a line.
pub(super) fn summary(made: &Toas) -> String {
    let n = made.toas.len();
    if n == 0 {
        return format!("0 TOAs; {} left out: {REASON}\n", count(made.left_out as u64, "interval"));
    }
    let error = made.toas.iter().map(|toa| toa.error).sum::<f64>() / n as f64;
    let left_out = match made.left_out {
        0 => "none left out".to_string(),
        left_out => format!("{} left out: {REASON}", count(left_out as u64, "interval")),
    };
    format!(
        "{} by {}, error {} s on average, χ² of the residuals {:.3} of {}; {left_out}\n",
        count(n as u64, "TOA"),
        count(made.harmonics as u64, "harmonic"),
        ShortNumber(error),
        made.chi2,
        count(n.saturating_sub(1) as u64, "degree"),
    )
}
