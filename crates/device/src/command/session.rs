//! One command being carried out: who acts, on which picture, at what time.

use super::{Fault, Who};
use crate::{Device, Network, PinFault, Running, Saved};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use mar::clock::ClockStanding;
use mar::command::{Ask, AskResident, Command};
use mar::fact::{AccessKind, Actor};
use mar::ids::{AdministrationId, CommandId, DeviceId, OrderId, ResidentId, StaffId};
use mar::picture::{Administration, OrderHistory, Picture, ResidentPicture};
use mar::refusal::Missing;
use mar::resident::NhsNumber;
use mar::schedule::TimeOfDay;
use mar::settings::Settings;
use mar::time::{Timestamp, Tz, at_civil};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One command being carried out.
pub struct Session<'r> {
    running: &'r Running,
    /// The picture, as of the last commit that this command knows of.
    pub picture: Arc<Picture>,
    /// The time, read once.
    pub now: Timestamp,
    /// Whether the clock that it was read from can be believed.
    pub clock: ClockStanding,
    /// Whether JSON is wanted.
    pub json: bool,
    /// Who acts: their PIN was checked.
    pub actor: Actor,
    /// The witness or second person: their PIN was checked. `None` for none.
    pub witness: Option<StaffId>,
}

impl<'r> Session<'r> {
    /// Begins: finds the people named and checks their PINs.
    ///
    /// # Errors
    /// When a person is not known, or a PIN is missing or not accepted.
    pub fn begin(running: &'r Running, json: bool, who: &Who) -> Result<Self, Fault> {
        let picture = running.device.picture();
        let person = |text: &Option<String>, pin: &Option<super::Pin>, option: &str| {
            let Some(text) = text else { return Ok(None) };
            let id = picture.home.find_staff(text).ok_or_else(|| {
                Fault::Missing(format!(
                    "there is nobody with the initials or id {text} among the active staff: look \
                     at `medroundctl staff list`"
                ))
            })?;
            let pin = pin.as_ref().ok_or_else(|| {
                Fault::Pin(format!("a PIN is needed for {text}: give {option} FILE"))
            })?;
            running.device.check_pin(id, pin.digits()).map_err(|fault| match fault {
                // What was typed to sign in is wrong, and no choice of a new PIN.
                PinFault::Choice(_) => Fault::Pin("the PIN is wrong: it is six digits".to_owned()),
                PinFault::Wrong
                | PinFault::WrongAndLate
                | PinFault::Wait(_)
                | PinFault::None
                | PinFault::Unreadable(_)
                | PinFault::Disk(_) => fault.into(),
            })?;
            Ok::<_, Fault>(Some(id))
        };
        let staff = person(&who.staff, &who.pin, "--pin-file")?;
        let witness = person(&who.witness, &who.witness_pin, "--witness-pin-file")?;
        Ok(Self {
            running,
            now: running.device.now(),
            clock: running.device.clock_standing(),
            json,
            actor: staff.map_or(Actor::Device, Actor::Staff),
            witness,
            picture,
        })
    }

