//! The seats of a show, as they are stored: one key `seat/NAME` for each that is not free.

use std::collections::BTreeMap;

use parlor_guest::prelude::*;

use crate::Show;

/// A seat that is not free.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Seat {
    /// Until then, in milliseconds since the Unix epoch, nobody else can have it.
    Held {
        user: String,
        until: u64,
    },
    Sold {
        user: String,
        confirmation: String,
    },
}

/// The whole hall, read anew in each turn: it is small, and so nothing that is remembered can be wrong.
pub(crate) struct Hall {
    show: Show,
    taken: BTreeMap<String, Seat>,
    now: u64,
}

impl Hall {
    pub(crate) fn load(actor: &Actor, show: Show) -> Result<Self> {
        let mut taken = BTreeMap::new();
        for entry in actor.storage().list("seat/") {
            let entry = entry?;
            taken.insert(entry.key["seat/".len()..].to_owned(), entry.json()?);
        }
        Ok(Hall { show, taken, now: actor.now() })
    }

    /// What is known of a seat; none where it is free. A hold that is over counts for nothing, even if its alarm is late.
    pub(crate) fn seat(&self, name: &str) -> Result<Option<&Seat>> {
        if !self.names().any(|seat| seat == name) {
            return Err(reject("seat.unknown", "there is no such seat"));
        }
        Ok(self.taken.get(name).filter(|seat| !self.is_over(seat)))
    }

    /// Changes a seat, and tells everybody.
    pub(crate) fn set(&mut self, actor: &Actor, name: &str, seat: Option<Seat>) -> Result {
        actor.emit("seat.changed", described(name, seat.as_ref(), self.now))?;
        match seat {
            Some(seat) => {
                actor.storage().put(&key(name), &seat)?;
                self.taken.insert(name.to_owned(), seat);
            }
            None => {
                actor.storage().delete(&key(name))?;
                self.taken.remove(name);
            }
        }
        Ok(())
    }

    /// Frees the seats whose holds are over.
    pub(crate) fn end_holds(&mut self, actor: &Actor) -> Result {
        let over = self.taken.iter().filter(|(_, seat)| self.is_over(seat)).map(|(name, _)| name.clone());
        for name in over.collect::<Vec<_>>() {
            self.set(actor, &name, None)?;
        }
        Ok(())
    }

    /// All holds, those that are over and not yet ended among them: seat, user, and until when.
    pub(crate) fn holds(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.taken.iter().filter_map(|(name, seat)| match seat {
            Seat::Held { user, until } => Some((name.as_str(), user.as_str(), *until)),
            Seat::Sold { .. } => None,
        })
    }

    /// All seats that are sold, with their confirmations.
    pub(crate) fn sold(&self) -> impl Iterator<Item = (String, String)> {
        self.taken.iter().filter_map(|(name, seat)| match seat {
            Seat::Sold { confirmation, .. } => Some((name.clone(), confirmation.clone())),
            Seat::Held { .. } => None,
        })
    }

    pub(crate) fn held_by(&self, user: &str) -> usize {
        self.holds().filter(|(_, holder, until)| *holder == user && *until > self.now).count()
    }

    /// Answers a socket with all seats, in the order of the hall, and with the confirmations of its user's own.
    pub(crate) fn list(&self, ctx: &Ctx) -> Result<u32> {
        let user = &ctx.meta().user_id;
        let seats: Vec<Value> = self
            .names()
            .map(|name| {
                let seat = self.taken.get(&name).filter(|seat| !self.is_over(seat));
                let mut told = described(&name, seat, self.now);
                if let Some(Seat::Sold { user: owner, confirmation }) = seat
                    && owner == user
                {
                    told["confirmation"] = json!(confirmation);
                }
                told
            })
            .collect();
        ctx.emit("seats.list", json!({ "seatsPerRow": self.show.seats_per_row, "seats": seats, "now": self.now }))
    }

    /// `A1`, `A2` and so on: a letter for the row, a number for the place in it.
    fn names(&self) -> impl Iterator<Item = String> {
        let letters = ('A'..='Z').take(self.show.rows as usize);
        letters.flat_map(|row| (1..=self.show.seats_per_row).map(move |place| format!("{row}{place}")))
    }

    fn is_over(&self, seat: &Seat) -> bool {
        matches!(seat, Seat::Held { until, .. } if *until <= self.now)
    }
}

/// What everybody may know of a seat.
pub(crate) fn described(name: &str, seat: Option<&Seat>, now: u64) -> Value {
    match seat {
        None => json!({ "seat": name, "state": "free", "now": now }),
        Some(Seat::Held { user, until }) => {
            json!({ "seat": name, "state": "held", "userId": user, "until": until, "now": now })
        }
        Some(Seat::Sold { user, .. }) => json!({ "seat": name, "state": "sold", "userId": user, "now": now }),
    }
}

fn key(name: &str) -> String {
    format!("seat/{name}")
}
