//! Words and tables for people at a terminal: 100 columns, times of the home, no codes.

use chrono::NaiveDate;
use mar::time::{Timestamp, Tz};

/// The widest line.
pub const WIDTH: usize = 100;

/// A table whose last column takes what is left of the line and wraps.
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    #[must_use]
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; what it lacks of the columns is empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A line break in a name would break the table.
        let plain = |cell: String| cell.split_whitespace().collect::<Vec<_>>().join(" ");
        self.rows.push(cells.into_iter().map(plain).collect());
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the lines, at most [`WIDTH`] wide.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.within(WIDTH)
    }

    /// Returns the lines with an indent of two, at most [`WIDTH`] wide.
    #[must_use]
    pub fn indented(&self) -> Vec<String> {
        self.within(WIDTH - 2).into_iter().map(|line| format!("  {line}")).collect()
    }

    fn within(&self, width: usize) -> Vec<String> {
        let widths = self.widths(width);
        let mut lines = Vec::new();
        let heads: Vec<String> = self.heads.iter().map(|h| (*h).to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            lines.extend(row_lines(row, &widths));
        }
        lines
    }

    /// Each column's width: what its widest cell needs; the widest columns give way where all
    /// together need more than the line.
    fn widths(&self, line: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.heads.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(self.heads[at].len())
            })
            .collect();
        let gaps = widths.len().saturating_sub(1) * 2;
        while widths.iter().sum::<usize>() + gaps > line {
            // An id is copied as a whole, so its column never gives way.
            let columns = widths.iter_mut().zip(&self.heads).filter(|(_, head)| **head != "Id");
            let Some(widest) = columns.map(|(width, _)| width).max() else { break };
            if *widest <= 8 {
                break;
            }
            *widest -= 1;
        }
        widths
    }
}

fn row_lines(row: &[String], widths: &[usize]) -> Vec<String> {
    let cells: Vec<Vec<String>> = widths
        .iter()
        .enumerate()
        .map(|(at, width)| wrap(row.get(at).map_or("", String::as_str), *width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|line| {
            let mut text = String::new();
            for (at, cell) in cells.iter().enumerate() {
                let part = cell.get(line).map_or("", String::as_str);
                text.push_str(part);
                let used = part.chars().count();
                if at + 1 < cells.len() {
                    text.push_str(&" ".repeat(widths[at].saturating_sub(used) + 2));
                }
            }
            text.trim_end().to_owned()
        })
        .collect()
}

/// Breaks words into lines of at most [`WIDTH`] characters that keep the indent of the first. A
/// word that is longer than a line stays whole: it is a path or an id. So does a line that is a
/// command: it is copied, and half of one is another command.
#[must_use]
pub fn fold(text: &str) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    if text.chars().count() <= WIDTH || text.trim_start().starts_with("medroundctl ") {
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let needed = word.chars().count() + 1;
        match lines.last_mut() {
            Some(line) if line.chars().count() + needed <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// Breaks a text into lines of at most `width` characters, at spaces where there are any.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |l| l.chars().count());
        let needed = word.chars().count();
        if used > 0 && used + 1 + needed > width {
            lines.push(String::new());
        } else if used > 0
            && let Some(line) = lines.last_mut()
        {
            line.push(' ');
        }
        // A word that is longer than a line is an id or a link: it is cut, and nothing is lost.
        for c in word.chars() {
            if lines.last().is_some_and(|l| l.chars().count() >= width) {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
    }
    lines
}

/// Returns a civil date as it is shown everywhere: `Sat 21 Nov 2026`.
#[must_use]
pub fn day(date: NaiveDate) -> String {
    mar::words::date(date)
}

/// Returns an instant with its date: `Sat 21 Nov 2026 08:00`.
#[must_use]
pub fn moment(at: Timestamp, zone: Tz) -> String {
    format!("{} {}", day(at.civil(zone).date()), clock(at, zone))
}

/// Returns the time of day of an instant, with GMT or BST where the hour happens twice (T-04).
#[must_use]
pub fn clock(at: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    if is_told_twice(at, zone) {
        local.format("%H:%M %Z").to_string()
    } else {
        local.format("%H:%M").to_string()
    }
}

fn is_told_twice(at: Timestamp, zone: Tz) -> bool {
    use chrono::{LocalResult, TimeZone};
    matches!(zone.from_local_datetime(&at.civil(zone)), LocalResult::Ambiguous(_, _))
}

/// Returns a count with its word: `1 resident`, `12 residents`.
#[must_use]
pub fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Returns a count of entries with its word.
#[must_use]
pub fn entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_never_passes_the_width_of_the_line() {
        let mut table = Table::new(&["Name", "Medicine", "Directions"]);
        let words = "Take ONE tablet by mouth at 08:00 and 20:00 with food and water. ".repeat(4);
        table.row(["SHAW, Gladys".to_owned(), "x".repeat(140), words.clone()]);
        for line in table.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        let joined = table.lines().join(" ");
        assert_eq!(joined.matches("tablet").count(), 4, "{joined}");
    }

    #[test]
    fn words_are_folded_and_ids_stay_whole() {
        let id = "x".repeat(130);
        let text = format!("    {} {id} end", "word ".repeat(30).trim());
        let lines = fold(&text);
        assert!(lines.iter().all(|l| l.chars().count() <= WIDTH || l.contains(&id)), "{lines:?}");
        assert!(lines.iter().all(|l| l.starts_with("    ")), "{lines:?}");
        assert!(lines.iter().any(|l| l.contains(&id)), "{lines:?}");
        let mut table = Table::new(&["Name", "Directions", "Id"]);
        table.row(["A".repeat(50), "b ".repeat(60), "y".repeat(26)]);
        assert!(table.lines().iter().any(|l| l.contains(&"y".repeat(26))));
    }

    #[test]
    fn the_hour_that_happens_twice_says_which_it_is() {
        let zone = mar::settings::Settings::new("-", NaiveDate::default()).zone;
        let at = |text: &str| Timestamp::from_rfc3339(text).unwrap();
        assert_eq!(clock(at("2026-10-25T00:30:00Z"), zone), "01:30 BST");
        assert_eq!(clock(at("2026-10-25T01:30:00Z"), zone), "01:30 GMT");
        assert_eq!(moment(at("2026-11-21T08:00:00Z"), zone), "Sat 21 Nov 2026 08:00");
    }
}
