// The histogram's arithmetic in native f64. Used only after a test on hostile values at start-up: a driver may reorder.
alias Time = f64;

// trunc(((t − start_hi) − start_lo)·delta) where it lies in 0 … n − 1, else n.
fn bin_of(t: Time, start_hi: Time, start_lo: Time, delta: Time, n: u32) -> u32 {
    let x = ((t - start_hi) - start_lo) * delta;
    if (x >= f64(0u) && x < f64(n)) {
        return u32(x);
    }
    return n;
}
