//! One medicine on the front of the chart: what it is on the left, its boxes on the right.

use crate::PrintFault;
use crate::band::Column;
use crate::dates::{day_month_year, is_weekend, long, weekday};
use crate::mar_chart::cells::{self, BOX, Split, count};
use crate::page::{Area, BLACK, GREY, PALE, Stroke};
use crate::press::{Align, Flow, LaidFlow, Press};
use crate::sheet::{Block, BlockStanding, Cycle, Doses, Row};
use crate::text::{Setting, Span};

/// Width of the column of times, mm.
const TIMES: f32 = 14.0;
/// Height of the strip in which stock is written, mm: boxes to write in.
const STOCK: f32 = 6.0;
/// Height of the row of days, mm.
pub(super) const DAYS: f32 = 7.4;
/// Distance between two blocks, mm.
pub(super) const BETWEEN: f32 = 1.0;

/// Where the parts of a grid page stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) column: Column,
    pub(super) cycle: Cycle,
}

impl Grid {
    /// Width of one box, mm; never under 7 for 28 days.
    fn box_width(&self) -> f32 {
        // Fewer days get wider boxes; the medicine's own column keeps its width.
        BOX.0 * 28.0 / f32::from(self.cycle.days.max(1))
    }

    fn left_width(&self) -> f32 {
        self.column.w - TIMES - BOX.0 * 28.0
    }

    /// Width of the medicine's own text, mm.
    pub(super) fn text_width(&self) -> f32 {
        self.left_width() - 2.4
    }

    fn boxes_x(&self) -> f32 {
        self.column.x + self.left_width() + TIMES
    }

    /// The part right of the medicine's text: times and boxes, or the lines of a PRN medicine.
    pub(super) fn right(&self) -> Column {
        let x = self.column.x + self.left_width();
        Column { x, w: self.column.w - self.left_width() }
    }

    /// Draws weekdays and dates over the boxes.
    pub(super) fn draw_days(&self, press: &mut Press<'_>, y: f32) {
        let wide = self.box_width();
        let left = Area::new(self.column.x, y, self.left_width(), DAYS);
        press.label(
            Area::new(left.x + 1.2, y, left.w, DAYS),
            Align::Left,
            Setting::bold(9.0),
            "Medicine and directions",
        );
        let times = Area::new(left.right(), y, TIMES, DAYS);
        press.label(times, Align::Centre, Setting::bold(8.0), "Time");
        let mut frames = vec![left, times];
        for day in 0..self.cycle.days {
            let Some(date) = self.date(day) else { continue };
            let area = Area::new(self.boxes_x() + wide * f32::from(day), y, wide, DAYS);
            if is_weekend(date) {
                press.page().fills(&[area], PALE);
            }
            let third = DAYS / 3.0;
            let line = |n: f32| Area::new(area.x, y + third * n, wide, third);
            let number = format!("{}", day + 1);
            press.label(line(0.0), Align::Centre, Setting::regular(6.0), &number);
            press.label(line(1.0), Align::Centre, Setting::regular(6.5), weekday(date));
            let written = day_month_year(date);
            let day_of_month = written.split(' ').next().unwrap_or("");
            press.label(line(2.0), Align::Centre, Setting::bold(7.5), day_of_month);
            frames.push(area);
        }
        press.page().frames(&frames, 0.2, BLACK);
    }

    fn date(&self, day: u8) -> Option<chrono::NaiveDate> {
        self.cycle.start.checked_add_days(chrono::Days::new(u64::from(day)))
    }
}

/// A part of a block that stands on one page whole. A block has more than one part only when it
/// has more rows than a page holds; each part then says again what the medicine is.
#[derive(Debug, Clone)]
pub(super) struct RowsPart<'a> {
    pub(super) block: &'a Block,
    rows: Vec<(&'a Row, f32)>,
    /// An empty row follows for a dose at another time (W-21), and the stock strip.
    last: bool,
    text: LaidFlow,
    /// mm.
    pub(super) height: f32,
}

