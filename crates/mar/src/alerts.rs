//! What somebody has to look at: functions of (picture, now), never stored. One alert a cause, each
//! with one owner.

mod typed;
mod unrecorded;

pub use unrecorded::counted_from;

use crate::fact::{CLINICAL, Check, Fact, HomeFact, MembershipFact, OutcomeRecorded, SecondPerson};
use crate::first;
use crate::ids::{AdministrationId, EntryId, FollowUpId, OrderId, ResidentId, StaffId};
use crate::order::{EFFECT_CHECK_DEFAULT, State};
use crate::outcome::{Outcome, Practice};
use crate::picture::{Administration, Picture, Recorded, ResidentPicture, Standing};
use crate::plausible;
use crate::rules::{self, Finding};
use crate::schedule::SlotId;
use crate::settings::Settings;
use crate::time::{Minutes, Timestamp};
use crate::waiting::{Step, waiting};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Act now.
    Red,
    /// This shift.
    Amber,
    /// A list.
    Grey,
}

impl Tier {
    /// Returns the tier's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Grey => "grey",
        }
    }
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// How urgent.
    pub tier: Tier,
    /// The cause.
    pub cause: Cause,
    /// The resident; `None` for the home.
    pub resident: Option<ResidentId>,
    /// Since when the cause is there.
    pub since: Timestamp,
    /// Who owns it: a person who took it, else a role in words.
    pub owner: Owner,
}

/// Who looks after an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// This person.
    Staff(StaffId),
    /// Whoever leads the shift.
    ShiftLead,
    /// The manager.
    Manager,
}

/// The causes of alerts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// One slot, more than one dose taken: POSSIBLE DOUBLE DOSE (Y-03).
    DoubleDose(SlotId, Vec<AdministrationId>),
    /// A dose that the merged record shows to have been too soon (Y-09).
    IntervalBreach(AdministrationId),
    /// A dose that the merged record shows to have been too much (Y-09).
    TotalBreach(AdministrationId),
    /// More of a rescue medicine than its most in 24 hours (W-05).
    RescueOver(AdministrationId),
    /// A dose that was taken when its order was stopped: its giver may not have heard of the
    /// stop.
    AfterStop(AdministrationId),
    /// A dose that was given while its order was held (O-12, Y-02): its giver may not have heard of
    /// the hold.
    WhileHeld(AdministrationId),
    /// Given when the resident was recorded as out of the home (R-05, Y-02).
    WhileAway(AdministrationId),
    /// A due dose that nobody recorded (D-04).
    Unrecorded(SlotId),
    /// Older due doses of one order that nobody recorded: one alert for all of them, until each is
    /// answered or closed (D-04). [`counted_from`] says how far back they are looked for.
    UnrecordedBefore(OrderId, Vec<SlotId>),
    /// A time-critical dose past its time (W-02).
    CriticalLate(SlotId),
    /// The effect of a when-required dose was not noted (P-07).
    EffectDue(AdministrationId),
    /// A medicine stands in the pot (D-02, W-03).
    Popped(EntryId),
    /// The time has come at which an order that is held was to be looked at again (O-12).
    HoldReview(OrderId),
    /// A check is owed for an order that one person activated (W-09).
    CheckOwed(OrderId),
    /// Orders that nobody has confirmed or checked: one alert for a resident, with all of them.
    OrdersWait(Vec<OrderId>),
    /// Two orders in force hold the same medicine, and nobody said that this is meant (O-08).
    SameMedicine(OrderId, OrderId),
    /// Versions of an order were written apart (Y-01).
    OrderConflict(OrderId),
    /// Identity was written apart.
    IdentityConflict,
    /// Residents who are here have one NHS number: they were admitted apart, and are one person
    /// twice or two of whom one has a wrong number (R-01, H-39). The others, for each of them.
    SameNhsNumber(Vec<ResidentId>),
    /// Allergies were written apart and joined (Y-02).
    AllergyConflict,
    /// Where the resident is was written apart, and differs: ask (Y-02).
    WhereaboutsConflict,
    /// A dose was corrected apart.
    CorrectionConflict(AdministrationId),
    /// Nobody has asked for allergies.
    AllergiesNotAsked,
    /// An entry that does not count, or that a manager is to look at.
    InDoubt(EntryId),
    /// A named check rests on the giver's own statement (W-16), a controlled drug was given without
    /// a witness (W-13), or one person alone took back a dose that stood as given (D-13).
    AloneReview(AdministrationId),
    /// Doses of an order were given covertly, and this record knows of no plan for it.
    CovertPlan(OrderId),
    /// A clinical entry that this program cannot read: update this device (Y-11).
    NeedsUpdate,
    /// An open follow-up (W-12).
    FollowUp(FollowUpId),
    /// First doses that fell due before their orders were checked, and that nobody answered for
    /// (S-09, W-11): one line a resident.
    FirstDoses(Vec<SlotId>),
    /// A dose that is not recorded, and the first dose of its order was taken at this time, too near
    /// before it: ask before it is given (W-11, D-07).
    NextNear(SlotId, Timestamp),
    /// A person typed the time on a device: what was recorded there since rests on a watch (W-08).
    TimeTyped(EntryId),
}

