//! What a newer device wrote and this one cannot read (Y-11): said in one place of every answer that
//! it may be missing from, the empty ones first of all.

use super::print::Whose;
use super::session::Session;
use super::{Ask, Output, follow_up, home, order, record, resident, staff};
use mar::picture::ResidentPicture;
use mar::unread;

/// Of whom an answer speaks.
enum Scope<'a> {
    /// The home alone: its settings, staff and devices.
    Home,
    /// One resident, by id or NHS number.
    Resident(&'a str),
    /// The resident of an order.
    Order(&'a str),
    /// Everybody.
    All,
}

impl<'a> Scope<'a> {
    /// `None` for what writes, for what speaks of this device's clock, and for a file that is given
    /// back: its shape is not added to.
    const fn of(ask: &'a Ask) -> Option<Self> {
        Some(match ask {
            Ask::Devices
            | Ask::Home(home::HomeAsk::Show)
            | Ask::Staff(staff::StaffAsk::List)
            | Ask::Directions(_) => Self::Home,
            Ask::Status
            | Ask::Verify
            | Ask::Round(_)
            | Ask::Alerts(_)
            | Ask::Resident(resident::ResidentAsk::List { .. }) => Self::All,
            Ask::Due(asked) => Self::one_of(asked.resident.as_ref()),
            Ask::Order(order::OrderAsk::List { resident, .. })
            | Ask::FollowUp(follow_up::FollowUpAsk::List { resident, .. }) => {
                Self::one_of(resident.as_ref())
            }
            Ask::Print(asked) => match &asked.whose {
                Whose::Resident(text) => Self::Resident(text.as_str()),
                Whose::Unit(_) | Whose::All => Self::All,
            },
            Ask::Resident(resident::ResidentAsk::Show { resident }) => {
                Self::Resident(resident.as_str())
            }
            Ask::Chart(asked) => Self::Resident(asked.resident.as_str()),
            Ask::Order(order::OrderAsk::Show { order })
            | Ask::Dose(record::DoseAsk::Prn { order }) => Self::Order(order.as_str()),
            Ask::Clock(_)
            | Ask::Revoke(_)
            | Ask::Invite(_)
            | Ask::Home(_)
            | Ask::Staff(_)
            | Ask::Resident(_)
            | Ask::Order(_)
            | Ask::FollowUp(_)
            | Ask::Import(_)
            | Ask::Dose(_) => return None,
        })
    }

    const fn one_of(resident: Option<&'a String>) -> Self {
        match resident {
            Some(text) => Self::Resident(text.as_str()),
            None => Self::All,
        }
    }
}

/// Says what cannot be read of those whom an answer speaks of: as its first lines, or in the field
/// `needs_update` of its document and on standard error.
pub(super) fn tell(session: &Session<'_>, ask: &Ask, out: &mut Output<'_>) {
    let Some(scope) = Scope::of(ask) else { return };
    let of_home = unread::of_home(&session.picture).map(str::to_owned);
    // Whoever is not found is told of by the command itself.
    let found: Vec<&ResidentPicture> = match scope {
        Scope::Home => Vec::new(),
        Scope::Resident(text) => session.resident(text).into_iter().map(AsRef::as_ref).collect(),
        Scope::Order(text) => session.order(text).into_iter().map(|(r, _)| r.as_ref()).collect(),
        Scope::All => session.picture.residents.values().map(AsRef::as_ref).collect(),
    };
    let said: Vec<(String, &str)> = found
        .into_iter()
        .filter(|r| r.identity().is_some())
        .filter_map(|r| Some((resident::name(session, r.id), unread::of_resident(r)?)))
        .collect();
    let of_residents = match said.as_slice() {
        [] => None,
        [(name, words)] => Some(format!("{name}: {words}")),
        [..] => {
            let names: Vec<&str> = said.iter().map(|(name, _)| name.as_str()).collect();
            Some(format!("{}: {}", unread::FOR_RESIDENTS, names.join("; ")))
        }
    };
    out.needs_update(of_home.into_iter().chain(of_residents).collect());
}
