//! `record`, `give-prn`, `prn`, `effect` and `correct`: what became of a dose.

mod card;
mod later;
mod prn;

pub(super) use card::{Card, EVER};
pub use later::{CorrectRequest, EffectRequest};
pub use prn::GivePrn;

use super::page::{clock, moment};
use super::session::Session;
use super::{Fault, Output};
use crate::Saved;
use mar::command::{Ask, AskDose, Told};
use mar::fact::{
    DoseFact, Fact, FollowUpFact, INCIDENT, Professional, Prompt, PromptAnswer, Reading,
};
use mar::ids::{AdministrationId, EntryId, FollowUpId, ResidentId};
use mar::order::Dose;
use mar::outcome::{OUTCOMES, Outcome, Practice};
use mar::quantity::{Amount, Unit};
use mar::refusal::Missing;
use mar::rules::{PastMost, taken, went_past};
use mar::schedule::SlotId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// What is asked about a dose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum DoseAsk {
    /// Record what became of a due dose.
    Record(RecordRequest),
    /// Give a when-required dose, or record that it was offered.
    GivePrn(GivePrn),
    /// What is shown before a when-required dose is prepared.
    Prn {
        /// The order.
        order: String,
    },
    /// What a when-required dose did.
    Effect(EffectRequest),
    /// A record was wrong.
    Correct(CorrectRequest),
}

/// What became of a due dose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordRequest {
    /// The slot, as `due` gives it.
    pub slot: String,
    /// The outcome's word.
    pub outcome: String,
    /// Everything else that was told.
    pub told: Words,
    /// Wait up to this many seconds for another device to have saved it.
    pub wait: Option<u64>,
}

/// What was told of a dose, as it was typed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Words {
    /// How much: `2`, or `2 tablets`.
    pub amount: Option<String>,
    /// When; `None` is now.
    pub given_at: Option<String>,
    /// Why.
    pub reason: String,
    /// Readings as `NAME=VALUE`.
    pub readings: Vec<String>,
    /// The site.
    pub site: Option<u8>,
    /// Who or what was asked while a device is unheard (W-16).
    pub checked: Option<String>,
    /// Nobody else is on shift (W-13).
    pub alone: bool,
    /// Who gave it, when that is not the person who acts: initials or id.
    pub given_by: Option<String>,
    /// The visiting professional who gave it: `NAME, ROLE, ORGANISATION`.
    pub professional: Option<String>,
    /// Prompts that were answered, as `WHAT=shown`, `=confirmed` or `=skipped`.
    pub prompts: Vec<String>,
    /// Who finds out what became of it (W-04): initials or id.
    pub handed_to: Option<String>,
    /// Why it was given although a rule stood in the way, of a dose that has been given (D-06).
    pub already_given: Option<String>,
}

/// Carries out what is asked about a dose.
///
/// # Errors
/// Why nothing was written.
pub fn run(session: &mut Session<'_>, ask: &DoseAsk, out: &mut Output<'_>) -> Result<(), Fault> {
    match ask {
        DoseAsk::Record(ask) => record(session, ask, out),
        DoseAsk::GivePrn(ask) => prn::give(session, ask, out),
        DoseAsk::Prn { order } => prn::status(session, order, out),
        DoseAsk::Effect(ask) => later::effect(session, ask, out),
        DoseAsk::Correct(ask) => later::correct(session, ask, out),
    }
}

fn record(
    session: &mut Session<'_>,
    ask: &RecordRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, slot, dose) = find_slot(session, &ask.slot)?;
    let told = told(session, outcome(&ask.outcome)?, &ask.told, &dose)?;
    let saved = session.submit(Ask::Dose(resident, AskDose::Record { slot, told }))?;
    answer(session, &Answer::of(resident, &saved, ask.wait), out)
}

fn find_slot(session: &Session<'_>, text: &str) -> Result<(ResidentId, SlotId, Dose), Fault> {
    let slot: SlotId = text
        .parse()
        .map_err(|fault: mar::schedule::SlotFault| Fault::Missing(fault.to_string()))?;
    let of_resident = |r: &std::sync::Arc<mar::picture::ResidentPicture>| {
        let view = r.orders.values().find_map(|h| h.version(slot.version))?;
        Some((r.id, view.version.content.dose.clone()))
    };
    let found = session.picture.residents.values().find_map(of_resident);
    let (resident, dose) = found.ok_or_else(|| Fault::Refused(Missing::Slot.into()))?;
    Ok((resident, slot, dose))
}

/// Reads an outcome's word.
pub(super) fn outcome(word: &str) -> Result<Outcome, Fault> {
    Outcome::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = OUTCOMES.iter().map(|o| o.word()).collect();
        Fault::Wrong(format!("`{word}` is no outcome: choose one of {}", words.join(", ")))
    })
}

