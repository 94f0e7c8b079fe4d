//! `parlor dev`: what is saved is served, and what does not build keeps nothing from being served.

mod crates;
mod scripts;

use std::time::Duration;

use crate::harness::{Server, Value};

/// How long the tools may take on a busy machine.
const BUILT_WITHIN: Duration = Duration::from_secs(180);

/// Waits until this many lines of the log have all of these words.
pub async fn told(server: &Server, times: usize, words: &[&str]) -> String {
    let is_it = |line: &&String| words.iter().all(|word| line.contains(word));
    let wait = async {
        loop {
            let log = server.log();
            match log.iter().filter(is_it).nth(times - 1) {
                Some(line) => return line.clone(),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let came = tokio::time::timeout(BUILT_WITHIN, wait).await;
    came.unwrap_or_else(|_| panic!("the log does not say {words:?} {times} times"))
}

pub fn count(server: &Server, words: &str) -> usize {
    server.log().iter().filter(|line| line.contains(words)).count()
}

/// How the last build of a project went, as the overview is told.
pub async fn build(server: &Server, project: &str) -> Value {
    let list = server.request("GET", "/_parlor/api/plugins").operator().send().await.json();
    let builds = list["builds"].as_array().expect("a list of builds");
    builds.iter().find(|build| build["project"] == project).expect("a build of the project").clone()
}
