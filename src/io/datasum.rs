//! Checksums of the data of FITS (FITS 4.0, appendix J).

use std::ops::Range;

use multiversion::multiversion;

use super::fits::{BLOCK, Hdu};
use super::input_file::{InputFile, PIECE};
use crate::base::error::Result;

/// The sum of big-endian 32-bit words with end-around carry (FITS 4.0, appendix J), zeros filling the last; of at most
/// [`PIECE`] bytes or so, which 64 bits hold without a carry.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
pub(super) fn sum_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(last, byte)| *last = *byte);
    fold(words.chunks(BYTES_IN_16_BITS).chain([&[last][..]]).map(sum_block).sum())
}

/// Numbers of 8 bits whose sum fits in 16.
const BYTES_IN_16_BITS: usize = 256;

/// Sum of at most [`BYTES_IN_16_BITS`] words. Bytes of one place are summed two places at a time: that needs nothing that
/// baseline processors lack for vectors, as turning words round does.
#[inline(always)]
fn sum_block(words: &[[u8; 4]]) -> u64 {
    const EVERY_SECOND: u32 = 0x00ff_00ff;
    let (mut even, mut odd) = (0u32, 0u32);
    for word in words {
        let word = u32::from_le_bytes(*word);
        even += word & EVERY_SECOND;
        odd += (word >> 8) & EVERY_SECOND;
    }
    let sums = [even & 0xffff, odd & 0xffff, even >> 16, odd >> 16];
    sums.iter().fold(0, |all, &sum| (all << 8) + u64::from(sum))
}

/// What the sum of words of some bytes adds to that of all, where they begin at byte `place`, in the midst of a word perhaps.
pub(super) fn sum_at(place: u64, sum: u64) -> u64 {
    u64::from((sum as u32).rotate_right(8 * (place % 4) as u32))
}

/// Carries brought round.
#[inline(always)]
pub(super) fn fold(mut sum: u64) -> u64 {
    while sum >> 32 != 0 {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    sum
}

/// [`sum_words`] of a range.
pub(super) fn sum_range(source: &InputFile, range: Range<u64>) -> Result<u64> {
    const { assert!(PIECE.is_multiple_of(4)) };
    Ok(source.pieces(range, sum_words)?.into_iter().fold(0, |a, b| fold(a + b)))
}

/// DATASUM as announced, and the bytes that it is the sum of; `None` without the keyword, or when they are not all there.
pub(super) fn announced_sum(source: &InputFile, hdu: &Hdu) -> Option<(u32, Range<u64>)> {
    let announced: u32 = hdu.header.text("DATASUM")?.trim().parse().ok()?;
    let end = hdu.data_offset.checked_add(hdu.data_len).filter(|&end| end <= source.len())?;
    // Padding is part of the data.
    Some((announced, hdu.data_offset..end.next_multiple_of(BLOCK as u64).min(source.len())))
}