    /// Returns the device.
    #[must_use]
    pub const fn device(&self) -> &'r Device {
        &self.running.device
    }

    /// Returns the network, where it is up.
    #[must_use]
    pub fn network(&self) -> Option<&'r Network> {
        self.running.network.as_deref()
    }

    /// Returns the person who acts.
    ///
    /// # Errors
    /// When the device itself acts.
    pub fn person(&self) -> Result<StaffId, Fault> {
        match self.actor {
            Actor::Staff(id) => Ok(id),
            Actor::Device => Err(Fault::Refused(mar::refusal::WhoRefusal::NeedsPerson.into())),
        }
    }

    /// Returns the home's zone.
    #[must_use]
    pub fn zone(&self) -> Tz {
        zone_of(&self.picture, self.now)
    }

    /// Returns the home's civil date.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now.civil(self.zone()).date()
    }

    /// Says whether what is due can be said at all, where nobody named a time: with a clock that
    /// stands in a wrong year nobody has doses, and that would be read as an answer (T-07). `how` is
    /// the command that names the time.
    ///
    /// # Errors
    /// What to do, while the date of this device is lost.
    pub fn knows_the_day(&self, how: &str) -> Result<(), Fault> {
        if !self.clock.day_is_lost() {
            return Ok(());
        }
        let rule = self.clock.doubts.first().map_or("T-07", mar::clock::ClockDoubt::rule);
        let message = format!("{DAY_LOST}, or name the day that you ask about: {how}");
        Err(Fault::Rule { rule, message })
    }

    /// Returns the home's settings of today.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let today = self.today();
        self.picture.home.settings_on(today).cloned().unwrap_or_else(|| Settings::new("-", today))
    }

    /// Returns an asked thing as a command of this session's people.
    #[must_use]
    pub fn command(&self, ask: Ask) -> Command {
        let id = CommandId(self.device().fresh());
        Command { id, actor: self.actor, witness: self.witness, ask }
    }

    /// Puts one thing to the record; the picture is the one after it then.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn submit(&mut self, ask: Ask) -> Result<Saved, Fault> {
        let saved = self.device().submit(self.command(ask))?;
        self.picture = self.device().picture();
        Ok(saved)
    }

    /// Puts things to the record, all or none.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn submit_all(&mut self, asks: Vec<Ask>) -> Result<Vec<Saved>, Fault> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let commands = asks.into_iter().map(|ask| self.command(ask)).collect();
        let saved = self.device().submit_all(commands)?;
        self.picture = self.device().picture();
        Ok(saved)
    }

    /// Loads the months from that of `from` on for a resident, for reading.
    ///
    /// # Errors
    /// When they could not be read.
    pub fn load(&mut self, resident: ResidentId, from: Timestamp) -> Result<(), Fault> {
        let loaded = self.device().with_months(resident, from.month())?;
        if let Some(found) = loaded.residents.get(&resident) {
            Arc::make_mut(&mut self.picture).put(found.clone());
        }
        Ok(())
    }

    /// Notes that the records of these residents were seen, printed or exported: one line in the
    /// access log for each person, resident, device and day. It is written behind the answer, and
    /// reading goes on when it cannot be.
    pub fn note_access(&self, residents: &BTreeSet<ResidentId>, what: AccessKind) {
        let session = self.access_id(None, what);
        let commands: Vec<Command> = residents
            .iter()
            .map(|resident| Command {
                id: self.access_id(Some(*resident), what),
                actor: self.actor,
                witness: None,
                ask: Ask::Resident(*resident, AskResident::NoteAccess { what, session }),
            })
            .collect();
        if commands.is_empty() {
            return;
        }
        if let Err(fault) = self.device().submit_all(commands) {
            tracing::warn!("the access log could not be written: {fault}");
        }
    }

    /// One id for each person, device and day, so that the same reading is one line: a command that
    /// was carried out already gets its first answer.
    fn access_id(&self, resident: Option<ResidentId>, what: AccessKind) -> CommandId {
        let mut text = blake3::Hasher::new_derive_key("medround access session 1");
        text.update(&self.device().id().0);
        match self.actor {
            Actor::Staff(staff) => text.update(&staff.0),
            Actor::Device => text.update(b"device"),
        };
        text.update(self.today().to_string().as_bytes());
        text.update(&[what as u8]);
        text.update(resident.map_or([0; 16], |r| r.0).as_slice());
        let mut id = [0; 16];
        id.copy_from_slice(&text.finalize().as_bytes()[..16]);
        CommandId(id)
    }

    /// Finds a resident by id or NHS number.
    ///
    /// # Errors
    /// When there is none.
    pub fn resident(&self, text: &str) -> Result<&Arc<ResidentPicture>, Fault> {
        let by_id = text.parse::<ResidentId>().ok().and_then(|id| self.picture.resident(id));
        let number = text.parse::<NhsNumber>().ok();
        let by_number = || {
            let has = |r: &&Arc<ResidentPicture>| {
                number.is_some() && r.identity().and_then(|i| i.nhs_number) == number
            };
            self.picture.residents.values().find(has)
        };
        by_id.or_else(by_number).ok_or_else(|| {
            Fault::Missing(format!(
                "there is no resident {text}: take the id from `medroundctl resident list`"
            ))
        })
    }

    /// Finds an order and its resident.
    ///
    /// # Errors
    /// When there is none.
    pub fn order(&self, text: &str) -> Result<(&Arc<ResidentPicture>, &OrderHistory), Fault> {
        let missing = || {
            Fault::Missing(format!(
                "there is no order {text}: take the id from `medroundctl order list`"
            ))
        };
        let id: OrderId = text.parse().map_err(|_| missing())?;
        let resident = self.picture.resident_of_order(id).ok_or_else(missing)?;
        let history = resident.orders.get(&id).ok_or_else(missing)?;
        Ok((resident, history))
    }

    /// Finds an administration and its resident.
    ///
    /// # Errors
    /// When there is none in the months that are loaded.
    pub fn administration(
        &self,
        text: &str,
    ) -> Result<(ResidentId, AdministrationId, &Administration), Fault> {
        let id = text.parse::<AdministrationId>().ok();
        let found = id.and_then(|id| {
            let residents = self.picture.residents.values();
            residents.filter_map(|r| r.administration(id).map(|a| (r.id, id, a))).next()
        });
        found.ok_or_else(|| Fault::Refused(Missing::Administration.into()))
    }

    /// Finds a member of staff by initials or id, active or not.
    ///
    /// # Errors
    /// When there is none.
    pub fn staff(&self, text: &str) -> Result<StaffId, Fault> {
        let home = &self.picture.home;
        let suspended = || {
            let fits = |id: &&StaffId| {
                home.person(**id).is_some_and(|s| s.initials.eq_ignore_ascii_case(text))
            };
            let mut found = home.staff().keys().filter(fits).copied();
            found.next().filter(|_| found.next().is_none())
        };
        home.find_staff(text).or_else(suspended).ok_or_else(|| {
            Fault::Missing(format!(
                "there is nobody with the initials or id {text}: look at `medroundctl staff list`"
            ))
        })
    }

    /// Finds a device by id or name.
    ///
    /// # Errors
    /// When there is none, or more than one has that name.
    pub fn device_named(&self, text: &str) -> Result<DeviceId, Fault> {
        let home = &self.picture.home;
        if let Ok(id) = text.parse::<DeviceId>()
            && home.devices().contains_key(&id)
        {
            return Ok(id);
        }
        let fits = |id: &&DeviceId| home.device_name(**id).eq_ignore_ascii_case(text);
        let mut found = home.devices().keys().filter(fits).copied();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Fault::Wrong(format!(
                "more than one device is called {text}: take the id from `medroundctl devices`"
            ))),
            (None, _) => Err(Fault::Missing(format!(
                "there is no device {text}: look at `medroundctl devices`"
            ))),
        }
    }

    /// Returns a person's initials, or `-` for nobody known.
    #[must_use]
    pub fn initials(&self, staff: Option<StaffId>) -> String {
        let person = staff.and_then(|id| self.picture.home.person(id));
        person.map_or_else(|| "-".to_owned(), |s| s.initials.clone())
    }

    /// Reads an instant: RFC 3339, or in the home's zone a date, a date with a time, or a time of
    /// today.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn instant(&self, text: &str) -> Result<Timestamp, Fault> {
        read_instant(text, self.zone(), self.today()).ok_or_else(|| {
            Fault::Wrong(format!(
                "`{text}` is not a time: write 2026-11-21T08:00, 08:00 for today, or RFC 3339"
            ))
        })
    }

    /// Reads an optional instant.
    ///
    /// # Errors
    /// As [`Session::instant`].
    pub fn instant_of(&self, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
        text.map(|text| self.instant(text)).transpose()
    }
}

