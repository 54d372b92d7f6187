//! Segments that come once: from iterators, generators, live streams.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::analyses::{CrossSpectrum, DynamicalCross, DynamicalSpectrum, PowerSpectrum};
use super::analysis::Analysis;
use super::dynamical_flux::{cross_rows_of_segments, one_after_the_other, rows_of_segments};
use super::flux::{FluxPair, FluxSegment, StreamedSegments, cross_spectrum_of_segments, spectrum_of_segments};
use super::run::Run;
use super::segmentation::Segmentation;
use super::watch::{EVERY, Watch};
use crate::base::error::{BackendError, Error, Result};
use crate::base::mend::Mend;
use crate::base::progress::Progress;

/// Segments that may wait to be computed.
const WAITING: usize = 64;

/// How often a feed that is watched looks whether its last segments are computed.
const AT_THE_END: Duration = Duration::from_millis(5);

/// What the values of segments are. Their noise is that of their errors where they have some ([`FluxSegment::errors`]), else Poisson's of
/// their mean; values without noise have powers, but no noise level to subtract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FluxValues {
    /// Counts in each bin.
    Counts,
    /// Rates, counts/s.
    Rates,
}

/// An analysis of segments that come one after the other.
#[allow(private_interfaces)]
pub trait Streamed: Analysis<Product: 'static> + Clone + Send + 'static {
    /// One segment: of one series, or of two.
    type Segment: Send + 'static;

    #[doc(hidden)]
    fn stream(
        &self,
        segments: &mut dyn Iterator<Item = Self::Segment>,
        values: FluxValues,
        run: &mut Run,
    ) -> Result<Self::Product>;
}

/// Takes the segments of an analysis one by one ([`Session::begin`](super::Session::begin)); a thread of its own computes while they come.
///
/// A feed that is dropped before its end is cancelled.
#[must_use = "a feed that is dropped is cancelled"]
pub struct Feed<A: Streamed> {
    segments: Option<SyncSender<A::Segment>>,
    worker: Option<JoinHandle<Result<A::Product>>>,
    /// Why no thread computes, until that is told.
    unstarted: Option<BackendError>,
    progress: Arc<Progress>,
    /// The session's, asked as segments are pushed, ten times a second at most; and when it was asked last.
    watch: Option<Watch>,
    asked: Option<Instant>,
}

impl<A: Streamed> Feed<A> {
    /// Starts `compute` on the segments to come.
    pub(super) fn new(
        watch: Option<Watch>,
        compute: impl FnOnce(&mut dyn Iterator<Item = A::Segment>, &Progress) -> Result<A::Product> + Send + 'static,
    ) -> Feed<A> {
        let progress = Arc::new(Progress::default());
        let (segments, waiting): (_, Receiver<A::Segment>) = sync_channel(WAITING);
        let shared = Arc::clone(&progress);
        let work = move || {
            let going = |_: &A::Segment| shared.advance(1).is_ok();
            let made = compute(&mut waiting.into_iter().take_while(going), &shared);
            shared.check()?;
            made
        };
        match std::thread::Builder::new().spawn(work) {
            Ok(worker) => {
                Feed { segments: Some(segments), worker: Some(worker), unstarted: None, progress, watch, asked: None }
            }
            Err(e) => {
                let unstarted = Some(BackendError::NoThreads { wanted: 1, why: e.to_string() });
                Feed { segments: None, worker: None, unstarted, progress, watch, asked: None }
            }
        }
    }

    /// Takes the next segment; waits while too many wait to be computed.
    ///
    /// # Errors
    /// What ended the computation: a segment of another length, values that are not finite, a device that failed.
    pub fn push(&mut self, segment: impl Into<A::Segment>) -> Result<()> {
        self.ask();
        match &self.segments {
            Some(segments) if segments.send(segment.into()).is_ok() => Ok(()),
            _ => match self.join() {
                Err(error) => Err(error),
                Ok(_) => Err(Error::argument("segments", "", "come after the end of the computation")),
            },
        }
    }

    /// Asks whoever watches whether to go on, if it is time to.
    fn ask(&mut self) {
        let Some(watch) = self.watch.as_ref().filter(|_| self.asked.is_none_or(|last| last.elapsed() >= EVERY)) else {
            return;
        };
        self.asked = Some(Instant::now());
        let (done, total) = self.progress.state();
        if watch(done, total).is_break() {
            self.progress.cancel();
            // Whoever computes does not wait for segments that will not come.
            self.segments = None;
        }
    }

