// The points of the first pass: z_j = x_{2j} + i·x_{2j+1}, or x_j where n is odd. Needs row.wgsl
// and sample_counts.wgsl or sample_flux.wgsl.

// rows × n samples.
@group(0) @binding(3) var<storage, read> samples: array<Sample>;
// rows.
@group(0) @binding(4) var<storage, read> rows: array<Row>;

// See column_offset; of both samples of a pair.
fn point_offset(j: u32) -> Complex {
    let offset = column_offset(j);
    return Complex(offset, select(offset, Real(0), (params.n & 1u) == 1u));
}

fn point(row: u32, j: u32) -> Complex {
    let mean = Real(rows[row].mean);
    let begin = row * params.n;
    if ((params.n & 1u) == 1u) {
        return Complex(centred(samples[begin + j], mean), Real(0));
    }
    return Complex(centred(samples[begin + 2u * j], mean), centred(samples[begin + 2u * j + 1u], mean));
}
