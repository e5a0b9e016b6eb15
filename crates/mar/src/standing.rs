//! Whether an entry counts: devices, revocations, roles and suspensions.
//!
//! It is a pure function of the entry and of the home's entries held, so that no device differs by
//! order of arrival. When a home entry arrives, [`reopened`] says which entries to judge again.

use crate::fact::{Actor, CLINICAL, DeviceRole, Fact, HomeFact, Made, MembershipFact};
use crate::ids::{EntryId, LogId, StaffId};
use crate::picture::{DeviceRecord, HomePicture, Recorded, StaffRecord, Stamp, Standing};
use crate::staff::{Act, Employment, Staff};

/// The first manager, the first settings and the first secret are written by the founding device
/// itself, in the first entries of the founding log and nowhere else.
pub const SETUP_ENTRIES: u64 = 16;

/// Judges an entry. The `standing` it carries is not looked at.
#[must_use]
pub fn judge(home: &HomePicture, entry: &Recorded) -> Standing {
    if is_cut_off(home, entry) {
        return Standing::Quarantined;
    }
    let device = entry.device.and_then(|id| home.devices().get(&id));
    let Some((_, role)) = device.and_then(DeviceRecord::enrolment) else {
        // The founding log's own start comes before its device is known.
        return if is_start(&entry.fact) { Standing::InForce } else { Standing::Unknown };
    };
    if role == DeviceRole::Observer && !observer_may(entry) {
        return Standing::Quarantined;
    }
    if let Fact::Unknown = entry.fact {
        return Standing::Unknown;
    }
    if speaks_for_another(entry) {
        return Standing::Quarantined;
    }
    match (&entry.made, entry.fact.act()) {
        (None, None) => Standing::InForce,
        (None, Some(_)) => Standing::Quarantined,
        (Some(made), act) => match made.actor {
            Actor::Device => judge_device(home, entry, made, act),
            Actor::Staff(staff) => {
                judge_staff(home, entry, made, staff).max(judge_witness(home, made))
            }
        },
    }
}

fn is_start(fact: &Fact) -> bool {
    matches!(fact, Fact::Membership(MembershipFact::LogStarted(_) | MembershipFact::HomeFounded(_)))
}

fn observer_may(entry: &Recorded) -> bool {
    match &entry.fact {
        Fact::Access(_) => true,
        Fact::Membership(membership) => membership_is_own(membership),
        // It speaks of its own clock.
        Fact::Home(HomeFact::TimeTyped { .. }) => true,
        // An unknown kind of an observer is never clinical: it would stop the giving of others.
        Fact::Unknown => entry.kind.class & CLINICAL == 0,
        Fact::Home(_) | Fact::Resident(_) | Fact::Order(_) | Fact::Dose(_) | Fact::FollowUp(_) => {
            false
        }
    }
}

/// Whether a device says of another that it is parked, or what it can read: only the device itself
/// knows, and a parked device is not asked for (W-16).
fn speaks_for_another(entry: &Recorded) -> bool {
    match &entry.fact {
        Fact::Membership(
            MembershipFact::DeviceParked { device, .. }
            | MembershipFact::DeviceReads { device, .. },
        ) => entry.device != Some(*device),
        Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Access(_)
        | Fact::Unknown => false,
    }
}

/// What a device says about itself.
const fn membership_is_own(fact: &MembershipFact) -> bool {
    match fact {
        MembershipFact::LogStarted(_)
        | MembershipFact::DeviceParked { .. }
        | MembershipFact::DeviceReads { .. } => true,
        MembershipFact::HomeFounded(_)
        | MembershipFact::DeviceEnrolled(_)
        | MembershipFact::DeviceRevoked(_)
        | MembershipFact::SecretSealed(_) => false,
    }
}

/// Whether a revocation leaves the entry outside: later in its log than the last valid one, in a
/// log that the revocation does not list, or in another branch of it. Of two revocations only the
/// one that goes before can leave the other outside: each looking at the other would have no end.
fn is_cut_off(home: &HomePicture, entry: &Recorded) -> bool {
    let Some(device) = entry.device.and_then(|id| home.devices().get(&id)) else {
        return false;
    };
    let is_revocation = matches!(&entry.fact, Fact::Membership(MembershipFact::DeviceRevoked(_)));
    device.revocations().any(|(written, revoked)| {
        if is_revocation && rank(home, entry) <= rank(home, written) {
            return false;
        }
        let valid = revoked.last_valid.iter().find(|(log, ..)| *log == entry.stamp.log);
        valid.is_none_or(|(_, last, hash)| {
            let other_branch = entry.stamp.sequence == *last && EntryId::of_hash(hash) != entry.id;
            entry.stamp.sequence > *last || other_branch
        })
    })
}

