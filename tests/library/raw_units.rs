//! A device that takes the bytes of rows, as a GPU may: it decodes, selects and counts by itself, and its products have the bits of the
//! CPU's. It is given no decoded time of a file in order, and no row twice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::common::fits_file::{Column, Folder, codes, cpu, events, file, gti};
use crate::common::front::{self, on, threads};
use eagleray::data::{ChannelRange, Record};
use eagleray::device::Backend;
use eagleray::error::BackendError;
use eagleray::internal::backend::{
    BatchLimits, Capabilities, CpuBackend, CpuOptions, DeviceInfo, LeafBuilder, PlanId, RowLayout, RowsSeen,
    SegmentCounts, Takes, Ticket, UnitRows, Units,
};
use eagleray::internal::io::fits_table::{ElementType, FitsColumn};
use eagleray::internal::kernels::bin_events::bin_of;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, SegmentBatch, SeriesSegment, Unit};
use eagleray::internal::sums::PartialSums;
use eagleray::science::{CrossOptions, PowerOptions};
use eagleray::{
    Combine, DynamicalCross, DynamicalSpectrum, Norm, Observation, PhotonBand, PowerSpectrum, Result, Session,
};

/// A device that pulls raw rows, one unit after the other, and remembers what it was given.
struct RawDevice {
    cpu: CpuBackend,
    plans: BTreeMap<usize, (PlanId, PlanSpec)>,
    given: Arc<Mutex<Given>>,
}

/// What the device was given.
#[derive(Default)]
struct Given {
    /// How often each row came, by file.
    rows: BTreeMap<String, Vec<u32>>,
    /// Units whose times came decoded.
    decoded: usize,
    /// Units that came in rows.
    raw: usize,
}

impl Given {
    /// Notes that some rows of a file have come.
    fn note(&mut self, path: &str, begin: usize, rows: usize) {
        let seen = self.rows.entry(path.into()).or_default();
        seen.resize(seen.len().max(begin + rows), 0);
        seen[begin..begin + rows].iter_mut().for_each(|count| *count += 1);
    }
}

impl RawDevice {
    fn new(given: Arc<Mutex<Given>>) -> RawDevice {
        RawDevice { cpu: cpu(), plans: BTreeMap::new(), given }
    }

    fn spec(&self, plan: PlanId) -> PlanSpec {
        self.plans.values().find(|(id, _)| *id == plan).unwrap().1.clone()
    }
}

impl Backend for RawDevice {
    fn info(&self) -> &DeviceInfo {
        self.cpu.info()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities { takes: Takes::Rows, unit_bytes: 4096, ..Capabilities::BATCHES }
    }
    fn prepare(&mut self, spec: &PlanSpec) -> std::result::Result<PlanId, BackendError> {
        let id = self.cpu.prepare(spec)?;
        self.plans.insert(self.plans.len(), (id, spec.clone()));
        Ok(id)
    }
    fn release(&mut self, plan: PlanId) {
        self.cpu.release(plan);
    }
    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.cpu.limits(plan)
    }
    fn submit(&mut self, _: PlanId, _: Arc<SegmentBatch>) -> std::result::Result<Ticket, BackendError> {
        panic!("it takes no batches")
    }
    fn collect(&mut self, _: Ticket) -> std::result::Result<PartialSums, BackendError> {
        panic!("it takes no batches")
    }
    fn depth(&self) -> usize {
        1
    }
    fn pull(&mut self, plan: PlanId, units: &dyn Units) -> Result<()> {
        let spec = self.spec(plan);
        let mut leaves = Leaves {
            spec: &spec,
            leaf: LeafBuilder::new(&spec, CpuOptions::default()),
            counts: SegmentCounts::new(&spec),
        };
        for unit in (0..units.count()).map_while(|place| units.unit(place)) {
            let mut sums = PartialSums::new();
            let findings = if units.in_sequence() {
                self.given.lock().unwrap().decoded += 1;
                units.times(unit, &mut |times| {
                    sums = leaves.of_unit(unit, |rows, counts| {
                        times.segment(rows[0].index, &mut |which, times, start| {
                            rows[which].events += times.len() as u64;
                            counts.count(which, times, start);
                        })?;
                        Ok(())
                    })?;
                    Ok(())
                })
            } else {
                self.given.lock().unwrap().raw += 1;
                units.rows(unit, &mut |inputs| {
                    sums = self.of_rows(unit, units, inputs, &mut leaves)?;
                    Ok(())
                })
            };
            units.add(sums);
            units.done(unit, findings);
        }
        Ok(())
    }
}

