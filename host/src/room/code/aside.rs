//! Runs work that takes long on a thread of low priority, so that it holds up no other room.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::guest::instance::Instance;
use crate::plugin::version::Plugin;

/// An instance with more memory than this is dropped on a thread of low priority: the kernel takes some 0.1 ms a MiB.
const DROP_HERE_BYTES: usize = 4 << 20;

/// Runs a call of a plugin on a thread of low priority, while the room's own thread goes on with other rooms.
pub(super) fn aside<T: Send + 'static, C: Future<Output = T> + Send + 'static>(
    slow: &Handle,
    plugin: &Arc<Plugin>,
    call: C,
) -> impl Future<Output = T> + Send + use<T, C> {
    let plugin = Arc::clone(plugin);
    let called = slow.spawn(async move {
        let lane = plugin.account().lane();
        let in_turn = async {
            lane.slice().await;
            call.await
        };
        lane.run(plugin.pace(), in_turn).await
    });
    async move {
        match called.await {
            Ok(done) => done,
            Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            // Cancelled: that only happens when the process ends.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Drops an instance; a large one on a thread of low priority, where freeing its memory holds up nobody.
pub(super) fn let_go(slow: &Handle, plugin: &Arc<Plugin>, instance: Box<Instance>) {
    if instance.memory_bytes() > DROP_HERE_BYTES {
        let plugin = Arc::clone(plugin);
        slow.spawn(async move { plugin.account().lane().run(plugin.pace(), async move { drop(instance) }).await });
    }
}
