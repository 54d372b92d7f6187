// One pass of batched complex transforms F_k = Σ_j z_j·e^{−2πi jk/length}: a stage of Stockham's self-sorting form whose radix,
// `len`, is as large as workgroup memory allows (Bailey 1990, doi:10.1007/BF00162341). With `done` the product of the radices of
// the passes before, column j takes the points j + m·width, m = 0 … len − 1, times w_{done·len}^{(j mod done)·m}, and its
// outputs go to places (j − j mod done)·len + j mod done + m·done. A workgroup takes `batch` columns.
// Fragments before: grid, real, complex, fft_params, divide, load (with what it needs); after: roots, stockham, memory, stages.

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// Roots of unity, in the places that params tell.
@group(0) @binding(1) var<storage, read> tables: array<Complex>;
// rows × length.
@group(0) @binding(2) var<storage, read_write> points_out: array<Complex>;

// Column of the workgroup and point of the column for element e: neighbours in memory for neighbouring threads, which are
// points of a column where columns lie apart (`along`), else columns.
fn element(e: u32, along: bool) -> vec2<u32> {
    if (along) {
        return vec2<u32>(quotient(e, params.len), remainder(e, params.len));
    }
    return vec2<u32>(remainder(e, params.batch), quotient(e, params.batch));
}

// A point of a column as the stages want it.
fn load_point(row: u32, j: u32, m: u32) -> Complex {
    let z = load(row, j + m * params.width);
    if (params.done == 1u) {
        return z - offset(j);
    }
    let scale = params.length / (params.done * params.len);
    return cmul(z, root(remainder(j, params.done) * m * scale, params.fine, params.coarse, params.log_fine));
}

@compute @workgroup_size(THREADS)
fn fft(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = group_index(id, count) * params.batch;
    let columns = params.rows * params.width;
    if (first >= columns) {
        return;
    }
    let here = min(params.batch, columns - first);
    for (var i = 0u; i < 8u; i++) {
        let e = element(thread + i * THREADS, params.width == 1u);
        if (e.x < here && e.y < params.len) {
            let c = first + e.x;
            let z = load_point(quotient(c, params.width), remainder(c, params.width), e.y);
            write_point(e.y * params.batch + e.x, z);
        }
    }
    workgroupBarrier();
    transform(thread);
    for (var i = 0u; i < 8u; i++) {
        let e = element(thread + i * THREADS, params.done == 1u);
        if (e.x < here && e.y < params.len) {
            let c = first + e.x;
            let j = remainder(c, params.width);
            let phase = remainder(j, params.done);
            let place = (j - phase) * params.len + phase + e.y * params.done;
            var z = read_point(e.y * params.batch + e.x);
            if (params.done == 1u && e.y == 0u) {
                z += offset(j) * Real(params.len);
            }
            points_out[quotient(c, params.width) * params.length + place] = z;
        }
    }
}