impl Cause {
    /// Returns the cause's word on the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::DoubleDose(..) => "possible-double-dose",
            Self::IntervalBreach(_) => "interval-breach",
            Self::TotalBreach(_) => "total-breach",
            Self::RescueOver(_) => "rescue-over-most",
            Self::AfterStop(_) => "given-after-stop",
            Self::WhileHeld(_) => "given-while-held",
            Self::WhileAway(_) => "given-while-away",
            Self::Unrecorded(_) => "unrecorded",
            Self::UnrecordedBefore(..) => "unrecorded-before",
            Self::CriticalLate(_) => "time-critical-late",
            Self::EffectDue(_) => "effect-due",
            Self::Popped(_) => "popped-without-outcome",
            Self::HoldReview(_) => "hold-review",
            Self::CheckOwed(_) => "check-owed",
            Self::OrdersWait(_) => "orders-wait",
            Self::SameMedicine(..) => "same-medicine-twice",
            Self::OrderConflict(_) => "order-conflict",
            Self::IdentityConflict => "identity-conflict",
            Self::SameNhsNumber(_) => "same-nhs-number",
            Self::AllergyConflict => "allergy-conflict",
            Self::WhereaboutsConflict => "whereabouts-conflict",
            Self::CorrectionConflict(_) => "correction-conflict",
            Self::AllergiesNotAsked => "allergies-not-asked",
            Self::InDoubt(_) => "in-doubt",
            Self::AloneReview(_) => "review-alone",
            Self::CovertPlan(_) => "covert-without-plan",
            Self::NeedsUpdate => "update-this-device",
            Self::FollowUp(_) => "follow-up",
            Self::FirstDoses(_) => "first-dose",
            Self::NextNear(..) => "next-dose-near",
            Self::TimeTyped(_) => "time-typed",
        }
    }

    /// Whether it comes of what was done while apart: what `conflicts` lists.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::DoubleDose(..)
                | Self::IntervalBreach(_)
                | Self::TotalBreach(_)
                | Self::AfterStop(_)
                | Self::WhileHeld(_)
                | Self::WhileAway(_)
                | Self::OrderConflict(_)
                | Self::SameMedicine(..)
                | Self::IdentityConflict
                | Self::SameNhsNumber(_)
                | Self::AllergyConflict
                | Self::WhereaboutsConflict
                | Self::CorrectionConflict(_)
                | Self::InDoubt(_)
        )
    }
}

/// A prepared dose with no outcome is told after this (D-02).
const POPPED_AFTER: Minutes = Minutes(30);

