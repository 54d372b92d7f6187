// What the first pass transforms. Needs samples.wgsl.
fn offset(j: u32) -> Complex {
    return point_offset(j);
}

fn load(row: u32, j: u32) -> Complex {
    return point(row, j);
}
