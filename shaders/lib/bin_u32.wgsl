// The histogram's arithmetic in integers. Needs soft_f64.wgsl.
alias Time = vec2<u32>;

// trunc(((t − start_hi) − start_lo)·delta) where it lies in 0 … n − 1, else n.
fn bin_of(t: Time, start_hi: Time, start_lo: Time, delta: Time, n: u32) -> u32 {
    return f64_trunc_below(f64_mul(f64_sub(f64_sub(t, start_hi), start_lo), delta), n);
}
