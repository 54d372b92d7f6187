//! A run as text for a terminal.

use super::record::{BenchRecord, BenchTiming, KernelCheck, MachineRate};
use super::sample::QUIET_CORES;
use super::scaling::{Scaling, ScalingPoint, USUAL_SCHEDULING};
use eagleray::internal::kernels::bin_events;
use eagleray::internal::text::{ShortNumber, count};

/// Seconds in a unit that suits them.
pub fn seconds(s: f64) -> String {
    match s {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s if s >= 1e-6 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.0} ns", s * 1e9),
    }
}

/// A rate in a unit that suits it.
pub fn rate(value: f64, unit: &str) -> String {
    match unit {
        "s" => seconds(value),
        _ => format!("{:.2} G{unit}", value * 1e-9),
    }
}

/// The machine and its devices.
pub fn head(record: &BenchRecord) -> String {
    let machine = &record.machine;
    let memory =
        machine.memory_bytes.map_or(String::new(), |bytes| format!(", {:.0} GiB", bytes as f64 / 2f64.powi(30)));
    let load = machine.load_before.map_or(String::new(), |load| format!(", load average {load:.2}"));
    let mut text = format!("eagleray {} ({})\n", record.eagleray_version, record.build);
    text += &format!("cpu    {}, {} cores{memory}, {}{load}\n", machine.processor, machine.cores, machine.system);
    for adapter in &record.adapters {
        text += &format!("gpu {}  {}\n       auto: {}\n", adapter.index, adapter.headline(), adapter.auto);
    }
    if record.adapters.is_empty() {
        text += "gpu    none found: the CPU alone is checked and measured\n";
    }
    text + &format!("auto takes {}\n", record.auto)
}

/// Whether the kernels are right: a line for each kernel and device, with its variants together.
pub fn checks(record: &BenchRecord) -> String {
    let mut text = format!(
        "\n{:<16}{:<34}{:>7}{:>11}{:>9}{:>8}  worst error\n",
        "kernel", "device", "cases", "values", "wrong", ""
    );
    let mut rows: Vec<(&str, String, Vec<&KernelCheck>)> = Vec::new();
    for check in &record.checks {
        let device = device(&check.device, &check.profile);
        match rows.iter_mut().find(|row| row.0 == check.kernel && row.1 == device) {
            Some(row) => row.2.push(check),
            None => rows.push((&check.kernel, device, vec![check])),
        }
    }
    for (kernel, device, variants) in rows {
        let sum = |of: fn(&KernelCheck) -> usize| variants.iter().map(|check| of(check)).sum::<usize>();
        let worst = variants.iter().map(|c| c.worst.unwrap_or(f64::INFINITY)).fold(0.0, f64::max);
        let right = if variants.iter().all(|c| c.failure.is_none()) { "right" } else { "WRONG" };
        let (cases, values, wrong) = (sum(|c| c.cases), sum(|c| c.values), sum(|c| c.wrong));
        let worst = if worst == 0.0 { "none".into() } else { format!("{worst:.3} of the bound") };
        text += &format!("{kernel:<16}{device:<34}{cases:>7}{values:>11}{wrong:>9}{right:>8}  {worst}\n");
    }
    let histogram: Vec<&KernelCheck> =
        record.checks.iter().filter(|check| check.kernel == bin_events::KERNEL.name).collect();
    let events: usize = histogram.iter().map(|check| check.events).sum();
    let wrong: usize = histogram.iter().map(|check| check.wrong).sum();
    text += &format!(
        "{} binned on all devices: {} with a wrong count\n",
        count(events as u64, "event"),
        count(wrong as u64, "bin")
    );
    for check in record.checks.iter().filter(|check| check.failure.is_some()) {
        let place = check.first_wrong.map_or(String::new(), |at| format!(", first wrong index {at}"));
        let (device, why) = (device(&check.device, &check.profile), check.failure.as_deref().unwrap_or_default());
        text += &format!("WRONG: {}.{} on {device}{place}: {why}; it is not timed\n", check.kernel, check.variant);
    }
    text
}

/// A device in few words.
pub fn device(name: &str, profile: &str) -> String {
    // What stands in brackets are versions.
    let short = name.split(" (").next().unwrap_or(name);
    if profile.is_empty() { short.into() } else { format!("{short}, {profile}") }
}

/// What the machine can do.
pub fn rates(record: &BenchRecord) -> String {
    if record.rates.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:<34}{:<26}{:>16}{:>16}\n", "device", "rate", "best", "median");
    for MachineRate { device: of, name, unit, best, median, .. } in &record.rates {
        text += &format!("{:<34}{name:<26}{:>16}{:>16}\n", device(of, ""), rate(*best, unit), rate(*median, unit));
    }
    text
}

