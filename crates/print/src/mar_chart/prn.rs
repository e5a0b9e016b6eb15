//! A medicine given when required: one line a dose, with room to write the next ones (C3).

use crate::PrintFault;
use crate::dates::{clock, short};
use crate::mar_chart::block::{Grid, draw_text, essentials, small_print};
use crate::page::{Area, BLACK, GREY};
use crate::press::{Flow, LaidFlow, Press};
use crate::sheet::{Block, PrnLine, WhenRequired};
use crate::table::{Content, LaidRow, Table, WRITING};
use crate::text::{Setting, Span};

/// Empty lines after the last dose.
const SPARE: usize = 3;
const SMALL: Setting = Setting::regular(8.0);

/// A part of a PRN block that stands on one page whole.
#[derive(Debug, Clone)]
pub(super) struct PrnPart<'a> {
    pub(super) block: &'a Block,
    table: Table,
    rows: Vec<LaidRow>,
    text: LaidFlow,
    /// What held at printing, over the whole width below the rest: beside the limits it would make
    /// the column of words higher than a page. `None` when nothing was known.
    printed: Option<LaidFlow>,
    /// mm.
    pub(super) height: f32,
}

impl PrnPart<'_> {
    /// Returns the height of the line on what held at printing, in mm.
    fn strip(&self) -> f32 {
        strip(self.printed.as_ref())
    }
}

fn strip(printed: Option<&LaidFlow>) -> f32 {
    printed.map_or(0.0, |flow| flow.height + 1.4)
}

/// Returns the block in as few parts as a body of `body` mm allows; each says what it is.
///
/// # Errors
/// `PrintFault::DoesNotFit` when its words or one of its lines are higher than the body.
pub(super) fn parts<'a>(
    press: &mut Press<'_>,
    grid: &Grid,
    (block, doses): (&'a Block, &WhenRequired),
    (resident, body): (&str, f32),
) -> Result<Vec<PrnPart<'a>>, PrintFault> {
    let table = table(press, grid.right().w);
    let mut rows = Vec::new();
    for line in &doses.lines {
        rows.push(table.lay(press, (&cells(line), line.struck), 4.6));
    }
    rows.extend((0..SPARE).map(|_| table.blank(WRITING)));

    let printed = at_printing(doses).map(|flow| flow.lay(press.typesetter, grid.column.w - 2.4));
    let body = body - strip(printed.as_ref());
    let mut groups: Vec<Vec<LaidRow>> = vec![Vec::new()];
    let mut used = table.head_height();
    for row in rows {
        let group = groups.last_mut().expect("there is always a group being filled");
        if !group.is_empty() && used + row.height > body {
            used = table.head_height() + row.height;
            groups.push(vec![row]);
        } else {
            used += row.height;
            group.push(row);
        }
    }
    let of = groups.len();
    let mut parts = Vec::with_capacity(of);
    for (index, rows) in groups.into_iter().enumerate() {
        let part = (of > 1).then_some((index + 1, of));
        let text = prn_words(block, doses, part).lay(press.typesetter, grid.text_width());
        let lines: f32 = rows.iter().map(|row| row.height).sum();
        let height = (table.head_height() + lines).max(text.height + 1.6);
        if height > body {
            return Err(PrintFault::DoesNotFit {
                resident: resident.to_owned(),
                medicine: block.medicine.clone(),
            });
        }
        let height = height + strip(printed.as_ref());
        let (table, printed) = (table.clone(), printed.clone());
        parts.push(PrnPart { block, table, rows, text, printed, height });
    }
    Ok(parts)
}

/// Draws one part with its top at `y`; room left below its lines becomes more empty lines.
pub(super) fn draw(press: &mut Press<'_>, grid: &Grid, part: &PrnPart<'_>, y: f32) {
    let whole = Area::new(grid.column.x, y, grid.column.w, part.height);
    let above = Area { h: whole.h - part.strip(), ..whole };
    draw_text(press, grid, (part.block, &part.text), above);
    let x = grid.right().x;
    part.table.draw_head(press, (x, y));
    let mut at = y + part.table.head_height();
    for row in &part.rows {
        part.table.draw(press, (x, at), row);
        at += row.height;
    }
    while at + WRITING <= above.bottom() {
        let blank = part.table.blank(WRITING);
        part.table.draw(press, (x, at), &blank);
        at += WRITING;
    }
    press.page().strokes(&[(x, at, whole.right(), at)], 0.15, GREY);
    if let Some(printed) = &part.printed {
        let y = above.bottom();
        press.page().strokes(&[(whole.x, y, whole.right(), y)], 0.35, BLACK);
        press.flow((whole.x + 1.2, y + 0.7), printed);
    }
    press.page().frames(&[whole], 0.55, BLACK);
}

fn table(press: &mut Press<'_>, width: f32) -> Table {
    let columns = [
        ("Date", 19.0),
        ("Time", 11.0),
        ("Amount", 21.0),
        ("Code", 11.0),
        ("Reason or symptom, tried first", 57.0),
        ("By", 13.0),
        ("Witness", 13.0),
        ("Next allowed at", 18.0),
        ("Effect: time checked, result", 39.0),
        ("Note", 8.0),
    ];
    Table::new(press, &columns, width)
}

fn cells(line: &PrnLine) -> [Content; 10] {
    let text = |text: &Option<String>| Content::maybe(SMALL, text.as_deref());
    let bold = |text: String| Content::maybe(Setting::bold(8.0), Some(text.as_str()));
    [
        bold(short(line.date)),
        bold(clock(line.time)),
        Content::maybe(Setting::bold(9.0), line.amount.as_deref()),
        line.code.clone().map_or(Content::Empty, Content::Code),
        text(&line.reason),
        text(&line.by),
        text(&line.witness),
        text(&line.next_allowed),
        text(&line.effect),
        line.note.map_or(Content::Empty, |note| bold(note.to_string())),
    ]
}

/// Returns the medicine's words with its limits, at 9 points.
fn prn_words(block: &Block, doses: &WhenRequired, part: Option<(usize, usize)>) -> Flow {
    let mut flow = essentials(block, part);
    for limit in &doses.limits {
        flow.line(Setting::bold(9.0), limit.clone());
    }
    for line in &doses.protocol {
        flow.line(Setting::regular(9.0), line.clone());
    }
    small_print(&mut flow, block);
    flow
}

/// Returns what held at printing (P-05); `None` when nothing is said of it.
fn at_printing(doses: &WhenRequired) -> Option<Flow> {
    if doses.at_printing.is_empty() {
        return None;
    }
    let label = Span { text: "When printed:".to_owned(), setting: Setting::regular(9.0) };
    let said = doses.at_printing.join(" ");
    let mut flow = Flow::default();
    flow.spans(0.0, vec![label, Span { text: said, setting: Setting::bold(9.0) }]);
    Some(flow)
}
