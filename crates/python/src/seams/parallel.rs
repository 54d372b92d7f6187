//! Sums over segments, whose order depends on their number alone; and whether threads are worth it.

use std::ops::Range;
use std::sync::OnceLock;

/// Work below which threads cost more than they save, in about nanoseconds.
const WORTH_IT: f64 = 1e6;

/// The process that loaded the extension. Threads do not survive a fork: children work alone.
static LOADED_BY: OnceLock<u32> = OnceLock::new();

/// Remembers the process that loaded the extension.
pub fn remember_process() {
    LOADED_BY.get_or_init(std::process::id);
}

/// Whether work of about so many nanoseconds goes to several threads.
pub fn worth_it(nanoseconds: f64) -> bool {
    nanoseconds >= WORTH_IT && LOADED_BY.get() == Some(&std::process::id())
}

/// What segments add up to.
pub trait Sum: Send {
    /// Adds the sums of segments that come after these.
    fn add(&mut self, after: Self);
}

/// The sums of pieces of a range, each of `leaf` segments, added as a balanced tree; `None` where no piece had any.
pub fn sum<S: Sum>(
    segments: Range<usize>,
    leaf: usize,
    parallel: bool,
    piece: &(impl Fn(Range<usize>) -> Option<S> + Sync),
) -> Option<S> {
    let pieces = segments.len().div_ceil(leaf);
    if pieces <= 1 {
        return if segments.is_empty() { None } else { piece(segments) };
    }
    let middle = segments.start + leaf * (pieces / 2);
    let before = || sum(segments.start..middle, leaf, parallel, piece);
    let behind = || sum(middle..segments.end, leaf, parallel, piece);
    let (before, behind) = if parallel { rayon::join(before, behind) } else { (before(), behind()) };
    match (before, behind) {
        (Some(mut before), Some(behind)) => {
            before.add(behind);
            Some(before)
        }
        (one, other) => one.or(other),
    }
}

/// `into += from`, element by element.
pub fn add_to<T: Copy + std::ops::AddAssign>(into: &mut [T], from: &[T]) {
    into.iter_mut().zip(from).for_each(|(sum, value)| *sum += *value);
}

/// The sum of values, in the order in which numpy adds them.
pub fn total(values: &[f64]) -> f64 {
    if values.len() < 8 {
        return values.iter().sum();
    }
    if values.len() > 128 {
        let half = values.len() / 2;
        let (before, behind) = values.split_at(half - half % 8);
        return total(before) + total(behind);
    }
    let mut lanes = [0.0; 8];
    let (blocks, rest) = values.as_chunks::<8>();
    blocks.iter().for_each(|block| add_to(&mut lanes, block));
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}
