//! One resident's MAR chart (C1, C2): medicines on the front of each sheet of paper, the reasons
//! and notes for them on its reverse, signatures on the reverse of the last.

mod block;
mod cells;
mod prn;
mod reverse;
mod waiting;

use crate::PrintFault;
use crate::band::{Band, Column, Foot, Heading, PUNCH, strip, strip_bottom};
use crate::dates::long;
use crate::document::About;
use crate::fonts::with_typesetter;
use crate::mar_chart::block::{BETWEEN, DAYS, Grid, RowsPart};
use crate::mar_chart::prn::PrnPart;
use crate::mar_chart::reverse::Reverse;
use crate::mar_chart::waiting::WaitingPart;
use crate::page::PAGE_WIDTH;
use crate::press::Press;
use crate::sheet::{Block, Cycle, Doses, MarSheet};
use crate::text::Setting;

/// Grid pages are always odd, so they are punched on the left.
const FRONT: Column = Column { x: PUNCH, w: PAGE_WIDTH - PUNCH - 10.0 };
/// A reverse is punched on the right, on the left where the printer has one side only.
const REVERSE: Column = Column { x: PUNCH, w: PAGE_WIDTH - 2.0 * PUNCH };

/// Most days across a grid: more would make boxes too narrow to sign (W-21).
const DAYS_MAX: u8 = 28;

/// A page that has less room than this below its header is no chart, mm.
const BODY_LEAST: f32 = 60.0;

const TITLE: &str = "Medicines administration record (MAR)";

const RULES: &str = "Record a reason on the back for any code. A small number in a box is a note \
    on the back; a bold box holds two records of one dose. Do not use correction fluid: rule through, initial and date. Whose initials \
    these are: see the signatures on the back of the last sheet.";

/// Returns one resident's MAR chart as a PDF file.
///
/// The same sheet gives the same bytes. Fonts are embedded as subsets; nothing is read from the
/// machine.
///
/// # Errors
/// `DoesNotFit`, `CellDoesNotFit` and `NoteDoesNotFit` when a page cannot hold what stands on it:
/// text is wrapped and boxes grow, but nothing is ever cut. `WrongCells` and `WrongDays` when the
/// sheet is not one box for each day. `Font`, `Written`, `SheetId` and `Heading` as they say.
pub fn mar_chart(sheet: &MarSheet) -> Result<Vec<u8>, PrintFault> {
    check(sheet)?;
    with_typesetter(|typesetter| {
        let mut press = Press::new(typesetter);
        Chart::lay(&mut press, sheet)?.draw(&mut press)?;
        press.finish(&About {
            title: format!("MAR {}, {}", sheet.resident.surname, sheet.resident.forenames),
            made: sheet.provenance.printed_utc,
            sheet_id: sheet.provenance.sheet_id.clone(),
        })
    })
}

/// Refuses a sheet whose grid is not one box for each day.
fn check(sheet: &MarSheet) -> Result<(), PrintFault> {
    let days = sheet.cycle.days;
    if days == 0 || days > DAYS_MAX {
        return Err(PrintFault::WrongDays { days });
    }
    for block in &sheet.blocks {
        for row in block::rows(block).unwrap_or(&[]) {
            if row.cells.len() != usize::from(days) {
                return Err(PrintFault::WrongCells {
                    medicine: block.medicine.clone(),
                    time: row.time.clone(),
                    boxes: row.cells.len(),
                    days,
                });
            }
        }
    }
    Ok(())
}

/// Returns the name by which a fault speaks of the resident.
fn resident_name(sheet: &MarSheet) -> String {
    format!("{} {}", sheet.resident.forenames, sheet.resident.surname)
}

/// Returns `Start Mon 26 Oct 2026 – End Sun 22 Nov 2026`.
fn period(cycle: Cycle) -> String {
    let last = u64::from(cycle.days.saturating_sub(1));
    let end = cycle.start.checked_add_days(chrono::Days::new(last)).unwrap_or(cycle.start);
    format!("Start {} – End {}", long(cycle.start), long(end))
}

