//! Places for instances. Where there is none, idle rooms are asked to give theirs up: for a room that opens, for whoever asks
//! to connect, and for the rehearsal of a version.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Instant;
use crate::guest::RoomContext;
use crate::guest::instance::{Definition, Instance, OpenError, Template};
use crate::guest::tape::Tape;
use crate::storage::view::StorageView;

/// How long a room may take to give up its instance before another one is asked.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Makes an instance. If there is no place, asks idle rooms to give way, and waits for up to `instance-wait-ms`. One with
/// `storage` is a room's. `tape` makes one for each attempt.
pub(super) async fn open(
    template: &Template,
    context: &Arc<RoomContext>,
    storage: Option<Arc<StorageView>>,
    tape: impl Fn() -> Tape,
) -> Result<(Instance, Definition), OpenError> {
    let (engine, account) = (template.engine(), &context.account);
    let wait = Duration::from_millis(context.limits.instance_wait_ms);
    let mut given_up = std::pin::pin!(tokio::time::sleep(wait));
    let mut asked: Option<Instant> = None;
    loop {
        let awake = storage.is_some().then(|| account.awake.place());
        let opened = match &awake {
            Some(None) => Err(OpenError::TooManyAwake),
            Some(Some(_)) | None => Instance::open(template, Arc::clone(context), storage.clone(), tape()).await,
        };
        let (full, giver) = match opened {
            Ok((instance, definition)) => return Ok((instance.holding(awake.flatten()), definition)),
            Err(full @ OpenError::NoPlace(_)) => (full, &engine.wanted),
            Err(full @ (OpenError::TenantFull | OpenError::TooManyAwake)) => (full, &account.wanted),
            Err(other) => return Err(other),
        };
        // Ask one room to give way, and another one if that takes too long.
        if asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN) {
            asked = Some(Instant::now());
            giver.notify_one();
            engine.pressure.notify_one();
        }
        tokio::select! {
            () = engine.freed.notified() => {}
            () = tokio::time::sleep(ASK_AGAIN) => {}
            () = &mut given_up => return Err(full),
        }
    }
}
