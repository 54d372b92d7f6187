//! What a run of `gpu-bench` found, as `--json` writes it and `--compare` reads it: schema 1, described in docs/gpu-bench.md and
//! docs/gpu-bench.schema.json.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sample::TimingSamples;
use super::scaling::Scaling;
use eagleray::internal::backend::AdapterReport;
use eagleray::internal::trace::Stage;
use eagleray::{Error, Result};

/// Name of the schema.
pub const SCHEMA: &str = "eagleray-gpu-bench";
/// Its version: a reader of one version reads no other. New fields that may be left out do not change it.
pub const VERSION: u32 = 1;

/// One run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BenchRecord {
    /// [`SCHEMA`].
    pub schema: String,
    /// [`VERSION`].
    pub schema_version: u32,
    /// Version of this library.
    pub eagleray_version: String,
    /// `release` or `debug`.
    pub build: String,
    /// Seconds since 1970.
    pub unix_time: u64,
    /// `--quick`.
    pub quick: bool,
    /// The computer.
    pub machine: Machine,
    /// The GPUs as `eagleray devices` lists them.
    pub adapters: Vec<AdapterReport>,
    /// What `--backend auto` takes: an adapter's name, or `cpu`.
    pub auto: String,
    /// Every kernel in every variant on every device.
    pub checks: Vec<KernelCheck>,
    /// What the machine can do.
    pub rates: Vec<MachineRate>,
    /// What the program does.
    pub timings: Vec<BenchTiming>,
    /// Threads of the CPU.
    pub scaling: Option<Scaling>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// The computer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Processor.
    pub processor: String,
    /// Threads that it runs at a time.
    pub cores: usize,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Operating system and architecture.
    pub system: String,
    /// Load average over a minute at the beginning: of others, and of what ran before.
    pub load_before: Option<f64>,
    /// At the end: of others and of this.
    pub load_after: Option<f64>,
    /// Most memory in use by this process, bytes.
    pub peak_memory_bytes: Option<u64>,
}

/// One variant of a kernel on one device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KernelCheck {
    /// Name in the table of kernels.
    pub kernel: String,
    /// Variant.
    pub variant: String,
    /// Adapter, or `cpu`.
    pub device: String,
    /// Tier; empty for the CPU.
    pub profile: String,
    /// Cases tried; 0 where the device cannot run the variant.
    pub cases: usize,
    /// Values compared.
    pub values: usize,
    /// Events in the cases.
    pub events: usize,
    /// Values out of bounds; of a histogram, bins with a wrong count.
    pub wrong: usize,
    /// Largest error in units of its bound; `null` where it is not finite.
    pub worst: Option<f64>,
    /// What failed first, in words; `null` where all is well.
    pub failure: Option<String>,
    /// First wrong index of that case.
    pub first_wrong: Option<usize>,
}

/// Something that the machine does so many of in a second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachineRate {
    /// Adapter, or `cpu`.
    pub device: String,
    /// What.
    pub name: String,
    /// `B/s`, `op/s`, `s`.
    pub unit: String,
    /// Best sample: what the machine can do when nobody disturbs it.
    pub best: f64,
    /// Median of the samples.
    pub median: f64,
    /// Median absolute deviation from it.
    pub mad: f64,
}

/// Something that was timed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BenchTiming {
    /// Tells it from all others, and is the same in every run: kind/name/size/device/profile.
    pub id: String,
    /// `kernel`, `workload` or `peer`.
    pub kind: String,
    /// Kernel and variant, or workload, or peer and workload.
    pub name: String,
    /// Adapter, or `cpu`.
    pub device: String,
    /// Tier; empty for the CPU.
    pub profile: String,
    /// Bins, rows, segments, events, bytes.
    pub size: BTreeMap<String, u64>,
    /// Median time, s.
    pub median: f64,
    /// Median absolute deviation from it, s.
    pub mad: f64,
    /// All times, s, in the order in which they were taken.
    pub samples: Vec<f64>,
    /// Time of all cores during each, s; empty where it is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cores: Vec<f64>,
    /// Cores that others kept busy meanwhile, on average; `None` where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<f64>,
    /// What the machine's rates allow; `null` where nothing is known to bound it.
    pub limit: Option<TimeLimit>,
    /// Limit over median: 1 is perfect.
    pub fraction: Option<f64>,
    /// Time of each stage in one more run, all threads together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<String, Stage>,
    /// Time of each pass on the device in that run, s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passes: BTreeMap<String, f64>,
    /// Bytes read, uploaded and read back in that run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bytes: BTreeMap<String, u64>,
    /// Most memory in use by the process during that run, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
}

/// The least time that the rates allow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeLimit {
    /// s: the largest of the terms.
    pub seconds: f64,
    /// Which one that is.
    pub by: String,
    /// Every term, s.
    pub terms: BTreeMap<String, f64>,
    /// Floating-point operations over bytes, for the roofline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity: Option<f64>,
}

impl TimeLimit {
    /// The largest of some terms; `None` without any.
    pub fn from_terms(terms: impl IntoIterator<Item = (&'static str, f64)>) -> Option<TimeLimit> {
        let terms: BTreeMap<String, f64> =
            terms.into_iter().filter(|(_, s)| s.is_finite() && *s > 0.0).map(|(name, s)| (name.into(), s)).collect();
        let (by, &seconds) = terms.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(TimeLimit { seconds, by: by.clone(), terms: terms.clone(), intensity: None })
    }
}

impl BenchTiming {
    /// With its samples, and the limit beside them.
    pub fn with(self, samples: TimingSamples, limit: Option<TimeLimit>) -> BenchTiming {
        let TimingSamples { seconds: samples, mut cores, others } = samples;
        cores.retain(|time| time.is_finite());
        let (median, mad) = (super::sample::median(&samples), super::sample::mad(&samples));
        let fraction = limit.as_ref().map(|limit| limit.seconds / median);
        BenchTiming { median, mad, samples, cores, others, limit, fraction, ..self }
    }
}

impl BenchRecord {
    /// Reads a file that `--json` wrote.
    ///
    /// # Errors
    /// The system's own; no such record; another version.
    pub fn read(path: &Path) -> Result<BenchRecord> {
        let text = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let refuse = |message: String| {
            let message = format!("{message}; it should be what `gpu-bench --json` wrote");
            Error::format(path.display(), "whole file", message)
        };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(|e| refuse(e.to_string()))?;
        if value["schema"] != SCHEMA || value["schema_version"] != VERSION {
            return Err(refuse(format!("schema {} {}", value["schema"], value["schema_version"])));
        }
        serde_json::from_value(value).map_err(|e| refuse(e.to_string()))
    }

    /// True where every kernel was right on every device.
    pub fn is_right(&self) -> bool {
        self.checks.iter().all(|check| check.failure.is_none())
    }

    /// Cores that others kept busy while timings were taken, where most.
    pub fn others(&self) -> Option<f64> {
        self.timings.iter().filter_map(|timing| timing.others).max_by(f64::total_cmp)
    }

    /// The rate of that name on a device, its best sample.
    pub fn rate(&self, device: &str, name: &str) -> Option<f64> {
        self.rates.iter().find(|rate| rate.device == device && rate.name == name).map(|rate| rate.best)
    }
}
