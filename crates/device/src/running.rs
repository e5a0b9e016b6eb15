//! A running device: what a window or a terminal may ask of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use mar::clock::{ClockStanding, believable, may_move, may_type};
use mar::command::{Ask, AskHome, Command};
use mar::fact::Actor;
use mar::ids::{CommandId, DeviceId, EntryId, ResidentId, StaffId};
use mar::picture::Picture;
use mar::refusal::{DoseRefusal, Refusal, WhoRefusal};
use mar::time::{Month, Timestamp};
use store::Changes;
use store::backend::{Disk, OpenFault};
use store::keys::{Keys, StateFile};
use store::record::{Opening, Reader, Record, RecordFault};

use crate::clock::{Clock, ClockFault};
use crate::doubt::{self, ClockMemory, Others};
use crate::folder;
use crate::founding::{self, Founded, NewHome};
use crate::gap::{self, Peers};
use crate::pins;
pub use crate::pins::PinFault;
use crate::status::{self, PeerView, Status, Verified};
use crate::writer::{Saved, SubmitFault, Surroundings, Writer};

/// How long a folder that another command holds is waited for.
pub const FOLDER_WAIT: Duration = Duration::from_secs(10);

/// How long a dose waits for what another device wrote a moment ago. On a local network it is here
/// within some milliseconds; whoever stands at the trolley waits no longer than this.
const LEVEL_WITHIN: Duration = Duration::from_secs(2);

const KEYS_FILE: &str = "device.keys";

/// Where a device keeps what.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The record and the keys: one folder is one device.
    pub data: PathBuf,
    /// The user's own state, outside the data folder: by it a copied or restored data folder is
    /// noticed.
    pub state: PathBuf,
    /// The user's runtime folder, for the local socket.
    pub runtime: PathBuf,
}

