//! No files of the library use each other in a circle: each can be read, and tested, with those that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::rooms::sources;

/// Words and signs of a source with the lines where they stand, without comments, literals and lifetimes; `::` is one sign.
fn tokens(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let quoted = |text: &str| {
            let mut escaped = false;
            let end = text[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |end| end + 2)
        };
        let hashes = rest[c.len_utf8()..].chars().take_while(|c| *c == '#').count();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == 'r' && rest[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            rest[2 + hashes..].find(&end).map_or(rest.len(), |from| 2 + hashes + from + end.len())
        } else if c == '"' {
            quoted(rest)
        } else if c == '\'' {
            let escape = rest[1..].starts_with('\\');
            match rest[1 + 2 * usize::from(escape)..].find('\'') {
                Some(end) if escape || rest[1..].chars().next().is_some_and(|c| c.len_utf8() == end) => {
                    end + 2 + 2 * usize::from(escape)
                }
                _ => 1 + rest[1..].find(|c| !word(c)).unwrap_or(0),
            }
        } else if word(c) {
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            found.push((line, &rest[..length]));
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { c.len_utf8() };
            if !c.is_whitespace() {
                found.push((line, &rest[..length]));
            }
            length
        };
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// A file as a module: what it defines, what its `use` lines name, and the paths in its code, with their lines. Modules inside it, as
/// its tests, are left out.
#[derive(Default)]
struct Module<'a> {
    defines: BTreeSet<&'a str>,
    /// Alias, path, whether others see it, line; the alias of all names is `*`.
    uses: Vec<(&'a str, Vec<&'a str>, bool, usize)>,
    named: Vec<(usize, Vec<&'a str>)>,
}

/// Aliases and paths of a `use` that begins with `before`, to its `;` or the end of its group.
fn leaves<'a>(tokens: &mut &[(usize, &'a str)], before: &[&'a str], found: &mut Vec<(&'a str, Vec<&'a str>, usize)>) {
    let (mut path, mut alias, mut line) = (before.to_vec(), None, 0);
    let mut group = false;
    while let Some(((at, token), rest)) = tokens.split_first() {
        match *token {
            "{" => {
                *tokens = rest;
                leaves(tokens, &path, found);
                group = true;
                continue;
            }
            "," | "}" | ";" => {
                if !group && path.len() > before.len() {
                    if path.last() == Some(&"self") && path.len() > 1 {
                        path.pop();
                    }
                    found.push((alias.unwrap_or(path[path.len() - 1]), path, line));
                }
                *tokens = rest;
                if *token != "," {
                    return;
                }
                (path, alias, group) = (before.to_vec(), None, false);
                continue;
            }
            "as" => alias = rest.first().map(|(_, name)| *name),
            "::" => {}
            name if alias.is_none() => {
                path.push(name);
                line = *at;
            }
            _ => {}
        }
        *tokens = rest;
    }
}

