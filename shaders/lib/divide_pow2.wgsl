// Division by lengths that are powers of two.

// x/d
fn quotient(x: u32, d: u32) -> u32 {
    return x >> countTrailingZeros(d);
}

// x mod d
fn remainder(x: u32, d: u32) -> u32 {
    return x & (d - 1u);
}
