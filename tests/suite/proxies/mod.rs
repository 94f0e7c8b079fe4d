//! Behind proxies: whom the server takes for the client, and what real proxies need.

mod headers;
mod programs;
mod protocol;