/// Makes leaves by the library's definition.
struct Leaves<'a> {
    spec: &'a PlanSpec,
    leaf: LeafBuilder,
    counts: SegmentCounts,
}

impl Leaves<'_> {
    /// The sums of a unit's runs, each segment counted by `count`.
    fn of_unit(
        &mut self,
        unit: &Unit,
        mut count: impl FnMut(&mut [SeriesSegment], &mut SegmentCounts) -> Result<()>,
    ) -> Result<PartialSums> {
        let (mut sums, run) = (self.spec.empty_sums(), self.spec.run_length());
        for first in unit.segments.clone().step_by(run as usize) {
            self.leaf.begin();
            for index in first..(first + run).min(unit.segments.end) {
                let mut rows = vec![SeriesSegment::empty(index); self.spec.series()];
                self.counts.clear();
                count(&mut rows, &mut self.counts)?;
                self.leaf.add(&rows, &mut self.counts);
            }
            assert_eq!(first % run, 0, "a unit begins with a run");
            sums.push_run(first / run, self.leaf.finish());
        }
        Ok(sums)
    }
}

impl RawDevice {
    /// Decodes all rows of a unit, counts the segments, and says what became of the rows.
    fn of_rows(
        &self,
        unit: &Unit,
        units: &dyn Units,
        inputs: &mut [UnitRows],
        leaves: &mut Leaves,
    ) -> Result<PartialSums> {
        // Times of each band of each input, and whether a segment has them.
        let mut times: Vec<Vec<Vec<(f64, bool)>>> = Vec::new();
        for input in inputs.iter_mut() {
            let layout = input.rows.layout().clone();
            let mut bands = vec![Vec::new(); layout.bands.as_ref().map_or(1, Vec::len)];
            let path = input.rows.path().to_string();
            while let Some((begin, bytes)) = input.rows.next_rows(100)? {
                self.given.lock().unwrap().note(&path, begin, bytes.len() / layout.row_size);
                bytes.chunks(layout.row_size).for_each(|row| decode(row, &layout, &mut input.seen, &mut bands));
            }
            times.push(bands);
        }
        let spec = leaves.spec;
        let sums = leaves.of_unit(unit, |rows, counts| {
            for (input, bands) in inputs.iter().zip(&mut times) {
                let Some(segment) = units.segment(input.input, rows[0].index) else { continue };
                for (band, times) in bands.iter_mut().enumerate() {
                    let (which, mut bins, mut dropped) = (input.series.start + band, vec![0; spec.n], 0);
                    for (t, used) in times.iter_mut().filter(|(t, _)| (segment.first..segment.stop).contains(t)) {
                        *used = true;
                        rows[which].events += 1;
                        match bin_of(*t, segment.start, spec.delta(), spec.n) {
                            Some(bin) => bins[bin] += 1,
                            None => dropped += 1,
                        }
                    }
                    counts.add_bins(which, &bins, dropped);
                }
            }
            Ok(())
        })?;
        for (input, bands) in inputs.iter_mut().zip(&times) {
            let counted = bands.iter().zip(&input.counted).filter(|(_, counted)| **counted);
            for (t, _) in counted.flat_map(|(times, _)| times).filter(|(_, used)| !used) {
                let inside = input.intervals.iter().any(|(start, stop)| start <= t && t < stop);
                let balance = &mut input.seen.balance;
                *(if inside { &mut balance.outside_segments } else { &mut balance.outside_gti }) += 1;
            }
        }
        Ok(sums)
    }
}

/// Decodes and selects one row.
fn decode(row: &[u8], layout: &RowLayout, seen: &mut RowsSeen, bands: &mut [Vec<(f64, bool)>]) {
    let t = value(row, &layout.time) * layout.time_factor;
    seen.balance.read += 1;
    if !t.is_finite() {
        seen.times.not_finite += 1;
        seen.balance.dropped += 1;
        return;
    }
    seen.times.sorted &= seen.ends.is_none_or(|(_, last)| last <= t);
    seen.times.first = seen.times.first.min(t);
    seen.times.last = seen.times.last.max(t);
    seen.ends = Some((seen.ends.map_or(t, |(first, _)| first), t));
    assert!(layout.marker.is_none() && layout.detectors.is_none(), "not in these files");
    let channel = layout.channel.as_ref().map(|column| value(row, column));
    let has = |range: &ChannelRange| {
        let c = channel.unwrap();
        range.lo <= c && if range.closed { c <= range.hi } else { c < range.hi }
    };
    let mut kept = layout.channels.as_ref().is_none_or(has);
    match &layout.bands {
        Some(ranges) if kept => {
            let of: Vec<usize> = (0..ranges.len()).filter(|&band| has(&ranges[band])).collect();
            kept = !of.is_empty();
            of.into_iter().for_each(|band| bands[band].push((t, false)));
        }
        None if kept => bands[0].push((t, false)),
        _ => {}
    }
    seen.balance.filtered += u64::from(!kept);
}

