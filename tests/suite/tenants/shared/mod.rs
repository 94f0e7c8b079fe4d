//! What tenants share, a file for each row of the table in SECURITY.md: one greedy tenant beside a good one.

mod pace;
