//! What a socket was sent last, in case it did not arrive: the client may come back over another line and say how many
//! frames it has.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::limits::Limits;
use crate::protocol::Packet;
use crate::tenant::account::Counter;

/// The tenant is charged in steps of so many bytes, so that most frames cost no counting.
const STEP_BYTES: usize = 4 << 10;

/// The last packets that a socket was sent. Their bytes are shared with other sockets' and charged to each.
#[derive(Debug)]
pub(super) struct SentRing {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// How many packets were sent before the first of these.
    before: u64,
    bytes_max: usize,
    packets_max: usize,
    /// The tenant's memory.
    memory: Arc<Counter>,
    /// How much of it this has.
    charged: usize,
}

impl SentRing {
    pub(super) fn new(limits: &Limits, memory: Arc<Counter>) -> Self {
        Self {
            packets: VecDeque::new(),
            bytes: 0,
            before: 0,
            bytes_max: limits.resume_bytes,
            packets_max: limits.resume_frames,
            memory,
            charged: 0,
        }
    }

    /// Keeps a packet that is sent now, and forgets the oldest for it where need be.
    pub(super) fn keep(&mut self, packet: &Packet) {
        self.bytes += cost(packet);
        if self.packets.capacity() == 0 {
            // Idle sockets keep the one packet that they were sent, and would hold memory for four.
            self.packets.reserve_exact(1);
        }
        // What comes a second time is no answer of this moment to an event.
        self.packets.push_back(packet.clone().of_event(0));
        let exceeds = |ring: &Self| ring.packets.len() > ring.packets_max || ring.bytes > ring.bytes_max;
        while exceeds(self) || !self.is_paid() {
            let Some(oldest) = self.packets.pop_front() else { break };
            self.bytes -= cost(&oldest);
            self.before += 1;
        }
    }

    /// How many packets were sent up to the last that a client says it got by what it knows it by.
    pub(super) fn number_of(&self, is_it: impl Fn(&Packet) -> bool) -> Option<u64> {
        Some(self.before + self.packets.iter().rposition(is_it)? as u64 + 1)
    }

    /// Takes out the packets behind the first `got`, which are to be sent again; none where it has not all of them, or where
    /// so many were never sent.
    pub(super) fn rewind(&mut self, got: u64) -> Option<VecDeque<Packet>> {
        let kept = usize::try_from(got.checked_sub(self.before)?).ok()?;
        if kept > self.packets.len() {
            return None;
        }
        let again = self.packets.split_off(kept);
        self.bytes -= again.iter().map(cost).sum::<usize>();
        Some(again)
    }

    /// Has the tenant's memory pay for what is kept. Instances come first: of more than half of it they alone get more.
    fn is_paid(&mut self) -> bool {
        while self.charged < self.bytes {
            let is_half_full = self.memory.used() >= self.memory.max() / 2;
            if is_half_full || !self.memory.take(STEP_BYTES) {
                return false;
            }
            self.charged += STEP_BYTES;
        }
        true
    }
}

/// What a packet holds in memory.
fn cost(packet: &Packet) -> usize {
    packet.bytes() + size_of::<Packet>()
}

impl Drop for SentRing {
    fn drop(&mut self) {
        self.memory.give(self.charged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(bytes: usize, frames: usize, memory: &Arc<Counter>) -> SentRing {
        let limits = Limits { resume_bytes: bytes, resume_frames: frames, ..Limits::default() };
        SentRing::new(&limits, Arc::clone(memory))
    }

    fn packet(number: u64) -> Packet {
        format!("frame {number}").into()
    }

    fn numbers(packets: Option<VecDeque<Packet>>) -> Option<Vec<String>> {
        packets.map(|packets| packets.iter().map(|packet| packet.text.as_str().to_owned()).collect())
    }

    #[test]
    fn it_gives_back_what_is_behind_a_number_or_nothing_at_all() {
        let memory = Arc::new(Counter::new(1 << 20));
        let mut ring = ring(1 << 20, 3, &memory);
        (0..5).for_each(|number| ring.keep(&packet(number)));
        assert_eq!(numbers(ring.rewind(1)), None, "frame 1 is gone");
        assert_eq!(numbers(ring.rewind(6)), None, "so many were never sent");
        assert_eq!(numbers(ring.rewind(5)).as_deref(), Some(&[][..]));
        assert_eq!(numbers(ring.rewind(3)).unwrap(), ["frame 3", "frame 4"]);
        // They are sent again, and kept again under their numbers.
        ring.keep(&packet(3));
        assert_eq!(numbers(ring.rewind(3)).unwrap(), ["frame 3"]);
        assert_eq!(numbers(ring.rewind(2)).unwrap(), ["frame 2"]);
    }

    #[test]
    fn its_bytes_have_a_bound_and_are_paid_for() {
        let memory = Arc::new(Counter::new(64 << 10));
        let mut small = ring(1_000, 1_000, &memory);
        (0..100).for_each(|number| small.keep(&packet(number)));
        assert!(small.bytes <= 1_000 && small.before > 80, "{small:?}");
        assert_eq!(memory.used(), STEP_BYTES);
        let mut large = ring(1 << 20, 1_000_000, &memory);
        (0..10_000).for_each(|number| large.keep(&packet(number)));
        assert!(memory.used() <= memory.max() / 2 + STEP_BYTES, "{}", memory.used());
        assert!(large.rewind(9_990).is_some() && large.rewind(10).is_none());
        drop((small, large));
        assert_eq!(memory.used(), 0);
    }
}
