use parlor_guest::Room;

#[parlor_guest::room(name = "chat")]
fn no_path(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", path = "ws")]
fn no_slash(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", path = "/ws?room=1")]
fn with_query(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", path = "/_parlor/chat")]
fn of_the_server(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", websocketPath = "/ws")]
fn other_name(_room: &mut Room) {}

#[parlor_guest::room(name = "", path = "/ws")]
fn nameless(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", path = "/ws")]
async fn waits(_room: &mut Room) {}

#[parlor_guest::room(name = "chat", path = "/ws")]
fn takes_nothing() {}

#[parlor_guest::room(name = "chat", path = "/ws")]
struct Chat;

fn main() {}
