//! The rooms of the library and their order: each uses those before it, never those behind it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ROOMS: [&str; 11] =
    ["base", "data", "numerics", "kernels", "science", "missions", "io", "simulate", "segment", "backend", "engine"];

/// All source files of the library below `src`, as `room/file.rs`.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The first names of paths that begin with `crate::`, each with its line: one, or those of a group in braces.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        // Comments may point to what comes behind.
        if text[..at].lines().last().is_some_and(|line| line.trim_start().starts_with("//")) {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let rest = &text[at + "crate::".len()..];
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if !rest.starts_with('{') {
            found.push((line, name(rest)));
            continue;
        }
        let (mut depth, mut expects) = (0, true);
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => expects = true,
                c if depth == 1 && expects && !c.is_whitespace() => {
                    found.push((line + rest[..i].matches('\n').count(), name(&rest[i..])));
                    expects = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// What is wrong with the imports of a file of a room, one line each.
fn broken(file: &str, room: &str, text: &str) -> String {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let own = place(room).unwrap_or_else(|| panic!("{file}: `{room}` is no room of the design"));
    let mut lines = String::new();
    // Tests of a room may use all that the library has.
    let code = text.split_once("\n#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code);
    for (line, name) in imports(code) {
        let said = text.lines().nth(line - 1).unwrap_or_default().trim();
        match place(&name) {
            Some(other) if other > own => {
                writeln!(lines, "src/{file}:{line}: {room} comes before {name}: {said}").unwrap()
            }
            Some(_) => {}
            None => writeln!(lines, "src/{file}:{line}: `{name}` is of the root, not of a room: {said}").unwrap(),
        }
    }
    // Going up beyond the own room would hide the name of another. Modules inside a file, as its tests, are one deeper.
    let depth = file.split('/').filter(|part| *part != "mod.rs").count();
    let inner = text.find("\nmod ").and_then(|at| text[at..].find('{').map(|brace| (at, at + brace)));
    let inner = inner.filter(|(at, brace)| !text[*at..*brace].contains(';')).map_or(usize::MAX, |(at, _)| at);
    let mut at = 0;
    for (line, said) in text.lines().enumerate() {
        let up = vec!["super"; depth + usize::from(at > inner)].join("::") + "::";
        if said.contains(&up) {
            writeln!(lines, "src/{file}:{}: leaves the room by super: {}", line + 1, said.trim()).unwrap();
        }
        at += said.len() + 1;
    }
    lines
}

#[test]
fn rooms_use_those_before_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = String::new();
    let mut seen = [0; ROOMS.len()];
    for path in sources(&root) {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if file == "lib.rs" {
            continue;
        }
        let room = file.split('/').next().unwrap();
        seen[ROOMS.iter().position(|known| *known == room).unwrap_or_else(|| panic!("src/{file} is in no room"))] += 1;
        lines += &broken(&file, room, &std::fs::read_to_string(&path).unwrap());
    }
    assert!(lines.is_empty(), "imports against the order of rooms:\n{lines}");
    assert!(seen.iter().all(|files| *files > 0), "rooms without a file: {seen:?}");
}

#[test]
fn imports_against_the_order_are_found() {
    let wrong = "use crate::base::time::Dd;\nuse crate::{\n    base::text,\n    engine::{Plan, Events},\n};\nfn f() { crate::Gti::new(); super::super::x() }\n";
    let lines = broken("data/gti.rs", "data", wrong);
    assert!(lines.contains("src/data/gti.rs:4: data comes before engine: engine::{Plan, Events},"), "{lines}");
    assert!(lines.contains("src/data/gti.rs:6: `Gti` is of the root"), "{lines}");
    assert!(lines.contains("src/data/gti.rs:6: leaves the room by super"), "{lines}");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let allowed =
        "/// See [`crate::engine`].\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::engine::Plan;\n}\n";
    assert_eq!(broken("data/gti.rs", "data", allowed), "");
    assert_eq!(broken("data/mod.rs", "data", "super::x()").lines().count(), 1);
    assert_eq!(broken("data/gti.rs", "data", "super::x()\nmod tests {\n    super::super::x()\n}\n").lines().count(), 0);
    assert_eq!(broken("engine/plan.rs", "engine", wrong).lines().count(), 2);
}

/// The map of the library names the rooms in their order.
#[test]
fn the_map_has_the_rooms_in_order() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")))
        .filter_map(|name| name.strip_suffix(';'))
        .collect();
    assert_eq!(declared, ROOMS);
}

/// `gpu-bench` takes nothing from the arguments and commands of `eagleray`: what both programs have stands beside their folders.
#[test]
fn the_bench_is_apart_from_the_commands() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cli/src/bench"));
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let taken: Vec<_> =
            imports(&text).into_iter().filter(|(_, name)| name == "arguments" || name == "commands").collect();
        assert!(taken.is_empty(), "{}: {taken:?}", path.display());
    }
}
