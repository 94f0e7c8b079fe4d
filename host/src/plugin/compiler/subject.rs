//! What is compiled, and who pays for it.

use std::time::Duration;

use super::functions::FunctionCounts;
use crate::model::names::PluginKey;
use crate::tenant::Account;

/// The log tells of a compilation that takes longer than this.
pub const WORTH_TELLING: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub enum CompileSubject<'a> {
    /// A tenant's component, on the tenant's account.
    Plugin(&'a PluginKey, &'a Account),
    /// The operator's component of a language, by its name, on nobody's account.
    Language(&'a str),
}

impl CompileSubject<'_> {
    /// Runs work for it, and charges what this thread executes.
    pub fn working<T>(self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Plugin(_, account) => account.deploying(work),
            Self::Language(_) => work(),
        }
    }

    /// Charges what the child has used.
    pub fn charge(self, cpu: Duration) {
        if let Self::Plugin(_, account) = self {
            account.cpu.charge_deployment(cpu.as_nanos() as u64);
        }
    }

    /// Logs that compiling takes longer.
    pub fn tell_begun(self) {
        match self {
            Self::Plugin(PluginKey { tenant, plugin }, _) => {
                tracing::info!(tenant = tenant.as_str(), plugin = plugin.as_str(), "compiling ...");
            }
            Self::Language(engine) => tracing::info!(engine, "compiling ..."),
        }
    }

    /// Logs how it was compiled.
    pub fn tell_done(self, took: Duration, counts: FunctionCounts) {
        let FunctionCounts { reused, anew, left_out } = counts;
        let seconds = took.as_secs_f64();
        match self {
            Self::Plugin(PluginKey { tenant, plugin }, _) => {
                let (tenant, plugin) = (tenant.as_str(), plugin.as_str());
                if took > WORTH_TELLING {
                    tracing::info!(tenant, plugin, reused, anew, "compiling took {seconds:.1} s");
                } else {
                    tracing::debug!(tenant, plugin, reused, anew, "compiling took {seconds:.2} s");
                }
            }
            Self::Language(engine) => {
                tracing::info!(engine, functions = anew, "compiled this engine for all tenants in {seconds:.1} s");
                if left_out > 0 {
                    let words = "have no room in compiled-engine-bytes, and are compiled for each tenant";
                    tracing::warn!(engine, "{left_out} of this engine's {anew} functions {words}");
                }
            }
        }
    }
}
