// Cross and power spectra summed over the segments of a run, in index order: each segment has `series` rows, the reference
// first, then subjects. For subject s four blocks of k = 1 … ceil(n/2) − 1: Σ|F_s|², Σ|F_r|², and the real and imaginary part of
// Σ conj(F_s)·F_r, so that a positive phase says that the subject is late. A subject inside the reference leaves it: F_r is
// F_0 − F_s then. With exponent p > 0 four more blocks follow, whose terms weigh N_s^−p, N_r^−p and (N_s·N_r)^(−p/2).
// Source: Vaughan & Nowak 1997, doi:10.1086/310430; Ingram 2019, doi:10.1093/mnras/stz2409. At most 64 terms a sum.
// One thread a run, a subject, and k or the pair k, h − k.
// Fragments before: grid, real, complex, time_bits, row, power_sum; after: amplitude.

struct Params {
    // Runs.
    runs: u32,
    // Real samples a row.
    n: u32,
    // Complex amplitudes from row to row.
    stride: u32,
    // Rows of a segment: one reference and the subjects; at most 65.
    series: u32,
    // p, 0 without weights.
    exponent: u32,
    // Bit s − 1 of the two words: subject s is inside the reference.
    inside_low: u32,
    inside_high: u32,
    // Place in `tables`, as in power.wgsl.
    split: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// See FftPlan::tables; params tell the places.
@group(0) @binding(1) var<storage, read> tables: array<Complex>;
// rows × stride.
@group(0) @binding(2) var<storage, read> spectra: array<Complex>;
// rows: those of a segment one after the other.
@group(0) @binding(3) var<storage, read> rows: array<Row>;
// rows: events that fell in no bin.
@group(0) @binding(4) var<storage, read> dropped: array<u32>;
// runs: first row, and one past the last.
@group(0) @binding(5) var<storage, read> runs: array<vec2<u32>>;
// runs × subjects × (4 or 8) × frequencies: the sums, in the unit of the amplitudes squared.
@group(0) @binding(6) var<storage, read_write> sums: array<Real>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

// Sums of k and of its partner h − k.
struct Sums {
    subject: Complex,
    reference: Complex,
    re: Complex,
    im: Complex,
}

// F_k, and F_{h−k} where the rows are pairs of samples.
fn terms(row: u32, k: u32, h: u32, paired: bool, split: Split) -> Pair {
    if (paired) {
        return amplitudes(row, k, h, split);
    }
    return Pair(amplitude(row, k), Complex(Real(0), Real(0)));
}

// Adds the terms of one segment, each times its weight.
fn add(sums: Sums, s: Pair, r: Pair, w_s: Real, w_r: Real, w: Real) -> Sums {
    // conj(a)·b = (a · b, a × b).
    let re = Complex(dot(s.low, r.low), dot(s.high, r.high));
    let im = Complex(s.low.x * r.low.y - s.low.y * r.low.x, s.high.x * r.high.y - s.high.y * r.high.x);
    return Sums(
        sums.subject + powers_of_pair(s) * w_s, sums.reference + powers_of_pair(r) * w_r, sums.re + re * w, sums.im + im * w,
    );
}

fn store(begin: u32, frequencies: u32, k: u32, h: u32, paired: bool, s: Sums) {
    store_pair(begin, k, h, paired, s.subject);
    store_pair(begin + frequencies, k, h, paired, s.reference);
    store_pair(begin + 2u * frequencies, k, h, paired, s.re);
    store_pair(begin + 3u * frequencies, k, h, paired, s.im);
}

fn is_inside(subject: u32) -> bool {
    let word = select(params.inside_low, params.inside_high, subject > 32u);
    return ((word >> ((subject - 1u) & 31u)) & 1u) == 1u;
}

@compute @workgroup_size(THREADS)
fn cross_spectrum(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let paired = (params.n & 1u) == 0u;
    let h = params.n / 2u;
    let frequencies = (params.n - 1u) / 2u;
    let items = select(frequencies, h / 2u, paired);
    let subjects = params.series - 1u;
    let index = group_index(id, count) * THREADS + thread;
    if (index >= params.runs * subjects * items) {
        return;
    }
    let run = index / (subjects * items);
    let subject = index / items % subjects + 1u;
    let k = index % items + 1u;
    var split: Split;
    if (paired) {
        split = split_of(k);
    }
    let zero = Complex(Real(0), Real(0));
    var sum = Sums(zero, zero, zero, zero);
    var weighted = sum;
    for (var row = runs[run].x; row < runs[run].y; row += params.series) {
        let s = terms(row + subject, k, h, paired, split);
        var r = terms(row, k, h, paired, split);
        var n_r = rows[row].events - dropped[row];
        let n_s = rows[row + subject].events - dropped[row + subject];
        if (is_inside(subject)) {
            r = Pair(r.low - s.low, r.high - s.high);
            n_r -= min(n_s, n_r);
        }
        let include = Real(rows[row].include);
        sum = add(sum, s, r, include, include, include);
        if (params.exponent > 0u) {
            let w_s = include * weight(n_s, params.exponent);
            let w_r = include * weight(n_r, params.exponent);
            weighted = add(weighted, s, r, w_s, w_r, sqrt(w_s * w_r));
        }
    }
    let blocks = select(4u, 8u, params.exponent > 0u);
    let begin = (run * subjects + subject - 1u) * blocks * frequencies;
    store(begin, frequencies, k, h, paired, sum);
    if (params.exponent > 0u) {
        store(begin + 4u * frequencies, frequencies, k, h, paired, weighted);
    }
}
