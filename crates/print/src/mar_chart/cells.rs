//! The boxes of the grid.

use crate::codes;
use crate::page::{Area, BLACK, GREY, MM_PER_PT, PALE, Stroke};
use crate::press::{Align, Press};
use crate::sheet::{Cell, Mark};
use crate::text::Setting;

/// What a box of the grid is split into, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) amount: bool,
    pub(super) witness: bool,
}

/// Least size of a box that somebody signs, mm (W-21).
pub(super) const BOX: (f32, f32) = (7.0, 6.0);
/// Room that one printed mark takes where several share a box, mm.
const MARK: f32 = 3.3;
const INITIALS: Setting = Setting::regular(8.5);
const NOTE: Setting = Setting::bold(6.0);
const NOTE_LONG: Setting = Setting::bold(5.0);
/// The number of a note, empty for none, and how it is set.
type Note<'a> = (&'a str, Setting);
/// Smaller than this nobody reads it under a trolley's lamp.
const LEAST: f32 = 4.5;

impl Split {
    /// Returns how many boxes stand one over the other.
    pub(super) fn parts(self) -> usize {
        1 + usize::from(self.amount) + usize::from(self.witness)
    }

    /// Returns the least height of a row that holds `cells`, mm.
    pub(super) fn row_height(self, cells: &[Cell]) -> f32 {
        let highest = cells.iter().map(box_height).fold(BOX.1, f32::max);
        count(self.parts()) * highest
    }
}

/// Returns the least height of one part of a box, mm.
fn box_height(cell: &Cell) -> f32 {
    match cell {
        Cell::Told(marks) => {
            // A code over initials needs a whole box; a dose given needs only a line of it.
            let both = |mark: &Mark| mark.code.is_some() && mark.initials.is_some();
            let each = if marks.len() > 1 && marks.iter().any(both) { BOX.1 } else { MARK };
            each * count(marks.len())
        }
        Cell::NotDue
        | Cell::BeforeStart
        | Cell::AfterEnd
        | Cell::Held
        | Cell::Due
        | Cell::Unrecorded
        | Cell::SignOn(_) => BOX.1,
    }
}

/// Counts of boxes and marks are small.
pub(super) fn count(n: usize) -> f32 {
    f32::from(u16::try_from(n).unwrap_or(u16::MAX))
}

/// Draws one box. `false` when what was told does not fit it.
pub(super) fn draw(press: &mut Press<'_>, area: Area, split: Split, cell: &Cell) -> bool {
    match cell {
        Cell::NotDue => press.page().hatch(area),
        Cell::BeforeStart => {
            let a = area.inset(1.2);
            let cross = [(a.x, a.y, a.right(), a.bottom()), (a.x, a.bottom(), a.right(), a.y)];
            press.page().strokes(&cross, 0.2, GREY);
        }
        Cell::AfterEnd => {
            let middle = area.y + area.h / 2.0;
            press.page().strokes(&[(area.x, middle, area.right(), middle)], 0.3, BLACK);
        }
        Cell::Held => {
            let slash = (area.x + 0.8, area.bottom() - 0.6, area.right() - 0.8, area.y + 0.6);
            press.page().strokes(&[slash], 0.35, BLACK);
        }
        Cell::Due => split_lines(press, area, split),
        Cell::Unrecorded => {
            split_lines(press, area, split);
            press.page().pill(area.inset(0.7), 0.35, BLACK);
        }
        Cell::SignOn(sheet) => {
            press.page().hatch(area);
            return sign_on(press, area, sheet);
        }
        Cell::Told(marks) => {
            split_lines(press, area, split);
            if marks.len() > 1 {
                press.page().frames(&[area.inset(0.3)], 0.55, BLACK);
            }
            return told(press, area, split, marks);
        }
    }
    true
}

fn split_lines(press: &mut Press<'_>, area: Area, split: Split) {
    let parts = split.parts();
    let height = area.h / count(parts);
    let lines: Vec<Stroke> = (1..parts)
        .map(|n| area.y + height * count(n))
        .map(|y| (area.x, y, area.right(), y))
        .collect();
    press.page().strokes(&lines, 0.12, GREY);
}

fn sign_on(press: &mut Press<'_>, area: Area, sheet: &str) -> bool {
    let ground = Area::new(area.x + 0.3, area.y + area.h / 2.0 - 2.3, area.w - 0.6, 4.6);
    press.page().fills(&[ground], PALE);
    let upper = Area::new(ground.x, ground.y, ground.w, 2.3);
    let lower = Area::new(ground.x, ground.y + 2.3, ground.w, 2.3);
    [(upper, "SIGN ON"), (lower, sheet)].into_iter().all(|(area, text)| {
        let setting = press.shrunk(text, Setting::bold(5.0), (area.w, 3.0));
        setting.map(|setting| press.label(area, Align::Centre, setting, text)).is_some()
    })
}

