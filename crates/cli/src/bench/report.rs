//! One page with all results: HTML without anything from elsewhere.

use std::path::Path;

use super::compare::{Change, Verdict};
use super::record::{BenchRecord, BenchTiming};
use super::{figures, table};
use eagleray::internal::trace::{Stage, Trace};
use eagleray::{Error, Result};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:1400px;margin:2em auto;padding:0 1em;color:#222}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}table{border-collapse:collapse;font-size:13px}\
td,th{padding:2px 9px;text-align:right;border-bottom:1px solid #eee;vertical-align:top}\
td:nth-child(-n+2),th:nth-child(-n+2),.words td,.words th{text-align:left}td{white-space:nowrap}.words td{white-space:normal}\
.bad{background:#fbd5d0;font-weight:600}.good{color:#17683a}.bar{display:inline-block;height:10px;background:#0072b2}\
.track{display:inline-block;width:120px;background:#eee;height:10px;text-align:left;line-height:0}\
.warn{background:#fdf1cf;padding:6px 10px}svg{max-width:100%;height:auto;display:block;margin:8px 0}\
.key{display:inline-block;width:12px;height:12px;margin:0 5px 0 14px}.legend{font-size:13px;margin:0}";

/// Text as HTML shows it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1>{title}</h1>\n{body}</body></html>\n"
    )
}

/// A table of numbers; cells are HTML.
fn rows(head: &[&str], body: impl IntoIterator<Item = Vec<String>>) -> String {
    table_of("numbers", head, body)
}

fn table_of(class: &str, head: &[&str], body: impl IntoIterator<Item = Vec<String>>) -> String {
    let cells = |tag: &str, cells: &[String]| cells.iter().map(|c| format!("<{tag}>{c}</{tag}>")).collect::<String>();
    let head: Vec<String> = head.iter().map(|name| escaped(name)).collect();
    let mut text = format!("<table class=\"{class}\"><tr>{}</tr>\n", cells("th", &head));
    for row in body {
        text += &format!("<tr>{}</tr>\n", cells("td", &row));
    }
    text + "</table>\n"
}

fn bar(fraction: f64) -> String {
    let width = (120.0 * fraction).clamp(0.0, 120.0);
    format!("{fraction:.2} <span class=\"track\"><span class=\"bar\" style=\"width:{width:.0}px\"></span></span>")
}

fn timing_row(timing: &BenchTiming) -> Vec<String> {
    let size: Vec<String> = timing.size.iter().filter(|s| *s.1 > 0).map(|(name, n)| format!("{n} {name}")).collect();
    let limit = timing.limit.as_ref();
    vec![
        escaped(&timing.name),
        escaped(&table::device(&timing.device, &timing.profile)),
        escaped(&size.join(", ")),
        table::seconds(timing.median),
        format!("{:.0} %", 100.0 * timing.mad / timing.median),
        timing.samples.len().to_string(),
        limit.map_or("–".into(), |limit| table::seconds(limit.seconds)),
        timing.fraction.map_or("–".into(), bar),
        limit.map_or(String::new(), |limit| escaped(&limit.by)),
    ]
}

fn stage_rows(record: &BenchRecord) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for timing in record.timings.iter().filter(|timing| !timing.stages.is_empty()) {
        let mut stages: Vec<(&str, f64)> = timing.stages.iter().map(|(name, s)| (name.as_str(), s.seconds)).collect();
        stages.extend(timing.passes.iter().map(|(name, seconds)| (name.as_str(), *seconds)));
        stages.sort_by(|a, b| b.1.total_cmp(&a.1));
        let told: Vec<String> =
            stages.iter().take(9).map(|(name, s)| format!("{} {}", escaped(name), table::seconds(*s))).collect();
        let bytes: Vec<String> =
            timing.bytes.iter().map(|(name, n)| format!("{} {:.1} MB", escaped(name), *n as f64 * 1e-6)).collect();
        let device = escaped(&table::device(&timing.device, &timing.profile));
        all.push(vec![escaped(&timing.name), device, told.join(" · "), bytes.join(" · "), heap(timing)]);
    }
    all
}

/// What a workload allocated, and the stage in which most was in use.
fn heap(timing: &BenchTiming) -> String {
    let most = timing.stages.iter().max_by_key(|(_, stage)| stage.peak_heap_bytes);
    let Some((name, most)) = most.filter(|(_, stage)| stage.peak_heap_bytes > 0) else { return "–".into() };
    let sum = |of: fn(&Stage) -> u64| timing.stages.values().map(of).sum::<u64>();
    let (allocations, bytes) = (sum(|stage| stage.allocations), sum(|stage| stage.allocated_bytes));
    let megabytes = |bytes: u64| bytes as f64 * 1e-6;
    format!(
        "most {:.1} MB in {} · {allocations} allocations of {:.1} MB",
        megabytes(most.peak_heap_bytes),
        escaped(name),
        megabytes(bytes)
    )
}

/// Most memory in use during each workload.
fn memory(record: &BenchRecord) -> String {
    let known: Vec<(&BenchTiming, f64)> =
        record.timings.iter().filter_map(|t| Some((t, t.peak_memory_bytes? as f64 * 1e-6))).collect();
    let most = known.iter().map(|(_, megabytes)| *megabytes).fold(0.0, f64::max);
    if known.is_empty() {
        return String::new();
    }
    let row = |(timing, megabytes): &(&BenchTiming, f64)| {
        let width = 300.0 * megabytes / most;
        let bar = format!("<span class=\"bar\" style=\"width:{width:.0}px\"></span>");
        let device = escaped(&table::device(&timing.device, &timing.profile));
        vec![
            escaped(&timing.name),
            device,
            format!("{megabytes:.0}"),
            format!("<div style=\"text-align:left\">{bar}</div>"),
        ]
    };
    "<h2>Memory</h2>\n<p>Most memory in use by the process during one run; devices that are open are part of it.</p>\n"
        .to_string()
        + &rows(&["workload", "device", "MB", ""], known.iter().map(row))
}

/// Writes `index.html` into a folder; `profiles` have a name each.
///
/// # Errors
/// The page cannot be written.
pub fn write(
    folder: &Path,
    overwrite: bool,
    record: &BenchRecord,
    changes: Option<&[Change]>,
    profiles: &[(String, Trace)],
) -> Result<()> {
    let mut body = format!("<pre>{}</pre>\n", escaped(&table::head(record)));
    let verdict = if record.is_right() {
        "<p class=\"good\">Every kernel is right on every device.</p>".to_string()
    } else {
        "<p class=\"bad\">A kernel is wrong: see below. It was not timed.</p>".to_string()
    };
    body += &verdict;
    for skipped in &record.skipped {
        body += &format!("<p class=\"warn\">skipped: {}</p>\n", escaped(skipped));
    }
    if let Some(changes) = changes {
        body += "<h2>Against the earlier run</h2>\n";
        let changed = changes.iter().filter(|change| change.verdict != Verdict::Same);
        let row = |change: &Change| {
            let word = format!("{:?}", change.verdict).to_lowercase();
            vec![escaped(&change.id), format!("{:.2}", change.ratio), word]
        };
        body += &rows(&["timing", "new over old", "verdict"], changed.map(row));
        let same = changes.iter().filter(|change| change.verdict == Verdict::Same).count();
        body += &format!("<p>{same} the same.</p>\n");
    }
    body += "<h2>Is it right?</h2>\n";
    let checks = record.checks.iter().map(|check| {
        let verdict = match (&check.failure, check.cases) {
            (Some(why), _) => format!("<span class=\"bad\">{}</span>", escaped(why)),
            (None, 0) => "not possible here".into(),
            (None, _) => "<span class=\"good\">right</span>".into(),
        };
        let worst = check.worst.map_or("–".into(), |worst| format!("{worst:.3}"));
        let device = escaped(&table::device(&check.device, &check.profile));
        let numbers = [check.cases, check.values, check.wrong].map(|n| n.to_string());
        let [cases, values, wrong] = numbers;
        vec![format!("{}.{}", check.kernel, check.variant), device, cases, values, wrong, worst, verdict]
    });
    body += &rows(&["kernel", "device", "cases", "values", "wrong", "worst error / bound", "verdict"], checks);
    if !record.rates.is_empty() {
        body += "<h2>What can the machine do?</h2>\n";
        let rates = record.rates.iter().map(|r| {
            let device = escaped(&table::device(&r.device, ""));
            vec![device, escaped(&r.name), table::rate(r.best, &r.unit), table::rate(r.median, &r.unit)]
        });
        body += &rows(&["device", "rate", "best", "median"], rates);
    }
    if !record.timings.is_empty() {
        body += "<h2>How fast is it?</h2>\n";
        let head = ["what", "device", "size", "median", "±", "samples", "limit", "of the limit", "bound by"];
        body += &rows(&head, record.timings.iter().map(timing_row));
    }
    for (device, plot) in figures::rooflines(record) {
        body += &format!("<h2>Roofline of {}</h2>\n{plot}\n", escaped(&device));
    }
    if let Some(plot) = figures::fractions(record) {
        body += &format!("<h2>Kernels against their limits</h2>\n{plot}\n");
    }
    let stages = stage_rows(record);
    if !stages.is_empty() {
        body += "<h2>Where the time goes</h2>\n<p>One run more of each workload; all threads together, passes by the device's clock.</p>\n";
        body += &table_of("words", &["workload", "device", "stages", "bytes", "heap of the program"], stages);
    }
    body += &memory(record);
    for (name, profile) in profiles {
        if let Some(plot) = figures::timeline(profile) {
            body += &format!("<h2>Timeline of {}</h2>\n{plot}\n", escaped(name));
        }
    }
    if let Some(scaling) = &record.scaling {
        body += &format!("<h2>Threads</h2>\n<pre>{}</pre>\n", escaped(&table::scaling(scaling)));
        body += &figures::scaling(scaling).unwrap_or_default();
    }
    let title = format!("gpu-bench: eagleray {}", record.eagleray_version);
    save(folder, overwrite, &page(&title, &body))
}

fn save(folder: &Path, overwrite: bool, text: &str) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    super::write(&folder.join(super::PAGE), overwrite, text.as_bytes())
}

