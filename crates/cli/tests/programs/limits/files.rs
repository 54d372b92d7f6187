//! Small files that would hold the program for minutes, or fill memory, if anything in it grew faster than they do.

use super::*;
use crate::common::fits_file::{Column, Table, events, file, gti, gzip, header};

/// Seconds within which a file of some hundred kilobytes is read, by a debug build beside other tests; what is kept out took a minute and
/// more.
const SOON: Duration = Duration::from_secs(25);
/// Addresses that are enough, kilobytes: 230,000 are those of an idle program.
const ENOUGH: u64 = 600_000;

fn table() -> Table {
    let times: Vec<f64> = (0..1000).map(|i| 0.1 * f64::from(i)).collect();
    events(vec![Column::f64("TIME", &times), Column::i16("PI", &[5; 1000])])
}

fn card(text: &str) -> String {
    format!("{text:<80}")
}

/// A table with these cards before card `at` of its header.
fn with_cards(table: &Table, at: usize, cards: &str) -> Vec<u8> {
    let bytes = table.bytes();
    let end = 80 * bytes.chunks(80).position(|card| card.starts_with(b"END ")).expect("a header ends");
    let (head, data) = (&bytes[..end], &bytes[(end + 80).next_multiple_of(2880)..]);
    let mut made = [&head[..80 * at], cards.as_bytes(), &head[80 * at..], b"END"].concat();
    made.resize(made.len().next_multiple_of(2880), b' ');
    [&made, data].concat()
}

/// A file of a primary header, these units, and good time.
fn of(units: &[Vec<u8>]) -> Vec<u8> {
    [file(&[]), units.concat(), gti(&[(0.0, 100.0)]).bytes()].concat()
}

/// The run of a packed file that must end soon, in little memory, without a panic.
fn run_of(bytes: &[u8], name: &str) -> Ended {
    let folder = Folder::new();
    folder.write(name, &gzip(bytes));
    let line = ["pds", name, "--dt", "0.125", "--segment-size", "8", "--backend", "cpu"];
    let done = run_limited(folder.0.path(), &line, Some(ENOUGH), SOON);
    let shown: String = done.said.chars().take(2000).collect();
    assert!(done.status.is_some(), "{name}: not done after {} s", done.seconds);
    assert!(matches!(done.code(), Some(0..=2)) && !done.said.contains("panicked"), "{name}: {:?} {shown}", done.status);
    done
}

/// The run succeeds, and says no more than some lines.
fn succeeds(bytes: &[u8], name: &str) -> String {
    let done = run_of(bytes, name);
    assert_eq!(done.code(), Some(0), "{name}: {}", done.said);
    assert!(done.said.len() < 20_000, "{name}: says {} bytes", done.said.len());
    done.said
}

#[test]
fn continued_strings_take_linear_time() {
    // A string of 64 kB, which 100,000 cards continue by nothing: 6.5e9 characters where all of it is looked at for each.
    let long = format!("{:<8}= '{}&'", "LONG", "x".repeat(66));
    let mut cards = card(&long);
    (0..970).for_each(|_| cards += &card(&format!("CONTINUE  '{}&'", "x".repeat(66))));
    (0..100_000).for_each(|_| cards += &card("CONTINUE  '&'"));
    succeeds(&of(&[with_cards(&table(), 8, &cards)]), "continue.fits.gz");
}

#[test]
fn keywords_are_found_among_many() {
    // 1000 columns look for 6000 keywords among 200,000: 1.2e9 comparisons where they are looked for one after the other.
    let mut columns = vec![Column::f64("TIME", &[0.1, 50.0])];
    columns.extend((0..998).map(|i| Column::u8(&format!("C{i}"), &[0; 2])));
    let cards: String = (0..200_000).map(|i| card(&format!("K{i:07}= {i:>20}"))).collect();
    // Before those of the columns.
    let unit = with_cards(&events(columns), 8, &cards);
    succeeds(&of(&[unit]), "columns.fits.gz");
}

