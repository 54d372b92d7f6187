//! Files cut at every byte and changed at random: an error or what is there, never a panic or a lost photon.

use crate::common::fits_file::{Column, Folder, events, file, gti};
use crate::common::front::threads;
use eagleray::files::OpenOptions;
use eagleray::{PowerSpectrum, Session};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Opens a file and, when it opens, analyses it; returns whether a spectrum came out.
fn try_everything(folder: &Folder, session: &Session, bytes: &[u8], salvage: bool) -> bool {
    let options = OpenOptions { salvage, ..OpenOptions::default() };
    let Ok(observation) = folder.observe(bytes, &options) else { return false };
    // Bits may make a light curve of events.
    let [file] = observation.files()[..] else { return false };
    file.channel_range().unwrap();
    // A bit of an exponent makes years of good time, which are honestly transformed.
    if file.gti.exposure() > 1e4 {
        return false;
    }
    let selected = observation.clone().energy(0.3..10.0).unwrap_or(observation);
    let analysis = PowerSpectrum::default().dt(1.0).segment_size(4.0);
    selected.examine().and_then(|_| session.run(&analysis, &selected)).is_ok_and(|s| {
        assert!(s.meta.record.photons.is_exact(), "{}", s.meta.record.photons);
        true
    })
}

/// A small file with a bit of everything.
fn small(rows: usize) -> Vec<u8> {
    let table = events(vec![
        Column::f64("TIME", &(0..rows).map(|i| i as f64).collect::<Vec<_>>()).with("TUNIT", "'s'"),
        Column::raw("EVENT", "9X", vec![vec![0x80, 0]; rows]),
        Column::i16("PI", &vec![100 - 32767 - 1; rows]).with("TNULL", "-1").with("TZERO", "32768"),
        Column::u8("DET_ID", &vec![7; rows]),
    ]);
    let table = table
        .set("TELESCOP", "'NICER'")
        .set("TIMEZERO", "-1.0")
        .set("TIMEDEL", "4E-8")
        .set("TEVTB2", "'(M[1]{1},C[0~4,5]{6})&'");
    file(&[table, gti(&[(0.0, 20.0), (22.0, rows as f64)])])
}

#[test]
fn a_file_cut_at_any_byte_is_an_error_or_reads_what_is_there() {
    let folder = Folder::new();
    let session = threads(2).chunk_events(64);
    let bytes = small(50);
    assert!(try_everything(&folder, &session, &bytes, false));
    let mut read = 0;
    for end in 0..bytes.len() {
        read += usize::from(try_everything(&folder, &session, &bytes[..end], end % 2 == 0));
    }
    // Only the padding of the last table may go.
    assert!((1..2880).contains(&read), "{read} of {} cuts were read", bytes.len());
}

#[test]
fn ten_thousand_mutations_of_a_file_never_panic() {
    let folder = Folder::new();
    let session = threads(2).chunk_events(64);
    let good = small(30);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let headers: Vec<usize> = (0..good.len()).filter(|i| good[*i].is_ascii_graphic()).collect();
    let values =
        [&b"-1"[..], b"999999999", b"4611686018427387904", b"1E300", b"''", b"NAN", b"'0X'", b"'2147483647PD'"];
    let mut read = 0;
    for round in 0..10_000u32 {
        let mut bytes = good.clone();
        for _ in 0..1 + random.next_u32() % 4 {
            let at = random.next_u64() as usize;
            match random.next_u32() % 4 {
                0 => bytes[at % good.len()] ^= 1 << (random.next_u32() % 8),
                1 => bytes[headers[at % headers.len()]] = b' ' + (random.next_u32() % 95) as u8,
                2 => bytes[at % good.len()] = (random.next_u32() % 256) as u8,
                _ => {
                    // A value replaced by a hostile one, in its field.
                    let card = at % (good.len() / 80) * 80;
                    if bytes[card + 8] == b'=' {
                        let value = values[random.next_u32() as usize % values.len()];
                        bytes[card + 10..card + 80].fill(b' ');
                        bytes[card + 10..card + 10 + value.len()].copy_from_slice(value);
                    }
                }
            }
        }
        read += u32::from(try_everything(&folder, &session, &bytes, round % 3 == 0));
    }
    assert!((500..9_900).contains(&read), "{read} mutations were read");
}