/// A chart laid out: which blocks stand on which page is settled, so pages can be counted.
struct Chart<'a> {
    sheet: &'a MarSheet,
    grid: Grid,
    bands: [Band<'a>; 2],
    feet: [Foot; 2],
    fronts: Vec<Front<'a>>,
}

/// One grid page and what stands on the back of it.
struct Front<'a> {
    parts: Vec<Part<'a>>,
    /// Numbers of the first and last medicine on the page, from 1; `None` without medicines.
    medicines: Option<(usize, usize)>,
    reverse: Reverse,
}

enum Part<'a> {
    Rows(RowsPart<'a>),
    Prn(PrnPart<'a>),
    Waiting(WaitingPart),
}

impl Part<'_> {
    fn height(&self) -> f32 {
        match self {
            Self::Rows(part) => part.height,
            Self::Prn(part) => part.height,
            Self::Waiting(part) => part.height,
        }
    }
}

impl<'a> Chart<'a> {
    fn lay(press: &mut Press<'_>, sheet: &'a MarSheet) -> Result<Self, PrintFault> {
        let said = period(sheet.cycle);
        let [front, back] = [FRONT, REVERSE].map(|column| {
            let band = Band::new(press, &sheet.resident, (&sheet.provenance, &said), column);
            (band, Foot::new(press, (&sheet.home, &sheet.codes), column, RULES))
        });
        let top = strip_bottom(&sheet.home);
        let body = front.1.top() - top - front.0.height() - DAYS - 1.0;
        let reverse_body = back.1.top() - top - back.0.height() - 1.0;
        if body < BODY_LEAST || reverse_body < BODY_LEAST {
            return Err(PrintFault::HeaderDoesNotFit { resident: resident_name(sheet) });
        }
        let grid = Grid { column: FRONT, cycle: sheet.cycle };
        let pages = paginate(press, &grid, sheet, body)?;
        let count = pages.len();
        let mut fronts = Vec::with_capacity(count);
        for (index, (parts, medicines, blocks)) in pages.into_iter().enumerate() {
            let last = (index + 1 == count).then_some(sheet);
            let reverse = Reverse::lay(
                press,
                (&blocks, last),
                (&resident_name(sheet), REVERSE, reverse_body),
            )?;
            fronts.push(Front { parts, medicines, reverse });
        }
        Ok(Self { sheet, grid, bands: [front.0, back.0], feet: [front.1, back.1], fronts })
    }

    fn draw(&self, press: &mut Press<'_>) -> Result<(), PrintFault> {
        let pages = self.fronts.iter().map(|front| 1 + front.reverse.pages()).sum();
        let mut page = 0;
        for front in &self.fronts {
            page += 1;
            let part = self.part(front);
            let heading = Heading { title: TITLE, part: &part, page, pages };
            let y = self.draw_frame(press, 0, &heading)?;
            self.draw_front(press, front, y)?;
            let front_page = page;
            for index in 0..front.reverse.pages() {
                page += 1;
                let part = format!("back of page {front_page}");
                let title = "Reasons, notes and signatures";
                let heading = Heading { title, part: &part, page, pages };
                let y = self.draw_frame(press, 1, &heading)?;
                front.reverse.draw(press, index, y + 0.5);
            }
        }
        Ok(())
    }

    /// Returns which medicines stand on a front; every front says that some wait, wherever they are.
    fn part(&self, front: &Front<'_>) -> String {
        let of = self.sheet.blocks.len();
        let medicines = match front.medicines {
            Some((first, last)) if first == last => format!("medicine {first} of {of}"),
            Some((first, last)) => format!("medicines {first} to {last} of {of}"),
            None if self.sheet.blocks.is_empty() && self.is_unread() => {
                "NOT EVERYTHING CAN BE READ".to_owned()
            }
            None if self.sheet.blocks.is_empty() => "no medicines".to_owned(),
            None => "after the medicines".to_owned(),
        };
        match self.sheet.waiting.len() {
            0 => medicines,
            waiting if of == 0 => format!("{waiting} WAITING"),
            waiting => format!("{medicines} · {waiting} WAITING"),
        }
    }

    /// Whether something that is written cannot be read, so that a medicine may be missing.
    fn is_unread(&self) -> bool {
        self.sheet.resident.unread.is_some() || self.sheet.provenance.unread.is_some()
    }

