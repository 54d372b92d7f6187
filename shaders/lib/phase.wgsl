// Rotational phase in integers, the bits of phase.rs. Times are vec2(low, high) of an i64 of ticks; coefficients are vec3 of
// their words, the lowest first, in two's complement. Needs soft_f64.wgsl for u32_mul_wide and the 64-bit sums.

// The sum of two numbers of 96 bits, wrapped.
fn u96_add(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let low = u64_add(a.xy, b.xy);
    let carry = select(0u, 1u, low.y < a.y || (low.y == a.y && low.x < a.x));
    return vec3<u32>(low, a.z + b.z + carry);
}

// The difference of two numbers of 96 bits, wrapped.
fn u96_sub(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let borrow = select(0u, 1u, a.y < b.y || (a.y == b.y && a.x < b.x));
    return vec3<u32>(u64_sub(a.xy, b.xy), a.z - b.z - borrow);
}

// The product of a number of 96 bits and one of 32, 128 bits.
fn u96_mul(c: vec3<u32>, t: u32) -> vec4<u32> {
    let p0 = u32_mul_wide(c.x, t);
    let p1 = u32_mul_wide(c.y, t);
    let p2 = u32_mul_wide(c.z, t);
    let s1 = u64_add(p1, vec2<u32>(p0.y, 0u));
    let s2 = u64_add(p2, vec2<u32>(s1.y, 0u));
    return vec4<u32>(p0.x, s1.x, s2);
}

// floor(c·t/2^64) of two signed numbers.
fn upper(c: vec3<u32>, t: vec2<u32>) -> vec3<u32> {
    let low = u96_mul(c, t.x);
    let high = u96_mul(c, t.y);
    // Words 1 to 3 of `low` and 0 to 2 of `high` add; what leaves them goes to the last word.
    let middle = u96_add(low.yzw, high.xyz);
    let below = middle.z < high.z || (middle.z == high.z && (middle.y < high.y || (middle.y == high.y && middle.x < high.x)));
    var product = vec3<u32>(middle.y, middle.z, high.w + select(0u, 1u, below));
    // A negative number was taken for one that is 2^96 or 2^64 larger.
    if ((c.z & 0x80000000u) != 0u) {
        product = u96_sub(product, vec3<u32>(0u, t));
    }
    if ((t.y & 0x80000000u) != 0u) {
        product = u96_sub(product, c);
    }
    return product;
}

// Units of 2^-64 cycle in f·t, of f in units of 2^-96; whole cycles are left out.
fn turn(f: vec3<u32>, t: vec2<u32>) -> vec2<u32> {
    let p00 = u32_mul_wide(f.x, t.x);
    let p10 = u32_mul_wide(f.y, t.x);
    let p01 = u32_mul_wide(f.x, t.y);
    let first = u64_add(p10, vec2<u32>(p00.y, 0u));
    // The carry of the second sum is one of word 3, which is left out with the cycles.
    let second = u64_add(first, p01);
    let negative = select(0u, f.x, (t.y & 0x80000000u) != 0u);
    return vec2<u32>(second.x, second.y + f.z * t.x + f.y * t.y - negative);
}

// The phase of f + g·t + h·t², each with its own unit, at t.
fn phase_of(f: vec3<u32>, g: vec3<u32>, h: vec3<u32>, t: vec2<u32>) -> vec2<u32> {
    let slope = u96_add(g, upper(h, t));
    return turn(u96_add(f, upper(slope, t)), t);
}
