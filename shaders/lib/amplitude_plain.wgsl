// Amplitudes of rows whose spectra were transformed at their own length.
fn amplitude(row: u32, k: u32) -> Complex {
    return spectra[row * params.stride + k];
}