/// Returns the block in as few parts as a body of `body` mm allows.
///
/// # Errors
/// `PrintFault::DoesNotFit` when its words alone are higher than the body.
pub(super) fn parts<'a>(
    press: &mut Press<'_>,
    grid: &Grid,
    (block, rows): (&'a Block, &'a [Row]),
    (resident, body): (&str, f32),
) -> Result<Vec<RowsPart<'a>>, PrintFault> {
    let split = split(block);
    let (spare, stock) = room_to_write(block);
    let mut groups: Vec<Vec<(&Row, f32)>> = vec![Vec::new()];
    let mut used = 0.0;
    for row in rows {
        let height = split.row_height(&row.cells);
        let group = groups.last_mut().expect("there is always a group being filled");
        if !group.is_empty() && used + height + spare + stock > body {
            groups.push(vec![(row, height)]);
            used = height;
        } else {
            group.push((row, height));
            used += height;
        }
    }
    let count_of_groups = groups.len();
    let mut parts = Vec::with_capacity(count_of_groups);
    for (index, rows) in groups.into_iter().enumerate() {
        let last = index + 1 == count_of_groups;
        let part = (count_of_groups > 1).then_some((index + 1, count_of_groups));
        let mut flow = essentials(block, part);
        small_print(&mut flow, block);
        let text = flow.lay(press.typesetter, grid.text_width());
        let boxes: f32 = rows.iter().map(|(_, height)| height).sum();
        let below = if last { spare + stock } else { 0.0 };
        let height = (boxes + below).max(text.height + 1.6);
        if height > body {
            return Err(PrintFault::DoesNotFit {
                resident: resident.to_owned(),
                medicine: block.medicine.clone(),
            });
        }
        parts.push(RowsPart { block, rows, last, text, height });
    }
    Ok(parts)
}

/// Returns the heights of the spare row (W-21) and of the stock strip; a block that no longer
/// counts has neither, so that nothing is signed there.
fn room_to_write(block: &Block) -> (f32, f32) {
    if ruled_through(block) { (0.0, 0.0) } else { (count(split(block).parts()) * BOX.1, STOCK) }
}

/// Returns how the boxes of this block are split.
pub(super) fn split(block: &Block) -> Split {
    Split { amount: block.amount_per_dose, witness: block.second_signature }
}

/// Returns what the giver must read, drug and dose at 9 points or more (F-10).
pub(super) fn essentials(block: &Block, part: Option<(usize, usize)>) -> Flow {
    let mut flow = Flow::new();
    if let Some((number, of)) = part {
        flow.tags(0.0, &[format!("PART {number} OF {of} OF THIS MEDICINE")]);
    }
    standing(&mut flow, &block.standing);
    flow.line(Setting::bold(10.0), block.medicine.clone());
    if let Some(brand) = &block.brand {
        flow.labelled(9.0, "Brand:", brand);
    }
    flow.spans(0.3, vec![Span { text: block.directions.clone(), setting: Setting::regular(9.0) }]);
    for warning in &block.warnings {
        flow.line(Setting::bold(9.0), warning.clone());
    }
    let mut tags = block.tags.clone();
    if block.no_automatic_checks {
        tags.push("NO AUTOMATIC CHECKS".to_owned());
    }
    flow.tags(0.4, &tags);
    for note in &block.notes {
        flow.line(Setting::bold(9.0), note.clone());
    }
    flow
}

/// Adds where the order comes from, and the sender's words beside ours (O-05).
pub(super) fn small_print(flow: &mut Flow, block: &Block) {
    if let Some(sender) = &block.sender_words {
        let text = format!("{}: “{}”", sender.from, sender.words);
        flow.spans(0.4, vec![Span { text, setting: Setting::regular(8.0) }]);
    }
    flow.spans(0.4, vec![Span { text: provenance(block), setting: Setting::regular(7.0) }]);
}

