// Amplitudes of rows whose spectra came by convolution: Z_k = e^{−πi k²/h}·y_k, and the conjugate of y_k is stored.

// h: e^{−πi k²/h}.
@group(0) @binding(7) var<storage, read> chirp: array<Complex>;

fn amplitude(row: u32, k: u32) -> Complex {
    return cmul(conj(spectra[row * params.stride + k]), chirp[k]);
}
