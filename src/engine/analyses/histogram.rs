//! Histograms of events over any edges of time and energy.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::data::columns::HISTOGRAM;
use crate::data::histogram::{EnergyAxis, HistogramMetadata};
use crate::data::product::ProductKind;
use crate::data::{ChannelRange, EventBalance, Histogram, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::combine::{combined_gtis, union_of};
use crate::engine::counts::{CountingOptions, each_kept, threads};
use crate::engine::each_segment::device;
use crate::engine::histogram::{EnergyBins, HistogramCounts, TimeBins, good_time_between};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::run::{Run, asked_of};
use crate::engine::time_source;
use crate::io::EventFile;
use crate::io::table_write::written_as_table;

/// The most counts of one histogram: 1 GiB.
const MOST_COUNTS: usize = 1 << 27;

/// Bytes of each bin of time besides its counts: copies of its edge, where it lies among the intervals, and its exposure.
const BYTES_A_TIME: usize = 8 * size_of::<f64>();
/// Bytes of each bin of energy besides its counts: its channels in order and its number, of detector 0 and of the others, and its edge in the options
/// of the record, as values and as text.
const BYTES_A_BAND: usize =
    2 * (size_of::<ChannelRange>() + size_of::<usize>()) + 3 * size_of::<serde_json::Value>() + 48;

/// Events counted in bins of time, and optionally of energy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct Counting {
    /// Edges of the time bins, ascending, seconds of the frame.
    #[serde(skip)]
    pub times: Vec<f64>,
    /// Edges of the energy bins, ascending, keV or channels; empty for one bin of all energies.
    pub energies: Vec<f64>,
    /// What `energies` is given in.
    pub axis: EnergyAxis,
}

impl Counting {
    /// A histogram with these time bins and without energy bins.
    pub fn new(times: Vec<f64>) -> Counting {
        Counting { times, ..Counting::default() }
    }

    setters! {
        /// Edges of the energy bins.
        energies(Vec<f64>) => energies;
        /// What the edges of the energy bins are given in.
        axis(EnergyAxis) => axis;
    }

    fn check(&self, inputs: usize, bands: &[Vec<ChannelRange>]) -> Result<()> {
        let check = |field: &str, edges: &[f64], least: usize| {
            let ascending = edges.windows(2).all(|w| w[0] < w[1]) && edges.iter().all(|e| e.is_finite());
            if !ascending || edges.len() < least || edges.len() == 1 {
                let message = "edges are finite numbers, each above the one before, two at least";
                return Err(Error::argument(field, edges.len(), message));
            }
            Ok(())
        };
        check("times", &self.times, 2)?;
        check("energies", &self.energies, 0)?;
        let columns = self.energies.len().saturating_sub(1);
        if bands.len() != inputs || bands.iter().any(|b| b.len() != columns) {
            return Err(Error::argument(
                "bands",
                bands.len(),
                "each input has a range of channels for each bin of energy",
            ));
        }
        Ok(())
    }

    /// Refuses more counts than there may be, and lists of edges, channels and counts that memory does not hold, before one of them is made; the number
    /// of counts.
    fn check_memory(&self, inputs: usize) -> Result<usize> {
        let (rows, columns) = (self.times.len().saturating_sub(1), self.energies.len().saturating_sub(1));
        let cells = rows.saturating_mul(columns.max(1));
        if cells > MOST_COUNTS {
            let message =
                format!("makes {rows} bins of time and {columns} of energy; the most is {MOST_COUNTS} counts");
            let (field, bins) = if columns > rows { ("energies", columns) } else { ("times", rows) };
            return Err(Error::argument(field, bins, message));
        }
        let counted = 2 + threads(cells.saturating_mul(size_of::<u64>()));
        Footprint::less_by(&["times", "energies"])
            .and(cells, counted * size_of::<u64>())
            .and(rows, BYTES_A_TIME)
            .and(columns, size_of::<f64>() + inputs * size_of::<ChannelRange>() + BYTES_A_BAND)
            .check(&format!("the histogram of {cells} bins"))?;
        Ok(cells)
    }