/// Told where a question about now has no answer.
pub(super) const DAY_LOST: &str = "what is due cannot be said, because this device's clock cannot be right: type what your watch \
     shows: medroundctl clock 2026-11-21T08:03 --as INITIALS";

/// Returns what is to be told beside every answer of a device that was put out of the home, whose
/// record is damaged, or whose disk takes no count of wrong PINs; nothing for any other.
#[must_use]
pub fn not_to_be_relied_on(session: &Session<'_>) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(out) = session.device().put_out() {
        let at = super::page::moment(out.at, session.zone());
        let name = |device| session.picture.home.device_name(device);
        let how = match (out.said_by, out.reason) {
            (Some(device), _) => format!("as {} said at {at}", name(device)),
            (None, Some(reason)) => format!("{at}: {reason}"),
            (None, None) => at,
        };
        told.push(format!(
            "THIS DEVICE WAS TAKEN OUT OF THE HOME ({how}). What it shows is no longer kept up to \
             date, and nothing can be recorded on it: use another device, or paper. To use this \
             one again, a manager opens `medroundctl invite` on another device, and this one \
             joins in an empty folder: medroundctl --data NEW-FOLDER join CODE --device NAME"
        ));
    }
    if let Some(damage) = session.device().damage() {
        told.push(format!("DAMAGED: {}.", crate::fit_for_use::damage_in_words(&damage)));
    }
    if session.device().reader().is_ok_and(|reader| !reader.local().counts_pins()) {
        told.push(format!("{}.", crate::pins::NOT_COUNTED));
    }
    told
}

