//! The hybrid clock: it orders entries and is never shown to a person.

/// The last millisecond of the year 2100, since 1970. No honest device writes a later one.
const LAST_MS: u64 = 4_133_980_800_000 - 1;

/// The year this program was made, in milliseconds since 1970: no honest clock stands before it.
const FIRST_MS: u64 = 1_767_225_600_000;

/// A reading of the hybrid clock: 48 bits of milliseconds since 1970, then a 16 bit counter.
///
/// It grows with every entry that a device writes or takes in, so an entry that was written after
/// another was seen is always ordered after it, whatever the wall clocks said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HybridClock(u64);

impl HybridClock {
    /// The latest reading that is not malformed: the end of the year 2100.
    pub const LATEST: Self = Self((LAST_MS << 16) | 0xffff);

    /// Returns the reading with these 64 bits, or `None` if it lies after the year 2100.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits <= Self::LATEST.0).then_some(Self(bits))
    }

    /// Returns the 64 bits, which order as the readings do.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the reading for a device's next entry.
    ///
    /// `self` is the latest reading written or seen, `wall_ms` the device's wall clock in
    /// milliseconds since 1970. The wall clock is clamped to the years that this program can know,
    /// so that a flat battery cannot drag the order back, nor a wrong year carry it past 2100. At
    /// the very end of 2100 the reading stands still, and sequence and `base` go on ordering.
    #[must_use]
    pub fn tick(self, wall_ms: i64) -> Self {
        let wall = u64::try_from(wall_ms).unwrap_or(0).clamp(FIRST_MS, LAST_MS);
        if wall > self.0 >> 16 {
            Self(wall << 16)
        } else {
            Self(self.0.saturating_add(1)).min(Self::LATEST)
        }
    }

    /// Returns the later of two readings: what a device holds after it took in `seen`.
    #[must_use]
    pub fn observe(self, seen: Self) -> Self {
        self.max(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: i64 = 1_795_251_600_000;

    #[test]
    fn a_clock_set_back_by_a_year_does_not_reorder_the_device_s_own_entries() {
        let before = HybridClock::default().tick(NINE);
        let after = before.tick(NINE - 365 * 86_400_000);
        assert!(after > before);
    }

    #[test]
    fn an_entry_written_after_another_was_seen_is_ordered_after_it() {
        let ahead = HybridClock::default().tick(NINE + 9 * 365 * 86_400_000);
        let here = HybridClock::default().tick(NINE).observe(ahead);
        assert!(here.tick(NINE) > ahead);
    }

    #[test]
    fn a_flat_battery_and_a_year_past_2100_are_clamped() {
        assert_eq!(HybridClock::default().tick(0).to_bits() >> 16, FIRST_MS);
        assert_eq!(HybridClock::default().tick(i64::MIN).to_bits() >> 16, FIRST_MS);
        assert_eq!(HybridClock::default().tick(i64::MAX).to_bits() >> 16, LAST_MS);
        assert_eq!(HybridClock::LATEST.tick(NINE), HybridClock::LATEST);
        assert_eq!(HybridClock::from_bits(HybridClock::LATEST.to_bits() + 1), None);
    }
}