#[test]
fn one_keyword_may_stand_many_times() {
    let cards: String = (0..200_000).map(|i| card(&format!("SAME    = {i:>20}"))).collect();
    let said = succeeds(&of(&[with_cards(&table(), 8, &cards)]), "same.fits.gz");
    assert!(said.contains("a keyword with two values, first SAME: 0, which is taken, and 1"), "{said}");
}

#[test]
fn extensions_are_warned_of_together() {
    let odd = [("XTENSION", "'IMAGE'"), ("BITPIX", "8"), ("NAXIS", "0"), ("OBJECT", "'?'")];
    let mut odd = header(&odd.map(|(key, value)| (key.to_string(), value.to_string())));
    let at = odd.iter().position(|byte| *byte == b'?').expect("it is there");
    odd[at] = 0xe9;
    let said = succeeds(&of(&[odd.repeat(40_000), table().bytes()]), "headers.fits.gz");
    assert_eq!(said.matches("W-HEADER-BYTES").count(), 1, "{said}");
    assert!(said.contains("header 1: ") && said.contains("(40000 times)"), "{said}");
}

#[test]
fn tables_of_intervals_may_be_many() {
    let empty = Table::new("GTI", vec![Column::f64("START", &[]), Column::f64("STOP", &[])]).bytes();
    let bytes = [of(&[table().bytes()]), empty.repeat(20_000)].concat();
    let said = succeeds(&bytes, "tables.fits.gz");
    assert!(said.contains("W-GTI-UNUSED") && said.contains(" and 19936 more"), "{said}");
}

#[test]
fn filters_of_the_data_subspace_are_counted() {
    let mut cards = String::new();
    for n in 1..=500 {
        cards += &card(&format!("{:<8}= 'TIME'", format!("DSTYP{n}")));
        cards += &card(&format!("{:<8}= ':GTI'", format!("DSREF{n}")));
    }
    cards += &card("99DSREF1= ':GTI'");
    let done = run_of(&of(&[with_cards(&table(), 8, &cards)]), "subspace.fits.gz");
    assert_eq!(done.code(), Some(1));
    let said = "the data subspace has 500 filters of times in each of 99 components; 4096 in all are read; use --gti";
    assert!(done.said.contains(said), "{}", done.said);
}

#[test]
fn text_is_read_line_by_line() {
    let done = run_of(&b"1 ".repeat(10_000_000), "line.txt.gz");
    assert_eq!(done.code(), Some(1));
    assert!(done.said.contains("line 1: longer than 1048576 bytes, which no line of a table is"), "{}", done.said);
    let comment = [&b"# "[..], &b"x".repeat(10_000_000), b"\n0 5\n1 6\n2 5\n3 5\n"].concat();
    let folder = Folder::new();
    folder.write("comment.txt", &comment);
    let line = ["lc", "comment.txt"];
    let done = run_limited(folder.0.path(), &line, Some(ENOUGH), SOON);
    assert_eq!(done.code(), Some(0), "{}", done.said);
}

#[test]
fn products_of_many_values_are_read_or_refused() {
    // 20 million values of two bytes: 2.6 GB by the plan of 128 bytes each.
    let values = "0,".repeat(20_000_000);
    let folder = Folder::new();
    for (name, text) in [
        ("p.json", format!("{{\"meta\": {{}}, \"columns\": {{\"freq\": [{values}0]}}}}")),
        ("p.csv", format!("# product: \"power spectrum\"\nfreq\n{values}")),
    ] {
        folder.write(name, text.as_bytes());
        let done = run_limited(folder.0.path(), &["plot", name, "--plot", "x.svg"], Some(ENOUGH), SOON);
        assert_eq!(done.code(), Some(1), "{name}: {:?} {}", done.status, done.said);
        assert!(done.said.contains(&format!("the text of {name} would take 2.6 GB of memory")), "{}", done.said);
    }
}
