//! The examples of the socket.io-like API, in its order: what each of them says happens, happens. Each is a guest in Rust and
//! one in TypeScript, and the same checks hold for both. What Verani's protocol does not have has files of its own: `acks`,
//! `asks` and `bytes`.

use crate::harness::{Builder, Server};

/// Makes tests of checks, one for each language.
macro_rules! in_each_language {
    ($($check:ident),+ $(,)?) => {
        mod in_rust {
            $(#[tokio::test]
            async fn $check() {
                super::$check(super::Language::Rust).await;
            })+
        }

        mod in_typescript {
            $(#[tokio::test]
            async fn $check() {
                super::$check(super::Language::TypeScript).await;
            })+
        }
    };
}

mod acks;
mod asks;
mod basics;
mod bytes;
mod handlers;
mod state;

/// Serves the guest `exchange` with this configuration.
fn serve_exchange(config: &str) -> Server {
    Server::builder().guest("exchange").config(config).start()
}

#[derive(Debug, Clone, Copy)]
enum Language {
    Rust,
    TypeScript,
}

impl Language {
    /// Serves an example with all defaults.
    fn serve(self, example: &str) -> Server {
        self.guest_as(example, example).start()
    }

    /// A server of an example, under this name.
    fn guest_as(self, example: &str, name: &str) -> Builder {
        match self {
            Self::Rust => Server::builder().guest_as(example, name),
            Self::TypeScript => Server::builder().guest_as(&format!("script/{example}"), name),
        }
    }

    /// A server of the notification system, which is a plugin of its own in Rust.
    fn notifications(self) -> Builder {
        match self {
            Self::Rust => Server::builder().plugin("notifications"),
            Self::TypeScript => self.guest_as("verani-notifications", "notifications"),
        }
    }
}
