//! Text that other programs write: marks of the byte order are passed over, and other encodings are named.

use crate::program::{B1509, eagleray, json, stderr};

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
