// Amplitudes of rows whose spectra were transformed at their own length. Names the module's `tables` and `spectra`; needs
// power_sum.wgsl.

// What the pair k, h − k is split with: (cos α, 1 − sin α), as in power_sum.wgsl.
struct Split {
    turn: Complex,
}

fn split_of(k: u32) -> Split {
    return Split(tables[params.split + k]);
}

fn amplitude(row: u32, k: u32) -> Complex {
    return spectra[row * params.stride + k];
}

fn amplitudes(row: u32, k: u32, h: u32, split: Split) -> Pair {
    return amplitudes_of_pair(amplitude(row, k), amplitude(row, h - k), split.turn);
}
