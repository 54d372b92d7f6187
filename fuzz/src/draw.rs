//! Numbers that are drawn from a seed, the same for the same seed.

/// A generator: xorshift of 64 bits.
pub struct Draw(u64);

impl Draw {
    /// That of a seed.
    pub fn new(seed: u32) -> Draw {
        Draw((u64::from(seed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A whole number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }

    /// One of some.
    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// One of some pairs.
    pub fn pair<A: Copy, B: Copy>(&mut self, of: &[(A, B)]) -> (A, B) {
        of[self.below(of.len())]
    }
}
