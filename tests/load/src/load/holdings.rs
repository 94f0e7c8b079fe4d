//! What a server's process holds.

use std::fs;

use anyhow::Context;

use super::server::Server;

/// What is held at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Holdings {
    pub rss_kib: u64,
    pub descriptors: u64,
    pub threads: u64,
    /// Mappings, and how much of them may be executed: the code of plugins and the program's own.
    pub maps: u64,
    pub code_kib: u64,
    /// Folders and files that are watched.
    pub watches: u64,
}

impl Holdings {
    pub fn read(server: &Server) -> anyhow::Result<Self> {
        let folder = format!("/proc/{}", server.process());
        let text = |name: &str| fs::read_to_string(format!("{folder}/{name}")).context("the server has gone");
        let status = text("status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).with_context(|| format!("no {name}"))
        };
        let maps = text("maps")?;
        let code = maps.lines().filter_map(code_bytes).sum::<u64>();
        Ok(Self {
            rss_kib: field("VmRSS:")?,
            threads: field("Threads:")?,
            descriptors: fs::read_dir(format!("{folder}/fd")).context("the server has gone")?.count() as u64,
            maps: maps.lines().count() as u64,
            code_kib: code >> 10,
            watches: watches(&folder),
        })
    }
}

/// How much a mapping holds that may be executed: `from-to r-xp ...`.
fn code_bytes(line: &str) -> Option<u64> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    (rest.as_bytes().get(2) == Some(&b'x')).then_some(number(to)? - number(from)?)
}

/// Descriptors come and go while they are counted.
fn watches(folder: &str) -> u64 {
    let Ok(infos) = fs::read_dir(format!("{folder}/fdinfo")) else { return 0 };
    let texts = infos.filter_map(|info| fs::read_to_string(info.ok()?.path()).ok());
    texts.map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::code_bytes;

    #[test]
    fn only_code_counts_as_code() {
        assert_eq!(code_bytes("7f00-8f00 r-xp 00000000 00:00 0"), Some(0x1000));
        assert_eq!(code_bytes("7f00-8f00 rw-p 00000000 00:00 0 /x"), None);
    }
}
