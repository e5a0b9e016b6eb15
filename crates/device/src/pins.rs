//! The home's secrets as far as this device may have them, and the PINs that hang on them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mar::command::AskHome;
use mar::fact::{DeviceRole, SealedSecret};
use mar::ids::{DeviceId, StaffId};
use mar::picture::Picture;
use store::keys::Keys;
use store::local::AttemptRefusal;
use store::pins::{self, Pin};
use store::secrets::{HomeSecret, SecretFault, is_recipient};

use crate::running::{Device, ReadFault, by_person};

/// What is told where wrong PINs cannot be counted on the disk.
pub(crate) const NOT_COUNTED: &str = "This device's disk is full or failing: wrong PINs cannot be \
     counted on it, so every PIN takes some seconds. Make room on the disk and start Medround on \
     this device again, or use another device";

/// Whose PIN is checked late has it.
static LATE: Mutex<()> = Mutex::new(());

/// Why a PIN was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PinFault {
    /// It is not this person's.
    #[error("the PIN is wrong")]
    Wrong,
    /// It is not this person's, and it was answered late.
    #[error("the PIN is wrong. {NOT_COUNTED}")]
    WrongAndLate,
    /// Nobody may try now.
    #[error(transparent)]
    Wait(AttemptRefusal),
    /// The person has none yet.
    #[error("no PIN is set for this person: a manager can set one")]
    None,
    /// It cannot be chosen.
    #[error(transparent)]
    Choice(#[from] pins::PinRefusal),
    /// This device cannot check it.
    #[error(transparent)]
    Unreadable(#[from] pins::PinFault),
    /// The record could not be read.
    #[error("the PIN could not be checked ({0}); it may well be right. Use another device")]
    Disk(#[from] store::DiskFault),
}

impl From<ReadFault> for PinFault {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Disk(fault) => Self::Disk(fault),
            ReadFault::Closed => Self::Disk(store::DiskFault::Closed),
        }
    }
}

/// Returns every generation of the home's secret that is sealed to this device, oldest first. Of
/// two that were made apart under one number both are returned.
pub(crate) fn secrets(picture: &Picture, keys: &Keys) -> Vec<HomeSecret> {
    opened(picture.home.secrets(), keys)
}

/// Returns those that may be put to new use, the best last: not what a device that was put out
/// since has made.
pub(crate) fn secrets_to_use(picture: &Picture, keys: &Keys) -> Vec<HomeSecret> {
    opened(picture.home.secrets_to_use(), keys)
}

fn opened(sealed: Vec<&SealedSecret>, keys: &Keys) -> Vec<HomeSecret> {
    let own = keys.device();
    let open = |sealed: &SealedSecret| match HomeSecret::open(sealed, &own, keys.sealing()) {
        Ok(secret) => secret,
        Err(fault) => {
            tracing::warn!(%fault, generation = sealed.generation, "a secret of the home");
            None
        }
    };
    sealed.into_iter().filter_map(open).collect()
}

/// The time by which waits after wrong PINs are counted.
fn running(device: &Device) -> Duration {
    device.clock().since_boot().map_or_else(|| device.clock().running(), |(_, since)| since)
}

/// Checks a person's PIN, after counting the attempt.
pub(crate) fn check(device: &Device, staff: StaffId, pin: &str) -> Result<(), PinFault> {
    check_after(device, (staff, pin), std::thread::sleep)
}

