//! Close codes and reasons that the host sends to clients.

use std::borrow::Cow;

/// The code and the reason of a close frame. The host never sends 1001: Verani's own client does not reconnect after
/// 1000 or 1001.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    pub code: u16,
    pub reason: Cow<'static, str>,
}

impl CloseReason {
    const fn of(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    pub const BAD_TEXT: Self = Self::of(1007, "too many frames that are no Verani frames");
    pub const BAD_BINARY: Self = Self::of(1008, "too many binary frames; Verani frames are text");
    pub const SLOW: Self = Self::of(1008, "slow consumer: too much is queued for this socket");
    pub const TENANT_SLOW: Self = Self::of(1008, "slow consumer: outbound-tenant-bytes");
    pub const TOO_FAST: Self = Self::of(1008, "too many frames: frames-per-second");
    pub const TOO_BIG: Self = Self::of(1009, "a frame is larger than frame-bytes");
    pub const PROTOCOL: Self = Self::of(1002, "not the WebSocket protocol");
    pub const CONNECT_FAILED: Self = Self::of(1011, "the plugin failed in $connect");
    pub const ROOM_FAILED: Self = Self::of(1011, "the room failed");
    pub const RESTART: Self = Self::of(1012, "the server restarts");
    pub const RETIRED: Self = Self::of(1012, "the plugin is retired");
    pub const TRY_LATER: Self = Self::of(1013, "the room cannot be opened now");
    pub const STORAGE_FAILED: Self = Self::of(1013, "the room's storage cannot be read now");
    pub const CRASHED: Self = Self::of(1013, "the room failed too often: room-faults");
    pub const QUARANTINED: Self = Self::of(1013, "the plugin is out of service: quarantined");
    pub const ROOM_FULL: Self = Self::of(1013, "the room is full: sockets-per-room");
    pub const CLIENT_FAULTS: Self = Self::of(1008, "this client made the plugin fail too often: client-faults");
    pub const SILENT: Self = Self::of(1008, "silent for longer than idle-socket-ms");

    /// What a room learns of a connection that ended without a close frame (RFC 6455, 7.1.5). The host never sends it.
    pub const BROKEN_OFF: Self = Self { code: 1006, reason: Cow::Borrowed("") };

    /// The label in metrics. The list is closed: closes that a plugin asks for share one label.
    pub fn label(&self) -> &'static str {
        LABELS.iter().find(|(reason, _)| reason == self).map_or(BY_PLUGIN, |(_, label)| *label)
    }
}

/// Every reason of the host itself, with its label in metrics.
static LABELS: [(CloseReason, &str); 18] = [
    (CloseReason::BAD_TEXT, "bad-text"),
    (CloseReason::BAD_BINARY, "bad-binary"),
    (CloseReason::SLOW, "slow"),
    (CloseReason::TENANT_SLOW, "outbound-tenant-bytes"),
    (CloseReason::TOO_FAST, "frames-per-second"),
    (CloseReason::TOO_BIG, "frame-bytes"),
    (CloseReason::PROTOCOL, "protocol"),
    (CloseReason::CONNECT_FAILED, "connect-failed"),
    (CloseReason::ROOM_FAILED, "room-failed"),
    (CloseReason::RESTART, "restart"),
    (CloseReason::RETIRED, "retired"),
    (CloseReason::TRY_LATER, "try-later"),
    (CloseReason::STORAGE_FAILED, "storage"),
    (CloseReason::CRASHED, "room-faults"),
    (CloseReason::QUARANTINED, "quarantined"),
    (CloseReason::ROOM_FULL, "sockets-per-room"),
    (CloseReason::CLIENT_FAULTS, "client-faults"),
    (CloseReason::SILENT, "idle-socket-ms"),
];

/// The label of closes that a plugin asked for.
const BY_PLUGIN: &str = "plugin";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_word_and_those_of_plugins_share_one() {
        assert_eq!(CloseReason::TOO_FAST.label(), "frames-per-second");
        assert_eq!(CloseReason { code: 4000, reason: "mine".to_owned().into() }.label(), "plugin");
        let mut labels: Vec<_> = LABELS.iter().map(|(reason, _)| reason.label()).collect();
        labels.sort_unstable();
        assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{labels:?}");
    }
}
