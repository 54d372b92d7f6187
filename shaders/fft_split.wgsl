// From the transform Z of z_j = x_2j + i·x_2j+1 to that of x, in place: with E = (Z_k + conj Z_{h−k})/2 and
// O = −i·(Z_k − conj Z_{h−k})/2, F_k = E + w_n^k·O and F_{h−k} = conj(E − w_n^k·O), k = 1 … h/2; F_0 and F_h are real.
// Source: Numerical Recipes, 3rd ed., section 12.3.2. One thread a pair; the first also does k = h/2.
// Fragments before: grid, complex, fft_params; after: twiddle.

// See lib/fft_params.wgsl.
@group(0) @binding(0) var<uniform> params: Params;
// h: w_n^k = e^{−2πi k/n}.
@group(0) @binding(1) var<storage, read> twiddles: array<vec2<f32>>;
// rows × h: Z_k, then (F_0, F_h), F_1 … F_{h−1}, in the unit of the samples.
@group(0) @binding(2) var<storage, read_write> spectra: array<vec2<f32>>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn fft_split(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let h = 1u << params.log_h;
    let log_pairs = max(params.log_h, 1u) - 1u;
    let index = group_index(id, count) * THREADS + thread;
    let row = index >> log_pairs;
    if (row >= params.rows) {
        return;
    }
    let base = row << params.log_h;
    let k = index & ((1u << log_pairs) - 1u);
    if (k == 0u) {
        let z = spectra[base];
        spectra[base] = vec2<f32>(z.x + z.y, z.x - z.y);
        if (h > 1u) {
            spectra[base + h / 2u] = conj(spectra[base + h / 2u]);
        }
        return;
    }
    let a = spectra[base + k];
    let b = conj(spectra[base + h - k]);
    let even = 0.5 * (a + b);
    let odd = cmul(root(k, params.log_h + 1u), times_minus_i(0.5 * (a - b)));
    spectra[base + k] = even + odd;
    spectra[base + h - k] = conj(even - odd);
}