impl Folders {
    /// Returns a name for the data folder that is the same however its path is written.
    pub(crate) fn fingerprint(&self) -> String {
        let whole = std::fs::canonicalize(&self.data)
            .or_else(|_| std::path::absolute(&self.data))
            .unwrap_or_else(|_| self.data.clone());
        let hash =
            blake3::derive_key("medround data folder name 1", whole.as_os_str().as_encoded_bytes());
        hash[..10].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn state_path(&self) -> PathBuf {
        self.state.join(format!("{}.log", self.fingerprint()))
    }

    pub(crate) fn state_file(&self) -> StateFile {
        StateFile::at(self.state_path())
    }

    /// Forgets the device that was in this folder before: there is none any more.
    pub(crate) fn forget_state(&self) -> std::io::Result<()> {
        match std::fs::remove_file(self.state_path()) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(crate) fn keys_file(data: &Path) -> PathBuf {
        data.join(KEYS_FILE)
    }
}

/// Why a device could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The store could not be opened or made.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// The keys could not be read or made.
    #[error(transparent)]
    Keys(#[from] store::keys::KeyFault),
    /// The clock cannot be right, and a home is not founded on a wrong date.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// A secret could not be made or sealed.
    #[error(transparent)]
    Secret(#[from] store::secrets::SecretFault),
    /// The first manager's PIN cannot be had.
    #[error(transparent)]
    Pin(#[from] PinFault),
    /// What was asked for the new home was refused.
    #[error(transparent)]
    Refused(#[from] mar::refusal::Refusal),
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] store::DiskFault),
    /// What was asked for the new home could not be saved.
    #[error("the home could not be set up: {why}")]
    NotSaved {
        /// What the disk says.
        why: String,
    },
}

impl From<RecordFault> for StartFault {
    fn from(fault: RecordFault) -> Self {
        match fault {
            RecordFault::Open(fault) => Self::Open(fault),
            RecordFault::Keys(fault) => Self::Keys(fault),
            RecordFault::Codec(fault) => Self::NotSaved { why: fault.to_string() },
            RecordFault::Entry(fault) => Self::NotSaved { why: fault.to_string() },
        }
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The disk failed, or what it holds is damaged.
    #[error(transparent)]
    Disk(#[from] store::DiskFault),
    /// The device was closed.
    #[error("the device was closed")]
    Closed,
}

/// A running device: the record is open, and its one writer runs. Clones are the same device.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

impl fmt::Debug for Device {
    /// Names the device; what it holds of people stays out of every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Device").field(&self.id()).finish()
    }
}

struct Inner {
    clock: Clock,
    folders: Folders,
    keys: Keys,
    /// `None` once the device is closed: the store is shut when nobody reads any more.
    reader: RwLock<Option<Reader>>,
    peers: Arc<Peers>,
    memory: Arc<ClockMemory>,
    writer: Writer,
}

impl Device {
    /// Founds a home: its first device, settings and manager, and the recovery key, which is
    /// returned once and kept nowhere.
    ///
    /// # Errors
    ///
    /// Returns why there is none; nothing is left in the folder then.
    pub fn found(
        folders: &Folders,
        home: NewHome,
        clock: Clock,
    ) -> Result<(Self, Founded), StartFault> {
        let founded = founding::found(folders, &home, &clock)?;
        Ok((Self::open_when_free(folders, &clock, FOLDER_WAIT)?, founded))
    }

    /// Opens the device in a folder.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be opened, with a sentence that says what to do.
    pub fn open(folders: &Folders, clock: Clock) -> Result<Self, StartFault> {
        Self::open_on(folders, Disk::folder(&folders.data), clock)
    }

    /// Opens the device in a folder by way of a disk with a seam, at which a test lets it fail.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be opened.
    pub fn open_on(folders: &Folders, disk: Disk, clock: Clock) -> Result<Self, StartFault> {
        folder::must_hold_a_device(&folders.data)?;
        let keys = Keys::load(&Folders::keys_file(&folders.data))?;
        let opening = Opening { disk, keys, state: folders.state_file() };
        let record = Record::open(opening, clock.now())?;
        if let Some((boot, since)) = clock.since_boot() {
            record.local().resume(&boot, since)?;
        }
        Self::of_record(folders, record, clock)
    }

    /// Opens the device in a folder that another command may hold for a moment.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be opened; that somebody else has it open only after `within`.
    pub fn open_when_free(
        folders: &Folders,
        clock: &Clock,
        within: Duration,
    ) -> Result<Self, StartFault> {
        let until = Instant::now() + within;
        loop {
            match Self::open(folders, clock.clone()) {
                Err(StartFault::Open(OpenFault::AlreadyOpen { .. })) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                other => return other,
            }
        }
    }

    /// Runs a record that is open already. Its keys are read again from the folder it lies in.
    pub(crate) fn of_record(
        folders: &Folders,
        record: Record,
        clock: Clock,
    ) -> Result<Self, StartFault> {
        let keys = Keys::load(&Folders::keys_file(&folders.data))?;
        let reader = record.reader();
        // What was known of other devices can be lost: they say it again.
        let peers = Peers::restore(reader.local()).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "what was known of other devices is begun anew");
            Peers::default()
        });
        let peers = Arc::new(peers);
        let memory = Arc::new(doubt::restore(&reader, keys.device()));
        memory.resume(&clock);
        let around = Surroundings {
            clock: clock.clone(),
            peers: Arc::clone(&peers),
            memory: Arc::clone(&memory),
        };
        let writer = Writer::start(record, around)
            .map_err(|fault| StartFault::NotSaved { why: fault.to_string() })?;
        Ok(Self(Arc::new(Inner {
            clock,
            folders: folders.clone(),
            keys,
            reader: RwLock::new(Some(reader)),
            peers,
            memory,
            writer,
        })))
    }

    /// Returns the wall clock: the one reading for a command.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns whether this device's clock can be believed (T-07, T-08).
    #[must_use]
    pub fn clock_standing(&self) -> ClockStanding {
        self.0.memory.standing(&self.0.clock, self.others(&self.picture()))
    }

    /// What the other devices say of the time.
    fn others(&self, picture: &Picture) -> Others {
        let reader = self.reader();
        Others {
            peers: self.0.peers.clocks(picture, self.id(), &self.0.clock),
            written: reader.map_or_else(
                |_| BTreeMap::new(),
                |reader| self.0.memory.written(&reader, picture, self.id()),
            ),
        }
    }

    /// Takes the time that a person typed, with a watch in hand, as the time from now on (W-08). It
    /// is carried on by the clock that nobody can set, until the machine is started anew or somebody
    /// sets its wall clock.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be the time, or could not be written down; nothing is changed then.
    pub fn type_time(&self, at: Timestamp, by: StaffId) -> Result<ClockStanding, SubmitFault> {
        let picture = self.picture();
        let others = self.others(&picture);
        let showed = self.now();
        let wall = self.0.clock.wall();
        let believed = believable(&others.peers, &others.written, showed);
        may_type(at, showed, wall, &believed, &picture.home).map_err(Refusal::from)?;
        // A typed time corrects a clock that is in doubt, or one that was mistyped: it is no way
        // round the interval of a dose while nothing speaks against the machine's clock (P-06), not
        // by small steps either.
        let doubted = self.0.memory.in_doubt(&self.0.clock, &others);
        if !doubted {
            may_move(at, wall).map_err(Refusal::from)?;
        }
        // It is gone by first: the entry that says so must not carry the time that was wrong.
        let before = self.0.memory.type_in(&self.0.clock, at, (by, doubted));
        if let Err(fault) = self.submit(by_person(by, AskHome::TypeTime { showed, typed: at })) {
            if let Some(before) = before {
                self.0.memory.take_back(&self.0.clock, before);
            }
            return Err(fault);
        }
        self.keep_clock();
        tracing::info!(%by, "the time was typed");
        Ok(self.clock_standing())
    }

    /// Returns the time that a person typed and who did, while this device goes by it.
    #[must_use]
    pub fn typed_time(&self) -> Option<(Timestamp, StaffId)> {
        self.0.memory.typed()
    }

    /// Keeps what is known of this device's clock.
    pub(crate) fn keep_clock(&self) {
        let Ok(reader) = self.reader() else { return };
        if let Err(fault) = self.0.memory.keep(reader.local()) {
            tracing::warn!(%fault, "what is known of this device's clock was not kept");
        }
    }

    /// Returns this device's clocks.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Returns this device's id.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.0.keys.device()
    }

