//! What tenants share: one greedy tenant does its worst beside a good one. What the good one does completes, and the greedy
//! one is charged, or held by its bound. SECURITY.md has a row for each.

mod storage;