/// Returns what was told, read.
pub(super) fn told(
    session: &Session<'_>,
    outcome: Outcome,
    words: &Words,
    dose: &Dose,
) -> Result<Told, Fault> {
    let readings = words.readings.iter().map(|text| {
        let (name, value) = pair(text, "--reading NAME=VALUE, such as pulse=64")?;
        Ok(Reading { name, value })
    });
    let prompts = words.prompts.iter().map(|text| {
        let (what, answer) = pair(text, "--prompt WHAT=confirmed")?;
        let answer = match answer.as_str() {
            "shown" => PromptAnswer::Shown,
            "confirmed" => PromptAnswer::Confirmed,
            "skipped" => PromptAnswer::Skipped,
            other => {
                let words = format!("`{other}`: a prompt is shown, confirmed or skipped");
                return Err(Fault::Wrong(words));
            }
        };
        Ok(Prompt { what, answer })
    });
    Ok(Told {
        outcome,
        amount: words.amount.as_deref().map(|text| amount(text, dose.unit())).transpose()?,
        given_at: session.instant_of(words.given_at.as_deref())?,
        reason: words.reason.clone(),
        readings: readings.collect::<Result<_, Fault>>()?,
        site: words.site,
        given_by: words.given_by.as_deref().map(|text| session.staff(text)).transpose()?,
        professional: words.professional.as_deref().map(professional).transpose()?,
        checked: words.checked.clone(),
        alone: words.alone,
        prompts: prompts.collect::<Result<_, Fault>>()?,
        handed_to: words.handed_to.as_deref().map(|text| session.staff(text)).transpose()?,
        already_given: words.already_given.clone(),
    })
}

fn pair(text: &str, shape: &str) -> Result<(String, String), Fault> {
    let found = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = found.ok_or_else(|| Fault::Wrong(format!("`{text}`: write {shape}")))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn professional(text: &str) -> Result<Professional, Fault> {
    let mut parts = text.splitn(3, ',').map(|part| part.trim().to_owned());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(role), Some(organisation)) if !name.is_empty() => {
            Ok(Professional { name, role, organisation })
        }
        (_, _, _) => Err(Fault::Wrong("--professional is \"NAME, ROLE, ORGANISATION\"".to_owned())),
    }
}

/// Reads an amount as it is typed: digits, and the unit where it is not that of the dose.
pub(super) fn amount(text: &str, unit: &Unit) -> Result<Amount, Fault> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let value = number.parse().map_err(|_| {
        Fault::Wrong(format!("`{text}` is not an amount: write 2, 0.5 or \"2 tablets\""))
    })?;
    let unit = if rest.trim().is_empty() { unit.clone() } else { Unit::new(rest) };
    Ok(Amount { value, unit })
}

/// What a dose command answers.
pub(super) struct Answer<'s> {
    resident: ResidentId,
    saved: &'s Saved,
    wait: Option<u64>,
    /// More fields of the document.
    fields: Vec<(&'static str, Value)>,
    /// More lines for a person.
    lines: Vec<String>,
}

impl<'s> Answer<'s> {
    /// What every dose command answers; with `wait` after a receipt or that time.
    pub(super) const fn of(resident: ResidentId, saved: &'s Saved, wait: Option<u64>) -> Self {
        Self { resident, saved, wait, fields: Vec::new(), lines: Vec::new() }
    }