    /// Begins a page: strip, band and foot. Returns the y at which its body begins.
    fn draw_frame(
        &self,
        press: &mut Press<'_>,
        side: usize,
        heading: &Heading<'_>,
    ) -> Result<f32, PrintFault> {
        let column = [FRONT, REVERSE][side];
        press.begin_page();
        let y = strip(press, &self.sheet.home, column, heading)?;
        let y = self.bands[side].draw(press, y, heading.page)?;
        self.feet[side].draw(press);
        Ok(y)
    }

    fn draw_front(
        &self,
        press: &mut Press<'_>,
        front: &Front<'_>,
        mut y: f32,
    ) -> Result<(), PrintFault> {
        let resident = resident_name(self.sheet);
        if front.parts.is_empty() {
            let at = (FRONT.x, y + 8.0);
            let words = if self.is_unread() {
                "No medicine on this chart can be read on the device that printed it."
            } else {
                "No medicines on this chart."
            };
            press.text(at, Setting::bold(12.0), words);
        }
        if front.parts.iter().any(|part| matches!(part, Part::Rows(_))) {
            self.grid.draw_days(press, y);
            y += DAYS + 0.5;
        }
        for part in &front.parts {
            match part {
                Part::Rows(part) => block::draw(press, &self.grid, part, (&resident, y))?,
                Part::Prn(part) => prn::draw(press, &self.grid, part, y),
                Part::Waiting(part) => waiting::draw(press, &self.grid, part, y),
            }
            y += part.height() + BETWEEN;
        }
        Ok(())
    }
}

/// A page's parts, the numbers of its medicines, and the blocks that begin on it.
type PagePlan<'a> = (Vec<Part<'a>>, Option<(usize, usize)>, Vec<&'a Block>);

/// Fills pages with whole parts, in the order of the chart.
fn paginate<'a>(
    press: &mut Press<'_>,
    grid: &Grid,
    sheet: &'a MarSheet,
    body: f32,
) -> Result<Vec<PagePlan<'a>>, PrintFault> {
    let resident = resident_name(sheet);
    let mut plan = Plan { body, used: 0.0, pages: vec![(Vec::new(), None, Vec::new())] };
    for (index, block) in sheet.blocks.iter().enumerate() {
        let parts: Vec<Part<'a>> = match &block.doses {
            Doses::Scheduled(rows) => {
                let parts = block::parts(press, grid, (block, rows), (&resident, body))?;
                parts.into_iter().map(Part::Rows).collect()
            }
            Doses::WhenRequired(doses) => {
                let parts = prn::parts(press, grid, (block, doses), (&resident, body))?;
                parts.into_iter().map(Part::Prn).collect()
            }
        };
        for (number, part) in parts.into_iter().enumerate() {
            let page = plan.put(part);
            let first = page.1.map_or(index + 1, |(first, _)| first);
            page.1 = Some((first, index + 1));
            if number == 0 {
                page.2.push(block);
            }
        }
    }
    for part in waiting::parts(press, grid, &sheet.waiting, (&resident, body))? {
        plan.put(Part::Waiting(part));
    }
    Ok(plan.pages)
}

/// Pages while they are filled.
struct Plan<'a> {
    /// Room on each page, mm.
    body: f32,
    /// Used of the last one, mm.
    used: f32,
    pages: Vec<PagePlan<'a>>,
}

impl<'a> Plan<'a> {
    /// Puts a part on the last page, or on a new one; returns the page it stands on.
    fn put(&mut self, part: Part<'a>) -> &mut PagePlan<'a> {
        let height = part.height();
        let page_is_empty = self.pages.last().is_some_and(|(parts, _, _)| parts.is_empty());
        if !page_is_empty && self.used + BETWEEN + height > self.body {
            self.pages.push((Vec::new(), None, Vec::new()));
            self.used = 0.0;
        }
        let page = self.pages.last_mut().expect("there is always a page being filled");
        self.used += height + if page.0.is_empty() { 0.0 } else { BETWEEN };
        page.0.push(part);
        page
    }
}
