//! The list of attacks: what each needs of the server, and what its threads do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hostile_guests::{Hostile, Plan, When, bare};

use super::clients;
use super::guests::Rooms;
use super::seen::Seen;
use super::stand::{Kit, Setting, Stand};
use super::{guests, uploads};

/// Rooms of the attacks that happen in many at once. With 62 MiB each they want more than a tenant may have.
const MANY: usize = 40;
/// How long after a server's start a guest may still behave well that acts when rooms open: the load without the
/// attack is measured in that time.
const QUIET: Duration = Duration::from_secs(4);

/// What is done to a server.
#[derive(Clone, Copy)]
pub enum Means {
    /// A hostile guest, and clients that make it act, in so many rooms.
    Guest { hostile: Hostile, rooms: usize },
    /// A hostile file: in the folder at the start, unless it takes long to compile, and uploaded again and again.
    File(Hostile),
    /// Hostile clients.
    Clients(&'static clients::Attack),
}

/// One attack.
#[derive(Clone, Copy)]
pub struct Attack {
    pub means: Means,
}

/// How large the attacks are that can be.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Rooms whose alarms are due at one moment.
    pub alarms: usize,
    /// Open rooms of which a list is asked for.
    pub rooms: usize,
}

impl Default for Scale {
    fn default() -> Self {
        Self { alarms: 5_000, rooms: 5_000 }
    }
}

/// What an attack's threads are given.
#[derive(Clone)]
pub struct Arena {
    pub server: SocketAddr,
    pub seen: Arc<Seen>,
    /// The evil tenant's folder of plugins.
    pub folder: PathBuf,
    /// A component that compiles and serves, to upload.
    pub component: Arc<Vec<u8>>,
    pub scale: Scale,
}

impl Arena {
    /// Only with a server.
    pub fn at(server: SocketAddr) -> Self {
        let (seen, component) = (Arc::default(), Arc::default());
        Self { server, seen, folder: PathBuf::new(), component, scale: Scale::default() }
    }

    pub fn of(stand: &Stand, seen: &Arc<Seen>, kit: &Kit) -> Self {
        let (seen, folder) = (Arc::clone(seen), stand.folder.clone());
        Self { seen, folder, component: Arc::new(kit.bench.clone()), ..Self::at(stand.address()) }
    }
}

/// All attacks, in the order of the table.
pub fn all() -> Vec<Attack> {
    let mut means = Vec::new();
    for hostile in hostile_guests::all() {
        if matches!(hostile.when, When::Load | When::Compile) {
            means.push(Means::File(hostile));
        } else {
            means.push(Means::Guest { hostile, rooms: 1 });
            means.push(Means::Guest { hostile, rooms: MANY });
        }
    }
    means.extend(clients::LIST.iter().chain(clients::SESSIONS).chain(clients::SHARED).map(Means::Clients));
    means.into_iter().map(|means| Attack { means }).collect()
}

impl Attack {
    /// What the table calls it.
    pub fn name(&self) -> String {
        match self.means {
            Means::Guest { hostile, rooms: 1 } => hostile.name.to_owned(),
            Means::Guest { hostile, rooms } => format!("{} x{rooms}", hostile.name),
            Means::File(hostile) => hostile.name.to_owned(),
            Means::Clients(attack) => attack.name.to_owned(),
        }
    }

    /// What it does.
    pub fn what(&self) -> String {
        match self.means {
            Means::Guest { hostile, rooms: 1 } => hostile.what.to_owned(),
            Means::Guest { hostile, rooms } => format!("{}, in {rooms} rooms", hostile.what),
            Means::File(hostile) => hostile.what.to_owned(),
            Means::Clients(attack) => attack.what.to_owned(),
        }
    }

    /// Whether something must stop it.
    pub fn must_stop(&self) -> bool {
        match self.means {
            Means::Guest { hostile, .. } | Means::File(hostile) => hostile.must_stop,
            Means::Clients(attack) => attack.must_stop,
        }
    }

