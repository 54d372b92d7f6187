//! Which of several tables of intervals is in force, and that files of one product are of one instrument.

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti, spectrum};
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::{
    Combine, CrossSpectrum, Error, Gti, LightCurve, Observation, PhotonBand, PowerSpectrum, Result, Warnings,
};

/// Ten photons a second for 100 s.
fn stamps() -> Vec<f64> {
    (0..1000).map(|i| f64::from(i) * 0.1 + 0.03).collect()
}

fn list(columns: Vec<Column>, cards: &[(&str, &str)]) -> Table {
    let columns = [vec![Column::f64("TIME", &stamps())], columns].concat();
    cards.iter().fold(events(columns), |table, (key, value)| table.set(key, value))
}

fn named(name: &str, intervals: &[(f64, f64)]) -> Table {
    gti(intervals).set("EXTNAME", &format!("'{name}'"))
}

fn seconds(gti: &Gti) -> Vec<(f64, f64)> {
    gti.intervals().iter().map(|(a, b)| (a.value(), b.value())).collect()
}

fn open(tables: &[Table], options: &OpenOptions) -> Result<(EventFile, Warnings)> {
    Folder::new().open(&file(tables), options)
}

/// The intervals, and what a warning of this code says.
fn intervals(tables: &[Table], code: &str) -> (Vec<(f64, f64)>, String) {
    let (file, warnings) = open(tables, &OpenOptions::default()).unwrap();
    let said: Vec<&str> = warnings.iter().filter(|w| w.code == code).map(|w| w.message.as_str()).collect();
    (seconds(&file.gti), said.join("\n"))
}

#[test]
fn a_filtered_list_has_the_intervals_that_its_data_subspace_names() {
    // As evselect leaves an XMM list that was filtered: the number of GTI00003 is that of a filter, not of a CCD.
    let cards = [
        ("TELESCOP", "'XMM'"),
        ("DSTYP1", "'CCDNR'"),
        ("DSVAL1", "'4'"),
        ("DSTYP2", "'TIME'"),
        ("DSVAL2", "'TABLE'"),
        ("DSREF2", "':GTI00003'"),
    ];
    let ccd = Column::u8("CCDNR", &[4; 1000]);
    let tables = [
        list(vec![ccd.clone()], &cards),
        named("STDGTI04", &[(0.0, 100.0)]),
        named("GTI00003", &[(10.0, 30.0), (60.0, 90.0)]),
    ];
    let (found, said) = intervals(&tables, "W-GTI-UNUSED");
    assert_eq!(found, [(10.0, 30.0), (60.0, 90.0)]);
    assert!(said.contains("STDGTI04 (extension 2)") && said.contains("of GTI00003"), "{said}");
    let observation = Folder::new().observe(&file(&tables), &OpenOptions::default()).unwrap();
    let made = spectrum(&observation, &PowerSpectrum::default().dt(0.125).segment_size(10.0)).unwrap();
    assert_eq!((made.meta.exposure, made.meta.record.photons.outside_gti), (50.0, 500));
    // Filters of one component hold together, whichever comes first.
    let both = [&cards[..], &[("DSTYP3", "'time'"), ("DSREF3", "':STDGTI04'")]].concat();
    let tables =
        [list(vec![ccd], &both), named("STDGTI04", &[(20.0, 70.0)]), named("GTI00003", &[(10.0, 30.0), (60.0, 90.0)])];
    let (found, said) = intervals(&tables, "W-GTI-UNUSED");
    assert_eq!((found, said), (vec![(20.0, 30.0), (60.0, 70.0)], String::new()));
}

