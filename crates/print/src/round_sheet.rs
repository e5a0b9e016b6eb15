//! The list of one round: residents in the order of the trolley, time-critical doses first.

use crate::PrintFault;
use crate::band::{
    Column, Foot, Heading, MARGIN, PUNCH, allergies, corner, origin, strip, strip_bottom, taking,
    unread, unread_height, who,
};
use crate::dates::long;
use crate::document::About;
use crate::fonts::with_typesetter;
use crate::page::{Area, BLACK, PAGE_WIDTH};
use crate::photograph;
use crate::press::{Flow, LaidFlow, Press};
use crate::round::{RoundDose, RoundResident, RoundSheet, RoundWaiting, RoundWithheld};
use crate::table::{Content, LaidRow, Table};
use crate::text::{Setting, Span};

/// Punched on either side, whichever way the paper was turned.
const COLUMN: Column = Column { x: PUNCH, w: PAGE_WIDTH - 2.0 * PUNCH };
/// The part that says who it is.
const LEFT: f32 = 86.0;
const PHOTO: (f32, f32) = (21.0, 29.0);
const CORNER: f32 = 21.5;
const BETWEEN: f32 = 1.2;
/// Least height of a dose's row: a box to sign.
const ROW: f32 = 8.0;

const RULES: &str = "One box to sign for each dose, after it was seen taken. Record a reason for \
    any code. Do not use correction fluid: rule through, initial and date.";

/// Returns the list of one round as a PDF file.
///
/// # Errors
/// `DoesNotFit` when one dose needs more than a page, `HeaderDoesNotFit` when what is said of a
/// resident does; `Font`, `Written`, `SheetId` and `Heading` as they say.
pub fn round_sheet(sheet: &RoundSheet) -> Result<Vec<u8>, PrintFault> {
    with_typesetter(|typesetter| {
        let mut press = Press::new(typesetter);
        List::lay(&mut press, sheet)?.draw(&mut press)?;
        press.finish(&About {
            title: title(sheet),
            made: sheet.provenance.printed_utc,
            sheet_id: sheet.provenance.sheet_id.clone(),
        })
    })
}

fn title(sheet: &RoundSheet) -> String {
    format!("{} – {}", sheet.round, long(sheet.date))
}

struct List<'a> {
    sheet: &'a RoundSheet,
    table: Table,
    foot: Foot,
    origin: LaidFlow,
    /// What stands beside the QR code on the first page, and on the others.
    heads: [LaidFlow; 2],
    pages: Vec<Vec<Entry<'a>>>,
}

/// One resident, or the part of one that a page holds.
struct Entry<'a> {
    resident: &'a RoundResident,
    left: [LaidFlow; 3],
    rows: Vec<LaidRow>,
    when_required: LaidFlow,
    height: f32,
}

impl<'a> List<'a> {
    fn lay(press: &mut Press<'_>, sheet: &'a RoundSheet) -> Result<Self, PrintFault> {
        let table = table(press);
        let foot = Foot::new(press, (&sheet.home, &sheet.codes), COLUMN, RULES);
        let origin = origin(&sheet.provenance).lay(press.typesetter, COLUMN.w);
        let width = COLUMN.w - CORNER - 2.0;
        let mut heads = [
            head(sheet, true).lay(press.typesetter, width),
            head(sheet, false).lay(press.typesetter, width),
        ];
        let bars = unread_height(sheet.provenance.unread.iter());
        let top = strip_bottom(&sheet.home) + bars + origin.height + 1.6;
        let room = |head: &LaidFlow| foot.top() - top - head.height.max(CORNER) - 1.0;
        if room(&heads[0]) < 0.0 {
            // More time-critical doses than a page can list: each is marked at its resident.
            heads[0] = heads[1].clone();
        }
        let bodies = [room(&heads[0]), room(&heads[1])];
        let mut list = Self { sheet, table, foot, origin, heads, pages: vec![Vec::new()] };
        // A crowded first page, with many time-critical doses, gives its room to those.
        let mut body = bodies[0];
        let mut used = 0.0;
        for resident in &sheet.residents {
            for entry in entries(press, &list.table, resident, bodies[1])? {
                let page = list.pages.last_mut().expect("there is always a page being filled");
                let gap = if page.is_empty() { 0.0 } else { BETWEEN };
                if used + gap + entry.height > body {
                    used = entry.height;
                    body = bodies[1];
                    list.pages.push(vec![entry]);
                } else {
                    used += gap + entry.height;
                    page.push(entry);
                }
            }
        }
        Ok(list)
    }

