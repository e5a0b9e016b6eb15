//! Sixty residents with one medicine each, of which as much may be given as a bench needs.

use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Command, Told};
use mar::fact::DeviceRole;
use mar::ids::{HomeId, OrderId, ResidentId, StaffId};
use mar::order::Flags;
use mar::outcome::Outcome;
use mar::resident::{Allergies, Identity};
use mar::staff::{Employment, Role, Staff};
use store::backend::Disk;
use store::entry::Sealed;
use store::heads::Heads;
use store::keys::{Keys, StateFile};
use store::record::{Opening, Range, Record};

use crate::home::{Place, command, headache, random, when_required};

/// Residents of the home, so that one resident's doses are as far apart as in life.
const RESIDENTS: usize = 60;

/// Who gives what to whom.
pub(crate) struct Ward {
    nurse: StaffId,
    residents: Vec<Given>,
    next: usize,
}

/// A dose that is to be given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) resident: ResidentId,
    order: OrderId,
    /// The resident's doses, this one included.
    pub(crate) doses: usize,
}

/// Writes a nurse, the residents and their medicines.
pub(crate) fn ward(place: &Place, manager: StaffId) -> Ward {
    let nurse = StaffId(random());
    let details = Staff {
        name: "Niamh Byrne".to_owned(),
        initials: "NB".to_owned(),
        role: Role::Nurse,
        may_witness: true,
        standing: Employment::Active,
    };
    place.ask(manager, Ask::Home(AskHome::WriteStaff { staff: nurse, details }));
    let residents = (0..RESIDENTS).map(|number| admit(place, (manager, nurse), number)).collect();
    Ward { nurse, residents, next: 0 }
}

fn admit(place: &Place, (manager, nurse): (StaffId, StaffId), number: usize) -> Given {
    let (resident, order) = (ResidentId(random()), OrderId(random()));
    let about = |ask| Ask::Resident(resident, ask);
    let identity = Identity::named(&format!("Resident{number}"), "Test");
    place.ask(manager, about(AskResident::WriteIdentity(identity)));
    let none = Allergies::NoneKnown { by: "GP".to_owned(), on: None };
    place.ask(manager, about(AskResident::WriteAllergies(none)));
    let rescue = Flags { rescue: true, ..Flags::default() };
    let content = when_required("Medicine without limits", place.device().now(), rescue);
    let write = AskOrder::Write {
        order,
        content,
        same_meaning: None,
        allergy_decided: None,
        intended: Some("both are meant".into()),
        label_read: None,
    };
    place.ask(manager, Ask::Order(resident, write));
    place.ask(nurse, Ask::Order(resident, AskOrder::Check { order, version: None }));
    Given { resident, order, doses: 0 }
}

impl Ward {
    /// Returns the dose that is given next: the residents take turns.
    pub(crate) fn next(&mut self) -> Given {
        let at = self.next % self.residents.len();
        self.next += 1;
        self.residents[at].doses += 1;
        self.residents[at]
    }

    /// Returns the command that gives a dose.
    pub(crate) fn dose(&self, given: Given) -> Command {
        let note = headache(Some(4));
        let ask = AskDose::Prn { order: given.order, told: Told::of(Outcome::Given), note };
        command(self.nurse, Ask::Dose(given.resident, ask))
    }

    /// Gives so many doses in one commit.
    pub(crate) fn give(&mut self, place: &Place, doses: usize) {
        let commands = (0..doses)
            .map(|_| {
                let given = self.next();
                self.dose(given)
            })
            .collect();
        place.device().submit_all(commands).unwrap();
    }
}

/// Makes a device a member of the home of `office`; it holds everything then, ends cleanly and is
/// closed.
pub(crate) fn member(device: &mut Place, office: &Place, manager: StaffId) {
    device.join(office, "Trolley", manager, DeviceRole::Member);
    device.dial(office);
    let both = [device.device(), office.device()];
    crate::home::until("both devices hold the same", || {
        let [a, b] = both.map(|device| device.status().unwrap());
        a.heads_hash == b.heads_hash && a.state_hash == b.state_hash
    });
    device.close();
}

/// Returns every entry of the longest log that a device holds, in order. It is closed meanwhile.
pub(crate) fn everything(place: &mut Place) -> Vec<Sealed> {
    look(place, |record| {
        let last = record.heads().iter().filter_map(|(log, held)| Some((log, held.latest()?)));
        let (log, head) = last.max_by_key(|(_, head)| head.sequence).unwrap();
        match record.reader().range(log, None, &head, usize::MAX).unwrap() {
            Range::Entries(entries) => entries,
            Range::NotOnBranch | Range::NotHeld => panic!("a head that is held"),
        }
    })
}

/// Returns the home and what a device holds. It is closed meanwhile.
pub(crate) fn heads(place: &mut Place) -> (HomeId, Heads) {
    look(place, |record| (record.pinned().home, record.heads().clone()))
}

fn look<T>(place: &mut Place, at: impl FnOnce(&Record) -> T) -> T {
    place.close_at_once();
    let data = place.folders().data;
    let opening = Opening {
        disk: Disk::folder(&data),
        keys: Keys::load(&data.join("device.keys")).unwrap().unkept(),
        state: StateFile::nowhere(),
    };
    let record = Record::open(opening, place.clock.now()).unwrap();
    let seen = at(&record);
    drop(record);
    place.open();
    seen
}
