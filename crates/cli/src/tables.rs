//! Tables for people, as wide as the terminal and no wider: what does not fit is broken between words, and columns that cannot be
//! broken are left out and named below. Absent: what is in them.

use std::{io::IsTerminal as _, sync::OnceLock};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableStyle, Width, presets};

/// As wide as tables are where nobody says how wide the screen is: on a pipe, in a file.
const WIDTH_DEFAULT: u16 = 100;
/// No table is made narrower.
const WIDTH_MIN: u16 = 40;
/// No column insists on more than so many characters: beyond, even a word is broken.
const WORD_MAX: u16 = 40;
/// A cell of so many characters is not broken: it is as long as an instant.
const SHORT_MAX: usize = "2026-03-03 08:00:00".len();
/// What a table that is too wide gives up first, in this order; then its last columns. The first column always stays.
const GIVEN_UP: [&str; 10] =
    ["data", "fact", "by", "actor.id", "updated_at", "received_by", "channel", "business type", "revision", "position"];

/// Whether `--wide` was said; set once, before anything is printed.
static WIDE: OnceLock<bool> = OnceLock::new();

/// How wide tables are from now on.
pub fn set(wide: bool) {
    let _ = WIDE.set(wide);
}

/// Whether tables show everything, however wide they become.
pub fn is_wide() -> bool {
    WIDE.get().copied().unwrap_or(false)
}

/// The width that there is: `COLUMNS`, the terminal's, or [`WIDTH_DEFAULT`]; none with `--wide`.
pub fn width() -> Option<u16> {
    if is_wide() {
        return None;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || std::io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    Some(said.or_else(seen).unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN))
}

/// How a table looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// With a border.
    Border,
    /// Without one, a step to the right: what belongs to the line above.
    Indented,
}

impl Frame {
    fn style(self) -> TableStyle {
        match self {
            Self::Border => presets::UTF8_BORDERS_ONLY,
            Self::Indented => presets::NOTHING,
        }
    }

    /// Blanks to the left and to the right of a cell.
    fn padding(self, is_last: bool) -> (u16, u16) {
        // A border comes with one more between two columns.
        (1, u16::from(is_last || self == Self::Indented))
    }

    /// Characters beside the contents of so many columns.
    fn beside(self, columns: usize) -> usize {
        match self {
            Self::Border => 2 * columns + 2,
            Self::Indented => 2 * columns + INDENT.len(),
        }
    }
}

const INDENT: &str = "   ";

/// A table in text, and the headings for which there was no room.
pub fn drawn(frame: Frame, headings: &[&str], rows: &[Vec<String>], width: Option<u16>) -> (String, Vec<String>) {
    let mut kept: Vec<usize> = (0..headings.len()).collect();
    let needs: Vec<usize> = (0..headings.len()).map(|nth| need(headings[nth], rows, nth)).collect();
    let too_wide = |kept: &[usize]| {
        let needed: usize = kept.iter().map(|nth| needs[*nth]).sum();
        width.is_some_and(|width| needed + frame.beside(kept.len()) > usize::from(width))
    };
    while kept.len() > 1 && too_wide(&kept) {
        let first = GIVEN_UP.iter().find_map(|name| kept.iter().skip(1).position(|nth| headings[*nth] == *name));
        kept.remove(first.map_or(kept.len() - 1, |nth| nth + 1));
    }
    // What was given up early may fit beside what was given up late.
    for nth in (0..headings.len()).filter(|nth| !kept.contains(nth)).collect::<Vec<_>>() {
        let with: Vec<usize> = (0..headings.len()).filter(|other| *other == nth || kept.contains(other)).collect();
        if !too_wide(&with) {
            kept = with;
        }
    }
    let left_out = (0..headings.len()).filter(|nth| !kept.contains(nth)).map(|nth| headings[nth].to_owned());
    let left_out = left_out.collect();

    let mut table = Table::new();
    table.load_style(frame.style()).set_header(kept.iter().map(|nth| headings[*nth]));
    for row in rows {
        table.add_row(kept.iter().map(|nth| row.get(*nth).map_or("", String::as_str)));
    }
    let indent = if frame == Frame::Indented { INDENT } else { "" };
    table.set_content_arrangement(ContentArrangement::Disabled);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::MAX);
        // Every column has what it needs; what is left goes to those that would have to break lines, the first ones first.
        let needed: usize = kept.iter().map(|nth| needs[*nth]).sum();
        let mut spare = usize::from(width).saturating_sub(needed + frame.beside(kept.len()));
        let whole = table.column_max_content_widths();
        for (nth, (column, whole)) in table.column_iter_mut().zip(whole).enumerate() {
            let need = needs[kept[nth]];
            let more = usize::from(whole).saturating_sub(need).min(spare);
            spare -= more;
            let (left, right) = frame.padding(nth + 1 == kept.len());
            let padded = u16::try_from(need + more).unwrap_or(u16::MAX).saturating_add(left + right);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
        }
    }
    for (nth, column) in table.column_iter_mut().enumerate() {
        column.set_padding(frame.padding(nth + 1 == kept.len()));
    }
    let text = table.to_string();
    let text = match frame {
        Frame::Border => text,
        Frame::Indented => {
            text.lines().map(|line| format!("{indent}{}", line.trim_end())).collect::<Vec<_>>().join("\n")
        }
    };
    (text, left_out)
}

/// The characters that a column needs at the least: the longest word of its cells and of its heading.
fn need(heading: &str, rows: &[Vec<String>], nth: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(nth)).map(String::as_str).chain([heading]);
    let longest = cells.flat_map(words).map(columns).max().unwrap_or(0);
    longest.min(usize::from(WORD_MAX))
}

/// What is not broken: words, and all of a cell that is short, such as `98.63 %` or an instant.
fn words(cell: &str) -> Vec<&str> {
    if cell.chars().count() <= SHORT_MAX { vec![cell] } else { cell.split_whitespace().collect() }
}

/// The columns of a screen that a text takes: a Chinese character takes two.
fn columns(text: &str) -> usize {
    let mut table = Table::new();
    table.add_row([text]);
    table.column_max_content_widths().first().map_or(0, |columns| usize::from(*columns))
}

#[cfg(test)]
mod tests;
