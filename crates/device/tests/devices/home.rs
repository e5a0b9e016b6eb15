//! A home with real devices: real folders, real connections on this computer's loopback.

#[path = "../../../store/tests/home/medicine.rs"]
pub(crate) mod medicine;

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use device::{
    Clock, Device, Folders, JoinOptions, Joined, Network, NetworkEvent, NetworkOptions, NewHome,
};
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Command, Told};
use mar::fact::{Actor, DeviceRole};
use mar::ids::{CommandId, DeviceId, EntryId, OrderId, ResidentId, StaffId};
use mar::order::Flags;
use mar::outcome::Outcome;
use mar::resident::{Allergies, Identity};
use mar::staff::{Employment, Role, Staff};
use mar::time::{Minutes, Timestamp};
pub(crate) use medicine::{headache, when_required};
use tempfile::TempDir;

/// Everything that is waited for comes much sooner than this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Noon on 21 November 2026.
pub(crate) const NOON: Timestamp = Timestamp(1_795_262_400_000);
pub(crate) const PIN: &str = "493817";

/// One device: its folders, and what runs in them.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) clock: Clock,
    options: NetworkOptions,
    pub(crate) running: Option<Here>,
}

pub(crate) struct Here {
    pub(crate) device: Device,
    pub(crate) network: Network,
    pub(crate) events: Receiver<NetworkEvent>,
}

pub(crate) fn loopback() -> NetworkOptions {
    NetworkOptions { listen: None, discovery: false, loopback: true }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            clock: Clock::fixed(NOON),
            options: loopback(),
            running: None,
        }
    }

    /// One that searches the network: here, the loopback interface.
    pub(crate) fn searching() -> Self {
        let options = NetworkOptions { discovery: true, ..loopback() };
        Self { options, ..Self::new() }
    }

    pub(crate) fn folders(&self) -> Folders {
        let at = |name| self.dir.path().join(name);
        Folders { data: at("data"), state: at("state"), runtime: at("runtime") }
    }

    /// Founds the home here. Returns the manager.
    pub(crate) fn found(&mut self) -> StaffId {
        let (device, founded) =
            Device::found(&self.folders(), new_home(), self.clock.clone()).unwrap();
        self.run(device);
        founded.staff
    }

    fn run(&mut self, device: Device) {
        let (sender, events): (Sender<NetworkEvent>, _) = channel();
        let network = Network::start(&device, self.options, sender).unwrap();
        self.running = Some(Here { device, network, events });
    }

    pub(crate) fn open(&mut self) {
        let device = Device::open(&self.folders(), self.clock.clone()).unwrap();
        self.run(device);
    }

    pub(crate) fn open_on(&mut self, disk: store::backend::Disk) {
        let device = Device::open_on(&self.folders(), disk, self.clock.clone()).unwrap();
        self.run(device);
    }

    pub(crate) fn close(&mut self) {
        let Here { device, network, .. } = self.running.take().unwrap();
        network.stop();
        device.close();
    }

    /// As when the power goes: without a word to anybody.
    pub(crate) fn close_at_once(&mut self) {
        let Here { device, network, .. } = self.running.take().unwrap();
        network.stop_at_once();
        device.close();
    }

    pub(crate) fn here(&self) -> &Here {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn device(&self) -> &Device {
        &self.here().device
    }

    pub(crate) fn network(&self) -> &Network {
        &self.here().network
    }

    /// Joins the home of `inviter` by its address.
    pub(crate) fn join(
        &mut self,
        inviter: &Self,
        name: &str,
        manager: StaffId,
        role: DeviceRole,
    ) -> DeviceId {
        let invite = inviter.network().invite(role, manager).unwrap();
        let joined = self.join_with(&invite.code, name, invite.addresses[0]).unwrap();
        assert_eq!(invite.wait().unwrap(), joined.device);
        self.open();
        joined.device
    }

    pub(crate) fn join_with(
        &self,
        code: &str,
        name: &str,
        address: SocketAddr,
    ) -> Result<Joined, device::JoinFault> {
        let options =
            JoinOptions { address: Some(address), listen: None, discovery: false, loopback: true };
        device::join(&self.folders(), code, name, &options, self.clock.clone())
    }

    /// Reaches another device at its address, as remembered addresses do.
    pub(crate) fn dial(&self, other: &Self) {
        self.network().dial(other.device().id(), other.network().addresses());
    }

    pub(crate) fn ask(&self, staff: StaffId, ask: Ask) -> device::Saved {
        self.device().submit(command(staff, ask)).unwrap()
    }
}