/// Returns what somebody has to look at, most urgent first, then oldest first.
#[must_use]
pub fn alerts(picture: &Picture, now: Timestamp) -> Vec<Alert> {
    let mut found = Vec::new();
    for resident in picture.residents.values() {
        let told = BTreeSet::new();
        let mut list = Collector { resident, now, found: &mut found, told };
        list.apart();
        list.same_number(picture);
        list.doses(picture);
        list.unrecorded(picture);
        list.tasks(picture);
    }
    found.extend(home_in_doubt(picture));
    found.extend(home_unread(picture));
    found.extend(typed::typed_times(picture, now));
    found.sort_by(|a, b| (a.tier, a.since, &a.cause).cmp(&(b.tier, b.since, &b.cause)));
    // One cause, one alert, since the oldest of what it stands for: several entries that
    // cannot be read are one update.
    let mut told = BTreeSet::new();
    found.retain(|alert| told.insert((alert.resident, alert.cause.clone())));
    found
}

struct Collector<'a> {
    resident: &'a ResidentPicture,
    now: Timestamp,
    found: &'a mut Vec<Alert>,
    /// Incidents that the line of what they are about tells.
    told: BTreeSet<FollowUpId>,
}

impl<'a> Collector<'a> {
    fn add(&mut self, tier: Tier, cause: Cause, since: Timestamp, owner: Owner) {
        self.found.push(Alert { tier, cause, resident: Some(self.resident.id), since, owner });
    }

    /// What two people did while apart.
    fn apart(&mut self) {
        let resident = self.resident;
        for (slot, doses) in rules::double_doses(resident) {
            self.told.extend(doses.iter().filter_map(|id| resident.incident_of(*id)).map(|f| f.id));
            let since =
                doses.iter().filter_map(|id| given_at(resident, *id)).max().unwrap_or(self.now);
            self.add(Tier::Red, Cause::DoubleDose(slot, doses), since, Owner::ShiftLead);
        }
        for (a, b, since) in plausible::doubled(resident, self.now) {
            self.add(Tier::Red, Cause::SameMedicine(a, b), since, Owner::ShiftLead);
        }
        for history in resident.orders.values().filter(|h| h.has_conflict()) {
            let since =
                history.versions().iter().filter(|v| v.conflict).map(|v| v.written.wall).max();
            self.add(
                Tier::Red,
                Cause::OrderConflict(history.id),
                since.unwrap_or(self.now),
                Owner::ShiftLead,
            );
        }
        if let Some((entry, _)) = resident.identity_conflict().last() {
            self.add(Tier::Amber, Cause::IdentityConflict, entry.wall, Owner::Manager);
        }
        if resident.has_allergy_conflict() {
            self.add(Tier::Amber, Cause::AllergyConflict, self.now, Owner::ShiftLead);
        }
        let apart = resident.whereabouts_apart();
        if let Some(since) = apart.iter().map(|(entry, _)| entry.wall).max() {
            self.add(Tier::Red, Cause::WhereaboutsConflict, since, Owner::ShiftLead);
        }
        for administration in resident.administrations.values().filter(|a| a.has_conflict()) {
            if let Some(id) = administration.id() {
                self.add(Tier::Red, Cause::CorrectionConflict(id), self.now, Owner::ShiftLead);
            }
        }
        for entry in resident.in_doubt() {
            if entry.fact != Fact::Unknown || entry.standing == Standing::Quarantined {
                self.add(Tier::Amber, Cause::InDoubt(entry.id), entry.wall, Owner::Manager);
            } else if entry.kind.class & CLINICAL != 0 {
                self.add(Tier::Red, Cause::NeedsUpdate, entry.wall, Owner::Manager);
            }
        }
        for entry in self.without_order() {
            self.add(Tier::Amber, Cause::InDoubt(entry.id), entry.wall, Owner::Manager);
        }
    }

