//! The one register of the files that commands read and write: no output is a file that is read, or that another option writes.
//!
//! It is kept by the names of options, for all commands at once and before any of them begins; an option that names a file and does not
//! stand in it fails a test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::arguments::input::expand_lists;
use crate::bench::PAGE;
use eagleray::files::XspecFiles;
use eagleray::internal::io::fits_writer::followed;
use eagleray::{Error, Result};

/// What becomes of the file that an option names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileUse {
    /// It is read, if it is a file: some options take numbers or a word as well.
    Read,
    /// It is read; `@LIST` stands for a list that is read, and for the files in it.
    ReadWithLists,
    /// It is read, with or without `[EXT]` behind its name.
    ReadExtension,
    /// It is written.
    Written,
    /// It is written; a name in .pha stands for two files.
    WrittenTable,
    /// It is the stem of two files that are written for XSPEC.
    WrittenForXspec,
    /// A folder whose page is written.
    WrittenPage,
    /// A folder or a program, which no output replaces.
    NoOutput,
}

/// Options that name files, by what clap knows them as.
const FILES: &[(&str, FileUse)] = &[
    ("files", FileUse::ReadWithLists),
    ("gti", FileUse::ReadExtension),
    ("rmf", FileUse::Read),
    ("par", FileUse::Read),
    ("template", FileUse::Read),
    ("times", FileUse::Read),
    ("reference", FileUse::Read),
    ("product", FileUse::Read),
    ("products", FileUse::Read),
    ("compare", FileUse::Read),
    ("record", FileUse::Read),
    ("output", FileUse::WrittenTable),
    ("plot", FileUse::Written),
    ("map", FileUse::Written),
    ("phaseogram", FileUse::Written),
    ("energy_phase", FileUse::Written),
    ("toas", FileUse::Written),
    ("toa_plot", FileUse::Written),
    ("shift_add", FileUse::Written),
    ("profile", FileUse::Written),
    ("json", FileUse::Written),
    ("xspec", FileUse::WrittenForXspec),
    ("report", FileUse::WrittenPage),
    ("history", FileUse::WrittenPage),
    ("data", FileUse::NoOutput),
    ("peer_python", FileUse::NoOutput),
];

/// A file that an option writes.
struct Written {
    /// What clap calls the option.
    id: String,
    shown: String,
    /// What the user wrote.
    typed: String,
    path: PathBuf,
    /// The two files for XSPEC of which it is one, and whether it is the spectrum.
    pair: Option<(XspecFiles, bool)>,
}

impl Written {
    /// True for the same one of the same two files for XSPEC, which two options may name.
    fn is_the_same_of(&self, other: &Written) -> bool {
        let Some(((own, own_is_pha), (theirs, their_is_pha))) = self.pair.as_ref().zip(other.pair.as_ref()) else {
            return false;
        };
        own_is_pha == their_is_pha && same_place(&own.pha, &theirs.pha) && same_place(&own.rsp, &theirs.rsp)
    }
}

/// Refuses outputs of a command that are files that it reads, and two outputs that are one file. Links count as what they lead to,
/// and files by what the system knows them as, not by their names.
///
/// # Errors
/// The option of such an output.
pub fn check(program: &Command, matches: &ArgMatches) -> Result<()> {
    let (read, written) = named(program, matches);
    let read: Vec<FileId> = read.iter().filter_map(|path| FileId::of(path)).collect();
    for (i, output) in written.iter().enumerate() {
        if FileId::of(&output.path).is_some_and(|own| read.contains(&own)) {
            return Err(Error::argument(&output.id, &output.typed, "is one of the inputs, which would be lost"));
        }
        let both = |other: &&Written| same_place(&other.path, &output.path) && !other.is_the_same_of(output);
        if let Some(other) = written[..i].iter().find(both) {
            let derived = if other.path == Path::new(&other.typed) {
                String::new()
            } else {
                format!(" ({})", other.path.display())
            };
            let message = format!("is what {}{derived} writes, too", other.shown);
            return Err(Error::argument(&output.id, &output.typed, message));
        }
    }
    Ok(())
}