/// The same; `pause` waits where the attempt is to be answered late.
fn check_after(
    device: &Device,
    (staff, pin): (StaffId, &str),
    pause: impl FnOnce(Duration),
) -> Result<(), PinFault> {
    let picture = device.picture();
    let sealed = picture.home.staff().get(&staff).and_then(|record| record.pin());
    let (generation, sealed) = sealed.ok_or(PinFault::None)?;
    let secrets = secrets(&picture, device.keys());
    if !secrets.iter().any(|secret| secret.pepper().is_some()) {
        return Err(pins::PinFault::NoPepper.into());
    }
    let reader = device.reader()?;
    let late = reader.local().begin_attempt(staff, running(device)).map_err(PinFault::Wait)?;
    // Those that are answered late are answered one by one: side by side they would be many guesses
    // in the time of one.
    let turn = (!late.is_zero()).then(|| LATE.lock().unwrap_or_else(PoisonError::into_inner));
    if turn.is_some() {
        pause(late);
    }
    let wrong = || if late.is_zero() { PinFault::Wrong } else { PinFault::WrongAndLate };
    // What has not six digits is a wrong PIN like any other, and was counted as one.
    let typed = Pin::typed(pin).map_err(|_| wrong())?;
    let home = reader.pinned().home;
    let mut unreadable = pins::PinFault::Unreadable;
    for secret in secrets.iter().filter(|secret| secret.generation() == generation) {
        match pins::check(&typed, sealed, &home, &staff, secret) {
            Ok(true) => {
                if let Err(fault) = reader.local().attempt_succeeded(staff) {
                    tracing::warn!(%fault, "a right PIN still counts as a wrong one");
                }
                renew(device, staff, &typed, secret);
                return Ok(());
            }
            Ok(false) => return Err(wrong()),
            Err(fault) => unreadable = fault,
        }
    }
    Err(unreadable.into())
}

/// Sets a person's PIN anew under the newest secret, if it hangs on another one: a device that was
/// put out knows that. Where it cannot be saved the next sign-in tries again.
fn renew(device: &Device, staff: StaffId, pin: &Pin, hangs_on: &HomeSecret) {
    let secrets = secrets_to_use(&device.picture(), device.keys());
    let Some(newest) = newest(&secrets).filter(|newest| newest.pepper() != hangs_on.pepper())
    else {
        return;
    };
    let renewed = device.reader().map_err(|fault| fault.to_string()).and_then(|reader| {
        let home = reader.pinned().home;
        let sealed = pins::seal_verifier(pin, &home, &staff, newest).map_err(|f| f.to_string())?;
        let ask = AskHome::SetPin { staff, generation: newest.generation(), sealed };
        device.submit(by_person(staff, ask)).map_err(|fault| fault.to_string())
    });
    if let Err(fault) = renewed {
        tracing::warn!(fault, "a PIN still hangs on an earlier secret of the home");
    }
}

/// Makes the verifier of a PIN under the newest secret.
pub(crate) fn ask(device: &Device, staff: StaffId, pin: &str) -> Result<AskHome, PinFault> {
    let chosen = Pin::chosen(pin)?;
    let secrets = secrets_to_use(&device.picture(), device.keys());
    let secret = newest(&secrets).ok_or(pins::PinFault::NoPepper)?;
    let home = device.reader()?.pinned().home;
    let sealed = pins::seal_verifier(&chosen, &home, &staff, secret)?;
    Ok(AskHome::SetPin { staff, generation: secret.generation(), sealed })
}

fn newest(secrets: &[HomeSecret]) -> Option<&HomeSecret> {
    secrets.iter().rfind(|secret| secret.pepper().is_some())
}

/// Makes a new generation of the home's secret for every device that remains without `put_out`. It
/// names no revocation: it is written together with it, before that has an id.
pub(crate) fn new_generation(
    device: &Device,
    put_out: DeviceId,
) -> Result<SealedSecret, SecretFault> {
    let picture = device.picture();
    let mut remaining = recipients(&picture);
    remaining.retain(|(id, ..)| *id != put_out);
    let secret = HomeSecret::generate(picture.home.last_generation().saturating_add(1))?;
    secret.seal(&remaining, recovery(&picture), None)
}

/// Seals to a device that joins what it may have of the secrets that are in use. The generations of
/// before go with them, because a PIN hangs on the one under which it was set; but not one under a
/// number at which there is a better one, from which the joiner could not tell it.
pub(crate) fn for_joiner(
    device: &Device,
    joiner: &(DeviceId, String, DeviceRole),
) -> Result<Vec<SealedSecret>, SecretFault> {
    let picture = device.picture();
    let all = secrets(&picture, device.keys());
    let to_use = secrets_to_use(&picture, device.keys());
    let is_passed_on = |secret: &&HomeSecret| {
        let mut numbered_alike =
            to_use.iter().filter(|used| used.generation() == secret.generation()).peekable();
        secret.pepper().is_some()
            && (numbered_alike.peek().is_none()
                || numbered_alike.any(|used| used.pepper() == secret.pepper()))
    };
    all.iter()
        .filter(is_passed_on)
        .map(|secret| secret.seal(std::slice::from_ref(joiner), recovery(&picture), None))
        .collect()
}

