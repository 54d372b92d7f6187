//! Pages of docs/ of which tests write parts, so that they say what the program does. `EAGLERAY_WRITE_PAGES=1` rewrites these
//! parts; without it a page that says something else is a failure.

use std::path::Path;

/// A line of a table; what would end a cell is written otherwise.
pub fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The part of a page between the marks of this name, replaced.
fn replaced(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no `{end}`"));
    format!("{before}{begin}{text}{end}{after}")
}

/// Holds the parts of a page, each named by its marks, to what they should be.
pub fn hold(path: &Path, parts: &[(&str, String)]) {
    let page = std::fs::read_to_string(path).unwrap();
    let now = parts.iter().fold(page.clone(), |page, (part, text)| replaced(&page, part, text));
    if std::env::var_os("EAGLERAY_WRITE_PAGES").is_some() {
        std::fs::write(path, &now).unwrap();
        return;
    }
    for (was, is) in page.lines().zip(now.lines()).filter(|(was, is)| was != is).take(5) {
        eprintln!("the page has: {was}\nit is:        {is}");
    }
    assert!(
        page == now,
        "{} is not what the program does: run with EAGLERAY_WRITE_PAGES=1, and look at what changes",
        path.display()
    );
}
