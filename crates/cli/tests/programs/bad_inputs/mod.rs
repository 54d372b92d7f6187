//! Damaged and unusual inputs: each gets a typed error that names the file and the place, or a coded warning and the right
//! number of photons; never a panic, a hang or a silent loss. docs/robustness.md shows what came of each.
#![cfg(all(feature = "gpu", unix))]

mod containers;
mod files;
mod outside;
mod page;
mod real_files;
mod times;
mod weights;

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti, gzip, spectrum};
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::io::Selection;
use eagleray::{Error, PowerSpectrum, Warnings};
use eagleray_cli::names::OptionNames;

const PHOTONS: usize = 1000;

fn stamps() -> Vec<f64> {
    (0..PHOTONS).map(|i| i as f64 * 0.1 + 0.03).collect()
}

fn time() -> Column {
    Column::f64("TIME", &stamps())
}

fn pi() -> Column {
    Column::i16("PI", &(0..PHOTONS as i16).collect::<Vec<_>>())
}

/// Good time, then events: what is cut off at the end are events.
fn of(table: Table) -> Vec<u8> {
    file(&[gti(&[(0.0, 100.0)]), table])
}

fn plain() -> Table {
    events(vec![time(), pi()])
}

fn analysis() -> PowerSpectrum {
    PowerSpectrum::default().dt(0.125).segment_size(10.0)
}

/// The variant of an error.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Variant {
    Format,
    Gti,
    Argument,
}
use Variant::{Argument, Format, Gti};

enum Expect {
    /// An error of this kind with all these pieces of text: the place, and what is wrong there.
    Error(Variant, &'static [&'static str]),
    /// This warning, and so many photons used of so many read.
    Warning(&'static str, u64, u64),
    /// No warning, all photons used.
    Fine,
}
use Expect::{Error as E, Fine, Warning as W};

/// An input and what becomes of it; the name begins with its number, where it has one.
struct Case {
    what: &'static str,
    bytes: Vec<u8>,
    open: OpenOptions,
    expected: Expect,
}

/// Messages have the names of the options of `pds`.
fn words() -> OptionNames {
    let program = eagleray_cli::commands::command();
    OptionNames::of(program.find_subcommand("pds").expect("there is a command pds"), None)
}

impl Case {
    fn of((what, bytes, expected): (&'static str, Vec<u8>, Expect)) -> Case {
        Case { what, bytes, open: OpenOptions::default(), expected }
    }

    /// Opens and analyses the file, and says what came of it.
    fn check(&self, folder: &Folder) -> String {
        let Case { what, bytes, open, expected } = self;
        let result = folder.observe(bytes, open).and_then(|observation| spectrum(&observation, &analysis()));
        match (result.map(|s| s.meta.record), expected) {
            (Err(e), E(variant, pieces)) => {
                let text = words().error(&e);
                let found = match &e {
                    Error::Format { path, .. } => path.ends_with("file.evt").then_some(Format),
                    Error::Gti { path, .. } => path.ends_with("file.evt").then_some(Gti),
                    Error::Argument { .. } => Some(Argument),
                    _ => None,
                };
                assert_eq!(found, Some(*variant), "{what}: {text}");
                for piece in *pieces {
                    assert!(text.contains(piece), "{what}: `{piece}` is not in: {text}");
                }
                format!("error: {}", shown(folder, &text))
            }
            (Ok(s), W(code, used, read)) => {
                let warning = s.warnings.iter().find(|w| w.code == *code);
                let warning = warning.unwrap_or_else(|| panic!("{what}: no {code} in {:?}", s.warnings));
                assert_eq!((s.photons.used, s.photons.read), (*used, *read), "{what}: {}", s.photons);
                assert!(s.photons.is_exact(), "{what}: {}", s.photons);
                // That there are few values says nothing of the file.
                let warned =
                    if *code == "W-FEW-VALUES" { String::new() } else { format!("{}; ", words().warning(warning)) };
                format!("{}{}", shown(folder, &warned), s.photons)
            }
            (Ok(s), Fine) => {
                // Photons at equal distances are less noisy than Poisson's.
                let usual = |code: &str| matches!(code, "W-FEW-VALUES" | "W-NOISE-LEVEL");
                assert!(s.warnings.iter().all(|w| usual(&w.code)), "{what}: {:?}", s.warnings);
                assert_eq!((s.photons.used, s.photons.read), (1000, 1000), "{what}: {}", s.photons);
                format!("fine; {}", s.photons)
            }
            (Ok(s), E(..)) => panic!("{what}: no error, but {} and {:?}", s.photons, s.warnings),
            (Err(e), _) => panic!("{what}: {e}"),
        }
    }
}

/// A message without the folder of the test, which differs from run to run.
fn shown(folder: &Folder, text: &str) -> String {
    let place = folder.0.path().display().to_string();
    text.replace(&format!("{place}/"), "").replace(&place, "folder")
}
