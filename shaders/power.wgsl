// Power summed over the segments of a run, in index order: S_k = Σ_row w_row·|F_row,k|², k = 1 … ceil(n/2) − 1, and with
// exponent p > 0 a second block of sums whose terms also weigh N^−p, N the photons in bins. At most 64 terms a sum.
// Source: van der Klis 1989, "Fourier techniques in X-ray timing". For even n the spectra are those of pairs of samples.
// One thread a run and k, or a run and the pair k, h − k.
// Fragments before: grid, real, complex, time_bits, row, power_sum; after: amplitude.

struct Params {
    // Runs.
    runs: u32,
    // Real samples a row.
    n: u32,
    // Complex amplitudes from row to row.
    stride: u32,
    // p, 0 without weights.
    exponent: u32,
    // For even n, place in `tables` of what splits the pairs k, h − k, from k = 0 on.
    split: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// See FftPlan::tables; params tell the places.
@group(0) @binding(1) var<storage, read> tables: array<Complex>;
// rows × stride.
@group(0) @binding(2) var<storage, read> spectra: array<Complex>;
// rows.
@group(0) @binding(3) var<storage, read> rows: array<Row>;
// rows: events that fell in no bin.
@group(0) @binding(4) var<storage, read> dropped: array<u32>;
// runs: first row, and one past the last.
@group(0) @binding(5) var<storage, read> runs: array<vec2<u32>>;
// runs × (1 or 2) × frequencies: the sums, in the unit of the amplitudes squared.
@group(0) @binding(6) var<storage, read_write> sums: array<Real>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn power(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let paired = (params.n & 1u) == 0u;
    let h = params.n / 2u;
    let frequencies = (params.n - 1u) / 2u;
    let items = select(frequencies, h / 2u, paired);
    let index = group_index(id, count) * THREADS + thread;
    if (index >= params.runs * items) {
        return;
    }
    let run = index / items;
    let k = index % items + 1u;
    var split: Split;
    if (paired) {
        split = split_of(k);
    }
    var sum = Complex(Real(0), Real(0));
    var weighted = Complex(Real(0), Real(0));
    for (var row = runs[run].x; row < runs[run].y; row++) {
        var p: Complex;
        if (paired) {
            p = powers_of_pair(amplitudes(row, k, h, split));
        } else {
            let f = amplitude(row, k);
            p = Complex(dot(f, f), Real(0));
        }
        p = p * Real(rows[row].include);
        sum += p;
        if (params.exponent > 0u) {
            weighted += p * weight(rows[row].events - dropped[row], params.exponent);
        }
    }
    let blocks = select(1u, 2u, params.exponent > 0u);
    store_pair(run * blocks * frequencies, k, h, paired, sum);
    if (params.exponent > 0u) {
        store_pair((run * blocks + 1u) * frequencies, k, h, paired, weighted);
    }
}
