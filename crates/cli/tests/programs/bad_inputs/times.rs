//! Times, clocks and good time intervals.

use super::containers::find;
use super::*;

/// MJDREFI and MJDREFF of the usual table as text.
fn plain_with_text_epoch() -> Table {
    plain().set("MJDREFI", "'55000'").set("MJDREFF", "'half'")
}

pub fn cases() -> Vec<Case> {
    let times = stamps();
    let with = |i: usize, t: f64| {
        let mut times = times.clone();
        times[i] = t;
        events(vec![Column::f64("TIME", &times)])
    };
    let reversed: Vec<f64> = times.iter().rev().copied().collect();
    let swapped = |list: &[(f64, f64)]| file(&[gti(list), plain()]);
    let plain = |key: &str, value: &str| of(plain().set(key, value));
    let days: Vec<f64> = times.iter().map(|t| t / 86400.0).collect();
    let mut bare = file(&[self::plain(), gti(&[])]);
    bare.truncate(find(&bare, "END ") + 80);
    let mut cases: Vec<Case> = [
        ("18 not a number", of(with(500, f64::NAN)), W("W-TIME-NAN", 999, 1000)),
        ("19 infinite", of(with(0, f64::NEG_INFINITY)), W("W-TIME-NAN", 999, 1000)),
        ("20 out of order", of(events(vec![Column::f64("TIME", &reversed)])), W("W-TIME-UNSORTED", 1000, 1000)),
        ("21 all equal", of(events(vec![Column::f64("TIME", &[50.0; PHOTONS])])), W("W-TIME-EQUAL", 1000, 1000)),
        (
            "25 no epoch",
            file(&[gti(&[(0.0, 100.0)]), Table::new("EVENTS", vec![time()])]),
            W("W-NO-MJDREF", 1000, 1000),
        ),
        ("26 two epochs", plain("MJDREF", "55001.5"), E(Format, &["MJDREF", "55000.5", "55001.5"])),
        ("26 two that agree", plain("MJDREF", "55000.5"), Fine),
        ("27 the epoch as text", of(plain_with_text_epoch()), W("W-NO-MJDREF", 1000, 1000)),
        ("27 half of the epoch as text", plain("MJDREFF", "'half'"), W("W-NO-MJDREF", 1000, 1000)),
        ("an epoch beyond any calendar", plain("MJDREFI", "1E+30"), E(Format, &["MJDREFI", "calendar"])),
        ("28 TIMEZERO", file(&[gti(&[(0.0, 100.0)]), self::plain().set("TIMEZERO", "7.0")]), Fine),
        ("28 TIMEZERO beyond f64", plain("TIMEZERO", "1E+999"), E(Format, &["TIMEZERO"])),
        ("29 days", of(events(vec![Column::f64("TIME", &days).with("TUNIT", "'d'")])), Fine),
        (
            "29 an unknown unit",
            of(events(vec![time().with("TUNIT", "'parsec'")])),
            E(Format, &["column TIME", "parsec"]),
        ),
        ("30 overlapping", swapped(&[(0.0, 60.0), (50.0, 100.0)]), W("W-GTI-OVERLAP", 1000, 1000)),
        ("30 one inside another", swapped(&[(0.0, 100.0), (20.0, 30.0)]), W("W-GTI-OVERLAP", 1000, 1000)),
        ("30 touching", swapped(&[(0.0, 45.0), (45.0, 100.0)]), Fine),
        ("31 out of order", swapped(&[(50.0, 100.0), (0.0, 40.0)]), W("W-GTI-UNSORTED", 900, 1000)),
        ("32 no rows", swapped(&[]), E(Gti, &["good time intervals", "none", "--no-gti"])),
        ("32 no rows and no padding", bare, E(Gti, &["good time intervals", "none", "--no-gti"])),
        ("33 no intervals", file(&[self::plain()]), E(Gti, &["good time intervals", "--gti", "--no-gti"])),
        ("34 elsewhere", swapped(&[(1e6, 2e6)]), E(Gti, &["from 1000000 to 2000000 s", "from 0.03 to 99.93 s"])),
        ("35 reversed", swapped(&[(0.0, 10.0), (90.0, 20.0)]), E(Gti, &["row 2", "90", "20"])),
        ("36 not a number", swapped(&[(0.0, 10.0), (f64::NAN, 20.0)]), E(Gti, &["row 2", "not finite"])),
        ("36 infinite", swapped(&[(0.0, f64::INFINITY)]), E(Gti, &["row 1", "not finite: 0 to inf"])),
        ("36 longer than time", swapped(&[(0.0, 1e300)]), E(Argument, &["--segment-size", "segments"])),
        (
            "50 no mission",
            of(Table::new("EVENTS", vec![time()]).set("MJDREF", "55000.5")),
            W("W-NO-TELESCOP", 1000, 1000),
        ),
        ("58 no instrument", of(self::plain().set("INSTRUME", "''")), Fine),
        (
            "a pixel far away",
            of(self::plain().set("TIMEPIXR", "1E+300").set("TIMEDEL", "1E+300")),
            E(Format, &["TIMEPIXR"]),
        ),
    ]
    .map(Case::of)
    .into();
    cases.extend(more());
    cases
}

/// What needs other options or the rules of a mission.
fn more() -> Vec<Case> {
    let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
    let with_span = |case: (&'static str, Vec<u8>, Expect)| Case { open: span.clone(), ..Case::of(case) };
    let single = |name: &str, unit: &str, values: &[f32]| Column::f32(name, values).with("TUNIT", unit);
    // A pattern of two pixels in every tenth row of eROSITA.
    let energies: Vec<f32> = (0..PHOTONS).map(|i| if i % 10 == 0 { -300.0 } else { 1000.0 }).collect();
    let erosita = events(vec![time(), single("PI", "'eV'", &energies), Column::u8("TM_NR", &[1; PHOTONS])]);
    let erosita = erosita.set("TELESCOP", "'eROSITA'").set("MISSION", "'SRG'");
    let negative = Column::i16("PI", &[-5; PHOTONS]);
    // A stamp at the start of its pixel of 2 s is moved by 1 s, the intervals are not: ten photons leave the last.
    let pixels = plain().set("TIMEPIXR", "0.0").set("TIMEDEL", "2.0");
    vec![
        with_span(("33 none, and --no-gti", file(&[plain()]), W("W-FEW-VALUES", 899, 1000))),
        with_span((
            "33 none, and no events for --no-gti",
            file(&[events(vec![Column::f64("TIME", &[])])]),
            E(Gti, &["no event has a finite time"]),
        )),
        Case::of(("54 negative PI of NICER", of(events(vec![time(), negative]).set("TELESCOP", "'NICER'")), Fine)),
        Case::of(("54 negative PI of eROSITA", of(erosita), W("W-FEW-VALUES", 900, 1000))),
        Case::of(("57 TIMEPIXR", of(pixels), W("W-FEW-VALUES", 990, 1000))),
    ]
}