/// The value of a column in a row, big-endian.
fn value(row: &[u8], column: &FitsColumn) -> f64 {
    let bytes = &row[column.offset..];
    let raw = match column.kind {
        ElementType::F64 => f64::from_be_bytes(bytes[..8].try_into().unwrap()),
        ElementType::U8 => f64::from(bytes[0]),
        ElementType::I16 => f64::from(i16::from_be_bytes(bytes[..2].try_into().unwrap())),
        kind => panic!("no column of these files is {kind:?}"),
    };
    raw * column.scale + column.zero
}

const GTIS: [(f64, f64); 3] = [(0.0, 400.0), (400.5, 401.0), (420.0, 995.0)];

fn times(count: u64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut next = || random.uniform();
    let mut times: Vec<f64> = (0..count).map(|_| -3.0 + 1003.0 * next()).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn bytes(times: &[f64], gtis: &[(f64, f64)]) -> Vec<u8> {
    let channels: Vec<i16> = (0..times.len()).map(|i| (i * 7 % 100) as i16).collect();
    file(&[events(vec![Column::i16("PI", &channels), Column::f64("TIME", times)]).set("DATASUM", "'1'"), gti(gtis)])
}

/// What is compared of a product: numbers, and what it says of its making.
type Outcome = (Vec<Vec<u64>>, Record);

fn bits(columns: &[&[f64]]) -> Vec<Vec<u64>> {
    columns.iter().map(|column| column.iter().map(|x| x.to_bits()).collect()).collect()
}

/// Runs a product of files on the CPU and on the raw device, and compares all. `sorted` says whether the files are in order.
fn check(what: &str, paths: &[PathBuf], sorted: bool, product: impl Fn(&[PathBuf], &Session) -> Result<Outcome>) {
    let given = Arc::default();
    let (numbers, made) = product(paths, &on(RawDevice::new(Arc::clone(&given)))).unwrap();
    let (expected, made_by_cpu) = product(paths, &threads(2)).unwrap();
    let device = given.lock().unwrap();
    assert!(expected[0].len() > 10 && numbers == expected, "{what}: numbers");
    assert_eq!((&made.photons, &made.gti), (&made_by_cpu.photons, &made_by_cpu.gti), "{what}");
    assert!(made.photons.is_exact() && made.photons.used > 1000, "{what}: {}", made.photons);
    let mut said = [codes(&made.warnings), codes(&made_by_cpu.warnings)];
    said.iter_mut().for_each(|codes| codes.sort_unstable());
    assert_eq!(said[0], said[1], "{what}");
    let hashes = |made: &Record| made.inputs.iter().map(|input| input.crc32.clone()).collect::<Vec<_>>();
    assert!(hashes(&made) == hashes(&made_by_cpu) && hashes(&made).iter().all(|hash| hash.len() == 8), "{what}");
    assert!(device.raw > 0 && device.rows.values().flatten().all(|&count| count <= 1), "{what}: a row came twice");
    if sorted {
        assert_eq!(device.decoded, 0, "{what}: decoded times of files in order");
        assert!(device.raw > 10 * paths.len(), "{what}: {} units", device.raw);
        for path in paths {
            let rows = &device.rows[path.to_str().unwrap()];
            assert!(rows.iter().all(|&count| count == 1), "{what}: a row did not come");
        }
    } else {
        assert_eq!(device.decoded, 1, "{what}: sorted times come in sequence");
    }
}

fn analysis() -> PowerSpectrum {
    let power = PowerOptions { norm: Norm::Frac, use_common_mean: false, ..PowerOptions::default() };
    front::power(1.0 / 64.0, 1.5, power)
}

fn power(paths: &[PathBuf], combine: Combine, session: &Session) -> Result<Outcome> {
    let s = session.run(&analysis(), &Observation::open(paths)?.combine(combine))?;
    Ok((bits(&[&s.power, &s.unnorm_power, &s.power_err]), s.meta.record))
}

fn write(folder: &Folder, name: &str, times: &[f64], gtis: &[(f64, f64)]) -> PathBuf {
    folder.write(name, &bytes(times, gtis))
}

#[test]
fn power_spectra_of_raw_rows_have_the_bits_of_the_cpu() {
    let folder = Folder::new();
    let (a, b) = (times(30_001, 1), times(20_003, 2));
    let later: Vec<(f64, f64)> = GTIS.iter().map(|(a, b)| (a + 2000.0, b + 2000.0)).collect();
    let moved: Vec<f64> = b.iter().map(|t| t + 2000.0).collect();
    let mut holes = a.clone();
    holes.iter_mut().step_by(97).for_each(|t| *t = f64::NAN);
    let first = write(&folder, "a", &a, &GTIS);
    let second = write(&folder, "b", &moved, &later);
    let same_time = write(&folder, "c", &b, &[(3.0, 900.0)]);
    let with_holes = write(&folder, "d", &holes, &GTIS);
    for (what, paths, combine) in [
        ("one", vec![first.clone()], Combine::Average),
        ("averaged", vec![first.clone(), second], Combine::Average),
        ("merged", vec![first, same_time], Combine::Merge),
        ("holes", vec![with_holes], Combine::Average),
    ] {
        check(what, &paths, true, |paths, session| power(paths, combine, session));
    }
}

#[test]
fn spectra_of_bands_and_files_of_raw_rows_have_the_bits_of_the_cpu() {
    let folder = Folder::new();
    let first = write(&folder, "a", &times(30_001, 3), &GTIS);
    let second = write(&folder, "b", &times(30_001, 4), &[(3.0, 900.0)]);
    let observed = |paths: &[PathBuf]| match paths {
        [subject, reference] => Observation::pair(Observation::open([subject])?, Observation::open([reference])?),
        one => Observation::open(one),
    };
    let reference = PhotonBand::Channels(30.0, 90.0);
    for (what, paths, bands) in [
        ("bands", vec![first.clone()], Some([PhotonBand::Channels(10.0, 29.0), reference])),
        ("inside", vec![first.clone()], Some([PhotonBand::Channels(40.0, 59.0), reference])),
        ("files", vec![first.clone(), second], None),
    ] {
        for fullspec in [false, true] {
            let cross = CrossOptions { fullspec, use_common_mean: false, ..CrossOptions::default() };
            let mut analysis = front::cross(1.0 / 64.0, 1.5, cross);
            analysis.bands = bands;
            check(what, &paths, true, |paths, session| {
                let s = session.run(&analysis, &observed(paths)?)?;
                Ok((bits(&[&s.power_re, &s.power_im, &s.power1, &s.power2, &s.noise1]), s.meta.record))
            });
            if fullspec {
                continue;
            }
            let rows = DynamicalCross::default().spectrum(analysis);
            check(what, &paths, true, |paths, session| {
                let s = session.run(&rows, &observed(paths)?)?;
                Ok((bits(&[&s.power_re, &s.power_im, &s.power1, &s.power2]), s.meta.record))
            });
        }
    }
    let path = [first];
    check("dynamical", &path, true, |paths, session| {
        let s = session.run(&DynamicalSpectrum::default().spectrum(analysis()), &Observation::open(paths)?)?;
        Ok((bits(&[&s.power]), s.meta.record))
    });
}

#[test]
fn rows_out_of_order_are_thrown_away_and_come_decoded_and_sorted() {
    let folder = Folder::new();
    let sorted = times(30_001, 5);
    let in_order = write(&folder, "sorted", &times(20_003, 6), &[(3.0, 900.0)]);
    for (i, j) in [(0, 1), (7_000, 7_001), (29_999, 30_000), (100, 20_000)] {
        let mut swapped = sorted.clone();
        swapped.swap(i, j);
        let path = write(&folder, "swapped", &swapped, &GTIS);
        for (what, paths, combine) in [
            ("one", vec![path.clone()], Combine::Average),
            ("merged", vec![in_order.clone(), path.clone()], Combine::Merge),
        ] {
            check(what, &paths, false, |paths, session| power(paths, combine, session));
        }
    }
}
