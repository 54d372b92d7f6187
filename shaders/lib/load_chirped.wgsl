// What the first pass of a convolution transforms: a_j = z_j·e^{−πi j²/h}, and zeros from h on (Bluestein 1970,
// doi:10.1109/TAU.1970.1162132). Needs samples.wgsl.

// h: e^{−πi j²/h}.
@group(0) @binding(5) var<storage, read> chirp: array<Complex>;

// Nothing is to be taken off: these points have many values.
fn offset(j: u32) -> Complex {
    return Complex(Real(0), Real(0));
}

fn load(row: u32, j: u32) -> Complex {
    if (j >= params.h) {
        return Complex(Real(0), Real(0));
    }
    return cmul(point(row, j), chirp[j]);
}
