//! Files that change or are odd while they are read: the readings are checked, and hash and sum are those of all bytes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::common::faulty::Faulty;
use crate::common::fits_file::{Column, Folder, codes, cpu, events, file, gti};
use crate::common::front::on;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::engine::Events;
use eagleray::internal::io::EventStream;
use eagleray::internal::io::Selection;
use eagleray::{Error, PowerSpectrum, Warnings};

const EVENTS: usize = 100_000;

fn times() -> Vec<f64> {
    (0..EVENTS).map(|i| i as f64 * 1e-3).collect()
}

fn shorten(path: &Path, bytes: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
}

fn became_shorter<T>(result: eagleray::Result<T>, what: &str) {
    match result {
        Err(e @ Error::Format { .. }) => {
            let text = e.to_string();
            assert!(text.contains("file.evt") && text.contains("became shorter while it was read"), "{what}: {text}");
        }
        Err(e) => panic!("{what}: {e}"),
        Ok(_) => panic!("{what}: no error"),
    }
}

#[test]
fn a_file_that_becomes_shorter_is_an_error_wherever_it_is_read() {
    let folder = Folder::new();
    let bytes = file(&[gti(&[(0.0, 100.0)]), events(vec![Column::f64("TIME", &times())])]);
    let open = || folder.open(&bytes, &OpenOptions::default()).unwrap();
    let path = folder.0.path().join("file.evt");
    // After opening.
    let (opened, mut warnings) = open();
    shorten(&path, 400_000);
    became_shorter(opened.scan_times(), "scan");
    became_shorter(opened.crc32(), "hash");
    became_shorter(opened.times(0..EVENTS, &mut Vec::new()), "times");
    became_shorter(Events::from_file(&opened, Selection::default(), &mut warnings), "events");
    // In the midst of the stream.
    let (opened, mut warnings) = open();
    let mut stream = EventStream::open(&opened, Selection::default(), &mut warnings).unwrap();
    let mut out = Vec::new();
    assert!(stream.next_chunk(10_000, &mut out).unwrap());
    shorten(&path, 400_000);
    let mut rest = || -> eagleray::Result<()> {
        while stream.next_chunk(10_000, &mut out)? {}
        Ok(())
    };
    became_shorter(rest(), "stream");
    assert_eq!(out, times()[..out.len()], "what was read before is right");
    // In the midst of a spectrum, when the first of some thirty batches comes.
    let observation = folder.observe(&bytes, &OpenOptions::default()).unwrap();
    observation.examine().unwrap();
    let device = Faulty::new(cpu(), "batches", None).limited(64, 3000).at_submission(move || shorten(&path, 400_000));
    let submitted = Arc::clone(&device.submitted);
    let analysis = PowerSpectrum::default().dt(0.01).segment_size(1.0);
    became_shorter(on(device).chunk_events(1000).run(&analysis, &observation), "spectrum");
    let submitted = submitted.load(Ordering::Relaxed);
    assert!(submitted > 0 && submitted < EVENTS / 3000, "{submitted} batches");
}

#[test]
fn a_file_that_grows_is_read_as_it_was() {
    let folder = Folder::new();
    let bytes = file(&[gti(&[(0.0, 100.0)]), events(vec![Column::f64("TIME", &times())])]);
    let (opened, _) = folder.open(&bytes, &OpenOptions::default()).unwrap();
    shorten(&folder.0.path().join("file.evt"), bytes.len() as u64 + 1_000_000);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    assert_eq!(opened.crc32().unwrap(), format!("{:08x}", crc.sum()));
}

/// The ones' complement sum, word by word.
fn datasum(bytes: &[u8]) -> u32 {
    let mut sum = 0u64;
    for word in bytes.chunks_exact(4) {
        sum += u64::from(u32::from_be_bytes(word.try_into().unwrap()));
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    sum as u32
}

/// Rows that end within a word, bytes after the rows, and padding that is not zero are all part of the sum and of the hash.
#[test]
fn sums_and_hashes_are_those_of_all_bytes_however_they_are_cut() {
    let folder = Folder::new();
    for (rows, heap) in [(7, 0), (7, 10), (100_003, 0), (100_003, 100)] {
        let columns = vec![
            Column::f64("TIME", &times().repeat(2)[..rows]),
            Column::u8("PI", &vec![7; rows]),
            Column::i16("X", &vec![3; rows]),
        ];
        let with_sum = |sum: u32| {
            let table = events(columns.clone()).set("PCOUNT", &heap.to_string()).set("DATASUM", &format!("'{sum}'"));
            let mut bytes = file(&[gti(&[(0.0, 100.0)]), table]);
            let data = bytes.len() - (rows * 11).next_multiple_of(2880);
            // What stands behind the rows, heap or padding.
            for (i, byte) in bytes[data + rows * 11..].iter_mut().enumerate() {
                *byte = (i % 251) as u8;
            }
            let sum = datasum(&bytes[data..]);
            (bytes, sum)
        };
        let (_, sum) = with_sum(0);
        let look = |bytes: &[u8]| {
            let (file, mut warnings): (EventFile, Warnings) = folder.open(bytes, &OpenOptions::default()).unwrap();
            file.check_datasum(&mut warnings).unwrap();
            (codes(&warnings).contains(&"W-DATASUM"), file.crc32().unwrap())
        };
        let (mut bytes, _) = with_sum(sum);
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        assert_eq!(look(&bytes), (false, format!("{:08x}", crc.sum())), "{rows} rows and {heap} bytes");
        *bytes.last_mut().unwrap() ^= 1;
        assert!(look(&bytes).0, "{rows} rows and {heap} bytes, the last byte changed");
    }
}
