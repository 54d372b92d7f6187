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

// F_k and F_{h−k}.
struct Pair {
    low: Complex,
    high: Complex,
}

// F_k and F_{h−k} of 2h samples from z_k and z_{h−k}, the spectrum of their h pairs: F_k = E + w·O, conj F_{h−k} = E − w·O
// with E = (z_k + conj z_{h−k})/2, O = −i(z_k − conj z_{h−k})/2, w = e^{−2πi k/2h}.
fn amplitudes_of_pair(z_k: Complex, z_h_k: Complex, w: Complex) -> Pair {
    let even = (z_k + conj(z_h_k)) * Real(0.5);
    let odd = cmul(times_minus_i(z_k - conj(z_h_k)) * Real(0.5), w);
    return Pair(even + odd, conj(even - odd));
}

// |F_k|² and |F_{h−k}|².
fn powers_of_pair(f: Pair) -> Complex {
    return Complex(dot(f.low, f.low), dot(f.high, f.high));
}

// Stores the sums of k = 1 … and, where there is one, of its partner h − k, in the block that begins at `begin`.
fn store_pair(begin: u32, k: u32, h: u32, paired: bool, sum: Complex) {
    sums[begin + k - 1u] = sum.x;
    if (paired && 2u * k != h) {
        sums[begin + h - k - 1u] = sum.y;
    }
}
