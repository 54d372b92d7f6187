//! Tables of any columns in any order are read as cfitsio reads them, value by value.

use std::path::Path;

use crate::common::fits_file::{Column, Folder, Table, events, file, gti};
use eagleray::Warnings;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::io::{InputFile, fits, fits_table};
use fitsio::FitsFile;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Compares every column of numbers in every table of a file with cfitsio; returns the values compared.
fn compare_with_cfitsio(path: &Path) -> usize {
    let source = InputFile::open(path).unwrap();
    let (hdus, trailing) = fits::scan(&source).unwrap();
    assert_eq!(trailing, None, "{path:?}");
    let mut theirs = FitsFile::open(path).unwrap();
    let mut compared = 0;
    for hdu in hdus.iter().skip(1) {
        let ours = fits_table::FitsTable::open(&source, hdu, false).unwrap();
        let other = theirs.hdu(hdu.index).unwrap();
        for column in ours.columns.iter().filter(|c| c.is_number()) {
            let mut values = Vec::new();
            ours.decode(column, 0..ours.rows, &mut values).unwrap();
            let expected: Vec<f64> = other.read_col(&mut theirs, &column.name).unwrap();
            assert_eq!(values.len(), expected.len());
            let null = column.null.map(|null| null as f64 * column.scale + column.zero);
            for (row, (a, b)) in values.iter().zip(&expected).enumerate() {
                // Asked for no null value, cfitsio gives masked ones as stored.
                let same = a.to_bits() == b.to_bits() || (a.is_nan() && (b.is_nan() || Some(*b) == null));
                assert!(same, "{path:?} {} {} row {row}: {a:?}, but cfitsio {b:?}", ours.place, column.name);
            }
            compared += values.len();
        }
    }
    compared
}

#[test]
fn every_number_of_the_fixtures_is_cfitsios_bit_for_bit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, values) in [
        ("examples/data/b1509.fits", 25_828),
        ("tests/data/chandra_test.fits", 4_612),
        ("tests/data/monol_testA.evt", 1_000),
        ("tests/data/nomission.evt", 1_000),
        ("tests/data/sgr1830kgfilt.evt", 9_369),
        ("tests/data/xte_test.evt.gz", 1_000),
    ] {
        let path = root.join(name);
        let compared = compare_with_cfitsio(&path);
        assert!(compared >= 2 * values, "{name}: {compared} values compared");
        let file = EventFile::open(&path, &OpenOptions::default(), &mut Warnings::default()).unwrap();
        assert_eq!(file.rows(), values, "{name}");
    }
    // A light curve: times, rates, errors and exposures of 1025 bins, and its intervals.
    assert!(compare_with_cfitsio(&root.join("tests/data/lcurveA.fits")) > 4 * 1025);
}

/// A column of random bytes that is neither a time nor a channel.
fn filler(random: &mut ChaCha8Rng, number: usize, room: usize, rows: usize) -> Column {
    let forms = ["A", "X", "L", "B", "I", "J", "K", "E", "D"];
    let sizes = [1, 1, 1, 1, 2, 4, 8, 4, 8];
    let kind = loop {
        let kind = random.next_u32() as usize % forms.len();
        if sizes[kind] <= room {
            break kind;
        }
    };
    let bytes = sizes[kind] * (1 + random.next_u32() as usize % (room / sizes[kind]).min(5));
    let repeat = match forms[kind] {
        "X" => bytes * 8 - random.next_u32() as usize % 8,
        _ => bytes / sizes[kind],
    };
    let mut row = |_| (0..bytes).map(|_| b' ' + (random.next_u32() % 95) as u8).collect();
    Column::raw(&format!("FILL{number}"), &format!("{repeat}{}", forms[kind]), (0..rows).map(&mut row).collect())
}

#[test]
fn columns_in_any_order_and_rows_of_any_width_read_as_cfitsio_reads_them() {
    let folder = Folder::new();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for round in 0..60usize {
        let rows = 1 + random.next_u32() as usize % 50;
        let real = |r: &mut ChaCha8Rng| r.next_u64() as f64 / 2f64.powi(64);
        let time = match round % 4 {
            0 => Column::f64("TIME", &(0..rows).map(|_| 3e8 * real(&mut random)).collect::<Vec<_>>()),
            1 => Column::f64("TIME", &(0..rows).map(|_| real(&mut random)).collect::<Vec<_>>())
                .with("TSCAL", "1.37E+02")
                .with("TZERO", "3.1D+08"),
            2 => Column::i32("TIME", &(0..rows).map(|_| random.next_u32() as i32).collect::<Vec<_>>())
                .with("TSCAL", "1.220703125E-04"),
            _ => Column::i64("TIME", &(0..rows).map(|_| random.next_u64() as i64 >> 11).collect::<Vec<_>>())
                .with("TZERO", "-0.25"),
        };
        let pi: Vec<i16> = (0..rows).map(|_| random.next_u32() as i16).collect();
        let pi = Column::i16("pi", &pi).with("TZERO", "32768").with("TNULL", "-1");
        let mut columns = vec![time, pi];
        // NICER's rows and the Fermi LAT's.
        let mut room = [47usize, 110, 11, 64][round / 15] - columns.iter().map(Column::width).sum::<usize>().min(11);
        while room > 0 {
            let column = filler(&mut random, columns.len(), room, rows);
            room -= column.width();
            columns.push(column);
        }
        for i in (1..columns.len()).rev() {
            columns.swap(i, random.next_u32() as usize % (i + 1));
        }
        let path = folder.write("table.fits", &file(&[gti(&[(0.0, 9.0)]), events(columns)]));
        assert!(compare_with_cfitsio(&path) > 2 * rows);
    }
}

