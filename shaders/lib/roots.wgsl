// Roots of unity from the host's tables, which are computed in f64: no sine or cosine is evaluated on a device.
// Names the module's `tables`. Needs complex.wgsl.

// w_N^x = w_N^{x mod F}·w_N^{x − x mod F}, F = 2^log_fine: two tables of about √N entries stay in every cache.
fn root(x: u32, fine: u32, coarse: u32, log_fine: u32) -> Complex {
    let low = x & ((1u << log_fine) - 1u);
    return cmul(tables[coarse + (x >> log_fine)], tables[fine + low]);
}
