//! The medicines administration record: types, rules and folds.
//!
//! This crate reads no clock, file, socket or random number, and holds no float and no serde.
//! Everything a person sees is a pure function of the entries held and of the time.
//!
//! Reading order: [`ids`], [`text`], [`time`], [`quantity`] are the words' letters. [`medicine`], [`resident`],
//! [`staff`], [`order`], [`schedule`], [`outcome`], [`settings`] are what the home talks about.
//! [`fact`] is what the record may say, [`picture`] what all facts together come to, [`standing`]
//! whether one counts.

pub mod ids;
pub mod text;
pub mod time;

pub mod quantity;

pub mod medicine;
pub mod resident;
pub mod staff;

pub mod order;
pub mod outcome;
pub mod schedule;
pub mod settings;

pub mod fact;
pub mod picture;
pub mod standing;

pub mod words;

pub mod refusal;
pub mod rules;

pub mod clock;
pub mod command;
pub mod decide;
pub mod due;
pub mod first;
pub mod plausible;
pub mod unread;
pub mod waiting;

pub mod round;

pub mod alerts;
pub mod chart;
