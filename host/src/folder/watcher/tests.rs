//! Looks at a folder that a test changes, by a clock that it sets.

use std::fs;
use std::path::Path;

use super::*;
use crate::folder::scripts::Scripts;
use crate::model::names::{PluginName, TenantName};

const SETTLE: Duration = Duration::from_millis(50);
const GRACE: Duration = Duration::from_secs(60);

struct WatcherRig {
    folder: PathBuf,
    watcher: Watcher,
    now: Instant,
    freed: u64,
}

impl WatcherRig {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("parlor-watcher-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder, watcher: Watcher::new(SETTLE, GRACE), now: Instant::now(), freed: 0 }
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn look(&mut self, after_ms: u64) -> FolderChanges {
        self.now += Duration::from_millis(after_ms);
        self.watcher.compare(FolderSnapshot::at(&self.folder, &Scripts::default()).unwrap(), self.freed, self.now)
    }

    /// The one file that is ready.
    fn ready(&mut self, after_ms: u64) -> ReadyFile {
        let round = self.look(after_ms);
        let [ready] = &round.ready[..] else { panic!("one file is ready, not {round:?}") };
        ready.clone()
    }

    fn nothing(&mut self, after_ms: u64) -> Option<Duration> {
        let round = self.look(after_ms);
        assert!(round.ready.is_empty() && round.gone.is_empty() && round.told.is_empty(), "{round:?}");
        round.again
    }

    fn done(&mut self, ready: ReadyFile, outcome: FileOutcome) {
        self.watcher.done(ready, outcome, self.now);
    }

    /// A file that is served and known.
    fn serve(&mut self, file: &str, text: &str) {
        self.write(file, text);
        self.nothing(0);
        let ready = self.ready(50);
        self.done(ready, FileOutcome::Served);
        assert_eq!(self.nothing(0), None);
    }
}

impl Drop for WatcherRig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn key(plugin: &str) -> PluginKey {
    PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new(plugin).unwrap() }
}

fn refused(until: RetryWhen) -> FileOutcome {
    FileOutcome::NotServed(NotServed { version: Some("v".to_owned()), why: "wrong".to_owned(), until })
}

#[test]
fn a_file_is_ready_when_two_looks_found_the_same() {
    let mut rig = WatcherRig::new("two-looks");
    rig.write("a.wasm", "1");
    assert_eq!(rig.nothing(0), Some(SETTLE));
    rig.write("a.wasm", "12");
    assert_eq!(rig.nothing(60), Some(SETTLE));
    let ready = rig.ready(50);
    assert_eq!((&ready.key, ready.refused.as_ref()), (&key("a"), None));
    // While it is dealt with, nothing else happens to it.
    rig.write("a.wasm", "123");
    rig.nothing(60);
    rig.done(ready, FileOutcome::Served);
    let ready = rig.ready(60);
    rig.done(ready, FileOutcome::Served);
    assert_eq!(rig.nothing(1_000), None);
}

#[test]
fn a_file_that_is_never_still_is_tried_now_and_then() {
    let mut rig = WatcherRig::new("never-still");
    let mut tries = 0;
    for number in 0..100 {
        rig.write("a.wasm", &"x".repeat(number));
        if let Some(ready) = rig.look(50).ready.pop() {
            tries += 1;
            rig.done(ready, FileOutcome::Unsettled);
        }
    }
    assert_eq!(tries, 2);
}

#[test]
fn what_is_wrong_is_told_once_and_late_and_tried_when_it_changes() {
    let mut rig = WatcherRig::new("told");
    rig.write("a.wasm", "part");
    rig.nothing(0);
    let ready = rig.ready(50);
    rig.done(ready, refused(RetryWhen::Changed));
    assert!(rig.nothing(100).is_some());
    // The rest of it came in time: nobody hears of the part.
    rig.write("a.wasm", "part and rest");
    rig.nothing(100);
    let ready = rig.ready(50);
    assert_eq!(ready.refused.as_deref(), Some("v"));
    rig.done(ready, refused(RetryWhen::Changed));
    let told = rig.look(1_000).told;
    assert_eq!((told.len(), told[0].2.why.as_str()), (1, "wrong"));
    assert_eq!(rig.nothing(60_000), None);
    // Touched, and still the same: not told again.
    rig.write("a.wasm", "part and rest");
    rig.nothing(0);
    let ready = rig.ready(50);
    rig.done(ready, FileOutcome::RefusedBefore);
    rig.nothing(5_000);
}

