//! Many energy bands in one pass: the events of a segment are binned once, and each band is transformed once, for its powers and for its
//! cross spectrum with the reference or with the same band of other events.

use std::ops::Range;

use eagleray::internal::kernels::bin_events::bins_per_second;
use numpy::{Complex64, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::calls::{GivenEdges, GivenTimes, times};
use super::counters::Seam;
use super::parallel::{Sum, add_to, sum, worth_it};
use super::series::{Cut, Times};
use super::spectra::{cost, product};
use super::transform::{Work, with};

/// Ascending edges of bands that adjoin; a band has its lower edge.
pub struct Bands<'a>(pub &'a [f64]);

impl Bands<'_> {
    /// Number of bands.
    pub fn len(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// The band of an energy, from 0.
    pub fn of(&self, energy: f64) -> Option<usize> {
        let place = self.0.partition_point(|edge| *edge <= energy);
        (place > 0 && place < self.0.len()).then(|| place - 1)
    }
}

/// Events of one list.
struct Events<'a> {
    times: Times<'a>,
    energies: &'a [f64],
    cuts: Vec<Cut>,
}

/// With what each band is compared.
enum Other<'a> {
    /// Nothing.
    Nothing,
    /// A band of these events, or of the same.
    Reference { events: Option<&'a Events<'a>>, band: (f64, f64) },
    /// The same band of other events.
    Paired(&'a Events<'a>),
}

/// Sums of powers of one band, or of one band with another.
#[derive(Clone)]
struct BandSums<T> {
    segments: u64,
    photons: [f64; 2],
    power: Vec<T>,
}

impl<T: Copy + Default + std::ops::AddAssign> BandSums<T> {
    fn new(frequencies: usize) -> BandSums<T> {
        BandSums { segments: 0, photons: [0.0; 2], power: vec![T::default(); frequencies] }
    }

    fn add(&mut self, after: &BandSums<T>) {
        self.segments += after.segments;
        add_to(&mut self.photons, &after.photons);
        add_to(&mut self.power, &after.power);
    }
}

/// Sums of all bands.
struct AllSums {
    /// Events between the edges of segments: of each band, of the second list, and of the reference.
    within: Vec<u64>,
    /// Powers of each band, and of the reference behind them.
    powers: Vec<BandSums<f64>>,
    /// Cross spectra of each band.
    cross: Vec<BandSums<Complex64>>,
}

impl Sum for AllSums {
    fn add(&mut self, after: AllSums) {
        add_to(&mut self.within, &after.within);
        self.powers.iter_mut().zip(&after.powers).for_each(|(sum, more)| sum.add(more));
        self.cross.iter_mut().zip(&after.cross).for_each(|(sum, more)| sum.add(more));
    }
}

/// The histograms of all bands of one segment.
struct Binned {
    counts: Vec<f64>,
    /// Events between the edges of the segment, by band.
    within: Vec<u64>,
    /// Those in a bin.
    inside: Vec<u64>,
}

impl Binned {
    fn new(bands: usize, n: usize) -> Binned {
        Binned { counts: vec![0.0; bands * n], within: vec![0; bands], inside: vec![0; bands] }
    }

    fn fill(&mut self, events: &Events<'_>, i: usize, delta: f64, band_of: impl Fn(f64) -> Option<usize>) {
        let n = self.counts.len() / self.within.len().max(1);
        self.counts.fill(0.0);
        self.within.fill(0);
        self.inside.fill(0);
        let cut = events.cuts[i];
        for event in cut.first..cut.end.max(cut.first) {
            let Some(band) = band_of(events.energies[event]) else { continue };
            self.within[band] += 1;
            if let Some(bin) = events.times.bin(event, cut.start, delta, n) {
                self.counts[band * n + bin] += 1.0;
                self.inside[band] += 1;
            }
        }
    }

