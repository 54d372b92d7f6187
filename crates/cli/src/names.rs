//! Errors and warnings in the words of the command line: the library's fields become the options that set them. Nothing else knows
//! which option sets a field.

use std::sync::OnceLock;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use crate::terminal::plain_lines;
use eagleray::error::{Mend, Setting};
use eagleray::{Error, Warning};

/// Fields whose options are not called like them, with those options: of several that a command has, the one that was given, else the first.
const OTHER_OPTIONS: &[(&str, &[&str])] = &[
    ("compat_stingray", &["compat"]),
    ("detectors", &["detector", "exclude-detector"]),
    ("energies", &["energies", "channels", "energies-pi"]),
    ("ephemeris", &["par"]),
    ("f0", &["shift-add"]),
    ("files", &["files", "products"]),
    ("inputs", &["files"]),
    ("length", &["length", "toa-length"]),
    ("light_curves", &["files"]),
    ("lo", &["trace"]),
    ("max_freq", &["max-freq", "freq"]),
    ("parts", &["products"]),
    ("path", &["output"]),
    ("tier", &["gpu-profile"]),
    ("rebin.Geometric", &["rebin-log"]),
    ("reference", &["ref", "ref-pi"]),
    ("response", &["rmf"]),
    ("rows", &["phaseogram-rows"]),
    ("series", &["files"]),
    ("stem", &["xspec"]),
    ("subjects", &["energies", "energies-pi"]),
    ("time.rebin", &["rebin-time"]),
    ("time.rebin.Geometric", &["rebin-time-log"]),
];

/// Values of fields that have an option of their own.
const OPTIONS_OF_VALUES: &[(&str, &str, &str)] = &[("gti", "span", "no-gti")];

/// An option or an argument of a command.
struct CommandOption {
    /// Without hyphens in front; of an argument, what the program calls it.
    name: String,
    shown: String,
    takes_value: bool,
    /// What the user wrote for it; empty where nothing.
    typed: String,
}

/// The options of one command.
#[derive(Default)]
pub struct OptionNames {
    options: Vec<CommandOption>,
}

/// What to do about a setting.
enum Advice {
    Use(String),
    LeaveOut(String),
}