#[test]
fn what_had_no_place_is_tried_when_there_may_be_one() {
    let mut rig = WatcherRig::new("places");
    rig.write("a.wasm", "1");
    rig.nothing(0);
    let ready = rig.ready(50);
    rig.done(ready, refused(RetryWhen::Freed));
    rig.look(2_000);
    assert_eq!(rig.nothing(60_000), None);
    rig.freed += 1;
    let ready = rig.ready(0);
    assert_eq!(ready.refused, None);
    rig.done(ready, refused(RetryWhen::Later));
    // Told already, in the same words but for when it is tried again.
    rig.look(0);
    assert!(rig.nothing(5_000).is_some());
    rig.ready(5_000);
}

#[test]
fn a_file_is_gone_only_after_a_while() {
    let mut rig = WatcherRig::new("gone");
    rig.serve("a.wasm", "1");
    let file = rig.folder.join("a.wasm");
    fs::rename(&file, rig.folder.join("a.wasm~")).unwrap();
    assert!(rig.nothing(10).is_some());
    rig.write("a.wasm", "2");
    rig.nothing(400);
    let ready = rig.ready(400);
    rig.done(ready, FileOutcome::Served);
    fs::remove_file(&file).unwrap();
    rig.nothing(0);
    let round = rig.look(500);
    assert_eq!(round.gone, [(key("a"), file)]);
    rig.nothing(0);
    rig.serve("a.wasm", "2");
}

#[test]
fn links_are_followed_to_where_they_lead() {
    let mut rig = WatcherRig::new("links");
    rig.write("..1/a.wasm", "1");
    rig.write("..2/a.wasm", "1");
    let link = |to: &str, at: &str| {
        let (new, at) = (rig.folder.join("new"), rig.folder.join(at));
        std::os::unix::fs::symlink(to, &new).unwrap();
        fs::rename(new, at).unwrap();
    };
    link("..1", "..data");
    link("..data/a.wasm", "a.wasm");
    let look = FolderSnapshot::at(&rig.folder, &Scripts::default()).unwrap();
    assert!(look.folders.contains(&rig.folder.join("..1").canonicalize().unwrap()), "{look:?}");
    rig.watcher.compare(look, 0, rig.now);
    let ready = rig.ready(50);
    rig.done(ready, FileOutcome::Served);
    rig.nothing(0);
    std::os::unix::fs::symlink("..2", rig.folder.join("new")).unwrap();
    fs::rename(rig.folder.join("new"), rig.folder.join("..data")).unwrap();
    rig.nothing(0);
    rig.ready(50);
}

#[test]
fn what_is_no_file_of_a_plugin_is_told_once() {
    let mut rig = WatcherRig::new("skipped");
    rig.write("No.wasm", "");
    rig.write("a.wasm", "");
    rig.write("default/a.wasm", "");
    // What is there for a moment is nobody's concern.
    assert_eq!((rig.look(0).skipped.len(), rig.look(900).again), (0, Some(Duration::from_millis(100))));
    let skipped = rig.look(100).skipped;
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(skipped.iter().any(|(path, why)| path.ends_with("default/a.wasm") && why.contains("second file")));
    assert!(rig.look(2_000).skipped.is_empty());
    fs::remove_file(rig.folder.join("No.wasm")).unwrap();
    rig.look(0);
    rig.write("No.wasm", "");
    rig.look(0);
    assert_eq!(rig.look(1_000).skipped.len(), 1);
}

#[test]
fn what_goes_with_its_folder_is_missing_for_a_while_before_it_is_gone() {
    let mut rig = WatcherRig::new("missing");
    rig.serve("a.wasm", "1");
    let aside = rig.folder.with_extension("aside");
    let _ = fs::remove_dir_all(&aside);
    let swap = |from: &Path, to: &Path| {
        fs::create_dir(from.with_extension("empty")).unwrap();
        fs::rename(from, to).unwrap();
        fs::rename(from.with_extension("empty"), from).unwrap();
    };
    swap(&rig.folder, &aside);
    assert_eq!((rig.look(0).missing, rig.look(600).missing), (0, 1));
    rig.nothing(59_000);
    // It is back, and goes once more.
    fs::remove_dir(&rig.folder).unwrap();
    fs::rename(&aside, &rig.folder).unwrap();
    let back = rig.look(0);
    assert_eq!((back.missing, back.again), (0, None), "{back:?}");
    swap(&rig.folder, &aside);
    rig.nothing(0);
    rig.nothing(59_900);
    assert_eq!(rig.look(200).gone.len(), 1);
    fs::remove_dir_all(aside).unwrap();
    // In a folder that stays, the last file is gone at once.
    rig.serve("b.wasm", "1");
    fs::remove_file(rig.folder.join("b.wasm")).unwrap();
    rig.nothing(0);
    assert_eq!(rig.look(500).gone.len(), 1);
}
