//! Sessions: where and how analyses are computed.

use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::analysis::{Analysis, PlanReport};
use super::feed::{Feed, FluxValues, Streamed};
use super::observation::{Observation, ObservationKind};
use super::run::{CHUNK_EVENTS, Run};
use super::summation::InParts;
use super::watch::{Watch, watched};
use crate::backend::{Backend, CpuOptions, DeviceChoice, DeviceInfo, Takes, open_with};
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::segment::PlanPart;

/// Where and how analyses are computed: the device, what a warning means, who is told of progress and may end a run.
///
/// Several threads may use one session; the device takes them in turn.
#[must_use]
pub struct Session {
    device: Arc<Mutex<Box<dyn Backend>>>,
    /// The CPU, for event files where the device was to be chosen: a GPU's host side takes longer than the CPU takes for all.
    for_files: Option<Arc<Mutex<Box<dyn Backend>>>>,
    info: DeviceInfo,
    opened: Warnings,
    strict: bool,
    watch: Option<Watch>,
    chunk_events: usize,
}

impl Session {
    /// A real GPU if there is one, else the CPU. Event files are read and computed on the CPU in either case, which does it faster
    /// ([`PlanReport::device`] says which it is); see [`DeviceChoice::Auto`].
    ///
    /// # Errors
    /// The system cannot start the threads of the CPU.
    pub fn auto() -> Result<Session> {
        Session::open(&DeviceChoice::default())
    }

    /// The CPU, one thread a core.
    ///
    /// # Errors
    /// See [`Session::auto`].
    pub fn cpu() -> Result<Session> {
        Session::open(&DeviceChoice::Cpu { threads: None })
    }

    /// The CPU with so many threads.
    ///
    /// # Errors
    /// See [`Session::auto`].
    pub fn threads(threads: NonZeroUsize) -> Result<Session> {
        Session::open(&DeviceChoice::Cpu { threads: Some(threads) })
    }

    /// The device of a choice.
    ///
    /// # Errors
    /// There is no such device, or it cannot do what the choice asks of it.
    pub fn open(choice: &DeviceChoice) -> Result<Session> {
        Session::open_with(choice, CpuOptions::default())
    }

    /// [`Session::open`], with options for the CPU where it is chosen.
    ///
    /// # Errors
    /// See [`Session::open`].
    #[doc(hidden)]
    pub fn open_with(choice: &DeviceChoice, options: CpuOptions) -> Result<Session> {
        let mut opened = Warnings::default();
        let device = open_with(choice, options, &mut opened)?;
        let for_files = match choice {
            DeviceChoice::Auto { threads, .. } if device.capabilities().takes == Takes::Batches => {
                Some(open_with(&DeviceChoice::Cpu { threads: *threads }, options, &mut opened)?)
            }
            _ => None,
        };
        let for_files = for_files.map(|cpu| Arc::new(Mutex::new(cpu)));
        Ok(Session { opened, for_files, ..Session::with(device) })
    }

    /// A device that is open.
    pub fn with(device: Box<dyn Backend>) -> Session {
        let info = device.info().clone();
        let opened = Warnings::default();
        let device = Arc::new(Mutex::new(device));
        Session { device, for_files: None, info, opened, strict: false, watch: None, chunk_events: CHUNK_EVENTS }
    }

    /// True: warnings are errors. A run that has warned gives [`Error::Strict`], with its first warning, in the place of its product.
    pub fn strict(self, strict: bool) -> Session {
        Session { strict, ..self }
    }

    /// Has `watch` asked at first, ten times a second during each run, and when it has ended, with the steps that are done (rows that were read; then segments, or trials of a search) and all that there are (0 where nobody
    /// knows). Where it breaks, the run ends with [`Error::Cancelled`] and leaves nothing behind.
    pub fn watched_by(self, watch: impl Fn(u64, u64) -> ControlFlow<()> + Send + Sync + 'static) -> Session {
        Session { watch: Some(Arc::new(watch)), ..self }
    }

    /// Rows of a file that are read at a time, 1 at least [default: 2^18]. It limits memory and changes no result.
    pub fn chunk_events(self, chunk_events: usize) -> Session {
        Session { chunk_events: chunk_events.max(1), ..self }
    }

    /// Facts about the device; event files may go to another one ([`PlanReport::device`]).
    pub fn device(&self) -> &DeviceInfo {
        &self.info
    }

    /// Computes an analysis of an observation.
    ///
    /// # Errors
    /// [`Error::Input`] where the analysis does not take what the observation holds; [`Error::Strict`] and
    /// [`Error::Cancelled`] as the session has it; whatever the analysis refuses; files that cannot be read; a device that fails.
    pub fn run<A: Analysis>(&self, analysis: &A, observation: &Observation) -> Result<A::Product> {
        check_kind::<A>(observation)?;
        allowed::<A>(self.strict, self.working(observation, false, |run| analysis.compute(observation, run))?)
    }

