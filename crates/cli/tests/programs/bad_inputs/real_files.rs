//! What real files have beyond the list: tables of intervals, classes, units, headers beyond the standard, stray times.

use super::*;

/// The usual table with a keyword more, written as given in the place of SPARE.
fn with_card(key: &str, value: &str, card: &str) -> Vec<u8> {
    let mut bytes = of(plain().set(key, value).set("SPARE", "1"));
    let at = super::containers::find(&bytes, "SPARE   =");
    bytes[at..at + 80].copy_from_slice(format!("{card:<80}").as_bytes());
    bytes
}

pub fn cases() -> Vec<Case> {
    let named = |name: &str, list: &[(f64, f64)]| gti(list).set("EXTNAME", &format!("'{name}'"));
    let unnamed = |name: &str| plain().set("EXTNAME", &format!("'{name}'")).set("HDUCLAS1", "''");
    let subspace = plain().set("DSTYP1", "'TIME'").set("DSREF1", "':GTI00003'");
    let counts = Column::raw("XeCnt", "8J", vec![vec![0; 32]; PHOTONS]);
    let (first, second) = (named("GTI", &[(0.0, 50.0)]), named("GTI", &[(50.0, 100.0)]).set("EXTVER", "2"));
    let stray: Vec<f64> = stamps().iter().copied().take(PHOTONS - 1).chain([1e8]).collect();
    let whole: Vec<i64> = (0..PHOTONS as u64).map(|i| ((i / 10) ^ (1 << 63)) as i64).collect();
    let unsigned = Column::i64("TIME", &whole).with("TZERO", "9223372036854775808");
    let days: Vec<f64> = stamps().iter().map(|t| t / 86400.0).collect();
    let by_name = OpenOptions { extension: Some("XTE_SA".into()), ..OpenOptions::default() };
    let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
    let mut cases: Vec<Case> = [
        (
            "intervals that the data subspace names",
            file(&[named("STDGTI04", &[(0.0, 100.0)]), named("GTI00003", &[(20.0, 70.0)]), subspace.clone()]),
            W("W-GTI-UNUSED", 500, 1000),
        ),
        (
            "intervals that are named and not there",
            file(&[gti(&[(0.0, 100.0)]), subspace]),
            W("W-GTI-REFERENCE", 1000, 1000),
        ),
        ("two versions of the intervals", file(&[first, second, plain()]), W("W-GTI-UNUSED", 500, 1000)),
        ("events under another name", of(unnamed("event file")), W("W-EVENT-TABLE", 1000, 1000)),
        (
            "two tables that may be events",
            file(&[gti(&[(0.0, 100.0)]), unnamed("EVENTS01"), unnamed("EVENTS02")]),
            E(Format, &["EVENTS01, EVENTS02", "--extension"]),
        ),
        ("days by TIMEUNIT", of(events(vec![Column::f64("TIME", &days)]).set("TIMEUNIT", "'d'")), Fine),
        ("unsigned integers of 64 bits", of(events(vec![unsigned])), Fine),
        ("a keyword in lower case", with_card("OBJECT", "'Crab'", "timezero= 0.0"), Fine),
        ("a keyword without a blank", with_card("OBJECT", "'Crab'", "TIMEZERO=0.0"), Fine),
        (
            "two values of a keyword of the clock",
            with_card("TIMEZERO", "0.0", "TIMEZERO= 8.0"),
            E(Format, &["keyword TIMEZERO", "twice", "8.0"]),
        ),
        (
            "two values of another keyword",
            with_card("OBJECT", "'Crab'", "OBJECT  = 'Vela'"),
            W("W-HEADER-REPEATED", 1000, 1000),
        ),
        ("an interval from 0 on", file(&[gti(&[(-1e5, 100.0)]), plain()]), W("W-MOSTLY-EMPTY", 1000, 1000)),
    ]
    .map(Case::of)
    .into();
    let array = Table::new("XTE_SA", vec![time(), counts]).set("HDUCLAS1", "'ARRAY'");
    cases.push(Case {
        open: by_name,
        ..Case::of(("an array, and --extension", of(array), E(Format, &["HDUCLAS1 is `ARRAY`"])))
    });
    let stray = file(&[events(vec![Column::f64("TIME", &stray)])]);
    cases.push(Case {
        open: span,
        ..Case::of(("a time three years off, and --no-gti", stray, W("W-SPAN-GAP", 899, 1000)))
    });
    cases
}
