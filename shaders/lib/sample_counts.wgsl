// Samples are counts of photons. Subtracting the mean changes F_0 alone, and keeps f32 accurate (4e-6 instead of 4e-3 at
// 1e4 counts a bin).
alias Sample = u32;

// A small offset of column j, which output 0 of the column alone feels, and gets back: a multiple of 2^-18 below 2^-6. Counts have
// few values, so that the rounding errors of a butterfly with irrational roots have a mean that is not 0; alike in all columns it
// would add up at the lowest frequencies (1.6 of the bound at n = 5^9). With offsets that differ it does not.
fn column_offset(j: u32) -> Real {
    return Real((j * 2654435761u) >> 20u) * Real(0.000003814697265625);
}

fn centred(x: Sample, mean: Real) -> Real {
    return Real(x) - mean;
}