    /// Whether it is about what all tenants share.
    pub fn is_shared(&self) -> bool {
        matches!(self.means, Means::Clients(attack) if clients::SHARED.iter().any(|shared| shared.name == attack.name))
    }

    /// Whether it needs the guest that does all that it may.
    pub fn is_greedy(&self) -> bool {
        matches!(self.means, Means::Clients(attack) if attack.is_greedy)
    }

    /// Whether it does something before it is measured, and then waits.
    pub fn prepares(&self) -> bool {
        matches!(self.means, Means::Clients(attack) if attack.prepares)
    }

    /// What it stores by a server of before; it is told how long the windows take.
    pub fn earlier(&self) -> Option<fn(&Arena, Duration)> {
        match self.means {
            Means::Clients(attack) => attack.earlier,
            _ => None,
        }
    }

    /// Whether only the attack itself says when it is over: what the log says of it meanwhile stops nothing.
    pub fn ends_itself(&self) -> bool {
        self.earlier().is_some()
    }

    /// How long it may go on beyond the measured window where nothing has stopped it yet.
    pub fn patience(&self, scale: Scale) -> Duration {
        match self.means {
            // The wall time of a call is 5 s.
            Means::Guest { .. } => Duration::from_secs(7),
            // A compilation may take 60 s.
            Means::File(_) => Duration::from_secs(65),
            Means::Clients(attack) => attack.patience + attack.patience_per_alarm * scale.alarms as u32,
        }
    }

    /// Whether it is a spinning handler, whose CPU time is measured as well.
    pub fn is_spin(&self) -> bool {
        matches!(self.means, Means::Guest { hostile, rooms: 1 } if hostile.name == "spin-handler")
    }

    /// What the server is started with.
    pub fn setting(&self, kit: &Kit) -> Setting {
        match self.means {
            Means::Guest { hostile, .. } => Setting { files: vec![plugin(hostile)], ..Setting::default() },
            Means::File(hostile) if hostile.when == When::Load => {
                Setting { files: vec![plugin(hostile)], ..Setting::default() }
            }
            Means::File(_) => Setting::default(),
            Means::Clients(attack) => {
                let bytes = attack.guest.and_then(hostile_guests::find);
                let bytes = bytes.map_or_else(|| bare(&[]), |hostile| hostile.bytes(&plan()));
                let mut files = vec![("bare".to_owned(), bytes)];
                files.extend(attack.is_greedy.then(|| ("greedy".to_owned(), kit.greedy.clone())));
                Setting { files, limits: attack.limits.to_owned(), ..Setting::default() }
            }
        }
    }

    /// The hostile file, where there is one.
    pub fn file(&self) -> Option<(String, Vec<u8>)> {
        match self.means {
            Means::Guest { hostile, rooms: 1 } | Means::File(hostile) => Some(plugin(hostile)),
            _ => None,
        }
    }

    /// Attacks until the arena says that it is over. Answers when all its threads have ended.
    pub fn run(&self, arena: &Arena) {
        match self.means {
            Means::Guest { hostile, rooms } => guests::attack(&hostile, Rooms { count: rooms }, arena),
            Means::File(hostile) => uploads::attack(&hostile, &hostile.bytes(&plan()), arena),
            Means::Clients(attack) => (attack.run)(arena),
        }
    }
}

fn plugin(hostile: Hostile) -> (String, Vec<u8>) {
    (hostile.name.to_owned(), hostile.bytes(&plan()))
}

fn plan() -> Plan {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Plan { quiet_until_ms: (now + QUIET).as_secs_f64() * 1e3 }
}

/// How long an attack has to wait until its guests act.
pub fn quiet_left(started: SystemTime) -> Duration {
    (started + QUIET).duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_attack_has_a_name_of_its_own_and_the_guest_that_it_needs() {
        let mut names = BTreeSet::new();
        for attack in all() {
            assert!(names.insert(attack.name()), "{} twice", attack.name());
            if let Means::Clients(clients) = attack.means {
                assert!(clients.guest.is_none_or(|guest| hostile_guests::find(guest).is_some()), "{}", clients.name);
            }
        }
    }
}
