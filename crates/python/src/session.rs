//! Sessions, which ask Python ten times a second whether to go on.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

use eagleray::device::{AdapterSelector, DeviceChoice, GpuTier, Precision};
use eagleray::{Analysis, Error};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::convert::Named;
use crate::errors::exception;
use crate::observation::Observation;
use crate::product::{Held, Product};

thread_local! {
    /// What ended the run of this thread: an interrupt, or an exception of the callback.
    static ENDED_BY: RefCell<Option<PyErr>> = const { RefCell::new(None) };
    /// The sessions that this thread is in a run of: what a run calls back may ask for another one.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// How often a run that waits for its turn looks whether it is interrupted.
const WAIT: Duration = Duration::from_millis(2);

/// Where and how analyses are computed.
#[pyclass(frozen, module = "eagleray._eagleray")]
pub struct Session {
    inner: eagleray::Session,
    /// Whose turn it is: the device takes one run after the other, and who waits for it can be interrupted.
    turn: Mutex<()>,
}

/// A run of a session in this thread, until it is dropped.
struct Running;

impl Running {
    fn new(session: &Session) -> Running {
        RUNNING.with_borrow_mut(|running| running.push(session.address()));
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (backend, adapter, gpu_profile, precision, threads, strict, progress))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        backend: &str,
        adapter: Option<String>,
        gpu_profile: Named<GpuTier>,
        precision: Option<Named<Precision>>,
        threads: Option<usize>,
        strict: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Session> {
        refuse_forked()?;
        let threads = match threads {
            Some(count) => Some(
                NonZeroUsize::new(count)
                    .ok_or_else(|| exception(Error::argument("threads", count, "must be 1 at least")))?,
            ),
            None => None,
        };
        let tier = gpu_profile.0;
        let precision = precision.map_or(Precision::Single, |named| named.0);
        let choice = match (backend, adapter) {
            ("cpu", None) => DeviceChoice::Cpu { threads },
            ("cpu", Some(name)) => {
                return Err(exception(Error::argument("adapter", name, "names a GPU, but the backend is the CPU")));
            }
            ("auto", None) => DeviceChoice::Auto { tier, precision, threads },
            ("auto" | "gpu", name) => {
                let adapter = match name {
                    None => AdapterSelector::default(),
                    Some(name) => match name.parse() {
                        Ok(index) => AdapterSelector::Index(index),
                        Err(_) => AdapterSelector::Name(name),
                    },
                };
                DeviceChoice::Gpu { adapter, tier, precision }
            }
            (other, _) => {
                return Err(exception(Error::argument("backend", other, "must be one of auto, cpu, gpu")));
            }
        };
        let opened = eagleray::Session::open(&choice).map_err(exception)?;
        let inner = opened.strict(strict).watched_by(move |done, total| ask(progress.as_ref(), done, total));
        Ok(Session { inner, turn: Mutex::new(()) })
    }

    /// Whether this thread is in a run of the session, which another run would wait for without end.
    #[getter]
    fn running_here(&self) -> bool {
        RUNNING.with_borrow(|running| running.contains(&self.address()))
    }

    /// The device: backend, adapter and threads.
    #[getter]
    fn device(&self) -> (String, String, usize) {
        let info = self.inner.device();
        (info.backend.to_string(), info.adapter.clone(), info.threads)
    }
}

impl Session {
    /// Computes a product without holding the interpreter.
    pub fn run<A>(&self, py: Python<'_>, analysis: &A, observation: &Observation) -> PyResult<Product>
    where
        A: Analysis,
        A::Product: Held + 'static,
    {
        self.working(py, |session| session.run(analysis, &observation.inner)).map(Product::new)
    }

    /// Begins an analysis of segments that come once.
    pub fn begin<A: eagleray::internal::engine::Streamed>(
        &self,
        analysis: &A,
        values: eagleray::FluxValues,
    ) -> PyResult<eagleray::Feed<A>> {
        refuse_forked()?;
        Ok(self.inner.begin(analysis, values))
    }

    /// Does some work without holding the interpreter; what ended it comes back as it was raised.
    pub fn working<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&eagleray::Session) -> eagleray::Result<T> + Send,
    ) -> PyResult<T> {
        refuse_forked()?;
        let _turn = self.turn(py)?;
        let _running = Running::new(self);
        let made = py.detach(|| work(&self.inner));
        ended(made)
    }

    /// Waits for the turn of a run.
    fn turn(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, ()>> {
        if self.running_here() {
            return Err(PyRuntimeError::new_err(
                "the session is in the run that called this: another session is needed",
            ));
        }
        loop {
            match self.turn.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    py.check_signals()?;
                    py.detach(|| std::thread::sleep(WAIT));
                }
            }
        }
    }

    /// What tells one session from another.
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// A result, or what ended the work before it was done.
pub fn ended<T>(made: eagleray::Result<T>) -> PyResult<T> {
    match (made, ENDED_BY.take()) {
        (Err(Error::Cancelled), Some(raised)) => Err(raised),
        (made, _) => made.map_err(exception),
    }
}

/// Asks whether to go on: signals first, then the callback.
fn ask(progress: Option<&Py<PyAny>>, done: u64, total: u64) -> ControlFlow<()> {
    let asked = Python::attach(|py| {
        py.check_signals()?;
        match progress {
            Some(callback) => callback.call1(py, (done, total)).map(drop),
            None => Ok(()),
        }
    });
    match asked {
        Ok(()) => ControlFlow::Continue(()),
        Err(raised) => {
            ENDED_BY.replace(Some(raised));
            ControlFlow::Break(())
        }
    }
}

/// Threads and devices do not survive a fork.
fn refuse_forked() -> PyResult<()> {
    static FIRST: OnceLock<u32> = OnceLock::new();
    let here = std::process::id();
    if *FIRST.get_or_init(|| here) == here {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(
        "eagleray was used before this process was forked, and its threads and devices are those of the parent; start processes \
         with multiprocessing.get_context('spawn'), or use eagleray in the children alone",
    ))
}

/// The adapters that GPUs can be chosen from, as JSON.
#[pyfunction]
pub fn devices(py: Python<'_>) -> PyResult<String> {
    refuse_forked()?;
    let adapters = py.detach(eagleray::internal::backend::adapters);
    serde_json::to_string(&adapters).map_err(|e| PyRuntimeError::new_err(e.to_string()))
}
