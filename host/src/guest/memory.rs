//! How much memory an instance may hold: all its memories and tables together, which wasmtime's own limits do not add up,
//! and all instances of a tenant together.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::tenant::account::Counter;

/// What an element of a table takes: a pointer, and what wasmtime keeps beside it.
const ELEMENT_BYTES: usize = 16;

/// The memory of one instance. It is given back to the tenant when this is dropped.
#[derive(Debug)]
pub struct MemoryLimit {
    bytes_max: usize,
    elements_max: usize,
    bytes: usize,
    of_tenant: Arc<Counter>,
    /// Whether growing was refused during the current call: the trap that often follows is then told as `memory`.
    refused: bool,
    /// Whether it was the tenant's bound that refused.
    tenant_is_full: bool,
}

impl MemoryLimit {
    pub fn new(bytes_max: usize, elements_max: usize, of_tenant: Arc<Counter>) -> Self {
        Self { bytes_max, elements_max, bytes: 0, of_tenant, refused: false, tenant_is_full: false }
    }

    /// Begins a call.
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

    /// Whether `memory-tenant-bytes` was passed, and not what this instance itself may hold.
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
            (self.refused, self.tenant_is_full) = (true, true);
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
