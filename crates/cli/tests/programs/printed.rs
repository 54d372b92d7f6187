//! Every command of the two programs that is printed in README.md, in `docs` and in the help runs as it is printed.
//!
//! - A line of a fenced block that begins with `eagleray`, `gpu-bench` or `cargo run --release` is run, with the others of its page, in their
//!   order, in one folder: what one writes another may read. Files that nobody wrote before are those of [`FIXTURES`].
//! - The example of a command's help is run in a folder of its own.
//! - In running text, a command that names a file of [`FIXTURES`] is run; any other is a mention, whose words (capitals stand for what is the reader's)
//!   must be known to the program, with values that can be.
//! - [`LONG`] are commands that take too long for a test, and why; they are checked as mentions are.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use crate::common::fits_file::{self, Column};
use crate::program::root;

/// Files that readers have, and what makes them: options of `simulate`, or of a command that reads one of them.
const FIXTURES: &[(&str, Made)] = &[
    ("FPMA.evt", Made::Simulated("--mission nustar --rate 200 --length 256 --seed 1")),
    ("FPMB.evt", Made::Simulated("--mission nustar --rate 200 --length 256 --seed 2")),
    ("obs.evt", Made::Simulated("--mission nicer --rate 60 --length 1000 --seed 3")),
    ("a.evt", Made::Simulated("--mission nicer --rate 60 --length 1000 --seed 4 --tstart 210000000")),
    ("curve.fits", Made::Computed("lc obs.evt --dt 1 -o")),
    ("curve.csv", Made::Computed("lc obs.evt --dt 1 -o")),
    ("pds.ecsv", Made::Computed("pds obs.evt --dt 1/64 --segment-size 64 -o")),
    ("a.ecsv", Made::Computed("pds obs.evt --dt 1/64 --segment-size 64 -o")),
    ("b.ecsv", Made::Computed("pds a.evt --dt 1/64 --segment-size 64 -o")),
    (
        "pulsar.par",
        Made::Text("PSR J0000+0000\nF0 6.5961\nF1 -1e-13\nPEPOCH 58669\nBINARY ELL1\nA1 1.5\nPB 0.25\nTASC 58669\n"),
    ),
    ("edges.txt", Made::Text("# s\n300000000\n300000100\n300000250.5\n")),
    ("LAT.fits", Made::Weighted),
];

