//! `gpu-bench`: broken kernels are found, the record follows its schema, a machine without a GPU is measured, and traces are
//! what they seem.

#![cfg(feature = "gpu")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::program;
use clap::Parser;
use eagleray::device::Precision;
use eagleray::internal::kernels::{
    self, CaseData, CaseShape, CaseValues, Job, KERNELS, Kernel, KernelCase, Limits, Shader, bin_events, fft,
};
use eagleray_cli::bench::{self, BenchArgs};
use serde_json::Value;

/// What makes a case of a kernel.
type MakeCase = fn(usize, CaseShape, CaseData, u64) -> Box<dyn KernelCase>;

macro_rules! breaks {
    ($($kernel:ident: $good:literal => $bad:literal;)+) => {
        /// Each kernel, and its case with a text that is broken.
        static BREAKS: &[(&Kernel, MakeCase)] = &[$((&kernels::$kernel::KERNEL, |variant, shape, data, seed| {
            let inner = (kernels::$kernel::KERNEL.case)(variant, shape, data, seed);
            Box::new(Broken { inner, good: $good, bad: $bad })
        })),+];
    };
}

// For each kernel what its text has, and what a broken one has instead: a lost edge, a wrong sign, one round too few.
breaks! {
    bin_events: "if (bin < params.n)" => "if (bin + 1u < params.n)";
    fft: "tables[params.stages + m * unit]" => "tables[params.stages]";
    power: "if (index >= params.runs * items)" => "if (index + 1u >= params.runs * items)";
    power_pass: "m < params.len && j < params.done" => "m < params.len && j + 1u < params.done";
    fused: "if (bin < params.n)" => "if (bin + 1u < params.n)";
    cross_spectrum: "s.low.x * r.low.y - s.low.y * r.low.x" => "s.low.x * r.low.y + s.low.y * r.low.x";
    fold: "min(begin + params.stretch, params.events)" => "min(begin + params.stretch, params.events - 1u)";
    rate: "round < params.rounds" => "round + 1u < params.rounds";
}

/// A case whose device runs other text than the table of kernels has.
struct Broken {
    inner: Box<dyn KernelCase>,
    good: &'static str,
    bad: &'static str,
}

impl KernelCase for Broken {
    fn reference(&self) -> CaseValues {
        self.inner.reference()
    }
    fn cpu(&self) -> CaseValues {
        self.inner.cpu()
    }
    fn job(&self, limits: &Limits) -> Job {
        let mut job = self.inner.job(limits);
        for dispatch in &mut job.dispatches {
            let source = dispatch.shader.source();
            assert!(source.contains(self.good), "{} has no `{}`", dispatch.shader.name, self.good);
            let fragments = vec![&*source.replace(self.good, self.bad).leak()].leak();
            dispatch.shader = Box::leak(Box::new(Shader { fragments, ..copy(dispatch.shader) }));
        }
        job
    }
    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        self.inner.decode(outputs)
    }
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        self.inner.tolerance(expected, precision)
    }
    fn perturb(&self, job: &mut Job) {
        self.inner.perturb(job);
    }
    fn precision(&self) -> Precision {
        self.inner.precision()
    }
    fn pipelines(&self, limits: &Limits) -> Vec<&'static str> {
        self.inner.pipelines(limits)
    }
}

fn copy(shader: &'static Shader) -> Shader {
    let Shader { name, entry, fragments, bindings, layouts, constants, workgroup_bytes, f64 } = *shader;
    Shader { name, entry, fragments, bindings, layouts, constants, workgroup_bytes, f64 }
}

fn kernel(of: &Kernel, case: MakeCase) -> Kernel {
    let Kernel { name, shaders, variants, needs_f64, shapes, timed, .. } = *of;
    Kernel { name, shaders, variants: &variants[..1], needs_f64, shapes, timed, case }
}

/// Runs with a table of kernels; what `run` says, and the record.
fn record(kernels: &[&Kernel], options: &[&str]) -> (bool, Value) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("record.json");
    let given = ["gpu-bench", "--quick", "--json", json.to_str().unwrap()];
    let args = BenchArgs::parse_from(given.iter().chain(options));
    let right = bench::run(&args, kernels).unwrap();
    (right, serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap())
}

