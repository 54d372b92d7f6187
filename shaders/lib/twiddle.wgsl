// Roots of unity from the host's table, which is computed in f64: no sine or cosine is evaluated on a device.
// Names the module's `twiddles` (w_n^k for k = 0 … n/2 − 1, n = 2·2^log_h) and `params`.

// w_m^x = e^{−2πi x/m} with m = 2^log_m ≤ n and x < m; the second half of the circle is minus the first.
fn root(x: u32, log_m: u32) -> vec2<f32> {
    let half = 1u << params.log_h;
    let index = x << (params.log_h + 1u - log_m);
    let w = twiddles[index & (half - 1u)];
    return select(w, -w, (index & half) != 0u);
}
