// IEEE 754 binary64 in 32-bit integers: subtraction and product rounded to nearest even, subnormals included, and
// truncation. A number is vec2(low word, high word) of its bits. Source: IEEE 754-2019; the layout of guard bits is that
// of Berkeley SoftFloat 3e (Hauser). Infinity and NaN are one value, INFINITE, that every operation passes on.

const INFINITE: vec2<u32> = vec2<u32>(0u, 0x7ff00000u);

// 64-bit integers are vec2(low, high) as well.
fn u64_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn u64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// a << s, s < 64.
fn u64_shl(a: vec2<u32>, s: u32) -> vec2<u32> {
    if (s == 0u) {
        return a;
    }
    if (s >= 32u) {
        return vec2<u32>(0u, a.x << (s - 32u));
    }
    return vec2<u32>(a.x << s, (a.y << s) | (a.x >> (32u - s)));
}

// a >> s for any s; the lowest bit also keeps whether any bit was lost.
fn u64_shr_sticky(a: vec2<u32>, s: u32) -> vec2<u32> {
    if (s == 0u) {
        return a;
    }
    if (s >= 64u) {
        return vec2<u32>(select(0u, 1u, (a.x | a.y) != 0u), 0u);
    }
    if (s > 32u) {
        let lost = (a.y << (64u - s)) | a.x;
        return vec2<u32>((a.y >> (s - 32u)) | select(0u, 1u, lost != 0u), 0u);
    }
    if (s == 32u) {
        return vec2<u32>(a.y | select(0u, 1u, a.x != 0u), 0u);
    }
    let lost = a.x << (32u - s);
    return vec2<u32>((a.x >> s) | (a.y << (32u - s)) | select(0u, 1u, lost != 0u), a.y >> s);
}

fn u64_leading_zeros(a: vec2<u32>) -> u32 {
    return select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u);
}

// 32 × 32 → 64 bits by halves of 16.
fn u32_mul_wide(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let mid1 = a1 * b0 + (low >> 16u);
    let mid2 = a0 * b1 + (mid1 & 0xffffu);
    return vec2<u32>((mid2 << 16u) | (low & 0xffffu), a1 * b1 + (mid1 >> 16u) + (mid2 >> 16u));
}

// The high 64 bits of a 64 × 64 product; the lowest bit also keeps whether any lower bit is set.
fn u64_mul_high_sticky(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let p00 = u32_mul_wide(a.x, b.x);
    let p01 = u32_mul_wide(a.x, b.y);
    let p10 = u32_mul_wide(a.y, b.x);
    let p11 = u32_mul_wide(a.y, b.y);
    let s = p00.y + p01.x;
    let t = s + p10.x;
    let carry = select(0u, 1u, s < p01.x) + select(0u, 1u, t < p10.x);
    let high = u64_add(u64_add(p11, vec2<u32>(p01.y, 0u)), u64_add(vec2<u32>(p10.y, 0u), vec2<u32>(carry, 0u)));
    return vec2<u32>(high.x | select(0u, 1u, (t | p00.x) != 0u), high.y);
}

// Exponent field; 1 for subnormals, whose unit is that of field 1.
fn f64_exponent(a: vec2<u32>) -> u32 {
    return max((a.y >> 20u) & 0x7ffu, 1u);
}

// Significand of 53 bits, without the leading one for subnormals.
fn f64_significand(a: vec2<u32>) -> vec2<u32> {
    let leading = select(0u, 0x100000u, (a.y & 0x7ff00000u) != 0u);
    return vec2<u32>(a.x, (a.y & 0xfffffu) | leading);
}

fn f64_is_infinite(a: vec2<u32>) -> bool {
    return (a.y & 0x7ff00000u) == 0x7ff00000u;
}