    /// Transforms a band, unless the segment does not count for it.
    fn transform(&self, band: usize, work: &mut Work) -> bool {
        if self.within[band] < 2 || self.inside[band] == 0 {
            return false;
        }
        let samples = work.zeros();
        let n = samples.len();
        samples.copy_from_slice(&self.counts[band * n..][..n]);
        work.run();
        true
    }
}

/// What a pass needs to know.
struct Pass<'a> {
    events: Events<'a>,
    bands: Bands<'a>,
    other: Other<'a>,
    delta: f64,
    n: usize,
    /// Positive frequencies that are wanted, from 0.
    frequencies: Range<usize>,
}

impl Pass<'_> {
    fn run(&self) -> Option<AllSums> {
        let segments = self.events.cuts.len();
        let transforms = segments * (self.bands.len() + 1);
        let parallel = worth_it(cost(transforms, self.n, 4 * self.events.energies.len()));
        // Enough segments together that their sums are worth the memory.
        let leaf = (segments / 64).clamp(1, 64);
        sum(0..segments, leaf, parallel, &|piece| self.piece(piece))
    }

    fn piece(&self, segments: Range<usize>) -> Option<AllSums> {
        let (count, wanted) = (self.bands.len(), self.frequencies.len());
        let mut sums = AllSums {
            within: vec![0; 2 * count + 1],
            powers: vec![BandSums::new(wanted); count + 1],
            cross: vec![BandSums::new(wanted); if matches!(self.other, Other::Nothing) { 0 } else { count }],
        };
        let mut first = Binned::new(count, self.n);
        let mut second = match self.other {
            Other::Nothing => Binned::new(0, 0),
            Other::Reference { .. } => Binned::new(1, self.n),
            Other::Paired(_) => Binned::new(count, self.n),
        };
        with(self.n, |[a, b]: [&mut Work; 2]| {
            for i in segments {
                first.fill(&self.events, i, self.delta, |energy| self.bands.of(energy));
                add_to(&mut sums.within, &first.within);
                let mut compared = false;
                match self.other {
                    Other::Nothing => {}
                    Other::Reference { events, band: (lo, hi) } => {
                        let within = |energy: f64| (energy >= lo && energy < hi).then_some(0);
                        second.fill(events.unwrap_or(&self.events), i, self.delta, within);
                        sums.within[2 * count] += second.within[0];
                        compared = second.transform(0, b);
                        if compared {
                            self.add_power(&mut sums.powers[count], second.inside[0], b);
                        }
                    }
                    Other::Paired(events) => {
                        second.fill(events, i, self.delta, |energy| self.bands.of(energy));
                        add_to(&mut sums.within[count..], &second.within);
                    }
                }
                for band in 0..count {
                    if !first.transform(band, a) {
                        continue;
                    }
                    self.add_power(&mut sums.powers[band], first.inside[band], a);
                    let with = match self.other {
                        Other::Paired(_) if second.transform(band, b) => second.inside[band],
                        Other::Reference { .. } if compared => second.inside[0],
                        _ => continue,
                    };
                    self.add_cross(&mut sums.cross[band], [first.inside[band], with], a, b);
                }
            }
        });
        Some(sums)
    }

    fn wanted<'w>(&self, work: &'w Work) -> &'w [Complex64] {
        work.positive().and_then(|all| all.get(self.frequencies.clone())).unwrap_or_default()
    }

    fn add_power(&self, sums: &mut BandSums<f64>, photons: u64, work: &Work) {
        sums.segments += 1;
        sums.photons[0] += photons as f64;
        let powers = self.wanted(work).iter().map(|z| z.re * z.re + z.im * z.im);
        sums.power.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
    }

    fn add_cross(&self, sums: &mut BandSums<Complex64>, photons: [u64; 2], a: &Work, b: &Work) {
        sums.segments += 1;
        add_to(&mut sums.photons, &photons.map(|count| count as f64));
        let powers = self.wanted(a).iter().zip(self.wanted(b)).map(|(a, b)| product(a, b));
        sums.power.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
    }
}

