// Samples are counts of photons. Subtracting the mean changes F_0 alone, and keeps f32 accurate (4e-6 instead of 4e-3 at
// 1e4 counts a bin).
alias Sample = u32;

fn centred(x: Sample, mean: Real) -> Real {
    return Real(x) - mean;
}
