// What the first pass transforms. Needs samples.wgsl.
fn load(row: u32, j: u32) -> Complex {
    return point(row, j);
}
