// The last pass where n is even: F_k and F_{h−k} come from Z_k and Z_{h−k}, and h − k is output len − 1 − m of column done − j, so
// that half of a workgroup's columns are the mirrors of the other half. Columns 0 and done/2 are their own mirrors, and take
// each other's place. Needs power_sum.wgsl; names the module's `params` and `tables`.

// Columns of the workgroup that are no mirrors.
fn own_columns() -> u32 {
    return params.batch / 2u;
}

// The column at place q of the workgroup, whose first is `first`; `done` where there is none.
fn column(q: u32, first: u32) -> u32 {
    let half = own_columns();
    let mirror = q >= half;
    let j = first + select(q, q - half, mirror);
    if (j >= params.columns || q >= 2u * half) {
        return params.done;
    }
    return select(j, select(params.done - j, params.done / 2u, j == 0u), mirror);
}

// A frequency k, 0 where there is none, and the places in the workgroup of Z_k and Z_{h−k}.
struct Term {
    k: u32,
    low: u32,
    high: u32,
}

// Term e of the workgroup: point m of one of its own columns, and its mirror.
fn term(e: u32, first: u32) -> Term {
    let half = own_columns();
    let q = remainder(e, half);
    let m = quotient(e, half);
    let j = first + q;
    if (m >= params.len || j >= params.columns) {
        return Term(0u, 0u, 0u);
    }
    if (j > 0u) {
        return Term(j + m * params.done, m * params.batch + q, (params.len - 1u - m) * params.batch + half + q);
    }
    // Half of column 0, and half of column done/2.
    if (m > 0u && 2u * m <= params.len) {
        return Term(m * params.done, m * params.batch, (params.len - m) * params.batch);
    }
    if ((params.done & 1u) == 1u) {
        return Term(0u, 0u, 0u);
    }
    let r = select(params.len - m, 0u, m == 0u);
    return Term(params.done / 2u + r * params.done, r * params.batch + half, (params.len - 1u - r) * params.batch + half);
}

// |F_k|² and |F_{h−k}|² of term e.
fn powers(e: u32, first: u32) -> Complex {
    let t = term(e, first);
    // The table ends at h/2, and α_{h−k} = π − α_k.
    let h = params.n / 2u;
    var turn = tables[params.split + min(t.k, h - t.k)];
    turn.x = select(turn.x, -turn.x, 2u * t.k > h);
    return powers_of_pair(amplitudes_of_pair(read_point(t.low), read_point(t.high), turn));
}

// Stores the sums of term e in the block that begins at `begin`.
fn store(begin: u32, e: u32, first: u32, sum: Complex) {
    let t = term(e, first);
    if (t.k > 0u) {
        store_pair(begin, t.k, params.n / 2u, true, sum);
    }
}
