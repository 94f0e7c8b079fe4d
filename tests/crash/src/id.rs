//! What is added to a ledger: an id that is sent once by one sender, and an amount that follows from it.

use std::fmt;

use super::random::mix;

/// The `n`th of a sender in a life of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    pub life: u32,
    pub sender: u32,
    pub n: u32,
}

impl Id {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| part.parse().ok());
        let (life, sender, n) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Self { life, sender, n })
    }

    /// Sums of different ids are different, as good as always.
    pub fn amount(self) -> i64 {
        let bits = (u64::from(self.life) << 40) ^ (u64::from(self.sender) << 32) ^ u64::from(self.n);
        (mix(bits) % 1_000_000) as i64 + 1
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.life, self.sender, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = Id { life: 12, sender: 3, n: 456 };
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        for wrong in ["", "1-2", "1-2-3-4", "1-2-x"] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }
}