#[test]
fn a_broken_kernel_fails_is_named_and_is_not_timed() {
    if crate::common::gpu::open("broken kernels", |s| {
        eagleray::internal::backend::gpu::GpuContext::open(s, Default::default())
    })
    .is_none()
    {
        return;
    }
    assert!(KERNELS.iter().zip(BREAKS).all(|(kernel, (broken, _))| std::ptr::eq(*kernel, *broken)), "one break each");
    assert_eq!(KERNELS.len(), BREAKS.len());
    for (broken, trial) in BREAKS {
        let broken = kernel(broken, *trial);
        let (right, record) =
            record(&[&broken], if broken.name == fft::KERNEL.name { &["check", "kernels"] } else { &["check"] });
        assert!(!right, "{}", broken.name);
        let checks = record["checks"].as_array().unwrap();
        let (cpu, gpus): (Vec<_>, Vec<_>) = checks.iter().partition(|check| check["device"] == "cpu");
        assert!(cpu.iter().all(|check| check["failure"].is_null()) && !cpu.is_empty());
        assert!(gpus.len() >= 2, "both profiles: {gpus:?}");
        for check in gpus {
            assert_eq!(check["kernel"], broken.name);
            assert!(check["first_wrong"].is_u64() && check["wrong"].as_u64() > Some(0), "{check}");
            assert!(check["failure"].as_str().unwrap().contains("of the bound"), "{check}");
        }
        let timings = record["timings"].as_array().unwrap();
        assert_eq!(timings.is_empty(), broken.name != fft::KERNEL.name);
        assert!(timings.iter().all(|timing| timing["device"] == "cpu"), "{timings:?}");
    }
}

#[test]
fn every_kernel_is_right_and_is_timed_on_every_device() {
    if crate::common::gpu::open("all kernels", |s| {
        eagleray::internal::backend::gpu::GpuContext::open(s, Default::default())
    })
    .is_none()
    {
        return;
    }
    let (right, record) = record(KERNELS, &["check", "kernels"]);
    assert!(right, "{}", record["checks"]);
    let adapters = record["adapters"].as_array().unwrap().len();
    for kernel in KERNELS {
        let of = |part: &str, name: &str| -> Vec<Value> {
            let all = record[part].as_array().unwrap().iter();
            all.filter(|row| row[name].as_str().unwrap().split('.').next() == Some(kernel.name)).cloned().collect()
        };
        // In double precision a device may have nothing to check.
        let mut checked: Vec<(&Value, &Value)> = Vec::new();
        let checks = of("checks", "kernel");
        for check in checks.iter().filter(|check| check["cases"].as_u64() > Some(0)) {
            let device = (&check["device"], &check["profile"]);
            if !checked.contains(&device) {
                checked.push(device);
            }
        }
        assert_eq!(checked.len(), 1 + 2 * adapters, "{}: the CPU, and all adapters in both profiles", kernel.name);
        let mut timed: Vec<String> = of("timings", "name").iter().map(|timing| timing["device"].to_string()).collect();
        timed.dedup();
        assert_eq!(
            timed.len(),
            if kernel.timed.quick.is_empty() { 0 } else { 1 + adapters },
            "{}: {timed:?}",
            kernel.name
        );
    }
}

/// Holds a value against the part of JSON Schema that ours uses; any other keyword is an error, so that nothing goes unchecked.
fn validate(schema: &Value, root: &Value, value: &Value, at: &str) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                validate(&root["$defs"][name], root, value, at);
            }
            "type" => {
                let types: Vec<&str> = match rule {
                    Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                    one => vec![one.as_str().unwrap()],
                };
                let fits = |name: &&str| match *name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64(),
                    "number" => value.is_number(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                };
                assert!(types.iter().any(fits), "{at}: {value} is none of {types:?}");
            }
            "const" => assert_eq!(value, rule, "{at}"),
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value}"),
            "required" => {
                for name in rule.as_array().unwrap() {
                    assert!(
                        value.get(name.as_str().unwrap()).is_some() || !value.is_object(),
                        "{at}: {name} is missing"
                    );
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        validate(rule, root, inner, &format!("{at}.{name}"));
                    }
                }
            }
            "additionalProperties" => {
                let known = |name: &String| schema.get("properties").is_some_and(|p| p.get(name).is_some());
                for (name, inner) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)) {
                    assert_ne!(*rule, Value::Bool(false), "{at}: {name} is not in the schema");
                    validate(rule, root, inner, &format!("{at}.{name}"));
                }
            }
            "items" => {
                for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
                    validate(rule, root, inner, &format!("{at}[{i}]"));
                }
            }
            other => panic!("{at}: keyword {other}"),
        }
    }
}

