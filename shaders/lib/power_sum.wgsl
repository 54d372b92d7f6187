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

// F_k and F_{h−k}, each but for a phase that is the same in all rows.
struct Pair {
    low: Complex,
    high: Complex,
}

// F_k and F_{h−k} of 2h samples from z_k and z_{h−k}, the spectrum of their h pairs. F_k = (z_k·(1 − iw) + conj z_{h−k}·(1 + iw))/2
// with w = e^{−2πi k/2h}, conj F_{h−k} the same with −w: for α = π/4 + πk/2h they are, times −i·e^{iα} and −e^{iα}, b·sin α + a·cos α and
// a·sin α − b·cos α, where a = −i·z_k and b = conj z_{h−k}. `turn` is (cos α, 1 − sin α), the smaller numbers, whose products are
// rounded to less.
fn amplitudes_of_pair(z_k: Complex, z_h_k: Complex, turn: Complex) -> Pair {
    let a = times_minus_i(z_k);
    let b = conj(z_h_k);
    return Pair(b + (a * turn.x - b * turn.y), conj(a - (b * turn.x + a * turn.y)));
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
