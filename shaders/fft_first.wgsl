// First half of a long complex transform, h = h1·h2 > POINTS, j = j1·h2 + j2: the columns,
// Y[k1, j2] = w_h^{j2·k1} Σ_j1 z[j1·h2 + j2] w_h1^{j1·k1}, z_j = x_2j + i·x_2j+1 − (1 + i)·mean.
// Source: the four-step transform (Bailey 1990, doi:10.1007/BF00162341). POINTS/h1 adjacent columns a workgroup, so that
// reads and writes are of adjacent points.
// Fragments before: grid, complex, fft_params, sample_counts or sample_flux; after: twiddle, stockham.

// See lib/fft_params.wgsl.
@group(0) @binding(0) var<uniform> params: Params;
// rows × h pairs (x_2j, x_2j+1), counts or flux.
@group(0) @binding(1) var<storage, read> samples: array<vec2<Sample>>;
// rows: mean of a sample, counts.
@group(0) @binding(2) var<storage, read> means: array<f32>;
// h: w_n^k = e^{−2πi k/n}.
@group(0) @binding(3) var<storage, read> twiddles: array<vec2<f32>>;
// rows × h1 × h2: Y[k1, j2], in the unit of the samples.
@group(0) @binding(4) var<storage, read_write> columns: array<vec2<f32>>;

@compute @workgroup_size(THREADS)
fn fft_first(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let log_batch = countTrailingZeros(POINTS) - params.log_h1;
    let log_blocks = params.log_h2 - log_batch;
    let group = group_index(id, count);
    let row = group >> log_blocks;
    if (row >= params.rows) {
        return;
    }
    let mean = means[row];
    let first = (group & ((1u << log_blocks) - 1u)) << log_batch;
    let base = row << params.log_h;
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let j2 = first + (e & ((1u << log_batch) - 1u));
        let x = samples[base + ((e >> log_batch) << params.log_h2) + j2];
        points[e] = vec2<f32>(centred(x.x, mean), centred(x.y, mean));
    }
    workgroupBarrier();
    transform(thread, params.log_h1);
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let j2 = first + (e & ((1u << log_batch) - 1u));
        let k1 = e >> log_batch;
        columns[base + (k1 << params.log_h2) + j2] = cmul(points[e], root(j2 * k1, params.log_h));
    }
}
