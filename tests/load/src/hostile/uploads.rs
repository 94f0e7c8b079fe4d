//! Hostile files over the operator's API, again and again.

use std::io::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context as _;
use hostile_guests::{Hostile, When};

use super::attack::Arena;
use super::low_priority;
use super::stand::{EVIL, TOKEN};
use super::wire::{Answer, Refused, Wire};

/// Where the operator comes from.
const OPERATOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// From one upload to the next.
const UPLOAD_EVERY: Duration = Duration::from_millis(500);

/// Uploads a file until it is over.
pub fn attack(hostile: &Hostile, bytes: &[u8], arena: &Arena) {
    low_priority();
    let seen = &arena.seen;
    while !seen.is_over() {
        seen.act();
        match upload(hostile.name, bytes, arena) {
            // A host without this API leaves the file in the folder as the only attack.
            Ok(answer) if answer.status == 404 || answer.status == 405 => seen.note("no upload API"),
            Ok(answer) if answer.status < 300 && hostile.when == When::Compile => seen.stop("compiled, and served"),
            Ok(answer) if answer.status < 300 => seen.breach("the host took the file"),
            Ok(answer) => {
                let words = String::from_utf8_lossy(&answer.body).into_owned();
                seen.stop(&format!("{} {}", answer.status, words.lines().next().unwrap_or_default()));
            }
            Err(_) if seen.is_over() => {}
            Err(why) => seen.stop(&format!("upload: {}", why.words())),
        }
        seen.pause(UPLOAD_EVERY);
    }
}

/// Puts a component in the evil tenant's place.
pub fn upload(name: &str, bytes: &[u8], arena: &Arena) -> Result<Answer, Refused> {
    put(EVIL, name, bytes, arena)
}

/// Puts a component in its place, as the operator.
pub fn put(tenant: &str, name: &str, bytes: &[u8], arena: &Arena) -> Result<Answer, Refused> {
    put_as(TOKEN, OPERATOR, tenant, name, bytes, arena)
}

/// The same with somebody's token, from somewhere.
pub fn put_as(
    token: &str,
    from: Ipv4Addr,
    tenant: &str,
    name: &str,
    bytes: &[u8],
    arena: &Arena,
) -> Result<Answer, Refused> {
    let mut wire = Wire::dial(from, arena.server)?;
    let head = format!(
        "PUT /_parlor/api/plugins/{tenant}/{name} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/wasm\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        arena.server,
        bytes.len()
    );
    let long = Some(Duration::from_secs(5));
    wire.stream.set_write_timeout(long).map_err(|why| Refused::Broken(why.to_string()))?;
    // A host may answer before it has read all, and close: then the answer is still there to be read.
    let _ = wire.stream.write_all(head.as_bytes()).and_then(|()| wire.stream.write_all(bytes));
    wire.read_answer(&arena.seen)
}

/// Asks the operator's API for something; the body of a good answer.
pub fn get(path: &str, arena: &Arena) -> Option<String> {
    let mut wire = Wire::dial(OPERATOR, arena.server).ok()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n",
        arena.server
    );
    if !wire.send(request.as_bytes()) {
        return None;
    }
    let answer = wire.read_answer(&arena.seen).ok()?;
    (answer.status == 200).then(|| String::from_utf8_lossy(&answer.body).into_owned())
}

/// A figure of the server's: the sum of all lines of this name whose labels hold `label`; none where there is no such line.
pub fn figure(name: &str, label: &str, arena: &Arena) -> anyhow::Result<Option<f64>> {
    let text = get("/_parlor/metrics", arena).context("the server does not tell its figures")?;
    // Other figures' names may begin with this one.
    let of_name = text.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with(['{', ' ']));
    let lines = of_name.filter_map(|rest| rest.rsplit_once(' '));
    let values = lines.filter(|(labels, _)| labels.contains(label)).filter_map(|(_, value)| value.parse::<f64>().ok());
    Ok(values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value)))
}
