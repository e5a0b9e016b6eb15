//! The back of a sheet (C2): reasons and notes, the log of changes, whose initials these are.

use crate::PrintFault;
use crate::band::Column;
use crate::dates::{moment, short};
use crate::page::Area;
use crate::press::{Flow, Press};
use crate::sheet::{Block, Change, MarSheet, Record, Signatory};
use crate::table::{Content, LaidRow, Table, WRITING};
use crate::text::{Setting, Span};

const CAPTION: f32 = 5.4;
const BETWEEN: f32 = 1.5;
const SMALL: Setting = Setting::regular(8.0);
const STRONG: Setting = Setting::bold(8.0);

/// The reverse of one front, over as many pages as it needs, always an odd number so that the
/// next front begins a new sheet of paper.
#[derive(Debug)]
pub(super) struct Reverse {
    x: f32,
    sections: Vec<Section>,
    pages: Vec<Vec<Slice>>,
}

#[derive(Debug)]
struct Section {
    caption: &'static str,
    table: Table,
}

/// Rows of one section on one page.
#[derive(Debug)]
struct Slice {
    section: usize,
    rows: Vec<LaidRow>,
}

impl Reverse {
    /// Lays out the back of a page that holds `blocks`; `last` is the sheet on the last page,
    /// whose back also has the changes and the signatures.
    ///
    /// # Errors
    /// `PrintFault::NoteDoesNotFit` when one row is higher than a page.
    pub(super) fn lay(
        press: &mut Press<'_>,
        (blocks, last): (&[&Block], Option<&MarSheet>),
        (resident, column, body): (&str, Column, f32),
    ) -> Result<Self, PrintFault> {
        let mut sections = Vec::new();
        let mut rows = Vec::new();
        let (section, told) = records(press, blocks, column.w);
        sections.push(section);
        rows.push(told);
        if let Some(sheet) = last {
            for (section, lines) in [
                changes(press, &sheet.changes, column.w),
                signatures(press, &sheet.signatures, column.w),
            ] {
                sections.push(section);
                rows.push(lines);
            }
        }
        let mut reverse = Self { x: column.x, sections, pages: Vec::new() };
        let mut used = body;
        for (index, rows) in rows.into_iter().enumerate() {
            used = reverse
                .place(index, rows, (used, body))
                .ok_or_else(|| PrintFault::NoteDoesNotFit { resident: resident.to_owned() })?;
        }
        reverse.fill(used, body);
        Ok(reverse)
    }

    /// How many pages the back takes.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Places one section's rows after what is there; returns the height used on the last page,
    /// `None` when a row is higher than a page.
    fn place(
        &mut self,
        section: usize,
        rows: Vec<LaidRow>,
        (mut used, body): (f32, f32),
    ) -> Option<f32> {
        let head = CAPTION + self.sections[section].table.head_height();
        let mut open = false;
        for row in rows {
            if head + row.height > body {
                return None;
            }
            let opening = if open { 0.0 } else { head + BETWEEN };
            if self.pages.is_empty() || used + opening + row.height > body {
                self.pages.push(Vec::new());
                used = 0.0;
                open = false;
            }
            let page = self.pages.last_mut()?;
            if !open {
                used += head + if page.is_empty() { 0.0 } else { BETWEEN };
                page.push(Slice { section, rows: Vec::new() });
                open = true;
            }
            used += row.height;
            page.last_mut()?.rows.push(row);
        }
        Some(used)
    }

    /// Makes room left over into lines to write on, and the number of pages odd.
    fn fill(&mut self, used: f32, body: f32) {
        let blank = self.sections[0].table.blank(WRITING);
        let mut left = body - used;
        let records =
            self.pages.last_mut().and_then(|page| page.iter_mut().find(|slice| slice.section == 0));
        if let Some(slice) = records {
            while left >= WRITING {
                slice.rows.push(blank.clone());
                left -= WRITING;
            }
        }
        if self.pages.len().is_multiple_of(2) {
            let mut rows = Vec::new();
            let mut left = body - CAPTION - self.sections[0].table.head_height();
            while left >= WRITING {
                rows.push(blank.clone());
                left -= WRITING;
            }
            self.pages.push(vec![Slice { section: 0, rows }]);
        }
    }

