// Powers and their weights. Names the module's `sums`; needs complex.wgsl.

// N^−p; a segment without photons weighs nothing.
fn weight(photons: u32, exponent: u32) -> Real {
    if (photons == 0u) {
        return Real(0);
    }
    var w = Real(1);
    for (var i = 0u; i < exponent; i++) {
        w = w / Real(photons);
    }
    return w;
}

// |F_k|² and |F_{h−k}|² of 2h samples from z_k and z_{h−k}, the spectrum of their h pairs: F_k = E + w·O, conj F_{h−k} = E − w·O
// with E = (z_k + conj z_{h−k})/2, O = −i(z_k − conj z_{h−k})/2, w = e^{−2πi k/2h}.
fn powers_of_pair(z_k: Complex, z_h_k: Complex, w: Complex) -> Complex {
    let even = (z_k + conj(z_h_k)) * Real(0.5);
    let odd = cmul(times_minus_i(z_k - conj(z_h_k)) * Real(0.5), w);
    let f = even + odd;
    let g = even - odd;
    return Complex(dot(f, f), dot(g, g));
}

// Stores the sums of k = 1 … and, where there is one, of its partner h − k, in the block that begins at `begin`.
fn store_pair(begin: u32, k: u32, h: u32, paired: bool, sum: Complex) {
    sums[begin + k - 1u] = sum.x;
    if (paired && 2u * k != h) {
        sums[begin + h - k - 1u] = sum.y;
    }
}