    /// Begins an analysis of segments that come once: each is given to [`Feed::push`], and [`Feed::finish`] makes the product. The
    /// bin width is that of the analysis; a `segment_size`, if it has one, must be that of the segments.
    ///
    /// ```
    /// use eagleray::{FluxSegment, FluxValues, PowerSpectrum, Session};
    /// let session = Session::cpu()?;
    /// let mut feed = session.begin(&PowerSpectrum::default().dt(0.5), FluxValues::Counts);
    /// for _ in 0..10 {
    ///     feed.push(FluxSegment::from(vec![1.0, 0.0, 2.0, 1.0]))?;
    /// }
    /// assert_eq!(feed.finish()?.meta.segments, 10);
    /// # Ok::<(), eagleray::Error>(())
    /// ```
    pub fn begin<A: Streamed>(&self, analysis: &A, values: FluxValues) -> Feed<A> {
        let (device, warnings, analysis) = (Arc::clone(&self.device), self.opened.clone(), analysis.clone());
        let chunk_events = self.chunk_events;
        let strict = self.strict;
        Feed::new(self.watch.clone(), move |segments, progress| {
            let mut device = device.lock().unwrap_or_else(PoisonError::into_inner);
            let mut run = Run {
                device: device.as_mut(),
                warnings,
                progress,
                chunk_events,
                with_memory: false,
                skipped: Vec::new(),
            };
            let made = analysis.stream(segments, values, &mut run)?;
            allowed::<A>(strict, made)
        })
    }

    /// Ranges of segments for `count` parts of an analysis, 1 at least, of about as many segments each; fewer where there are not so many.
    ///
    /// # Errors
    /// Those of [`Session::check`]; [`Error::Input`] where the observation is one of light curves.
    pub fn parts<A: InParts>(&self, analysis: &A, observation: &Observation, count: u64) -> Result<Vec<Range<u64>>> {
        check_events::<A>(observation)?;
        self.working(observation, false, |run| Ok(analysis.summation(observation, run)?.plan.parts(count)))
    }

    /// Sums some segments, one of the ranges of [`Session::parts`], on this or another machine. Warnings are in the record of the product that
    /// [`Session::finish`] makes.
    ///
    /// ```
    /// use eagleray::{Observation, PowerSpectrum, Session};
    /// let (session, analysis) = (Session::cpu()?, PowerSpectrum::default().dt(0.01).segment_size(64.0));
    /// let observation = Observation::open(["examples/data/b1509.fits"])?;
    /// let halves = session.parts(&analysis, &observation, 2)?;
    /// let mut all = session.part(&analysis, &observation, halves[1].clone())?;
    /// all.merge(session.part(&analysis, &observation, halves[0].clone())?)?;
    /// let spectrum = session.finish(&analysis, &observation, all)?;
    /// assert_eq!(spectrum.power, session.run(&analysis, &observation)?.power);
    /// # Ok::<(), eagleray::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Session::run`] and [`Session::parts`]; segments that are not whole runs of the plan.
    pub fn part<A: InParts>(&self, analysis: &A, observation: &Observation, segments: Range<u64>) -> Result<PlanPart> {
        check_events::<A>(observation)?;
        self.working(observation, false, |run| {
            let part = analysis.summation(observation, run)?.part(segments, run)?;
            allow(self.strict, &run.warnings)?;
            Ok(part)
        })
    }

    /// The product of the sums of all segments, as [`Session::run`] makes it, bit for bit. No event is used, but files are read for
    /// their checksums.
    ///
    /// # Errors
    /// The part is of other inputs or options, or segments are missing ([`Error::Merge`]); those of [`Session::run`].
    pub fn finish<A: InParts>(&self, analysis: &A, observation: &Observation, part: PlanPart) -> Result<A::Product> {
        check_events::<A>(observation)?;
        let made =
            self.working(observation, false, |run| analysis.summation(observation, run)?.product_of(part, run))?;
        allowed::<A>(self.strict, made)
    }

    /// What a run would do, from headers and intervals alone, with the memory that it needs: no event is read.
    ///
    /// # Errors
    /// Those of [`Session::run`] that show before an event is read.
    pub fn plan<A: Analysis>(&self, analysis: &A, observation: &Observation) -> Result<PlanReport> {
        self.planned(analysis, observation, true)
    }

    /// [`Session::plan`] without its memory, for which the device would have to be prepared.
    ///
    /// # Errors
    /// See [`Session::plan`].
    pub fn check<A: Analysis>(&self, analysis: &A, observation: &Observation) -> Result<PlanReport> {
        self.planned(analysis, observation, false)
    }

    fn planned<A: Analysis>(&self, analysis: &A, observation: &Observation, memory: bool) -> Result<PlanReport> {
        check_kind::<A>(observation)?;
        let report = self.working(observation, memory, |run| {
            let mut report = analysis.plan(observation, run)?;
            (report.warnings, report.device) = (run.take_warnings(), Some(run.device.info().clone()));
            Ok(report)
        })?;
        allow(self.strict, &report.warnings)?;
        Ok(report)
    }