enum Made {
    Simulated(&'static str),
    /// By a command, in front of the name.
    Computed(&'static str),
    Text(&'static str),
    /// Events with a column of weights.
    Weighted,
}

/// Commands that are not run, by how they begin, with why.
const LONG: &[(&str, &str)] = &[
    ("eagleray simulate -o big.evt", "writes 1.2 GB: the speed of 1e8 events"),
    ("eagleray pds big.evt", "reads those"),
    ("gpu-bench --quick", "20 s on two idle cores, optimised; `gpu_bench` runs smaller ones"),
    ("gpu-bench --report page", "minutes"),
];

/// A command of a page.
struct Printed {
    page: String,
    /// The program, and its words.
    program: &'static str,
    words: Vec<String>,
    /// In a fenced block, or an example of the help: run as it stands.
    whole: bool,
}

impl Printed {
    /// The command in a line or a piece of code, without what is a comment or another program's.
    fn new(page: &str, text: &str, whole: bool) -> Option<Printed> {
        let text = text.split(" #").next().unwrap_or_default();
        let mut words =
            text.split_whitespace().skip_while(|word| *word == "time").map(str::to_string).collect::<Vec<_>>();
        let starts = |with: &[&str]| words.len() >= with.len() && words.iter().zip(with).all(|(a, b)| a == b);
        let (program, skip) = if starts(&["eagleray"]) {
            ("eagleray", 1)
        } else if starts(&["gpu-bench"]) {
            ("gpu-bench", 1)
        } else if starts(&["cargo", "run", "--release", "--bin", "gpu-bench", "--"]) {
            ("gpu-bench", 6)
        } else if starts(&["cargo", "run", "--release", "--"]) {
            ("eagleray", 4)
        } else {
            return None;
        };
        words.drain(..skip);
        Some(Printed { page: page.to_string(), program, words, whole })
    }

    fn text(&self) -> String {
        [&[self.program.to_string()], &self.words[..]].concat().join(" ")
    }

    fn long(&self) -> Option<usize> {
        LONG.iter().position(|(begin, _)| self.text().starts_with(begin))
    }

    fn run(&self, folder: &Path, more: &[&str]) {
        let path =
            if self.program == "eagleray" { env!("CARGO_BIN_EXE_eagleray") } else { env!("CARGO_BIN_EXE_gpu-bench") };
        let begun = std::time::Instant::now();
        let done =
            Command::new(path).args(&self.words).args(more).current_dir(folder).output().expect("the program starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{}: {} ends with {}: {said}", self.page, self.text(), done.status);
        eprintln!("{:6.2} s {}: {}", begun.elapsed().as_secs_f64(), self.page, self.text());
    }

    /// Runs it as the [module](self) says.
    fn check(&self, folder: &Path) {
        let known = |word: &String| FIXTURES.iter().any(|(name, _)| name == word) || root(word).is_file();
        if self.long().is_some() || !(self.whole || self.words.iter().any(known)) {
            return self.run(folder, &["--help"]);
        }
        for (i, word) in self.words.iter().enumerate() {
            let written = i > 0 && self.words[i - 1] == "-o";
            if !written && !folder.join(word).exists() {
                fixture(folder, word);
            }
        }
        self.run(folder, &[]);
    }
}

/// Makes the file of that name, if it is one of [`FIXTURES`], or of the repository.
fn fixture(folder: &Path, name: &str) {
    let path = folder.join(name);
    if root(name).is_file() && name.contains('/') {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::copy(root(name), &path).expect("a copy");
    }
    let Some((_, made)) = FIXTURES.iter().find(|(one, _)| *one == name) else { return };
    let run = |text: &str| {
        let command = Printed::new("the files of readers", text, true).expect("a command");
        command.check(folder);
    };
    match made {
        Made::Simulated(options) => run(&format!("eagleray simulate -o {name} {options}")),
        Made::Computed(command) => run(&format!("eagleray {command} {name}")),
        Made::Text(text) => std::fs::write(path, text).expect("a file"),
        Made::Weighted => {
            let times: Vec<f64> = (0..2000).map(|i| f64::from(i) * 0.25 + f64::from(i * i % 97) / 400.0).collect();
            let weights: Vec<f32> = (0..2000).map(|i| ((i * 37 % 100) as f32 + 0.5) / 100.0).collect();
            let events = fits_file::events(vec![Column::f64("TIME", &times), Column::f32("PROB", &weights)]);
            std::fs::write(path, fits_file::file(&[events, fits_file::gti(&[(0.0, 501.0)])])).expect("a file");
        }
    }
}

/// The commands of a page, in their order: those of fenced blocks, and those of running text.
fn printed(page: &str) -> Vec<Printed> {
    let text = std::fs::read_to_string(root(page)).expect(page);
    let mut found = Vec::new();
    for (i, part) in text.split("\n```").enumerate() {
        if i % 2 == 1 {
            // A line that ends with a backslash goes on.
            let block = part.replace("\\\n", " ");
            found.extend(block.lines().skip(1).filter_map(|line| Printed::new(page, line, true)));
        } else {
            let flat = part.replace('\n', " ");
            found.extend(flat.split('`').skip(1).step_by(2).filter_map(|code| Printed::new(page, code, false)));
        }
    }
    found
}

/// All pages for readers.
fn pages() -> Vec<String> {
    let of = |folder: &str| {
        let names = std::fs::read_dir(root(folder)).expect(folder).map(|one| one.expect("a name").file_name());
        names
            .map(|name| format!("{folder}{}", name.to_string_lossy()))
            .filter(|name| name.ends_with(".md"))
            .collect::<Vec<_>>()
    };
    let mut pages = [of(""), of("docs/"), of("docs/results/")].concat();
    pages.sort();
    pages
}

static ALL: LazyLock<Vec<Printed>> = LazyLock::new(|| pages().iter().flat_map(|page| printed(page)).collect());

fn check(pages: impl Fn(&str) -> bool) -> usize {
    let names: BTreeSet<&str> = ALL.iter().map(|one| one.page.as_str()).filter(|page| pages(page)).collect();
    for page in &names {
        let folder = tempfile::tempdir().expect("a folder");
        ALL.iter().filter(|one| one.page == *page).for_each(|one| one.check(folder.path()));
    }
    ALL.iter().filter(|one| names.contains(one.page.as_str())).count()
}

#[test]
fn the_commands_of_the_readme_run_as_printed() {
    assert!(check(|page| page == "README.md") >= 36);
}

#[test]
fn the_commands_of_the_documentation_run_as_printed() {
    assert!(check(|page| page != "README.md") >= 15);
}

#[test]
fn the_examples_of_the_help_run_as_printed() {
    let program = eagleray_cli::commands::command();
    let mut examples = 0;
    for command in program.get_subcommands().filter(|one| one.get_name() != "help") {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = help.strip_prefix("Example: ").unwrap_or_else(|| panic!("{}: no example", command.get_name()));
        let folder = tempfile::tempdir().expect("a folder");
        Printed::new("help", example, true).expect("a command").check(folder.path());
        examples += 1;
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn few_commands_are_long_and_each_is_printed() {
    assert!(LONG.len() <= 4 && LONG.iter().all(|(_, why)| !why.is_empty()));
    let found: BTreeSet<usize> = ALL.iter().filter_map(Printed::long).collect();
    assert_eq!(found.len(), LONG.len(), "those of {found:?} alone are printed");
    // No block of commands and no piece of code is missed for want of a closing mark.
    for page in pages() {
        let text = std::fs::read_to_string(root(&page)).expect(&page);
        assert_eq!(text.matches("\n```").count() % 2, 0, "{page}: a block is not closed");
        let running: String = text.split("\n```").step_by(2).collect();
        assert_eq!(running.matches('`').count() % 2, 0, "{page}: a piece of code is not closed");
    }
}