#[test]
fn a_machine_without_a_gpu_is_measured_and_the_record_follows_the_schema() {
    let schema: Value =
        serde_json::from_slice(&std::fs::read(program::root("docs/gpu-bench.schema.json")).unwrap()).unwrap();
    let small = ["--backend", "cpu", "--events", "20000", "check", "rates", "kernels", "workloads", "scaling"];
    let (right, mut record) = record(&[&bin_events::KERNEL, &fft::KERNEL], &small);
    assert!(right);
    validate(&schema, &schema, &record, "record");
    assert_eq!((&record["auto"], record["adapters"].as_array().unwrap().len()), (&Value::from("cpu"), 0));
    let timings = record["timings"].as_array().unwrap();
    for name in ["bright", "faint", "frames", "bands", "long"] {
        let timing = timings.iter().find(|timing| timing["name"] == name);
        let timing = timing.unwrap_or_else(|| panic!("{name}: {}", record["skipped"]));
        let fraction = program::real(&timing["limit"]["seconds"]) / program::real(&timing["median"]);
        program::near(&timing["fraction"], fraction, 1e-9);
        assert!(timing["stages"].as_object().unwrap().len() > 2, "{timing}");
    }
    let points = record["scaling"]["points"].as_array().unwrap();
    let of = |scheduling: &str| points.iter().filter(|point| point["scheduling"] == scheduling).count();
    assert!(of("dynamic") > 0 && of("static") == of("dynamic") && of("guided") == of("dynamic"), "{points:?}");
    for (point, stage) in points.iter().flat_map(|point| {
        ["read", "decode", "bin", "transform", "accumulate", "merge", "write"].map(|stage| (point, stage))
    }) {
        assert!(program::real(&point["stages"][stage]["seconds"]) > 0.0, "{stage}: {point}");
    }
    record["checks"][0]["worst"] = "large".into();
    let refused = std::panic::catch_unwind(|| validate(&schema, &schema, &record, "record"));
    assert!(refused.is_err(), "a wrong type went unnoticed");
}

fn gpu_bench(options: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-bench"));
    command.args(options).output().expect("the program starts")
}

#[test]
fn the_status_tells_scripts_what_became_slower() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (old, new, broken) = (path("old.json"), path("new.json"), path("broken.json"));
    let small = ["--quick", "--backend", "cpu", "--workload", "frames", "--events", "20000"];
    let first = gpu_bench(&[&small[..], &["--json", &old]].concat());
    assert_eq!(first.status.code(), Some(0), "{}", program::stderr(&first));
    let mut record: Value = serde_json::from_slice(&std::fs::read(&old).unwrap()).unwrap();
    let mut set = |samples: &[f64], path: &str| {
        for name in ["samples", "cores"] {
            record["timings"][0][name] = samples.into();
        }
        record["timings"][0]["median"] = samples[2].into();
        std::fs::write(path, record.to_string()).unwrap();
    };
    set(&[1.0, 1.01, 1.02, 1.03, 1.04], &old);
    set(&[1.3, 1.31, 1.32, 1.33, 1.34], &new);
    for (earlier, later, status, word) in
        [(&old, &new, 1, "slower"), (&new, &old, 0, "faster"), (&old, &old, 0, "1 the same")]
    {
        let output = gpu_bench(&["--compare", earlier, "--record", later]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}{}", program::stderr(&output));
        assert!(said.contains(word) && (earlier == later || said.contains("workload/frames")), "{said}");
    }
    record["schema_version"] = 99.into();
    std::fs::write(&broken, record.to_string()).unwrap();
    for (options, status) in [(["--compare", &*broken], 1), (["--json", &*old], 1), (["--workload", "none"], 2)] {
        assert_eq!(gpu_bench(&options).status.code(), Some(status), "{options:?}");
    }
}