impl<'a> Module<'a> {
    fn read(text: &'a str) -> Module<'a> {
        const ITEMS: [&str; 8] = ["struct", "enum", "trait", "type", "const", "static", "fn", "macro_rules"];
        let all = tokens(text);
        let mut rest = &all[..];
        let mut module = Module::default();
        // Braces of a macro that stands among items may hold items, too.
        let (mut depth, mut items, mut before) = (0_usize, 0, "");
        while let Some(((line, token), behind)) = rest.split_first() {
            let next = |n: usize| behind.get(n).map_or("", |(_, token)| *token);
            match *token {
                "{" => {
                    if depth == items && before == "!" {
                        items += 1;
                    }
                    depth += 1;
                }
                "}" => {
                    depth = depth.saturating_sub(1);
                    items = items.min(depth);
                }
                "mod" if next(1) == "{" => {
                    let mut inner = 0;
                    let end = behind.iter().position(|(_, token)| {
                        inner += i32::from(*token == "{") - i32::from(*token == "}");
                        inner == 0 && *token == "}"
                    });
                    rest = &behind[end.map_or(behind.len(), |end| end + 1)..];
                    continue;
                }
                "use" => {
                    let mut found = Vec::new();
                    rest = behind;
                    leaves(&mut rest, &[], &mut found);
                    let shown = matches!(before, "pub" | ")");
                    module.uses.extend(found.into_iter().map(|(alias, path, line)| (alias, path, shown, line)));
                    before = ";";
                    continue;
                }
                "mod" => {
                    rest = &behind[1..];
                    continue;
                }
                item if ITEMS.contains(&item) && before != "*" && !matches!(next(0), "fn" | "(" | "{") => {
                    let name = usize::from(matches!(next(0), "!" | "mut"));
                    if depth == items {
                        module.defines.insert(next(name));
                    }
                    rest = &behind[(name + 1).min(behind.len())..];
                    before = next(name);
                    continue;
                }
                word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    let mut path = vec![word];
                    let mut behind = behind;
                    while let [(_, "::"), (_, name), ..] = behind {
                        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                            break;
                        }
                        path.push(name);
                        behind = &behind[2..];
                    }
                    // Neither a field of a value nor the name of one.
                    let field = path.len() == 1 && behind.first().is_some_and(|(_, token)| *token == ":");
                    if !matches!(before, "." | "::") && !field {
                        module.named.push((*line, path));
                    }
                    before = word;
                    rest = behind;
                    continue;
                }
                _ => {}
            }
            before = token;
            rest = behind;
        }
        module
    }
}

/// The modules by their paths.
type Modules<'a> = BTreeMap<Vec<&'a str>, (&'a str, Module<'a>)>;

/// The module in whose file the item stands that a path from a module leads to.
fn home<'a>(modules: &Modules<'a>, from: &[&'a str], path: &[&'a str], depth: usize) -> Option<Vec<&'a str>> {
    let (mut at, mut path) = (from.to_vec(), path);
    while let Some((first, rest)) = path.split_first() {
        let (_, module) = modules.get(&at)?;
        let start = at == from;
        match *first {
            "crate" => at = Vec::new(),
            "self" => {}
            "super" => {
                at.pop();
            }
            name => {
                if module.defines.contains(name) {
                    return Some(at);
                }
                let child = [&at[..], &[name]].concat();
                if modules.contains_key(&child) {
                    at = child;
                } else if depth < 8 {
                    let through = |(alias, target, shown, _): &(&'a str, Vec<&'a str>, bool, usize)| {
                        // All names of a module here, not of others' crates.
                        let all = *alias == "*" && matches!(target[0], "crate" | "self" | "super");
                        let full =
                            if all { [&target[..target.len() - 1], path].concat() } else { [target, rest].concat() };
                        let fits = (all || *alias == name) && (*shown || start || from.starts_with(&at));
                        if fits && full != path { home(modules, &at, &full, depth + 1) } else { None }
                    };
                    return module.uses.iter().find_map(through);
                } else {
                    return None;
                }
            }
        }
        path = rest;
    }
    None
}

/// Circles of files that use what others of them define: the files of each, and the lines where they do.
fn circles(sources: &[(String, String)]) -> Vec<(Vec<&str>, String)> {
    let mut modules = Modules::new();
    for (file, text) in sources {
        let path = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').filter(|part| *part != "lib");
        modules.insert(path.collect(), (file, Module::read(text)));
    }
    let texts: BTreeMap<&str, &str> = sources.iter().map(|(file, text)| (&**file, &**text)).collect();
    // The first line of each file that uses what another defines.
    let mut edges: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (path, (file, module)) in &modules {
        // What is handed on to others is no use of it here; the root hands on everything.
        let uses = module.uses.iter().filter(|(.., shown, _)| !shown).map(|(_, path, _, line)| (line, path));
        for (line, named) in uses.chain(module.named.iter().map(|(line, named)| (line, named))) {
            let Some((used, _)) = home(&modules, path, named, 0).map(|home| &modules[&home]) else { continue };
            if used != file && *file != "lib.rs" {
                let first = edges.entry(file).or_default().entry(used).or_insert(*line);
                *first = (*line).min(*first);
            }
        }
    }
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for from in edges.keys() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*from]);
        while let Some(file) = open.pop() {
            open.extend(edges.get(file).into_iter().flat_map(BTreeMap::keys).filter(|next| seen.insert(**next)));
        }
        reached.insert(from, seen);
    }
    let mut found = Vec::new();
    for (file, seen) in &reached {
        let back = |other: &&str| reached.get(other).is_some_and(|seen| seen.contains(file));
        let circle: Vec<&str> = seen.iter().copied().filter(back).collect();
        if circle.first() != Some(file) {
            continue;
        }
        let mut lines = String::new();
        for (from, to, line) in
            circle.iter().flat_map(|from| edges[from].iter().map(move |(to, line)| (from, to, line)))
        {
            if circle.contains(to) {
                let said = texts[from].lines().nth(line - 1).unwrap_or_default().trim();
                writeln!(lines, "    src/{from}:{line} uses {to}: {said}").unwrap();
            }
        }
        found.push((circle, lines));
    }
    found
}

