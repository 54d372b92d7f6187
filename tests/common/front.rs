//! Short ways through the library's front: analyses with all their options, sessions, segments that come once.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eagleray::device::Backend;
use eagleray::science::{CrossOptions, PowerOptions};
use eagleray::{CrossSpectrum, FluxValues, Gti, Observation, PowerSpectrum, Result, Session, Streamed};

/// A session on a backend.
pub fn on(backend: impl Backend + 'static) -> Session {
    Session::with(Box::new(backend))
}

/// A session on the CPU with so many threads.
pub fn threads(count: usize) -> Session {
    Session::threads(NonZeroUsize::new(count).unwrap()).unwrap()
}

/// How many rows a session told of at last.
#[derive(Clone, Default)]
pub struct Told(Arc<AtomicU64>);

impl Told {
    pub fn rows(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A session that tells of its rows, and what it tells.
pub fn telling(session: Session) -> (Session, Told) {
    let told = Told::default();
    let Told(rows) = told.clone();
    let watch = move |done, _| {
        rows.store(done, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    (session.watched_by(watch), told)
}

pub fn power(dt: f64, segment_size: f64, options: PowerOptions) -> PowerSpectrum {
    let mut made = PowerSpectrum::default().dt(dt).segment_size(segment_size);
    made.power = options;
    made
}

pub fn cross(dt: f64, segment_size: f64, options: CrossOptions) -> CrossSpectrum {
    let mut made = CrossSpectrum::default().dt(dt).segment_size(segment_size);
    made.cross = options;
    made
}

/// Times of the subject and of the reference in the same good time.
pub fn pair_of_times(subject: &[f64], reference: &[f64], gti: &Gti) -> Observation {
    let [subject, reference] = [subject, reference].map(|times| Observation::times(times.to_vec(), gti.clone()));
    Observation::pair(subject, reference).unwrap()
}

/// What an analysis makes of segments that are pushed one by one.
pub fn streamed<A: Streamed>(
    session: &Session,
    analysis: &A,
    values: FluxValues,
    segments: impl IntoIterator<Item = impl Into<A::Segment>>,
) -> Result<A::Product> {
    let mut feed = session.begin(analysis, values);
    segments.into_iter().try_for_each(|segment| feed.push(segment))?;
    feed.finish()
}