    fn draw(&self, press: &mut Press<'_>) -> Result<(), PrintFault> {
        let title = title(self.sheet);
        for (index, page) in self.pages.iter().enumerate() {
            press.begin_page();
            let heading = Heading {
                title: &title,
                part: &self.sheet.window,
                page: index + 1,
                pages: self.pages.len(),
            };
            let mut y = strip(press, &self.sheet.home, COLUMN, &heading)?;
            let said = self.sheet.provenance.unread.iter();
            y = unread(press, (COLUMN.x, y, COLUMN.w), said);
            let head = &self.heads[usize::from(index > 0)];
            press.flow((COLUMN.x, y + 0.4), head);
            let at = (COLUMN.x + COLUMN.w - CORNER + 0.75, y + 0.2);
            corner(press, &self.sheet.provenance, at, index + 1)?;
            y += head.height.max(CORNER);
            press.flow((COLUMN.x, y), &self.origin);
            y += self.origin.height + 1.2;
            for entry in page {
                self.draw_entry(press, entry, y);
                y += entry.height + BETWEEN;
            }
            self.foot.draw(press);
        }
        Ok(())
    }

    fn draw_entry(&self, press: &mut Press<'_>, entry: &Entry<'_>, y: f32) {
        let x = COLUMN.x;
        let whole = Area::new(x, y, COLUMN.w, entry.height);
        let said = entry.resident.resident.unread.iter();
        let y = unread(press, (x, y, COLUMN.w), said);
        let photo = Area::new(x + 0.8, y + 0.8, PHOTO.0, PHOTO.1);
        photograph::draw(press, photo, &entry.resident.resident.photograph);
        let [who, allergies, taking] = &entry.left;
        press.flow((photo.right() + 1.5, y + 0.8), who);
        let mut at = y + 0.8 + who.height.max(PHOTO.1) + 0.8;
        let frame = Area::new(x + 0.8, at, LEFT - 2.0, allergies.height + 2.6);
        press.page().frames(&[frame.inset(0.45)], 0.9, BLACK);
        press.flow((frame.x + 1.8, frame.y + 1.2), allergies);
        at = frame.bottom() + 0.6;
        press.flow((x + 1.2, at), taking);

        let right = x + LEFT;
        self.table.draw_head(press, (right, y));
        let mut at = y + self.table.head_height();
        for row in &entry.rows {
            self.table.draw(press, (right, at), row);
            at += row.height;
        }
        press.flow((right + 0.8, at + 0.5), &entry.when_required);
        press.page().strokes(&[(right, y, right, whole.bottom())], 0.35, BLACK);
        press.page().frames(&[whole], 0.55, BLACK);
    }
}

/// Returns what stands at the head of a page; the first names every time-critical dose.
fn head(sheet: &RoundSheet, first: bool) -> Flow {
    let doses: usize = sheet.residents.iter().map(|r| r.doses.len()).sum();
    let mut flow = Flow::new();
    let counted = |n: usize, one: &str| {
        if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
    };
    let residents = counted(sheet.residents.len(), "resident");
    let mut count = format!("{residents}, {}.", counted(doses, "dose"));
    let waiting: usize = sheet.residents.iter().map(|r| r.waiting.len()).sum();
    if waiting > 0 {
        let orders = counted(waiting, "order");
        count.push_str(&format!(" Waiting for a check, not to be given: {orders}."));
    }
    let withheld: usize = sheet.residents.iter().map(|r| r.withheld.len()).sum();
    if withheld > 0 {
        let doses = counted(withheld, "dose");
        count.push_str(&format!(" Held or away, not to be given: {doses}."));
    }
    flow.line(Setting::bold(10.0), count);
    let critical: Vec<(&RoundResident, &RoundDose)> = sheet
        .residents
        .iter()
        .flat_map(|resident| resident.doses.iter().map(move |dose| (resident, dose)))
        .filter(|(_, dose)| dose.time_critical)
        .collect();
    if critical.is_empty() {
        flow.line(Setting::regular(9.0), "No time-critical dose in this round.");
        return flow;
    }
    if !first {
        let count = format!("TIME-CRITICAL DOSES: {}, FIRST AT EACH RESIDENT", critical.len());
        flow.tags(0.3, &[count]);
        return flow;
    }
    flow.tags(0.3, &["TIME-CRITICAL, GIVE FIRST".to_owned()]);
    for (resident, dose) in critical {
        let who = &resident.resident;
        let room = who.room.as_deref().unwrap_or("not recorded");
        let name = format!("Room {room}: {}, {}", who.surname, who.forenames);
        let spans = [
            Span { text: dose.due.clone(), setting: Setting::bold(9.0) },
            Span { text: name, setting: Setting::bold(9.0) },
            Span { text: dose.medicine.clone(), setting: Setting::regular(9.0) },
        ];
        flow.spans(0.0, spans.to_vec());
    }
    flow
}

fn table(press: &mut Press<'_>) -> Table {
    let columns = [
        ("Due", 17.0),
        ("Medicine, dose and directions", 80.0),
        ("Amount given", 15.0),
        ("Given by", 16.0),
        ("Second person", 16.0),
        ("Code", 13.0),
        ("Time, reason", 18.0),
    ];
    Table::new(press, &columns, COLUMN.w - LEFT)
}

