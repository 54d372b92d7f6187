//! What errors and warnings say: fields by their names in the library, never options of a program, which has names of its own.

use std::path::{Path, PathBuf};

use eagleray::error::{BackendError, Mend};
use eagleray::{Error, Warning, Warnings};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The string literals of a source text, each with its line; comments have none.
fn literals(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let hashes = rest[1.min(rest.len())..].chars().take_while(|c| *c == '#').count();
        let raw = c == 'r' && rest[1 + hashes..].starts_with('"') && !text[..at].ends_with(char::is_alphanumeric);
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if raw || c == '"' {
            let (open, close) = if raw { (2 + hashes, format!("\"{}", "#".repeat(hashes))) } else { (1, "\"".into()) };
            let mut end = open;
            while !rest[end..].starts_with(&close) {
                end += match (raw, rest[end..].chars().next().unwrap()) {
                    (false, '\\') => 1 + rest[end + 1..].chars().next().unwrap().len_utf8(),
                    (_, c) => c.len_utf8(),
                };
            }
            found.push((text[..at].matches('\n').count() + 1, &rest[open..end]));
            end + close.len()
        } else if rest.starts_with("'\\") {
            // A character, whatever it is; lifetimes have no backslash.
            3 + rest[3..].find('\'').unwrap() + 1
        } else if c == '\'' && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(end, _)| end)
        } else {
            c.len_utf8()
        };
    }
    found
}

/// Words of a literal that look like options.
fn options(literal: &str) -> Vec<&str> {
    let words = literal.split(|c: char| c.is_whitespace() || "`'\"(),;=".contains(c));
    words
        .filter(|word| word.strip_prefix("--").is_some_and(|w| w.starts_with(|c: char| c.is_ascii_lowercase())))
        .collect()
}

#[test]
fn no_message_of_the_library_names_an_option() {
    let text =
        "// \"--a\"\nlet a = 'x'; f(\"say \\\" --b\", r#\"--c \"d\"\"#, '\"', \"e\\\n  f --g-h\", b'\\'', \"a--b\");";
    let found = literals(text).into_iter().map(|(line, literal)| (line, options(literal)));
    let found: Vec<_> = found.filter(|(_, options)| !options.is_empty()).collect();
    assert_eq!(found, [(2, vec!["--b"]), (2, vec!["--c"]), (2, vec!["--g-h"])]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = Vec::new();
    for path in sources(&root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = literals(&text).into_iter().filter(|(_, literal)| !options(literal).is_empty());
        named.extend(lines.map(|(line, literal)| format!("{}:{line}: {literal}", path.display())));
    }
    assert!(named.is_empty(), "options in messages of the library:\n{}", named.join("\n"));
}

/// What makes errors and settings of a field.
const NAMING: [&str; 7] = ["argument(", "refuse(", "check(", "values(", "Mend::field(", "Mend::set(", ".and("];

/// Keywords of ephemeris files, which errors of these name.
const KEYWORDS: [&str; 3] = ["A1", "ECC", "PB"];

/// A user of the library finds what an error names: it is a field, a setter or a parameter of what is public.
#[test]
fn fields_of_errors_and_settings_are_of_the_public_surface() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let surface = std::fs::read_to_string(root.join("docs/public-surface.txt")).unwrap();
    let is_public = |field: &str| {
        let last = field.rsplit('.').next().unwrap_or(field);
        let said = [format!("::{last}: "), format!("::{last}("), format!("({last}: "), format!(", {last}: ")];
        surface.lines().any(|line| said.iter().any(|said| line.contains(said.as_str())))
    };
    assert!(is_public("segment_size") && is_public("time.rebin") && !is_public("par") && !is_public("compat"));
    let (mut unknown, mut seen) = (Vec::new(), 0);
    for path in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, call) in NAMING.iter().flat_map(|call| code.match_indices(call)) {
            let Some(rest) = code[at + call.len()..].trim_start().strip_prefix('"') else { continue };
            let field = rest.split('"').next().unwrap_or_default();
            // Closures of these names that take no field begin with their message.
            if field.contains(' ') || KEYWORDS.contains(&field) {
                continue;
            }
            seen += 1;
            if !is_public(field) {
                unknown.push(format!("{}: {field}", path.display()));
            }
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(unknown.is_empty(), "no field, setter or parameter of the public surface:\n{}", unknown.join("\n"));
}

#[test]
fn errors_have_a_field_a_reason_and_what_mends_them() {
    let error = Error::argument("segment_size", 3, "is too long")
        .mended_by([Mend::field("dt"), Mend::set("backend", "cpu").and("precision", "double").doing("in double")]);
    assert_eq!(error.field(), Some(("segment_size", "3".into())));
    assert_eq!(error.reason(), "is too long");
    let text = "segment_size = 3: is too long; what mends it: dt, backend = cpu with precision = double (in double)";
    assert_eq!(error.to_string(), text);
    let error = Error::NoSegments { segment_size: 20.0, longest: 13.35, largest: 13.3, dt: 0.1 };
    assert_eq!(
        error.to_string(),
        "segment_size = 20: longer than every good time interval: the longest lasts 13.35 s; what mends it: segment_size = \
         13.3 (the longest of whole bins of 0.1 s)"
    );
    let error = Error::NoSegments { segment_size: 8e9, longest: 3500.0, largest: 0.0, dt: 1e9 };
    assert_eq!(
        error.to_string(),
        "dt = 1000000000: too long: the longest good time interval lasts 3500 s, and a segment has at least 3 bins; what \
         mends it: dt = 437.5 (makes 8 bins)"
    );
    let error = Error::from(BackendError::UnsupportedLength { n: 7, largest: 4 });
    assert!(error.field().is_none() && error.mend().contains(&Mend::set("backend", "cpu")), "{error}");
    assert!(BackendError::DeviceLost("gone".into()).mend().is_empty());
}

#[test]
fn warnings_are_counted_and_recorded_without_what_mends_them() {
    let mut warnings = Warnings::default();
    let warning = || Warning::new("W-COST", "much").mended_by([Mend::field("dt")]);
    warnings.record(warning());
    warnings.record(warning());
    warnings.push("W-OTHER", "more");
    let all: Vec<&Warning> = warnings.iter().collect();
    assert_eq!(all[0].to_string(), "W-COST: much; what mends it: dt (2 times)");
    assert_eq!(all[1].to_string(), "W-OTHER: more");
    let recorded = serde_json::to_value(&warnings).unwrap();
    assert_eq!(recorded[0], serde_json::json!({ "code": "W-COST", "message": "much", "count": 2 }));
    let error = Error::Strict(warning());
    assert_eq!(error.reason(), "W-COST: much (warnings are errors)");
    assert_eq!(error.mend(), [Mend::field("dt"), Mend::set("strict", false)]);
}
