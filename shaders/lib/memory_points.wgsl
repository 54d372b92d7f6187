// Workgroup memory as complex points. Names the module's POINTS.
var<workgroup> points: array<Complex, POINTS>;

fn read_point(i: u32) -> Complex {
    return points[i];
}

fn write_point(i: u32, z: Complex) {
    points[i] = z;
}