    /// Others here with this resident's NHS number: a nurse may look at either.
    fn same_number(&mut self, picture: &Picture) {
        let resident = self.resident;
        let number = resident.identity().and_then(|i| i.nhs_number);
        let Some(number) = number.filter(|_| resident.is_here(self.now)) else { return };
        let others =
            picture.with_nhs_number(number).filter(|r| r.id != resident.id && r.is_here(self.now));
        let others: Vec<ResidentId> = others.map(|r| r.id).collect();
        if !others.is_empty() {
            let since = resident.identity_written().unwrap_or(self.now);
            self.add(Tier::Red, Cause::SameNhsNumber(others), since, Owner::Manager);
        }
    }

    /// Doses of which no version is held here (yet): they stand on no chart, so they stand here.
    fn without_order(&self) -> Vec<&'a Arc<Recorded>> {
        let resident = self.resident;
        let known = |o: &OutcomeRecorded| {
            resident.orders.get(&o.order).is_some_and(|h| h.has_version(o.version))
        };
        resident
            .administrations
            .values()
            .filter_map(|a| a.record())
            .filter(|(w, o)| w.standing == Standing::InForce && !known(o))
            .map(|(w, _)| w)
            .collect()
    }

    fn doses(&mut self, picture: &Picture) {
        let resident = self.resident;
        // The look-back reaches before the cycles that are listed, so that their first doses have
        // their neighbours.
        let taken = rules::taken(&picture.home, resident, Timestamp(i64::MIN));
        for (administration, found) in rules::findings(resident, &taken) {
            // Too much at once may be too much in 24 hours as well: one cause, one alert.
            let causes: BTreeSet<Cause> =
                found.into_iter().filter_map(|f| cause_of(f, administration)).collect();
            if causes.is_empty() {
                continue;
            }
            let since = given_at(resident, administration).unwrap_or(self.now);
            self.told.extend(resident.incident_of(administration).map(|f| f.id));
            for cause in causes {
                // Where somebody was is often written late: it asks, and a second dose does not.
                let tier =
                    if matches!(cause, Cause::WhileAway(_)) { Tier::Amber } else { Tier::Red };
                self.add(tier, cause, since, Owner::ShiftLead);
            }
        }
        self.first_doses(picture);
    }

    /// First doses that fell due before the check and that nobody answered for.
    fn first_doses(&mut self, picture: &Picture) {
        let resident = self.resident;
        if !resident.whereabouts(self.now).is_present() {
            return;
        }
        let fallback = Settings::new("-", chrono::NaiveDate::default());
        let settings = rules::by_date(&picture.home, &fallback);
        for history in resident.orders.values() {
            let near = first::next_in_doubt(resident, history, &settings, self.now);
            if let Some((next, last)) = near {
                self.add(Tier::Red, Cause::NextNear(next.id, last), last, Owner::ShiftLead);
            }
        }
        let orders = resident.orders.values();
        let open: Vec<_> = orders
            .filter_map(|history| first::unanswered(resident, history, &settings, self.now))
            .collect();
        if let Some(since) = open.iter().map(|first| first.from).min() {
            let slots = open.into_iter().map(|first| first.slot.id).collect();
            self.add(Tier::Amber, Cause::FirstDoses(slots), since, Owner::ShiftLead);
        }
    }

    fn tasks(&mut self, picture: &Picture) {
        let resident = self.resident;
        for (entry, _) in resident.pot() {
            if self.now >= entry.wall.plus(POPPED_AFTER) {
                let owner = entry.staff().map_or(Owner::ShiftLead, Owner::Staff);
                self.add(
                    Tier::Amber,
                    Cause::Popped(entry.id),
                    entry.wall.plus(POPPED_AFTER),
                    owner,
                );
            }
        }
        self.effects();
        self.alone(picture);
        self.covert();
        for history in resident.orders.values() {
            let owed =
                history.versions().into_iter().find(|v| v.checked.is_none() && v.from.is_some());
            if let Some(alone) = owed.and_then(|v| v.alone) {
                self.add(Tier::Amber, Cause::CheckOwed(history.id), alone.wall, Owner::ShiftLead);
            }
        }
        self.waiting();
        self.held();
        if resident.is_here(self.now)
            && resident.identity().is_some()
            && resident.allergies() == crate::resident::Allergies::NotAsked
        {
            self.add(Tier::Amber, Cause::AllergiesNotAsked, self.now, Owner::ShiftLead);
        }
        for follow_up in resident.follow_ups().into_iter().filter(|f| f.closed.is_none()) {
            if self.told.contains(&follow_up.id) || resident.is_found_out(&follow_up) {
                continue;
            }
            let owner = follow_up.owner.map_or(Owner::ShiftLead, Owner::Staff);
            self.add(Tier::Amber, Cause::FollowUp(follow_up.id), follow_up.since, owner);
        }
    }

    /// An order that nobody has looked at is a medicine that nobody gives (O-02). Two versions that
    /// were written apart are an alert of their own.
    fn waiting(&mut self) {
        let mut found = waiting(self.resident, self.now);
        found.retain(|w| w.step != Step::Decide);
        let since = found.iter().map(|w| w.since).min();
        if let Some(since) = since.filter(|_| self.resident.is_here(self.now)) {
            let orders: BTreeSet<OrderId> = found.iter().map(|w| w.order).collect();
            let cause = Cause::OrdersWait(orders.into_iter().collect());
            self.add(Tier::Amber, cause, since, Owner::ShiftLead);
        }
    }

    /// A hold that nobody looks at again is a stop that nobody decided (O-12).
    fn held(&mut self) {
        let resident = self.resident;
        if !resident.is_here(self.now) {
            return;
        }
        for history in resident.orders.values() {
            let review = history.hold_review().filter(|at| self.now >= *at);
            if let Some(since) = review
                && history.state(self.now) == State::Held
            {
                self.add(Tier::Amber, Cause::HoldReview(history.id), since, Owner::ShiftLead);
            }
        }
    }

    /// The effect of a when-required dose is looked for at the protocol's time (P-07).
    fn effects(&mut self) {
        let resident = self.resident;
        for administration in resident.administrations.values() {
            let Some((entry, record)) = administration.record() else {
                continue;
            };
            let Some(recording) = administration.effective().filter(|r| r.outcome.is_taken())
            else {
                continue;
            };
            if record.prn.is_none() || !administration.effects().is_empty() {
                continue;
            }
            let version = resident
                .orders
                .get(&record.order)
                .and_then(|h| h.version_as_written(record.version));
            let after =
                version.and_then(|v| v.version.content.prn().and_then(|p| p.protocol.check_after));
            let since = recording.given_at.plus(after.unwrap_or(EFFECT_CHECK_DEFAULT));
            if self.now >= since {
                let owner = entry.staff().map_or(Owner::ShiftLead, Owner::Staff);
                self.add(Tier::Amber, Cause::EffectDue(record.administration), since, owner);
            }
        }
    }

    /// Given covertly on the giver's word that a plan is in force: the manager looks (X-05, H-30).
    fn covert(&mut self) {
        let mut first: BTreeMap<OrderId, Timestamp> = BTreeMap::new();
        for administration in self.resident.administrations.values() {
            let covert = Outcome::Practice(Practice::GivenCovertly);
            let told = administration.effective().filter(|r| r.outcome == covert);
            if let (Some(told), Some((_, record))) = (told, administration.record()) {
                let since = first.entry(record.order).or_insert(told.given_at);
                *since = told.given_at.min(*since);
            }
        }
        for (order, since) in first {
            self.add(Tier::Amber, Cause::CovertPlan(order), since, Owner::Manager);
        }
    }

    /// What one person did alone is shown to the manager next morning (W-13, W-16).
    fn alone(&mut self, picture: &Picture) {
        for administration in self.resident.administrations.values() {
            let Some((entry, record)) = administration.record() else {
                continue;
            };
            let statement = record
                .gap
                .as_ref()
                .is_some_and(|g| g.check == Check::Named(SecondPerson::OwnStatement));
            let history = self
                .resident
                .orders
                .get(&record.order)
                .and_then(|h| h.version_as_written(record.version));
            let day = record.recording.given_at.utc().date_naive();
            let controlled = history.is_some_and(|v| {
                let settings = picture.home.settings_on(day);
                settings.is_some_and(|s| s.witnessed(v.version.content.medicine.cd))
            });
            let taken = administration.effective().is_some_and(|r| r.outcome.is_taken());
            let unwitnessed =
                controlled && taken && entry.made.as_ref().is_some_and(|m| m.witness.is_none());
            let taken_back = !taken && taken_back_alone(administration);
            if statement || unwitnessed || taken_back {
                self.add(
                    Tier::Grey,
                    Cause::AloneReview(record.administration),
                    entry.wall,
                    Owner::Manager,
                );
            }
        }
    }
}

