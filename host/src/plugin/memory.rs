//! How much memory an instance may hold: all its memories together, which wasmtime's own limits do not add up.

use wasmtime::ResourceLimiter;

/// The memory of one instance.
#[derive(Debug)]
pub struct MemoryLimit {
    bytes_max: usize,
    elements_max: usize,
    bytes: usize,
    /// Whether growing was refused during the current call: the trap that often follows is then told as `memory`.
    refused: bool,
}

impl MemoryLimit {
    pub fn new(bytes_max: usize, elements_max: usize) -> Self {
        Self { bytes_max, elements_max, bytes: 0, refused: false }
    }

    /// Begins a call.
    pub fn begin(&mut self) {
        self.refused = false;
    }

    pub fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let total = self.bytes.saturating_add(desired.saturating_sub(current));
        let allowed = total <= self.bytes_max && maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.bytes = total;
        } else {
            self.refused = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let allowed = desired <= self.elements_max && maximum.is_none_or(|maximum| desired <= maximum);
        self.refused |= !allowed;
        Ok(allowed)
    }
}
