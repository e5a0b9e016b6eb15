//! Entries that this program cannot read (Y-11): a newer one wrote them. Whatever they say is
//! missing from every answer, so every answer and every sheet says that they are there.

use crate::picture::{Picture, ResidentPicture};

/// What is said wherever a resident's medicines are shown or printed.
pub const FOR_RESIDENT: &str = "SOMETHING WRITTEN FOR THIS RESIDENT CANNOT BE READ HERE: update \
    this device; until then use another device or paper";

/// What is said before the names where it is so for several.
pub const FOR_RESIDENTS: &str = "SOMETHING WRITTEN FOR THESE RESIDENTS CANNOT BE READ HERE: update \
    this device; until then use another device or paper";

/// What is said first in every such answer, for what is written for the whole home.
pub const FOR_HOME: &str = "SOMETHING WRITTEN FOR THIS HOME CANNOT BE READ HERE: update this \
    device; until then use another device or paper";

/// Returns what is said of a resident; `None` when everything could be read.
#[must_use]
pub fn of_resident(resident: &ResidentPicture) -> Option<&'static str> {
    resident.needs_update().then_some(FOR_RESIDENT)
}

/// Returns what is said of the home; `None` when everything could be read. A resident of whom not
/// even the name can be read stands on no list: that is said here, too.
#[must_use]
pub fn of_home(picture: &Picture) -> Option<&'static str> {
    let nameless = |r: &ResidentPicture| r.identity().is_none() && r.needs_update();
    let any = picture.home.needs_update() || picture.residents.values().any(|r| nameless(r));
    any.then_some(FOR_HOME)
}
