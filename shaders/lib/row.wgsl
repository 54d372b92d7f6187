// One segment of a batch. Needs an alias Time: f64, or the two words of its bits.
struct Row {
    // Start in the frame of the times, s: the sum of two f64.
    start_hi: Time,
    start_lo: Time,
    // Place of its first event; the next row's if it has none.
    begin: u32,
    // Events of the segment, in this batch and in earlier ones of the group.
    events: u32,
    // 1 for a segment that counts, 0 for one that is skipped.
    include: f32,
    // What is subtracted from its counts: nearly their mean, so few bits that the differences are exact.
    mean: f32,
}