fn told(press: &mut Press<'_>, area: Area, split: Split, marks: &[Mark]) -> bool {
    let part = area.h / count(split.parts());
    let each = part / count(marks.len().max(1));
    for (index, mark) in marks.iter().enumerate() {
        let mut y = area.y + each * count(index);
        let line = |y: f32| Area::new(area.x + 0.3, y, area.w - 0.6, each);
        if split.amount {
            let amount = mark.amount.as_deref().unwrap_or("");
            if !words(press, line(y), amount) {
                return false;
            }
            y += part;
        }
        if !signed(press, line(y), mark) {
            return false;
        }
        if split.witness {
            let witness = mark.witness.as_deref().unwrap_or("");
            if !words(press, line(y + part), witness) {
                return false;
            }
        }
    }
    true
}

fn words(press: &mut Press<'_>, area: Area, text: &str) -> bool {
    let setting = press.shrunk(text, INITIALS, (area.w, LEAST));
    setting.map(|setting| press.label(area, Align::Centre, setting, text)).is_some()
}

/// Draws code and initials side by side, and the number of the note in the upper right corner.
fn signed(press: &mut Press<'_>, whole: Area, mark: &Mark) -> bool {
    let number = mark.note.map(|n| n.to_string()).unwrap_or_default();
    let note = (number.as_str(), if number.len() > 2 { NOTE_LONG } else { NOTE });
    let note_width = press.width(note.0, note.1);
    let area = match number.is_empty() {
        true => whole,
        // A full box has room for the number above the initials, a shared one only beside them.
        false if whole.h >= BOX.1 - 0.1 => {
            Area::new(whole.x, whole.y + 1.7, whole.w, whole.h - 1.9)
        }
        false => Area::new(whole.x, whole.y, whole.w - note_width - 0.2, whole.h),
    };
    let room = area.w;
    let initials = mark.initials.as_deref().unwrap_or("");
    if let Some(code) = &mark.code
        && !initials.is_empty()
        && whole.h >= BOX.1 - 0.1
    {
        return code_over_initials(press, whole, (code, initials), (note, note_width));
    }
    let mut points = INITIALS.size.min(area.h / MM_PER_PT / 1.25);
    let widths = loop {
        let code = mark.code.as_ref().map(|code| codes::size(press, code, points).0);
        let gap = if code.is_some() && !initials.is_empty() { 0.25 } else { 0.0 };
        let initials = press.width(initials, Setting::regular(points));
        if code.unwrap_or(0.0) + gap + initials <= room {
            break (code.unwrap_or(0.0), gap, initials);
        }
        points -= 0.25;
        if points < LEAST {
            return false;
        }
    };
    let x = area.x + (room - widths.0 - widths.1 - widths.2) / 2.0;
    let middle = area.y + area.h / 2.0;
    if let Some(code) = &mark.code {
        codes::ringed(press, (x, middle), code, points);
    }
    let place = Area::new(x + widths.0 + widths.1, area.y, widths.2, area.h);
    press.label(place, Align::Left, Setting::regular(points), initials);
    note_number(press, whole, (note, note_width));
    true
}

/// Draws the code in the upper left corner of a full box, the initials below it.
fn code_over_initials(
    press: &mut Press<'_>,
    whole: Area,
    (code, initials): (&str, &str),
    (note, note_width): (Note<'_>, f32),
) -> bool {
    let upper = whole.h * 0.47;
    let mut points = 6.5;
    while codes::size(press, code, points).0 > whole.w - note_width - 0.2 {
        points -= 0.25;
        if points < LEAST {
            return false;
        }
    }
    codes::ringed(press, (whole.x + 0.1, whole.y + upper / 2.0 + 0.1), code, points);
    note_number(press, whole, (note, note_width));
    words(press, Area::new(whole.x, whole.y + upper, whole.w, whole.h - upper), initials)
}

fn note_number(press: &mut Press<'_>, whole: Area, (note, width): (Note<'_>, f32)) {
    let (number, setting) = note;
    if !number.is_empty() {
        let at = (whole.right() - width - 0.1, whole.y + setting.size * MM_PER_PT * 0.85 + 0.25);
        press.text(at, setting, number);
    }
}