    /// Draws one page of the back with its top at `y`.
    pub(super) fn draw(&self, press: &mut Press<'_>, page: usize, mut y: f32) {
        for slice in self.pages.get(page).into_iter().flatten() {
            let section = &self.sections[slice.section];
            let caption = Area::new(self.x, y, section.table.width(), CAPTION);
            Table::caption(press, caption, section.caption);
            y += CAPTION;
            section.table.draw_head(press, (self.x, y));
            y += section.table.head_height();
            for row in &slice.rows {
                section.table.draw(press, (self.x, y), row);
                y += row.height;
            }
            y += BETWEEN;
        }
    }
}

fn records(press: &mut Press<'_>, blocks: &[&Block], width: f32) -> (Section, Vec<LaidRow>) {
    let columns = [
        ("Note", 9.0),
        ("Date", 19.0),
        ("Time", 20.0),
        ("Medicine and dose", 58.0),
        ("Code", 12.0),
        ("Outcome, time checked", 38.0),
        ("Reason, and what was done", 71.0),
        ("Signed by", 17.0),
        ("Witness", 17.0),
    ];
    let table = Table::new(press, &columns, width);
    let mut rows = Vec::new();
    for block in blocks {
        for record in &block.records {
            let cells = record_cells(block, record);
            rows.push(table.lay(press, (&cells, record.struck), 4.6));
        }
    }
    rows.extend((0..4).map(|_| table.blank(WRITING)));
    let caption = "Reasons, notes, late entries and corrections for the medicines overleaf";
    (Section { caption, table }, rows)
}

fn record_cells(block: &Block, record: &Record) -> [Content; 9] {
    let text = |text: &Option<String>| Content::maybe(SMALL, text.as_deref());
    let mut medicine = Flow::new();
    let dose = record.dose.clone().unwrap_or_default();
    medicine.spans(
        0.0,
        vec![
            Span { text: block.medicine.clone(), setting: SMALL },
            Span { text: dose, setting: STRONG },
        ],
    );
    let mut reason = Flow::new();
    reason.spans(
        0.0,
        vec![
            Span { text: record.badges.join(" · "), setting: STRONG },
            Span { text: record.reason.clone().unwrap_or_default(), setting: SMALL },
        ],
    );
    let note = record.note.map(|note| note.to_string());
    [
        Content::maybe(STRONG, note.as_deref()),
        Content::maybe(SMALL, Some(&short(record.date))),
        Content::maybe(SMALL, Some(&record.time)),
        Content::Text(medicine),
        record.code.clone().map_or(Content::Empty, Content::Code),
        Content::maybe(SMALL, Some(&record.outcome)),
        Content::Text(reason),
        text(&record.by),
        text(&record.witness),
    ]
}

fn changes(press: &mut Press<'_>, changes: &[Change], width: f32) -> (Section, Vec<LaidRow>) {
    let columns = [
        ("Date and time", 40.0),
        ("Change", 118.0),
        ("Authorised by", 40.0),
        ("Written by", 31.0),
        ("Checked by", 32.0),
    ];
    let table = Table::new(press, &columns, width);
    let mut rows = Vec::new();
    for change in changes {
        let text = |text: &Option<String>| Content::maybe(SMALL, text.as_deref());
        let cells = [
            Content::maybe(SMALL, Some(&moment(&change.at))),
            Content::maybe(SMALL, Some(&change.what)),
            text(&change.authorised_by),
            text(&change.written_by),
            text(&change.checked_by),
        ];
        rows.push(table.lay(press, (&cells, false), 4.6));
    }
    rows.push(table.blank(WRITING));
    (Section { caption: "Changes to the medicines in this cycle", table }, rows)
}

fn signatures(press: &mut Press<'_>, people: &[Signatory], width: f32) -> (Section, Vec<LaidRow>) {
    let columns = [
        ("Name", 42.0),
        ("Role", 32.0),
        ("Initials", 14.0),
        ("Signature", 40.0),
        ("Name", 42.0),
        ("Role", 32.0),
        ("Initials", 14.0),
        ("Signature", 40.0),
    ];
    let table = Table::new(press, &columns, width);
    let mut rows = Vec::new();
    for pair in people.chunks(2) {
        let mut cells: Vec<Content> = Vec::new();
        for person in pair {
            cells.push(Content::maybe(SMALL, Some(&person.name)));
            cells.push(Content::maybe(SMALL, Some(&person.role)));
            cells.push(Content::maybe(STRONG, Some(&person.initials)));
            cells.push(Content::Empty);
        }
        rows.push(table.lay(press, (&cells, false), WRITING));
    }
    rows.push(table.blank(WRITING));
    (Section { caption: "Signatures and initials", table }, rows)
}