/// Files that use each other in a circle, and why they may.
const CIRCLES: [(&[&str], &str); 0] = [];

#[test]
fn no_files_use_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let read = |path: PathBuf| (name(&path), std::fs::read_to_string(&path).unwrap());
    // Files of tests may use what they test.
    let all: Vec<_> = sources(&root).into_iter().filter(|path| !path.ends_with("tests.rs")).map(read).collect();
    let found = circles(&all);
    let may = |files: &[&str]| CIRCLES.iter().any(|(known, _)| *known == files);
    let wrong = found.iter().filter(|(files, _)| !may(files));
    let lines: String = wrong.map(|(files, lines)| format!("{}:\n{lines}", files.join(", "))).collect();
    assert!(lines.is_empty(), "files that use each other in a circle:\n{lines}");
    for (files, _) in CIRCLES {
        assert!(
            found.iter().any(|(circle, _)| circle == files),
            "no circle any more, take it out of CIRCLES: {files:?}"
        );
    }
}

#[test]
fn a_circle_is_found() {
    let source = |file: &str, text: &str| (file.to_string(), text.to_string());
    let of = |b: &str| {
        let all = [
            source("lib.rs", "pub mod data;\npub use data::{First, Second};\n"),
            source(
                "data/mod.rs",
                "mod a;\nmod b;\npub use a::First;\npub use b::{Second, make as made};\nmod tests {\n    use super::b::Second;\n}\n",
            ),
            source("data/a.rs", "// See super::b.\nuse crate::base::time;\n\npub struct First(super::Second);\n"),
            source("data/b.rs", b),
            source("base/time.rs", "pub struct First;\n"),
        ];
        circles(&all).iter().map(|(files, lines)| format!("{files:?}\n{lines}")).collect::<String>()
    };
    let both = "[\"data/a.rs\", \"data/b.rs\"]\n    src/data/a.rs:4 uses data/b.rs: pub struct First(super::Second);\n    src/data/b.rs:";
    for (used, line) in [
        ("use super::{\n    First,\n};\npub struct Second;\n", "2 uses data/a.rs: First,\n"),
        ("pub struct Second;\nfn f(_: crate::data::First) {}\n", "2 uses data/a.rs: fn f(_: crate::data::First) {}\n"),
        (
            "made! { struct Second }\nuse super::a;\nfn f() { g!(a::First) }\n",
            "3 uses data/a.rs: fn f() { g!(a::First) }\n",
        ),
    ] {
        assert_eq!(of(used), format!("{both}{line}"));
    }
    for apart in [
        "pub struct Second;\n/// super::First\nfn f() -> &'static str { \"super::First\" }\n",
        "pub struct Second;\nuse crate::base::time::First;\nfn f(_: First) {}\n",
        "pub struct Second;\npub use super::First;\nmod tests {\n    use super::First;\n}\n",
        "pub struct Second { First: u8 }\nuse super::made;\nfn f(s: &Second) -> u8 { s.First }\n",
    ] {
        assert_eq!(of(apart), "");
    }
}