    /// The channels of each bin of energy in one file.
    fn bands(&self, file: &EventFile) -> Result<Vec<ChannelRange>> {
        let range = |w: &[f64]| match self.axis {
            EnergyAxis::Energy => PhotonBand::Energy(w[0], w[1]).channels(file, ("energies", "channels")),
            _ => Ok(ChannelRange { closed: false, ..ChannelRange::channels(w[0], w[1]) }),
        };
        self.energies.windows(2).map(range).collect()
    }
}

written_as_table!(Histogram);

#[allow(private_interfaces)]
impl Analysis for Counting {
    type Product = Histogram;
    const NAME: &'static str = "histogram";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[&HISTOGRAM];

    /// A bin holds `lo ≤ t < hi`, compared exactly, with the time offset of the file included. In the balance, events in no energy
    /// bin are `filtered`, events outside every interval `outside_gti`, events in no time bin `outside_segments`.
    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Histogram> {
        let (mut inputs, combine) = (observation.events(&mut run.warnings)?, observation.combination());
        let cells = self.check_memory(inputs.len())?;
        let mut bands = observation.files().into_iter().map(|file| self.bands(file)).collect::<Result<Vec<_>>>()?;
        // Times in memory have no energies.
        bands.resize(inputs.len(), Vec::new());
        self.check(inputs.len(), &bands)?;
        let gtis = combined_gtis(&inputs, combine, &mut run.warnings)?;
        let union = union_of(&inputs, &gtis, combine)?;
        let columns = self.energies.len().saturating_sub(1).max(1);
        let mut counts = vec![0; cells];
        let (mut photons, reading) = (EventBalance::default(), run.reading());
        run.progress.begin(time_source::rows(&inputs));
        for ((input, gti), bands) in inputs.iter_mut().zip(&gtis).zip(&bands) {
            let cells = TimeBins::new(&self.times, gti, input.offset, EnergyBins::new(bands));
            let (size, values) = (counts.len(), !bands.is_empty());
            let way = CountingOptions { values, threads: threads(size * size_of::<u64>()) };
            let fresh = || HistogramCounts { counts: vec![0; size], ..HistogramCounts::default() };
            let (found, mut balance) = each_kept(input, &way, reading, fresh, |found, kept| cells.count(kept, found))?;
            for one in found {
                counts.iter_mut().zip(&one.counts).for_each(|(all, own): (&mut u64, &u64)| *all += own);
                balance.used += one.used;
                balance.outside_gti += one.outside_gti;
                balance.outside_segments += one.outside_bins;
                balance.filtered += one.filtered;
            }
            photons.add(&balance);
        }
        inputs.iter_mut().try_for_each(|input| input.inspect(&mut run.warnings))?;
        debug_assert!(photons.is_exact(), "{photons}");
        let exposure: Vec<f64> = self.times.windows(2).map(|w| good_time_between(&union, w[0], w[1])).collect();
        if let (Some((start, _)), Some((_, stop))) = (union.intervals().first(), union.intervals().last())
            && exposure.iter().all(|seconds| *seconds == 0.0)
        {
            let edges =
                self.times.first().zip(self.times.last()).map_or(String::new(), |(lo, hi)| format!("{lo}:{hi}"));
            let message = format!("no bin has good time, which is from {} to {} s", start.value(), stop.value());
            return Err(Error::argument("times", edges, message));
        }
        let mut made = time_source::describe(&inputs);
        for ((record, input), bands) in made.inputs.iter_mut().zip(&inputs).zip(&bands) {
            if let Some((file, _)) = input.origin.as_ref().filter(|_| !bands.is_empty()) {
                record.channel_column = file.channel_name().unwrap_or_default().to_string();
            }
        }
        let (nphots, options, warnings) = (photons.used, asked_of(self, combine), run.take_warnings());
        let gti = union.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
        let record = Record { device: device(), options, photons, warnings, gti, ..made };
        let (n, exposure_total) = (exposure.len(), exposure.iter().sum());
        let meta = HistogramMetadata { n, energies: columns, nphots, exposure_total, record };
        let Counting { times, energies, axis } = self.clone();
        Ok(Histogram { times, energies, axis, counts, exposure, meta })
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check_memory(observation.files().len().max(1))?;
        let exposure = observation.good_time(&mut run.warnings)?.exposure();
        Ok(PlanReport { exposure, ..PlanReport::default() })
    }

    fn record(product: &Histogram) -> &Record {
        &product.meta.record
    }
}
