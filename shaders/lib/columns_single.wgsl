// The last pass where n is odd: F_k = Z_k, or Z_k but for its phase where the spectra come by convolution. F_{n−k} has the same power,
// so of rows of n points columns 0 … (done − 1)/2 have all frequencies. Names the module's `params` and `sums`.

// All columns of the workgroup.
fn own_columns() -> u32 {
    return params.batch;
}

// The column at place q of the workgroup, whose first is `first`; `done` where there is none.
fn column(q: u32, first: u32) -> u32 {
    return select(params.done, first + q, first + q < params.columns);
}

// The frequency whose power point e of the workgroup has; 0 where there is none.
fn frequency(e: u32, first: u32) -> u32 {
    let j = first + remainder(e, params.batch);
    let m = quotient(e, params.batch);
    if (m >= params.len || j >= params.columns) {
        return 0u;
    }
    let k = j + m * params.done;
    if (k <= params.n / 2u) {
        return k;
    }
    // Beyond, the frequencies of the columns that are left out; column 0 has its own twice.
    return select(0u, params.n - k, params.columns < params.done && j > 0u);
}

// Powers of points e and e + 4·THREADS.
fn powers(e: u32, first: u32) -> Complex {
    return powers_of_pair(Pair(read_point(e), read_point(e + 4u * THREADS)));
}

// Stores their sums in the block that begins at `begin`.
fn store(begin: u32, e: u32, first: u32, sum: Complex) {
    let low = frequency(e, first);
    let high = frequency(e + 4u * THREADS, first);
    if (low > 0u) {
        sums[begin + low - 1u] = sum.x;
    }
    if (high > 0u) {
        sums[begin + high - 1u] = sum.y;
    }
}