/// Whether one person alone took back what stood as taken, and no second person has looked at it
/// since (D-13).
fn taken_back_alone(administration: &Administration) -> bool {
    let mut stood = administration.record().is_some_and(|(_, o)| o.recording.outcome.is_taken());
    let mut alone = false;
    for (entry, corrected) in administration.corrections() {
        let stands = corrected.instead.as_ref().is_some_and(|r| r.outcome.is_taken());
        let by_two = entry.made.as_ref().is_some_and(|m| m.witness.is_some());
        alone = !by_two && (alone || (stood && !stands));
        stood = stands;
    }
    alone
}

/// The cause of what is found of one dose; `None` for a double dose, which is told by its slot.
const fn cause_of(finding: Finding, dose: AdministrationId) -> Option<Cause> {
    match finding {
        Finding::DoubleDose => None,
        Finding::TooSoon => Some(Cause::IntervalBreach(dose)),
        Finding::TooMuch | Finding::AboveDose => Some(Cause::TotalBreach(dose)),
        Finding::RescueOver => Some(Cause::RescueOver(dose)),
        Finding::AfterStop => Some(Cause::AfterStop(dose)),
        Finding::WhileHeld => Some(Cause::WhileHeld(dose)),
        Finding::WhileAway => Some(Cause::WhileAway(dose)),
    }
}