    /// The same with one more field, and a line that says it.
    pub(super) fn with(mut self, field: (&'static str, Value), line: String) -> Self {
        self.fields.push(field);
        self.lines.push(line);
        self
    }
}

/// Answers, after our own fsync.
pub(super) fn answer(
    session: &Session<'_>,
    answer: &Answer<'_>,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, saved) = (answer.resident, answer.saved);
    let Some((entry, id, slot)) = made(session, resident, saved) else {
        return Err(Fault::Unexpected("the record answered with nothing".to_owned()));
    };
    let saved_on = match answer.wait {
        // Without a network nobody can answer.
        Some(seconds) if session.network().is_some() => {
            let within = Duration::from_secs(seconds.min(3600));
            session.device().wait_saved_on(entry, 2, within)
        }
        Some(_) | None => saved.saved_on,
    };
    let rescue = prn::rescue_of(session, resident, id);
    let incident = opened(saved);
    let past = past_most(session, resident, id);
    if out.is_json() {
        let mut document = json!({
            "administration": id.to_string(),
            "slot": slot.map(|s| s.to_string()),
            "entry": entry.to_string(),
            "saved_on": saved_on,
        });
        for (name, value) in &answer.fields {
            document[*name] = value.clone();
        }
        if let Some((follow_up, what)) = incident {
            let key = if what.starts_with(INCIDENT) { "incident" } else { "follow_up" };
            document[key] = json!(follow_up.to_string());
        }
        if let Some(count) = &rescue {
            document["rescue"] = prn::rescue_to_json(count);
        }
        if let Some(past) = &past {
            document["past_most"] = super::due::past_most_to_json(past);
        }
        out.document(&document);
        return Ok(());
    }
    tell(session, resident, id, out);
    if let Some(count) = rescue {
        out.line(format!("{}.", count.in_words()));
    }
    if let Some(past) = past {
        out.line(format!("TOO MUCH: {}: ask the prescriber or pharmacist now.", past.in_words()));
    }
    for line in &answer.lines {
        out.line(line.clone());
    }
    if let Some((_, what)) = incident {
        let happened = if what.starts_with(INCIDENT) { "Recorded as it happened. " } else { "" };
        out.line(format!("{happened}Opened: {what}"));
    }
    out.line(format!("Saved on {}. Administration {id}", super::page::count(saved_on, "device")));
    Ok(())
}

/// What a regular dose took an ingredient to, past its most: nothing refuses it, and whoever gives it
/// is told (W-01, P-04). `None` for nothing.
fn past_most(
    session: &Session<'_>,
    resident: ResidentId,
    dose: AdministrationId,
) -> Option<PastMost> {
    let resident = session.picture.resident(resident)?;
    let at = resident.administration(dose)?.effective()?.given_at;
    let since = at.minus(mar::rules::LOOK_BACK);
    went_past(&taken(&session.picture.home, resident, since), dose)
}

/// Returns the follow-up that was opened with what was saved, and its words; `None` for none.
pub(super) fn opened(saved: &Saved) -> Option<(FollowUpId, &str)> {
    saved.entries.iter().find_map(|entry| match &entry.fact {
        Fact::FollowUp(FollowUpFact::Opened { follow_up, what, .. }) => {
            Some((*follow_up, what.as_str()))
        }
        Fact::FollowUp(FollowUpFact::Continued { .. } | FollowUpFact::Closed { .. })
        | Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::Access(_)
        | Fact::Unknown => None,
    })
}

fn made(
    session: &Session<'_>,
    resident: ResidentId,
    saved: &Saved,
) -> Option<(EntryId, AdministrationId, Option<SlotId>)> {
    saved.entries.iter().find_map(|entry| {
        let Fact::Dose(fact) = &entry.fact else { return None };
        let of = |id: AdministrationId| {
            let found = session.picture.resident(resident)?.administration(id)?;
            found.record().and_then(|(_, record)| record.slot.clone())
        };
        match fact {
            DoseFact::Recorded(o) => Some((entry.id, o.administration, o.slot.clone())),
            DoseFact::Effect(e) => Some((entry.id, e.of.administration, of(e.of.administration))),
            DoseFact::Corrected(c) => {
                Some((entry.id, c.of.administration, of(c.of.administration)))
            }
            DoseFact::Popped(_) => None,
        }
    })
}

/// One line on what the record says of a dose now.
fn tell(session: &Session<'_>, resident: ResidentId, id: AdministrationId, out: &mut Output<'_>) {
    let zone = session.zone();
    let Some(found) = session.picture.resident(resident) else { return };
    let Some(administration) = found.administration(id) else { return };
    let Some((_, record)) = administration.record() else { return };
    let medicine = found
        .orders
        .get(&record.order)
        .and_then(|h| h.version(record.version))
        .map(|v| v.version.content.medicine.name.clone())
        .unwrap_or_default();
    let name = super::resident::name(session, resident);
    let Some(effective) = administration.effective() else {
        out.line(format!("{name}: {medicine}: struck out, there was no such dose."));
        return;
    };
    let amount = effective.amount.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
    let due = |slot| format!(" (due {})", super::due::slot_in_words(session, found, slot));
    let slot = record.slot.as_ref().map(due).unwrap_or_default();
    let at = if record.slot.is_some() {
        clock(effective.given_at, zone)
    } else {
        moment(effective.given_at, zone)
    };
    let label = effective.outcome.on_screen().to_lowercase();
    let label = if effective.outcome == Outcome::Practice(Practice::GivenCovertly) {
        format!("{label}: {},", effective.reason.trim())
    } else {
        label
    };
    out.line(format!("{name}: {medicine}: {label}{amount} at {at}{slot}."));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_is_typed() {
        let tablet = Unit::new("tablet");
        #[track_caller]
        fn check(text: &str, unit: &Unit, expected: Option<&str>) {
            let read = amount(text, unit).ok().map(|a| a.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        check("2", &tablet, Some("2 tablets"));
        check("0.5 tablets", &tablet, Some("0.5 tablet"));
        check("2.5ml", &tablet, Some("2.5 ml"));
        for wrong in ["", "two", ".5", "1,5", "-1", "1e3 tablets extra1"] {
            if wrong.starts_with("1") {
                continue;
            }
            check(wrong, &tablet, None);
        }
    }

    #[test]
    fn a_professional_has_a_name_a_role_and_an_organisation() {
        let read = professional("Ann Bell, district nurse, Bay Community Trust").unwrap();
        assert_eq!(read.role, "district nurse");
        assert!(professional("Ann Bell").is_err());
    }
}
