// Parameters of the passes of the transform. n = 2·h real samples a row, h = h1·h2 complex points.
struct Params {
    // Rows (transforms).
    rows: u32,
    // log2 of h, h1 and h2; h1 = h2 = 1 where a transform fits a workgroup.
    log_h: u32,
    log_h1: u32,
    log_h2: u32,
}