impl OptionNames {
    /// Those of a command, with what the user wrote for them.
    pub fn of(command: &Command, matches: Option<&ArgMatches>) -> OptionNames {
        let mut options = Vec::new();
        let typed = |id: &str| {
            let written = |m: &&ArgMatches| m.value_source(id) == Some(ValueSource::CommandLine);
            let values = matches.filter(written).and_then(|m| m.get_raw(id)).into_iter().flatten();
            values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        for arg in command.get_arguments() {
            let takes_value = arg.get_action().takes_values();
            let typed = if takes_value { typed(arg.get_id().as_str()) } else { String::new() };
            if arg.is_positional() {
                let shown = arg.get_value_names().and_then(|names| names.first()).map_or(arg.get_id().as_str(), |n| n);
                let (name, typed) = (arg.get_id().to_string(), typed.clone());
                options.push(CommandOption { name, shown: shown.into(), takes_value, typed });
            }
            for name in arg.get_long_and_visible_aliases().unwrap_or_default() {
                options.push(CommandOption {
                    name: name.into(),
                    shown: format!("--{}", arg.get_long().unwrap_or(name)),
                    takes_value,
                    typed: typed.clone(),
                });
            }
        }
        OptionNames { options }
    }

    fn named(&self, name: &str) -> Option<&CommandOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The option that sets a field, where the command has one.
    fn find(&self, field: &str) -> Option<&CommandOption> {
        match OTHER_OPTIONS.iter().find(|(other, _)| *other == field) {
            Some((_, names)) => {
                let of = || names.iter().filter_map(|name| self.named(name));
                of().find(|option| !option.typed.is_empty()).or_else(|| of().next())
            }
            None => self.named(field).or_else(|| self.named(&field.replace(['_', '.'], "-"))),
        }
    }

    /// What to do for a setting, where the command can.
    fn advice(&self, setting: &Setting) -> Option<Advice> {
        let value = setting.value.as_deref();
        let own = OPTIONS_OF_VALUES.iter().find(|(field, of, _)| *field == setting.field && Some(*of) == value);
        if let Some((_, _, name)) = own {
            return self.named(name).map(|option| Advice::Use(option.shown.clone()));
        }
        let CommandOption { shown, takes_value, .. } = self.find(setting.field)?;
        Some(match value {
            Some("false") if !takes_value => Advice::LeaveOut(shown.clone()),
            Some(value) if *takes_value => Advice::Use(format!("{shown} {value}")),
            _ => Advice::Use(shown.clone()),
        })
    }

    /// What mends a message, as its end; only what the command can do.
    fn ending(&self, mend: &[Mend]) -> String {
        let (mut uses, mut left_out) = (Vec::new(), Vec::new());
        for one in mend {
            let Some(advice) = one.settings.iter().map(|setting| self.advice(setting)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let effect = one.effect.as_ref().map_or(String::new(), |effect| format!(" ({effect})"));
            match &advice[..] {
                [Advice::LeaveOut(option)] => left_out.push(format!("{option}{effect}")),
                several => {
                    let used = several.iter().filter_map(|advice| match advice {
                        Advice::Use(option) => Some(option.as_str()),
                        Advice::LeaveOut(_) => None,
                    });
                    uses.push(format!("{}{effect}", used.collect::<Vec<_>>().join(" ")));
                }
            }
        }
        match (uses.is_empty(), left_out.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("; use {}", either(&uses)),
            (true, false) => format!("; leave out {}", either(&left_out)),
            (false, false) => format!("; use {}, or leave out {}", either(&uses), either(&left_out)),
        }
    }

    /// An error.
    pub fn error(&self, error: &Error) -> String {
        let head = error.field().map_or(String::new(), |(field, value)| {
            let option = self.find(field);
            let name = option.map_or(field, |option| &option.shown);
            let value = if value.is_empty() { option.map_or("", |option| &option.typed) } else { &value };
            if value.is_empty() { format!("{name}: ") } else { format!("{name} = {value}: ") }
        });
        plain_lines(&format!("{head}{}{}", error.reason(), self.ending(&error.mend())))
    }

    /// A warning.
    pub fn warning(&self, warning: &Warning) -> String {
        plain_lines(&format!("{}{}{}", warning.reason(), self.ending(&warning.mend), warning.times()))
    }
}

/// `a, b or c`.
fn either(words: &[String]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

/// The command that runs.
static RUNNING: OnceLock<OptionNames> = OnceLock::new();

/// Fields get the names of a program's options from now on: of the command that `matches` found. The first call counts.
pub fn speak_as(program: &Command, matches: Option<&ArgMatches>) {
    let (mut command, mut matches) = (program, matches);
    while let Some((found, deeper)) =
        matches.and_then(ArgMatches::subcommand).and_then(|(name, rest)| Some((command.find_subcommand(name)?, rest)))
    {
        (command, matches) = (found, Some(deeper));
    }
    RUNNING.get_or_init(|| OptionNames::of(command, matches));
}

/// An error in the words of the command that runs; of the library where none does.
pub fn error_text(error: &Error) -> String {
    RUNNING.get().map_or_else(|| plain_lines(&error.to_string()), |names| names.error(error))
}

/// A warning, likewise.
pub fn warning_text(warning: &Warning) -> String {
    RUNNING.get().map_or_else(|| plain_lines(&warning.to_string()), |names| names.warning(warning))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;

    /// Functions and closures whose first argument is a field.
    const CALLS: [&str; 7] = ["argument(", "refuse(", "check(", "values(", "Mend::field(", "Mend::set(", ".and("];

    /// What only callers of the library can give, and what files hold.
    const WITHOUT_OPTION: &[&str] =
        &["A1", "ECC", "PB", "bin", "dead", "exposure", "good", "rate_err", "samples", "segments", "units"];

    /// Commands with those that are in them.
    fn all_names() -> Vec<OptionNames> {
        let mut waiting = vec![crate::commands::command(), crate::bench::BenchArgs::command()];
        let mut all = Vec::new();
        while let Some(mut command) = waiting.pop() {
            command.build();
            waiting.extend(command.get_subcommands().cloned());
            all.push(OptionNames::of(&command, None));
        }
        all
    }

    fn fields_in(folder: &Path, fields: &mut BTreeSet<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                fields_in(&entry, fields);
                continue;
            }
            let text = std::fs::read_to_string(&entry).unwrap();
            for (at, list) in text.match_indices("less_by(&[") {
                let names = text[at + list.len()..].split(']').next().unwrap_or_default();
                let names = names.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
                fields.extend(names.map(|name| (name.to_string(), entry.display().to_string())));
            }
            for call in CALLS {
                for (at, _) in text.match_indices(call) {
                    if let Some(rest) = text[at + call.len()..].trim_start().strip_prefix('"') {
                        let field = rest.split('"').next().unwrap_or_default();
                        // Closures of these names that take no field begin with their message.
                        if !field.contains(' ') {
                            fields.insert((field.to_string(), entry.display().to_string()));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_field_of_the_library_has_an_option() {
        let all = all_names();
        let known = |field: &str| all.iter().any(|names| names.find(field).is_some());
        let mut fields = BTreeSet::new();
        fields_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src"), &mut fields);
        assert!(fields.iter().any(|(field, _)| field == "segment_size") && fields.len() > 50, "{fields:?}");
        for (field, file) in &fields {
            let without = WITHOUT_OPTION.contains(&field.as_str());
            assert!(without != known(field), "{file}: {field}: has no option, or is listed although it has one");
        }
        let used = |field: &str| fields.iter().any(|(one, _)| one == field);
        WITHOUT_OPTION.iter().for_each(|field| assert!(used(field), "{field} is listed in vain"));
        for (field, names) in OTHER_OPTIONS {
            assert!(used(field), "{field} is listed in vain");
            assert!(names.iter().all(|name| all.iter().any(|names| names.named(name).is_some())), "{field}");
        }
        for (field, _, name) in OPTIONS_OF_VALUES {
            assert!(used(field) && all.iter().any(|names| names.named(name).is_some()), "{field}");
        }
    }

    #[test]
    fn messages_have_the_options_of_their_command() {
        let command = crate::commands::command();
        let of = |name: &str| OptionNames::of(command.find_subcommand(name).unwrap(), None);
        let pds = of("pds");
        let error = Error::argument("segment_size", 3, "is too long").mended_by([
            Mend::set("backend", "cpu").and("precision", "double"),
            Mend::set("gti", "span").doing("all of it"),
            Mend::field("time.rebin"),
            Mend::set("overwrite", true),
            Mend::set("strict", false),
        ]);
        assert_eq!(
            pds.error(&error),
            "--segment-size = 3: is too long; use --backend cpu --precision double, --no-gti (all of it) or --overwrite, or \
             leave out --strict"
        );
        assert_eq!(of("dyn").error(&Error::argument("time.rebin", 0, "no")), "--rebin-time = 0: no");
        assert_eq!(of("fold").error(&Error::argument("freq", 0, "no")), "--f = 0: no");
        assert_eq!(of("ls").error(&Error::argument("max_freq", 0, "no")), "--freq = 0: no");
        assert_eq!(of("bispectrum").error(&Error::argument("max_freq", 0, "no")), "--max-freq = 0: no");
        assert_eq!(pds.error(&Error::argument("files", "a", "no")), "FILE = a: no");
        assert_eq!(pds.error(&Error::argument("f0", 1, "no")), "f0 = 1: no");
        let line = ["eagleray", "pds", "a.fits", "--energy", "3:10", "--dt", "1", "--segment-size", "8", "--json"];
        let matches = command.clone().get_matches_from(line);
        let (name, own) = matches.subcommand().unwrap();
        let typed = OptionNames::of(command.find_subcommand(name).unwrap(), Some(own));
        assert_eq!(typed.error(&Error::argument("energy", "", "no")), "--energy = 3:10: no");
        assert_eq!(typed.error(&Error::argument("json", "", "no")), "--json: no");
        assert_eq!(typed.error(&Error::argument("norm", "", "no")), "--norm: no");
        let warning = Warning::new("W-COST", "much").mended_by([Mend::set("use_common_mean", false)]);
        assert_eq!(pds.warning(&warning), "W-COST: much; use --use-common-mean false");
        assert_eq!(
            pds.error(&Error::Strict(Warning::new("W-A", "b"))),
            "W-A: b (warnings are errors); leave out --strict"
        );
    }
}