/// Which of two revocations goes before the other: the one from the device that is nearer to the
/// founding, and of two equally near the earlier one. A device writes its own stamp as it likes,
/// but nobody brings it nearer than whoever enrolled it: where it and a device by which it came
/// into the home revoke each other, it is the one to go.
fn rank(home: &HomePicture, entry: &Recorded) -> (u32, Stamp, EntryId) {
    let steps = home.owner(entry.stamp.log).and_then(|device| home.steps_from_founding(device));
    (steps.unwrap_or(u32::MAX), entry.stamp, entry.id)
}

fn judge_device(home: &HomePicture, entry: &Recorded, made: &Made, act: Option<Act>) -> Standing {
    let Some(authority) = home.authority(made.authority) else {
        return Standing::Unknown;
    };
    let founding = home.founding_entry();
    let at_setup = founding.is_some_and(|f| f.id == authority.id && f.stamp.log == entry.stamp.log)
        && entry.stamp.sequence < SETUP_ENTRIES;
    let own = entry.device.is_some_and(|d| {
        home.devices().get(&d).is_some_and(|r| r.enrolled.contains_key(&authority.id))
    });
    let unattended = match &entry.fact {
        Fact::Access(_) => true,
        Fact::Membership(fact) => membership_is_own(fact),
        Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Unknown => false,
    };
    let setup_fact =
        matches!(&entry.fact, Fact::Home(_) | Fact::Membership(MembershipFact::SecretSealed(_)));
    if (own && (unattended || act.is_none())) || (at_setup && setup_fact) {
        Standing::InForce
    } else {
        Standing::Quarantined
    }
}

fn judge_staff(home: &HomePicture, entry: &Recorded, made: &Made, staff: StaffId) -> Standing {
    let Some(record) = home.staff().get(&staff) else {
        return Standing::Unknown;
    };
    let Some(authority) = record.writes.get(&made.authority) else {
        return Standing::Unknown;
    };
    let Some(act) = entry.fact.act().filter(|_| !is_own_pin(&entry.fact, staff)) else {
        return Standing::InForce;
    };
    let out_of_role =
        if act.has_happened() { Standing::NeedsReview } else { Standing::Quarantined };
    // What does not count itself gives nobody a right.
    if !allows(authority, act) || authority.standing == Standing::Quarantined {
        return out_of_role;
    }
    if authority.standing == Standing::Unknown {
        return Standing::Unknown;
    }
    let mut standing = Standing::InForce;
    for later in record.writes.values().filter(|w| w.id != authority.id && !allows(w, act)) {
        // What the authority itself took the place of is over: somebody was reinstated.
        if superseded(record, authority, later) || !later.standing.counts() {
            continue;
        }
        if had_seen(record, entry, later) {
            return out_of_role;
        }
        if !came_before(entry, later) {
            standing = Standing::NeedsReview;
        }
    }
    standing
}

/// A witness without the competence does not undo what happened: it is shown (W-13).
fn judge_witness(home: &HomePicture, made: &Made) -> Standing {
    let Some((witness, authority)) = made.witness else {
        return Standing::InForce;
    };
    let Some(written) = home.staff().get(&witness).and_then(|r| r.writes.get(&authority)) else {
        return Standing::Unknown;
    };
    let may = details(written).is_some_and(|d| d.may_witness && d.standing == Employment::Active);
    let is_actor = matches!(made.actor, Actor::Staff(actor) if actor == witness);
    if may && !is_actor { Standing::InForce } else { Standing::NeedsReview }
}

fn details(entry: &Recorded) -> Option<&Staff> {
    if let Fact::Home(HomeFact::StaffWritten { details, .. }) = &entry.fact {
        Some(details)
    } else {
        None
    }
}

/// A person may set their own PIN; anybody else's takes a manager (U-04).
fn is_own_pin(fact: &Fact, actor: StaffId) -> bool {
    matches!(fact, Fact::Home(HomeFact::PinSet { staff, .. }) if *staff == actor)
}

