// Division by lengths of any kind.

// x/d
fn quotient(x: u32, d: u32) -> u32 {
    return x / d;
}

// x mod d
fn remainder(x: u32, d: u32) -> u32 {
    return x % d;
}