// Rounds m·2^(e − 1085), of which bit 62 is the leading bit or e = 1, to nearest even; 10 bits are rounded away.
fn f64_round(sign: u32, e: i32, m: vec2<u32>) -> vec2<u32> {
    if (e >= 2047) {
        return INFINITE;
    }
    let rest = m.x & 0x3ffu;
    let kept = vec2<u32>((m.x >> 10u) | (m.y << 22u), m.y >> 10u);
    let up = rest > 0x200u || (rest == 0x200u && (kept.x & 1u) == 1u);
    // The leading bit adds one to the exponent field, and so does the carry of rounding.
    let bits = u64_add(u64_add(kept, vec2<u32>(select(0u, 1u, up), 0u)), vec2<u32>(0u, u32(e - 1) << 20u));
    return vec2<u32>(bits.x, bits.y | sign);
}

// a − b
fn f64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if (f64_is_infinite(a) || f64_is_infinite(b)) {
        return INFINITE;
    }
    let a_mag = vec2<u32>(a.x, a.y & 0x7fffffffu);
    let b_mag = vec2<u32>(b.x, b.y & 0x7fffffffu);
    let swap = a_mag.y < b_mag.y || (a_mag.y == b_mag.y && a_mag.x < b_mag.x);
    let big = select(a, vec2<u32>(b.x, b.y ^ 0x80000000u), swap);
    let small = select(vec2<u32>(b.x, b.y ^ 0x80000000u), a, swap);
    let e = f64_exponent(big);
    let x = u64_shl(f64_significand(big), 10u);
    let y = u64_shr_sticky(u64_shl(f64_significand(small), 10u), e - f64_exponent(small));
    let sign = big.y & 0x80000000u;
    let opposite = ((big.y ^ small.y) & 0x80000000u) != 0u;
    let sum = select(u64_add(x, y), u64_sub(x, y), opposite);
    if ((sum.x | sum.y) == 0u) {
        return vec2<u32>(0u, 0u);
    }
    let zeros = u64_leading_zeros(sum);
    if (zeros == 0u) {
        return f64_round(sign, i32(e) + 1, u64_shr_sticky(sum, 1u));
    }
    let shift = min(zeros - 1u, e - 1u);
    return f64_round(sign, i32(e - shift), u64_shl(sum, shift));
}

// a·b
fn f64_mul(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if (f64_is_infinite(a) || f64_is_infinite(b)) {
        return INFINITE;
    }
    let sign = (a.y ^ b.y) & 0x80000000u;
    let x = f64_significand(a);
    let y = f64_significand(b);
    if ((x.x | x.y) == 0u || (y.x | y.y) == 0u) {
        return vec2<u32>(0u, sign);
    }
    // Leading bits to 62 and 63: the product's lies at 126 or 125, its high word's at 62 or 61.
    let x_shift = u64_leading_zeros(x);
    let y_shift = u64_leading_zeros(y);
    var m = u64_mul_high_sticky(u64_shl(x, x_shift - 1u), u64_shl(y, y_shift));
    var e = i32(f64_exponent(a) + f64_exponent(b)) - i32(x_shift + y_shift) + 22 - 1023 + 1;
    if ((m.y & 0x40000000u) == 0u) {
        m = u64_shl(m, 1u);
        e -= 1;
    }
    if (e < 1) {
        return f64_round(sign, 1, u64_shr_sticky(m, u32(1 - e)));
    }
    return f64_round(sign, e, m);
}

// trunc(a) where 0 ≤ a < n, else n; n < 2^31.
fn f64_trunc_below(a: vec2<u32>, n: u32) -> u32 {
    let zero = ((a.y & 0x7fffffffu) | a.x) == 0u;
    let e = (a.y >> 20u) & 0x7ffu;
    if ((a.y & 0x80000000u) != 0u && !zero) {
        return n;
    }
    if (e < 1023u) {
        return 0u;
    }
    if (e >= 1023u + 31u) {
        return n;
    }
    let top = 0x80000000u | ((a.y & 0xfffffu) << 11u) | (a.x >> 21u);
    return min(top >> (1054u - e), n);
}
