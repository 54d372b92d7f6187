// Event times to counts: x = ((t − start_hi) − start_lo)·delta, each operation in f64 rounded to nearest; the event counts
// in bin trunc(x) of its row where 0 ≤ x < n, else it is dropped and counted. The definition is that of
// kernels/bin_events.rs. One thread an event; events lie in row order, and rows may be empty.
// Fragments before: grid, then soft_f64 and bin_u32, or bin_f64; row.

struct Params {
    // Bins a second, f64.
    delta: Time,
    // Bins a row.
    n: u32,
    // Events.
    events: u32,
    // Rows, at least 1.
    rows: u32,
    unused: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// events: f64, s.
@group(0) @binding(1) var<storage, read> times: array<Time>;
// rows, in order of `begin`; the first begins at 0.
@group(0) @binding(2) var<storage, read> rows: array<Row>;
// rows × n: counts, added to.
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
// rows: events in no bin, added to.
@group(0) @binding(4) var<storage, read_write> dropped: array<atomic<u32>>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

// The last row that begins at or before event i.
fn row_of(i: u32) -> u32 {
    var low = 0u;
    var high = params.rows;
    while (high - low > 1u) {
        let middle = (low + high) / 2u;
        if (rows[middle].begin <= i) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(THREADS)
fn bin_events(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_index(id, count) * THREADS + thread;
    if (i >= params.events) {
        return;
    }
    let row = row_of(i);
    let bin = bin_of(times[i], rows[row].start_hi, rows[row].start_lo, params.delta, params.n);
    if (bin < params.n) {
        atomicAdd(&counts[row * params.n + bin], 1u);
    } else {
        atomicAdd(&dropped[row], 1u);
    }
}
