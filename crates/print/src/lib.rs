//! The record on paper: plain data in, PDF bytes out. No file is opened and no clock is read.
//!
//! [`mar_chart`] prints one resident's MAR chart, [`round_sheet`] the list of one round. What
//! stands on them comes in decided ([`sheet`], [`round`]): nothing here works out what is due,
//! what counts or what a dose is. The pages are drawn in millimetres (`page`, `table`), the words
//! set with the shipped fonts only (`fonts`, `text`), so that the same input gives the same bytes
//! on every machine.
//!
//! Text is wrapped, boxes and headers grow, but nothing is ever cut: a page that cannot hold a
//! medicine makes the print fail with a sentence that names resident and medicine.
#![allow(clippy::float_arithmetic, reason = "millimetres on a page, never an amount or a time")]

pub mod round;
pub mod sheet;

mod mar_chart;
mod round_sheet;

mod band;
mod codes;
mod photograph;
mod table;

mod dates;
mod document;
mod fonts;
mod page;
mod press;
mod text;

pub use mar_chart::mar_chart;
pub use round_sheet::round_sheet;

pub(crate) use page::{PAGE_HEIGHT, PAGE_WIDTH};

/// Why there is no print. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintFault {
    /// One medicine's words need more than a page.
    #[error(
        "{medicine} of {resident} does not fit on a page: shorten its directions, warnings or notes"
    )]
    DoesNotFit {
        /// Forenames and surname.
        resident: String,
        /// The medicine as the chart names it.
        medicine: String,
    },
    /// What was told of one dose is too long for its box.
    #[error(
        "{medicine} of {resident}: the box of day {day} at {time} cannot hold what was recorded: \
         shorten the code, the initials or the amount"
    )]
    CellDoesNotFit {
        /// Forenames and surname.
        resident: String,
        /// The medicine as the chart names it.
        medicine: String,
        /// The row.
        time: String,
        /// Day of the cycle, from 1.
        day: usize,
    },
    /// A note, change or signature needs more than a page.
    #[error("a note on the back of the chart of {resident} does not fit on a page: shorten it")]
    NoteDoesNotFit {
        /// Forenames and surname.
        resident: String,
    },
    /// Allergies and the other facts about the resident leave no room for medicines.
    #[error(
        "the header of {resident} fills the page: shorten the allergies or how medicines are taken"
    )]
    HeaderDoesNotFit {
        /// Forenames and surname.
        resident: String,
    },
    /// The home's name or a title is too long.
    #[error("\"{text}\" does not fit in the heading of the page: shorten it")]
    Heading {
        /// What was to be printed.
        text: String,
    },
    /// The sheet id does not fit a QR code.
    #[error("the sheet id {sheet_id} is too long for its QR code")]
    SheetId {
        /// As it was given.
        sheet_id: String,
    },
    /// A row has not one box for each day.
    #[error("{medicine} at {time} has {boxes} boxes for {days} days")]
    WrongCells {
        /// The medicine as the chart names it.
        medicine: String,
        /// The row.
        time: String,
        /// How many boxes it has.
        boxes: usize,
        /// How many days the cycle has.
        days: u8,
    },
    /// The cycle has no day, or more than a grid can show.
    #[error("a chart has 1 to 28 days, not {days}")]
    WrongDays {
        /// As it was given.
        days: u8,
    },
    /// A shipped font could not be used.
    #[error("the font {face} cannot be embedded: {what}")]
    Font {
        /// Its PostScript name.
        face: &'static str,
        /// What the font library said.
        what: String,
    },
    /// The PDF library reported a fault.
    #[error("the PDF could not be written: {what}")]
    Written {
        /// What it said.
        what: String,
    },
}
