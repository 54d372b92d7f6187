// Complex numbers as vec2(re, im). Needs real_f32.wgsl or real_f64.wgsl.

// a·b
fn cmul(a: Complex, b: Complex) -> Complex {
    return Complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// −i·a
fn times_minus_i(a: Complex) -> Complex {
    return Complex(a.y, -a.x);
}

// The complex conjugate of a.
fn conj(a: Complex) -> Complex {
    return Complex(a.x, -a.y);
}