    /// Calls `work` with what a run has at hand, and watches it.
    fn working<T: Send>(
        &self,
        observation: &Observation,
        with_memory: bool,
        work: impl FnOnce(&mut Run) -> Result<T> + Send,
    ) -> Result<T> {
        let mut warnings = observation.warnings().clone();
        warnings.extend(self.opened.clone());
        let chunk_events = self.chunk_events;
        // The caller's pool may be waiting for runs with all of its threads.
        let pool = if rayon::current_thread_index().is_some() { own_pool() } else { None };
        let begin = |progress: &Progress| {
            let device = match &self.for_files {
                Some(cpu) if !observation.files().is_empty() => cpu,
                _ => &self.device,
            };
            let mut device = device.lock().unwrap_or_else(PoisonError::into_inner);
            let mut run =
                Run { device: device.as_mut(), warnings, progress, chunk_events, with_memory, skipped: Vec::new() };
            match pool {
                Some(pool) => pool.install(|| work(&mut run)),
                None => work(&mut run),
            }
        };
        match &self.watch {
            Some(watch) => watched(&mut |done, total| watch(done, total), begin),
            // A thread of a pool that waits takes up what else its pool has to do; a run that comes in that way would wait for the
            // device that the run below it holds.
            None if pool.is_some() => watched(&mut |_, _| ControlFlow::Continue(()), begin),
            None => begin(&Progress::default()),
        }
    }
}

/// Threads for runs that begin on the threads of somebody's pool.
fn own_pool() -> Option<&'static rayon::ThreadPool> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    POOL.get_or_init(|| rayon::ThreadPoolBuilder::new().build().ok()).as_ref()
}

/// Computes an analysis on a device that is only lent, and tells of progress.
///
/// # Errors
/// See [`Session::run`].
pub fn run_on<A: Analysis>(
    device: &mut dyn Backend,
    chunk_events: usize,
    progress: &Progress,
    analysis: &A,
    observation: &Observation,
) -> Result<A::Product> {
    check_kind::<A>(observation)?;
    let warnings = observation.warnings().clone();
    analysis.compute(
        observation,
        &mut Run { device, warnings, progress, chunk_events, with_memory: false, skipped: Vec::new() },
    )
}

/// Refuses the first warning where warnings are errors.
fn allow(strict: bool, warnings: &Warnings) -> Result<()> {
    warnings.iter().next().filter(|_| strict).map_or(Ok(()), |first| Err(Error::Strict(first.clone())))
}

/// A product; where warnings are errors, its first warning instead.
fn allowed<A: Analysis>(strict: bool, made: A::Product) -> Result<A::Product> {
    allow(strict, &A::record(&made).warnings)?;
    Ok(made)
}

/// Refuses what an analysis does not take.
fn check_kind<A: Analysis>(observation: &Observation) -> Result<()> {
    check_kinds::<A>(observation, A::KINDS)
}

/// Refuses what an analysis does not sum in parts.
fn check_events<A: Analysis>(observation: &Observation) -> Result<()> {
    let of_events = |kind: &ObservationKind| matches!(kind, ObservationKind::Events | ObservationKind::EventPair);
    check_kinds::<A>(observation, &A::KINDS.iter().copied().filter(of_events).collect::<Vec<_>>())
}

fn check_kinds<A: Analysis>(observation: &Observation, kinds: &[ObservationKind]) -> Result<()> {
    let given = observation.kind();
    if kinds.contains(&given) {
        return Ok(());
    }
    let takes = kinds.iter().map(|kind| kind.name()).collect();
    Err(Error::Input { analysis: A::NAME, given: given.name(), takes })
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::data::Gti;
    use crate::engine::analyses::PowerSpectrum;

    /// A CPU with so many threads.
    fn cpu(threads: usize) -> Box<dyn Backend> {
        let choice = DeviceChoice::Cpu { threads: NonZeroUsize::new(threads) };
        open_with(&choice, CpuOptions::default(), &mut Warnings::default()).unwrap()
    }

    #[test]
    fn event_files_go_to_the_device_for_files_and_all_else_to_the_other() {
        let for_files = Some(Arc::new(Mutex::new(cpu(2))));
        let session = Session { for_files, ..Session::with(cpu(1)) };
        let analysis = PowerSpectrum::default().dt(0.5).segment_size(8.0);
        let threads = |of: &Observation| session.plan(&analysis, of).unwrap().device.unwrap().threads;
        let times = (0..1000).map(|i| 0.1 * f64::from(i)).collect();
        assert_eq!(threads(&Observation::times(times, Gti::from_seconds(&[(0.0, 100.0)]).unwrap())), 1);
        assert_eq!(threads(&Observation::open(["examples/data/b1509.fits"]).unwrap()), 2);
    }

    #[test]
    fn runs_may_begin_on_all_threads_of_a_pool() {
        let analysis = PowerSpectrum::default().dt(0.5).segment_size(8.0);
        let observation = Observation::open(["examples/data/b1509.fits"]).unwrap();
        let shared = Session::with(cpu(2));
        let expected = shared.run(&analysis, &observation).unwrap().power;
        let one = |i: usize| match i % 2 {
            0 => shared.run(&analysis, &observation),
            _ => Session::with(cpu(1)).watched_by(|_, _| ControlFlow::Continue(())).run(&analysis, &observation),
        };
        assert!((0..100).into_par_iter().all(|i| one(i).unwrap().power == expected));
    }
}
