// Complex transforms that fit a workgroup: Z_k = Σ_j z_j e^{−2πi jk/h}, z_j = x_2j + i·x_2j+1 − (1 + i)·mean, for each
// row. POINTS/h rows a workgroup. Source: Stockham 1966, see lib/stockham.wgsl.
// Fragments before: grid, complex, fft_params, sample_counts or sample_flux; after: twiddle, stockham.

// See lib/fft_params.wgsl.
@group(0) @binding(0) var<uniform> params: Params;
// rows × h pairs (x_2j, x_2j+1), counts or flux.
@group(0) @binding(1) var<storage, read> samples: array<vec2<Sample>>;
// rows: mean of a sample, counts.
@group(0) @binding(2) var<storage, read> means: array<f32>;
// h: w_n^k = e^{−2πi k/n}.
@group(0) @binding(3) var<storage, read> twiddles: array<vec2<f32>>;
// rows × h: Z_k, in the unit of the samples.
@group(0) @binding(4) var<storage, read_write> spectra: array<vec2<f32>>;

@compute @workgroup_size(THREADS)
fn fft_whole(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let log_batch = countTrailingZeros(POINTS) - params.log_h;
    let first = group_index(id, count) << log_batch;
    if (first >= params.rows) {
        return;
    }
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let q = e >> params.log_h;
        let j = e & ((1u << params.log_h) - 1u);
        var z = vec2<f32>(0.0, 0.0);
        if (first + q < params.rows) {
            let x = samples[(first << params.log_h) + e];
            z = vec2<f32>(centred(x.x, means[first + q]), centred(x.y, means[first + q]));
        }
        points[place(j, q, log_batch)] = z;
    }
    workgroupBarrier();
    transform(thread, params.log_h);
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let q = e >> params.log_h;
        if (first + q < params.rows) {
            let k = e & ((1u << params.log_h) - 1u);
            spectra[(first << params.log_h) + e] = points[place(k, q, log_batch)];
        }
    }
}