fn recipients(picture: &Picture) -> Vec<(DeviceId, String, DeviceRole)> {
    let devices = picture.home.devices().iter().filter(|(_, device)| device.is_active());
    devices
        .filter_map(|(id, device)| {
            let (keys, role) = device.enrolment()?;
            // A device that can be given nothing must not keep another from being put out.
            if !is_recipient(&keys.recipient) {
                tracing::warn!(device = %id, "has no key to which a secret can be sealed");
                return None;
            }
            Some((*id, keys.recipient.clone(), role))
        })
        .collect()
}

fn recovery(picture: &Picture) -> &str {
    picture.home.founding().map_or("", |founding| founding.recovery_recipient.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alone::{Alone, PIN};
    use std::io::ErrorKind;
    use store::backend::FileKind;
    use store::backend::faults::Fault;

    /// A device whose own file takes nothing more, as on a disk that is full.
    fn full() -> Alone {
        let alone = Alone::found();
        alone.open_on(|disk| {
            let mut opened = 0;
            disk.seam().plan(move |step| {
                let changes = step.file == FileKind::Local && step.operation.changes();
                opened += u32::from(changes);
                // What is written when it is opened is written in place.
                (changes && opened > 20).then_some(Fault::Fails(ErrorKind::StorageFull))
            });
            disk
        })
    }

    /// Bug: on a full disk the right PIN was turned away, and a dose of rescue medicine with it.
    /// Cause: no PIN was tried that could not be counted on the disk.
    /// Fix: it is counted in memory and answered late, and the answer says why.
    #[test]
    fn on_a_full_disk_the_right_pin_is_taken_late_and_a_wrong_one_is_told_what_to_do() {
        let alone = full();
        let reader = alone.device.reader().unwrap();
        let check = |pin: &str| {
            let mut waited = Duration::ZERO;
            let done = check_after(&alone.device, (alone.manager, pin), |late| waited = late);
            (done, waited)
        };
        for _ in 0..40 {
            assert!(check(PIN).0.is_ok());
            if !reader.local().counts_pins() {
                break;
            }
        }
        assert!(!reader.local().counts_pins(), "the disk never was full");
        let (taken, waited) = check(PIN);
        assert!(taken.is_ok() && waited >= Duration::from_secs(5), "{taken:?} {waited:?}");
        for _ in 0..5 {
            let (refused, waited) = check("111222");
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("Make room on the disk"), "{told}");
            assert!(waited >= Duration::from_secs(5), "{waited:?}");
        }
        assert!(matches!(check("111222"), (Err(PinFault::Wait(_)), Duration::ZERO)));
    }

    /// Fault: on a disk that takes nothing thirty guesses were judged in forty seconds. Cause: each
    /// command on the socket waited by itself. Fix: they wait one after the other.
    #[test]
    fn on_a_full_disk_nobody_guesses_in_the_time_of_another_guess() {
        let alone = full();
        let reader = alone.device.reader().unwrap();
        for _ in 0..40 {
            assert!(check_after(&alone.device, (alone.manager, PIN), |_| ()).is_ok());
            if !reader.local().counts_pins() {
                break;
            }
        }
        let (waits, waiting) = std::sync::mpsc::channel();
        let guess = |go_on: std::sync::mpsc::Receiver<()>| {
            let waits = waits.clone();
            let (device, manager) = (&alone.device, alone.manager);
            move || {
                let late = |_| {
                    waits.send(()).unwrap();
                    go_on.recv().unwrap();
                };
                check_after(device, (manager, PIN), late).unwrap();
            }
        };
        let ((first, one), (second, other)) =
            (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        std::thread::scope(|scope| {
            scope.spawn(guess(one));
            scope.spawn(guess(other));
            waiting.recv_timeout(Duration::from_secs(60)).unwrap();
            let both = waiting.recv_timeout(Duration::from_millis(500)).is_ok();
            first.send(()).unwrap();
            second.send(()).unwrap();
            assert!(!both, "two PINs are checked at once");
        });
    }
}
