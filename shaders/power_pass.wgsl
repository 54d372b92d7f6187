// The last pass of a transform (fft.wgsl) together with the power of its outputs, summed over the segments of a run in index order
// (power.wgsl), so that the spectra are never stored. There `done` columns are left, and output m of column j is Z_k with
// k = j + m·done. Which columns meet in a workgroup, and what becomes of their outputs, is told by a fragment: columns_mirrored
// where n is even, columns_single where it is odd. At most 64 terms a sum. The sums stay in registers.
// Fragments before: grid, real, complex, time_bits, row, divide, power_sum, load_points; after: columns_*, roots, stockham,
// memory_points, stages.

struct Params {
    // Runs.
    runs: u32,
    // Real samples a row.
    n: u32,
    // Points of a row.
    length: u32,
    // Points of a column.
    len: u32,
    // Columns of a row, length/len.
    done: u32,
    // Columns in a workgroup.
    batch: u32,
    // Columns that a run needs, without mirrors: (done + 1)/2, or done where the outputs have no symmetry.
    columns: u32,
    // Workgroups of a run.
    groups: u32,
    // As in fft_params.wgsl.
    radices: u32,
    stages: u32,
    fine: u32,
    coarse: u32,
    log_fine: u32,
    // Place in `tables`, as in power.wgsl.
    split: u32,
    // p of the weights N^−p, 0 without.
    exponent: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// See FftPlan::tables; params tell the places.
@group(0) @binding(1) var<storage, read> tables: array<Complex>;
// runs × (1 or 2) × frequencies: the sums, in the unit of the amplitudes squared.
@group(0) @binding(2) var<storage, read_write> sums: array<Real>;
// rows.
@group(0) @binding(4) var<storage, read> rows: array<Row>;
// rows: events that fell in no bin.
@group(0) @binding(5) var<storage, read> dropped: array<u32>;
// runs: first row, and one past the last.
@group(0) @binding(6) var<storage, read> runs: array<vec2<u32>>;

// Loads the columns of a row.
fn load_columns(thread: u32, row: u32, first: u32) {
    for (var i = 0u; i < 8u; i++) {
        let e = thread + i * THREADS;
        let m = quotient(e, params.batch);
        let j = column(remainder(e, params.batch), first);
        if (m < params.len && j < params.done) {
            let z = load(row, j + m * params.done);
            write_point(e, cmul(z, root(j * m, params.fine, params.coarse, params.log_fine)));
        }
    }
}

@compute @workgroup_size(THREADS)
fn power_pass(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = group_index(id, count);
    let run = group / params.groups;
    let first = group % params.groups * own_columns();
    if (run >= params.runs) {
        return;
    }
    var sum: array<Complex, 4>;
    var weighted: array<Complex, 4>;
    for (var row = runs[run].x; row < runs[run].y; row++) {
        load_columns(thread, row, first);
        workgroupBarrier();
        transform(thread);
        for (var i = 0u; i < 4u; i++) {
            let p = powers(thread + i * THREADS, first) * Real(rows[row].include);
            sum[i] += p;
            if (params.exponent > 0u) {
                weighted[i] += p * weight(rows[row].events - dropped[row], params.exponent);
            }
        }
        workgroupBarrier();
    }
    let frequencies = (params.n - 1u) / 2u;
    let blocks = select(1u, 2u, params.exponent > 0u);
    for (var i = 0u; i < 4u; i++) {
        let e = thread + i * THREADS;
        store(run * blocks * frequencies, e, first, sum[i]);
        if (params.exponent > 0u) {
            store((run * blocks + 1u) * frequencies, e, first, weighted[i]);
        }
    }
}
