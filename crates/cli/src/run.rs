//! How every command computes: what is odd is said first, progress is shown, warnings are printed once.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use crate::arguments::device::DeviceArgs;
use crate::names;
use crate::terminal::say;
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
    /// Steps of sums, of tapers, or of folding all periods at once, which can take long; that is said likewise.
    Sums,
}

impl Steps {
    /// What makes fewer of them, behind what they take.
    fn advice(self) -> &'static str {
        match self {
            Steps::Events => "",
            Steps::Trials => "; a narrower range of frequencies or derivatives, or fewer harmonics, takes less",
            Steps::Sums => "; fewer frequencies, or wider bins, take less",
        }
    }
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
        let watched = !bar.is_hidden() || (steps != Steps::Events && !quiet);
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
        let warnings = &A::record(&product).warnings;
        report(&warnings.except(&told), self.strict, self.quiet)?;
        told = warnings.clone();
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
            say(&format!("eagleray: warning: {}", names::warning_text(warning)));
        }
    }
    Ok(())
}

/// What is known of the steps that are being done.
#[derive(Clone, Copy)]
struct Begun {
    since: Instant,
    total: u64,
    done: u64,
    said: bool,
}

/// Shows progress on a bar; of trials it says once how long they will take.
fn watch(bar: ProgressBar, steps: Steps) -> impl Fn(u64, u64) -> ControlFlow<()> + Send + Sync + 'static {
    let begun: Mutex<Option<Begun>> = Mutex::new(None);
    move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if steps != Steps::Events && total > 0 {
            let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Begun { since: Instant::now(), total, done, said: false };
            let begun = begun.get_or_insert(now);
            if begun.total != total || done < begun.done {
                // Reading is over, and the trials begin; or the next sums.
                *begun = Begun { said: begun.said, ..now };
            }
            begun.done = done;
            let elapsed = begun.since.elapsed().as_secs_f64();
            if !begun.said && done > 0 && elapsed >= ESTIMATE_AFTER {
                let left = elapsed * (total - done.min(total)) as f64 / done as f64;
                // What is not long at first may become so, and what follows may be.
                begun.said = left >= LONG_SEARCH;
                if begun.said {
                    let what = if steps == Steps::Trials { count(total, "trial") } else { "this".to_string() };
                    let text = format!("eagleray: {what} will take about {}{}", duration(left), steps.advice());
                    bar.suspend(|| say(&text));
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
    let of = match steps {
        Steps::Trials => "trials",
        Steps::Events => "events",
        Steps::Sums => "steps",
    };
    let style = format!("{{bar:40}} {{human_pos}}/{{human_len}} {of}, {{rate}}, {{eta}} left");
    let style = ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| _ = out.write_str(&per_second(state.per_sec()));
    let style = style.with_key("rate", rate);
    ProgressBar::new(1).with_style(style).with_finish(ProgressFinish::AndClear)
}

/// Steps in a second, three digits: `41.7 million/s`.
fn per_second(rate: f64) -> String {
    let (size, word) = match rate {
        r if r >= 1e9 => (1e9, " billion"),
        r if r >= 1e6 => (1e6, " million"),
        _ => (1.0, ""),
    };
    let value = rate / size;
    let step = 10f64.powf(value.max(1.0).log10().floor() - 2.0);
    let digits = if step < 1.0 { -step.log10().round() } else { 0.0 };
    format!("{:.*}{word}/s", digits as usize, (value / step).round() * step)
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
    fn rates_have_three_digits() {
        let said = [41_652_557.904_6, 2.5e9, 123_456.7, 999.4, 12.345, 0.5, 0.0].map(per_second);
        assert_eq!(said, ["41.7 million/s", "2.50 billion/s", "123000/s", "999/s", "12.3/s", "0.50/s", "0.00/s"]);
    }

    #[test]
    fn durations_have_two_digits_and_a_unit() {
        let said = [1.4, 61.0, 119.0, 120.0, 754.0, 7199.0, 7200.0, 100_000.0, 1e6, 1e9].map(duration);
        assert_eq!(
            said,
            ["1 s", "61 s", "120 s", "2 min", "13 min", "120 min", "2 h", "28 h", "12 days", "12000 days"]
        );
    }
}
