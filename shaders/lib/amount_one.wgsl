// Each event counts.
fn amount_of(i: u32) -> u32 {
    return 1u;
}
