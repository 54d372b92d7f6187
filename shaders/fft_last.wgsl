// Second half of a long complex transform, h = h1·h2 > POINTS, k = k1 + h1·k2: the rows of what fft_first wrote,
// Z[k1 + h1·k2] = Σ_j2 Y[k1, j2] w_h2^{j2·k2}.
// Source: the four-step transform (Bailey 1990, doi:10.1007/BF00162341). POINTS/h2 adjacent rows a workgroup, so that the
// transposed store writes runs of adjacent points.
// Fragments before: grid, complex, fft_params; after: twiddle, stockham.

// See lib/fft_params.wgsl.
@group(0) @binding(0) var<uniform> params: Params;
// h: w_n^k = e^{−2πi k/n}.
@group(0) @binding(1) var<storage, read> twiddles: array<vec2<f32>>;
// rows × h1 × h2: Y[k1, j2], in the unit of the samples.
@group(0) @binding(2) var<storage, read> columns: array<vec2<f32>>;
// rows × h: Z_k, in the unit of the samples.
@group(0) @binding(3) var<storage, read_write> spectra: array<vec2<f32>>;

@compute @workgroup_size(THREADS)
fn fft_last(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let log_batch = countTrailingZeros(POINTS) - params.log_h2;
    let log_blocks = params.log_h1 - log_batch;
    let group = group_index(id, count);
    let row = group >> log_blocks;
    if (row >= params.rows) {
        return;
    }
    let first = (group & ((1u << log_blocks) - 1u)) << log_batch;
    let base = row << params.log_h;
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let j2 = e & ((1u << params.log_h2) - 1u);
        points[place(j2, e >> params.log_h2, log_batch)] = columns[base + (first << params.log_h2) + e];
    }
    workgroupBarrier();
    transform(thread, params.log_h2);
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let q = e & ((1u << log_batch) - 1u);
        spectra[base + ((e >> log_batch) << params.log_h1) + first + q] = points[e];
    }
}
