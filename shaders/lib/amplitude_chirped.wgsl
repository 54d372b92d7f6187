// Amplitudes of rows whose spectra came by convolution: Z_k = c_k·y_k with c_k = e^{−πi k²/h}, and the conjugate of y_k is stored.
// Phases that are the same in all rows are left out. Names the module's `tables` and `spectra`; needs power_sum.wgsl.

// What the pair k, h − k is split with. Since c_{h−k} = (−1)^h·c_k, both amplitudes times c_k have a = p·y_k and b = conj y_{h−k} in
// the formulas of power_sum.wgsl, p = −i·(−1)^h·c_k²; the second times conj p leaves y_k alone, too. `near` is p·cos α.
struct Split {
    near: Complex,
    // 1 − sin α.
    rest: Real,
}

fn split_of(k: u32) -> Split {
    let place = params.split + 2u * k;
    return Split(tables[place], tables[place + 1u].x);
}

fn amplitude(row: u32, k: u32) -> Complex {
    return conj(spectra[row * params.stride + k]);
}

fn amplitudes(row: u32, k: u32, h: u32, split: Split) -> Pair {
    let y = amplitude(row, k);
    let b = spectra[row * params.stride + h - k];
    return Pair(b + (cmul(y, split.near) - b * split.rest), conj(y - (cmul(b, conj(split.near)) + y * split.rest)));
}