/// A column of any type, its values random, scaled or masked at times.
fn any_column(random: &mut ChaCha8Rng, number: usize, rows: usize) -> Column {
    let kind = random.next_u32() as usize % 12;
    let name = format!("C{number}");
    let raw = |form: &str, bytes: usize, random: &mut ChaCha8Rng| {
        let mut row = || (0..bytes).map(|_| random.next_u32() as u8).collect::<Vec<u8>>();
        Column::raw(&name, form, (0..rows).map(|_| row()).collect())
    };
    let real =
        |r: &mut ChaCha8Rng| (r.next_u64() as f64 / 2f64.powi(64) - 0.5) * 10f64.powi((r.next_u32() % 30) as i32 - 10);
    match kind {
        0 => raw("1B", 1, random),
        1 => raw("I", 2, random),
        2 => raw("1J", 4, random),
        // Beyond 53 bits the two round one after the other where there is a scale: left whole.
        3 => raw("K", 8, random),
        4 => Column::f32(&name, &(0..rows).map(|_| real(random) as f32).collect::<Vec<_>>()),
        5 => Column::f64(&name, &(0..rows).map(|_| real(random)).collect::<Vec<_>>()),
        // Unsigned.
        6 => raw("1I", 2, random).with("TZERO", "32768"),
        7 => raw("J", 4, random).with("TZERO", "2147483648"),
        // Scaled, by what is no power of two.
        8 => raw("1I", 2, random).with("TSCAL", "0.37").with("TZERO", "-11.5"),
        9 => Column::f64(&name, &(0..rows).map(|_| real(random)).collect::<Vec<_>>()).with("TSCAL", "3.7"),
        // Masked.
        10 => raw("1B", 1, random).with("TNULL", &(random.next_u32() % 256).to_string()),
        _ => filler(random, number, 40, rows),
    }
}

/// A column that is skipped, and that the binding to cfitsio does not know: array descriptors, whose heap is never looked
/// at, and complex numbers.
fn skipped(random: &mut ChaCha8Rng, number: usize, rows: usize) -> Column {
    let (form, bytes) = [("1PD(7)", 8), ("QE(9)", 16), ("2C", 16), ("M", 16)][random.next_u32() as usize % 4];
    Column::raw(&format!("V{number}"), form, vec![vec![0x7f; bytes]; rows])
}

/// All columns of numbers by name, bit by bit.
fn values(path: &Path) -> Vec<(String, Vec<u64>)> {
    let source = InputFile::open(path).unwrap();
    let (hdus, _) = fits::scan(&source).unwrap();
    let table = fits_table::FitsTable::open(&source, &hdus[1], false).unwrap();
    let read = |column: &fits_table::FitsColumn| {
        let mut values = Vec::new();
        table.decode(column, 0..table.rows, &mut values).unwrap();
        (column.name.clone(), values.iter().map(|v| v.to_bits()).collect())
    };
    table.columns.iter().filter(|c| c.is_number()).map(read).collect()
}

#[test]
fn a_thousand_random_tables_read_as_cfitsio_reads_them() {
    let folder = Folder::new();
    let mut random = ChaCha8Rng::seed_from_u64(2024);
    let mut compared = 0;
    for _ in 0..1000 {
        let rows = 1 + random.next_u32() as usize % 20;
        let columns = 1 + random.next_u32() as usize % 12;
        let mut columns: Vec<Column> = (0..columns).map(|i| any_column(&mut random, i, rows)).collect();
        let path = folder.write("table.fits", &file(&[Table::new("ANY", columns.clone())]));
        compared += compare_with_cfitsio(&path);
        if random.next_u32().is_multiple_of(2) {
            let plain = values(&path);
            for number in 0..1 + random.next_u32() as usize % 3 {
                let place = random.next_u32() as usize % (columns.len() + 1);
                columns.insert(place, skipped(&mut random, number, rows));
            }
            folder.write("table.fits", &file(&[Table::new("ANY", columns)]));
            assert_eq!(values(&path), plain);
        }
    }
    assert!(compared > 40_000, "{compared} values compared");
}
