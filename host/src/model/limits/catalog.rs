//! Every limit of the host: its name, its unit, what happens past it, and why it has its value.
//!
//! The keys of `[limits]` in `parlor.toml` are the names of these fields with dashes. `parlor limits --why` prints
//! their comments.

use super::define::{Limit, Scope, key, limits};

limits! {
    // A turn.
    /// CPU time that one turn may execute, waits not counted. Past it the guest is stopped, the turn is undone and the
    /// instance is replaced. Fifty times what a script's handler takes on a slow machine.
    turn_cpu_ms: u64 = 50, Plugin, least 1;
    /// CPU time of `init`, in which script engines evaluate their program. Past it the version does not load, or the
    /// room does not open.
    init_cpu_ms: u64 = 2_000, Plugin, least 1;
    /// Wall time of one call into a guest, waits included. Past it the guest is stopped, the turn is undone and the
    /// instance is replaced.
    call_wall_ms: u64 = 5_000, Plugin, least 1;
    /// Data of one emit, ask or answer with its attachments, in bytes. Past it the call is refused and the turn cannot
    /// commit.
    emit_bytes: usize = 256 << 10, Plugin, least 0;
    /// Emits of one turn. Past it the call is refused and the turn cannot commit.
    emits_per_turn: usize = 1_000, Plugin, least 0;
    /// Data of all emits of one turn, in bytes. Past it the call is refused and the turn cannot commit.
    emit_bytes_per_turn: usize = 512 << 10, Plugin, least 0;
    /// Attachments of one emit, ask or answer. Past it the call is refused and the turn cannot commit.
    attachments_per_event: usize = 16, Plugin, least 0;
    /// Receivers of all emits of one turn, added up. Past it the call is refused and the turn cannot commit.
    deliveries_per_turn: usize = 20_000, Plugin, least 0;
    /// Calls from the guest to the host in one turn, in `init` or in `authorize`. Past it each call is refused and the
    /// turn cannot commit.
    host_calls_per_turn: u32 = 10_000, Plugin, least 0;
    /// Calls that a turn may still make after it exceeded a limit. Past it the guest is stopped: it does not look at
    /// refusals.
    calls_after_bound: u32 = 1_000, Plugin, least 0;
    /// Log lines of one turn. Past it lines are dropped, and the log says how many.
    log_lines_per_turn: u32 = 64, Plugin, least 0;
    /// Bytes of one log line. The rest of a longer line is cut off.
    log_line_bytes: usize = 1 << 10, Plugin, least 0;
    /// Bytes per second that a plugin may write into the operator's log in the long run, and the host about its rooms as
    /// many again. Past it lines are left out and counted; the API has the last ones. A hundred short lines.
    log_bytes_per_second: u32 = 16 << 10, Plugin, least 1;
    /// Bytes that a plugin which logged little may write into the operator's log at once before `log-bytes-per-second`
    /// counts: four turns that log all they may.
    log_bytes_burst: u32 = 256 << 10, Plugin, least 1;
    /// Bytes that one call for randomness may ask for. Past it the call is refused.
    random_bytes: u32 = 4_096, Plugin, least 0;

    // An instance.
    /// Memory of one instance in bytes: its linear memories and its tables together. Past it the guest gets no more
    /// memory, and most guests trap on that.
    memory_bytes: usize = 64 << 20, Plugin, least 1;
    /// Elements of one table of an instance; the pool reserves address space for them. A component that begins with
    /// more does not load, and a table does not grow past it.
    table_elements: usize = 20_000, Host, least 0;
    /// Stack of a guest in bytes; past it the guest traps. This is wasmtime's own default; the host's calls have a
    /// stack beyond it.
    guest_stack_bytes: usize = 512 << 10, Host, least 1;
    /// Core instances of one component; a component with more does not load. QuickJS needs 13, Python 38.
    core_instances_per_component: u32 = 64, Host, least 1;
    /// Linear memories of one component; a component with more does not load. QuickJS needs 3.
    memories_per_component: u32 = 4, Host, least 1;
    /// Tables of one component; a component with more does not load. QuickJS needs 3.
    tables_per_component: u32 = 4, Host, least 0;
    /// Handles of the component model that an instance may hold. Past it the guest traps.
    component_handles: usize = 1_024, Host, least 0;
    /// WASI's streams and pollables that an instance may hold. Past it the guest traps.
    wasi_handles: usize = 256, Host, least 0;
    /// Events that an instance may register for. Past it the call is refused.
    registrations: usize = 256, Plugin, least 0;

    // A plugin and its file.
    /// Bytes of a component's file. The host refuses a larger one.
    component_bytes: u64 = 64 << 20, Plugin, least 1;
    /// Time in ms for which a compilation may get no CPU time at all; past it the compilation is killed and tried again
    /// later. One that goes on is bounded by `compile-cpu-ms` alone, however busy the machine is.
    compile_wall_ms: u64 = 60_000, Host, least 1;
    /// CPU time of compiling one component, all threads together. Past it the compilation is killed and the version
    /// does not load.
    compile_cpu_ms: u64 = 120_000, Host, least 1_000;
    /// Address space in bytes of the process that compiles. A component that needs more does not load.
    compile_memory_bytes: u64 = 4 << 30, Host, least 1;
    /// Native code of one component in bytes; a component that needs more does not load. 18 MiB of Python become some
    /// 60 MiB.
    compiled_bytes: u64 = 512 << 20, Host, least 1;
    /// Components that the server compiles at once; others wait. One compilation uses all cores that serving leaves
    /// free.
    compiles_at_once: usize = 1, Host, least 1;
    /// Compiled code and functions of all tenants on disk in bytes. Past it the server deletes what was unused for
    /// longest, of the tenant that is furthest past its `compiled-cache-tenant-bytes`, and compiles it again when it is
    /// needed.
    compiled_cache_bytes: u64 = 4 << 30, Host, least 0;
    /// Compiled code and functions of one tenant on disk in bytes, which it keeps whatever others have compiled, as long as
    /// all shares together fit into `compiled-cache-bytes`. It may have more where there is space.
    compiled_cache_tenant_bytes: u64 = 256 << 20, Tenant, least 0;
    /// Compiled functions on disk in bytes, for each tenant: its next component reuses them, so that a language's engine
    /// is compiled once. CPython takes 28 MiB and QuickJS 6. Past it those that were unused for longest go; with 0
    /// nothing is reused.
    compiled_functions_bytes: u64 = 48 << 20, Host, least 0;
    /// Compiled functions on disk in bytes of each component in the folder `engines`, which all tenants reuse. CPython
    /// takes 28 MiB. Past it the rest is compiled for each tenant.
    compiled_engine_bytes: u64 = 64 << 20, Host, least 1_024;
    /// `authorize` calls of one plugin that run at once; others wait in order.
    authorize_at_once: usize = 4, Plugin, least 1;
    /// Upgrades of one plugin that run `authorize` or wait for it. One more is answered with 503, so that a storm of
    /// connections is turned away, not queued.
    authorize_waiting: usize = 256, Plugin, least 1;

    // A room.
    /// Client events that wait in one room. Past it the host stops reading the room's sockets until there is space.
    mailbox_events: usize = 1_024, Plugin, least 1;
    /// Bytes of the client events that wait in one room; past it the host stops reading the room's sockets until there
    /// is space. A thousand full rooms of a tenant still fit into memory.
    mailbox_bytes: usize = 1 << 20, Plugin, least 1;
    /// Events of one socket that wait in its room. Past it the host stops reading that socket until the room has
    /// handled some.
    mailbox_events_per_socket: u32 = 64, Plugin, least 1;
    /// Channels of one room whose history is kept. Past it `history.keep` is refused.
    history_channels: usize = 16, Plugin, least 0;
    /// Entries of one channel's history. Past it `history.keep` is refused.
    history_entries: usize = 1_000, Plugin, least 0;
    /// Time in ms for which an entry of a channel's history may be kept: 30 days. Past it `history.keep` is refused.
    history_ttl_ms: u64 = 2_592_000_000, Plugin, least 0;
    /// Bytes of one channel's history in memory. Past it the oldest entries go. Those of all rooms count to
    /// `memory-tenant-bytes`; where that is used up, what is said is not kept, and clients hear that they missed something.
    history_bytes: usize = 1 << 20, Plugin, least 0;
    /// Bytes of the history of one channel that a client gets when it comes back. Past it the client gets the newest, and
    /// hears that it missed something. A quarter of what a socket's queue holds.
    history_answer_bytes: usize = 256 << 10, Plugin, least 0;
    /// Bytes of the state that `$suspend` may return. Past it that turn fails, and the next instance has to restore.
    suspend_bytes: usize = 256 << 10, Plugin, least 0;
    /// Time in ms without any event after which a room gives up its instance; the host checks every half second. Waking
    /// takes less than a millisecond, and an open page sends nothing most of the time.
    room_sleep_ms: u64 = 30_000, Plugin, least 1;
    /// Turns that have to succeed on a new version before a room stays on it. A fault before that takes the room back
    /// to the version before.
    swap_trial_turns: u32 = 20, Plugin, least 1;
    /// Time in ms that a room without sockets keeps its instance, so that a page that reloads finds it warm. After it
    /// the room ends.
    room_linger_ms: u64 = 10_000, Plugin, least 0;
    /// Traps, deadlines and memory faults within `room-faults-window-ms` at which a room is closed for `room-closed-ms`.
    room_faults: u32 = 5, Plugin, least 1;
    /// Time in ms for which a fault counts towards `room-faults`, `client-faults` and `address-faults`.
    room_faults_window_ms: u64 = 30_000, Plugin, least 1;
    /// Faults within `room-faults-window-ms` that the events of one user cause before it is refused for
    /// `client-refused-ms`. A room counts one fewer of related clients towards `room-faults`, so that no client alone
    /// closes a room that others are in.
    client_faults: u32 = 3, Plugin, least 1;
    /// Faults within `room-faults-window-ms` that the clients of one address cause, whatever they are called, before the
    /// address is refused for `client-refused-ms`. More than `client-faults`, since many share an address.
    address_faults: u32 = 10, Plugin, least 1;
    /// Time in ms that a client's next event waits after a fault that the client caused. Each further fault doubles it.
    client_slow_ms: u64 = 1_000, Plugin, least 0;
    /// Time in ms for which a client that caused too many faults is refused. Each further refusal doubles it.
    client_refused_ms: u64 = 30_000, Plugin, least 0;
    /// The longest time in ms for which a client is refused. After as long without a fault, its faults are forgotten.
    client_refused_max_ms: u64 = 3_600_000, Plugin, least 0;
    /// Time in ms that a room waits before it makes a new instance after its second fault in a row. Each further fault
    /// doubles it.
    room_backoff_ms: u64 = 100, Plugin, least 0;
    /// Time in ms for which a room that faulted too often refuses connections.
    room_closed_ms: u64 = 30_000, Plugin, least 0;
    /// Time in ms for which a version in quarantine is out of service before one room may try it. Each further
    /// quarantine doubles it.
    quarantine_ms: u64 = 30_000, Plugin, least 1;
    /// The longest pause in ms before a room tries a version that is in quarantine. After as long in service, a version
    /// begins anew with `quarantine-ms`.
    quarantine_max_ms: u64 = 3_600_000, Plugin, least 1;
    /// Time in ms that the room which tries a version has to go without a crash; then the quarantine ends.
    quarantine_trial_ms: u64 = 10_000, Plugin, least 1;
    /// Turns of one room that wait for their writes to be durable; past it the room handles no more until some are. A
    /// disk seldom takes a hundred at once.
    pending_turns: usize = 256, Plugin, least 1;
    /// Bytes of the writes and emits of the turns that wait for the disk. Past it the room handles no more until some
    /// are durable.
    pending_bytes: usize = 1 << 20, Plugin, least 1;
    /// Time in ms until an alarm whose turn failed rings again. Each further failure doubles it.
    alarm_retry_ms: u64 = 1_000, Plugin, least 1;
    /// The longest time in ms between two tries of an alarm.
    alarm_retry_max_ms: u64 = 300_000, Plugin, least 1;
    /// Timers that a room may have set. Past it `set` is refused.
    timers_per_room: usize = 64, Plugin, least 0;
    /// Bytes of the data of one timer. Past it `set` is refused.
    timer_bytes: usize = 4 << 10, Plugin, least 0;
    /// Asks of a room that clients have not answered yet. Past it `ask` is refused.
    asks_per_room: usize = 1_024, Plugin, least 0;
    /// Asks that one socket has not answered yet. Past it `ask` is refused.
    asks_per_socket: usize = 64, Plugin, least 0;
    /// Sockets of one room. One more is answered with 503, or closed with 1013.
    sockets_per_room: usize = 10_000, Plugin, least 0;

    // Storage.
    /// Bytes of one storage key. Past it the call is refused.
    storage_key_bytes: usize = 512, Plugin, least 0;
    /// Bytes of one storage value. Past it the call is refused.
    storage_value_bytes: usize = 128 << 10, Plugin, least 0;
    /// Bytes of its storage that an open room keeps in memory, so that it seldom waits for a disk. Past it the room
    /// reads from the disk again.
    storage_cache_bytes: usize = 64 << 10, Plugin, least 0;
    /// Keys that one storage call may name. Past it the call is refused.
    storage_keys_per_call: usize = 128, Plugin, least 0;
    /// Bytes of the keys and values that one storage call reads or writes: eight values of the largest size. Past it
    /// the call is refused.
    storage_bytes_per_call: usize = 1 << 20, Plugin, least 0;
    /// Bytes of the keys and values that one turn writes; they stay in memory until they are durable. Past it the write
    /// is refused.
    storage_bytes_per_turn: usize = 4 << 20, Plugin, least 0;
    /// Bytes of all keys and values of one room. Past it a write that makes the room larger is refused.
    storage_room_bytes: usize = 16 << 20, Plugin, least 0;
    /// Rooms of one tenant that store something, open or not. Past it the first write of another room is refused.
    storage_rooms_per_tenant: usize = 100_000, Tenant, least 0;
    /// Bytes of all keys and values of one tenant's rooms. Past it a write that adds to them is refused.
    storage_tenant_bytes: usize = 1 << 30, Tenant, least 0;

    // A socket.
    /// Bytes of one frame from a client, its fragments together. A larger frame closes the socket with 1009.
    frame_bytes: usize = 64 << 10, Plugin, least 1;
    /// Frames that a client may send per second in the long run, and as many frames that go on with a message. Past
    /// `frames-burst` the socket is closed with 1008.
    frames_per_second: u32 = 100, Plugin, least 1;
    /// Frames that a client may send at once before `frames-per-second` counts: a client that was held up may catch up.
    frames_burst: u32 = 200, Plugin, least 1;
    /// Bytes per second that the host reads from one socket in the long run, fragments and control frames included: 10
    /// KiB a frame at `frames-per-second`. Past it the host reads on later.
    inbound_bytes_per_second: u32 = 1 << 20, Plugin, least 1;
    /// Bad frames, which are no Verani frames, that a client may send at once; the host drops them. One more closes the
    /// socket with 1007 or 1008.
    bad_frames: u32 = 10, Plugin, least 0;
    /// Bad frames per minute that a client may send in the long run: a keepalive in a format of its own does no harm.
    /// Past `bad-frames` the socket is closed.
    bad_frames_per_minute: u32 = 60, Plugin, least 1;
    /// Channels that one socket may be in. Past it `join` is refused.
    channels_per_socket: usize = 64, Plugin, least 0;
    /// Bytes of a plugin's own fields in a socket's meta. Past it the call is refused.
    meta_fields_bytes: usize = 4 << 10, Plugin, least 0;
    /// Bytes that may be queued for one socket. Past it the client is too slow, and the socket is closed with 1008.
    outbound_bytes: usize = 1 << 20, Plugin, least 1;
    /// Frames that may be queued for one socket. Past it the client is too slow, and the socket is closed with 1008.
    outbound_frames: usize = 4_096, Plugin, least 1;
    /// Time in ms without anything from a client after which the host sends it a ping. Proxies and home routers forget
    /// connections that are quiet for 30 to 60 s. Pings go out together, up to half a second later.
    ping_after_ms: u64 = 25_000, Plugin, least 1;
    /// Time in ms that a client has to send anything after the host's ping. Past it the client is gone, and the socket
    /// is closed with 1008.
    ping_timeout_ms: u64 = 20_000, Plugin, least 1;

    /// Time in ms that a client which asks for it may take to come back after its line broke, and miss nothing. 0: none may.
    resume_ms: u64 = 30_000, Plugin, least 0;
    /// Bytes of the last frames to such a client, kept in case they did not arrive: who misses older ones comes back as a
    /// new member. They count to the tenant's memory, up to half of it.
    resume_bytes: usize = 64 << 10, Plugin, least 0;
    /// The most of these frames.
    resume_frames: usize = 256, Plugin, least 0;
    // A tenant.
    /// A tenant's part of the CPU while others want to run as well: of two tenants of weights 1 and 3 that want all of it, the
    /// second has three quarters. What nobody else wants, any tenant may use. The storage's threads are shared by it as well;
    /// compilations wait in the order in which they were asked for.
    tenant_cpu_weight: u32 = 1, Tenant, least 1;
    /// Cap on the CPU time of one tenant in the long run, in per cent of one core, even where nobody else wants to run: on all
    /// that the server does for it, from its rooms and sockets to storage, compilations and answers of the API. Past it the
    /// tenant waits. 0 is no cap: `tenant-cpu-weight` already keeps a tenant from the part of others.
    tenant_cpu_percent: u32 = 0, Tenant, least 0;
    /// CPU time in ms that a tenant which used little may use at once before `tenant-cpu-percent` counts, where it is set: ten
    /// turns that use all of theirs.
    tenant_cpu_burst_ms: u64 = 500, Tenant, least 1;
    /// Memory of all instances of one tenant in bytes: a thousand rooms of 2 MiB each. Past it no instance of the
    /// tenant is made or grows.
    memory_tenant_bytes: usize = 2 << 30, Tenant, least 1;
    /// Bytes queued for all sockets of one tenant. Past it a socket that has something queued already is closed with
    /// 1008.
    outbound_tenant_bytes: usize = 256 << 20, Tenant, least 1;
    /// Bytes per second that all plugins of one tenant may write into the operator's log in the long run, and the host
    /// about their rooms as many again. Past it lines are left out and counted. Less than 3 GB a day.
    log_tenant_bytes_per_second: u32 = 32 << 10, Tenant, least 1;
    /// Bytes that the plugins of a tenant which logged little may write into the operator's log at once before
    /// `log-tenant-bytes-per-second` counts.
    log_tenant_bytes_burst: u32 = 1 << 20, Tenant, least 1;
    /// Spans per second of one tenant that the collector of traces gets, where the operator has one: a tenant, or clients that
    /// ask to be traced, must not take the place of others. Past it spans are left out and counted.
    spans_per_second: u32 = 500, Tenant, least 1;
    /// Plugins of one tenant. One more does not load.
    plugins_per_tenant: usize = 64, Tenant, least 0;
    /// Versions of each plugin that the server keeps to roll back to, the current one included: a bad week of
    /// deploying. Older ones are deleted.
    versions_kept: usize = 10, Tenant, least 1;
    /// Sockets of one tenant. One more is answered with 503.
    sockets_per_tenant: usize = 50_000, Tenant, least 0;
    /// Sockets of one tenant whose line broke and that wait for their clients; of one address, `sockets-per-address`.
    /// Past either, a line that breaks ends its socket at once.
    detached_per_tenant: usize = 10_000, Tenant, least 0;
    /// Rooms of one tenant that are open at once, asleep or not. Past it an empty room ends for a new one; where there
    /// is none, the client is answered with 503.
    rooms_per_tenant: usize = 100_000, Tenant, least 0;
    /// Rooms of one tenant that hold an instance at once. Past it the rooms that were quiet for longest go to sleep.
    awake_rooms_per_tenant: usize = 1_000, Tenant, least 1;

    /// Requests per second with the tenant's token to the API in the long run: many backends that emit. Past
    /// `api-requests-burst` they are answered with 429, and the connection ends. The operator's token has no bound.
    api_requests_per_second: u32 = 200, Tenant, least 1;
    /// Requests with the tenant's token to the API at once before `api-requests-per-second` counts.
    api_requests_burst: u32 = 1_000, Tenant, least 1;

    // The server.
    /// Connections of the server, HTTP included; one more is turned away. The process's file descriptors less 1,024 are
    /// the most.
    sockets_of_host: usize = 1_000_000, Host, least 1;
    /// Connections of one address, or of one IPv6 network of 64 bits: a household or an office, not a botnet. One more
    /// is answered with 429.
    sockets_per_address: usize = 256, Host, least 1;
    /// Requests of one address per second in the long run: an office that loads pages. Past
    /// `requests-per-address-burst` they are answered with 429, and the connection ends. Upgrades have a rate of their
    /// own, and requests with a token of the API do not count.
    requests_per_address_per_second: u32 = 100, Host, least 1;
    /// Requests of one address at once before `requests-per-address-per-second` counts.
    requests_per_address_burst: u32 = 500, Host, least 1;
    /// WebSocket upgrades of one address per second in the long run. Past `upgrades-per-address-burst` they are
    /// answered with 429.
    upgrades_per_address_per_second: u32 = 20, Host, least 1;
    /// WebSocket upgrades of one address at once: a page with several rooms in several tabs. Past it
    /// `upgrades-per-address-per-second` counts.
    upgrades_per_address_burst: u32 = 64, Host, least 1;
    /// Instances that live at once; the kernel's limit on memory maps may allow fewer. One in TypeScript has three memories
    /// and takes three places. Past it quiet rooms go to sleep, and new instances wait for `instance-wait-ms`.
    instances_of_host: u32 = 10_000, Host, least 1;
    /// Time in ms that a room or an `authorize` waits for a free instance. After it the client is turned away to try
    /// again.
    instance_wait_ms: u64 = 2_000, Host, least 0;
    /// Time in ms for the headers of a request, once more for its body, and once more for authorizing an upgrade. After it
    /// the request is answered with an error or cut off. The body of an upload has 60 s.
    handshake_ms: u64 = 10_000, Host, least 1;
    /// Time in ms that a client of Socket.IO may take until it asks for its first namespace. After it the session ends.
    engine_connect_ms: u64 = 10_000, Tenant, least 1;
    /// Time in ms between two pings to a client of Socket.IO, which takes the server for gone without them.
    engine_ping_ms: u64 = 25_000, Tenant, least 1;
    /// Time in ms that a client of Socket.IO may take to answer a ping. After it the session ends.
    engine_pong_ms: u64 = 20_000, Tenant, least 1;
    /// Time in ms that a WebSocket may take to take over a session that polls. After it the session goes on polling.
    engine_upgrade_ms: u64 = 10_000, Tenant, least 1;
    /// Namespaces that one connection of Socket.IO may be in. Past it the wish for one more is refused.
    engine_namespaces: usize = 8, Tenant, least 1;
    /// Time in ms that an HTTP connection may wait for its next request, before the time for that request's headers
    /// begins. Longer than the 60 s for which balancers keep connections, so that none is closed under a request.
    keep_alive_ms: u64 = 75_000, Host, least 0;
    /// Time in ms that a server which shuts down gives its rooms to finish. After it they are cut off.
    drain_ms: u64 = 10_000, Host, least 0;

    retired:
    idle_socket_ms: u64;
}

impl LimitsTable {
    /// The table without keys of earlier versions: what replaced them is set instead. An error names the key.
    pub(super) fn in_todays_keys(&self) -> Result<Self, String> {
        let mut table = self.clone();
        let Some(idle) = table.idle_socket_ms.take() else { return Ok(table) };
        if idle == 0 {
            return Err("limits.idle-socket-ms must not be 0".to_owned());
        }
        if table.ping_after_ms.is_some() || table.ping_timeout_ms.is_some() {
            return Err("limits.idle-socket-ms is the old key for ping-after-ms and ping-timeout-ms: set those two \
                        alone"
                .to_owned());
        }
        // It pinged at half of the time, and closed the socket at its end.
        table.ping_after_ms = Some((idle / 2).max(1));
        table.ping_timeout_ms = Some((idle - idle / 2).max(1));
        Ok(table)
    }
}

#[cfg(test)]
mod tests;
