//! The same work done by others, in the same run: transforms by realfft (rustfft) in single precision, files by Stingray, GPUs by
//! CuPy; whoever is absent is named among what was skipped.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use realfft::RealFftPlanner;
use serde_json::Value;

use super::record::BenchTiming;
use super::sample::{TimingSamples, repeated};
use super::workload::Prepared;

const STINGRAY: &str = include_str!("stingray_pds.py");
const CUPY: &str = include_str!("cupy_power.py");
/// Bins of all rows, as many as kernels are timed with.
const BINS: usize = 1 << 20;

fn timing(name: &str, device: &str, size: &[(&str, u64)], samples: Vec<f64>) -> BenchTiming {
    let size: BTreeMap<String, u64> = size.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let of_size: Vec<String> = size.values().map(u64::to_string).collect();
    let id = format!("peer/{name}/{}/{device}/", of_size.join("x"));
    let (kind, name, device) = ("peer".into(), name.into(), device.into());
    BenchTiming { id, kind, name, device, size, ..BenchTiming::default() }
        .with(TimingSamples { seconds: samples, ..TimingSamples::default() }, None)
}

/// Real transforms of one core in single precision.
pub fn transforms(quick: bool) -> Vec<BenchTiming> {
    let lengths: &[usize] = if quick { &[4096] } else { &[4096, 1 << 14, 1 << 18] };
    let bins = if quick { BINS / 4 } else { BINS };
    let one = |&n: &usize| {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(n);
        let (mut output, mut scratch) = (fft.make_output_vec(), fft.make_scratch_vec());
        let mut rows: Vec<f32> = (0..bins).map(|i| (i * i % 1009) as f32).collect();
        let samples = repeated(15, || {
            for row in rows.chunks_exact_mut(n) {
                // Lengths agree by construction.
                let _ = fft.process_with_scratch(row, &mut output, &mut scratch);
            }
        });
        timing("realfft f32, one core", "cpu", &[("bins", n as u64), ("rows", (bins / n) as u64)], samples)
    };
    lengths.iter().map(one).collect()
}

/// A script of Python's with the JSON that it prints; `Err` says why there is none.
fn script(python: &Path, text: &str, arguments: &[String]) -> Result<Value, String> {
    let mut command = Command::new(python);
    command.arg("-").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{}: {e}", python.display()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early says why on its standard error.
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_string();
    if !output.status.success() {
        return Err(last);
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let json = printed.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(json).map_err(|_| last)
}

fn samples(found: &Value) -> Vec<f64> {
    found["samples"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// Stingray on the file of a workload.
///
/// # Errors
/// It is not there, or fails; in its words.
pub fn stingray(python: &Path, prepared: &Prepared, count: usize) -> Result<BenchTiming, String> {
    let (file, dt, segment_size) = prepared.task();
    let arguments = [file.display().to_string(), dt.to_string(), segment_size.to_string(), count.to_string()];
    let found = script(python, STINGRAY, &arguments)?;
    let name = format!("{}, {}", found["peer"].as_str().unwrap_or("Stingray"), prepared.workload.name);
    let size = [("events", prepared.events), ("segments", found["segments"].as_u64().unwrap_or(0))];
    Ok(timing(&name, "cpu", &size, samples(&found)))
}

/// CuPy's transforms and sums of power.
///
/// # Errors
/// It is not there, or there is no device of NVIDIA's; in its words.
pub fn cupy(python: &Path, n: usize) -> Result<BenchTiming, String> {
    let rows = BINS / n;
    let found = script(python, CUPY, &[n, rows, 15].map(|number| number.to_string()))?;
    let device = found["device"].as_str().unwrap_or("GPU").to_string();
    let name = format!("{}, power", found["peer"].as_str().unwrap_or("CuPy"));
    Ok(timing(&name, &device, &[("bins", n as u64), ("rows", rows as u64)], samples(&found)))
}
