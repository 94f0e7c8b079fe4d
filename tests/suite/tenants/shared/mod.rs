//! One greedy tenant beside a good one: while the greedy one does its worst, the good one gets what it asks for, and the
//! greedy one's account or bound shows what it was charged. SECURITY.md lists what tenants share.

mod rooms;