fn allows(entry: &Recorded, act: Act) -> bool {
    details(entry).is_some_and(|d| d.role.may(act) && d.standing == Employment::Active)
}

/// Whether `later` took the place of `earlier`, itself or over other writes of the same person.
fn superseded(record: &StaffRecord, later: &Recorded, earlier: &Recorded) -> bool {
    let mut next = vec![later];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(entry) = next.pop() {
        if entry.saw(earlier) {
            return true;
        }
        for other in record.writes.values() {
            if entry.saw(other) && seen.insert(other.id) {
                next.push(other);
            }
        }
    }
    false
}

/// Whether the entry's own chain or base shows that its device had seen `change`.
fn had_seen(record: &StaffRecord, entry: &Recorded, change: &Recorded) -> bool {
    entry.saw(change)
        || record.writes.values().any(|w| {
            w.stamp.log == entry.stamp.log
                && w.stamp.sequence < entry.stamp.sequence
                && w.saw(change)
        })
}

/// Whether whoever wrote `change` held the entry already.
fn came_before(entry: &Recorded, change: &Recorded) -> bool {
    if entry.stamp.log == change.stamp.log {
        return entry.stamp.sequence < change.stamp.sequence;
    }
    let Fact::Home(HomeFact::StaffWritten { seen, .. }) = &change.fact else {
        return false;
    };
    seen.iter().any(|(log, sequence)| *log == entry.stamp.log && entry.stamp.sequence <= *sequence)
}

fn allows_alike(record: &StaffRecord) -> bool {
    let mut written = record.writes.values().filter_map(|w| details(w));
    let first = written.next().map(|d| d.role);
    record
        .writes
        .values()
        .filter_map(|w| details(w))
        .all(|d| d.standing == Employment::Active && Some(d.role) == first)
}

/// What has to be judged again after a home entry was taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reopened {
    /// The entries of these logs from these sequences on.
    pub logs: Vec<(LogId, u64)>,
    /// Every entry whose standing is [`Standing::Unknown`].
    pub unknown: bool,
}

/// Returns what has to be judged again because `entry`, a home entry that was just taken in, may
/// change it.
#[must_use]
pub fn reopened(home: &HomePicture, entry: &Recorded) -> Reopened {
    let all_of = |device| home.logs().iter().filter(move |(_, (start, _))| start.device == device);
    match &entry.fact {
        Fact::Membership(MembershipFact::DeviceRevoked(revoked)) => {
            let from = |log: &LogId| {
                revoked.last_valid.iter().find(|(l, ..)| l == log).map_or(0, |(_, last, _)| *last)
            };
            let cut: Vec<(LogId, u64)> =
                all_of(revoked.device).map(|(log, _)| (*log, from(log))).collect();
            // What is cut off may have given others their rights: then what they did, in whichever
            // log, is judged again.
            if home.authorities().any(|w| {
                cut.iter().any(|(log, from)| w.stamp.log == *log && w.stamp.sequence >= *from)
            }) {
                let logs = home.logs().keys().map(|log| (*log, 0)).collect();
                return Reopened { logs, unknown: true };
            }
            Reopened { logs: cut, unknown: false }
        }
        Fact::Membership(MembershipFact::DeviceEnrolled(enrolled)) => Reopened {
            logs: all_of(enrolled.keys.device).map(|(log, _)| (*log, 0)).collect(),
            unknown: true,
        },
        Fact::Membership(MembershipFact::LogStarted(_) | MembershipFact::HomeFounded(_)) => {
            Reopened { logs: Vec::new(), unknown: true }
        }
        // Where everything ever written of a person allows the same acts, no write of them bears
        // on what was judged under another.
        Fact::Home(HomeFact::StaffWritten { staff, .. })
            if home.staff().get(staff).is_some_and(allows_alike) =>
        {
            Reopened { logs: Vec::new(), unknown: true }
        }
        Fact::Home(HomeFact::StaffWritten { seen, .. }) => {
            let held = |log: &LogId| {
                let seen = seen.iter().find(|(l, _)| l == log).map(|(_, s)| *s);
                let own = (*log == entry.stamp.log).then_some(entry.stamp.sequence);
                seen.max(own).map_or(0, |s| s.saturating_add(1))
            };
            Reopened {
                logs: home.logs().keys().map(|log| (*log, held(log))).collect(),
                unknown: true,
            }
        }
        Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Access(_)
        | Fact::Unknown => Reopened::default(),
    }
}
