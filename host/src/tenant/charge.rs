//! Charges a tenant for what the host does for it off its rooms' threads: upgrades, alarms that ring, the API.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;

use super::cpu::CpuBucket;
use crate::clock::thread_cpu_ns;

/// Charges what the calling thread executes until this is dropped. It reads the thread's CPU clock twice, some 0.5 us.
#[derive(Debug)]
pub struct Charging<'a> {
    bucket: &'a CpuBucket,
    begin_ns: u64,
    /// The clock is the thread's.
    _stays_here: PhantomData<*const ()>,
}

impl<'a> Charging<'a> {
    pub fn start(bucket: &'a CpuBucket) -> Self {
        Self { bucket, begin_ns: thread_cpu_ns(), _stays_here: PhantomData }
    }
}

impl Drop for Charging<'_> {
    fn drop(&mut self) {
        self.bucket.charge(thread_cpu_ns().saturating_sub(self.begin_ns));
    }
}

/// Charges what a future executes, not what it waits.
pub async fn charged<T>(bucket: &CpuBucket, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _meter = Charging::start(bucket);
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tenant::share::CpuShare;

    fn execute(time: Duration) {
        let end = thread_cpu_ns() + time.as_nanos() as u64;
        while thread_cpu_ns() < end {}
    }

    #[tokio::test]
    async fn what_executes_is_charged_and_what_waits_is_not() {
        let bucket = CpuBucket::new(0, 0, CpuShare::new(1, 1));
        let work = async {
            execute(Duration::from_millis(5));
            tokio::time::sleep(Duration::from_millis(50)).await;
            execute(Duration::from_millis(5));
        };
        charged(&bucket, work).await;
        let used = bucket.used();
        assert!(used >= Duration::from_millis(10) && used < Duration::from_millis(40), "{used:?}");
    }
}
