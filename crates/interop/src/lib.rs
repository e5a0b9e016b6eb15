//! Other people's formats, read into proposals and written out.
//!
//! What is read: GP Connect structured records (FHIR STU3), UK Core and EPS resources (FHIR R4),
//! in JSON and XML, by [`fhir`]; the words of a direction by [`dose_syntax`]. FHIR R5 is refused.
//! What is lost: nothing that is named. Elements without a place here are kept beside the
//! proposal; resources that are no person, allergy or medicine are listed and not taken.

pub mod dose_syntax;
pub mod fhir;
pub mod json;
