//! docs/missions.md: its tables, and the traps of single missions, are the descriptions in `src/missions`.
//! `EAGLERAY_WRITE_PAGES=1 cargo test --test library missions_page` rewrites them.

use std::path::Path;

use eagleray::missions::{ColumnContent, EnergyRule, Evidence, GtiRule, MISSIONS, Mission};

use crate::common::pages;

/// Columns of a line of prose.
const WIDTH: usize = 140;

/// A name as the mission's files spell it.
fn spelt(mission: &Mission, name: &str) -> String {
    let columns = mission.files.map_or(&[][..], |files| files.columns);
    columns.iter().find(|c| c.0.eq_ignore_ascii_case(name)).map_or(name, |c| c.0).to_string()
}

fn telescope(mission: &Mission) -> String {
    let written = mission.files.map_or(mission.telescop, |files| files.telescop);
    let names = [&[written][..], mission.aliases].concat().join(" or ");
    match [mission.instrument, mission.calibrated].into_iter().find(|i| !i.is_empty()) {
        _ if mission.is_generic() => "–".to_string(),
        Some(instrument) => format!("{names} ({instrument})"),
        None => names,
    }
}

fn events(mission: &Mission) -> String {
    match mission.files {
        Some(files) if !mission.is_generic() => files.events.to_string(),
        _ => mission.events.join(" or "),
    }
}

fn intervals(mission: &Mission) -> String {
    match mission.gti {
        GtiRule::First => "GTI".to_string(),
        GtiRule::ByDetector(prefixes) => {
            let names: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}n")).collect();
            format!("{} for {} n, else GTI", names.join(" or "), spelt(mission, mission.detector))
        }
        GtiRule::ByKeyword(key) => format!("GTI with the keyword {key}, else GTI"),
    }
}

fn line(column: &str, gain: &str, offset: &str) -> String {
    match offset.strip_prefix('-') {
        Some(offset) => format!("{gain}·{column} − {offset}"),
        None if offset == "0" => format!("{gain}·{column}"),
        None => format!("{gain}·{column} + {offset}"),
    }
}

fn energy(mission: &Mission) -> String {
    match mission.energy {
        EnergyRule::None => "none".to_string(),
        EnergyRule::Response => "by `--rmf`".to_string(),
        EnergyRule::Linear { gain, offset } => line(mission.channel[0], gain, offset),
        EnergyRule::Column { name, ev, channels } => {
            let unit = match ev {
                1 => "eV",
                1000 => "keV",
                _ => "MeV",
            };
            let other = channels.map(|(gain, offset)| format!(", else {}", line(mission.channel[1], gain, offset)));
            format!("column `{}` ({unit}){}", spelt(mission, name), other.unwrap_or_default())
        }
        EnergyRule::Bounds => "the file's EBOUNDS".to_string(),
        EnergyRule::ByFile { brief, .. } => brief.to_string(),
    }
}

fn detectors(mission: &Mission) -> String {
    if mission.detector.is_empty() { "–".to_string() } else { spelt(mission, mission.detector) }
}

fn table() -> String {
    let (known, other): (Vec<&Mission>, Vec<&Mission>) = MISSIONS.iter().partition(|m| !m.is_generic());
    let rows = known.iter().chain(&other).map(|m| {
        let imitated = m.files.map_or("–".to_string(), |_| format!("`{}`", m.name));
        pages::row(&[m.title.to_string(), telescope(m), events(m), intervals(m), energy(m), detectors(m), imitated])
    });
    let head =
        "| mission | TELESCOP (INSTRUME) | events | intervals | energy, keV | detectors | `simulate --mission` |\n";
    format!("{head}|---|---|---|---|---|---|---|\n{}", rows.collect::<String>())
}

/// Prose in lines, those after the first set in by two blanks.
fn filled(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH {
            lines += line.trim_end();
            lines.push('\n');
            line = "  ".to_string();
        }
        line += word;
        line.push(' ');
    }
    lines + line.trim_end() + "\n"
}

fn traps() -> String {
    let with = MISSIONS.iter().filter(|m| !m.notes.is_empty());
    with.map(|m| filled(&format!("- **{}**: {}", m.title, m.notes.join(" ")))).collect()
}

/// What several missions have alike stands once.
fn sources() -> String {
    let mut all: Vec<(Evidence, Vec<&str>)> = Vec::new();
    for mission in MISSIONS {
        for &evidence in mission.evidence {
            match all.iter_mut().find(|(known, _)| *known == evidence) {
                Some((_, titles)) => titles.push(mission.title),
                None => all.push((evidence, vec![mission.title])),
            }
        }
    }
    let rows = all.iter().map(|(e, titles)| {
        pages::row(&[titles.join(", "), e.fact.to_string(), e.source.to_string(), e.confirmed.to_string()])
    });
    format!("| mission | fact | source | confirmed |\n|---|---|---|---|\n{}", rows.collect::<String>())
}

#[test]
fn the_page_has_what_the_descriptions_have() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/missions.md");
    pages::hold(&page, &[("missions", table()), ("traps", traps()), ("sources", sources())]);
}

/// What stands on the page are columns, extensions and keywords that imitated files have, too.
#[test]
fn descriptions_agree_with_the_files_that_are_imitated() {
    for mission in MISSIONS {
        let Some(files) = mission.files else { continue };
        let column = |name: &str| files.columns.iter().find(|c| c.0.eq_ignore_ascii_case(name));
        assert!(mission.event_tables().any(|name| name.eq_ignore_ascii_case(files.events)), "{mission:?}");
        let channel = mission.channel.iter().find_map(|name| column(name)).map(|c| c.3);
        assert!(matches!(channel, Some(ColumnContent::Channel | ColumnContent::Energy(_))), "{mission:?}: {channel:?}");
        if !mission.detector.is_empty() {
            assert_eq!(column(mission.detector).map(|c| c.3), Some(ColumnContent::Detector), "{mission:?}");
        }
        if let EnergyRule::Column { name, ev, .. } = mission.energy {
            assert_eq!(column(name).map(|c| c.3), Some(ColumnContent::Energy(f64::from(ev) / 1000.0)), "{mission:?}");
        }
        assert_eq!(files.bounds.is_some(), mission.has_bounds(), "{mission:?}");
        assert!(mission.frame_ms.is_none() || files.frame > 0.0, "{mission:?}");
    }
}
