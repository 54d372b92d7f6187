// Power summed over the segments of a run, in index order: S_k = Σ_row w_row·|F_row,k|², k = 1 … h − 1, and with
// exponent p > 0 a second block of sums whose terms also weigh N^−p, N the photons in bins. At most 64 terms a sum.
// Source: van der Klis 1989, "Fourier techniques in X-ray timing". One thread a frequency and run.
// Fragments before: grid.

struct Params {
    // Runs.
    runs: u32,
    // Complex amplitudes a row, n/2.
    h: u32,
    // p, 0 without weights.
    exponent: u32,
}

struct PowerRow {
    // 1 for a segment that counts, 0 for one that is skipped.
    include: f32,
    // Events in the segment's range.
    events: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// rows × h: (F_0, F_h), F_1 … F_{h−1}.
@group(0) @binding(1) var<storage, read> spectra: array<vec2<f32>>;
// rows.
@group(0) @binding(2) var<storage, read> rows: array<PowerRow>;
// rows: events that fell in no bin.
@group(0) @binding(3) var<storage, read> dropped: array<u32>;
// runs: first row, and one past the last.
@group(0) @binding(4) var<storage, read> runs: array<vec2<u32>>;
// runs × (1 or 2) × (h − 1): the sums, in the unit of the amplitudes squared.
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

// N^−p; a segment without photons weighs nothing.
fn weight(photons: u32, exponent: u32) -> f32 {
    if (photons == 0u) {
        return 0.0;
    }
    var w = 1.0;
    for (var i = 0u; i < exponent; i++) {
        w = w / f32(photons);
    }
    return w;
}

@compute @workgroup_size(THREADS)
fn power(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let frequencies = params.h - 1u;
    let index = group_index(id, count) * THREADS + thread;
    if (index >= params.runs * frequencies) {
        return;
    }
    let run = index / frequencies;
    let k = index % frequencies + 1u;
    var sum = 0.0;
    var weighted = 0.0;
    for (var row = runs[run].x; row < runs[run].y; row++) {
        let f = spectra[row * params.h + k];
        let p = rows[row].include * dot(f, f);
        sum += p;
        if (params.exponent > 0u) {
            weighted += weight(rows[row].events - dropped[row], params.exponent) * p;
        }
    }
    let blocks = select(1u, 2u, params.exponent > 0u);
    sums[run * blocks * frequencies + k - 1u] = sum;
    if (params.exponent > 0u) {
        sums[(run * blocks + 1u) * frequencies + k - 1u] = weighted;
    }
}
