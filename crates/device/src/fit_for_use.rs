//! Whether this device may be relied on: put out of the home, or with a record that is damaged.

use mar::ids::DeviceId;
use mar::time::Timestamp;
use store::backend::FileKind;
use store::local::Damage;

use crate::running::Device;

/// This device is no longer one of the home's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOut {
    /// When: in the record, or when another device first said so here.
    pub at: Timestamp,
    /// Why, as the manager wrote it; `None` when the record here does not hold it.
    pub reason: Option<String>,
    /// The device that said so; `None` when the record here holds it.
    pub said_by: Option<DeviceId>,
}

impl Device {
    /// Returns whether this device was put out of the home: by the record that it holds, or on the
    /// word of a device of the home that turned it away. A device that was put out is sent nothing
    /// more, so that word is mostly all that it hears. It holds until the same device speaks with
    /// this one again, or is put out itself.
    #[must_use]
    pub fn put_out(&self) -> Option<PutOut> {
        let picture = self.picture();
        let devices = picture.home.devices();
        let own = devices.get(&self.id())?;
        own.enrolment()?;
        if !own.is_active() {
            let by_record = own.revocations().min_by_key(|(_, revoked)| revoked.at);
            let (_, revoked) = by_record?;
            let reason = Some(revoked.reason.clone());
            return Some(PutOut { at: revoked.at, reason, said_by: None });
        }
        let said = self.reader().ok()?.local().said_put_out().unwrap_or_else(|fault| {
            tracing::warn!(%fault, "whether this device was put out could not be read");
            Vec::new()
        });
        let believed = said
            .into_iter()
            .filter(|(device, _)| devices.get(device).is_some_and(|device| device.is_active()));
        let (by, at) = believed.min_by_key(|(_, at)| *at)?;
        Some(PutOut { at, reason: None, said_by: Some(by) })
    }

    /// Returns what is known to be wrong with this device's copy of the record; `None` when nothing
    /// is.
    #[must_use]
    pub fn damage(&self) -> Option<Damage> {
        self.reader().ok()?.damage()
    }
}

/// Returns what a person is told of damage, and what to do.
#[must_use]
pub fn damage_in_words(damage: &Damage) -> String {
    let Damage { file, what } = damage;
    match file {
        Some(FileKind::Views) => format!(
            "views.redb is damaged ({what}). No entry is lost: it is made again from the log when \
             Medround starts next on this device"
        ),
        Some(FileKind::Log | FileKind::Local) => format!(
            "log.redb is damaged ({what}). Nothing was changed, and what can be read is still \
             shown. Record on another device. Restore this one from a backup; or leave its folder \
             as it is, take it out of the home on another device (medroundctl revoke DEVICE --reason TEXT), and join \
             the home anew in an empty folder"
        ),
        None => format!(
            "a file of the record is damaged ({what}). Nothing was changed. Start Medround on this \
             device again: what can be made again from the log is. Then look with medroundctl \
             verify, and record on another device meanwhile"
        ),
    }
}
