// From event times to power summed over the segments of a run, without a round trip through device memory, for segments of
// n = 2·len bins whose points fit a workgroup: histogram (kernels/bin_events.rs), transform of pairs (fft.wgsl, one pass), and
// power (power.wgsl). A workgroup takes a run, `batch` of its segments at a time; the sums stay in registers.
// Fragments before: grid, soft_f64 and bin_u32, or bin_f64; row, real_f32, complex, divide, power_sum; after: stockham,
// memory_words, stages.

struct Params {
    // Bins a second, f64.
    delta: Time,
    // Bins a row.
    n: u32,
    // Events.
    events: u32,
    // Rows and runs.
    rows: u32,
    runs: u32,
    // Points a row, n/2.
    len: u32,
    // Rows side by side.
    batch: u32,
    // As in fft_params.wgsl.
    radices: u32,
    stages: u32,
    // Place in `tables`, as in power.wgsl.
    split: u32,
    // p of the weights N^−p, 0 without.
    exponent: u32,
    // 1 where earlier batches left counts.
    continued: u32,
    unused: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// See FftPlan::tables; params tell the places.
@group(0) @binding(1) var<storage, read> tables: array<Complex>;
// events: f64, s.
@group(0) @binding(2) var<storage, read> times: array<Time>;
// rows.
@group(0) @binding(3) var<storage, read> rows: array<Row>;
// rows × n: counts of earlier batches.
@group(0) @binding(4) var<storage, read> counts: array<u32>;
// rows: events in no bin, added to.
@group(0) @binding(5) var<storage, read_write> dropped: array<atomic<u32>>;
// runs: first row, and one past the last.
@group(0) @binding(6) var<storage, read> runs: array<vec2<u32>>;
// runs × (1 or 2) × (len − 1): the sums, in the unit of the amplitudes squared.
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;

// The histogram at the start: point j of row q is the pair of bins 2j, 2j + 1 at words 2(j·batch + q).
fn clear(thread: u32, first: u32, here: u32) {
    for (var e = thread; e < 2u * params.len * params.batch; e += THREADS) {
        let q = remainder(e / 2u, params.batch);
        var c = 0u;
        if (params.continued == 1u && q < here) {
            c = counts[(first + q) * params.n + 2u * quotient(e / 2u, params.batch) + (e & 1u)];
        }
        atomicStore(&words[e], c);
    }
}

// The row, of `here` rows from `first` on, to which event i belongs.
fn row_of(i: u32, first: u32, here: u32) -> u32 {
    var low = first;
    var high = first + here;
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

// Counts the events of `here` rows from `first` on.
fn count_events(thread: u32, first: u32, here: u32) {
    var end = params.events;
    if (first + here < params.rows) {
        end = rows[first + here].begin;
    }
    for (var i = rows[first].begin + thread; i < end; i += THREADS) {
        let row = row_of(i, first, here);
        let bin = bin_of(times[i], rows[row].start_hi, rows[row].start_lo, params.delta, params.n);
        if (bin < params.n) {
            atomicAdd(&words[2u * ((bin >> 1u) * params.batch + row - first) + (bin & 1u)], 1u);
        } else {
            atomicAdd(&dropped[row], 1u);
        }
    }
}

// Counts to points, the mean subtracted; each thread has its own.
fn centre(thread: u32, first: u32, here: u32) {
    for (var e = thread; e < params.len * params.batch; e += THREADS) {
        let q = min(remainder(e, params.batch), here - 1u);
        let mean = rows[first + q].mean;
        let a = f32(atomicLoad(&words[2u * e])) - mean;
        let b = f32(atomicLoad(&words[2u * e + 1u])) - mean;
        write_point(e, Complex(a, b));
    }
}

@compute @workgroup_size(THREADS)
fn fused(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let run = group_index(id, count);
    if (run >= params.runs) {
        return;
    }
    // Pairs k, len − k of the thread: k = 1 + thread + i·THREADS ≤ len/2 ≤ 4·THREADS.
    var sum: array<Complex, 4>;
    var weighted: array<Complex, 4>;
    for (var first = runs[run].x; first < runs[run].y; first += params.batch) {
        let here = min(params.batch, runs[run].y - first);
        clear(thread, first, here);
        workgroupBarrier();
        count_events(thread, first, here);
        workgroupBarrier();
        storageBarrier();
        centre(thread, first, here);
        workgroupBarrier();
        transform(thread);
        for (var i = 0u; i < 4u; i++) {
            let k = 1u + thread + i * THREADS;
            if (2u * k > params.len) {
                break;
            }
            let turn = tables[params.split + k];
            for (var q = 0u; q < here; q++) {
                let row = first + q;
                let a = read_point(k * params.batch + q);
                let b = read_point((params.len - k) * params.batch + q);
                let p = powers_of_pair(amplitudes_of_pair(a, b, turn)) * rows[row].include;
                sum[i] += p;
                if (params.exponent > 0u) {
                    weighted[i] += p * weight(rows[row].events - atomicLoad(&dropped[row]), params.exponent);
                }
            }
        }
        workgroupBarrier();
    }
    let frequencies = params.len - 1u;
    let blocks = select(1u, 2u, params.exponent > 0u);
    for (var i = 0u; i < 4u; i++) {
        let k = 1u + thread + i * THREADS;
        if (2u * k <= params.len) {
            store_pair(run * blocks * frequencies, k, params.len, true, sum[i]);
            if (params.exponent > 0u) {
                store_pair((run * blocks + 1u) * frequencies, k, params.len, true, weighted[i]);
            }
        }
    }
}
