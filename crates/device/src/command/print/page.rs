//! What every sheet has: the home, the resident, where the data stand, the key of codes.

use crate::command::Fault;
use crate::command::session::Session;
use crate::command::unheard::unheard;
use ::mar::outcome::{OUTCOMES, Outcome};
use ::mar::picture::ResidentPicture;
use ::mar::resident::{Allergies, AllergyKind};
use ::mar::settings::Settings;
use ::mar::time::{Timestamp, Tz};
use ::print::sheet::{
    Allergies as PrintedAllergies, Allergy, CodeKey, Home, LocalTime, Photograph, Provenance,
    Resident,
};

pub(super) fn home(session: &Session<'_>, settings: &Settings, unit: &str) -> Home {
    Home {
        name: settings.name.clone(),
        unit: some(unit),
        practice: session.picture.home.is_practice(),
        late_dose_number: None,
        out_of_hours_number: None,
    }
}

/// Returns the text, or `None` where it is blank.
pub(super) fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn resident(session: &Session<'_>, found: &ResidentPicture) -> Result<Resident, Fault> {
    let identity = found
        .identity()
        .ok_or_else(|| Fault::Refused(::mar::refusal::Missing::Resident(found.id).into()))?;
    let time_critical = found
        .orders
        .values()
        .any(|h| h.version_at(session.now).is_some_and(|v| v.content.flags.time_critical));
    Ok(Resident {
        surname: identity.family.clone(),
        forenames: identity.given.clone(),
        known_as: identity.known_as.clone(),
        title: identity.title.clone(),
        born: identity.born,
        age: identity.age_on(session.today()).and_then(|a| u16::try_from(a).ok()),
        nhs_number: identity.nhs_number.map(|n| n.to_string()),
        room: some(&identity.room),
        photograph: Photograph::None,
        unread: ::mar::unread::of_resident(found).map(str::to_owned),
        similar_name: similar(session, found),
        allergies: allergies(session, found),
        swallowing: identity.thickener.clone().and_then(|t| some(&t)),
        how_taken: some(&identity.how_i_take),
        covert_symbol: None,
        self_administration: None,
        time_critical,
        weight: None,
        gp: some(&identity.gp),
        pharmacy: some(&identity.pharmacy),
    })
}

fn similar(session: &Session<'_>, found: &ResidentPicture) -> Option<String> {
    let others: Vec<String> = session
        .picture
        .similar_to(found.id, session.now)
        .filter_map(|r| r.identity())
        .map(|i| match some(&i.room) {
            Some(room) => format!("{} {}, room {room}", i.given, i.family),
            None => format!("{} {}", i.given, i.family),
        })
        .collect();
    (!others.is_empty()).then(|| format!("SIMILAR NAME: {}", others.join("; ")))
}

fn allergies(session: &Session<'_>, found: &ResidentPicture) -> PrintedAllergies {
    let kind = |kind: &AllergyKind| match kind {
        AllergyKind::Allergy => "allergy".to_owned(),
        AllergyKind::Intolerance => "intolerance".to_owned(),
    };
    match found.allergies() {
        Allergies::NotAsked => PrintedAllergies::NotRecorded,
        Allergies::NoneKnown { by, on } => {
            let written = found.allergies_written().unwrap_or(session.now);
            let on = on.unwrap_or_else(|| written.civil(session.zone()).date());
            PrintedAllergies::NoneKnown { by, on }
        }
        Allergies::Recorded(list) => PrintedAllergies::Recorded(
            list.iter()
                .map(|a| Allergy {
                    substance: a.substance.clone(),
                    reaction: a.reaction.clone(),
                    kind: a.kind.as_ref().map(kind),
                })
                .collect(),
        ),
    }
}

pub(super) fn codes(settings: &Settings) -> Vec<CodeKey> {
    OUTCOMES
        .iter()
        .filter(|o| **o != Outcome::Given)
        .map(|o| CodeKey { code: settings.letter(*o).to_owned(), words: o.label().to_lowercase() })
        .collect()
}

pub(super) fn local(at: Timestamp, zone: Tz) -> LocalTime {
    let civil = at.civil(zone);
    let zone = at.utc().with_timezone(&zone).format("%Z").to_string();
    LocalTime { date: civil.date(), time: civil.time(), zone }
}

/// What stands first on a sheet that was printed with a clock that cannot be believed (T-07).
const CLOCK_DOUBT: &str =
    "CLOCK IN DOUBT: what is due, late or allowed may be wrong by its error; look at a watch";

/// Which sheet it is, and what this device knew when it was printed (F-02).
pub(super) fn provenance(session: &Session<'_>) -> Result<Provenance, Fault> {
    let zone = session.zone();
    let status = session.device().status()?;
    let unheard = unheard(session).iter().map(|u| u.in_words(session)).collect();
    let hash = crate::command::status::hex(&status.heads_hash);
    let fingerprint: Vec<&str> = (0..4).filter_map(|at| hash.get(at * 4..at * 4 + 4)).collect();
    Ok(Provenance {
        sheet_id: sheet_id(session),
        replaces: None,
        fingerprint: fingerprint.join(" "),
        printed_at: local(session.now, zone),
        printed_utc: session.now.utc().naive_utc(),
        complete_to: status.complete_to.map(|at| local(at, zone)),
        unheard,
        unread: ::mar::unread::of_home(&session.picture).map(str::to_owned),
        clock_doubt: (!session.clock.times_hold()).then(|| CLOCK_DOUBT.to_owned()),
    })
}

/// Eight characters that can be read over the telephone: `7K3F-0118`.
fn sheet_id(session: &Session<'_>) -> String {
    let text = ::mar::ids::CommandId(session.device().fresh()).to_string().to_uppercase();
    let part = |from: usize| text.get(from..from + 4).unwrap_or_default();
    format!("{}-{}", part(0), part(4))
}
