// Parameters of one pass of the transform. A row of n real samples is h complex points, pairs of samples where n is even; the
// transform's length is h, or longer where it serves a convolution. This pass transforms columns of `len` points.
struct Params {
    // Rows (transforms).
    rows: u32,
    // Real samples a row.
    n: u32,
    // Points of a row that are data.
    h: u32,
    // Points of a row that are transformed.
    length: u32,
    // Points of a column.
    len: u32,
    // Columns of a row, length/len.
    width: u32,
    // Product of the lengths of the passes before.
    done: u32,
    // Columns in a workgroup: batch·len ≤ POINTS.
    batch: u32,
    // Radices of the stages of a column, 4 bits each, the first lowest; their product is len.
    radices: u32,
    // Place in `tables` of the len powers of w_len = e^{−2πi/len}.
    stages: u32,
    // Places in `tables` of w_N^k for k = 0 … 2^log_fine − 1, and of w_N^{k·2^log_fine}; N = length.
    fine: u32,
    coarse: u32,
    log_fine: u32,
}
