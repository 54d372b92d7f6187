//! Text that other programs write: marks of the byte order are passed over, and other encodings are named.

use crate::program::{B1509, codes, eagleray, json, near, simulate, stderr};

/// Text in UTF-16, with the mark of the byte order.
fn utf16(text: &str) -> Vec<u8> {
    [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn lists_of_files_and_of_edges_may_begin_with_a_mark_and_are_utf8() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let refused = |args: &[&str], pieces: &[&str]| {
        let output = eagleray(args);
        assert_eq!(output.status.code().map(|code| code > 0), Some(true), "{args:?}");
        let said = stderr(&output);
        pieces.iter().for_each(|piece| assert!(said.contains(piece), "`{piece}` is not in: {said}"));
    };
    let list = format!("\u{feff}{B1509}\n");
    let marked = write("marked.txt", list.as_bytes());
    assert_eq!(json(&["lc", &format!("@{marked}"), "--dt", "100"])["nphots"].as_f64(), Some(25765.0));
    let wide = write("wide.txt", &utf16(&format!("{B1509}\n")));
    refused(&["lc", &format!("@{wide}"), "--dt", "100"], &["wide.txt", "UTF-16", "save it as UTF-8"]);
    let curve = json(&["lc", B1509, "--dt", "100"]);
    let from = curve["gti"][0][0].as_f64().unwrap();
    let edges = format!("{from:?}\n{:?} # edge\n", from + 500.0);
    let plain = write("edges.txt", edges.as_bytes());
    let marked = write("marked-edges.txt", format!("\u{feff}{edges}").as_bytes());
    let counts = |path: &str| json(&["bin", B1509, "--times", path])["nphots"].as_u64();
    assert!(counts(&plain).is_some_and(|count| count > 0) && counts(&plain) == counts(&marked));
    let wide = write("wide-edges.txt", &utf16(&edges));
    refused(&["bin", B1509, "--times", &wide], &["wide-edges.txt", "UTF-16"]);
    let commas = write("commas.txt", b"100,5\n200,5\n");
    refused(&["bin", B1509, "--times", &commas], &["line 1", "`100,5` has a decimal comma"]);
}

/// Units in brackets behind names, of comma separated and of blank separated text: times are seconds of whatever unit.
#[test]
fn units_stand_in_brackets_behind_names() {
    let folder = tempfile::tempdir().unwrap();
    let curve = |name: &str, header: &str, between: &str, unit: f64| {
        let rows = (0..40).map(|i| format!("{}{between}{}\n", (f64::from(i) + 0.5) * unit, i % 7 + 3));
        let path = folder.path().join(name);
        std::fs::write(&path, [header.to_string()].into_iter().chain(rows).collect::<String>()).unwrap();
        json(&["lc", &path.display().to_string()])
    };
    let plain = curve("plain.csv", "time,rate\n", ",", 1.0);
    near(&plain["dt"], 1.0, 1e-9);
    for (name, header, between, unit, dt) in [
        ("round.csv", "Time (s),Rate (ct/s)\n", ",", 1.0, 1.0),
        ("square.csv", "time [s];rate [count/s]\n", ";", 1.0, 1.0),
        ("blanks.txt", "time (ks)  rate (ct / s)\n", " ", 0.25, 250.0),
        ("days.csv", "time (d),rate\n", ",", 0.125, 10_800.0),
    ] {
        let made = curve(name, header, between, unit);
        near(&made["dt"], dt, 1e-6 * dt);
        near(&made["mean"], plain["mean"].as_f64().unwrap(), 1e-9);
    }
    let wrong = folder.path().join("wrong.csv");
    std::fs::write(&wrong, "time (parsec),rate\n0,1\n1,2\n2,3\n").unwrap();
    let said = stderr(&eagleray(&["lc", &wrong.display().to_string()]));
    assert!(said.contains("unit `parsec` is not a unit of time that is known"), "{said}");
}

/// The epoch in the metadata of ECSV, as this program and astropy write it, in whatever case.
#[test]
fn metadata_of_ecsv_have_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..40).map(|i| format!("{}.5 {}\n", i, i % 7 + 3)).collect();
    let columns = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: time, unit: s, datatype: float64}\n# - {name: rate, datatype: float64}\n";
    let curve = |metadata: &str| {
        let path = folder.path().join("a.ecsv");
        std::fs::write(&path, format!("{columns}{metadata}time rate\n{rows}")).unwrap();
        json(&["lc", &path.display().to_string()])
    };
    for metadata in [
        "# meta: !!omap\n# - {MJDREF: 55000.25}\n",
        "# meta: !!omap\n# - {mjdref: 55000.25}\n# - {timesys: TDB}\n",
        "# meta: !!omap\n# - {MJDREFI: 55000}\n# - {MJDREFF: 0.25}\n",
        "# meta: {MjdRef: 55000.25}\n",
    ] {
        let made = curve(metadata);
        assert!(!codes(&made).contains(&"W-NO-MJDREF"), "{metadata}: {made}");
        assert_eq!((&made["mjdref"]["day"], &made["mjdref"]["fraction"]), (&55_000.into(), &0.25.into()), "{made}");
    }
    assert!(codes(&curve("")).contains(&"W-NO-MJDREF"));
    // What the program writes it reads with its epoch.
    let events = simulate(folder.path(), "a.evt", "--mission nicer --rate 20 --length 100");
    let own = folder.path().join("own.ecsv").display().to_string();
    let written = json(&["lc", &events, "--dt", "1", "-o", &own]);
    let read = json(&["lc", &own]);
    assert_eq!(read["mjdref"], written["mjdref"]);
    assert!(!read["mjdref"].is_null() && !codes(&read).contains(&"W-NO-MJDREF"), "{read}");
}
