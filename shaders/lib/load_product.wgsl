// What the first pass back transforms: the conjugate of the product of two spectra, since conj(FFT(conj x)) is the inverse
// transform times its length, by which the filter is divided.

// rows × length: spectra of the chirped points.
@group(0) @binding(3) var<storage, read> points_in: array<Complex>;
// length: spectrum of e^{+πi j²/h}, over length and over what rounded roots take from the sums of both transforms.
@group(0) @binding(4) var<storage, read> filter_spectrum: array<Complex>;

// Nothing is to be taken off: these points have many values.
fn offset(j: u32) -> Complex {
    return Complex(Real(0), Real(0));
}

fn load(row: u32, j: u32) -> Complex {
    return conj(cmul(points_in[row * params.length + j], filter_spectrum[j]));
}