/// Tells a fault where no home is open, and returns its exit code.
pub(super) fn tell(fault: &Fault, out: &mut super::Output<'_>) -> u8 {
    let london = Settings::new("-", NaiveDate::default()).zone;
    out.fault(fault, london);
    fault.exit_code()
}

/// Returns the zone of a home at an instant; London before any settings are held.
#[must_use]
pub fn zone_of(picture: &Picture, now: Timestamp) -> Tz {
    let settings = picture.home.settings_on(now.utc().date_naive());
    settings.map_or_else(|| Settings::new("-", NaiveDate::default()).zone, |s| s.zone)
}

/// Reads a civil date.
///
/// # Errors
/// When it is none.
pub fn date(text: &str) -> Result<NaiveDate, Fault> {
    text.parse()
        .map_err(|_| Fault::Wrong(format!("`{text}` is not a date: write it as 2026-11-21")))
}

/// Reads an instant as people and programs write it; `None` when it is none.
#[must_use]
pub fn read_instant(text: &str, zone: Tz, today: NaiveDate) -> Option<Timestamp> {
    if let Some(at) = Timestamp::from_rfc3339(text) {
        return Some(at);
    }
    // RFC 3339 asks for seconds, and a watch shows none.
    let to_the_minute = ["%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z"];
    if let Some(at) =
        to_the_minute.into_iter().find_map(|shape| DateTime::parse_from_str(text, shape).ok())
    {
        return Some(at.to_utc().into());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(at_civil(zone, day, NaiveTime::MIN));
    }
    if let Ok(time) = text.parse::<TimeOfDay>() {
        return Some(at_civil(zone, today, time.naive()));
    }
    let civil = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok())?;
    Some(at_civil(zone, civil.date(), civil.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let zone = Settings::new("-", NaiveDate::default()).zone;
        let today = "2026-07-01".parse().unwrap();
        let read = read_instant(text, zone, today).map(|at| at.rfc3339(zone));
        assert_eq!(read.as_deref(), expected, "{text}");
    }

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        check("2026-11-21T08:00:00+00:00", Some("2026-11-21T08:00:00+00:00"));
        check("2026-11-21T08:00:00Z", Some("2026-11-21T08:00:00+00:00"));
        check("2026-06-30", Some("2026-06-30T00:00:00+01:00"));
        check("08:30", Some("2026-07-01T08:30:00+01:00"));
        check("2026-06-30T23:15", Some("2026-06-30T23:15:00+01:00"));
        check("2026-06-30 23:15", Some("2026-06-30T23:15:00+01:00"));
        check("2026-11-22T02:00Z", Some("2026-11-22T02:00:00+00:00"));
        check("2026-06-30T23:15+02:00", Some("2026-06-30T22:15:00+01:00"));
        check("2026-06-30 23:15-05:00", Some("2026-07-01T05:15:00+01:00"));
        check("2026-06-30T23:15+0100", Some("2026-06-30T23:15:00+01:00"));
        for text in [
            "",
            "tomorrow",
            "8:30",
            "25:00",
            "2026-02-30",
            "30/06/2026",
            "2026-06-30T25:00Z",
            "2026-06-30T23:15+",
        ] {
            check(text, None);
        }
    }
}
