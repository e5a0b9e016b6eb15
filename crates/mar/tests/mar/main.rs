//! The rules of the record, tested on a home in memory: devices with logs, staff, residents, orders.

mod apart;
mod corrections;
mod dice;
mod doses;
mod first;
mod giving;
mod happened;
mod histories;
mod home;
mod limits;
mod making;
mod numbers;
mod one_number;
mod orders;
mod orders_of;
mod outcomes;
mod plausible;
mod roles;
mod schedules;
mod shared;
mod texts;
mod tour;
mod unread;
mod unrecorded;
mod waiting;
mod wild;