fn given_at(resident: &ResidentPicture, id: AdministrationId) -> Option<Timestamp> {
    resident.administration(id).and_then(|a| a.effective()).map(|r| r.given_at)
}

/// Home entries that do not count: a manager has to know that somebody tried.
fn home_in_doubt(picture: &Picture) -> Vec<Alert> {
    let staff =
        picture.home.staff().values().flat_map(|s| s.writes.values().chain(s.pins.values()));
    let devices =
        picture.home.devices().values().flat_map(|d| d.enrolled.values().chain(d.revoked.values()));
    staff
        .chain(devices)
        .filter(|w| w.standing != Standing::InForce)
        .filter(|w| {
            matches!(
                &w.fact,
                Fact::Home(HomeFact::StaffWritten { .. } | HomeFact::PinSet { .. })
                    | Fact::Membership(
                        MembershipFact::DeviceEnrolled(_) | MembershipFact::DeviceRevoked(_)
                    )
            )
        })
        .map(|w| Alert {
            tier: Tier::Amber,
            cause: Cause::InDoubt(w.id),
            resident: None,
            since: w.wall,
            owner: Owner::Manager,
        })
        .collect()
}

/// What is written for the whole home and cannot be read here: one alert (Y-11).
fn home_unread(picture: &Picture) -> Option<Alert> {
    let since = picture.home.unread().map(|w| w.wall).min()?;
    let cause = Cause::NeedsUpdate;
    Some(Alert { tier: Tier::Red, cause, resident: None, since, owner: Owner::Manager })
}
