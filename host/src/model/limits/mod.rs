//! Every bound of this host, by name, with its unit and the reason for its number.
//!
//! The keys of `[limits]` in `parlor.toml` are these fields' names with dashes. The numbers are those of the design's
//! tables; where one was measured, the reason says so.

mod define;
mod layers;

use define::{key, limits};

pub use define::{Limit, Scope};
pub use layers::{Layers, Source};

limits! {
    // A turn.
    /// CPU of one turn: execution, not waiting. Fifty times what a script handler takes on a slow machine.
    turn_cpu_ms: u64 = 50, Plugin, least 1;
    /// CPU of `init`, which script engines spend on evaluating their program.
    init_cpu_ms: u64 = 2_000, Plugin, least 1;
    /// Wall time of one call into a guest, waits included.
    call_wall_ms: u64 = 5_000, Plugin, least 1;
    /// One emit's data.
    emit_bytes: usize = 64 << 10, Plugin, least 0;
    /// Emits of a turn.
    emits_per_turn: usize = 1_000, Plugin, least 0;
    /// Data of all emits of a turn.
    emit_bytes_per_turn: usize = 512 << 10, Plugin, least 0;
    /// Receivers of all emits of a turn, added up.
    deliveries_per_turn: usize = 20_000, Plugin, least 0;
    /// Host calls of a turn, of `init` or of `authorize`.
    host_calls_per_turn: u32 = 10_000, Plugin, least 0;
    /// Calls past a bound that a turn may make before it traps: a guest that does not look at refusals.
    calls_after_bound: u32 = 1_000, Plugin, least 0;
    /// Log lines of a turn; the rest is counted.
    log_lines_per_turn: u32 = 64, Plugin, least 0;
    /// One log line; the rest of it is cut off.
    log_line_bytes: usize = 1 << 10, Plugin, least 0;
    /// Bytes of one call for randomness.
    random_bytes: u32 = 4_096, Plugin, least 0;

    // An instance.
    /// Memory of one instance: its linear memories and its tables together.
    memory_bytes: usize = 64 << 20, Plugin, least 1;
    /// Elements of one table of an instance, pre-allocated address space in the pool.
    table_elements: usize = 20_000, Host, least 0;
    /// Stack of a guest. wasmtime's own default; the fiber's stack adds room for host calls.
    guest_stack_bytes: usize = 512 << 10, Host, least 1;
    /// Core instances of one component: QuickJS needs 13, Python 38.
    core_instances_per_component: u32 = 64, Host, least 1;
    /// Linear memories of one component: QuickJS needs 3.
    memories_per_component: u32 = 4, Host, least 1;
    /// Tables of one component: QuickJS needs 3.
    tables_per_component: u32 = 4, Host, least 0;
    /// Handles of the component model that an instance may hold.
    component_handles: usize = 1_024, Host, least 0;
    /// WASI's handles, streams and pollables, that an instance may hold.
    wasi_handles: usize = 256, Host, least 0;
    /// Registrations of an instance.
    registrations: usize = 256, Plugin, least 0;

    // A plugin and its file.
    /// A component's file.
    component_bytes: u64 = 64 << 20, Plugin, least 1;
    /// Wall time of compiling a component. Python takes 7 to 17 s, and compiling gives way to serving.
    compile_wall_ms: u64 = 60_000, Host, least 1;
    /// CPU of compiling a component, all its threads together.
    compile_cpu_ms: u64 = 120_000, Host, least 1_000;
    /// Address space of the process that compiles.
    compile_memory_bytes: u64 = 4 << 30, Host, least 1;
    /// What a component may grow to by compiling; 18 MiB of Python become some 60.
    compiled_bytes: u64 = 512 << 20, Host, least 1;
    /// Components that are compiled at once: each takes all cores that serving leaves.
    compiles_at_once: usize = 1, Host, least 1;
    /// Compiled code that is kept on disk; what was not used for longest goes first.
    compiled_cache_bytes: u64 = 4 << 30, Host, least 0;
    /// Functions that are kept of each tenant, so that its next component need not be compiled whole; scripts have all of
    /// their engine in common, 6 MiB. What was not used for longest goes first. With 0 nothing is kept.
    compiled_functions_bytes: u64 = 16 << 20, Host, least 0;
    /// `authorize` calls of one plugin at once; others wait their turn.
    authorize_at_once: usize = 4, Plugin, least 1;
    /// Upgrades that wait for `authorize`; one more is answered 503, so that a storm is turned away and not queued.
    authorize_waiting: usize = 256, Plugin, least 1;

    // A room.
    /// Events of clients that wait in a room.
    mailbox_events: usize = 1_024, Plugin, least 1;
    /// Bytes of the events of clients that wait in a room: what a thousand rooms of a tenant hold fits into memory.
    mailbox_bytes: usize = 1 << 20, Plugin, least 1;
    /// Events of one socket that wait in its room.
    mailbox_events_per_socket: u32 = 64, Plugin, least 1;
    /// What `$suspend` may hand over.
    suspend_bytes: usize = 256 << 10, Plugin, least 0;
    /// How long nothing happens in a room before it gives up its instance; looked at every half second. Waking takes less
    /// than a millisecond, and a page that is open asks for nothing most of the time.
    room_sleep_ms: u64 = 30_000, Plugin, least 1;
    /// Turns that have to go well in a room before it stays on a new version.
    swap_trial_turns: u32 = 20, Plugin, least 1;
    /// How long a room without sockets keeps its instance, so that a reload of a page finds it warm.
    room_linger_ms: u64 = 10_000, Plugin, least 0;
    /// Traps, deadlines and memory faults within `room-faults-window-ms` that close a room.
    room_faults: u32 = 5, Plugin, least 1;
    /// Faults that are older count no more.
    room_faults_window_ms: u64 = 30_000, Plugin, least 1;
    /// How long a room waits before it makes an instance after its second fault; doubled at each further one.
    room_backoff_ms: u64 = 100, Plugin, least 0;
    /// How long a room that was closed for its faults stays closed.
    room_closed_ms: u64 = 30_000, Plugin, least 0;
    /// Turns of a room that wait for their writes; then the room waits. A hundred are more than a disk takes at once.
    pending_turns: usize = 256, Plugin, least 1;
    /// Writes and emits of these turns together.
    pending_bytes: usize = 1 << 20, Plugin, least 1;
    /// How long an alarm whose turn failed waits before it rings again; doubled at each further failure.
    alarm_retry_ms: u64 = 1_000, Plugin, least 1;
    /// The longest of these waits.
    alarm_retry_max_ms: u64 = 300_000, Plugin, least 1;
    /// Timers of a room.
    timers_per_room: usize = 64, Plugin, least 0;
    /// What a timer gives to its turn.
    timer_bytes: usize = 4 << 10, Plugin, least 0;
    /// Sockets of one room.
    sockets_per_room: usize = 10_000, Plugin, least 0;

    // Storage.
    /// A storage key.
    storage_key_bytes: usize = 512, Plugin, least 0;
    /// A storage value.
    storage_value_bytes: usize = 128 << 10, Plugin, least 0;
    /// What an open room remembers of its storage, so that it seldom waits for a disk.
    storage_cache_bytes: usize = 64 << 10, Plugin, least 0;
    /// Keys that one call names.
    storage_keys_per_call: usize = 128, Plugin, least 0;
    /// Keys and values that one call with many of them reads or writes: eight values of the largest size.
    storage_bytes_per_call: usize = 1 << 20, Plugin, least 0;
    /// Keys and values that a turn writes: held in memory until they are durable.
    storage_bytes_per_turn: usize = 4 << 20, Plugin, least 0;
    /// Keys and values of a room together.
    storage_room_bytes: usize = 16 << 20, Plugin, least 0;
    /// Rooms of a tenant that keep something, open or not.
    storage_rooms_per_tenant: usize = 100_000, Tenant, least 0;
    /// Keys and values of all rooms of a tenant together.
    storage_tenant_bytes: usize = 1 << 30, Tenant, least 0;

    // A socket.
    /// One inbound frame, fragments together.
    frame_bytes: usize = 64 << 10, Plugin, least 1;
    /// Inbound frames of a socket, in the long run.
    frames_per_second: u32 = 100, Plugin, least 1;
    /// Inbound frames of a socket at once: a client that was held up may catch up.
    frames_burst: u32 = 200, Plugin, least 1;
    /// What is read from a socket in the long run, fragments and control frames included: ten KiB a frame at
    /// `frames-per-second`. Past it the socket waits.
    inbound_bytes_per_second: u32 = 1 << 20, Plugin, least 1;
    /// Invalid and binary frames that a socket may send before it is closed: enough for a client under development.
    bad_frames: u32 = 10, Plugin, least 0;
    /// Channels of a socket.
    channels_per_socket: usize = 64, Plugin, least 0;
    /// A plugin's own fields in a socket's meta.
    meta_fields_bytes: usize = 4 << 10, Plugin, least 0;
    /// Bytes queued for one socket.
    outbound_bytes: usize = 1 << 20, Plugin, least 1;
    /// Frames queued for one socket.
    outbound_frames: usize = 4_096, Plugin, least 1;
    /// A socket that sends nothing: pinged at half of it, gone at its end.
    idle_socket_ms: u64 = 90_000, Plugin, least 1;

    // A tenant.
    /// CPU of a tenant in the long run, in per cent of one core: its rooms, their opening, `authorize`, fan-out.
    tenant_cpu_percent: u32 = 25, Tenant, least 1;
    /// What a tenant that used little may use at once: ten turns that use all that they may.
    tenant_cpu_burst_ms: u64 = 500, Tenant, least 1;
    /// Memory of all instances of a tenant: a thousand rooms of 2 MiB each.
    memory_tenant_bytes: usize = 2 << 30, Tenant, least 1;
    /// Bytes queued for all sockets of a tenant; past it, sockets that have something queued already are slow.
    outbound_tenant_bytes: usize = 256 << 20, Tenant, least 1;
    /// Plugins of a tenant.
    plugins_per_tenant: usize = 64, Tenant, least 0;
    /// Versions of each plugin that are kept to roll back to, the current one included: a bad week of deploying.
    versions_kept: usize = 10, Tenant, least 1;
    /// Sockets of one tenant.
    sockets_per_tenant: usize = 50_000, Tenant, least 0;
    /// Rooms of one tenant that are open at once, asleep or not.
    rooms_per_tenant: usize = 100_000, Tenant, least 0;
    /// Rooms of one tenant that are awake, with an instance each; past it those sleep in which nothing happened for
    /// longest.
    awake_rooms_per_tenant: usize = 1_000, Tenant, least 1;

    // The server.
    /// Connections of the server, those of HTTP included: at most the process's descriptors less 1,024.
    sockets_of_host: usize = 1_000_000, Host, least 1;
    /// Connections of one address (IPv6: one network of 64 bits): a household or an office, not a botnet.
    sockets_per_address: usize = 256, Host, least 1;
    /// Upgrades of one address, in the long run.
    upgrades_per_address_per_second: u32 = 20, Host, least 1;
    /// Upgrades of one address at once: a page with several rooms in several tabs.
    upgrades_per_address_burst: u32 = 64, Host, least 1;
    /// Instances that live at once: at most as many as the kernel's bound on memory maps allows.
    instances_of_host: u32 = 10_000, Host, least 1;
    /// How long an opening waits for a place among them.
    instance_wait_ms: u64 = 2_000, Host, least 0;
    /// The HTTP request of an upgrade, until its headers are read; then again until it is authorized.
    handshake_ms: u64 = 10_000, Host, least 1;
    /// How long the drain at shutdown may take.
    drain_ms: u64 = 10_000, Host, least 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::refusal::Bound;

    #[test]
    fn keys_are_unique_and_end_in_what_they_count() {
        let all = Limits::default().all();
        let mut keys: Vec<&str> = all.iter().map(|limit| limit.key).collect();
        assert!(keys.contains(&"turn-cpu-ms") && keys.contains(&"outbound-bytes"));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
        for limit in &all {
            assert!(limit.value >= limit.least, "{limit:?}");
            assert!(limit.why.len() > 10 && !limit.key.contains('_'), "{limit:?}");
        }
    }

    #[test]
    fn every_reason_is_a_limit() {
        let all = Limits::default().all();
        for bound in Bound::ALL {
            assert!(all.iter().any(|limit| limit.key == bound.name()), "{} is no limit", bound.name());
        }
    }

    #[test]
    fn a_table_changes_what_it_sets_alone() {
        let table: LimitsTable = toml::from_str("frame-bytes = 7").unwrap();
        let mut limits = Limits::default();
        limits.apply(&table);
        assert_eq!(limits, Limits { frame_bytes: 7, ..Limits::default() });
        assert_eq!(table.set().iter().map(|limit| (limit.key, limit.value)).collect::<Vec<_>>(), [("frame-bytes", 7)]);
    }
}
