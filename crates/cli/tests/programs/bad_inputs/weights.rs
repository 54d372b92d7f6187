//! Weights of events that are none.

use super::*;
use eagleray::Combine;
use eagleray::data::ChannelRange;
use eagleray::internal::Progress;
use eagleray::internal::engine::Events;
use eagleray::internal::engine::pulsation::PulseEvents;

/// 1000 photons whose weights are 0.5, but that of row 501.
fn but(value: f64) -> Column {
    Column::f64("WEIGHT", &(0..PHOTONS).map(|i| if i == 500 { value } else { 0.5 }).collect::<Vec<_>>())
}

fn all(value: f64) -> Column {
    Column::f64("WEIGHT", &[value; PHOTONS])
}

fn bytes(form: &str, width: usize) -> Column {
    Column::raw("WEIGHT", form, vec![vec![0x3f; width]; PHOTONS])
}

/// What becomes of files, of which the column WEIGHT is read: a name, and the outcome.
pub fn outcomes() -> Vec<(&'static str, String)> {
    let folder = Folder::new();
    let null: Vec<i16> = (0..PHOTONS).map(|i| if i == 500 { 9 } else { 1 }).collect();
    let few: Vec<f64> = (0..PHOTONS).map(|i| f64::from(u8::from(i % 20 == 0))).collect();
    let unselected = Selection { channels: Some(ChannelRange::channels(0.0, 499.0)), detectors: None };
    const ROW: &str = "column WEIGHT, row 501: a weight is ";
    let cases: Vec<(&str, Vec<Column>, Expect)> = vec![
        ("negative", vec![but(-0.25)], E(Format, &[ROW, "-0.25"])),
        ("not a number", vec![but(f64::NAN)], E(Format, &[ROW, "not a number"])),
        ("infinite", vec![but(f64::INFINITY)], E(Format, &[ROW, "inf"])),
        ("masked by TNULL", vec![Column::i16("WEIGHT", &null).with("TNULL", "9")], E(Format, &[ROW, "TNULL"])),
        ("negative, of an event that is not selected", vec![but(-0.25)], W("", 500, 1000)),
        ("no such column", vec![], E(Format, &["column WEIGHT: missing", "TIME, PI"])),
        ("two such columns", vec![all(0.5), all(1.0)], E(Format, &["there are two columns of this name"])),
        ("all zero", vec![all(0.0)], E(Argument, &["all weights are 0"])),
        ("all but 50 zero", vec![Column::f64("WEIGHT", &few)], W("W-WEIGHTS-FEW", 1000, 1000)),
        ("as large as 1e60", vec![all(1e60)], E(Argument, &["scale them"])),
        ("three a row", vec![bytes("3D", 24)], E(Format, &["one number in each row is needed"])),
        ("text", vec![bytes("8A", 8)], E(Format, &["one number in each row is needed"])),
        ("a scale of 0", vec![all(0.5).with("TSCAL", "0.0")], E(Format, &["TSCAL is 0"])),
    ];
    let one = |(what, columns, expected): (&'static str, Vec<Column>, Expect)| {
        let selection = if what.ends_with("selected") { unselected.clone() } else { Selection::default() };
        let table = events([vec![time(), pi()], columns].concat());
        let read = folder.open(&of(table), &OpenOptions::default()).and_then(|(file, warnings)| {
            let input = Events::from_unread_file(&file, selection)?.weighted("WEIGHT")?;
            PulseEvents::read(vec![input], Combine::Average, None, 1 << 18, warnings, &Progress::default())
        });
        let outcome = match (read.map(|events| events.record), expected) {
            (Err(e), E(variant, pieces)) => {
                let text = words().error(&e);
                let at = matches!(&e, Error::Format { path, .. } if path.ends_with("file.evt"));
                assert!(at == (variant == Format) && (at || matches!(e, Error::Argument { .. })), "{what}: {text}");
                assert!(pieces.iter().all(|piece| text.contains(piece)), "{what}: {text}");
                format!("error: {}", shown(&folder, &text))
            }
            (Ok(made), W(code, used, read)) => {
                let said = made.warnings.iter().map(|w| format!("{w}; ")).collect::<String>();
                assert!(codes(&made.warnings).concat() == code, "{what}: {said}");
                assert_eq!((made.photons.used, made.photons.read), (used, read), "{what}: {}", made.photons);
                assert!(made.photons.is_exact(), "{what}: {}", made.photons);
                format!("{}{}", shown(&folder, &said), made.photons)
            }
            (Ok(made), _) => panic!("{what}: no error, but {} and {:?}", made.photons, made.warnings),
            (Err(e), _) => panic!("{what}: {e}"),
        };
        (what, outcome)
    };
    cases.into_iter().map(one).collect()
}