/// What is read and what is written, by the options of a program and of the command in it that `matches` found.
fn named(program: &Command, matches: &ArgMatches) -> (Vec<PathBuf>, Vec<Written>) {
    let (mut read, mut written, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let mut level = Some((program, matches));
    while let Some((command, matches)) = level {
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            // Options of the program are those of its commands, too.
            if let Some(what) = use_of(arg)
                && !seen.contains(&id)
                && matches.value_source(id) == Some(ValueSource::CommandLine)
            {
                seen.push(id);
                for value in matches.try_get_raw(id).ok().flatten().into_iter().flatten() {
                    add(arg, what, value, &mut read, &mut written);
                }
            }
        }
        level = matches.subcommand().and_then(|(name, rest)| Some((command.find_subcommand(name)?, rest)));
    }
    (read, written)
}

fn add(arg: &Arg, what: FileUse, value: &OsStr, read: &mut Vec<PathBuf>, written: &mut Vec<Written>) {
    let text = value.to_string_lossy();
    let mut writes = |path: PathBuf, pair: Option<(XspecFiles, bool)>| {
        let shown = arg.get_long().map_or_else(|| arg.get_id().to_string(), |name| format!("--{name}"));
        written.push(Written { id: arg.get_id().to_string(), shown, typed: text.to_string(), path, pair });
    };
    match what {
        FileUse::Read => read.push(value.into()),
        FileUse::ReadWithLists => {
            read.push(value.into());
            if let Some(list) = text.strip_prefix('@') {
                read.push(list.into());
                // A list that cannot be read is for the command to refuse.
                read.extend(expand_lists(&[value.into()]).unwrap_or_default());
            }
        }
        FileUse::ReadExtension => {
            read.push(value.into());
            read.extend(text.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map(|(file, _)| file.into()));
        }
        FileUse::Written | FileUse::WrittenTable if text == "-" => {}
        FileUse::WrittenForXspec => writes_pair(&text, &mut writes),
        FileUse::WrittenTable if text.ends_with(".pha") => writes_pair(&text, &mut writes),
        FileUse::Written | FileUse::WrittenTable => writes(value.into(), None),
        FileUse::WrittenPage => writes(Path::new(value).join(PAGE), None),
        FileUse::NoOutput => {}
    }
}

/// Both files for XSPEC of a stem.
fn writes_pair(stem: &str, writes: &mut impl FnMut(PathBuf, Option<(XspecFiles, bool)>)) {
    let pair = XspecFiles::from_stem(stem);
    writes(pair.pha.clone(), Some((pair.clone(), true)));
    writes(pair.rsp.clone(), Some((pair, false)));
}

/// What an option does with the file that it names; nothing for one that names none.
fn use_of(arg: &Arg) -> Option<FileUse> {
    let found = FILES.iter().find(|(id, _)| arg.get_id() == id).map(|(_, what)| *what);
    found.filter(|_| names_a_file(arg))
}

/// True for an option whose value is a path, or is called FILE, STEM or DIR in its help.
fn names_a_file(arg: &Arg) -> bool {
    let word = |word: &str| ["FILE", "STEM", "DIR", "PATH"].contains(&word);
    let called = |name: &str| name.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(word);
    let path = arg.get_value_parser().type_id() == std::any::TypeId::of::<PathBuf>();
    arg.get_action().takes_values() && (path || arg.get_value_names().into_iter().flatten().any(|name| called(name)))
}

/// A file as the system knows it, whatever its name and the links to it.
#[derive(PartialEq, Eq)]
struct FileId(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl FileId {
    /// Nothing where there is no such file.
    fn of(path: &Path) -> Option<FileId> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            std::fs::metadata(path).ok().map(|file| FileId((file.dev(), file.ino())))
        }
        #[cfg(not(unix))]
        std::fs::canonicalize(path).ok().map(FileId)
    }
}