/// What the program does, with the limits beside it.
pub fn timings(record: &BenchRecord) -> String {
    if record.timings.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    for kind in ["kernel", "workload", "peer"] {
        let rows: Vec<&BenchTiming> = record.timings.iter().filter(|timing| timing.kind == kind).collect();
        if rows.is_empty() {
            continue;
        }
        text += &format!(
            "\n{kind:<24}{:<30}{:<22}{:>11}{:>7}{:>11}{:>9}  bound by\n",
            "device", "size", "median", "±", "limit", "of limit"
        );
        for timing in rows {
            let limit = timing.limit.as_ref();
            let size = ["bins", "rows", "events"].iter().filter_map(|name| Some((name, *timing.size.get(*name)?)));
            let size: Vec<String> = size.map(|(name, n)| format!("{}{}", power_of(n), &name[..1])).collect();
            text += &format!(
                "{:<24}{:<30}{:<22}{:>11}{:>6.0}%{:>11}{:>9}  {}\n",
                timing.name,
                device(&timing.device, &timing.profile),
                size.join(" "),
                seconds(timing.median),
                100.0 * timing.mad / timing.median,
                limit.map_or("-".into(), |limit| seconds(limit.seconds)),
                timing.fraction.map_or("-".into(), |fraction| format!("{fraction:.2}")),
                limit.map_or("", |limit| &limit.by),
            );
        }
    }
    if let Some(others) = record.others().filter(|&others| others > QUIET_CORES) {
        text += &format!(
            "warning: others kept {others:.1} of {} cores busy meanwhile; times may be too long\n",
            record.machine.cores
        );
    }
    text
}

/// A number in few characters: a power of two or of ten as such.
fn power_of(n: u64) -> String {
    if n.is_power_of_two() && n >= 1024 {
        return format!("2^{}", n.trailing_zeros());
    }
    if n >= 100_000 { format!("{:.3e}", n as f64).replace(".000", "") } else { n.to_string() }
}

/// Time of each stage, all threads together, with every number of threads, and how much more it is with the most than with one:
/// what threads cost each other.
fn stages(points: &[&ScalingPoint]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let of = |point: &ScalingPoint, name: &str| point.stages.get(name).map_or(0.0, |stage| stage.seconds * 1e3);
    let mut names: Vec<&String> = first.stages.keys().filter(|name| *name != "wait for threads").collect();
    names.sort_by(|a, b| of(first, b).total_cmp(&of(first, a)));
    let heads: String = points.iter().map(|point| format!("{:>12}", point.threads)).collect();
    let mut text = format!("{:<26}{heads}{:>9}\n", "stage, ms of all threads", "growth");
    for name in names {
        let times: String = points.iter().map(|point| format!("{:>12.2}", of(point, name))).collect();
        text += &format!("{name:<26}{times}{:>9.2}\n", of(last, name) / of(first, name));
    }
    text
}

/// Threads against time.
pub fn scaling(scaling: &Scaling) -> String {
    let mut text = format!(
        "\nscaling of {} ({} events)\n{:>8}{:>12}{:>10}{:>12}{:>7}{:>10}{:>12}\n",
        scaling.workload, scaling.events, "threads", "scheduling", "chunk", "median", "±", "speed-up", "efficiency"
    );
    for ScalingPoint { threads, scheduling, chunk_events, median, mad, speedup, efficiency, .. } in &scaling.points {
        text += &format!(
            "{threads:>8}{scheduling:>12}{chunk_events:>10}{:>12}{:>6.0}%{speedup:>10.2}{efficiency:>12.2}\n",
            seconds(*median),
            100.0 * mad / median,
        );
    }
    text += &stages(&scaling.of_scheduling(USUAL_SCHEDULING));
    let usual = scaling.fit.iter().map(|fit| (USUAL_SCHEDULING, fit));
    for (scheduling, fit) in usual.chain(scaling.other_fits.iter().map(|(name, fit)| (name.as_str(), fit))) {
        let ms = |[value, error]: [f64; 2]| format!("{:.2} ± {:.2} ms", value * 1e3, error * 1e3);
        let (serial, parallel) = (ms(fit.serial), ms(fit.parallel));
        if fit.synchronisation == [0.0; 2] {
            text += &format!("{scheduling}: T(N) = T_s + T_p/N: T_s {serial}, T_p {parallel}; K is left out\n");
            continue;
        }
        let synchronisation = ms(fit.synchronisation);
        text +=
            &format!("{scheduling}: T(N) = T_s + T_p/N + K ln N: T_s {serial}, T_p {parallel}, K {synchronisation}; ");
        text += &fit.knee.map_or("no knee in sight\n".into(), |knee| {
            format!("fastest with {} threads\n", ShortNumber(knee.round()))
        });
    }
    for warning in &scaling.warnings {
        text += &format!("warning: {warning}\n");
    }
    text
}