pub(crate) fn new_home() -> NewHome {
    NewHome {
        name: "Bay House".to_owned(),
        device: "Office".to_owned(),
        practice: true,
        manager: "Morag Ash".to_owned(),
        initials: "MA".to_owned(),
        pin: PIN.to_owned(),
    }
}

pub(crate) fn command(staff: StaffId, ask: Ask) -> Command {
    Command { id: CommandId(random()), actor: Actor::Staff(staff), witness: None, ask }
}

pub(crate) fn random() -> [u8; 16] {
    *store::keys::random::<16>().unwrap()
}

/// Two devices of one home, connected and in sync: the office and a trolley.
pub(crate) struct Home {
    pub(crate) office: Place,
    pub(crate) trolley: Place,
    pub(crate) manager: StaffId,
}

impl Home {
    pub(crate) fn of_two() -> Self {
        let (mut office, mut trolley) = (Place::new(), Place::new());
        let manager = office.found();
        trolley.join(&office, "Trolley", manager, DeviceRole::Member);
        trolley.dial(&office);
        let home = Self { office, trolley, manager };
        home.wait_level();
        home
    }

    /// Waits until both hold and show the same, and know it.
    #[track_caller]
    pub(crate) fn wait_level(&self) {
        let (a, b) = (self.office.here(), self.trolley.here());
        until("both devices hold the same", || {
            let (at_a, at_b) = (a.device.status().unwrap(), b.device.status().unwrap());
            at_a.heads_hash == at_b.heads_hash
                && at_a.state_hash == at_b.state_hash
                && a.network.is_in_sync(b.device.id())
                && b.network.is_in_sync(a.device.id())
        });
    }

    pub(crate) fn cut(&self) {
        self.office.network().cut();
        self.trolley.network().cut();
        for place in [&self.office, &self.trolley] {
            until("the connection is gone", || {
                place.device().peers().iter().all(|peer| !peer.connected)
            });
        }
    }

    pub(crate) fn heal(&self) {
        self.office.network().heal();
        self.trolley.network().heal();
    }

    /// Adds a nurse, a resident and a when-required medicine that both have checked.
    pub(crate) fn with_a_medicine(&self) -> Ward {
        ward(&self.office, self.manager)
    }
}

/// Somebody to give something to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ward {
    pub(crate) nurse: StaffId,
    pub(crate) resident: ResidentId,
    pub(crate) order: OrderId,
}

pub(crate) fn ward(place: &Place, manager: StaffId) -> Ward {
    let ward =
        Ward { nurse: StaffId(random()), resident: ResidentId(random()), order: OrderId(random()) };
    let details = Staff {
        name: "Niamh Byrne".to_owned(),
        initials: "NB".to_owned(),
        role: Role::Nurse,
        may_witness: true,
        standing: Employment::Active,
    };
    place.ask(manager, Ask::Home(AskHome::WriteStaff { staff: ward.nurse, details }));
    let about = |ask| Ask::Resident(ward.resident, ask);
    place.ask(manager, about(AskResident::WriteIdentity(Identity::named("Shaw", "Gladys"))));
    let none = Allergies::NoneKnown { by: "GP".to_owned(), on: None };
    place.ask(manager, about(AskResident::WriteAllergies(none)));
    let write = AskOrder::Write {
        order: ward.order,
        content: when_required(
            "Paracetamol 500mg tablets",
            NOON.minus(Minutes(60)),
            Flags::default(),
        ),
        same_meaning: None,
        allergy_decided: None,
        intended: Some("both are meant".into()),
        label_read: None,
    };
    place.ask(manager, Ask::Order(ward.resident, write));
    let check = AskOrder::Check { order: ward.order, version: None };
    place.ask(ward.nurse, Ask::Order(ward.resident, check));
    ward
}

/// A when-required dose. `checked` answers the question that is asked while a device is unheard.
pub(crate) fn dose(ward: &Ward, checked: Option<&str>) -> Ask {
    let told = Told {
        checked: checked.map(str::to_owned),
        alone: checked.is_some(),
        ..Told::of(Outcome::Given)
    };
    let note = headache(None);
    Ask::Dose(ward.resident, AskDose::Prn { order: ward.order, told, note })
}

pub(crate) fn entry_of(saved: &device::Saved) -> EntryId {
    saved.entries.first().unwrap().id
}

#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "in {PATIENCE:?} it did not come about that {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