/// True where two outputs are one file, which need not be there: links are followed to where they lead, and folders are what the system knows
/// them as.
pub fn same_place(a: &Path, b: &Path) -> bool {
    match (FileId::of(a), FileId::of(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => {
            let [a, b] = [a, b].map(followed);
            let folder = |path: &Path| match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) => folder.to_path_buf(),
                None => PathBuf::from("."),
            };
            let folders = match (FileId::of(&folder(&a)), FileId::of(&folder(&b))) {
                (Some(a), Some(b)) => a == b,
                // Nothing can be written there.
                (None, None) => folder(&a) == folder(&b),
                _ => false,
            };
            folders && a.file_name() == b.file_name()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::bench::BenchArgs;

    /// Words that are no files, of options whose values are text.
    const WORDS: &[&str] =
        &["adapter", "epoch", "error_column", "extension", "rate_column", "time", "time_column", "weights", "workload"];

    /// Commands, with those that are in them, below the names that lead to them.
    fn all(above: &[String], command: &Command, found: &mut Vec<(Vec<String>, Command)>) {
        let path = [above, &[command.get_name().to_string()]].concat();
        command.get_subcommands().filter(|one| one.get_name() != "help").for_each(|one| all(&path, one, found));
        found.push((path, command.clone()));
    }

    /// A program, and its commands with their names.
    type Program = (Command, Vec<(Vec<String>, Command)>);

    /// Both programs, and all of their commands.
    fn programs() -> Vec<Program> {
        let of = |mut program: Command| {
            program.build();
            let mut commands = Vec::new();
            all(&[], &program, &mut commands);
            (program, commands)
        };
        vec![of(crate::commands::command()), of(BenchArgs::command())]
    }

    #[test]
    fn every_option_that_names_a_file_is_in_the_register() {
        let mut used = Vec::new();
        for (path, command) in programs().iter().flat_map(|(_, commands)| commands) {
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
                let id = arg.get_id().to_string();
                let text = arg.get_value_parser().type_id() == std::any::TypeId::of::<String>();
                if names_a_file(arg) {
                    assert!(use_of(arg).is_some(), "{path:?} --{id}: say in FILES whether it is read or written");
                    used.push(id);
                } else {
                    assert!(!text || WORDS.contains(&&*id), "{path:?} --{id}: a file for FILES, or a word?");
                }
            }
        }
        FILES.iter().for_each(|(id, _)| assert!(used.iter().any(|one| one == id), "{id} is listed in vain"));
    }

    /// The options of a command with a use, as the user writes them.
    fn options(command: &Command, wanted: &[FileUse]) -> Vec<(Arg, FileUse)> {
        let of = |arg: &Arg| use_of(arg).filter(|what| wanted.contains(what)).map(|what| (arg.clone(), what));
        command.get_arguments().filter_map(of).collect()
    }

    /// What the register says of a line, whatever else is missing in it.
    fn judged(program: &Command, path: &[String], line: &[(&Arg, &str)]) -> Result<()> {
        let mut words = path.to_vec();
        for (arg, value) in line {
            words.extend(arg.get_long().map(|name| format!("--{name}")));
            words.push(value.to_string());
            // Where two or more are needed.
            words.extend(arg.is_positional().then(|| "further".to_string()).filter(|_| arg.get_id() == "products"));
        }
        let matches = program.clone().ignore_errors(true).try_get_matches_from(&words);
        check(program, &matches.unwrap_or_else(|e| panic!("{words:?}: {e}")))
    }

    #[cfg(unix)]
    #[test]
    fn no_output_of_any_command_is_an_input() {
        use FileUse::{Read, ReadExtension, ReadWithLists, Written, WrittenForXspec, WrittenTable};
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).display().to_string();
        let (input, link, hard, list) = (name("a.pha"), name("link.pha"), name("hard.pha"), name("list.pha"));
        std::fs::write(&input, "a").unwrap();
        std::fs::write(&list, format!("# files\n{input}\n")).unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        std::fs::hard_link(&input, &hard).unwrap();
        let mut pairs = 0;
        for (program, commands) in programs() {
            for (path, command) in &commands {
                for (reads, how) in options(command, &[Read, ReadWithLists, ReadExtension]) {
                    for (writes, _) in options(command, &[Written, WrittenTable, WrittenForXspec]) {
                        let mut cases = vec![(input.clone(), &input), (input.clone(), &link), (hard.clone(), &input)];
                        match how {
                            ReadWithLists => cases.extend([(format!("@{list}"), &list), (format!("@{list}"), &hard)]),
                            ReadExtension => cases.push((format!("{input}[GTI]"), &input)),
                            _ => {}
                        }
                        for (read, written) in cases {
                            let judged = |to: &str| judged(&program, path, &[(&reads, &read), (&writes, to)]);
                            let refused = judged(written).expect_err(&format!("{path:?} {reads} {read} {writes}"));
                            assert!(refused.to_string().contains("would be lost"), "{refused}");
                            let other = judged(&name("b.pha"));
                            assert!(other.is_ok(), "{path:?} {reads} {read} {writes}: {}", other.unwrap_err());
                            pairs += 1;
                        }
                    }
                }
            }
        }
        assert!(pairs > 200, "{pairs}");
    }

    #[test]
    fn no_two_outputs_are_one_file() {
        let (program, _) = programs().remove(0);
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).display().to_string();
        let judged = |line: &[&str]| {
            let words = [&["eagleray"], line].concat();
            check(&program, &program.clone().ignore_errors(true).try_get_matches_from(words).unwrap())
        };
        let (svg, again) = (name("a.svg"), name("./a.svg"));
        let refused = judged(&["fold", "x", "--plot", &svg, "--phaseogram", &again]).unwrap_err();
        assert!(refused.to_string().contains("what --plot writes, too"), "{refused}");
        assert!(judged(&["pds", "x", "-o", &svg, "--profile", &again]).is_err());
        // The same two files, by either option.
        assert!(judged(&["pds", "x", "-o", &name("e.pha"), "--xspec", &name("e")]).is_ok());
        assert!(judged(&["pds", "x", "-o", "-", "--profile", "-"]).is_ok());
        // Names that the program derives.
        for (stem, other) in [("q", "q.pha"), ("q", "q.rsp"), ("q.pha", "q.rsp"), ("q", "./q.pha")] {
            for (option, more) in [("--profile", "--plot"), ("--plot", "--profile")] {
                let line = ["pds", "x", "--xspec", &name(stem), option, &name(other), more, "y.svg"];
                let refused = judged(&line).expect_err(&format!("{line:?}")).to_string();
                assert!(refused.contains("writes, too") && refused.contains("xspec"), "{refused}");
                assert!(judged(&["pds", "x", "-o", &name("q.pha"), option, &name(other)]).is_err(), "{option} {other}");
            }
        }
        assert!(judged(&["pds", "x", "--xspec", &name("q"), "--profile", &name("p.pha")]).is_ok());
        assert!(judged(&["pds", "x", "-o", &name("q.pha"), "--xspec", &name("p")]).is_ok());
    }

    #[test]
    fn pages_of_folders_are_outputs() {
        let (program, _) = programs().remove(1);
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join(PAGE).display().to_string();
        let line = ["gpu-bench", "--report", &folder.path().display().to_string(), "--json", &page];
        let matches = program.clone().ignore_errors(true).try_get_matches_from(line).unwrap();
        assert!(check(&program, &matches).unwrap_err().to_string().contains("writes, too"));
    }

    /// Links to files that are not there, in chains, from other folders, and through folders that are links.
    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_yet_lead_to_one_file() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("far")).unwrap();
        symlink("yy.svg", at("xx.svg")).unwrap();
        symlink("xx.svg", at("ww.svg")).unwrap();
        symlink("far", at("near")).unwrap();
        symlink("far/zz.svg", at("vv.svg")).unwrap();
        symlink("../yy.svg", at("far/up.svg")).unwrap();
        for (a, b) in [
            ("xx.svg", "yy.svg"),
            ("ww.svg", "yy.svg"),
            ("ww.svg", "xx.svg"),
            ("vv.svg", "near/zz.svg"),
            ("near/up.svg", "yy.svg"),
        ] {
            assert!(same_place(&at(a), &at(b)) && same_place(&at(b), &at(a)), "{a} {b}");
        }
        for (a, b) in [("xx.svg", "zz.svg"), ("vv.svg", "zz.svg"), ("none/a.svg", "other/a.svg")] {
            assert!(!same_place(&at(a), &at(b)), "{a} {b}");
        }
    }
}
