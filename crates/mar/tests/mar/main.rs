//! The rules of the record, tested on a home in memory: devices with logs, staff, residents, orders.

mod apart;
mod doses;
mod giving;
mod home;
mod limits;
mod orders;
mod orders_of;
mod roles;
mod schedules;
