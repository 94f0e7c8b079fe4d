//! Who calls.

use std::fmt;

use crate::model::names::TenantName;

/// Whom a request speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Operator,
    Tenant(TenantName),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Operator { "the operator" } else { "the tenant" })
    }
}

impl Caller {
    /// Whether the caller may know of a tenant and of what belongs to it.
    pub fn may_see(&self, tenant: &TenantName) -> bool {
        match self {
            Self::Operator => true,
            Self::Tenant(own) => own == tenant,
        }
    }
}
