//! Other people's formats, read into proposals and written out.

pub mod fhir;