#[test]
fn components_of_a_data_subspace_are_those_of_detectors_or_together_all_time() {
    let ccd: Vec<u8> = (0..1000).map(|i| if i % 2 == 0 { 1 } else { 12 }).collect();
    let cards = [
        ("TELESCOP", "'XMM'"),
        ("DSTYP1", "'TIME'"),
        ("DSVAL1", "'TABLE'"),
        ("DSREF1", "':GTI00001'"),
        ("DSTYP2", "'CCDNR'"),
        ("DSVAL2", "'1'"),
        ("2DSREF1", "':GTI00101'"),
        ("2DSVAL2", "'10:12'"),
    ];
    let own = [named("GTI00001", &[(0.0, 60.0)]), named("GTI00101", &[(50.0, 100.0)])];
    let tables = [vec![list(vec![Column::u8("CCDNR", &ccd)], &cards)], own.to_vec()].concat();
    let of = |detectors: Option<Vec<i64>>| {
        let (file, _) = open(&tables, &OpenOptions { detectors, ..OpenOptions::default() }).unwrap();
        seconds(&file.gti)
    };
    assert_eq!(of(Some(vec![1])), [(0.0, 60.0)]);
    assert_eq!(of(Some(vec![12])), [(50.0, 100.0)]);
    assert_eq!(of(None), [(50.0, 60.0)]);
    // Without a column of detectors an event is in one component or the other.
    let cards: Vec<(&str, &str)> = cards.iter().copied().filter(|(key, _)| *key != "TELESCOP").collect();
    let tables = [vec![list(Vec::new(), &cards)], own.to_vec()].concat();
    assert_eq!(intervals(&tables, "W-GTI-UNUSED"), (vec![(0.0, 100.0)], String::new()));
    // Ranges that stand in the keywords themselves, and a table that is gone.
    let range = [("DSTYP1", "'TIME'"), ("DSVAL1", "'20:40,50:60'")];
    let tables = [list(Vec::new(), &range), named("GTI", &[(0.0, 100.0)])];
    assert_eq!(intervals(&tables, "").0, [(20.0, 40.0), (50.0, 60.0)]);
    // In units of their own, or of the keywords.
    for (unit, value) in
        [("'s'", "'20:40,50:60'"), ("'ks'", "'0.02:0.04,0.05:0.06'"), ("'min'", "'0:0.5'"), ("'as'", "'1:2'")]
    {
        let range = [("DSTYP1", "'TIME'"), ("DSVAL1", value), ("DSUNI1", unit), ("TIMEUNIT", "'d'"), ("TUNIT1", "'s'")];
        let tables = [list(Vec::new(), &range), named("GTI", &[(0.0, 100.0)])];
        match unit {
            "'s'" | "'ks'" => assert_eq!(intervals(&tables, "").0, [(20.0, 40.0), (50.0, 60.0)]),
            "'min'" => assert_eq!(intervals(&tables, "").0, [(0.0, 30.0)]),
            _ => {
                let error = open(&tables, &OpenOptions::default()).err().unwrap().to_string();
                assert!(error.contains("DSUNI1") && error.contains("`as` is not a unit of time"), "{error}");
            }
        }
    }
    // Two values of what decides on the good time.
    for (keyword, first, other) in
        [("DSVAL1", "'20:40'", "'50:60'"), ("DSTYP1", "'TIME'", "'PI'"), ("DSREF1", "':GTI'", "':GTI2'")]
    {
        let cards = [("DSTYP1", "'TIME'"), ("DSVAL1", "'20:40'")];
        let kept: Vec<(&str, &str)> = cards.into_iter().filter(|(key, _)| *key != keyword).collect();
        let table = list(Vec::new(), &[&kept[..], &[(keyword, first), ("DSXXX1", other)]].concat());
        let mut bytes = file(&[table, named("GTI", &[(0.0, 100.0)])]);
        let at = bytes.windows(8).position(|w| w == b"DSXXX1  ").unwrap();
        bytes[at..at + 8].copy_from_slice(format!("{keyword:<8}").as_bytes());
        let error = Folder::new().open(&bytes, &OpenOptions::default()).err().unwrap().to_string();
        assert!(error.contains(keyword) && error.contains("twice"), "{error}");
    }
    // Intervals in another file.
    let elsewhere = [("DSTYP1", "'TIME'"), ("DSVAL1", "'TABLE'"), ("DSREF1", "'other.fits[GTI]'")];
    let tables = [list(Vec::new(), &elsewhere), named("GTI", &[(0.0, 100.0)])];
    let (found, said) = intervals(&tables, "W-GTI-REFERENCE");
    assert_eq!(found, [(0.0, 100.0)]);
    assert!(said.contains("DSREF1") && said.contains("other.fits[GTI], which are in no table of this file"), "{said}");
    let gone = [("DSTYP1", "'TIME'"), ("DSREF1", "':GTI00009'")];
    let tables = [list(Vec::new(), &gone), named("GTI", &[(0.0, 100.0)])];
    let (found, said) = intervals(&tables, "W-GTI-REFERENCE");
    assert_eq!(found, [(0.0, 100.0)]);
    assert!(said.contains("DSREF1") && said.contains(":GTI00009"), "{said}");
}