/// Spans of each track, by its name, in microseconds: name, begin, duration.
fn tracks(trace: &Value) -> BTreeMap<String, Vec<(String, f64, f64)>> {
    let events = trace["traceEvents"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
    let names: BTreeMap<u64, String> =
        of("M").map(|e| (e["tid"].as_u64().unwrap(), text(&e["args"]["name"]))).collect();
    let mut tracks: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for event in of("X") {
        let track = tracks.entry(names[&event["tid"].as_u64().unwrap()].clone()).or_default();
        track.push((text(&event["name"]), program::real(&event["ts"]), program::real(&event["dur"])));
    }
    tracks
}

/// Asserts that spans begin in order and nest, and gives the time of each stage without what is inside it.
fn own_times(spans: &[(String, f64, f64)]) -> BTreeMap<&str, f64> {
    let mut open: Vec<(&str, f64, f64)> = Vec::new();
    let mut own: BTreeMap<&str, f64> = BTreeMap::new();
    let mut before = f64::NEG_INFINITY;
    for (name, begin, duration) in spans {
        assert!(*begin >= before, "{name} at {begin} comes after {before}");
        before = *begin;
        while open.pop_if(|outer| outer.1 + outer.2 <= *begin).is_some() {}
        if let Some((outer, outer_begin, outer_duration)) = open.last() {
            // Times are whole nanoseconds, written in microseconds.
            assert!(begin + duration <= outer_begin + outer_duration + 0.002, "{name} ends after {outer} around it");
            *own.entry(outer).or_default() -= duration;
        }
        *own.entry(name).or_default() += duration;
        open.push((name, *begin, *duration));
    }
    own
}

fn profiled(file: &str, folder: &Path, options: &[&str]) -> Value {
    let trace = folder.join("trace.json").display().to_string();
    let fixed = ["pds", file, "--dt", "2^-10", "--segment-size", "16", "--quiet", "--profile", &trace];
    program::succeed(&[&fixed[..], options].concat());
    serde_json::from_slice(&std::fs::read(&trace).unwrap()).unwrap()
}

#[test]
fn a_trace_has_all_the_time_of_a_thread_and_its_spans_nest() {
    let folder = tempfile::tempdir().unwrap();
    let file = program::simulate(folder.path(), "bright.evt", "--rate 20000 --length 100");
    let trace = profiled(&file, folder.path(), &["--backend", "cpu", "--threads", "1"]);
    let tracks = tracks(&trace);
    let worker = &tracks["eagleray-0"];
    let wall = worker.iter().map(|s| s.1 + s.2).fold(0.0, f64::max) - worker[0].1;
    let own = own_times(worker);
    let sum: f64 = own.values().sum();
    assert!((sum / wall - 1.0).abs() < 0.05, "{sum} µs in stages of {wall} µs: {own:?}");
    for stage in ["read", "check and hash", "decode", "bin", "transform", "accumulate", "merge"] {
        assert!(own[stage] > 0.0, "{stage}: {own:?}");
    }
    assert!(own["segments"] < 0.3 * wall, "time without a stage: {own:?}");
    let main = own_times(&tracks["main"]);
    assert!(main.contains_key("eagleray") && main.contains_key("wait for threads"), "{main:?}");
    // The table of stages is of the same times.
    for (name, microseconds) in &own {
        let all = 1e6 * program::real(&trace["otherData"]["stages"][name]["seconds"]);
        assert!(all >= 0.999 * microseconds, "{name}: {all} and {microseconds} µs");
    }
    let size = std::fs::metadata(&file).unwrap().len();
    let read = trace["otherData"]["counters"]["bytes read"].as_u64().unwrap();
    assert!(read >= size && read < size + size / 4, "{read} bytes read of {size}");
    // Every byte, and every allocation, is a stage's.
    let stages = trace["otherData"]["stages"].as_object().unwrap();
    let of = |name: &str| stages.values().filter_map(|stage| stage[name].as_u64()).collect::<Vec<u64>>();
    assert_eq!(of("bytes").iter().sum::<u64>(), read);
    assert!(
        stages["read"]["bytes"].as_u64() >= Some(size - 2880 * 20),
        "all but headers and what is searched: {stages:?}"
    );
    let (allocated, most) =
        (of("allocated_bytes").iter().sum::<u64>(), of("peak_heap_bytes").into_iter().max().unwrap());
    let peak = trace["otherData"]["peak_memory_bytes"].as_u64().unwrap();
    // Buffers for the samples and the transform of a segment, at least.
    assert!(most > 16 << 14 && most <= allocated && most < peak, "{most} of {allocated} bytes in use, {peak} in all");
    assert!(of("allocations").iter().sum::<u64>() > 100, "{stages:?}");
}

#[test]
fn a_gpu_has_a_track_of_its_own() {
    let open = |s: &_| eagleray::internal::backend::gpu::GpuContext::open(s, Default::default());
    if crate::common::gpu::open("trace", open).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = program::simulate(folder.path(), "faint.evt", "--rate 500 --length 100");
    let trace = profiled(&file, folder.path(), &["--backend", "gpu"]);
    let tracks = tracks(&trace);
    let (_, passes) = tracks.iter().find(|(name, _)| name.starts_with("GPU ")).expect("a track of the GPU");
    let own = own_times(passes);
    assert!(own.keys().any(|pass| pass.starts_with("fft")), "{own:?}");
    // No pass ends before the program began, or after it had ended.
    let (_, begin, duration) = &tracks["main"][0];
    assert!(passes.iter().all(|p| p.1 >= *begin && p.1 + p.2 <= begin + duration), "{passes:?}");
    let counters = &trace["otherData"]["counters"];
    assert!(counters["bytes uploaded"].as_u64() > Some(8 * 40_000), "{counters}");
    assert!(counters["bytes read back"].as_u64() > Some(0), "{counters}");
    // Once, while batches are filled; headers more often.
    let (size, read) = (std::fs::metadata(&file).unwrap().len(), counters["bytes read"].as_u64().unwrap());
    assert!(read >= size && read < size * 3 / 2, "{read} bytes read of {size}");
}
