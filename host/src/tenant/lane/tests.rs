use std::sync::atomic::AtomicUsize;

use parking_lot::Mutex;

use super::*;
use crate::clock::CpuClock;
use crate::tenant::share::CpuShare;

fn execute(time: Duration) {
    let end = thread_cpu_ns() + time.as_nanos() as u64;
    while thread_cpu_ns() < end {}
}

/// The lanes of two tenants that have both run on this thread lately.
async fn lanes(weights: [u32; 2]) -> [Arc<Lane>; 2] {
    let demand = Demand::new(1);
    let lanes = weights.map(|weight| {
        let bucket = CpuBucket::new(0, 0, CpuShare::new(weight, 1));
        Arc::new(Lane::new(Arc::new(bucket), Arc::clone(&demand.threads()[0]), Arc::clone(&demand)))
    });
    for lane in lanes.iter().rev() {
        lane.run(async {}).await;
    }
    lanes
}

/// Has so many rooms of a tenant spin until all is over, each for longer than a slice.
fn spin(lane: &Arc<Lane>, rooms: usize, is_over: &Arc<AtomicBool>) {
    for _ in 0..rooms {
        let (lane, is_over) = (Arc::clone(lane), Arc::clone(is_over));
        tokio::spawn(async move {
            let spinning = async {
                while !is_over.load(Ordering::Relaxed) {
                    execute(SLICE);
                    lane.next_slice().await;
                }
            };
            lane.run(spinning).await;
        });
    }
}

/// Waits until both tenants together have used so much since they had used `before`; answers what each used.
async fn until_used(lanes: &[Arc<Lane>; 2], all: Duration) -> [Duration; 2] {
    let used = || [0, 1].map(|tenant: usize| lanes[tenant].bucket.used());
    let before = used();
    loop {
        let [one, other] = used();
        let since = [one - before[0], other - before[1]];
        if since[0] + since[1] >= all {
            return since;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tenants_that_spin_share_a_thread_by_their_weights_however_many_rooms_they_have() {
    let _clock = CpuClock::start();
    for (weights, percent) in [([1, 1], 50), ([1, 3], 25), ([9, 1], 90)] {
        let (lanes, is_over) = (lanes(weights).await, Arc::new(AtomicBool::new(false)));
        spin(&lanes[0], 40, &is_over);
        spin(&lanes[1], 1, &is_over);
        // At first they come to their shares.
        until_used(&lanes, Duration::from_millis(100)).await;
        let [one, other] = until_used(&lanes, Duration::from_millis(400)).await;
        let expected = (one + other) * percent / 100;
        assert!(one.abs_diff(expected) <= (one + other) / 10, "{weights:?}: {one:?} and {other:?}");
        is_over.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_tenant_waits_for_nobody_who_does_not_want_to_run() {
    let _clock = CpuClock::start();
    let (lanes, is_over) = (lanes([1, 1_000]).await, Arc::new(AtomicBool::new(false)));
    spin(&lanes[0], 4, &is_over);
    let [one, other] = until_used(&lanes, Duration::from_millis(200)).await;
    assert!(
        other.is_zero() && lanes[0].bucket.waited().is_zero(),
        "{one:?}, {other:?}, {:?}",
        lanes[0].bucket.waited()
    );
    // The other one wants a little now and then, and has it at once.
    for _ in 0..20 {
        let before = lanes[0].bucket.used();
        lanes[1].run(async { execute(SLICE / 20) }).await;
        assert!(lanes[0].bucket.used() - before <= 3 * SLICE);
        tokio::task::yield_now().await;
    }
    is_over.store(true, Ordering::Relaxed);
}

#[tokio::test]
async fn a_crowd_that_is_ready_at_once_keeps_others_from_the_thread_for_no_more_than_its_slice() {
    let _clock = CpuClock::start();
    let ([lane, other], ran, crowd) = (lanes([1, 1]).await, Arc::new(AtomicUsize::new(0)), 100);
    for _ in 0..crowd {
        let (lane, ran) = (Arc::clone(&lane), Arc::clone(&ran));
        tokio::spawn(async move {
            let work = async {
                execute(SLICE / 4);
                ran.fetch_add(1, Ordering::Relaxed);
            };
            lane.run(work).await;
        });
    }
    let mut longest = 0;
    while ran.load(Ordering::Relaxed) < crowd {
        let before = ran.load(Ordering::Relaxed);
        tokio::task::yield_now().await;
        other.run(async {}).await;
        longest = longest.max(ran.load(Ordering::Relaxed) - before);
    }
    // Four fill a slice, and one may begin just before its end: at most two slices lie between two looks.
    assert!(longest <= 10, "{longest} of the crowd ran before another task got its turn");
}

#[tokio::test]
async fn who_stands_in_line_and_is_gone_holds_up_nobody() {
    let _clock = CpuClock::start();
    let [lane, _] = lanes([1, 1]).await;
    lane.run(async { execute(SLICE) }).await;
    let gone = tokio::time::timeout(Duration::ZERO, lane.run(std::future::pending::<()>()));
    assert!(gone.await.is_err());
    lane.run(async {}).await;
    assert!(lane.line.is_empty());
}

#[tokio::test]
async fn a_room_that_comes_out_of_the_line_goes_on_for_a_while() {
    let _clock = CpuClock::start();
    let ([lane, _], calls) = (lanes([1, 1]).await, Arc::new(Mutex::new(String::new())));
    let before_all = lane.line.join(0);
    for (name, takes_long) in [("a", false), ("b", true), ("c", false)] {
        let (lane, calls) = (Arc::clone(&lane), Arc::clone(&calls));
        tokio::spawn(async move {
            let calling = async {
                for _ in 0..3 {
                    lane.start(|| false).await;
                    calls.lock().push_str(name);
                    if takes_long {
                        execute(Duration::from_nanos(TURN_NS));
                        now_ns();
                    }
                }
            };
            lane.run(calling).await;
        });
        tokio::task::yield_now().await;
    }
    drop(before_all);
    while calls.lock().len() < 9 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*calls.lock(), "aaabcccbb");
    assert_eq!(lane.turn_until_ns.load(Ordering::Relaxed), 0, "whoever is polled next has no part in it");
}