#[test]
fn tables_of_one_name_are_told_apart_by_their_version() {
    let second = named("GTI", &[(50.0, 100.0)]).set("EXTVER", "2");
    let first = named("GTI", &[(0.0, 50.0)]);
    let (found, said) = intervals(&[list(Vec::new(), &[]), first.clone(), second.clone()], "W-GTI-UNUSED");
    assert_eq!(found, [(0.0, 50.0)]);
    assert!(said.contains("GTI (extension 3 version 2)"), "{said}");
    for reference in ["':GTI,2'", "':GTI2'"] {
        let cards = [("DSTYP1", "'TIME'"), ("DSREF1", reference)];
        let (found, said) = intervals(&[list(Vec::new(), &cards), first.clone(), second.clone()], "W-GTI-UNUSED");
        assert_eq!(found, [(50.0, 100.0)], "{reference}");
        assert!(said.contains("GTI (extension 2)"), "{said}");
    }
    // A file of intervals that the user gives, and one of another time system.
    let folder = Folder::new();
    let bytes = file(&[list(Vec::new(), &[("TIMESYS", "'TT'")])]);
    let given = folder.write("gti.fits", &file(&[first.clone(), second]));
    let with = |name: &str, mixed: bool| {
        let gti = GtiSource::Given(format!("{}{name}", given.display()));
        folder.open(&bytes, &OpenOptions { gti, mixed, ..OpenOptions::default() })
    };
    let (opened, warnings) = with("", false).unwrap();
    assert_eq!((seconds(&opened.gti), codes(&warnings)), (vec![(0.0, 50.0)], vec!["W-GTI-UNUSED"]));
    let (opened, warnings) = with("[GTI,2]", false).unwrap();
    assert_eq!((seconds(&opened.gti), codes(&warnings)), (vec![(50.0, 100.0)], vec![]));
    folder.write("gti.fits", &file(&[first.set("TIMESYS", "'UTC'")]));
    let error = with("", false).err().unwrap().to_string();
    assert!(error.contains("TIMESYS is `UTC`, but `TT`") && error.contains("mixed"), "{error}");
    let (_, warnings) = with("", true).unwrap();
    assert_eq!(codes(&warnings), ["W-GTI-TIMESYS"]);
    // Dynamical times differ by milliseconds, places by minutes of light.
    folder.write("gti.fits", &file(&[named("GTI", &[(0.0, 50.0)]).set("TIMESYS", "'TDB'")]));
    assert!(with("", false).err().unwrap().to_string().contains("up to 2 ms"));
    let bytes = file(&[list(Vec::new(), &[("TIMEREF", "'LOCAL'")])]);
    let gti = folder.write("gti.fits", &file(&[named("GTI", &[(0.0, 50.0)]).set("TIMEREF", "'SOLARSYSTEM'")]));
    let with = |mixed: bool| {
        let gti = GtiSource::Given(gti.display().to_string());
        folder.open(&bytes, &OpenOptions { gti, mixed, ..OpenOptions::default() })
    };
    let error = with(false).err().unwrap().to_string();
    assert!(error.contains("TIMEREF is `SOLARSYSTEM`, but `LOCAL`") && error.contains("500 s"), "{error}");
    assert_eq!(codes(&with(true).unwrap().1), ["W-GTI-TIMEREF"]);
}

#[test]
fn intervals_in_text_have_points_and_may_begin_with_a_mark_of_the_byte_order() {
    let folder = Folder::new();
    let bytes = file(&[list(Vec::new(), &[])]);
    let with = |text: &str| {
        let gti = GtiSource::Given(folder.write("gti.txt", text.as_bytes()).display().to_string());
        folder.open(&bytes, &OpenOptions { gti, ..OpenOptions::default() })
    };
    assert_eq!(
        seconds(&with("\u{feff}1.5 20\n30, 40\n50,60\n").unwrap().0.gti),
        [(1.5, 20.0), (30.0, 40.0), (50.0, 60.0)]
    );
    let error = with("1 2\n10,5 20,5\n").err().unwrap().to_string();
    assert!(error.contains("line 2: `10,5` has a decimal comma"), "{error}");
}

