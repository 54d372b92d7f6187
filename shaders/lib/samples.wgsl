// The points of the first pass: z_j = x_{2j} + i·x_{2j+1}, or x_j where n is odd. Needs sample_counts.wgsl or sample_flux.wgsl.

// rows × n samples.
@group(0) @binding(3) var<storage, read> samples: array<Sample>;
// rows: mean of the samples.
@group(0) @binding(4) var<storage, read> means: array<Real>;

fn point(row: u32, j: u32) -> Complex {
    let begin = row * params.n;
    if ((params.n & 1u) == 1u) {
        return Complex(centred(samples[begin + j], means[row]), Real(0));
    }
    return Complex(centred(samples[begin + 2u * j], means[row]), centred(samples[begin + 2u * j + 1u], means[row]));
}
