//! Close codes and reasons that the host sends to clients.

use std::borrow::Cow;

use super::verani::BadFrame;

/// The code and the reason of a close frame. The host never sends 1001: Verani's own client does not reconnect after
/// 1000 or 1001.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    pub code: u16,
    pub reason: Cow<'static, str>,
    label: &'static str,
}

/// The label of closes that a plugin or a client asked for.
const BY_OTHERS: &str = "plugin";

impl CloseReason {
    /// A reason of the host itself, with its label in metrics.
    const fn of(label: &'static str, code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), label }
    }

    pub const BAD_TEXT: Self = Self::of("bad-text", 1007, "too many bad frames: bad-frames");
    pub const BAD_BINARY: Self = Self::of("bad-binary", 1008, "too many bad frames: bad-frames");
    pub const NOT_UTF8: Self = Self::of("not-utf-8", 1007, "a text frame is not UTF-8");
    pub const SLOW: Self = Self::of("slow", 1008, "slow consumer: too much is queued for this socket");
    pub const TENANT_SLOW: Self = Self::of("outbound-tenant-bytes", 1008, "slow consumer: outbound-tenant-bytes");
    pub const TOO_FAST: Self = Self::of("frames-per-second", 1008, "too many frames: frames-per-second");
    pub const TOO_BIG: Self = Self::of("frame-bytes", 1009, "a frame is larger than frame-bytes");
    pub const PROTOCOL: Self = Self::of("protocol", 1002, "not the WebSocket protocol");
    pub const CONNECT_FAILED: Self = Self::of("connect-failed", 1011, "the plugin failed in $connect");
    pub const ROOM_FAILED: Self = Self::of("room-failed", 1011, "the room failed");
    pub const RESTART: Self = Self::of("restart", 1012, "the server restarts");
    pub const RETIRED: Self = Self::of("retired", 1012, "the plugin is retired");
    pub const TRY_LATER: Self = Self::of("try-later", 1013, "the room cannot be opened now");
    pub const STORAGE_FAILED: Self = Self::of("storage", 1013, "the room's storage cannot be read now");
    pub const CRASHED: Self = Self::of("room-faults", 1013, "the room failed too often: room-faults");
    pub const QUARANTINED: Self = Self::of("quarantined", 1013, "the plugin is out of service: quarantined");
    pub const ROOM_FULL: Self = Self::of("sockets-per-room", 1013, "the room is full: sockets-per-room");
    pub const CLIENT_FAULTS: Self =
        Self::of("client-faults", 1008, "this client made the plugin fail too often: client-faults");
    pub const KICKED: Self = Self::of("kicked", 1008, "kicked: somebody who looks after the room closed this socket");
    pub const SILENT: Self = Self::of("ping-timeout-ms", 1008, "silent for ping-timeout-ms after a ping");

    pub const BAD_PACKET: Self = Self::of("bad-packet", 1007, "not a packet of Socket.IO");
    pub const NO_NAMESPACE: Self =
        Self::of("engine-connect-ms", 1008, "connected to no namespace in time: engine-connect-ms");
    pub const NO_PONG: Self = Self::of("engine-pong-ms", 1008, "answered no ping in time: engine-pong-ms");

    /// The client came back on another line. Mostly nobody hears that. Where an older attempt of the client comes late, the
    /// line that is closed is the one that it uses: so the code is one after which clients come back.
    pub const TAKEN_OVER: Self = Self::of("taken-over", 1012, "the socket goes on over another line");

    /// What a room learns of a connection that ended without a close frame (RFC 6455, 7.1.5). The host never sends it.
    pub const BROKEN_OFF: Self = Self { code: 1006, reason: Cow::Borrowed(""), label: BY_OTHERS };

    /// A reason that a plugin or a client gives.
    pub fn given(code: u16, reason: String) -> Self {
        Self { code, reason: Cow::Owned(reason), label: BY_OTHERS }
    }

    /// The reason with the number of the first of the client's frames that the host did not take, and why.
    pub fn at_frame(self, number: u64, why: Option<BadFrame>) -> Self {
        let why = why.map_or_else(String::new, |why| format!(": {}", why.words()));
        Self { reason: format!("{}; frame {number} was not taken{why}", self.reason).into(), ..self }
    }

    /// The reason with the number of the client's packet that ends its session, and why.
    pub fn at_packet(self, number: u64, why: Option<&str>) -> Self {
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        Self { reason: format!("{}; packet {number}{why}", self.reason).into(), ..self }
    }

    /// Whether the client is to come back: what ended is not its visit but what it visited.
    pub fn is_to_come_back(&self) -> bool {
        matches!(self.code, 1011..=1013)
    }

    /// Whether a client ended its connection with this because it is done, and not because its line broke: with 1000, as a
    /// page that is left (1001), or with a code of its own. A browser sends no code (1005) where it gives up a dead line.
    pub fn is_goodbye(&self) -> bool {
        matches!(self.code, 1000 | 1001 | 3000..=4999)
    }

    /// The label in metrics. The list is closed: closes that plugins and clients ask for share one label.
    pub fn label(&self) -> &'static str {
        self.label
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::turn::CLOSE_REASON_BYTES_MAX;

    #[test]
    fn a_reason_with_a_frame_has_the_same_label_and_fits_into_a_close_frame() {
        let last = CloseReason::BAD_TEXT.at_frame(11, Some(BadFrame::TypeNotText));
        assert_eq!(last.reason, "too many bad frames: bad-frames; frame 11 was not taken: `type` is no string");
        assert_eq!((last.code, last.label()), (1007, CloseReason::BAD_TEXT.label()));
        for why in BadFrame::ALL {
            let longest = CloseReason::BAD_TEXT.at_frame(u64::MAX, Some(why));
            assert!(longest.reason.len() <= CLOSE_REASON_BYTES_MAX, "{longest:?}");
        }
        assert_eq!(CloseReason::given(4000, "mine".to_owned()).label(), "plugin");
    }
}
