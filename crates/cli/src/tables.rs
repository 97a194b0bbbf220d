//! Tables at most as wide as the terminal. Cells that do not fit are broken between words; columns that cannot be
//! broken further are left out and named. Absent: the contents of tables.

use std::{io::IsTerminal as _, sync::OnceLock};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableStyle, Width, presets};

/// The width of tables when the width of the screen is unknown, as on a pipe or in a file.
const WIDTH_DEFAULT: u16 = 100;
/// The least width of a table.
const WIDTH_MIN: u16 = 40;
/// The most characters of a word that a column keeps whole; longer words are broken.
const WORD_MAX: u16 = 40;
/// A cell of at most this many characters is not broken; it is the length of an instant.
const SHORT_MAX: usize = "2026-03-03 08:00:00".len();
/// The columns that a table leaves out first, in this order; after them it leaves out its last columns. The first
/// column always stays.
const GIVEN_UP: [&str; 10] =
    ["data", "fact", "by", "actor.id", "updated_at", "received_by", "channel", "business type", "revision", "position"];

/// True if `--wide` was given; set once, before anything is printed.
static WIDE: OnceLock<bool> = OnceLock::new();

/// Sets whether tables show every column from now on.
pub fn set(wide: bool) {
    let _ = WIDE.set(wide);
}

/// True if tables show every column regardless of the width.
pub fn is_wide() -> bool {
    WIDE.get().copied().unwrap_or(false)
}

/// Returns the width of tables: from `COLUMNS`, else the terminal's, else [`WIDTH_DEFAULT`]; `None` with `--wide`.
pub fn width() -> Option<u16> {
    if is_wide() {
        return None;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || std::io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    Some(said.or_else(seen).unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN))
}

/// The look of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// With a border.
    Border,
    /// Without a border, indented, as details of the line above.
    Indented,
}

impl Frame {
    fn style(self) -> TableStyle {
        match self {
            Self::Border => presets::UTF8_BORDERS_ONLY,
            Self::Indented => presets::NOTHING,
        }
    }

    /// Returns the blanks to the left and to the right of a cell.
    fn padding(self, is_last: bool) -> (u16, u16) {
        // A border adds one more blank between two columns.
        (1, u16::from(is_last || self == Self::Indented))
    }

    /// Returns the characters of a line that are not content, for that many columns.
    fn beside(self, columns: usize) -> usize {
        match self {
            Self::Border => 2 * columns + 2,
            Self::Indented => 2 * columns + INDENT.len(),
        }
    }
}

const INDENT: &str = "   ";

/// Formats a table, and returns the headings of the columns that were left out.
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
    // A column that was left out early may fit after others were left out, so each is tried again.
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
        // Every column gets the width that it needs. The rest of the width goes to the columns whose lines would be
        // broken, from left to right.
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

/// Returns the least width of a column in characters: the longest word of its cells and of its heading, at most
/// `WORD_MAX`.
fn need(heading: &str, rows: &[Vec<String>], nth: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(nth)).map(String::as_str).chain([heading]);
    let longest = cells.flat_map(words).map(columns).max().unwrap_or(0);
    longest.min(usize::from(WORD_MAX))
}

/// Returns the parts of a cell that are not broken: its words, or the whole cell if it is short, such as `98.63 %` or
/// an instant.
fn words(cell: &str) -> Vec<&str> {
    if cell.chars().count() <= SHORT_MAX { vec![cell] } else { cell.split_whitespace().collect() }
}

/// Returns the screen columns that a text takes; a Chinese character takes two.
fn columns(text: &str) -> usize {
    let mut table = Table::new();
    table.add_row([text]);
    table.column_max_content_widths().first().map_or(0, |columns| usize::from(*columns))
}

#[cfg(test)]
mod tests;