    /// The product of all segments.
    ///
    /// # Errors
    /// As for [`Feed::push`]; no segment at all.
    pub fn finish(mut self) -> Result<A::Product> {
        self.segments = None;
        // Whoever watches is asked until the end, too.
        while self.watch.is_some() && self.worker.as_ref().is_some_and(|worker| !worker.is_finished()) {
            self.ask();
            std::thread::sleep(AT_THE_END);
        }
        self.join()
    }

    /// Waits for the end.
    fn join(&mut self) -> Result<A::Product> {
        self.segments = None;
        match self.worker.take() {
            Some(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None if let Some(unstarted) = self.unstarted.take() => Err(unstarted.into()),
            None => Err(Error::argument("segments", "", "the computation ended with the error that `push` returned")),
        }
    }
}

impl<A: Streamed> Drop for Feed<A> {
    fn drop(&mut self) {
        if self.worker.is_some() {
            self.progress.cancel();
            let _ = self.join();
        }
    }
}

/// Refuses segments of another length than was asked for.
fn of_length<P>(made: P, found: f64, segmentation: &Segmentation) -> Result<P> {
    match segmentation.segment_size {
        Some(size) if (found / size - 1.0).abs() > 1e-9 => {
            let message = format!("the segments that came have {found} s");
            Err(Error::argument("segment_size", size, message).mended_by([Mend::set("segment_size", found)]))
        }
        _ => Ok(made),
    }
}

/// Segments with the bin width that they are asked for with, which they do not tell.
fn stream_of<'s, S>(
    segments: &'s mut dyn Iterator<Item = S>,
    values: FluxValues,
    segmentation: &Segmentation,
) -> Result<StreamedSegments<'s, S>> {
    segmentation.refuse_compat()?;
    let dt = segmentation.dt;
    let dt = dt.ok_or_else(|| Error::argument("dt", "", "the bin width of the segments, s, is needed"))?;
    Ok(StreamedSegments { segments, expected: 0, dt, rates: values == FluxValues::Rates })
}

#[allow(private_interfaces)]
impl Streamed for PowerSpectrum {
    type Segment = FluxSegment;

    fn stream(
        &self,
        segments: &mut dyn Iterator<Item = FluxSegment>,
        values: FluxValues,
        run: &mut Run,
    ) -> Result<Self::Product> {
        let made = spectrum_of_segments(stream_of(segments, values, &self.segmentation)?, &self.power, run)?;
        let found = made.meta.segment_size;
        of_length(made, found, &self.segmentation)
    }
}

#[allow(private_interfaces)]
impl Streamed for CrossSpectrum {
    type Segment = FluxPair;

    fn stream(
        &self,
        segments: &mut dyn Iterator<Item = FluxPair>,
        values: FluxValues,
        run: &mut Run,
    ) -> Result<Self::Product> {
        let made = cross_spectrum_of_segments(stream_of(segments, values, &self.segmentation)?, &self.cross, run)?;
        let found = made.meta.segment_size;
        of_length(made, found, &self.segmentation)
    }
}

#[allow(private_interfaces)]
impl Streamed for DynamicalSpectrum {
    type Segment = FluxSegment;

    fn stream(
        &self,
        segments: &mut dyn Iterator<Item = FluxSegment>,
        values: FluxValues,
        run: &mut Run,
    ) -> Result<Self::Product> {
        let PowerSpectrum { segmentation, power, .. } = &self.spectrum;
        let stream = stream_of(segments, values, segmentation)?;
        let made = rows_of_segments(stream, power, self.time, one_after_the_other, run)?;
        let found = made.meta.segment_size;
        of_length(made, found, segmentation)
    }
}

#[allow(private_interfaces)]
impl Streamed for DynamicalCross {
    type Segment = FluxPair;

    fn stream(
        &self,
        segments: &mut dyn Iterator<Item = FluxPair>,
        values: FluxValues,
        run: &mut Run,
    ) -> Result<Self::Product> {
        let CrossSpectrum { segmentation, cross, .. } = &self.spectrum;
        let stream = stream_of(segments, values, segmentation)?;
        let made = cross_rows_of_segments(stream, cross, self.time, one_after_the_other, run)?;
        let found = made.meta.segment_size;
        of_length(made, found, segmentation)
    }
}
