//! What an output may replace, and what becomes of the file that it replaces.
#![cfg(unix)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::program::{B1509, refused, root, succeed};

/// Inputs by any option, and outputs by any option, links among them. Each line destroyed a file, and ended with status 0.
#[test]
fn no_input_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    let write = |file: &str, content: &[u8]| std::fs::write(folder.path().join(file), content).unwrap();
    let events = std::fs::read(root(B1509)).unwrap();
    for file in ["a.fits", "a.pha", "a.rsp", "a.svg", "a.tim"] {
        write(file, &events);
    }
    write("list.txt", name("a.fits").as_bytes());
    write("list.ecsv", name("a.fits").as_bytes());
    write("times.csv", b"184450000\n184450100\n");
    write("par.csv", b"F0 6.6\nPEPOCH 50000\n");
    succeed(&["fold", B1509, "--f", "6.5961", "--nbin", "16", "-o", &name("profile.ecsv"), "--quiet"]);
    symlink(name("a.fits"), name("link.fits")).unwrap();
    std::fs::hard_link(name("a.fits"), name("hard.fits")).unwrap();
    let before = contents(folder.path());
    for line in [
        "pds @list.txt -o a.fits --overwrite",
        "pds @list.txt -o link.fits --overwrite",
        "pds @list.txt -o hard.fits --overwrite",
        "pds @list.ecsv -o list.ecsv --overwrite",
        "lc a.svg --plot a.svg --overwrite",
        "pds B1509 --gti a.fits[GTI] -o a.fits --overwrite",
        "pds B1509 --rmf a.rsp --xspec a --overwrite",
        "pds a.pha -o a.pha --overwrite",
        "pds a.rsp -o a.pha --overwrite",
        "pds a.pha --xspec a --overwrite",
        "bin B1509 --times times.csv -o times.csv --overwrite",
        "fold B1509 --par par.csv -o par.csv --overwrite",
        "search B1509 --par par.csv -o par.csv --overwrite",
        "fold B1509 --f 6.5961 --toas t.tim --toa-length 1000 --template profile.ecsv -o profile.ecsv --overwrite",
        "fold a.tim --f 6.5961 --toas a.tim --toa-length 1000 --overwrite",
        "ls B1509 --ref a.fits -o hard.fits --overwrite",
        "pds a.fits --profile a.fits",
        "pds a.fits --profile a.fits --overwrite",
        "info @list.txt --profile hard.fits",
        "plot profile.ecsv --plot x.svg --profile profile.ecsv --overwrite",
        "join profile.ecsv profile.ecsv -o profile.ecsv --overwrite",
    ] {
        let word = |word: &str| match word.split_at(usize::from(word.starts_with('@'))) {
            (_, "B1509") => B1509.to_string(),
            (at, file) if file.contains('.') && !file.contains("6.5") => format!("{at}{}", name(file)),
            (_, "a") => name("a"),
            _ => word.to_string(),
        };
        let words: Vec<String> = line.split(' ').map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        refused(&words, 2, "is one of the inputs, which would be lost");
        assert_eq!(contents(folder.path()), before, "{line}");
    }
    // An earlier profile is an output as others are.
    let trace = name("trace.txt");
    succeed(&["info", B1509, "--profile", &trace]);
    refused(&["info", B1509, "--profile", &trace], 1, "exists already");
    succeed(&["lc", B1509, "--profile", &trace, "--overwrite", "--quiet"]);
}

/// All files of a folder by name.
fn contents(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn outputs_that_are_one_file_are_refused_and_the_pair_for_xspec_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    let (same, dotted) = (name("a.svg"), name("./a.svg"));
    refused(&["fold", B1509, "--f", "6.6", "--plot", &same, "--phaseogram", &dotted], 2, "is what --plot writes, too");
    // A name that the program derives, and a link to a file that is not there yet.
    let line = ["pds", B1509, "--xspec", &name("q"), "--profile", &name("q.pha"), "--overwrite"];
    refused(&line, 2, "writes, too");
    symlink("yy.svg", name("xx.svg")).unwrap();
    let (link, led) = (name("xx.svg"), name("yy.svg"));
    refused(&["fold", B1509, "--f", "6.6", "--plot", &link, "--phaseogram", &led], 2, "is what --plot writes, too");
    std::fs::remove_file(&link).unwrap();
    // A link into a folder that is not there is refused before the work.
    symlink("nowhere/a.svg", &link).unwrap();
    refused(&["lc", B1509, "--plot", &link], 1, "no such folder to write into");
    std::fs::remove_file(&link).unwrap();
    let (pha, stem) = (name("e.pha"), name("e"));
    succeed(&["pds", B1509, "--backend", "cpu", "-o", &pha, "--xspec", &stem, "--quiet"]);
    assert_eq!(contents(folder.path()).len(), 2);
}

/// A link stays, and what it leads to is written; a file keeps its permissions.
#[test]
fn links_and_permissions_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(name("far")).unwrap();
    let mode = |file: &str| std::fs::metadata(name(file)).unwrap().mode() & 0o7777;
    std::fs::write(name("far/a.csv"), "old").unwrap();
    std::fs::set_permissions(name("far/a.csv"), std::fs::Permissions::from_mode(0o600)).unwrap();
    symlink("far/a.csv", name("b.csv")).unwrap();
    symlink("b.csv", name("c.csv")).unwrap();
    symlink("far/new.csv", name("d.csv")).unwrap();
    let run = |output: &str, more: &[&str]| {
        succeed(&[&["lc", B1509, "--dt", "100", "--quiet", "-o", &name(output)], more].concat());
    };
    refused(&["lc", B1509, "-o", &name("c.csv")], 1, "exists already");
    run("c.csv", &["--overwrite"]);
    run("d.csv", &[]);
    for link in ["b.csv", "c.csv", "d.csv"] {
        assert!(std::fs::symlink_metadata(name(link)).unwrap().file_type().is_symlink(), "{link}");
    }
    let written = std::fs::read(name("far/a.csv")).unwrap();
    assert!(written.starts_with(b"# ") && written == std::fs::read(name("far/new.csv")).unwrap());
    assert_eq!(mode("far/a.csv"), 0o600);
    // Wider than most umasks leave it.
    std::fs::set_permissions(name("far/a.csv"), std::fs::Permissions::from_mode(0o666)).unwrap();
    run("b.csv", &["--overwrite"]);
    assert_eq!(mode("far/a.csv"), 0o666);
    let svg = name("p.svg");
    std::fs::write(&svg, "").unwrap();
    std::fs::set_permissions(&svg, std::fs::Permissions::from_mode(0o640)).unwrap();
    succeed(&["lc", B1509, "--plot", &svg, "--overwrite", "--quiet"]);
    assert_eq!(mode("p.svg"), 0o640);
    assert_eq!(std::fs::read_dir(name("far")).unwrap().count(), 2);
}