#[test]
fn light_curves_have_the_intervals_that_their_data_subspace_names() {
    let bins: Vec<f64> = (0..100).map(f64::from).collect();
    let columns = vec![Column::f64("TIME", &bins), Column::f64("RATE", &bins), Column::f64("ERROR", &[1.0; 100])];
    let curve =
        Table::new("RATE", columns).set("MJDREF", "55000.0").set("DSTYP1", "'TIME'").set("DSREF1", "':GTI00005'");
    let path = Folder::new();
    let tables = [curve, named("GTI", &[(0.0, 99.0)]), named("GTI00005", &[(9.5, 19.5)])];
    let mut warnings = Warnings::default();
    let read = LightCurve::open(&path.write("curve.fits", &file(&tables)), &mut warnings).unwrap();
    assert_eq!((seconds(&read.gti), codes(&warnings)), (vec![(9.5, 19.5)], vec!["W-GTI-UNUSED"]));
}

/// An observation of 100 s from `start` on.
fn seen(folder: &Folder, name: &str, start: f64, cards: &[(&str, &str)]) -> std::path::PathBuf {
    let times: Vec<f64> = stamps().iter().map(|t| t + start).collect();
    let table = events(vec![Column::f64("TIME", &times), Column::i16("PI", &[100; 1000])]);
    let table = cards.iter().fold(table, |table, (key, value)| table.set(key, value));
    folder.write(name, &file(&[gti(&[(start, start + 100.0)]), table]))
}

