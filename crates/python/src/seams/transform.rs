//! Transforms of segments, with plans and buffers that are kept for the next call.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use eagleray::internal::kernels::bin_events::LastEventTable;
use eagleray::internal::numerics::fft::{CpuFft, CpuFftBuffers};
use numpy::Complex64;

use super::series::{Filled, Flux, Series, Values};

/// Plans that are kept.
const PLANS: usize = 16;
/// Bins of the longest transform whose plan and buffers are kept.
const LONGEST: usize = 1 << 20;
/// Buffers that a thread keeps.
const KEPT: usize = 2;

/// The plan for transforms of `n` samples.
fn plan(n: usize) -> CpuFft {
    static KNOWN: Mutex<Vec<(usize, CpuFft)>> = Mutex::new(Vec::new());
    let lock = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = lock().iter().find(|(length, _)| *length == n) {
        return known.clone();
    }
    let made = CpuFft::new(n);
    if n <= LONGEST {
        let mut known = lock();
        if known.len() == PLANS {
            known.remove(0);
        }
        known.push((n, made.clone()));
    }
    made
}

/// Buffers of one thread for segments of `n` bins.
pub struct Work {
    n: usize,
    fft: CpuFft,
    real: CpuFftBuffers,
    imaginary: Option<CpuFftBuffers>,
    /// Whether the segment has imaginary parts.
    complex: bool,
    last: LastEventTable,
}

thread_local! {
    static WORK: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
}

/// Does something with as many buffers as are asked for; they are kept.
pub fn with<const N: usize, T>(n: usize, task: impl FnOnce([&mut Work; N]) -> T) -> T {
    let mut taken: [Work; N] = std::array::from_fn(|_| {
        let kept = WORK.with_borrow_mut(|kept| {
            let place = kept.iter().position(|work| work.n == n)?;
            Some(kept.swap_remove(place))
        });
        kept.unwrap_or_else(|| Work::new(n))
    });
    let done = task(taken.each_mut());
    if n <= LONGEST {
        WORK.with_borrow_mut(|kept| {
            kept.extend(taken);
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        });
    }
    done
}

impl Work {
    fn new(n: usize) -> Work {
        let fft = plan(n);
        let real = fft.work();
        Work { n, fft, real, imaginary: None, complex: false, last: LastEventTable::default() }
    }

    /// Transforms a segment, unless it does not count.
    pub fn transform(&mut self, series: &Series<'_>, i: usize) -> Option<Filled> {
        let filled = match series {
            Series::Events { times, cuts, delta, .. } => {
                let cut = cuts[i];
                if cut.end < cut.first + 2 {
                    return None;
                }
                self.zeros();
                let photons =
                    times.count((cut.first, cut.end), cut.start, *delta, &mut self.real.input, &mut self.last);
                Filled { photons: (photons as f64).into(), variance: None }
            }
            Series::Flux { segments, .. } => self.load(segments[i].as_ref()?)?,
        };
        // Errors are given for what was measured, if only zeros.
        if filled.photons == Complex64::ZERO && matches!(series, Series::Events { .. }) {
            return None;
        }
        self.run();
        Some(filled)
    }

    /// The real samples, zeros.
    pub fn zeros(&mut self) -> &mut [f64] {
        self.complex = false;
        self.real.input.fill(0.0);
        &mut self.real.input
    }

    fn load(&mut self, flux: &Flux<'_>) -> Option<Filled> {
        if flux.errors.is_none() && flux.values.all_zero() {
            return None;
        }
        let samples = |real: &mut CpuFftBuffers, part: fn(&Complex64) -> f64, values: &[Complex64]| {
            real.input.iter_mut().zip(values).for_each(|(sample, value)| *sample = part(value));
        };
        match flux.values {
            Values::Real(values) => {
                self.complex = false;
                self.real.input.copy_from_slice(values);
            }
            Values::Complex(values) => {
                self.complex = true;
                let imaginary = self.imaginary.get_or_insert_with(|| self.fft.work());
                samples(&mut self.real, |z| z.re, values);
                samples(imaginary, |z| z.im, values);
            }
        }
        let mean = |errors: Values<'_>| errors.total() / errors.len() as f64;
        let variance = flux.errors.map(|errors| mean(errors) * mean(errors));
        Some(Filled { photons: flux.values.total(), variance })
    }

    /// Transforms the samples.
    pub fn run(&mut self) {
        self.fft.process(&mut self.real);
        if let Some(imaginary) = self.imaginary.as_mut().filter(|_| self.complex) {
            self.fft.process(imaginary);
        }
    }

    /// Amplitudes at positive frequencies, where the samples were real.
    pub fn positive(&self) -> Option<&[Complex64]> {
        let frequencies = eagleray::internal::numerics::fft::frequencies(self.n);
        (!self.complex).then(|| &self.real.output[1..=frequencies])
    }

    /// The amplitude at frequency `k`, of all `n`.
    pub fn amplitude(&self, k: usize) -> Complex64 {
        let half = |of: &CpuFftBuffers| if 2 * k <= self.n { of.output[k] } else { of.output[self.n - k].conj() };
        let real = half(&self.real);
        match self.imaginary.as_ref().filter(|_| self.complex) {
            None => real,
            Some(imaginary) => {
                let imaginary = half(imaginary);
                Complex64::new(real.re - imaginary.im, real.im + imaginary.re)
            }
        }
    }
}