    /// Returns where this device keeps what.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.0.folders
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub(crate) fn peers_known(&self) -> &Arc<Peers> {
        &self.0.peers
    }

    pub(crate) fn reader(&self) -> Result<Reader, ReadFault> {
        let reader = self.0.reader.read().unwrap_or_else(PoisonError::into_inner);
        reader.clone().ok_or(ReadFault::Closed)
    }

    /// Returns the picture after the last commit. Cheap: the residents are shared, not copied.
    #[must_use]
    pub fn picture(&self) -> Arc<Picture> {
        self.0.writer.shown.picture()
    }

    /// Returns what changes from now on, commit by commit: for a screen that shows residents.
    #[must_use]
    pub fn changes(&self) -> Receiver<Changes> {
        self.0.writer.shown.watch()
    }

    /// Returns the picture in which one resident has all doses since the start of `from`.
    ///
    /// # Errors
    ///
    /// Returns why they could not be read.
    pub fn with_months(
        &self,
        resident: ResidentId,
        from: Month,
    ) -> Result<Arc<Picture>, ReadFault> {
        let reader = self.reader()?;
        let published = reader.published();
        if from >= published.from || !published.picture.residents.contains_key(&resident) {
            return Ok(Arc::new(published.picture));
        }
        let mut picture = published.picture;
        picture.put(Arc::new(reader.resident(resident, from)?));
        Ok(Arc::new(picture))
    }

