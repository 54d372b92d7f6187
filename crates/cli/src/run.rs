//! How every command computes: what is odd is said first, progress is shown, warnings are printed once.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::arguments::device::DeviceArgs;
use crate::names;
use eagleray::internal::text::count;
use eagleray::{Analysis, Observation, PlanReport, Session};
use eagleray::{Error, Result, Warnings};

/// Time after which the rest of a search is estimated, s, and an estimate that is worth saying.
const ESTIMATE_AFTER: f64 = 1.0;
/// See [`ESTIMATE_AFTER`].
const LONG_SEARCH: f64 = 60.0;

/// What the steps of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Events that are read.
    Events,
    /// Trials of a search, for which reading takes no time; how long a long one takes is said in a line, terminal or not.
    Trials,
}

/// A device, and how its runs are shown.
pub struct Computer {
    session: Session,
    bar: ProgressBar,
    strict: bool,
    quiet: bool,
}

/// A product, and the warnings that were printed.
pub struct Computed<P> {
    /// The product.
    pub product: P,
    /// What was said of it.
    pub told: Warnings,
}

impl Computer {
    /// The device of some options; whether warnings are errors, and whether nothing is said.
    ///
    /// # Errors
    /// See [`DeviceArgs::session`].
    pub fn new(device: &DeviceArgs, (strict, quiet): (bool, bool), steps: Steps) -> Result<Computer> {
        let session = device.session()?;
        let bar = progress_bar(steps, !quiet);
        let watched = !bar.is_hidden() || (steps == Steps::Trials && !quiet);
        let session = match watched {
            true => session.watched_by(watch(bar.clone(), steps)),
            false => session,
        };
        Ok(Computer { session, bar, strict, quiet })
    }

    /// The same with another number of rows that are read at a time.
    pub fn chunk_events(self, chunk_events: usize) -> Computer {
        Computer { session: self.session.chunk_events(chunk_events), ..self }
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Plans an analysis with the memory it needs, and says what is odd about it.
    ///
    /// # Errors
    /// See [`Session::plan`]; a warning where these are errors.
    pub fn plan<A: Analysis>(&self, analysis: &A, observation: &Observation) -> Result<PlanReport> {
        self.told(self.session.plan(analysis, observation)?)
    }

    fn told(&self, plan: PlanReport) -> Result<PlanReport> {
        report(&plan.warnings, self.strict, self.quiet)?;
        Ok(plan)
    }

    /// Plans and computes an analysis, and says what is odd about either.
    ///
    /// # Errors
    /// See [`Session::run`]; a warning where these are errors.
    pub fn compute<A: Analysis>(&self, analysis: &A, observation: &Observation) -> Result<Computed<A::Product>> {
        let mut told = self.told(self.session.check(analysis, observation)?)?.warnings;
        self.bar.reset();
        let made = self.session.run(analysis, observation);
        self.bar.finish_and_clear();
        let product = match made {
            Ok(product) => product,
            // What reading finds may explain it.
            Err(e @ (Error::Argument { .. } | Error::NoEvents { .. } | Error::NoSegments { .. })) => {
                let found = observation.examine().unwrap_or_default();
                report(&found.except(&told), self.strict, self.quiet)?;
                return Err(e);
            }
            Err(e) => return Err(e),
        };
        if let Some(record) = A::record(&product) {
            report(&record.warnings.except(&told), self.strict, self.quiet)?;
            told = record.warnings.clone();
        }
        Ok(Computed { product, told })
    }
}

/// Prints warnings on stderr, or turns the first into an error.
///
/// # Errors
/// `strict` and a warning.
pub fn report(warnings: &Warnings, strict: bool, quiet: bool) -> Result<()> {
    for warning in warnings.iter() {
        if strict {
            return Err(Error::Strict(warning.clone()));
        }
        if !quiet {
            eprintln!("eagleray: warning: {}", names::warning_text(warning));
        }
    }
    Ok(())
}

/// Shows progress on a bar; of trials it says once how long they will take.
fn watch(bar: ProgressBar, steps: Steps) -> impl Fn(u64, u64) -> ControlFlow<()> + Send + Sync + 'static {
    let begun: Mutex<Option<(Instant, u64, bool)>> = Mutex::new(None);
    move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if steps == Steps::Trials && total > 0 {
            let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
            let (since, of, said) = begun.get_or_insert_with(|| (Instant::now(), total, false));
            if *of != total {
                // Reading is over, and the trials begin.
                (*since, *of) = (Instant::now(), total);
            }
            let elapsed = since.elapsed().as_secs_f64();
            if !*said && done > 0 && elapsed >= ESTIMATE_AFTER {
                *said = true;
                let left = elapsed * (total - done.min(total)) as f64 / done as f64;
                if left >= LONG_SEARCH {
                    let text = format!("eagleray: {} will take about {}", count(total, "trial"), duration(left));
                    bar.suspend(|| eprintln!("{text}"));
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// A bar on a terminal; nothing elsewhere.
fn progress_bar(steps: Steps, talk: bool) -> ProgressBar {
    if !talk || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let of = if steps == Steps::Trials { "trials" } else { "events" };
    let style = format!("{{bar:40}} {{human_pos}}/{{human_len}} {of}, {{per_sec}}, {{eta}} left");
    let style = ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style).with_finish(ProgressFinish::AndClear)
}

/// Some seconds in the unit that suits them, two digits.
fn duration(seconds: f64) -> String {
    let units = [(60.0, "s"), (3600.0, "min"), (86_400.0, "h")];
    let mut size = 1.0;
    for (next, unit) in units {
        if seconds < 2.0 * next {
            return two_digits(seconds / size, unit);
        }
        size = next;
    }
    two_digits(seconds / size, "days")
}

fn two_digits(value: f64, unit: &str) -> String {
    let step = 10f64.powf(value.log10().floor() - 1.0).max(1.0);
    format!("{} {unit}", (value / step).round() * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_digits_and_a_unit() {
        let said = [1.4, 61.0, 119.0, 120.0, 754.0, 7199.0, 7200.0, 100_000.0, 1e6, 1e9].map(duration);
        assert_eq!(
            said,
            ["1 s", "61 s", "120 s", "2 min", "13 min", "120 min", "2 h", "28 h", "12 days", "12000 days"]
        );
    }
}
