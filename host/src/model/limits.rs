//! Every bound of this host, by name, with its unit and the reason for its number.
//!
//! The keys of `[limits]` in `parlor.toml` are these fields' names with dashes. The numbers are those of the design's
//! tables; where one was measured, the reason says so.

use serde::Deserialize;

/// What one plugin, one turn, one socket and one room may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// CPU of one turn: execution, not waiting. Fifty times what a script handler takes on a slow machine.
    pub turn_cpu_ms: u64,
    /// CPU of `init`, which script engines spend on evaluating their program.
    pub init_cpu_ms: u64,
    /// Wall time of one call into a guest, waits included.
    pub call_wall_ms: u64,
    /// Linear memory of one instance, all its memories together.
    pub memory_bytes: usize,
    /// Elements of one table of an instance, pre-allocated address space in the pool.
    pub table_elements: usize,
    /// Stack of a guest. wasmtime's own default; the fiber's stack adds room for host calls.
    pub guest_stack_bytes: usize,
    /// A component's file.
    pub component_bytes: u64,
    /// One inbound frame, fragments together.
    pub frame_bytes: usize,
    /// Invalid and binary frames that a socket may send before it is closed: enough for a client under development.
    pub bad_frames: u32,
    /// One emit's data.
    pub emit_bytes: usize,
    /// Emits of a turn.
    pub emits_per_turn: usize,
    /// Data of all emits of a turn.
    pub emit_bytes_per_turn: usize,
    /// Receivers of all emits of a turn, added up.
    pub deliveries_per_turn: usize,
    /// Host calls of a turn.
    pub host_calls_per_turn: u32,
    /// Calls past a bound that a turn may make before it traps: a guest that does not look at refusals.
    pub calls_after_bound: u32,
    /// Log lines of a turn; the rest is counted.
    pub log_lines_per_turn: u32,
    /// One log line; the rest of it is cut off.
    pub log_line_bytes: usize,
    /// Registrations of an instance.
    pub registrations: usize,
    /// Bytes of one call for randomness.
    pub random_bytes: u32,
    /// Channels of a socket.
    pub channels_per_socket: usize,
    /// A plugin's own fields in a socket's meta.
    pub meta_fields_bytes: usize,
    /// A storage key.
    pub storage_key_bytes: usize,
    /// A storage value.
    pub storage_value_bytes: usize,
    /// Keys and values of a room together.
    pub storage_room_bytes: usize,
    /// Bytes queued for one socket.
    pub outbound_bytes: usize,
    /// Frames queued for one socket.
    pub outbound_frames: usize,
    /// Events of clients that wait in a room.
    pub mailbox_events: usize,
    /// Events of one socket that wait in its room.
    pub mailbox_events_per_socket: u32,
    /// `authorize` calls of one plugin at once; others wait their turn.
    pub authorize_at_once: usize,
    /// The HTTP request of an upgrade, until its headers are read.
    pub handshake_ms: u64,
    /// A socket that sends nothing: pinged at half of it, gone at its end.
    pub idle_socket_ms: u64,
    /// How long a room without sockets keeps its instance, so that a reload of a page finds it warm.
    pub room_linger_ms: u64,
    /// How long the drain at shutdown may take.
    pub drain_ms: u64,
    /// Sockets of one room.
    pub sockets_per_room: usize,
    /// Sockets of one tenant.
    pub sockets_per_tenant: usize,
    /// Rooms of one tenant that are open at once.
    pub rooms_per_tenant: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turn_cpu_ms: 50,
            init_cpu_ms: 2_000,
            call_wall_ms: 5_000,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            guest_stack_bytes: 512 << 10,
            component_bytes: 64 << 20,
            frame_bytes: 64 << 10,
            bad_frames: 10,
            emit_bytes: 64 << 10,
            emits_per_turn: 1_000,
            emit_bytes_per_turn: 512 << 10,
            deliveries_per_turn: 20_000,
            host_calls_per_turn: 10_000,
            calls_after_bound: 1_000,
            log_lines_per_turn: 64,
            log_line_bytes: 1 << 10,
            registrations: 256,
            random_bytes: 4_096,
            channels_per_socket: 64,
            meta_fields_bytes: 4 << 10,
            storage_key_bytes: 512,
            storage_value_bytes: 128 << 10,
            storage_room_bytes: 16 << 20,
            outbound_bytes: 1 << 20,
            outbound_frames: 4_096,
            mailbox_events: 1_024,
            mailbox_events_per_socket: 64,
            authorize_at_once: 4,
            handshake_ms: 10_000,
            idle_socket_ms: 90_000,
            room_linger_ms: 10_000,
            drain_ms: 10_000,
            sockets_per_room: 10_000,
            sockets_per_tenant: 50_000,
            rooms_per_tenant: 1_000,
        }
    }
}