/// A list of events as Python gives it: times and energies.
type GivenEvents<'py> = (GivenTimes<'py>, PyReadonlyArray1<'py, f64>);

fn events<'a>(given: &'a GivenEvents<'_>, edges: &GivenEdges<'_>) -> PyResult<Events<'a>> {
    let times = times(&given.0)?;
    let energies = given.1.as_slice()?;
    if energies.len() != times.high.len() {
        return Err(PyValueError::new_err("times and energies differ in number"));
    }
    Ok(Events { times, energies, cuts: edges.cut(&times)? })
}

/// Sums of one band as Python reads them: segments, photons of both sides, powers.
type Found<'py, T> = (u64, f64, f64, Bound<'py, PyArray1<T>>);

fn found<T: numpy::Element>(py: Python<'_>, sums: BandSums<T>) -> Found<'_, T> {
    (sums.segments, sums.photons[0], sums.photons[1], sums.power.into_pyarray(py))
}

/// Powers and cross spectra of energy bands; nothing where times do not ascend. Of each band, of the bands of the second list and of the
/// reference: events in all and between edges of segments.
#[pyfunction]
#[pyo3(signature = (seams, given, edges, energies, size, n, frequencies, second = None, reference = None))]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
pub fn bands<'py>(
    py: Python<'py>,
    seams: Vec<Seam>,
    given: GivenEvents<'py>,
    edges: GivenEdges<'py>,
    energies: PyReadonlyArray1<'py, f64>,
    size: f64,
    n: usize,
    frequencies: (usize, usize),
    second: Option<GivenEvents<'py>>,
    reference: Option<(f64, f64)>,
) -> PyResult<Option<(Vec<u64>, Vec<u64>, Vec<Found<'py, f64>>, Vec<Found<'py, Complex64>>)>> {
    let first = events(&given, &edges)?;
    let second = second.as_ref().map(|second| events(second, &edges)).transpose()?;
    let bands = Bands(energies.as_slice()?);
    let done = py.detach(|| {
        if !first.times.ascend() || second.as_ref().is_some_and(|second| !second.times.ascend()) {
            return None;
        }
        let mut all = sizes(first.energies, &bands);
        all.extend(second.as_ref().map_or(vec![0; bands.len()], |second| sizes(second.energies, &bands)));
        let whole = second.as_ref().unwrap_or(&first).energies;
        all.push(reference.map_or(0, |(lo, hi)| whole.iter().filter(|e| **e >= lo && **e < hi).count() as u64));
        let other = match (reference, second.as_ref()) {
            (Some(band), events) => Other::Reference { events, band },
            (None, Some(events)) => Other::Paired(events),
            (None, None) => Other::Nothing,
        };
        let pass = Pass {
            events: first,
            bands,
            other,
            delta: bins_per_second(size, n),
            n,
            frequencies: frequencies.0..frequencies.1,
        };
        pass.run().map(|sums| (all, sums))
    });
    let Some((all, sums)) = done else { return Ok(None) };
    seams.into_iter().for_each(Seam::answer);
    let powers = sums.powers.into_iter().map(|one| found(py, one)).collect();
    Ok(Some((all, sums.within, powers, sums.cross.into_iter().map(|one| found(py, one)).collect())))
}

/// Events of each band.
fn sizes(energies: &[f64], bands: &Bands<'_>) -> Vec<u64> {
    let mut sizes = vec![0; bands.len()];
    energies.iter().filter_map(|energy| bands.of(*energy)).for_each(|band| sizes[band] += 1);
    sizes
}

/// Events of each band.
#[pyfunction]
pub fn band_sizes(
    py: Python<'_>,
    seams: Vec<Seam>,
    energies: PyReadonlyArray1<f64>,
    edges: PyReadonlyArray1<f64>,
) -> PyResult<Vec<u64>> {
    let (energies, bands) = (energies.as_slice()?, Bands(edges.as_slice()?));
    let made = py.detach(|| sizes(energies, &bands));
    seams.into_iter().for_each(Seam::answer);
    Ok(made)
}
