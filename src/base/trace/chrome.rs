//! A recording as a trace for viewers, and as a table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::{Stage, Trace};

/// Bytes written at a time.
const PIECE: usize = 64 << 10;

/// Adds a time of `ns` nanoseconds, in microseconds with three digits behind the point; the general way of writing numbers takes
/// several times as long, and there may be a million of them.
fn push_microseconds(text: &mut Vec<u8>, ns: u64) {
    let digit = |number: u64| b'0' + (number % 10) as u8;
    let (mut whole, thousandths) = (ns / 1000, ns % 1000);
    // The largest number of u64 has 17 digits before the point.
    let (mut digits, mut first) = ([0; 17], 17);
    while whole > 0 || first == 17 {
        first -= 1;
        digits[first] = digit(whole);
        whole /= 10;
    }
    text.extend_from_slice(&digits[first..]);
    text.extend_from_slice(&[b'.', digit(thousandths / 100), digit(thousandths / 10), digit(thousandths)]);
}

impl Trace {
    /// Chrome's trace format, which Perfetto and `about:tracing` show: complete events (`ph` X) in microseconds, a track for each
    /// thread and each GPU, counters (`ph` C) that grow. JSON; written piece by piece, because there may be a million of them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_chrome(&self, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::with_capacity(PIECE + 1024);
        text.extend_from_slice(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
        // What was written so far goes on with a comma.
        let mut comma = "";
        type Spans<'a> = &'a mut dyn Iterator<Item = (&'static str, u64, u64)>;
        let mut track = |tid: usize, name: &str, spans: Spans| -> io::Result<()> {
            let name = json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}});
            text.extend_from_slice(format!("{comma}\n{name}").as_bytes());
            comma = ",";
            // Names are literals of this program, without quotes.
            let head = format!(",\n{{\"ph\":\"X\",\"pid\":1,\"tid\":{tid},\"name\":\"");
            for (name, begin, duration) in spans {
                text.extend_from_slice(head.as_bytes());
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b"\",\"ts\":");
                push_microseconds(&mut text, begin);
                text.extend_from_slice(b",\"dur\":");
                push_microseconds(&mut text, duration);
                text.push(b'}');
                if text.len() >= PIECE {
                    out.write_all(&text)?;
                    text.clear();
                }
            }
            Ok(())
        };
        for (tid, thread) in self.threads.iter().enumerate() {
            track(tid, &thread.name, &mut thread.spans.iter().map(|span| (span.name, span.begin, span.duration)))?;
        }
        for (tid, (device, spans)) in (self.threads.len()..).zip(self.device_tracks()) {
            let ns = |seconds: f64| (seconds * 1e9).round() as u64;
            track(tid, &device, &mut spans.into_iter().map(|(name, begin, s)| (name, ns(begin), ns(s))))?;
        }
        let mut counted: Vec<_> = self.threads.iter().flat_map(|thread| &thread.counters).collect();
        counted.sort_by_key(|counter| counter.1);
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, at, bytes) in counted {
            let total = totals.entry(name).or_default();
            *total += bytes;
            let event =
                format!("{comma}\n{{\"ph\":\"C\",\"name\":\"{name}\",\"pid\":1,\"args\":{{\"bytes\":{total}}},\"ts\":");
            text.extend_from_slice(event.as_bytes());
            push_microseconds(&mut text, *at);
            text.push(b'}');
            comma = ",";
        }
        let left_out: u64 = self.threads.iter().map(|thread| thread.left_out).sum();
        let other = json!({
            "program": concat!("eagleray ", env!("CARGO_PKG_VERSION")), "stages": self.stages(),
            "counters": self.counters(), "peak_memory_bytes": self.peak_memory, "spans_left_out": left_out,
        });
        text.extend_from_slice(format!("\n],\"otherData\":{other}}}\n").as_bytes());
        out.write_all(&text)
    }

    /// The stages as a table, all threads together: time, spans, bytes that were moved; where allocations are counted, these,
    /// their bytes, and the most bytes in use. Then the passes of GPUs, all bytes, and memory.
    pub fn table(&self) -> String {
        let mut stages: Vec<_> = self.stages().into_iter().collect();
        stages.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
        let total: f64 = stages.iter().map(|(_, stage)| stage.seconds).sum();
        let counted = stages.iter().any(|(_, stage)| stage.allocations > 0);
        let mut text =
            format!("{:<26}{:>12}{:>8}{:>10}{:>12}", "stage (all threads)", "time, ms", "share", "spans", "moved, MB");
        if counted {
            text += &format!("{:>13}{:>15}{:>14}", "allocations", "allocated, MB", "most heap, MB");
        }
        let megabytes = |bytes: u64| if bytes == 0 { "-".to_string() } else { format!("{:.3}", bytes as f64 * 1e-6) };
        for (name, stage) in stages {
            let Stage { count, seconds, bytes, allocations, allocated_bytes, peak_heap_bytes } = stage;
            let share = 100.0 * seconds / total;
            text += &format!("\n{name:<26}{:>12.3}{share:>7.1}%{count:>10}{:>12}", seconds * 1e3, megabytes(bytes));
            if counted {
                let [allocated, peak] = [allocated_bytes, peak_heap_bytes].map(megabytes);
                text += &format!("{allocations:>13}{allocated:>15}{peak:>14}");
            }
        }
        text += "\n";
        let mut passes: BTreeMap<(&str, &str), (f64, u64)> = BTreeMap::new();
        for pass in &self.devices {
            let sum = passes.entry((&pass.device, pass.name)).or_default();
            *sum = (sum.0 + pass.end - pass.begin, sum.1 + 1);
        }
        for ((device, name), (seconds, count)) in passes {
            text += &format!("{name:<26}{:>12.3}{:>8}{count:>10}  on {device}\n", seconds * 1e3, "");
        }
        for (name, bytes) in self.counters() {
            text += &format!("{name:<26}{:>12.3} MB\n", bytes as f64 * 1e-6);
        }
        if let Some(bytes) = self.peak_memory {
            text += &format!("{:<26}{:>12.3} MB\n", "peak memory", bytes as f64 * 1e-6);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_numbers_with_three_decimals() {
        for (ns, written) in [
            (0, "0.000"),
            (7, "0.007"),
            (999, "0.999"),
            (1000, "1.000"),
            (1_234_567, "1234.567"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            let mut text = Vec::new();
            push_microseconds(&mut text, ns);
            assert_eq!(text, written.as_bytes());
        }
    }
}