/// Returns route, indication, dates, source and checks in one small paragraph.
fn provenance(block: &Block) -> String {
    let mut text = String::new();
    for (label, value) in [("Route", &block.route), ("For", &block.indication)] {
        if let Some(value) = value {
            text.push_str(&format!("{label}: {value}. "));
        }
    }
    text.push_str(&format!("Start {}. ", long(block.start)));
    for (label, date) in [("Stop", block.stop), ("Review", block.review)] {
        if let Some(date) = date {
            text.push_str(&format!("{label} {}. ", long(date)));
        }
    }
    if let Some(supply) = &block.supply {
        text.push_str(&format!("Supplied: {supply}. "));
    }
    text.push_str(&format!("{}. Version {}. ", block.source, block.version));
    let written = block.written_by.as_deref().unwrap_or("________");
    let checked = block.checked_by.as_deref().unwrap_or("________ (check owed)");
    text.push_str(&format!("Written by {written}. Checked by {checked}."));
    text
}

fn standing(flow: &mut Flow, standing: &BlockStanding) {
    let (tag, words) = match standing {
        BlockStanding::Active => return,
        BlockStanding::Held(words) => ("HELD", words),
        BlockStanding::Away { whereabouts, words } => (whereabouts.as_str(), words),
        BlockStanding::Superseded(words) => ("SUPERSEDED", words),
        BlockStanding::Stopped(words) => ("STOPPED", words),
    };
    flow.tags(0.0, &[format!("{tag} – DO NOT GIVE")]);
    flow.line(Setting::bold(9.0), words.clone());
}

/// Whether a line goes through the block (O-03).
pub(super) fn ruled_through(block: &Block) -> bool {
    match block.standing {
        BlockStanding::Superseded(_) | BlockStanding::Stopped(_) => true,
        BlockStanding::Active | BlockStanding::Held(_) | BlockStanding::Away { .. } => false,
    }
}

/// Draws one part with its top at `y`.
///
/// # Errors
/// `PrintFault::CellDoesNotFit` when what was told of a dose is too long for its box.
pub(super) fn draw(
    press: &mut Press<'_>,
    grid: &Grid,
    part: &RowsPart<'_>,
    (resident, y): (&str, f32),
) -> Result<(), PrintFault> {
    let whole = Area::new(grid.column.x, y, grid.column.w, part.height);
    draw_text(press, grid, (part.block, &part.text), whole);
    let (spare, stock) = if part.last { room_to_write(part.block) } else { (0.0, 0.0) };
    let printed: f32 = part.rows.iter().map(|(_, height)| height).sum();
    // Long words make a block higher than its rows; the rows then share the room.
    let stretch = (part.height - stock) / (printed + spare).max(1.0);
    let mut at = y;
    for (row, height) in &part.rows {
        let height = height * stretch;
        draw_row(press, grid, (part.block, Some(row)), (resident, at, height))?;
        at += height;
    }
    if spare > 0.0 {
        draw_row(press, grid, (part.block, None), (resident, at, spare * stretch))?;
        draw_stock(press, grid, part.block, whole.bottom() - STOCK);
    }
    press.page().frames(&[whole], 0.55, BLACK);
    Ok(())
}

/// Draws the left part of a block, and the line through one that no longer counts.
pub(super) fn draw_text(
    press: &mut Press<'_>,
    grid: &Grid,
    (block, text): (&Block, &LaidFlow),
    whole: Area,
) {
    press.flow((whole.x + 1.2, whole.y + 0.7), text);
    let edge = whole.x + grid.left_width();
    press.page().strokes(&[(edge, whole.y, edge, whole.bottom())], 0.35, BLACK);
    if ruled_through(block) {
        let line = (whole.x + 1.0, whole.bottom() - 1.0, edge - 1.0, whole.y + 1.0);
        press.page().strokes(&[line], 0.3, BLACK);
    }
}