/// Returns a resident in as few entries as pages of `body` mm allow.
fn entries<'a>(
    press: &mut Press<'_>,
    table: &Table,
    resident: &'a RoundResident,
    body: f32,
) -> Result<Vec<Entry<'a>>, PrintFault> {
    let who_width = LEFT - PHOTO.0 - 4.0;
    let left = [
        who(&resident.resident).lay(press.typesetter, who_width),
        allergies(&resident.resident.allergies).lay(press.typesetter, LEFT - 5.6),
        taking(&resident.resident).lay(press.typesetter, LEFT - 3.0),
    ];
    let bars = unread_height(resident.resident.unread.iter());
    let body = body - bars;
    let left_height = left[0].height.max(PHOTO.1) + left[1].height + left[2].height + 6.4;
    let name = format!("{} {}", resident.resident.forenames, resident.resident.surname);
    if left_height > body {
        return Err(PrintFault::HeaderDoesNotFit { resident: name });
    }
    let mut when_required = Flow::new();
    if !resident.when_required.is_empty() {
        when_required.line(Setting::bold(9.0), "When required, ask:");
        for line in &resident.when_required {
            when_required.line(Setting::regular(9.0), line.clone());
        }
    }
    let when_required = when_required.lay(press.typesetter, COLUMN.w - LEFT - 1.6);

    let (critical, others): (Vec<_>, Vec<_>) =
        resident.doses.iter().partition(|dose| dose.time_critical);
    let mut groups: Vec<Vec<LaidRow>> = vec![Vec::new()];
    let mut used = table.head_height();
    let room = body - when_required.height - MARGIN;
    let doses = critical.into_iter().chain(others).map(|dose| (&dose.medicine, cells(dose)));
    let waiting = resident.waiting.iter().map(|order| (&order.medicine, not_to_give(order)));
    let withheld = resident.withheld.iter().map(|dose| (&dose.medicine, withheld(dose)));
    for (medicine, cells) in doses.chain(withheld).chain(waiting) {
        let row = table.lay(press, (&cells, false), ROW);
        if table.head_height() + row.height > room {
            let medicine = medicine.clone();
            return Err(PrintFault::DoesNotFit { resident: name, medicine });
        }
        let group = groups.last_mut().expect("there is always a group being filled");
        if used + row.height > room {
            used = table.head_height() + row.height;
            groups.push(vec![row]);
        } else {
            used += row.height;
            group.push(row);
        }
    }
    let last = groups.len() - 1;
    let nothing = Flow::new().lay(press.typesetter, LEFT);
    let entry = |(index, rows): (usize, Vec<LaidRow>)| {
        let when_required = if index == last { when_required.clone() } else { nothing.clone() };
        let rows_height: f32 = rows.iter().map(|row| row.height).sum();
        let right = table.head_height() + rows_height + when_required.height + 1.4;
        let height = left_height.max(right) + bars;
        Entry { resident, left: left.clone(), rows, when_required, height }
    };
    Ok(groups.into_iter().enumerate().map(entry).collect())
}

/// A row without a box to sign: an order that nobody has confirmed or checked (O-02).
fn not_to_give(order: &RoundWaiting) -> [Content; 7] {
    let mut what = Flow::new();
    what.tags(0.0, &["WAITING FOR A CHECK: DO NOT GIVE".to_owned()]);
    what.line(Setting::bold(10.0), order.medicine.clone());
    what.line(Setting::regular(9.0), order.words.clone());
    let barred = || Content::Barred;
    [barred(), Content::Text(what), barred(), barred(), barred(), barred(), barred()]
}

/// The same for a dose of an order that is held, or of somebody who is away (R-05, O-12).
fn withheld(dose: &RoundWithheld) -> [Content; 7] {
    let mut due = Flow::new();
    due.line(Setting::bold(11.0), dose.due.clone());
    let mut what = Flow::new();
    what.tags(0.0, &[format!("{}: DO NOT GIVE", dose.why)]);
    what.line(Setting::bold(10.0), dose.medicine.clone());
    let barred = || Content::Barred;
    [Content::Text(due), Content::Text(what), barred(), barred(), barred(), barred(), barred()]
}

fn cells(dose: &RoundDose) -> [Content; 7] {
    let mut due = Flow::new();
    due.line(Setting::bold(11.0), dose.due.clone());
    if let Some(window) = &dose.window {
        due.line(Setting::regular(7.5), window.clone());
    }
    let mut what = Flow::new();
    let mut tags = dose.tags.clone();
    if dose.time_critical {
        tags.insert(0, "TIME-CRITICAL".to_owned());
    }
    if dose.no_automatic_checks {
        tags.push("NO AUTOMATIC CHECKS".to_owned());
    }
    what.tags(0.0, &tags);
    what.line(Setting::bold(10.0), dose.medicine.clone());
    what.spans(
        0.0,
        vec![
            Span { text: dose.amount.clone(), setting: Setting::bold(9.5) },
            Span { text: dose.directions.clone(), setting: Setting::regular(9.0) },
        ],
    );
    let open = |open: bool| if open { Content::Empty } else { Content::Barred };
    [
        Content::Text(due),
        Content::Text(what),
        open(dose.amount_per_dose),
        Content::Empty,
        open(dose.second_signature),
        Content::Empty,
        Content::Empty,
    ]
}