/// Reads every record in a folder and writes `index.html` there: the medians of workloads from run to run.
///
/// # Errors
/// The folder cannot be read; it has no records; a file that is none.
pub fn history(folder: &Path) -> Result<()> {
    let mut runs: Vec<(String, BenchRecord)> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            runs.push((name, BenchRecord::read(&path)?));
        }
    }
    if runs.is_empty() {
        let message = "has no .json file; write one with `gpu-bench --json DIR/VERSION.json`";
        return Err(Error::argument("history", folder.display(), message));
    }
    runs.sort_by(|a, b| (a.1.unix_time, &a.0).cmp(&(b.1.unix_time, &b.0)));
    let about = runs.iter().enumerate().map(|(i, (name, record))| {
        let machine = format!("{}, {} cores", record.machine.processor, record.machine.cores);
        let others = record.others().map_or(String::new(), |cores| format!("{cores:.1}"));
        let text = [name, &record.eagleray_version, &machine, &record.auto].map(|text| escaped(text));
        [vec![(i + 1).to_string()], text.to_vec(), vec![others]].concat()
    });
    let mut body = rows(&["run", "file", "version", "machine", "auto takes", "cores busy with others"], about);
    body += &figures::history(&runs)
        .unwrap_or_else(|| "<p>No workload was measured in two runs: there is nothing to compare.</p>".into());
    let mut ids: Vec<&BenchTiming> = Vec::new();
    for timing in runs.iter().flat_map(|(_, record)| &record.timings).filter(|timing| timing.kind == "workload") {
        if ids.iter().all(|known| known.id != timing.id) {
            ids.push(timing);
        }
    }
    let numbers: Vec<String> = (1..=runs.len()).map(|i| i.to_string()).collect();
    let head: Vec<&str> = ["workload"].into_iter().chain(numbers.iter().map(String::as_str)).collect();
    let medians = ids.iter().map(|timing| {
        let of =
            |(_, record): &(String, BenchRecord)| record.timings.iter().find(|t| t.id == timing.id).map(|t| t.median);
        let cells = runs.iter().map(|run| of(run).map_or("–".into(), table::seconds));
        [vec![escaped(&timing.id)], cells.collect()].concat()
    });
    body += &rows(&head, medians);
    save(folder, true, &page("eagleray from run to run", &body))
}
