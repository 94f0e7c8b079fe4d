//! Limits the memory of an instance, all its memories and tables together, and of all instances of a tenant. Wasmtime's
//! own limits apply to each memory and table by itself.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::tenant::account::Counter;

/// The bytes of a table's element: a pointer, and what wasmtime keeps beside it.
const ELEMENT_BYTES: usize = 16;

/// Counts the memory of one instance. Dropping it gives the memory back to the tenant.
#[derive(Debug)]
pub struct MemoryLimit {
    bytes_max: usize,
    elements_max: usize,
    bytes: usize,
    of_tenant: Arc<Counter>,
    /// Whether the current call was refused memory: the trap that often follows is then reported as `memory`.
    refused: bool,
    /// Whether the tenant's limit was the reason.
    tenant_is_full: bool,
}

impl MemoryLimit {
    pub fn new(bytes_max: usize, elements_max: usize, of_tenant: Arc<Counter>) -> Self {
        Self { bytes_max, elements_max, bytes: 0, of_tenant, refused: false, tenant_is_full: false }
    }

    /// Begins a call: forgets what the last one was refused.
    pub fn begin(&mut self) {
        self.refused = false;
        self.tenant_is_full = false;
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn refused(&self) -> bool {
        self.refused
    }

    /// Whether the current call was refused memory because of `memory-tenant-bytes`, not because of `memory-bytes`.
    pub fn tenant_is_full(&self) -> bool {
        self.tenant_is_full
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let total = self.bytes.saturating_add(bytes);
        if total > self.bytes_max {
            self.refused = true;
            return false;
        }
        if !self.of_tenant.take(bytes) {
            self.refused = true;
            self.tenant_is_full = true;
            return false;
        }
        self.bytes = total;
        true
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = true;
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        if desired > self.elements_max || maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = true;
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES)))
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.of_tenant.give(self.bytes);
    }
}