    /// Carries a command out. Blocks until the fsync that saves it has returned. A command that
    /// was carried out before returns its first answer.
    ///
    /// # Errors
    ///
    /// Returns why nothing was written.
    pub fn submit(&self, command: Command) -> Result<Saved, SubmitFault> {
        let saved = self.submit_all(vec![command])?;
        saved.into_iter().next().ok_or(SubmitFault::Closed)
    }

    /// Carries commands out in one commit, all of them or none.
    ///
    /// # Errors
    ///
    /// Returns why the first that cannot be carried out cannot; nothing was written then.
    pub fn submit_all(&self, commands: Vec<Command>) -> Result<Vec<Saved>, SubmitFault> {
        if self.put_out().is_some() {
            return Err(SubmitFault::Refused(WhoRefusal::Revoked.into()));
        }
        let new_pins: Vec<StaffId> = commands.iter().filter_map(sets_pin_of_another).collect();
        let saved = self.submit_when_level(commands)?;
        if !new_pins.is_empty()
            && let Ok(reader) = self.reader()
        {
            for staff in new_pins {
                if let Err(fault) = reader.local().unlock(staff) {
                    tracing::warn!(%fault, "wrong PINs of before still count");
                }
            }
        }
        Ok(saved)
    }

    /// A device that has written something a moment ago is in touch, and what it wrote is on its
    /// way: a dose for which it would be asked about waits for that, instead of the question being
    /// put to somebody who stands at the trolley (W-16).
    fn submit_when_level(&self, commands: Vec<Command>) -> Result<Vec<Saved>, SubmitFault> {
        let until = Instant::now() + LEVEL_WITHIN;
        loop {
            let answer = self.0.writer.submit(commands.clone());
            let Err(SubmitFault::Refused(Refusal::Dose(DoseRefusal::Unheard { devices, .. }))) =
                &answer
            else {
                return answer;
            };
            let in_touch = self.0.peers.hearing(&self.0.clock).in_touch;
            if Instant::now() >= until || !devices.iter().all(|device| in_touch.contains(device)) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns 16 random bytes for a new id.
    #[must_use]
    pub fn fresh(&self) -> [u8; 16] {
        fresh()
    }

    /// Checks a PIN. Each attempt is counted on the disk before it is made, so that neither a
    /// restart nor a power cut gives a further guess. Takes some tenths of a second.
    ///
    /// # Errors
    ///
    /// Returns why it was not accepted.
    pub fn check_pin(&self, staff: StaffId, pin: &str) -> Result<(), PinFault> {
        pins::check(self, staff, pin)
    }

    /// Makes what has to be asked so that a person has this PIN from now on.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be had.
    pub fn pin_ask(&self, staff: StaffId, pin: &str) -> Result<AskHome, PinFault> {
        pins::ask(self, staff, pin)
    }

    /// Returns on how many devices an entry is saved: this one, and those that said so after their
    /// own fsync and were not put out since. 0 if it is not held here.
    #[must_use]
    pub fn saved_on(&self, entry: EntryId) -> usize {
        status::saved_on(self, &entry).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "receipts could not be compared with the log");
            1
        })
    }

    /// Waits until an entry is saved on `n` devices, `within` at most. Returns on how many it is.
    #[must_use]
    pub fn wait_saved_on(&self, entry: EntryId, n: usize, within: Duration) -> usize {
        let until = Instant::now() + within;
        loop {
            let told = self.0.peers.receipts_told();
            let saved_on = self.saved_on(entry);
            if saved_on >= n || saved_on == 0 || Instant::now() >= until {
                return saved_on;
            }
            self.0.peers.wait_for_receipt(told, until);
        }
    }

    /// Returns how the device stands.
    ///
    /// # Errors
    ///
    /// Returns why it could not be read.
    pub fn status(&self) -> Result<Status, ReadFault> {
        status::status(self)
    }

    /// Returns why nothing can be saved on this device; `None` while everything can.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        self.0.writer.shown.read_only()
    }

    /// Checks every chain, every signature and every view against the log.
    ///
    /// # Errors
    ///
    /// Returns why it could not be read at all.
    pub fn verify(&self) -> Result<Verified, ReadFault> {
        status::verify(self)
    }

    /// Returns the home's other devices as they are known here.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView> {
        status::peers(self)
    }

    /// Returns to when this device's data is complete (`None` when a device that counts was never
    /// heard), and the devices that count and are not heard (W-16).
    #[must_use]
    pub fn complete_to(&self) -> (Option<Timestamp>, Vec<DeviceId>) {
        let hearing = self.0.peers.hearing(&self.0.clock);
        let picture = self.picture();
        let awake = self.0.peers.awake(&picture);
        gap::complete_to(&picture, (self.id(), &awake), &hearing, self.now())
    }

    /// Returns the devices about which somebody who gives here now is asked (W-16).
    #[must_use]
    pub fn to_ask_for(&self) -> Vec<DeviceId> {
        let hearing = self.0.peers.hearing(&self.0.clock);
        let picture = self.picture();
        let awake = self.0.peers.awake(&picture);
        mar::decide::to_ask_for(&picture, self.id(), &hearing.in_touch, &awake)
    }

    /// Takes a device out of the home: the revocation with where its logs stood and a new
    /// generation of the home's secrets for those that remain, in one commit, so that no power cut
    /// leaves the home with a secret that the device knows.
    ///
    /// # Errors
    ///
    /// Returns why not; nothing was written then.
    pub fn revoke(
        &self,
        device: DeviceId,
        by: StaffId,
        reason: &str,
    ) -> Result<Vec<Saved>, SubmitFault> {
        let reader = self.reader().map_err(|_| SubmitFault::Closed)?;
        let heads = reader.heads();
        let picture = self.picture();
        let own_logs = picture.home.logs().iter().filter(|(_, (start, _))| start.device == device);
        let last_valid = own_logs
            .filter_map(|(log, _)| {
                let head = heads.get(log)?.latest()?;
                Some((*log, head.sequence, head.hash.0))
            })
            .collect();
        let ask = AskHome::RevokeDevice { device, last_valid, reason: reason.to_owned() };
        let sealed = pins::new_generation(self, device)
            .map_err(|fault| SubmitFault::NotSaved { why: fault.to_string() })?;
        self.submit_all(vec![by_person(by, ask), by_person(by, AskHome::SealSecret(sealed))])
    }

    /// Makes everything safe and closes the device. What is asked of it afterwards, through a
    /// clone, is answered with a fault.
    pub fn close(self) {
        self.keep_clock();
        if let Ok(reader) = self.reader()
            && let Err(fault) = self.0.peers.keep(reader.local())
        {
            tracing::warn!(%fault, "what is known of other devices was not kept");
        }
        *self.0.reader.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.writer.close();
    }
}

/// Returns what a person asks of the home.
pub(crate) fn by_person(staff: StaffId, ask: AskHome) -> Command {
    Command {
        id: CommandId(fresh()),
        actor: Actor::Staff(staff),
        witness: None,
        ask: Ask::Home(ask),
    }
}

/// Returns 16 random bytes of the operating system's.
pub(crate) fn fresh() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without random numbers there are no keys and no connections either: the start has failed.
    getrandom::fill(&mut bytes).expect("the system gave random numbers when the keys were made");
    bytes
}

fn sets_pin_of_another(command: &Command) -> Option<StaffId> {
    match &command.ask {
        Ask::Home(AskHome::SetPin { staff, .. }) if command.actor != Actor::Staff(*staff) => {
            Some(*staff)
        }
        Ask::Home(_) | Ask::Resident(..) | Ask::Order(..) | Ask::Dose(..) => None,
    }
}
