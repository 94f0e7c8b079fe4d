//! Where a call runs: on the thread of its room, or on a thread of low priority, where it holds up nobody. A call that
//! turns out to be long moves while it runs; that says nothing yet of the calls behind it.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::account::Account;
use super::lane;
use super::pace::Paced;

/// The thread of low priority beside a worker, for work of one tenant.
#[derive(Debug)]
pub struct Aside {
    slow: Handle,
    account: Arc<Account>,
}

/// What may become of the call that this thread is polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stay {
    /// It stays on this thread.
    Here,
    /// It may leave this thread when it yields.
    MayLeave,
    /// It leaves this thread as soon as it yields.
    Leaves,
}

thread_local! {
    static STAY: Cell<Stay> = const { Cell::new(Stay::Here) };
}

/// Has the call that this thread is polling leave it, where it can. If it can, the call must yield now.
pub fn leave() -> bool {
    let can = STAY.get() != Stay::Here;
    if can {
        STAY.set(Stay::Leaves);
    }
    can
}

impl Aside {
    pub fn new(slow: Handle, account: Arc<Account>) -> Self {
        Self { slow, account }
    }

    /// Runs a call on this thread, within the tenant's lane; on the thread of low priority where it is heavy or becomes long.
    pub fn run<T, C>(&self, pace: &impl Paced, call: C) -> impl Future<Output = T>
    where
        T: Send + 'static,
        C: Future<Output = T> + Send + 'static,
    {
        // Boxed at once, so that whoever waits for the call does not hold its memory twice.
        let mut call = Box::pin(call);
        async move {
            match until_long(pace, &mut call).await {
                Some(done) => done,
                None => self.finish(call).await,
            }
        }
    }

    /// Runs work on the thread of low priority, in the tenant's turn.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let account = Arc::clone(&self.account);
        self.slow.spawn(async move {
            // The thread was idle for a while, perhaps: what it executes is counted from here on.
            lane::note_cpu();
            account.lane().run(work).await
        })
    }

    async fn finish<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        match self.spawn(call).await {
            Ok(done) => done,
            Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            // Cancelled: that only happens when the process ends.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Polls a call on this thread until it is done. Where it turns out to be long before, or calls of its kind to be heavy, it
/// returns `None`: the caller goes on with the call elsewhere.
async fn until_long<T>(pace: &impl Paced, call: &mut Pin<Box<impl Future<Output = T> + ?Sized>>) -> Option<T> {
    poll_fn(|context| {
        if pace.is_heavy() {
            return Poll::Ready(None);
        }
        STAY.set(Stay::MayLeave);
        let polled = call.as_mut().poll(context);
        let leaves = STAY.replace(Stay::Here) == Stay::Leaves;
        match polled {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if leaves || pace.is_heavy() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;
    use crate::model::limits::Limits;
    use crate::model::names::{PluginKey, PluginName, TenantName};
    use crate::tenant::{Demand, Pace};

    fn slow() -> (tokio::runtime::Runtime, Aside) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let account = Account::new(TenantName::default_tenant(), Limits::default(), &Demand::new(1));
        let aside = Aside::new(runtime.handle().clone(), Arc::new(account));
        (runtime, aside)
    }

    fn pace() -> Pace {
        Pace::new(PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("p").unwrap() })
    }

    /// The threads that a call runs on, before and behind each time that it yields, if it asks to leave there.
    async fn threads(long: bool) -> [std::thread::ThreadId; 2] {
        let before = std::thread::current().id();
        assert!(!long || leave(), "a call that a room makes may leave");
        yield_now().await;
        assert!(std::thread::current().id() == before || !leave(), "it moves once");
        [before, std::thread::current().id()]
    }

    #[tokio::test]
    async fn a_call_that_is_long_moves_while_it_runs_and_the_next_one_stays() {
        let ((runtime, aside), here, pace) = (slow(), std::thread::current().id(), pace());
        let [before, after] = aside.run(&pace, threads(true)).await;
        assert!(before == here && after != here);
        assert_eq!(aside.run(&pace, threads(false)).await, [here, here]);
        assert!(!leave(), "outside of a call nothing leaves");
        runtime.shutdown_background();
    }

    #[tokio::test]
    async fn heavy_calls_begin_aside() {
        let ((runtime, aside), here, pace) = (slow(), std::thread::current().id(), pace());
        (0..10).for_each(|_| pace.note_long(1));
        assert!(aside.run(&pace, threads(false)).await.iter().all(|thread| *thread != here));
        (0..100).for_each(|_| pace.note_short());
        assert_eq!(aside.run(&pace, threads(false)).await, [here, here]);
        runtime.shutdown_background();
    }
}
