//! How a length is made of the lengths of passes, and these of radices.

/// Columns that a workgroup should have at least, so that it reads and writes whole lines of memory.
const COLUMNS: usize = 4;
/// Radices that stages have, in the order in which they are taken out of a length.
const RADICES: [usize; 8] = [13, 11, 7, 5, 3, 8, 4, 2];

/// One pass over the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct FftPass {
    pub len: usize,
    pub radices: u32,
    /// Place of its roots in the tables.
    pub stages: usize,
}

/// The radices of a length that fits a workgroup, packed as the shader wants them; `None` with other prime factors.
pub(super) fn radices(len: usize) -> Option<u32> {
    let (mut rest, mut packed, mut stages) = (len, 0u32, 0u32);
    for radix in RADICES {
        while rest.is_multiple_of(radix) {
            rest /= radix;
            packed |= (radix as u32) << (4 * stages);
            stages += 1;
        }
    }
    // Eight stages are enough for all lengths to 8192: the most is 3^8.
    (rest == 1 && stages <= 8).then_some(packed)
}

/// True without a prime factor above 13.
fn smooth(length: usize) -> bool {
    let rest = RADICES.iter().fold(length, |mut rest, &radix| {
        while rest.is_multiple_of(radix) {
            rest /= radix;
        }
        rest
    });
    rest == 1
}

/// `length` as a product of at most three lengths of passes: as few as give each workgroup several columns, else as few as fit
/// at all; the largest of them as small as can be. The shortest comes last: there columns may come with their mirrors
/// (`shaders/power_pass.wgsl`), so that a workgroup has most of them.
pub(super) fn factorise(length: usize, points: usize) -> Option<Vec<usize>> {
    if !smooth(length) {
        return None;
    }
    if length <= points {
        return Some(vec![length]);
    }
    let divisors: Vec<usize> = (2..=points).filter(|d| length.is_multiple_of(*d)).collect();
    let two = |length: usize, most: usize| {
        let pairs = divisors.iter().filter(|d| length.is_multiple_of(**d)).map(|&d| [d, length / d]);
        pairs.filter(|pair| pair[1] > 1 && pair[0].max(pair[1]) <= most).min_by_key(|pair| pair[0].max(pair[1]))
    };
    let three = |most: usize| {
        let triples = divisors.iter().filter_map(|&d| two(length / d, most).map(|[a, b]| [d, a, b]));
        triples.filter(|t| t[0] <= most).min_by_key(|t| t[0].max(t[1]).max(t[2]))
    };
    let good = points / COLUMNS;
    let found = two(length, good).map(Vec::from).or_else(|| three(good).map(Vec::from));
    let mut lens = found.or_else(|| two(length, points).map(Vec::from)).or_else(|| three(points).map(Vec::from))?;
    lens.sort_unstable_by(|a, b| b.cmp(a));
    Some(lens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_a_plan_whose_columns_fit() {
        for points in [1024, 2048, 4096] {
            for length in (1..5000).chain((1..=24).map(|k| 1 << k)).chain([9 << 20, 3usize.pow(14), 5usize.pow(9)]) {
                match factorise(length, points) {
                    Some(lens) => {
                        assert_eq!(lens.iter().product::<usize>(), length);
                        assert!(lens.iter().all(|&len| len <= points && radices(len).is_some()), "{length}: {lens:?}");
                        assert_eq!(lens.len() == 1, length <= points, "{length}: {lens:?}");
                    }
                    None => assert!(!smooth(length), "{length}"),
                }
            }
        }
    }

    #[test]
    fn radices_multiply_to_the_length() {
        for len in 1..=8192usize {
            let Some(packed) = radices(len) else {
                assert!(!smooth(len), "{len}");
                continue;
            };
            let stages = (0..8).map(|i| (packed >> (4 * i)) & 15).filter(|&r| r > 0);
            assert_eq!(stages.map(|r| r as usize).product::<usize>(), len);
        }
    }
}