/// Draws one row of boxes; `None` is the spare row.
fn draw_row(
    press: &mut Press<'_>,
    grid: &Grid,
    (block, row): (&Block, Option<&Row>),
    (resident, y, height): (&str, f32, f32),
) -> Result<(), PrintFault> {
    let split = split(block);
    let times = Area::new(grid.column.x + grid.left_width(), y, TIMES, height);
    draw_time(press, times, split, row);
    let wide = grid.box_width();
    let mut boxes = vec![times];
    let mut weekend = Vec::new();
    for day in 0..grid.cycle.days {
        let area = Area::new(grid.boxes_x() + wide * f32::from(day), y, wide, height);
        if grid.date(day).is_some_and(is_weekend) {
            weekend.push(area);
        }
        boxes.push(area);
    }
    press.page().fills(&weekend, PALE);
    for (day, area) in boxes.iter().skip(1).enumerate() {
        let empty = crate::sheet::Cell::Due;
        let cell = match row {
            Some(row) => row.cells.get(day).unwrap_or(&empty),
            None => &empty,
        };
        if !cells::draw(press, *area, split, cell) {
            return Err(PrintFault::CellDoesNotFit {
                resident: resident.to_owned(),
                medicine: block.medicine.clone(),
                time: row.map(|row| row.time.clone()).unwrap_or_default(),
                day: day + 1,
            });
        }
    }
    press.page().frames(&boxes, 0.15, GREY);
    let bottom: Stroke = (times.x, y + height, grid.column.x + grid.column.w, y + height);
    press.page().strokes(&[bottom], 0.2, BLACK);
    Ok(())
}

fn draw_time(press: &mut Press<'_>, area: Area, split: Split, row: Option<&Row>) {
    let parts = split.parts();
    if parts > 1 {
        // The labels of a split box stand beside the time.
        let labels: Vec<&str> = [(split.amount, "amt"), (true, "given"), (split.witness, "2nd")]
            .into_iter()
            .filter_map(|(shown, label)| shown.then_some(label))
            .collect();
        let each = area.h / count(parts);
        for (n, label) in labels.into_iter().enumerate() {
            let place = Area::new(area.x, area.y + each * count(n), area.w - 0.6, each);
            press.label(place, Align::Right, Setting::regular(5.5), label);
        }
    }
    let Some(row) = row else { return };
    let room = if parts > 1 { area.w - 5.4 } else { area.w - 1.2 };
    let mut flow = Flow::new();
    for said in std::iter::once(&row.time).chain(&row.amount) {
        // "Morning" becomes smaller rather than broken in two.
        let longest = said.split_whitespace().max_by_key(|word| word.chars().count());
        let setting = press.shrunk(longest.unwrap_or(""), Setting::bold(9.0), (room, 7.0));
        flow.line(setting.unwrap_or(Setting::bold(9.0)), said.clone());
    }
    let laid = flow.lay(press.typesetter, room);
    press.flow((area.x + 0.6, area.y + ((area.h - laid.height) / 2.0).max(0.2)), &laid);
}

/// Draws the boxes in which the stock of the cycle is written by hand (C1).
fn draw_stock(press: &mut Press<'_>, grid: &Grid, block: &Block, y: f32) {
    const PARTS: [(&str, f32); 9] = [
        ("Carried fwd", 1.2),
        ("Received", 1.0),
        ("date", 1.0),
        ("by / by", 1.1),
        ("Total", 0.9),
        ("Given/used", 1.1),
        ("Returned/destroyed", 1.5),
        ("date / by", 1.2),
        ("Balance", 1.0),
    ];
    let right = grid.right();
    let parts: f32 = PARTS.iter().map(|(_, part)| part).sum();
    let mut x = right.x;
    let mut boxes = Vec::new();
    for (index, (label, part)) in PARTS.into_iter().enumerate() {
        let area = Area::new(x, y, right.w * part / parts, STOCK);
        let top = Area::new(area.x + 0.5, y + 0.1, area.w, 2.4);
        press.label(top, Align::Left, Setting::regular(6.0), label);
        if index == 0
            && let Some(balance) = &block.carried_forward
        {
            let place = Area::new(area.x, y + 2.0, area.w - 0.8, STOCK - 2.0);
            press.label(place, Align::Right, Setting::bold(8.0), balance);
        }
        boxes.push(area);
        x += area.w;
    }
    press.page().frames(&boxes, 0.15, GREY);
}

/// Returns the rows of a scheduled block, `None` for one given when required.
pub(super) fn rows(block: &Block) -> Option<&[Row]> {
    match &block.doses {
        Doses::Scheduled(rows) => Some(rows),
        Doses::WhenRequired(_) => None,
    }
}