/// Fails unless the result is an error that says this, and what allows it.
fn refused<T>(result: Result<T>, what: &str) {
    match result.err().unwrap() {
        error @ Error::Argument { .. } => {
            let text = error.to_string();
            assert!(text.contains(what) && text.contains("mixed = true"), "{text}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn files_of_several_instruments_are_one_product_only_where_that_is_allowed() {
    let folder = Folder::new();
    let by = |name: &str, start: f64, mission: &str, instrument: &str| {
        let cards = [("TELESCOP", format!("'{mission}'")), ("INSTRUME", format!("'{instrument}'"))];
        seen(&folder, name, start, &cards.each_ref().map(|(key, value)| (*key, value.as_str())))
    };
    let nicer = by("nicer", 0.0, "NICER", "XTI");
    let (fpma, fpmb) = (by("fpma", 200.0, "NuSTAR", "FPMA"), by("fpmb", 400.0, "NuSTAR", "FPMB"));
    let (pn, mos1, mos2) =
        (by("pn", 0.0, "XMM", "EPN"), by("mos1", 0.0, "XMM", "EMOS1"), by("mos2", 200.0, "XMM", "EMOS2"));
    let power = PowerSpectrum::default().dt(0.125).segment_size(10.0);
    let average =
        |files: &[&std::path::PathBuf]| spectrum(&Observation::open(files.iter().map(|f| f.as_path()))?, &power);
    refused(average(&[&nicer, &fpma]), "another mission (NuSTAR FPMA)");
    refused(average(&[&mos2, &pn]), "another instrument (XMM EPN)");
    let merged =
        |files: [&std::path::PathBuf; 2]| spectrum(&Observation::open(files).unwrap().combine(Combine::Merge), &power);
    refused(merged([&mos1, &pn]), "another instrument (XMM EPN)");
    refused(merged([&nicer, &fpma]), "another mission (NuSTAR FPMA)");
    let beside = by("beside", 200.0, "NuSTAR", "FPMB");
    assert_eq!(merged([&fpma, &beside]).unwrap().meta.record.photons.read, 2000);
    // Modules that are built alike are one instrument.
    assert_eq!(average(&[&fpma, &fpmb]).unwrap().meta.segments, 20);
    assert_eq!(average(&[&mos1, &mos2]).unwrap().meta.segments, 20);
    let merged = Observation::open([&pn, &mos1]).unwrap().combine(Combine::Merge).mixed(true);
    assert_eq!(spectrum(&merged, &power).unwrap().meta.record.photons.read, 2000);
    let allowed = OpenOptions { mixed: true, ..OpenOptions::default() };
    let mixed = Observation::open_with([&nicer, &fpma], &allowed).unwrap();
    assert_eq!(spectrum(&mixed, &power).unwrap().meta.segments, 20);
    let mixed = Observation::open([&nicer, &fpma]).unwrap().mixed(true);
    assert_eq!(spectrum(&mixed, &power).unwrap().meta.segments, 20);
    // Bands of an analysis are of the same files; the sides of a pair may be anything.
    let both = Observation::open([&nicer, &fpma]).unwrap();
    let bands = CrossSpectrum::default()
        .bands([PhotonBand::Energy(0.5, 2.0), PhotonBand::Energy(2.0, 30.0)])
        .dt(0.125)
        .segment_size(10.0);
    let session = eagleray::Session::cpu().unwrap();
    refused(session.run(&bands, &both), "another mission");
}

/// The library refuses them, whoever calls it.
#[test]
fn products_of_several_instruments_are_joined_only_where_that_is_allowed() {
    use eagleray::science::{AveragedCrossSpectrum, AveragedPowerSpectrum};
    let folder = Folder::new();
    let session = eagleray::Session::cpu().unwrap();
    let observe = |name: &str, start: f64, mission: &str, instrument: &str| {
        let cards = [("TELESCOP", format!("'{mission}'")), ("INSTRUME", format!("'{instrument}'"))];
        let cards = cards.each_ref().map(|(key, value)| (*key, value.as_str()));
        Observation::open([seen(&folder, name, start, &cards)]).unwrap()
    };
    let all = [
        observe("pn", 0.0, "XMM", "EPN"),
        observe("mos", 200.0, "XMM", "EMOS1"),
        observe("fpma", 400.0, "NuSTAR", "FPMA"),
        observe("fpmb", 600.0, "NuSTAR", "FPMB"),
    ];
    let power = PowerSpectrum::default().dt(0.125).segment_size(10.0);
    let [pn, mos, fpma, fpmb] = all.each_ref().map(|one| spectrum(one, &power).unwrap());
    refused(AveragedPowerSpectrum::join(&[pn.clone(), mos.clone()]), "another instrument (XMM EMOS1)");
    refused(AveragedPowerSpectrum::join(&[pn.clone(), fpma.clone()]), "another mission (NuSTAR FPMA)");
    assert_eq!(AveragedPowerSpectrum::join_mixed(&[pn, mos]).unwrap().meta.segments, 20);
    assert_eq!(AveragedPowerSpectrum::join(&[fpma, fpmb]).unwrap().meta.segments, 20);
    let binning = eagleray::Binning::default().dt(0.5);
    let curves = all.each_ref().map(|one| session.run(&binning, one).unwrap());
    refused(LightCurve::join(&curves[..2]), "another instrument (XMM EMOS1)");
    assert_eq!(LightCurve::join_mixed(&curves[..2]).unwrap().len(), 400);
    assert_eq!(LightCurve::join(&curves[2..]).unwrap().len(), 400);
    let cross = CrossSpectrum::default().segment_size(10.0);
    let pair = |i: usize| {
        let one = || Observation::light_curves([curves[i].clone()]);
        session.run(&cross, &Observation::pair(one(), one()).unwrap()).unwrap()
    };
    let (pn, mos) = (pair(0), pair(1));
    refused(AveragedCrossSpectrum::join(&[pn.clone(), mos.clone()]), "another instrument (XMM EMOS1)");
    assert_eq!(AveragedCrossSpectrum::join_mixed(&[pn, mos]).unwrap().meta.segments, 20);
}

#[test]
fn products_of_other_frames_and_bands_are_joined_only_where_that_is_allowed() {
    use eagleray::science::{AveragedCrossSpectrum, AveragedPowerSpectrum};
    let folder = Folder::new();
    let observe = |name: &str, start: f64, more: &[(&str, &str)]| {
        let cards = [&[("TELESCOP", "'NICER'"), ("INSTRUME", "'XTI'")], more].concat();
        Observation::open([seen(&folder, name, start, &cards)]).unwrap()
    };
    let power = PowerSpectrum::default().dt(0.125).segment_size(10.0);
    let made = |of: Observation| spectrum(&of, &power).unwrap();
    let join =
        |a: &AveragedPowerSpectrum, b: &AveragedPowerSpectrum| AveragedPowerSpectrum::join(&[a.clone(), b.clone()]);
    let tt = made(observe("tt", 0.0, &[("TIMESYS", "'TT'"), ("TIMEREF", "'LOCAL'")]));
    let tdb = made(observe("tdb", 200.0, &[("TIMESYS", "'TDB'"), ("TIMEREF", "'LOCAL'")]));
    let sun = made(observe("sun", 400.0, &[("TIMESYS", "'TT'"), ("TIMEREF", "'SOLARSYSTEM'")]));
    refused(join(&tt, &tdb), "TIMESYS is `TDB`, and `TT` in");
    refused(join(&tt, &sun), "TIMEREF is `SOLARSYSTEM`, and `LOCAL` in");
    let both = AveragedPowerSpectrum::join_mixed(&[tt.clone(), tdb]).unwrap();
    assert_eq!((both.meta.segments, both.meta.record.timesys.as_str()), (20, "TT + TDB"));
    // Bands in keV, in channels, and none.
    let band = |name: &str, start: f64, lo: f64, hi: f64| made(observe(name, start, &[]).energy(lo..hi).unwrap());
    let (soft, hard, again) =
        (band("soft", 0.0, 0.5, 2.0), band("hard", 200.0, 0.6, 4.0), band("again", 400.0, 0.5, 2.0));
    refused(join(&soft, &hard), "the selection of energies is 0.6 to 4 keV, and 0.5 to 2 keV in");
    refused(join(&soft, &made(observe("all", 600.0, &[]))), "the selection of energies is none, and 0.5 to 2 keV in");
    assert_eq!(join(&soft, &again).unwrap().meta.segments, 20);
    assert_eq!(AveragedPowerSpectrum::join_mixed(&[soft, hard]).unwrap().meta.segments, 20);
    let channels = |name: &str, start: f64, hi: f64| made(observe(name, start, &[]).channels(50.0..=hi).unwrap());
    refused(join(&channels("low", 0.0, 150.0), &channels("high", 200.0, 160.0)), "channels 50 to 160, and channels 50");
    // The bands that a cross spectrum compares.
    let session = eagleray::Session::cpu().unwrap();
    let cross = |name: &str, start: f64, hi: f64| {
        let times: Vec<f64> = stamps().iter().map(|t| t + start).collect();
        let pi: Vec<i16> = (0..1000).map(|i| if i % 3 == 0 { 60 } else { 100 }).collect();
        let table = events(vec![Column::f64("TIME", &times), Column::i16("PI", &pi)]).set("TELESCOP", "'NICER'");
        let path = folder.write(name, &file(&[gti(&[(start, start + 100.0)]), table]));
        let bands = [PhotonBand::Energy(0.3, 0.9), PhotonBand::Energy(0.9, hi)];
        let analysis = CrossSpectrum::default().bands(bands).dt(0.125).segment_size(10.0);
        session.run(&analysis, &Observation::open([path]).unwrap()).unwrap()
    };
    let (one, other, same) = (cross("c1", 0.0, 2.0), cross("c2", 200.0, 3.0), cross("c3", 400.0, 2.0));
    refused(AveragedCrossSpectrum::join(&[one.clone(), other]), "the selection of energies is");
    assert_eq!(AveragedCrossSpectrum::join(&[one, same]).unwrap().meta.segments, 20);
    // One time in two frames is one time.
    let epoch = |name: &str, start: f64, day: &str| made(observe(name, start, &[("MJDREFI", day)]));
    let twice = join(&epoch("e0", 0.0, "55000"), &epoch("e1", -86_400.0, "55001")).err().unwrap().to_string();
    assert!(twice.contains("times in common"), "{twice}");
    let apart = join(&epoch("e2", 0.0, "55000"), &epoch("e3", 0.0, "55001")).unwrap();
    assert_eq!(apart.meta.record.gti, [[0.0, 100.0], [86_400.0, 86_500.0]]);
}

#[test]
fn channels_of_other_energies_are_no_band() {
    // RXTE's gain epochs 3 and 5.
    let folder = Folder::new();
    let xte = |name: &str, start: f64, day: &str| {
        let cards =
            [("TELESCOP", "'XTE'"), ("INSTRUME", "'PCA'"), ("MJDREFI", day), ("TSTART", "0.0"), ("TTYPE2", "'PHA'")];
        seen(&folder, name, start, &cards)
    };
    let files = [xte("epoch3", 0.0, "51000"), xte("epoch5", 200.0, "54000")];
    let power = PowerSpectrum::default().dt(0.125).segment_size(10.0);
    let open = || Observation::open(&files).unwrap();
    let error = spectrum(&open().channels(50.0..=150.0).unwrap(), &power).err().unwrap().to_string();
    assert!(error.contains("epoch5") && error.contains("other energies") && error.contains("mixed = true"), "{error}");
    let made = spectrum(&open().energy(1.0..100.0).unwrap(), &power).unwrap();
    assert!(!codes(&made.meta.record.warnings).contains(&"W-MIXED-SCALE"));
    let made = spectrum(&open(), &power).unwrap();
    assert!(codes(&made.meta.record.warnings).contains(&"W-MIXED-SCALE"));
}
